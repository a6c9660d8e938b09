//! Policies: written, checked by the engine that will obey them, and published with a reason.

use audit::Id;
use policy::{Diagnostic, Load};
use store::control::access::{Actor, ReadPolicies, See, WritePolicies};
use store::control::policies::{Document, PolicyVersion, Under};

use crate::servers::taken;
use crate::{Instance, Refused};

/// The longest document, in bytes.
const LONGEST: usize = 1024 * 1024;

impl Instance {
    /// Makes a policy with its first version, not yet in force. A document with errors is not kept.
    ///
    /// # Errors
    /// [`Refused`]; [`Refused::Policy`] with every diagnostic.
    pub async fn add_policy(
        &self,
        actor: &Actor,
        name: &str,
        description: &str,
        text: &str,
        reason: &str,
    ) -> Result<(Id, Vec<Diagnostic>), Refused> {
        let permit = actor.permit::<WritePolicies>()?;
        if !gateway::server::is_server_id(name) {
            return Err(Refused::invalid("/name", "a policy's name is 1 to 40 of a-z, 0-9 and -"));
        }
        let (digest, warnings) = checked(text)?;
        let document = Document { text, digest: &digest };
        let added = self.database.add_policy(permit, name, description, document, reason).await;
        let policy = taken(added.map_err(Refused::from), "/name", "another policy has this name")?;
        Ok((policy, warnings))
    }

    /// Keeps another version of a policy, if the newest one still is `seen`. Returns its number.
    ///
    /// # Errors
    /// [`Refused`]; [`Refused::Policy`] with every diagnostic.
    pub async fn edit_policy(
        &self,
        actor: &Actor,
        name: &str,
        seen: i64,
        text: &str,
        reason: &str,
    ) -> Result<(i64, Vec<Diagnostic>), Refused> {
        let permit = actor.permit::<WritePolicies>()?;
        let policy = self.database.policy(&actor.permit::<See>()?, name).await?;
        let (digest, warnings) = checked(text)?;
        let document = Document { text, digest: &digest };
        let version = self.database.add_policy_version(permit, policy.id, seen, document, reason).await?;
        Ok((version, warnings))
    }

    /// What there is to say of a document, which is not kept.
    ///
    /// # Errors
    /// [`Refused`]; [`Refused::Policy`] with every diagnostic.
    pub fn check_policy(&self, actor: &Actor, text: &str) -> Result<Vec<Diagnostic>, Refused> {
        actor.permit::<WritePolicies>()?;
        Ok(checked(text)?.1)
    }

    /// Puts a version in force: the newest, or an older one again. It is checked once more, by this version of the
    /// engine, and its tests are run. Returns the version of the instance at which it holds.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn publish(&self, actor: &Actor, name: &str, version: i64, reason: &str) -> Result<i64, Refused> {
        let permit = actor.permit::<WritePolicies>()?;
        if reason.trim().is_empty() {
            return Err(Refused::invalid("/reason", "say why: whoever reads the history will want to know"));
        }
        let policy = self.database.policy(&actor.permit::<See>()?, name).await?;
        let kept = self.database.policy_version(&actor.permit::<ReadPolicies>()?, policy.id, version).await?;
        checked(&kept.document)?;
        let spans = policy::load(&kept.document, Load { comments_allowed: true })
            .policy
            .is_some_and(|it| it.servers().is_some());
        let stacks = if spans { Vec::new() } else { self.database.spanned_by(&permit, policy.id).await? };
        if let Some(label) = stacks.first() {
            let how = "this version names no `servers`, and so can stand for one server only";
            return Err(Refused::invalid("/version", format!("{how}: the grant {label} has this policy for several")));
        }
        let failed = failing(&kept.document);
        if !failed.is_empty() {
            return Err(Refused::Tests(failed));
        }
        Ok(self.database.publish(permit, policy.id, version, reason).await?)
    }

    /// At which servers of which grants a version of a policy allows nothing, since its `servers` leaves them out.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn left_out(&self, actor: &Actor, name: &str, version: i64) -> Result<Vec<Under>, Refused> {
        let see = actor.permit::<See>()?;
        let policy = self.database.policy(&see, name).await?.id;
        let kept = self.database.policy_version(&actor.permit::<ReadPolicies>()?, policy, version).await?;
        let loaded = policy::load(&kept.document, Load { comments_allowed: true }).policy;
        let Some(spanned) = loaded.as_ref().and_then(policy::Policy::servers) else { return Ok(Vec::new()) };
        let mut under = self.database.grants_under(&see, policy).await?;
        under.retain(|one| !spanned.iter().any(|server| **server == *one.server));
        Ok(under)
    }

    /// One version of a policy.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn policy_document(&self, actor: &Actor, name: &str, version: i64) -> Result<PolicyVersion, Refused> {
        let permit = actor.permit::<ReadPolicies>()?;
        let policy = self.database.policy(&actor.permit::<See>()?, name).await?;
        Ok(self.database.policy_version(&permit, policy.id, version).await?)
    }
}

/// The tests of a document that fail: those that it brings itself, each with what it told.
fn failing(text: &str) -> Vec<policy::cases::Outcome> {
    let loaded = policy::load(text, Load { comments_allowed: true });
    let outcomes = loaded.policy.map(|policy| policy::cases::run(&policy, &[])).unwrap_or_default();
    outcomes.into_iter().filter(|outcome| !outcome.passed).collect()
}

/// The digest of a document without errors, and what there is to warn of.
fn checked(text: &str) -> Result<(String, Vec<Diagnostic>), Refused> {
    if text.len() > LONGEST {
        return Err(Refused::invalid("/document", format!("a policy has up to {LONGEST} bytes")));
    }
    let loaded = policy::load(text, Load { comments_allowed: true });
    if loaded.policy.is_none() {
        return Err(Refused::Policy(loaded.diagnostics));
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    Ok((gateway::hex::encode(digest.as_ref()), loaded.diagnostics))
}
