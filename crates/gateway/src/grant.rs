//! Grants: labelled bearer tokens, each for one agent on one server under one policy.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

use arc_swap::ArcSwapOption;
use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use policy::{GrantFacts, ToolFacts, ToolRules};

use crate::pins::Accepted;
use crate::policy_file::{InForce, PolicyCell};
use crate::server::Server;
use crate::stack::Stack;
use crate::terms::Terms;
use crate::tools::{Tool, ToolList};

/// What is kept of a token: its SHA-256, or the keyed hash that a control plane keeps. Tokens hold 256 random
/// bits, so no slow hash is needed; it may be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of a token.
    pub fn of(token: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, token).as_ref());
        Self(bytes)
    }

    /// A hash that was made elsewhere, with the key of [`Hashing::Keyed`].
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads `sha256:` and 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = crate::hex::decode(text.strip_prefix("sha256:")?)?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl std::fmt::Display for TokenDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha256:{}", crate::hex::encode(&self.0))
    }
}

/// What a token leads to.
#[derive(Debug, Clone)]
pub enum Lead {
    /// One server.
    Server(Arc<Grant>),
    /// Several, offered as one.
    Stack(Arc<Stack>),
}

impl From<Arc<Grant>> for Lead {
    fn from(grant: Arc<Grant>) -> Self {
        Self::Server(grant)
    }
}

impl Lead {
    /// The grant for a server, if it leads there.
    pub fn on(&self, server: &str) -> Option<&Arc<Grant>> {
        self.grants().find(|grant| grant.server().id() == server)
    }

    /// The grants that it consists of: one for each server.
    pub fn grants(&self) -> impl Iterator<Item = &Arc<Grant>> {
        let (one, stack) = match self {
            Self::Server(grant) => (Some(grant), None),
            Self::Stack(stack) => (None, Some(stack.members().iter().map(|member| &member.grant))),
        };
        one.into_iter().chain(stack.into_iter().flatten())
    }

    /// The grant's name.
    pub fn label(&self) -> &str {
        self.grants().next().map_or("", |grant| grant.label())
    }

    /// The terms on which it may be used, where a control plane has given it: all its grants have the same.
    pub fn terms(&self) -> Option<&Terms> {
        self.grants().next()?.terms.as_ref()
    }
}

/// How a token is turned into what is kept of it.
#[derive(Debug, Clone, Default)]
pub enum Hashing {
    /// By SHA-256 alone.
    #[default]
    Plain,
    /// By a control plane's key.
    Keyed(Arc<dyn KeyedHash>),
}

/// A control plane's hash of tokens.
pub trait KeyedHash: std::fmt::Debug + Send + Sync {
    /// The hash of a token; `None` for what is no token of ours.
    fn digest(&self, token: &[u8]) -> Option<TokenDigest>;
}

impl Hashing {
    /// What would be kept of a token.
    pub fn digest(&self, token: &[u8]) -> Option<TokenDigest> {
        match self {
            Self::Plain => Some(TokenDigest::of(token)),
            Self::Keyed(keyed) => keyed.digest(token),
        }
    }
}

/// The one organisation of a gateway without a control plane.
static LOCAL: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("local"));

/// A grant.
#[derive(Debug)]
pub struct Grant {
    /// What policies may read of it; `facts.label` is its name.
    pub facts: GrantFacts,
    /// The server and the policy that it leads to.
    pub binding: Arc<Binding>,
    /// The organisation that it belongs to: counts are told apart by it.
    pub organisation: Arc<str>,
    /// The terms on which it may be used, where a control plane has given it.
    pub terms: Option<Terms>,
}

impl Grant {
    /// A grant of a gateway without a control plane: it has no terms.
    pub fn local(facts: GrantFacts, binding: Arc<Binding>) -> Self {
        Self { facts, binding, organisation: Arc::clone(&LOCAL), terms: None }
    }

    /// Why calls under it are stopped, if they are.
    pub fn stopped(&self) -> Option<Arc<String>> {
        self.terms.as_ref()?.switch.stopped()
    }

    /// Whether its time is over.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.terms.as_ref().and_then(|terms| terms.expires_at).is_some_and(|at| at <= now)
    }

    /// Waits until calls under it are stopped, and tells why; for ever where nothing can stop them.
    pub async fn until_stopped(&self) -> Arc<String> {
        match &self.terms {
            Some(terms) => terms.switch.wait().await,
            None => std::future::pending().await,
        }
    }

    /// The grant's name.
    pub fn label(&self) -> &str {
        &self.facts.label
    }

    /// What tells it from every other grant on its server, also from those of other organisations: sessions are
    /// bound to it.
    pub fn key(&self) -> &str {
        self.terms.as_ref().map_or(&self.facts.label, |terms| &terms.id)
    }

    /// The server that the grant leads to.
    pub fn server(&self) -> &Arc<Server> {
        &self.binding.server
    }
}

/// One policy on one server, shared by all grants that have both.
#[derive(Debug)]
pub struct Binding {
    /// The server.
    pub server: Arc<Server>,
    /// The policy; a grant without one may do nothing.
    pub policy: Option<Arc<PolicyCell>>,
    book: ArcSwapOption<Book>,
}

/// The rules of each tool under one version of the policy, one list of tools and one state of the
/// pins. Rules are worked out when a tool is first asked for and kept until one of these changes.
#[derive(Debug)]
pub struct Book {
    /// The version of the policy.
    pub in_force: Arc<InForce>,
    /// The tools.
    pub list: Arc<ToolList>,
    /// Which definitions are accepted.
    pub accepted: Arc<Accepted>,
    rules: HashMap<Box<str>, (Arc<Tool>, OnceLock<ToolRules>)>,
    server: Arc<Server>,
}

impl Binding {
    /// Binds a policy to a server.
    pub fn new(server: Arc<Server>, policy: Option<Arc<PolicyCell>>) -> Arc<Self> {
        Arc::new(Self { server, policy, book: ArcSwapOption::empty() })
    }

    /// The list that was last judged by, whether or not it may still be believed.
    pub(crate) fn last_list(&self) -> Option<Arc<ToolList>> {
        self.book.load().as_ref().map(|book| Arc::clone(&book.list))
    }

    /// The rules in force for `list`.
    pub fn book(&self, in_force: &Arc<InForce>, list: &Arc<ToolList>) -> Arc<Book> {
        let accepted = self.server.pins.now();
        if let Some(book) = self.book.load_full()
            && Arc::ptr_eq(&book.accepted, &accepted)
            && Arc::ptr_eq(&book.in_force, in_force)
            && Arc::ptr_eq(&book.list, list)
        {
            return book;
        }
        let rules = list.iter().map(|tool| (tool.name.clone(), (Arc::clone(tool), OnceLock::new()))).collect();
        let book = Arc::new(Book {
            in_force: Arc::clone(in_force),
            list: Arc::clone(list),
            accepted,
            rules,
            server: Arc::clone(&self.server),
        });
        self.book.store(Some(Arc::clone(&book)));
        book
    }
}

impl Book {
    /// A tool and its rules; `None` for a name that the server does not list.
    pub fn get(&self, name: &str) -> Option<(&Arc<Tool>, &ToolRules)> {
        let (tool, rules) = self.rules.get(name)?;
        Some((tool, rules.get_or_init(|| self.work_out(tool))))
    }

    fn work_out(&self, tool: &Tool) -> ToolRules {
        let (class, accepted) = tool.class_under(&self.server.config.classes, &self.accepted);
        self.in_force.policy.for_tool(&ToolFacts {
            server: self.server.id(),
            name: &tool.name,
            class,
            class_accepted: accepted,
            input_schema: tool.schema.as_deref(),
            numbers: self.server.config.numbers,
        })
    }

    /// Whether a tool is shown to the agent.
    pub fn listed(&self, name: &str, grant: &GrantFacts) -> bool {
        self.get(name).is_some_and(|(tool, rules)| {
            tool.held().is_none() && self.accepted.held(tool).is_none() && rules.held().is_none() && rules.listed(grant)
        })
    }
}
