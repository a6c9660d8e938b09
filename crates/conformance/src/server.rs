//! The server itself: which request goes where, and what it says of itself.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams, CompleteResult,
    CompletionInfo, ErrorCode, ErrorData, GetPromptRequestParams, GetPromptResponse, GetTaskParams, GetTaskResult,
    InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, LoggingLevel, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams,
    ReadResourceResponse, Reference, ServerConfig, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter,
    TASKS_EXTENSION_ID, Tool, UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{RequestContext, RoleServer, SubscriptionContext};
use rmcp::task_manager::TaskManager;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::{prompts, resources, tools};

/// How long clients may keep a list, in milliseconds.
const TTL_MS: u64 = 60_000;

/// What `completion/complete` chooses from.
const COMPLETIONS: [&str; 4] = ["paris", "park", "party", "test-value"];

/// One client's server. What all clients share is the wire on which changes are told.
#[derive(Clone)]
pub struct Fixture {
    changes: broadcast::Sender<Change>,
    page: Option<usize>,
    era: Option<Era>,
    session: Arc<Mutex<Session>>,
    /// What goes on beside its call: it is no session's, since in 2026-07-28 there are none.
    pub tasks: TaskManager,
}

/// The revisions that are spoken where not all of them are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// 2024-11-05 to 2025-11-25.
    Legacy,
    /// 2026-07-28.
    Modern,
}

/// What a session of the older revisions remembers.
#[derive(Debug, Default)]
struct Session {
    level: Option<LoggingLevel>,
    watched: BTreeSet<String>,
}

/// Something that listeners are told of.
#[derive(Debug, Clone)]
pub enum Change {
    /// The list of tools (it does not really change: the notification is what matters).
    Tools,
    /// The list of prompts.
    Prompts,
    /// The resource with this URI.
    Resource(String),
}

impl Fixture {
    /// A server whose lists come in pages of `page` entries, or whole, and which speaks one era, or both.
    pub fn new(page: Option<usize>, era: Option<Era>) -> Self {
        Self { changes: broadcast::channel(16).0, page, era, session: Arc::default(), tasks: TaskManager::new() }
    }

    /// The server for one more session: with its own log level and subscriptions.
    pub fn session(&self) -> Self {
        Self { session: Arc::default(), ..self.clone() }
    }

    /// Tells every listener of 2026-07-28, and the session that asks, of a change.
    pub async fn changed(&self, change: Change, context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
        // Nobody listening is not an error.
        drop(self.changes.send(change.clone()));
        if is_modern(context) {
            return Ok(());
        }
        match change {
            Change::Tools => context.peer.notify_tool_list_changed().await,
            Change::Prompts => context.peer.notify_prompt_list_changed().await,
            Change::Resource(uri) if self.memory(|session| session.watched.contains(&uri)) => {
                context.peer.notify_resource_updated(build(json!({ "uri": uri }))?).await
            }
            Change::Resource(_) => Ok(()),
        }
        .map_err(internal)
    }

    /// Whether a log message of this level may be sent while answering this request.
    pub fn logs(&self, level: LoggingLevel, context: &RequestContext<RoleServer>) -> bool {
        let least = if is_modern(context) {
            context.meta.log_level()
        } else {
            // Without `logging/setLevel` a server decides by itself; this one sends all.
            Some(self.memory(|session| session.level).unwrap_or(LoggingLevel::Debug))
        };
        least.is_some_and(|least| severity(level) >= severity(least))
    }

    fn memory<T>(&self, read: impl FnOnce(&mut Session) -> T) -> T {
        read(&mut self.session.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The entries that a cursor asks for, and the cursor of the rest.
    fn page<T>(
        &self,
        all: Vec<T>,
        request: Option<PaginatedRequestParams>,
    ) -> Result<(Vec<T>, Option<String>), ErrorData> {
        let start = match request.and_then(|params| params.cursor) {
            None => 0,
            Some(cursor) => {
                cursor.parse().map_err(|_| ErrorData::invalid_params(format!("unknown cursor `{cursor}`"), None))?
            }
        };
        let size = self.page.unwrap_or(all.len());
        let next = start + size;
        let more = (next < all.len()).then(|| next.to_string());
        Ok((all.into_iter().skip(start).take(size).collect(), more))
    }
}

/// Whether the request is of 2026-07-28 or newer, which has no sessions.
pub fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

/// A value of the protocol from its JSON, which says more than a chain of builders.
pub fn build<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(internal)
}

/// An error of the fixture itself.
pub fn internal(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

fn severity(level: LoggingLevel) -> u8 {
    match level {
        LoggingLevel::Debug => 0,
        LoggingLevel::Info => 1,
        LoggingLevel::Notice => 2,
        LoggingLevel::Warning => 3,
        LoggingLevel::Error => 4,
        LoggingLevel::Critical => 5,
        LoggingLevel::Alert => 6,
        LoggingLevel::Emergency => 7,
    }
}

/// Caching hints, for those revisions that know them.
macro_rules! with_hints {
    ($result:ident, $context:expr) => {
        if is_modern($context) {
            $result.ttl_ms = Some(TTL_MS);
            $result.cache_scope = Some(CacheScope::Public);
        }
    };
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let config = json!({
            "protocolVersion": ProtocolVersion::LATEST_WITH_INITIALIZE,
            "capabilities": {
                "tools": { "listChanged": true },
                "prompts": { "listChanged": true },
                "resources": { "listChanged": true, "subscribe": true },
                "completions": {},
                "logging": {},
                "extensions": { TASKS_EXTENSION_ID: {} },
            },
            "serverInfo": { "name": "toolgate-fixture", "version": env!("CARGO_PKG_VERSION") },
            "instructions": "A server for conformance tests.",
        });
        serde_json::from_value(config).unwrap_or_default()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        if self.era == Some(Era::Modern) {
            // The library would agree to a revision that it was told not to speak.
            return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "initialize", None));
        }
        context.peer.set_peer_info(request.clone());
        self.negotiate_initialize(&request)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(match self.era {
            None => ProtocolVersion::KNOWN_VERSIONS,
            Some(Era::Legacy) => ProtocolVersion::known_up_to(&ProtocolVersion::V_2025_11_25),
            Some(Era::Modern) => &[ProtocolVersion::V_2026_07_28],
        })
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let (tools, next) = self.page(tools::list()?, request)?;
        let mut result = ListToolsResult::with_all_items(tools);
        result.next_cursor = next;
        with_hints!(result, &context);
        Ok(result)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::list().ok()?.into_iter().find(|tool| tool.name == name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        tools::call(self, request, &context).await
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        self.tasks.get_task(&request.task_id).map(GetTaskResult::new)
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.cancel_task(&request.task_id)
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let (prompts, next) = self.page(prompts::list()?, request)?;
        let mut result = ListPromptsResult::with_all_items(prompts);
        result.next_cursor = next;
        with_hints!(result, &context);
        Ok(result)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::get(request, &context)
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let (resources, next) = self.page(resources::list()?, request)?;
        let mut result = ListResourcesResult::with_all_items(resources);
        result.next_cursor = next;
        with_hints!(result, &context);
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let (templates, next) = self.page(resources::templates()?, request)?;
        let mut result = ListResourceTemplatesResult::with_all_items(templates);
        result.next_cursor = next;
        with_hints!(result, &context);
        Ok(result)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let mut result = resources::read(&request.uri)?;
        with_hints!(result, &context);
        Ok(result.into())
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.memory(|session| session.watched.insert(request.uri));
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.memory(|session| session.watched.remove(&request.uri));
        Ok(())
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if is_modern(&context) {
            return Err(ErrorData::method_not_found::<rmcp::model::SetLevelRequestMethod>());
        }
        self.memory(|session| session.level = Some(request.level));
        Ok(())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        match request.r#ref {
            Reference::Prompt(prompt) if !prompts::exists(&prompt.name) => {
                return Err(ErrorData::invalid_params(format!("unknown prompt `{}`", prompt.name), None));
            }
            _ => {}
        }
        let fitting = COMPLETIONS.iter().filter(|word| word.starts_with(request.argument.value.as_str()));
        let values = fitting.map(|word| (*word).to_owned()).collect();
        Ok(CompleteResult::new(CompletionInfo::new(values).map_err(internal)?))
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.changes.subscribe();
        let sink = subscription.sink();
        loop {
            let change = tokio::select! {
                () = subscription.cancelled() => return Ok(()),
                change = changes.recv() => change,
            };
            // What the listener did not ask for is refused by the sink, as it should be.
            drop(match change {
                Ok(Change::Tools) => sink.notify_tool_list_changed().await,
                Ok(Change::Prompts) => sink.notify_prompt_list_changed().await,
                Ok(Change::Resource(uri)) => sink.notify_resource_updated(uri).await,
                Err(broadcast::error::RecvError::Lagged(_)) => Ok(()),
                Err(broadcast::error::RecvError::Closed) => return Ok(()),
            });
        }
    }
}
