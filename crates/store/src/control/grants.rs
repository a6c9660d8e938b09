//! Grants: labelled tokens, each for one agent at one server, or at several.

use std::collections::BTreeMap;

use audit::Id;

use super::access::{ManageGrants, Permit, See, WritePolicies};
use super::agents::Holder;
use super::leads::{self, Leads, Rows};
use super::page::{Page, id, json, some_id, text};
use super::{BadControl, Change, ControlDatabase, Deed};
use crate::log::ids;

/// A grant, without what it is recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: Id,
    /// The organisation that it belongs to.
    pub organisation: Id,
    /// Its label, the only one at each of its servers.
    pub label: String,
    /// Where it leads.
    pub leads: Leads,
    /// Who holds it.
    pub agent: Id,
    /// Its policy; without one that of its server. Where it leads to several, one that spans them.
    pub policy: Option<Id>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What policies may read of it.
    pub tags: BTreeMap<String, String>,
    /// The networks from which it may be used, as `10.0.0.0/8`; none means from anywhere.
    pub networks: Vec<String>,
    /// In milliseconds since 1970.
    pub created_at: i64,
    /// From when on it is refused.
    pub expires_at: Option<i64>,
    /// When it was used last, to the minute.
    pub used_at: Option<i64>,
    /// Since when it is refused.
    pub revoked_at: Option<i64>,
    /// The version of the instance that made it what it is.
    pub changed: i64,
}

/// A grant to be made.
#[derive(Clone, Debug)]
pub struct NewGrant<'a> {
    /// Its label.
    pub label: &'a str,
    /// Where it leads.
    pub leads: &'a Leads,
    /// Who holds it.
    pub agent: Holder<'a>,
    /// Its policy; without one that of its server.
    pub policy: Option<Id>,
    /// Who answers for it.
    pub owner: Option<&'a str>,
    /// What policies may read of it.
    pub tags: &'a BTreeMap<String, String>,
    /// The networks from which it may be used.
    pub networks: &'a [String],
    /// From when on it is refused, in milliseconds since 1970.
    pub expires_at: Option<i64>,
    /// The keyed hash of its token.
    pub hash: &'a str,
}

/// What is to be another way with a grant; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct GrantPatch<'a> {
    /// Who answers for it.
    pub owner: Option<Option<&'a str>>,
    /// What policies may read of it.
    pub tags: Option<&'a BTreeMap<String, String>>,
    /// The networks from which it may be used.
    pub networks: Option<&'a [String]>,
    /// From when on it is refused.
    pub expires_at: Option<Option<i64>>,
    /// Where it leads, with the policies on single servers.
    pub leads: Option<&'a Leads>,
    /// Its policy.
    pub policy: Option<Option<Id>>,
}

/// Id, organisation, label, agent, policy, owner, tags, networks, whether it is a stack, and one that is searched, made,
/// ending, used, revoked, changed.
pub(super) type Row = (
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    String,
    String,
    i64,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    i64,
);

/// A grant, with its servers taken from those of all that were read.
pub(super) fn grant(row: Row, servers: &mut Rows) -> Result<Grant, BadControl> {
    let (
        grant,
        organisation,
        label,
        agent,
        policy,
        owner,
        tags,
        networks,
        stack,
        search,
        created,
        expires,
        used,
        revoked,
        changed,
    ) = row;
    let leads = servers.leads(&grant, stack != 0, search != 0)?;
    Ok(Grant {
        id: id(&grant)?,
        organisation: id(&organisation)?,
        label,
        leads,
        agent: id(&agent)?,
        policy: some_id(policy.as_deref())?,
        owner,
        tags: json("tags", &tags)?,
        networks: json("networks", &networks)?,
        created_at: created,
        expires_at: expires,
        used_at: used,
        revoked_at: revoked,
        changed,
    })
}

impl ControlDatabase {
    /// The grants of the permit's organisation, those of one server alone where one is named; revoked ones are
    /// not among them.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn grants(
        &self,
        permit: &Permit<'_, See>,
        server: Option<Id>,
        page: Page,
    ) -> Result<Vec<Grant>, BadControl> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, organisation, label, agent, policy, owner, tags, networks, stack, search, created_at,
                    expires_at, used_at, revoked_at, changed
             FROM access_grant
             WHERE organisation = $1 AND revoked_at IS NULL AND id > $2 AND ($4 = '' OR id IN (SELECT access_grant FROM grant_server WHERE server = $4))
             ORDER BY id LIMIT $3",
        )
        .bind(permit.organisation().to_string())
        .bind(page.after())
        .bind(page.limit())
        .bind(server.map(|server| server.to_string()).unwrap_or_default())
        .fetch_all(self.readers())
        .await?;
        self.led(rows).await
    }

    /// Grants that nobody has used since `before` (milliseconds since 1970) and that were made before it.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn unused_grants(
        &self,
        permit: &Permit<'_, See>,
        before: i64,
        page: Page,
    ) -> Result<Vec<Grant>, BadControl> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, organisation, label, agent, policy, owner, tags, networks, stack, search, created_at,
                    expires_at, used_at, revoked_at, changed
             FROM access_grant
             WHERE organisation = $1 AND revoked_at IS NULL AND id > $2
               AND created_at < $4 AND COALESCE(used_at, 0) < $4
             ORDER BY id LIMIT $3",
        )
        .bind(permit.organisation().to_string())
        .bind(page.after())
        .bind(page.limit())
        .bind(before)
        .fetch_all(self.readers())
        .await?;
        self.led(rows).await
    }

    /// A grant of the permit's organisation, revoked ones included.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn grant(&self, permit: &Permit<'_, See>, wanted: Id) -> Result<Grant, BadControl> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, organisation, label, agent, policy, owner, tags, networks, stack, search, created_at,
                    expires_at, used_at, revoked_at, changed
             FROM access_grant WHERE organisation = $1 AND id = $2",
        )
        .bind(permit.organisation().to_string())
        .bind(wanted.to_string())
        .fetch_optional(self.readers())
        .await?;
        let mut one = self.led(row.into_iter().collect()).await?;
        one.pop().ok_or(BadControl::Missing("grant"))
    }

    /// Rows with the servers that they lead to.
    async fn led(&self, rows: Vec<Row>) -> Result<Vec<Grant>, BadControl> {
        let mut connection = self.readers().acquire().await?;
        let mut servers = leads::of(&mut connection, rows.iter().map(|row| row.0.as_str())).await?;
        rows.into_iter().map(|row| grant(row, &mut servers)).collect()
    }

    /// Makes a grant.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Taken`] where the label is.
    pub async fn add_grant(
        &self,
        permit: Permit<'_, ManageGrants>,
        new: &NewGrant<'_>,
        reason: &str,
    ) -> Result<(Id, i64), BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, now, version) = (change.organisation(), change.now(), change.version());
        change.may_lead(new.leads).await?;
        change.label_is_free(new.label, new.leads, None).await?;
        let agent = change.holder(new.agent, reason).await?;
        change.policy_exists(new.policy).await?;
        let grant = ids::next();
        let (stack, search) = new.leads.form();
        let insert = sqlx::query(
            "INSERT INTO access_grant (id, organisation, label, agent, policy, owner, tags, networks, stack, search,
                                       created_at, expires_at, changed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        );
        insert
            .bind(grant.to_string())
            .bind(organisation.to_string())
            .bind(new.label.to_owned())
            .bind(agent.to_string())
            .bind(new.policy.map(|policy| policy.to_string()))
            .bind(new.owner.map(str::to_owned))
            .bind(text("tags", new.tags)?)
            .bind(text("networks", &new.networks)?)
            .bind(i64::from(stack))
            .bind(i64::from(search))
            .bind(now)
            .bind(new.expires_at)
            .bind(version)
            .execute(change.connection())
            .await?;
        change.lead(grant, new.leads).await?;
        change.keep_token(grant, new.hash).await?;
        let detail = serde_json::json!({
            "leads": new.leads, "agent": agent, "policy": new.policy, "expires_at": new.expires_at,
        });
        let deed = Deed { action: "grant.mint", kind: "grant", object: grant, name: new.label, detail, reason };
        let version = change.commit(deed).await?;
        Ok((grant, version))
    }

    /// Changes what is said of a grant, if it still is what it was at version `seen`: all of it at once, so that no call meets
    /// another server without the policy that is to decide there.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Stale`] where somebody was faster.
    pub async fn change_grant(
        &self,
        permit: Permit<'_, ManageGrants>,
        wanted: Id,
        seen: i64,
        patch: &GrantPatch<'_>,
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let now_is = change.standing_grant(wanted).await?;
        if now_is.changed != seen {
            return Err(BadControl::Stale("grant"));
        }
        let version = change.version();
        let leads = patch.leads.unwrap_or(&now_is.leads);
        let (stack, search) = leads.form();
        if patch.leads.is_some() {
            change.may_lead(leads).await?;
            change.label_is_free(&now_is.label, leads, Some(wanted)).await?;
            change.lead(wanted, leads).await?;
        }
        let policy = patch.policy.unwrap_or(now_is.policy);
        change.policy_exists(policy).await?;
        let owner = patch.owner.map_or(now_is.owner.clone(), |owner| owner.map(str::to_owned));
        let expires_at = patch.expires_at.unwrap_or(now_is.expires_at);
        let update = sqlx::query(
            "UPDATE access_grant SET owner = $2, tags = $3, networks = $4, expires_at = $5, changed = $6, stack = $7,
                                     search = $8, policy = $9
             WHERE id = $1",
        );
        update
            .bind(wanted.to_string())
            .bind(owner)
            .bind(text("tags", patch.tags.unwrap_or(&now_is.tags))?)
            .bind(text("networks", &patch.networks.unwrap_or(&now_is.networks))?)
            .bind(expires_at)
            .bind(version)
            .bind(i64::from(stack))
            .bind(i64::from(search))
            .bind(policy.map(|policy| policy.to_string()))
            .execute(change.connection())
            .await?;
        let mut detail = serde_json::json!({
            "owner": patch.owner, "tags": patch.tags, "networks": patch.networks, "expires_at": patch.expires_at,
            "leads": patch.leads,
        });
        // Null where it was taken away, and not there where it stays.
        if let (Some(policy), Some(fields)) = (patch.policy, detail.as_object_mut()) {
            fields.insert("policy".to_owned(), serde_json::json!(policy));
            fields.insert("before".to_owned(), serde_json::json!(now_is.policy));
        }
        let deed = Deed { action: "grant.change", kind: "grant", object: wanted, name: &now_is.label, detail, reason };
        change.commit(deed).await
    }

    /// Attaches a policy to a grant, or `on` one of its servers alone; `None` leaves it with the one that holds without.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Missing`] also where it does not lead to that server.
    pub async fn attach(
        &self,
        permit: Permit<'_, WritePolicies>,
        wanted: Id,
        on: Option<Id>,
        policy: Option<Id>,
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let now_is = change.standing_grant(wanted).await?;
        change.policy_exists(policy).await?;
        let version = change.version();
        let before = match on {
            None => now_is.policy,
            Some(server) => {
                let members = now_is.leads.members();
                members.iter().find(|member| member.server == server).ok_or(BadControl::Missing("server"))?.policy
            }
        };
        let text = policy.map(|policy| policy.to_string());
        let update = match on {
            None => {
                sqlx::query("UPDATE access_grant SET policy = $2 WHERE id = $1").bind(wanted.to_string()).bind(text)
            }
            Some(server) => sqlx::query("UPDATE grant_server SET policy = $2 WHERE access_grant = $1 AND server = $3")
                .bind(wanted.to_string())
                .bind(text)
                .bind(server.to_string()),
        };
        update.execute(change.connection()).await?;
        let touch = sqlx::query("UPDATE access_grant SET changed = $2 WHERE id = $1");
        touch.bind(wanted.to_string()).bind(version).execute(change.connection()).await?;
        let detail = serde_json::json!({ "policy": policy, "before": before, "server": on });
        let deed = Deed { action: "grant.attach", kind: "grant", object: wanted, name: &now_is.label, detail, reason };
        change.commit(deed).await
    }

    /// Gives a grant another token. Those before it go on for `overlap` milliseconds.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn rotate_grant(
        &self,
        permit: Permit<'_, ManageGrants>,
        wanted: Id,
        hash: &str,
        overlap: i64,
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let now_is = change.standing_grant(wanted).await?;
        let (now, version) = (change.now(), change.version());
        let until = now.saturating_add(overlap);
        let old = sqlx::query(
            "UPDATE grant_token SET expires_at = $2 WHERE access_grant = $1 AND (expires_at IS NULL OR expires_at > $2)",
        );
        old.bind(wanted.to_string()).bind(until).execute(change.connection()).await?;
        let over = sqlx::query("DELETE FROM grant_token WHERE access_grant = $1 AND expires_at <= $2");
        over.bind(wanted.to_string()).bind(now).execute(change.connection()).await?;
        change.keep_token(wanted, hash).await?;
        let update = sqlx::query("UPDATE access_grant SET changed = $2 WHERE id = $1");
        update.bind(wanted.to_string()).bind(version).execute(change.connection()).await?;
        let detail = serde_json::json!({ "old_until": until });
        let deed = Deed { action: "grant.rotate", kind: "grant", object: wanted, name: &now_is.label, detail, reason };
        change.commit(deed).await
    }

    /// Revokes a grant, for good.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn revoke_grant(
        &self,
        permit: Permit<'_, ManageGrants>,
        wanted: Id,
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let now_is = change.standing_grant(wanted).await?;
        let (now, version) = (change.now(), change.version());
        let update = sqlx::query("UPDATE access_grant SET revoked_at = $2, changed = $3 WHERE id = $1");
        update.bind(wanted.to_string()).bind(now).bind(version).execute(change.connection()).await?;
        let tokens = sqlx::query("DELETE FROM grant_token WHERE access_grant = $1");
        tokens.bind(wanted.to_string()).execute(change.connection()).await?;
        let detail = serde_json::Value::Null;
        let deed = Deed { action: "grant.revoke", kind: "grant", object: wanted, name: &now_is.label, detail, reason };
        change.commit(deed).await
    }

    /// Writes when grants were used last. The data plane's own word, once a minute at most for each.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn grants_used(&self, used: &[(Id, i64)]) -> Result<(), BadControl> {
        let mut transaction = self.begin().await?;
        // In one order, so that replicas wait for each other and never in a circle.
        let mut used = used.to_vec();
        used.sort_unstable();
        for (grant, at) in &used {
            let update =
                sqlx::query("UPDATE access_grant SET used_at = $2 WHERE id = $1 AND COALESCE(used_at, 0) < $2");
            update.bind(grant.to_string()).bind(*at).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }
}

impl<R> Change<'_, R> {
    /// A grant of this organisation that is not revoked.
    async fn standing_grant(&mut self, wanted: Id) -> Result<Grant, BadControl> {
        let organisation = self.organisation();
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, organisation, label, agent, policy, owner, tags, networks, stack, search, created_at,
                    expires_at, used_at, revoked_at, changed
             FROM access_grant WHERE organisation = $1 AND id = $2 AND revoked_at IS NULL",
        )
        .bind(organisation.to_string())
        .bind(wanted.to_string())
        .fetch_optional(self.connection())
        .await?;
        let row = row.ok_or(BadControl::Missing("grant"))?;
        let mut servers = leads::of(self.connection(), [row.0.as_str()]).await?;
        grant(row, &mut servers)
    }

    async fn keep_token(&mut self, grant: Id, hash: &str) -> Result<(), BadControl> {
        let (organisation, now) = (self.organisation(), self.now());
        let insert = sqlx::query(
            "INSERT INTO grant_token (hash, organisation, access_grant, created_at) VALUES ($1, $2, $3, $4)",
        );
        let values = insert.bind(hash.to_owned()).bind(organisation.to_string()).bind(grant.to_string());
        values.bind(now).execute(self.connection()).await?;
        Ok(())
    }
}
