//! Who sends a message, and in which dialect.

use std::net::IpAddr;
use std::sync::Arc;

use mcp::revision::Revision;

use crate::grant::{Grant, TokenDigest};
use crate::seal::SessionNumber;
use crate::sessions::Conversation;
use crate::trace::Trace;

/// How refusals are put: the eras differ in codes, statuses and one field of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// 2024-11-05 to 2025-11-25.
    Legacy,
    /// 2026-07-28.
    Modern,
}

/// The sender of a message, authenticated.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Its grant.
    pub grant: Arc<Grant>,
    /// What is kept of the token that let it in; `None` where none was needed.
    pub token: Option<TokenDigest>,
    /// The session, in the legacy era and where there is one.
    pub session: Option<SessionNumber>,
    /// The session that this one is only a part of, where it is: with a stack of servers, or of an agent on stdio.
    pub stack: Option<SessionNumber>,
    /// The revision, where it is known.
    pub revision: Option<Revision>,
    /// The address the request came from.
    pub client_ip: Option<IpAddr>,
    /// The trace that the message belongs to.
    pub trace: Option<Arc<Trace>>,
    /// Whether the message goes on with a call that was judged and counted before: it is judged again, and not counted
    /// again. Only the gateway itself says so, of a round that it made or whose state it sealed.
    pub continues: bool,
}

impl Caller {
    /// The conversation that the message belongs to.
    pub fn conversation(&self) -> Conversation {
        match self.session {
            Some(number) => Conversation::Session(number),
            None => Conversation::Grant(self.grant.key().to_owned(), self.grant.server().id().to_owned()),
        }
    }

    /// The session as policies and counts know it: the whole of it.
    pub fn counted_session(&self) -> Option<SessionNumber> {
        self.stack.or(self.session)
    }

    /// Whether it repeats in headers what 2026-07-28 wants repeated: over HTTP, where everybody has an address.
    pub fn has_headers(&self) -> bool {
        self.client_ip.is_some()
    }

    /// The dialect to answer in.
    pub fn dialect(&self) -> Dialect {
        match self.revision {
            Some(revision) if revision.is_modern() => Dialect::Modern,
            _ => Dialect::Legacy,
        }
    }
}
