//! `toolgate events|replicas`: what was decided at an instance, and who serves it.

use std::process::ExitCode;

use serde_json::Value;

use crate::activity;
use crate::api::shown::{self, text, time_or};
use crate::api::{self, encoded};
use crate::args::{EventsOptions, ReplicasOptions};
use crate::failure::Failure;

/// Lists who changed what, when and why.
pub fn events(options: &EventsOptions) -> Result<ExitCode, Failure> {
    let mut query = Vec::new();
    for (name, time) in [("since", &options.since), ("until", &options.until)] {
        if let Some(time) = time {
            query.push(format!("{name}={}", activity::since(time)?.as_millisecond().max(0)));
        }
    }
    for (name, word) in [("actor", &options.actor), ("action", &options.action), ("object", &options.object)] {
        query.extend(word.as_deref().map(|word| format!("{name}={}", encoded(word))));
    }
    let path = match query.is_empty() {
        true => "/api/v1/admin-events".to_owned(),
        false => format!("/api/v1/admin-events?{}", query.join("&")),
    };
    let all = api::api(&options.api.place)?.pages(&path)?;
    let row = |one: &Value| {
        vec![
            time_or(one, "at", ""),
            text(one, "actor").to_owned(),
            text(one, "action").to_owned(),
            text(one, "name").to_owned(),
            text(one, "reason").to_owned(),
        ]
    };
    shown::list(all, options.api.json, &["AT", "WHO", "WHAT", "OF", "REASON"], row, "Nothing was done.")?;
    Ok(ExitCode::SUCCESS)
}

/// Lists the replicas that serve.
pub fn replicas(options: &ReplicasOptions) -> Result<ExitCode, Failure> {
    let all = api::api(&options.api.place)?.list("/api/v1/replicas")?;
    let row = |one: &Value| {
        let applied = one.get("applied").map(Value::to_string).unwrap_or_default();
        vec![text(one, "name").to_owned(), time_or(one, "started_at", ""), time_or(one, "lease_until", ""), applied]
    };
    shown::list(all, options.api.json, &["NAME", "SINCE", "LEASE UNTIL", "FOLLOWS"], row, "No replica serves.")?;
    Ok(ExitCode::SUCCESS)
}
