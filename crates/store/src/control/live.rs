//! What replicas follow: everything that calls are judged by, as it changes, and the leases under which they serve.
//!
//! Here no permit is asked for: a replica serves every organisation. Nothing of it is shown to anybody.

use std::collections::{BTreeMap, BTreeSet};

use audit::Id;
use sqlx::{Any, Transaction};

use super::grants::{self, Grant};
use super::leads;
use super::page::{id, json, some_id};
use super::pins::{self, Pinned};
use super::secrets::Sealed;
use super::servers::{self, Server, ToolOverride};
use super::stops::Stoppable;
use super::{BadControl, ControlDatabase};

/// Everything that is another way than at a version seen before.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// The version that one has seen, having read this.
    pub version: i64,
    /// Organisations, all of them.
    pub organisations: Vec<(Id, String)>,
    /// Agents, gone ones included.
    pub agents: Vec<LiveAgent>,
    /// Policies, gone ones included.
    pub policies: Vec<LivePolicy>,
    /// Servers, gone ones included.
    pub servers: Vec<LiveServer>,
    /// Grants, revoked ones included.
    pub grants: Vec<LiveGrant>,
    /// What was stopped, or goes on.
    pub stops: Vec<LiveStop>,
}

/// An agent, as calls need it.
#[derive(Clone, Debug)]
pub struct LiveAgent {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
}

/// A policy, as calls need it.
#[derive(Clone, Debug)]
pub struct LivePolicy {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// The version in force and its document.
    pub published: Option<(i64, String)>,
    /// Whether it is gone.
    pub gone: bool,
}

/// A server, with all that belongs to it.
#[derive(Clone, Debug)]
pub struct LiveServer {
    /// The server.
    pub server: Server,
    /// Sealed values that it is given.
    pub sealed: Vec<Sealed>,
    /// What people say of its tools.
    pub overrides: Vec<ToolOverride>,
    /// Its pinned definitions.
    pub pins: Vec<Pinned>,
}

/// A grant and its tokens.
#[derive(Clone, Debug)]
pub struct LiveGrant {
    /// The grant.
    pub grant: Grant,
    /// The keyed hashes of its tokens, and until when each is good.
    pub tokens: Vec<(String, Option<i64>)>,
}

/// Something that was stopped, or goes on.
#[derive(Clone, Debug)]
pub struct LiveStop {
    /// Whose.
    pub organisation: Id,
    /// What.
    pub what: Stoppable,
    /// Why it is stopped; `None`: it goes on.
    pub reason: Option<String>,
}

/// A replica, as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its id.
    pub id: Id,
    /// Its name for people.
    pub name: String,
    /// In milliseconds since 1970.
    pub started_at: i64,
    /// Until when it may serve without asking again.
    pub lease_until: i64,
    /// The version that it follows.
    pub applied: i64,
}

/// The versions up to which something is known.
#[derive(Clone, Copy)]
struct Seen {
    /// Of what stands.
    standing: i64,
    /// Of what has gone: its row is read only where that was later.
    gone: i64,
}

impl ControlDatabase {
    /// The version of the instance.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn version(&self) -> Result<i64, BadControl> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT version FROM instance WHERE id = 1").fetch_optional(self.readers()).await?;
        Ok(row.ok_or(BadControl::Missing("instance"))?.0)
    }

    /// What is another way than at version `seen`.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn changes_since(&self, seen: i64) -> Result<Delta, BadControl> {
        self.changes(Seen { standing: seen, gone: seen }).await
    }

    /// All that stands, and what has gone since version `gone`; `None` stands for a replica that has seen nothing before,
    /// and to which what is gone already means nothing. That grows for as long as the instance is there.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn everything(&self, gone: Option<i64>) -> Result<Delta, BadControl> {
        self.changes(Seen { standing: 0, gone: gone.unwrap_or(i64::MAX) }).await
    }

    async fn changes(&self, seen: Seen) -> Result<Delta, BadControl> {
        // All of one moment: a row that changes again meanwhile must not be missed in its present form.
        let mut moment = self.begin_reading().await?;
        let (version,) = sqlx::query_as("SELECT version FROM instance WHERE id = 1").fetch_one(&mut *moment).await?;
        let delta = Delta {
            version,
            organisations: organisations(&mut moment).await?,
            agents: agents(&mut moment, seen.standing).await?,
            policies: policies(&mut moment, seen).await?,
            servers: servers(&mut moment, seen).await?,
            grants: grants(&mut moment, seen).await?,
            stops: stops(&mut moment, seen).await?,
        };
        moment.commit().await?;
        Ok(delta)
    }

    /// Registers a replica, or renews its lease for `lasts` milliseconds, and says which version it follows.
    /// Returns until when it may serve, by the database's clock; `None` where that version is no longer the present one:
    /// whoever waits for a change must not be passed by a replica that comes without it.
    ///
    /// # Errors
    /// [`BadControl`]: then it may serve until its last lease ends.
    pub async fn renew_lease(
        &self,
        replica: Id,
        name: &str,
        lasts: i64,
        applied: i64,
    ) -> Result<Option<i64>, BadControl> {
        let mut transaction = self.begin().await?;
        // No change is made while this row is held.
        let row = sqlx::query_as("UPDATE instance SET version = version WHERE id = 1 RETURNING version");
        let (version,): (i64,) = row.fetch_optional(&mut *transaction).await?.ok_or(BadControl::Missing("instance"))?;
        if applied != version {
            return Ok(None);
        }
        let now = self.now_in(&mut transaction).await?;
        let until = now.saturating_add(lasts);
        let upsert = sqlx::query(
            "INSERT INTO replica (id, name, started_at, lease_until, applied) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until, applied = excluded.applied",
        );
        let values = upsert.bind(replica.to_string()).bind(name.to_owned()).bind(now).bind(until).bind(applied);
        values.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Some(until))
    }

    /// Says which version a replica follows, without a new lease.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn applied(&self, replica: Id, version: i64) -> Result<(), BadControl> {
        let update = sqlx::query("UPDATE replica SET applied = $2 WHERE id = $1 AND applied < $2");
        update.bind(replica.to_string()).bind(version).execute(self.writer()).await?;
        Ok(())
    }

    /// Gives a lease back: the replica serves no more.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn end_lease(&self, replica: Id) -> Result<(), BadControl> {
        let delete = sqlx::query("DELETE FROM replica WHERE id = $1");
        delete.bind(replica.to_string()).execute(self.writer()).await?;
        Ok(())
    }

    /// The replicas whose leases stand.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn replicas(&self) -> Result<Vec<Replica>, BadControl> {
        let now = self.now().await?;
        let rows: Vec<(String, String, i64, i64, i64)> = sqlx::query_as(
            "SELECT id, name, started_at, lease_until, applied FROM replica WHERE lease_until > $1 ORDER BY id",
        )
        .bind(now)
        .fetch_all(self.readers())
        .await?;
        rows.into_iter()
            .map(|(replica, name, started_at, lease_until, applied)| {
                Ok(Replica { id: id(&replica)?, name, started_at, lease_until, applied })
            })
            .collect()
    }
}

async fn organisations(moment: &mut Transaction<'static, Any>) -> Result<Vec<(Id, String)>, BadControl> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT id, name FROM organisation ORDER BY id").fetch_all(&mut **moment).await?;
    rows.into_iter().map(|(organisation, name)| Ok((id(&organisation)?, name))).collect()
}

async fn agents(moment: &mut Transaction<'static, Any>, seen: i64) -> Result<Vec<LiveAgent>, BadControl> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT id, name FROM agent WHERE changed > $1").bind(seen).fetch_all(&mut **moment).await?;
    rows.into_iter().map(|(agent, name)| Ok(LiveAgent { id: id(&agent)?, name })).collect()
}

/// Id, name, version in force, its document, since when it is gone.
type PolicyRow = (String, String, Option<i64>, Option<String>, Option<i64>);

async fn policies(moment: &mut Transaction<'static, Any>, seen: Seen) -> Result<Vec<LivePolicy>, BadControl> {
    let rows: Vec<PolicyRow> = sqlx::query_as(
        "SELECT policy.id, policy.name, policy.published, policy_version.document, policy.gone_at
         FROM policy LEFT JOIN policy_version
            ON policy_version.policy = policy.id AND policy_version.version = policy.published
         WHERE policy.changed > $1 AND (policy.gone_at IS NULL OR policy.changed > $2)",
    )
    .bind(seen.standing)
    .bind(seen.gone)
    .fetch_all(&mut **moment)
    .await?;
    rows.into_iter()
        .map(|(policy, name, published, document, gone)| {
            Ok(LivePolicy { id: id(&policy)?, name, published: published.zip(document), gone: gone.is_some() })
        })
        .collect()
}

async fn servers(moment: &mut Transaction<'static, Any>, seen: Seen) -> Result<Vec<LiveServer>, BadControl> {
    let rows: Vec<servers::Row> = sqlx::query_as(
        "SELECT id, organisation, name, title, reach, settings, policy, created_at, gone_at, changed
         FROM server WHERE changed > $1 AND (gone_at IS NULL OR changed > $2)",
    )
    .bind(seen.standing)
    .bind(seen.gone)
    .fetch_all(&mut **moment)
    .await?;
    let mut all = BTreeMap::new();
    for row in rows {
        let server = servers::server(row)?;
        let (sealed, overrides, pins) = (Vec::new(), Vec::new(), Vec::new());
        all.insert(server.id, LiveServer { server, sealed, overrides, pins });
    }
    if all.is_empty() {
        return Ok(Vec::new());
    }
    for (object, field, sealed) in sqlx::query_as::<_, (String, String, String)>(
        "SELECT secret.object, secret.field, secret.sealed
         FROM secret JOIN server ON server.id = secret.object WHERE server.changed > $1",
    )
    .bind(seen.standing)
    .fetch_all(&mut **moment)
    .await?
    {
        if let Some(server) = all.get_mut(&id(&object)?) {
            server.sealed.push(Sealed { field, sealed });
        }
    }
    for (server, tool, class, facets, reason, set_by, set_at) in
        sqlx::query_as::<_, (String, String, Option<String>, String, String, String, i64)>(
            "SELECT tool_override.server, tool, class, facets, reason, set_by, set_at
             FROM tool_override JOIN server ON server.id = tool_override.server WHERE server.changed > $1",
        )
        .bind(seen.standing)
        .fetch_all(&mut **moment)
        .await?
    {
        if let Some(server) = all.get_mut(&id(&server)?) {
            let facets = json("facets", &facets)?;
            server.overrides.push(ToolOverride { tool, class, facets, reason, set_by, set_at });
        }
    }
    for (server, tool, accepted, accepted_by, accepted_at) in
        sqlx::query_as::<_, (String, String, Option<String>, Option<String>, Option<i64>)>(
            "SELECT pin.server, tool, accepted, accepted_by, accepted_at
             FROM pin JOIN server ON server.id = pin.server WHERE server.changed > $1 AND accepted IS NOT NULL",
        )
        .bind(seen.standing)
        .fetch_all(&mut **moment)
        .await?
    {
        if let Some(server) = all.get_mut(&id(&server)?) {
            server.pins.push(pins::pinned((tool, accepted, None, accepted_by, accepted_at))?);
        }
    }
    Ok(all.into_values().collect())
}

async fn grants(moment: &mut Transaction<'static, Any>, seen: Seen) -> Result<Vec<LiveGrant>, BadControl> {
    let rows: Vec<grants::Row> = sqlx::query_as(
        "SELECT id, organisation, label, agent, policy, owner, tags, networks, stack, search, created_at, expires_at,
                used_at, revoked_at, changed
         FROM access_grant WHERE changed > $1 AND (revoked_at IS NULL OR changed > $2)",
    )
    .bind(seen.standing)
    .bind(seen.gone)
    .fetch_all(&mut **moment)
    .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut servers = leads::changed_since(moment, seen.standing).await?;
    let mut all = BTreeMap::new();
    for row in rows {
        let grant = grants::grant(row, &mut servers)?;
        all.insert(grant.id, LiveGrant { grant, tokens: Vec::new() });
    }
    for (grant, hash, expires_at) in sqlx::query_as::<_, (String, String, Option<i64>)>(
        "SELECT access_grant.id, grant_token.hash, grant_token.expires_at
         FROM grant_token JOIN access_grant ON access_grant.id = grant_token.access_grant
         WHERE access_grant.changed > $1",
    )
    .bind(seen.standing)
    .fetch_all(&mut **moment)
    .await?
    {
        if let Some(grant) = all.get_mut(&id(&grant)?) {
            grant.tokens.push((hash, expires_at));
        }
    }
    Ok(all.into_values().collect())
}

async fn stops(moment: &mut Transaction<'static, Any>, seen: Seen) -> Result<Vec<LiveStop>, BadControl> {
    let rows: Vec<(String, String, String, String, Option<i64>)> = sqlx::query_as(
        "SELECT organisation, kind, object, reason, resumed_at FROM stop
             WHERE changed > $1 AND (resumed_at IS NULL OR changed > $2)",
    )
    .bind(seen.standing)
    .bind(seen.gone)
    .fetch_all(&mut **moment)
    .await?;
    rows.into_iter()
        .map(|(organisation, kind, object, reason, resumed_at)| {
            let object = some_id(Some(&object))?.ok_or(BadControl::Value("what is stopped"))?;
            let what = Stoppable::parse(&kind, object).ok_or(BadControl::Value("what is stopped"))?;
            Ok(LiveStop { organisation: id(&organisation)?, what, reason: resumed_at.is_none().then_some(reason) })
        })
        .collect()
}

/// Which of the replicas that serve have not followed up to a version yet.
pub fn behind(replicas: &[Replica], version: i64) -> BTreeSet<&str> {
    replicas.iter().filter(|replica| replica.applied < version).map(|replica| replica.name.as_str()).collect()
}
