//! What people say of a server's tools: overrides, and definitions that they accept.

use std::collections::BTreeMap;

use serde_json::Value;
use store::control::access::{Actor, ManageServers, See};

use crate::{Instance, Refused};

/// The digest by which somebody names the definition that they have read.
#[must_use]
pub fn definition_digest(definition: &Value) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, definition.to_string().as_bytes());
    gateway::hex::encode(digest.as_ref())
}

impl Instance {
    /// Says something of a tool against its own words, or takes it back (neither class nor facets). Returns the version
    /// at which it holds.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn set_override(
        &self,
        actor: &Actor,
        server: &str,
        tool: &str,
        class: Option<policy::facts::Class>,
        facets: &BTreeMap<String, bool>,
        reason: &str,
    ) -> Result<i64, Refused> {
        let permit = actor.permit::<ManageServers>()?;
        let server = self.database.server(&actor.permit::<See>()?, server).await?.id;
        let class = class.map(policy::facts::Class::as_str);
        Ok(self.database.set_override(permit, server, tool, class, facets, reason).await?)
    }

    /// Accepts definitions that wait, each named by the digest of what was read: what has changed since is not accepted
    /// unread. Tools that `gone` names are forgotten. Returns the version at which it holds.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn accept(
        &self,
        actor: &Actor,
        server: &str,
        read: &BTreeMap<String, String>,
        gone: &[String],
        reason: &str,
    ) -> Result<i64, Refused> {
        let permit = actor.permit::<ManageServers>()?;
        let see = actor.permit::<See>()?;
        let server = self.database.server(&see, server).await?.id;
        let pins = self.database.pins(&see, server).await?;
        let mut definitions = BTreeMap::new();
        for (tool, digest) in read {
            let place = || format!("/accept/{}", policy::rule_id::escape(tool));
            let waiting = pins.iter().find(|pin| pin.tool == *tool).and_then(|pin| pin.seen.clone());
            match waiting {
                Some(seen) if definition_digest(&seen) == *digest => drop(definitions.insert(tool.clone(), seen)),
                Some(_) => {
                    let why = "the server shows another definition by now: read it, and accept it by its digest";
                    return Err(Refused::invalid(place(), why));
                }
                None => return Err(Refused::invalid(place(), "nothing of this tool waits")),
            }
        }
        if let Some(index) = gone.iter().position(|tool| !pins.iter().any(|pin| pin.tool == *tool)) {
            return Err(Refused::invalid(format!("/gone/{index}"), "nothing is pinned of this tool"));
        }
        Ok(self.database.accept(permit, server, &definitions, gone, reason).await?)
    }
}
