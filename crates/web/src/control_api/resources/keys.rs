//! Master keys: which there are, and what is sealed under each.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control_api::call::{Answered, Call, Done};

/// The master keys of the replica that answers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Keys")]
pub(crate) struct KeysShown {
    /// Their ids; the first one seals.
    ring: Vec<String>,
    /// How many secrets are under each: a key under which there are none is of use for backups alone, and for answers that
    /// are given again within a day.
    sealed: BTreeMap<String, u64>,
}

pub(crate) async fn keys(call: Call) -> Answered<KeysShown> {
    let keys = call.api.instance.keys_in_use(call.actor()?).await?;
    Ok(Done::of(KeysShown { ring: keys.ring.iter().map(ToString::to_string).collect(), sealed: keys.sealed }))
}

/// Why secrets are sealed anew.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rewrapping {
    /// For the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Rewrapped {
    /// How many secrets were sealed anew.
    secrets: u64,
}

pub(crate) async fn rewrap(call: Call, given: Rewrapping) -> Answered<Rewrapped> {
    let (secrets, version) = call.api.instance.seal_anew(call.actor()?, &given.reason).await?;
    Ok(Done::of(Rewrapped { secrets }).holds(version))
}
