//! Where grants lead: to one server, or to several that are offered as one.

use std::collections::HashMap;

use audit::Id;
use serde::Serialize;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::page::{id, some_id};
use super::{BadControl, Change};

/// Where a grant leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Leads {
    /// To one server, under its own names.
    Server(Id),
    /// To several, offered as one.
    Stack(Stack),
}

/// Several servers that are offered as one. Nothing is left of it where all of them were removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stack {
    /// In the order in which they are listed; none of them twice.
    pub servers: Vec<Member>,
    /// Whether their tools are found by searching.
    pub search: bool,
}

/// One server of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The server.
    pub server: Id,
    /// The policy of the grant on this one alone; without one that of the grant, or of the server.
    pub policy: Option<Id>,
    /// Whether its tools, prompts and resources keep their own names, where no other server has the same.
    pub unprefixed: bool,
}

impl Leads {
    /// Its servers.
    pub fn members(&self) -> Vec<Member> {
        match self {
            Self::Server(server) => vec![Member { server: *server, policy: None, unprefixed: false }],
            Self::Stack(stack) => stack.servers.clone(),
        }
    }

    /// Whether it leads to a server.
    pub fn has(&self, wanted: Id) -> bool {
        match self {
            Self::Server(server) => *server == wanted,
            Self::Stack(stack) => stack.servers.iter().any(|member| member.server == wanted),
        }
    }

    /// Whether it is a stack, and one that is searched.
    pub(super) fn form(&self) -> (bool, bool) {
        match self {
            Self::Server(_) => (false, false),
            Self::Stack(stack) => (true, stack.search),
        }
    }
}

/// Servers of grants that are being read, by grant.
#[derive(Default)]
pub(super) struct Rows(HashMap<String, Vec<Member>>);

/// Grant, server, policy, unprefixed.
type Row = (String, String, Option<String>, i64);

impl Rows {
    fn read(rows: Vec<Row>) -> Result<Self, BadControl> {
        let mut all = Self::default();
        for (grant, server, policy, unprefixed) in rows {
            let policy = some_id(policy.as_deref())?;
            let member = Member { server: id(&server)?, policy, unprefixed: unprefixed != 0 };
            all.0.entry(grant).or_default().push(member);
        }
        Ok(all)
    }

    /// Takes those of a grant.
    pub(super) fn leads(&mut self, grant: &str, stack: bool, search: bool) -> Result<Leads, BadControl> {
        let servers = self.0.remove(grant).unwrap_or_default();
        match (stack, servers.as_slice()) {
            (true, _) => Ok(Leads::Stack(Stack { servers, search })),
            (false, [only]) => Ok(Leads::Server(only.server)),
            (false, _) => Err(BadControl::Value("the server of a grant")),
        }
    }
}

/// The servers of these grants.
pub(super) async fn of<'a>(
    connection: &mut AnyConnection,
    grants: impl IntoIterator<Item = &'a str>,
) -> Result<Rows, BadControl> {
    let grants: Vec<&str> = grants.into_iter().collect();
    if grants.is_empty() {
        return Ok(Rows::default());
    }
    let places: Vec<_> = (1..=grants.len()).map(|place| format!("${place}")).collect();
    let statement = format!(
        "SELECT access_grant, server, policy, unprefixed FROM grant_server WHERE access_grant IN ({}) ORDER BY place",
        places.join(", ")
    );
    let mut select = sqlx::query_as(AssertSqlSafe(statement));
    for grant in grants {
        select = select.bind(grant.to_owned());
    }
    Rows::read(select.fetch_all(connection).await?)
}

/// The servers of all grants that have changed since a version.
pub(super) async fn changed_since(connection: &mut AnyConnection, seen: i64) -> Result<Rows, BadControl> {
    let select = sqlx::query_as(
        "SELECT grant_server.access_grant, grant_server.server, grant_server.policy, grant_server.unprefixed
         FROM grant_server JOIN access_grant ON access_grant.id = grant_server.access_grant
         WHERE access_grant.changed > $1 ORDER BY grant_server.place",
    );
    Rows::read(select.bind(seen).fetch_all(connection).await?)
}

impl<R> Change<'_, R> {
    /// Whether all that a grant is to lead to is there.
    pub(super) async fn may_lead(&mut self, leads: &Leads) -> Result<(), BadControl> {
        let organisation = self.organisation();
        for Member { server, policy, .. } in leads.members() {
            let row: Option<(String,)> =
                sqlx::query_as("SELECT name FROM server WHERE organisation = $1 AND id = $2 AND gone_at IS NULL")
                    .bind(organisation.to_string())
                    .bind(server.to_string())
                    .fetch_optional(self.connection())
                    .await?;
            row.ok_or(BadControl::Missing("server"))?;
            self.policy_exists(policy).await?;
        }
        Ok(())
    }

    /// Whether no other grant has this label at any of the servers. Nobody else changes anything meanwhile.
    pub(super) async fn label_is_free(
        &mut self,
        label: &str,
        leads: &Leads,
        except: Option<Id>,
    ) -> Result<(), BadControl> {
        let organisation = self.organisation();
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT grant_server.server, server.name
             FROM grant_server JOIN access_grant ON access_grant.id = grant_server.access_grant
                               JOIN server ON server.id = grant_server.server
             WHERE access_grant.organisation = $1 AND access_grant.label = $2 AND access_grant.revoked_at IS NULL
               AND access_grant.id <> $3",
        )
        .bind(organisation.to_string())
        .bind(label.to_owned())
        .bind(except.map(|grant| grant.to_string()).unwrap_or_default())
        .fetch_all(self.connection())
        .await?;
        for (server, name) in rows {
            if leads.has(id(&server)?) {
                return Err(BadControl::Taken(format!("a grant of this label at server {name}")));
            }
        }
        Ok(())
    }

    /// Writes where a grant leads, in place of where it led.
    pub(super) async fn lead(&mut self, grant: Id, leads: &Leads) -> Result<(), BadControl> {
        let organisation = self.organisation();
        let before = sqlx::query("DELETE FROM grant_server WHERE access_grant = $1");
        before.bind(grant.to_string()).execute(self.connection()).await?;
        for (place, member) in (0_i64..).zip(leads.members()) {
            let insert = sqlx::query(
                "INSERT INTO grant_server (access_grant, place, organisation, server, policy, unprefixed)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            );
            let values = insert.bind(grant.to_string()).bind(place).bind(organisation.to_string());
            let values = values.bind(member.server.to_string()).bind(member.policy.map(|policy| policy.to_string()));
            values.bind(i64::from(member.unprefixed)).execute(self.connection()).await?;
        }
        Ok(())
    }

    /// No grant leads to a server any more: those for it alone are revoked, those for several lose it. Returns how many
    /// of each.
    pub(super) async fn leads_no_more(&mut self, server: Id) -> Result<(u64, u64), BadControl> {
        let (organisation, now, version) = (self.organisation(), self.now(), self.version());
        let revoke = sqlx::query(
            "UPDATE access_grant SET revoked_at = $3, changed = $4
             WHERE organisation = $1 AND revoked_at IS NULL
               AND id IN (SELECT access_grant FROM grant_server WHERE server = $2)
               AND id NOT IN (SELECT access_grant FROM grant_server WHERE organisation = $1 AND server <> $2)",
        );
        let values = revoke.bind(organisation.to_string()).bind(server.to_string()).bind(now).bind(version);
        let revoked = values.execute(self.connection()).await?.rows_affected();
        let narrow = sqlx::query(
            "UPDATE access_grant SET changed = $3
             WHERE organisation = $1 AND revoked_at IS NULL
               AND id IN (SELECT access_grant FROM grant_server WHERE server = $2)",
        );
        let values = narrow.bind(organisation.to_string()).bind(server.to_string()).bind(version);
        let narrowed = values.execute(self.connection()).await?.rows_affected();
        // Those that were revoked tell where they led.
        let forget = sqlx::query(
            "DELETE FROM grant_server WHERE server = $2
               AND access_grant IN (SELECT id FROM access_grant WHERE organisation = $1 AND revoked_at IS NULL)",
        );
        let values = forget.bind(organisation.to_string()).bind(server.to_string());
        values.execute(self.connection()).await?;
        Ok((revoked, narrowed))
    }
}
