//! The tools of a server, as the gateway knows them.
//!
//! The gateway lists a server's tools itself before the first call, because a call is judged by
//! the tool's class and schema, and a name that the server does not offer goes nowhere. Every
//! complete list that passes through renews the knowledge; `list_changed` and five minutes end it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use mcp::result::Tool as Definition;
use policy::Class;

use crate::events::MAX_EVENT;
use crate::pins::{Accepted, Standing, digest};
use crate::pipeline::AskForTools;

/// The longest that a list is believed.
const MAX_AGE: Duration = Duration::from_secs(300);

/// The most pages of one list; a server that sends more is refused.
pub const MAX_PAGES: usize = 1_000;

/// The most tools of one server.
const MAX_TOOLS: usize = 20_000;

/// How many bytes a list of a server may have, all its pages together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListBytes(usize);

impl ListBytes {
    /// What can be set: an answer of a server is read up to [`MAX_EVENT`].
    pub const RANGE: std::ops::RangeInclusive<usize> = 1..=MAX_EVENT;

    /// For whoever bounds what it reads itself.
    pub const UNBOUNDED: Self = Self(usize::MAX);

    /// So many bytes; `None` for a number that cannot be set.
    pub fn new(bytes: usize) -> Option<Self> {
        Self::RANGE.contains(&bytes).then_some(Self(bytes))
    }

    /// Refuses a list of so many bytes, or of that many so far, that is too long.
    ///
    /// # Errors
    /// [`BadList::TooManyBytes`].
    pub fn check(self, bytes: usize) -> Result<(), BadList> {
        if bytes > self.0 { Err(BadList::TooManyBytes { bytes, most: self.0 }) } else { Ok(()) }
    }
}

impl Default for ListBytes {
    /// 8 MiB.
    fn default() -> Self {
        Self(8 * 1024 * 1024)
    }
}

/// A tool as its server defines it.
#[derive(Debug)]
pub struct Tool {
    /// Its name.
    pub name: Box<str>,
    /// The raw input schema.
    pub schema: Option<Box<str>>,
    /// `sha256:` and the digest of the whole definition in canonical form, in hexadecimal.
    pub digest: Box<str>,
    /// The whole definition in canonical form.
    pub definition: Box<str>,
    /// What its definition says that it can do.
    pub class: Class,
    /// Arguments that travel in `Mcp-Param-*` headers as well.
    pub header_params: Vec<mcp::header::Declared>,
    /// Why the definition cannot be used, if it cannot.
    pub broken: Option<String>,
}

impl Tool {
    fn new(view: &Definition<'_>) -> Self {
        let declared = view.input_schema.map_or(Ok(Vec::new()), mcp::header::declared);
        let (header_params, mut broken) = match declared {
            Ok(declared) => (declared, None),
            Err(error) => (Vec::new(), Some(error.message)),
        };
        let definition = mcp::canonical::text(view.raw).unwrap_or_else(|error| {
            broken = Some(error.to_string());
            view.raw.to_owned()
        });
        Self {
            name: view.name.as_ref().into(),
            schema: view.input_schema.map(Into::into),
            digest: digest(&definition).into(),
            definition: definition.into(),
            class: classified(view.raw),
            header_params,
            broken,
        }
    }

    /// The risk class, and whether a person set or accepted it: an operator's word, else that of the
    /// accepted definition.
    pub fn class_under(&self, overrides: &HashMap<String, Class>, accepted: &Accepted) -> (Class, bool) {
        match (overrides.get(&*self.name), accepted.standing(self)) {
            (Some(class), _) => (*class, true),
            (None, Standing::Accepted(pin)) => (pin.class_in_force(), pin.by_person()),
            (None, _) => (self.class, false),
        }
    }

    /// Why the tool cannot be offered at all: a name that would read as a pattern, or that hides
    /// a control character.
    pub fn held(&self) -> Option<&str> {
        if self.name.chars().any(|c| c == '*' || c == '?' || c.is_control()) {
            return Some("its name holds a character that policies cannot name");
        }
        self.broken.as_deref()
    }
}

/// The class of a definition as sent. What cannot be read could be anything.
fn classified(raw: &str) -> Class {
    serde_json::from_str(raw)
        .map_or(Class::Unclassified, |definition| risk::assess(&risk::Definition::of(&definition)).class)
}

/// One complete list.
#[derive(Debug)]
pub struct ToolList {
    tools: HashMap<Box<str>, Arc<Tool>>,
    until: Instant,
}

impl ToolList {
    /// Looks a tool up by its exact name.
    pub fn get(&self, name: &str) -> Option<&Arc<Tool>> {
        self.tools.get(name)
    }

    /// All tools, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.tools.values()
    }

    /// How many tools there are.
    pub fn len(&self) -> usize {
        self.tools.len()
    }

    /// Whether the server offers no tool.
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }
}

/// Why a list cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BadList {
    /// Not a list of tools.
    #[error("the server's tool list cannot be read: {0}")]
    Unreadable(String),
    /// Two tools of one name: which of them a call would reach is the server's secret.
    #[error("the server lists two tools named `{0}`")]
    Twice(String),
    /// More than the gateway is willing to hold.
    #[error("the server lists more than {MAX_TOOLS} tools, or more than {MAX_PAGES} pages of them")]
    TooLong,
    /// More bytes than its operator lets it have.
    #[error(
        "the server's list has {bytes} bytes, of which this gateway reads {most}; `list_bytes` of the server sets how many"
    )]
    TooManyBytes {
        /// The bytes of the pages so far.
        bytes: usize,
        /// How many there may be.
        most: usize,
    },
    /// A page that leads to one before: the list has no end.
    #[error("the server's list has no end: it names the page `{0}` twice")]
    Endless(String),
    /// The list could not be had.
    #[error("the server's tools cannot be listed: {0}")]
    NotListed(String),
}

/// A list under construction, page by page.
#[derive(Debug, Default)]
pub struct ListBuilder {
    tools: HashMap<Box<str>, Arc<Tool>>,
    ttl: Option<Duration>,
    pages: usize,
    bytes: usize,
    most: ListBytes,
    /// Where the pages so far have led.
    cursors: HashSet<String>,
}

impl ListBuilder {
    /// A list of at most so many bytes.
    pub fn within(most: ListBytes) -> Self {
        Self { most, ..Self::default() }
    }

    /// Adds the `result` of one `tools/list` and gives the cursor of the next page.
    ///
    /// # Errors
    /// [`BadList`] for a page that cannot be read or believed.
    pub fn add(&mut self, result: &str) -> Result<Option<String>, BadList> {
        self.pages += 1;
        self.bytes = self.bytes.saturating_add(result.len());
        self.most.check(self.bytes)?;
        let page = mcp::result::tools(result).map_err(|error| BadList::Unreadable(error.to_string()))?;
        if self.pages > MAX_PAGES || self.tools.len() + page.entries.len() > MAX_TOOLS {
            return Err(BadList::TooLong);
        }
        for view in &page.entries {
            let tool = Arc::new(Tool::new(view));
            if let Some(twin) = self.tools.insert(tool.name.clone(), tool) {
                return Err(BadList::Twice(twin.name.to_string()));
            }
        }
        if let Some(ttl) = page.ttl_ms {
            let ttl = Duration::from_millis(ttl);
            self.ttl = Some(self.ttl.map_or(ttl, |before| before.min(ttl)));
        }
        let Some(cursor) = page.next_cursor.map(|cursor| cursor.into_owned()) else { return Ok(None) };
        if !self.cursors.insert(cursor.clone()) {
            return Err(BadList::Endless(cursor.chars().take(100).collect()));
        }
        Ok(Some(cursor))
    }

    /// The complete list, believed for the server's `ttlMs`, at most five minutes.
    pub fn finish(self) -> ToolList {
        let age = self.ttl.unwrap_or(MAX_AGE).min(MAX_AGE);
        ToolList { tools: self.tools, until: Instant::now() + age }
    }
}

/// What is known of one server's tools.
#[derive(Debug, Default)]
pub struct KnownTools {
    list: ArcSwapOption<ToolList>,
    /// Rises whenever the server says that its tools have changed, so that a list which was
    /// asked for before does not count as news.
    generation: AtomicU64,
    /// Held while the list is fetched: one fetch serves all who wait.
    fetching: tokio::sync::Mutex<()>,
    /// How long a list may be.
    pub(crate) most: ListBytes,
}

/// The state of knowledge when a list was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation(u64);

impl KnownTools {
    /// Nothing yet, of lists of at most so many bytes.
    pub fn within(most: ListBytes) -> Self {
        Self { most, ..Self::default() }
    }

    /// The list, while it may be believed.
    pub fn current(&self) -> Option<Arc<ToolList>> {
        self.list.load_full().filter(|list| Instant::now() < list.until)
    }

    /// To be taken before a list is asked for.
    pub fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::Acquire))
    }

    /// Keeps a complete list that was asked for at `asked`.
    pub fn learn(&self, list: ToolList, asked: Generation) -> Arc<ToolList> {
        let list = Arc::new(list);
        if asked == self.generation() {
            self.list.store(Some(Arc::clone(&list)));
        }
        list
    }

    /// A page that came by: what it says otherwise than the list ends the belief in that list.
    pub fn doubt(&self, page: &ToolList) {
        let Some(known) = self.current() else { return };
        let same = |tool: &Arc<Tool>| known.get(&tool.name).is_some_and(|known| known.digest == tool.digest);
        if !page.iter().all(same) {
            self.forget();
        }
    }

    /// The server says that its tools have changed.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.list.store(None);
    }

    /// The list, fetched from `upstream` unless it is known.
    ///
    /// # Errors
    /// [`BadList`] when the server cannot be asked or gives no list that can be believed.
    pub async fn get(&self, upstream: &dyn AskForTools) -> Result<Arc<ToolList>, BadList> {
        match self.current() {
            Some(list) => Ok(list),
            // Boxed, so that calls which need nothing of it do not carry its state.
            None => Box::pin(self.fetch(upstream)).await,
        }
    }

    async fn fetch(&self, upstream: &dyn AskForTools) -> Result<Arc<ToolList>, BadList> {
        let _one_at_a_time = self.fetching.lock().await;
        if let Some(list) = self.current() {
            return Ok(list);
        }
        let asked = self.generation();
        let mut builder = ListBuilder::within(self.most);
        let mut cursor = None;
        loop {
            let result = upstream.page(cursor).await.map_err(BadList::NotListed)?;
            cursor = builder.add(&result)?;
            if cursor.is_none() {
                return Ok(self.learn(builder.finish(), asked));
            }
        }
    }
}
