//! Grants as a replica honours them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use audit::Id;
use gateway::grant::{Binding, Grant, Hashing, KeyedHash, Lead, TokenDigest};
use gateway::stack::{self, Stack};
use gateway::terms::{Switch, Terms};
use jiff::Timestamp;
use policy::GrantFacts;
use policy::text::cidr::Block;
use store::control::grants::Grant as Row;
use store::control::leads::{Leads, Member};
use store::control::live::LiveGrant;
use vault::token::{Token, TokenKind};
use vault::token_hash::{HashKey, TokenHash};

use super::state::State;
use crate::Instance;

/// What tokens lead to, and until when each is good.
pub(super) type ByToken = HashMap<TokenDigest, (Lead, Option<Timestamp>)>;

/// A grant, with what all its forms share.
pub(super) struct Held {
    pub(super) grant: Row,
    tokens: Vec<(String, Option<i64>)>,
    /// By server: what is stopped at one of them goes on at the others.
    pub(super) switches: BTreeMap<Id, Arc<Switch>>,
    used: Arc<AtomicI64>,
    /// Its servers as one, for as long as they stay what they are: lists that were put together stay with them.
    stack: Option<Arc<Stack>>,
}

/// What can be said of a grant for its tokens.
pub(super) enum Admitted {
    /// They lead there.
    Lead(Lead),
    /// Nobody can be let in, which is no fault of whoever has them: a sentence for agents.
    Closed(String),
}

impl State {
    pub(super) fn grant(&mut self, live: LiveGrant) {
        let LiveGrant { grant, tokens } = live;
        let before = self.grants.remove(&grant.id);
        let used = before.as_ref().map(|held| Arc::clone(&held.used)).unwrap_or_default();
        let mut known = before.map(|held| held.switches).unwrap_or_default();
        let members = grant.leads.members();
        let switches = members.iter().map(|member| (member.server, known.remove(&member.server).unwrap_or_default()));
        let switches = switches.collect();
        for switch in known.values() {
            switch.stop("This server was taken from this grant.");
        }
        self.grants.insert(grant.id, Held { grant, tokens, switches, used, stack: None });
    }

    /// Lets a grant's tokens in, if it may be used at all.
    pub(super) fn admit(&mut self, id: Id, by_token: &mut ByToken, closed: &mut HashMap<TokenDigest, String>) {
        let admitted = self.admitted(id);
        let (Some(admitted), Some(held)) = (admitted, self.grants.get_mut(&id)) else { return };
        held.stack = match &admitted {
            Admitted::Lead(Lead::Stack(stack)) => Some(Arc::clone(stack)),
            _ => None,
        };
        for (hash, until) in &held.tokens {
            let Ok(hash) = hash.parse::<TokenHash>() else { continue };
            match &admitted {
                Admitted::Lead(lead) => drop(by_token.insert(digest(&hash), (lead.clone(), moment(*until)))),
                Admitted::Closed(why) => drop(closed.insert(digest(&hash), why.clone())),
            }
        }
    }

    fn admitted(&mut self, id: Id) -> Option<Admitted> {
        let held = self.grants.get(&id).filter(|held| held.grant.revoked_at.is_none())?;
        let members = held.grant.leads.members();
        // Networks that cannot be read let nobody in.
        let networks =
            held.grant.networks.iter().map(|network| Block::parse(network)).collect::<Result<Vec<_>, _>>().ok()?;
        let (mut open, mut closed): (Vec<stack::Member>, Vec<(Box<str>, String)>) = (Vec::new(), Vec::new());
        for member in &members {
            let server = self.servers.get(&member.server)?;
            match &server.broken {
                Some(why) => closed.push((server.form.server.name.clone().into_boxed_str(), why.clone())),
                None => {
                    let policy = self.policy_at(&self.grants.get(&id)?.grant, member, members.len() > 1);
                    let binding = self.binding(member.server, policy)?;
                    open.push(self.member(id, member, policy, &networks, binding)?);
                }
            }
        }
        let held = self.grants.get(&id)?;
        let search = match &held.grant.leads {
            Leads::Server(_) => {
                let only = open.pop().map(|member| Admitted::Lead(Lead::Server(member.grant)));
                return only.or_else(|| Some(Admitted::Closed(closed.pop()?.1)));
            }
            Leads::Stack(stack) => stack.search,
        };
        if open.is_empty() {
            return closed.pop().map(|(_, why)| Admitted::Closed(why));
        }
        let same = held.stack.as_ref().filter(|stack| stack.closed() == closed && alike(stack.members(), &open));
        let stack = same.map_or_else(|| Stack::with_closed(open, closed, search), Arc::clone);
        Some(Admitted::Lead(Lead::Stack(stack)))
    }

    /// The policy of a grant at one of its servers. One that was written for a single server never stands for several: then
    /// there is none.
    fn policy_at(&self, grant: &Row, member: &Member, several: bool) -> Option<Id> {
        let of_server = || self.servers.get(&member.server).and_then(|server| server.policy);
        match (member.policy, grant.policy) {
            (Some(own), _) => Some(own),
            (None, Some(policy)) => Some(policy).filter(|policy| !several || self.spans(*policy)),
            (None, None) => of_server(),
        }
    }

    fn member(
        &self,
        id: Id,
        member: &Member,
        policy: Option<Id>,
        networks: &[Block],
        binding: Arc<Binding>,
    ) -> Option<stack::Member> {
        let held = self.grants.get(&id)?;
        let row = &held.grant;
        let (id, server) = (row.id.to_string(), member.server.to_string());
        let counted = match &row.leads {
            Leads::Server(_) => id.clone(),
            Leads::Stack(_) => format!("{server}/{id}"),
        };
        let grant = Arc::new(Grant {
            facts: GrantFacts {
                label: row.label.clone(),
                agent_label: self.agents.get(&row.agent)?.clone(),
                owner: row.owner.clone(),
                tags: row.tags.clone(),
            },
            binding,
            organisation: Arc::clone(self.organisations.get(&row.organisation)?),
            terms: Some(Terms {
                counted,
                spanned: id.clone(),
                id,
                server,
                agent: row.agent.to_string(),
                policy: policy.map(|policy| policy.to_string()),
                networks: networks.to_vec(),
                expires_at: moment(row.expires_at),
                switch: Arc::clone(held.switches.get(&member.server)?),
                used: Arc::clone(&held.used),
            }),
        });
        Some(stack::Member { grant, unprefixed: member.unprefixed })
    }

    /// When grants were used, since they were read.
    pub(super) fn used(&self) -> Vec<(Id, i64)> {
        let used = self.grants.iter().map(|(id, held)| (*id, held.used.load(Ordering::Relaxed)));
        used.filter(|(_, at)| *at > 0).collect()
    }
}

/// Whether the servers of a grant whose row is the same are what they were.
fn alike(before: &[stack::Member], now: &[stack::Member]) -> bool {
    let same = |(before, now): (&stack::Member, &stack::Member)| {
        Arc::ptr_eq(&before.grant.binding, &now.grant.binding)
            && before.grant.facts.agent_label == now.grant.facts.agent_label
    };
    before.len() == now.len() && before.iter().zip(now).all(same)
}

fn moment(millis: Option<i64>) -> Option<Timestamp> {
    // A time that is none is over.
    millis.map(|millis| Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH))
}

fn digest(hash: &TokenHash) -> TokenDigest {
    TokenDigest::from_bytes(hash.mac())
}

/// Hashes tokens as the instance does.
pub(super) fn hashing(instance: &Instance) -> Hashing {
    Hashing::Keyed(Arc::new(Keyed(Arc::clone(&instance.hash_key))))
}

#[derive(Debug)]
struct Keyed(Arc<HashKey>);

impl KeyedHash for Keyed {
    fn digest(&self, token: &[u8]) -> Option<TokenDigest> {
        // The checksum is looked at first: what was mistyped is no token.
        let token = Token::parse(TokenKind::Grant, std::str::from_utf8(token).ok()?).ok()?;
        Some(digest(&self.0.hash(&token)))
    }
}
