//! Several servers, offered to one grant as one: whose names mean what.
//!
//! A stack only finds the server that a message is meant for, and puts lists together. Each server is asked as it would
//! be asked by an agent of its own, under its own policy and through the one decision point, so that nothing can be done
//! by way of a stack that could not be done without it.

mod names;
mod search;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::grant::Grant;
use crate::server::Server;

use self::search::Index;

pub use self::names::{LONGEST_NAME, Meant, Names, SEARCH, shown};
pub use self::search::MOST_FOUND;

/// One server of a stack.
#[derive(Debug)]
pub struct Member {
    /// The grant as it stands on this server.
    pub grant: Arc<Grant>,
    /// Whether its tools, prompts and resources keep their own names, where no other server has the same.
    pub unprefixed: bool,
}

impl Member {
    /// The server's id.
    pub fn id(&self) -> &str {
        self.grant.server().id()
    }

    /// The server.
    pub fn server(&self) -> &Arc<Server> {
        self.grant.server()
    }
}

/// Several servers under one token.
#[derive(Debug)]
pub struct Stack {
    members: Vec<Member>,
    /// Servers that belong to it and cannot be asked at all, each with a sentence for the agent.
    closed: Vec<(Box<str>, String)>,
    /// Whether tools are found by searching instead of listing them all.
    search: bool,
    lists: Mutex<HashMap<Kind, Arc<Merged>>>,
    /// Which lists the operator was told to lack a server, and why.
    told: Mutex<HashMap<(Kind, Box<str>), String>>,
}

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Tools.
    Tools,
    /// Prompts.
    Prompts,
    /// Resources.
    Resources,
    /// Templates of resources.
    Templates,
}

impl Kind {
    /// The method that lists them.
    pub fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
        }
    }

    /// The member of the result that they stand in.
    pub fn list(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }

    /// The member that names one.
    pub fn key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
        }
    }

    /// Whether they are named by URIs.
    pub fn is_resource(self) -> bool {
        matches!(self, Self::Resources | Self::Templates)
    }
}

/// One thing of a merged list.
#[derive(Debug)]
pub struct Entry {
    /// The place of its server among the members.
    pub member: usize,
    /// What the server calls it.
    pub own: Box<str>,
    /// What the agent calls it.
    pub shown: Box<str>,
    /// Its definition under the name that is shown.
    pub definition: Box<str>,
}

/// A list of all servers together.
#[derive(Debug, Default)]
pub struct Merged {
    /// By server, in the order of the stack; of one server in the order in which it lists them.
    pub entries: Vec<Entry>,
    by_name: HashMap<Box<str>, usize>,
    index: OnceLock<Index>,
    /// Why the lists of some servers are missing, by server.
    pub missing: Vec<(Box<str>, String)>,
    stamp: Option<Stamp>,
    made: Option<Instant>,
    /// Whether a server is missing that took its time.
    slow: bool,
}

/// How long a list that lacks a server is kept, where finding that out took long.
const SLOW_AGE: Duration = Duration::from_secs(30);

/// How long a list is kept: servers need not say that theirs has changed, and agents are told to keep it no longer.
pub const LIST_AGE: Duration = Duration::from_secs(5);

/// What a merged list was made from: it is made anew when that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp(Vec<(crate::tools::Generation, Option<Arc<str>>, usize)>);

impl Merged {
    /// A list of entries. Of two of one name neither could be meant, so that both are left out.
    pub fn new(mut entries: Vec<Entry>, missing: Vec<(Box<str>, String)>) -> Self {
        let mut times: HashMap<Box<str>, usize> = HashMap::new();
        for entry in &entries {
            *times.entry(entry.shown.clone()).or_default() += 1;
        }
        entries.retain(|entry| times.get(&entry.shown) == Some(&1));
        let by_name = entries.iter().enumerate().map(|(place, entry)| (entry.shown.clone(), place)).collect();
        Self { entries, by_name, index: OnceLock::new(), missing, stamp: None, made: None, slow: false }
    }

    /// The entry of that name.
    pub fn get(&self, shown: &str) -> Option<&Entry> {
        self.entries.get(*self.by_name.get(shown)?)
    }

    /// Those that fit the words of a search best, at most `limit` and [`MOST_FOUND`] of them, and how many fit at all.
    pub fn find(&self, query: &str, limit: usize) -> serde_json::Value {
        self.index.get_or_init(|| Index::of(&self.entries)).find(&self.entries, query, limit)
    }
}

impl Stack {
    /// A stack of servers, in the order in which they are listed. None of them twice.
    pub fn new(members: Vec<Member>, search: bool) -> Arc<Self> {
        Self::with_closed(members, Vec::new(), search)
    }

    /// The same, with servers that cannot be asked at all, each with a sentence for the agent.
    pub fn with_closed(members: Vec<Member>, closed: Vec<(Box<str>, String)>, search: bool) -> Arc<Self> {
        Arc::new(Self { members, closed, search, lists: Mutex::default(), told: Mutex::default() })
    }

    /// Servers that belong to it and cannot be asked at all, each with a sentence for the agent.
    pub fn closed(&self) -> &[(Box<str>, String)] {
        &self.closed
    }

    /// The servers.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether tools are found by searching.
    pub fn is_searched(&self) -> bool {
        self.search
    }

    /// What tells the grant from every other one: sessions are bound to it.
    pub fn key(&self) -> &str {
        self.members.first().map_or("", |member| member.grant.key())
    }

    /// The place of a server.
    pub fn place(&self, server: &str) -> Option<usize> {
        self.members.iter().position(|member| member.id() == server)
    }

    /// A list that was put together before and still holds.
    pub fn known(&self, kind: Kind) -> Option<Arc<Merged>> {
        let known = self.lists.lock().unwrap_or_else(PoisonError::into_inner).get(&kind).cloned()?;
        let age = if known.slow { SLOW_AGE } else { LIST_AGE };
        let fresh = known.made.is_some_and(|made| made.elapsed() < age);
        (fresh && known.stamp == Some(self.stamp())).then_some(known)
    }

    /// The list that was put together last, whether or not it still holds: names that were given out mean what they
    /// meant.
    pub fn last(&self, kind: Kind) -> Option<Arc<Merged>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).get(&kind).cloned()
    }

    /// Keeps a list that was put together from what held at `stamp`. One that lacks a server does not stay, for the server
    /// may be back at any time; unless it was `slow`, and every agent would have to wait for it each time.
    pub fn keep(&self, kind: Kind, mut merged: Merged, stamp: Stamp, slow: bool) -> Arc<Merged> {
        merged.slow = slow;
        merged.stamp = Some(stamp).filter(|_| slow || merged.missing.is_empty());
        merged.made = Some(Instant::now());
        let merged = Arc::new(merged);
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, Arc::clone(&merged));
        merged
    }

    /// Which of the servers that a list lacks nobody was told of yet, each with the reason.
    pub fn news(&self, kind: Kind, missing: &[(Box<str>, String)]) -> Vec<(Box<str>, String)> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|(of, server), _| *of != kind || missing.iter().any(|(name, _)| name == server));
        let fresh = missing.iter().filter(|(server, _)| !told.contains_key(&(kind, server.clone()))).cloned();
        let fresh: Vec<_> = fresh.collect();
        told.extend(fresh.iter().map(|(server, why)| ((kind, server.clone()), why.clone())));
        fresh
    }

    /// What lists are made from now.
    pub fn stamp(&self) -> Stamp {
        let of = |member: &Member| {
            let policy = member.grant.binding.policy.as_ref().map(|cell| Arc::clone(&cell.now().digest));
            let accepted = Arc::as_ptr(&member.server().pins.now()) as usize;
            (member.server().tools.generation(), policy, accepted)
        };
        Stamp(self.members.iter().map(of).collect())
    }

    /// Forgets lists that a server has said to be others now.
    pub fn forget(&self, kind: Kind) {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).remove(&kind);
    }
}
