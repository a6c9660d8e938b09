//! What another catalogue knows and this one does not: what tools were, what people said, how servers
//! stand. It fills, and contradicts nothing that is known here.

use jiff::Timestamp;
use policy::Class;
use sqlx::{Sqlite, Transaction};

use super::{Override, Status};
use crate::BadDatabase;

/// What a tool was before.
#[derive(Debug, Clone, PartialEq)]
pub struct PastEntry {
    /// Its server.
    pub server: i64,
    /// Its name.
    pub tool: String,
    /// The digest of its definition.
    pub digest: Vec<u8>,
    /// Its class.
    pub class: Class,
    /// Until when.
    pub until: Timestamp,
}

/// How a server stands with a registry, and since when it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The server.
    pub server: i64,
    /// The version.
    pub version: Option<String>,
    /// What it wants before it serves.
    pub auth: Option<String>,
    /// What a registry says of it.
    pub status: Option<Status>,
    /// Since when, in microseconds since 1970.
    pub since: Option<i64>,
    /// It was withdrawn.
    pub tombstoned: bool,
    /// When it was first heard of.
    pub first_seen: Timestamp,
}

const PAST: &str = "\
INSERT INTO tool_history (tool, digest, class, until)
SELECT t.id, $3, $4, $5 FROM tools t WHERE t.server = $1 AND t.name = $2
    AND NOT EXISTS (SELECT 1 FROM tool_history h WHERE h.tool = t.id AND h.digest = $3 AND h.until = $5)";

/// Whether it is new; so of all here.
pub(super) async fn write_past(
    transaction: &mut Transaction<'static, Sqlite>,
    past: &PastEntry,
) -> Result<bool, BadDatabase> {
    let written = sqlx::query(PAST)
        .bind(past.server)
        .bind(&past.tool)
        .bind(&past.digest)
        .bind(past.class.as_str())
        .bind(past.until.as_microsecond())
        .execute(&mut **transaction)
        .await?;
    Ok(written.rows_affected() > 0)
}

/// Not where a person here has said anything of the same, nor where the same came before.
const SAID: &str = "\
INSERT INTO overrides (server, tool, field, value, who, reason, at)
SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (
    SELECT 1 FROM overrides o WHERE o.server = $1 AND o.field = $3 AND o.tool IS NOT DISTINCT FROM $2
        AND (o.who NOT LIKE 'snapshot %' OR (o.at = $7 AND o.value IS NOT DISTINCT FROM $4)))";

pub(super) async fn write_said(
    transaction: &mut Transaction<'static, Sqlite>,
    said: &Override,
) -> Result<bool, BadDatabase> {
    let written = sqlx::query(SAID)
        .bind(said.server)
        .bind(&said.tool)
        .bind(&said.field)
        .bind(&said.value)
        .bind(&said.who)
        .bind(&said.reason)
        .bind(said.at.as_microsecond())
        .execute(&mut **transaction)
        .await?;
    Ok(written.rows_affected() > 0)
}

/// What is newer holds, and what is empty is filled.
const STANDING: &str = "\
UPDATE servers SET version = COALESCE(version, $2), auth = COALESCE(auth, $3),
    tombstoned = CASE WHEN registry_status IS NULL OR $5 > registry_since THEN $6 ELSE tombstoned END,
    registry_since = CASE WHEN registry_status IS NULL OR $5 > registry_since THEN $5 ELSE registry_since END,
    registry_status = CASE WHEN registry_status IS NULL OR $5 > registry_since THEN $4 ELSE registry_status END,
    first_seen = CASE WHEN first_seen > $7 THEN $7 ELSE first_seen END
WHERE id = $1 AND ((version IS NULL AND $2 IS NOT NULL) OR (auth IS NULL AND $3 IS NOT NULL)
    OR (registry_status IS NULL AND $4 IS NOT NULL) OR $5 > registry_since OR first_seen > $7
    OR (registry_status IS NULL AND tombstoned <> $6))";

pub(super) async fn write_standing(
    transaction: &mut Transaction<'static, Sqlite>,
    standing: &Standing,
) -> Result<bool, BadDatabase> {
    let written = sqlx::query(STANDING)
        .bind(standing.server)
        .bind(&standing.version)
        .bind(&standing.auth)
        .bind(standing.status.map(Status::as_str))
        .bind(standing.since)
        .bind(i64::from(standing.tombstoned))
        .bind(standing.first_seen.as_microsecond())
        .execute(&mut **transaction)
        .await?;
    Ok(written.rows_affected() > 0)
}
