//! Policies: versions that never change, and a pointer to the published one.

use audit::Id;

use super::access::{Permit, ReadPolicies, See, WritePolicies};
use super::page::{Page, id};
use super::{BadControl, Change, ControlDatabase, Deed};
use crate::log::ids;

/// A policy, without what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its id.
    pub id: Id,
    /// Its name, the only one of its organisation.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The version in force.
    pub published: Option<i64>,
    /// The newest version.
    pub latest: i64,
    /// In milliseconds since 1970.
    pub created_at: i64,
    /// The version of the instance that made it what it is.
    pub changed: i64,
}

/// One version of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its number, from 1.
    pub version: i64,
    /// The document, as it was written.
    pub document: String,
    /// SHA-256 of the document, in hexadecimal digits.
    pub digest: String,
    /// Who wrote it.
    pub author: String,
    /// In milliseconds since 1970.
    pub created_at: i64,
}

/// A version was put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Which one.
    pub version: i64,
    /// In milliseconds since 1970.
    pub published_at: i64,
    /// By whom.
    pub published_by: String,
    /// Why.
    pub reason: String,
}

/// A grant that is under a policy at one of its servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Under {
    /// The grant.
    pub grant: Id,
    /// Its label.
    pub label: String,
    /// The name of the server.
    pub server: String,
}

/// A document to be kept.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// As it was written.
    pub text: &'a str,
    /// SHA-256 of it, in hexadecimal digits.
    pub digest: &'a str,
}

type Row = (String, String, String, Option<i64>, i64, i64, i64);

fn policy((policy, name, description, published, latest, created_at, changed): Row) -> Result<Policy, BadControl> {
    Ok(Policy { id: id(&policy)?, name, description, published, latest, created_at, changed })
}

impl ControlDatabase {
    /// The policies of the permit's organisation.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn policies(&self, permit: &Permit<'_, See>, page: Page) -> Result<Vec<Policy>, BadControl> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, description, published, latest, created_at, changed
             FROM policy WHERE organisation = $1 AND gone_at IS NULL AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(permit.organisation().to_string())
        .bind(page.after())
        .bind(page.limit())
        .fetch_all(self.readers())
        .await?;
        rows.into_iter().map(policy).collect()
    }

    /// A policy of the permit's organisation, by its name or its id.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn policy(&self, permit: &Permit<'_, See>, name: &str) -> Result<Policy, BadControl> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, name, description, published, latest, created_at, changed
             FROM policy WHERE organisation = $1 AND (name = $2 OR id = $2) AND gone_at IS NULL",
        )
        .bind(permit.organisation().to_string())
        .bind(name.to_owned())
        .fetch_optional(self.readers())
        .await?;
        policy(row.ok_or(BadControl::Missing("policy"))?)
    }

    /// The documents that are in force.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn published_documents(&self, permit: &Permit<'_, See>) -> Result<Vec<String>, BadControl> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT policy_version.document
             FROM policy JOIN policy_version
                ON policy_version.policy = policy.id AND policy_version.version = policy.published
             WHERE policy.organisation = $1 AND policy.gone_at IS NULL ORDER BY policy.id",
        )
        .bind(permit.organisation().to_string())
        .fetch_all(self.readers())
        .await?;
        Ok(rows.into_iter().map(|(document,)| document).collect())
    }

    /// One version of a policy.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn policy_version(
        &self,
        permit: &Permit<'_, ReadPolicies>,
        policy: Id,
        version: i64,
    ) -> Result<PolicyVersion, BadControl> {
        let row: Option<(i64, String, String, String, i64)> = sqlx::query_as(
            "SELECT version, document, digest, author, created_at FROM policy_version
             WHERE organisation = $1 AND policy = $2 AND version = $3",
        )
        .bind(permit.organisation().to_string())
        .bind(policy.to_string())
        .bind(version)
        .fetch_optional(self.readers())
        .await?;
        let (version, document, digest, author, created_at) = row.ok_or(BadControl::Missing("version"))?;
        Ok(PolicyVersion { version, document, digest, author, created_at })
    }

    /// The versions of a policy, the newest first, with an empty document each.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn policy_versions(
        &self,
        permit: &Permit<'_, ReadPolicies>,
        policy: Id,
    ) -> Result<Vec<PolicyVersion>, BadControl> {
        let rows: Vec<(i64, String, String, i64)> = sqlx::query_as(
            "SELECT version, digest, author, created_at FROM policy_version
             WHERE organisation = $1 AND policy = $2 ORDER BY version DESC",
        )
        .bind(permit.organisation().to_string())
        .bind(policy.to_string())
        .fetch_all(self.readers())
        .await?;
        let version = |(version, digest, author, created_at)| PolicyVersion {
            version,
            document: String::new(),
            digest,
            author,
            created_at,
        };
        Ok(rows.into_iter().map(version).collect())
    }

    /// When which version was put in force, the latest first.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn publications(
        &self,
        permit: &Permit<'_, ReadPolicies>,
        policy: Id,
    ) -> Result<Vec<Publication>, BadControl> {
        let rows: Vec<(i64, i64, String, String)> = sqlx::query_as(
            "SELECT version, published_at, published_by, reason FROM policy_publication
             WHERE organisation = $1 AND policy = $2 ORDER BY id DESC",
        )
        .bind(permit.organisation().to_string())
        .bind(policy.to_string())
        .fetch_all(self.readers())
        .await?;
        let publication =
            |(version, published_at, published_by, reason)| Publication { version, published_at, published_by, reason };
        Ok(rows.into_iter().map(publication).collect())
    }

    /// Makes a policy with its first version, not yet in force.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Taken`] where the name is.
    pub async fn add_policy(
        &self,
        permit: Permit<'_, WritePolicies>,
        name: &str,
        description: &str,
        document: Document<'_>,
        reason: &str,
    ) -> Result<Id, BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, now, version) = (change.organisation(), change.now(), change.version());
        let policy = ids::next();
        let insert = sqlx::query(
            "INSERT INTO policy (id, organisation, name, description, latest, created_at, changed)
             VALUES ($1, $2, $3, $4, 1, $5, $6)",
        );
        insert
            .bind(policy.to_string())
            .bind(organisation.to_string())
            .bind(name.to_owned())
            .bind(description.to_owned())
            .bind(now)
            .bind(version)
            .execute(change.connection())
            .await?;
        change.keep_version(policy, 1, document).await?;
        let detail = serde_json::json!({ "version": 1, "digest": document.digest });
        let deed = Deed { action: "policy.add", kind: "policy", object: policy, name, detail, reason };
        change.commit(deed).await?;
        Ok(policy)
    }

    /// Keeps another version, if the newest one still is `seen`. The same document makes no new version.
    /// Returns the number of the version that holds the document.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Stale`] where somebody was faster.
    pub async fn add_policy_version(
        &self,
        permit: Permit<'_, WritePolicies>,
        policy: Id,
        seen: i64,
        document: Document<'_>,
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, instance) = (change.organisation(), change.version());
        let (name, latest) = change.policy_to_write(policy).await?;
        if latest != seen {
            return Err(BadControl::Stale("policy"));
        }
        let same: Option<(i64,)> =
            sqlx::query_as("SELECT version FROM policy_version WHERE policy = $1 AND version = $2 AND digest = $3")
                .bind(policy.to_string())
                .bind(latest)
                .bind(document.digest.to_owned())
                .fetch_optional(change.connection())
                .await?;
        if same.is_some() {
            return Ok(latest);
        }
        let version = latest + 1;
        change.keep_version(policy, version, document).await?;
        let update = sqlx::query("UPDATE policy SET latest = $3, changed = $4 WHERE organisation = $1 AND id = $2");
        let values = update.bind(organisation.to_string()).bind(policy.to_string()).bind(version).bind(instance);
        values.execute(change.connection()).await?;
        let detail = serde_json::json!({ "version": version, "digest": document.digest });
        let deed = Deed { action: "policy.edit", kind: "policy", object: policy, name: &name, detail, reason };
        change.commit(deed).await?;
        Ok(version)
    }

    /// Puts a version in force: the newest, or an older one again. Returns the version of the instance at which
    /// it holds.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn publish(
        &self,
        permit: Permit<'_, WritePolicies>,
        policy: Id,
        version: i64,
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, actor, now, instance) =
            (change.organisation(), change.actor(), change.now(), change.version());
        let (name, _) = change.policy_to_write(policy).await?;
        let there: Option<(String,)> =
            sqlx::query_as("SELECT digest FROM policy_version WHERE policy = $1 AND version = $2")
                .bind(policy.to_string())
                .bind(version)
                .fetch_optional(change.connection())
                .await?;
        let (digest,) = there.ok_or(BadControl::Missing("version"))?;
        let update = sqlx::query("UPDATE policy SET published = $3, changed = $4 WHERE organisation = $1 AND id = $2");
        let values = update.bind(organisation.to_string()).bind(policy.to_string()).bind(version).bind(instance);
        values.execute(change.connection()).await?;
        let insert = sqlx::query(
            "INSERT INTO policy_publication (id, organisation, policy, version, published_at, published_by, reason)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        );
        insert
            .bind(ids::next().to_string())
            .bind(organisation.to_string())
            .bind(policy.to_string())
            .bind(version)
            .bind(now)
            .bind(actor)
            .bind(reason.to_owned())
            .execute(change.connection())
            .await?;
        let detail = serde_json::json!({ "version": version, "digest": digest });
        let deed = Deed { action: "policy.publish", kind: "policy", object: policy, name: &name, detail, reason };
        change.commit(deed).await
    }

    /// The labels of grants for several servers that have this policy for all of them.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn spanned_by(&self, permit: &Permit<'_, WritePolicies>, policy: Id) -> Result<Vec<String>, BadControl> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT label FROM access_grant
             WHERE organisation = $1 AND policy = $2 AND revoked_at IS NULL AND stack = 1
               AND (SELECT COUNT(*) FROM grant_server WHERE grant_server.access_grant = access_grant.id) > 1
               AND id IN (SELECT access_grant FROM grant_server WHERE policy IS NULL)
             ORDER BY label",
        )
        .bind(permit.organisation().to_string())
        .bind(policy.to_string())
        .fetch_all(self.readers())
        .await?;
        Ok(rows.into_iter().map(|(label,)| label).collect())
    }

    /// At which servers which grants are under a policy: those of their own, those that span theirs, and those of servers.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn grants_under(&self, permit: &Permit<'_, See>, policy: Id) -> Result<Vec<Under>, BadControl> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT access_grant.id, access_grant.label, server.name
             FROM access_grant JOIN grant_server ON grant_server.access_grant = access_grant.id
                               JOIN server ON server.id = grant_server.server
             WHERE access_grant.organisation = $1 AND access_grant.revoked_at IS NULL
               AND COALESCE(grant_server.policy, access_grant.policy, server.policy) = $2
             ORDER BY access_grant.label, access_grant.id, grant_server.place",
        )
        .bind(permit.organisation().to_string())
        .bind(policy.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.into_iter().map(|(grant, label, server)| Ok(Under { grant: id(&grant)?, label, server })).collect()
    }

    /// Removes a policy that no grant and no server names.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::InUse`] while one does.
    pub async fn remove_policy(
        &self,
        permit: Permit<'_, WritePolicies>,
        policy: Id,
        reason: &str,
    ) -> Result<i64, BadControl> {
        let mut change = self.change(permit).await?;
        let (organisation, now, version) = (change.organisation(), change.now(), change.version());
        let (name, _) = change.policy_to_write(policy).await?;
        let (users,): (i64,) = sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM access_grant WHERE policy = $1 AND revoked_at IS NULL)
                  + (SELECT COUNT(*) FROM grant_server JOIN access_grant ON access_grant.id = grant_server.access_grant
                     WHERE grant_server.policy = $1 AND access_grant.revoked_at IS NULL)
                  + (SELECT COUNT(*) FROM server WHERE policy = $1 AND gone_at IS NULL)",
        )
        .bind(policy.to_string())
        .fetch_one(change.connection())
        .await?;
        if users > 0 {
            return Err(BadControl::InUse("policy"));
        }
        let update = sqlx::query("UPDATE policy SET gone_at = $3, changed = $4 WHERE organisation = $1 AND id = $2");
        let values = update.bind(organisation.to_string()).bind(policy.to_string()).bind(now).bind(version);
        values.execute(change.connection()).await?;
        let detail = serde_json::Value::Null;
        let deed = Deed { action: "policy.remove", kind: "policy", object: policy, name: &name, detail, reason };
        change.commit(deed).await
    }
}

impl<R> Change<'_, R> {
    /// A policy that is named must be one of this organisation.
    pub(super) async fn policy_exists(&mut self, policy: Option<Id>) -> Result<(), BadControl> {
        match policy {
            Some(policy) => self.policy_to_write(policy).await.map(drop),
            None => Ok(()),
        }
    }

    async fn policy_to_write(&mut self, policy: Id) -> Result<(String, i64), BadControl> {
        let organisation = self.organisation();
        let row: Option<(String, i64)> =
            sqlx::query_as("SELECT name, latest FROM policy WHERE organisation = $1 AND id = $2 AND gone_at IS NULL")
                .bind(organisation.to_string())
                .bind(policy.to_string())
                .fetch_optional(self.connection())
                .await?;
        row.ok_or(BadControl::Missing("policy"))
    }

    async fn keep_version(&mut self, policy: Id, version: i64, document: Document<'_>) -> Result<(), BadControl> {
        let (organisation, author, now) = (self.organisation(), self.actor(), self.now());
        let insert = sqlx::query(
            "INSERT INTO policy_version (organisation, policy, version, document, digest, author, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        );
        insert
            .bind(organisation.to_string())
            .bind(policy.to_string())
            .bind(version)
            .bind(document.text.to_owned())
            .bind(document.digest.to_owned())
            .bind(author)
            .bind(now)
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
