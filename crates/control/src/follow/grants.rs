//! Grants as a replica honours them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use audit::Id;
use gateway::grant::{Grant, Hashing, KeyedHash, Lead, TokenDigest};
use gateway::terms::{Switch, Terms};
use jiff::Timestamp;
use policy::GrantFacts;
use policy::text::cidr::Block;
use store::control::grants::Grant as Row;
use store::control::live::LiveGrant;
use vault::token::{Token, TokenKind};
use vault::token_hash::{HashKey, TokenHash};

use super::state::State;
use crate::Instance;

/// A grant, with what all its forms share.
pub(super) struct Held {
    pub(super) grant: Row,
    tokens: Vec<(String, Option<i64>)>,
    pub(super) switch: Arc<Switch>,
    used: Arc<AtomicI64>,
}

impl State {
    pub(super) fn grant(&mut self, live: LiveGrant) {
        let LiveGrant { grant, tokens } = live;
        let before = self.grants.get(&grant.id);
        let switch = before.map(|held| Arc::clone(&held.switch)).unwrap_or_default();
        let used = before.map(|held| Arc::clone(&held.used)).unwrap_or_default();
        self.grants.insert(grant.id, Held { grant, tokens, switch, used });
    }

    /// Lets a grant's tokens in, if it may be used at all.
    pub(super) fn admit(
        &mut self,
        id: Id,
        by_token: &mut HashMap<TokenDigest, (Lead, Option<Timestamp>)>,
    ) -> Option<()> {
        let held = self.grants.get(&id)?;
        if held.grant.revoked_at.is_some() {
            return None;
        }
        let (server, own) = (held.grant.server, held.grant.policy);
        let policy = own.or_else(|| self.servers.get(&server).and_then(|server| server.policy));
        let binding = self.binding(server, policy)?;
        let held = self.grants.get(&id)?;
        let row = &held.grant;
        let networks = row.networks.iter().map(|network| Block::parse(network)).collect::<Result<_, _>>();
        // Networks that cannot be read let nobody in.
        let networks = networks.ok()?;
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
                id: row.id.to_string(),
                server: row.server.to_string(),
                agent: row.agent.to_string(),
                policy: policy.map(|policy| policy.to_string()),
                networks,
                expires_at: moment(row.expires_at),
                switch: Arc::clone(&held.switch),
                used: Arc::clone(&held.used),
            }),
        });
        for (hash, until) in &held.tokens {
            if let Ok(hash) = hash.parse::<TokenHash>() {
                by_token.insert(digest(&hash), (Arc::clone(&grant).into(), moment(*until)));
            }
        }
        Some(())
    }

    /// Has a grant's tokens told why nobody can be let in, where that is no fault of whoever has them.
    pub(super) fn close(&self, id: Id, closed: &mut HashMap<TokenDigest, String>) {
        let Some(held) = self.grants.get(&id).filter(|held| held.grant.revoked_at.is_none()) else { return };
        let Some(why) = self.servers.get(&held.grant.server).and_then(|server| server.broken.as_ref()) else { return };
        for hash in held.tokens.iter().filter_map(|(hash, _)| hash.parse::<TokenHash>().ok()) {
            closed.insert(digest(&hash), why.clone());
        }
    }

    /// When grants were used, since they were read.
    pub(super) fn used(&self) -> Vec<(Id, i64)> {
        let used = self.grants.iter().map(|(id, held)| (*id, held.used.load(Ordering::Relaxed)));
        used.filter(|(_, at)| *at > 0).collect()
    }
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
