//! `toolgate limits`: how much of each limit is used, and when it frees; at an instance also how that ends sooner.

use std::process::ExitCode;

use jiff::Timestamp;
use quota::{Counters, Named};
use store::counts::Ledger;

use serde_json::{Value, json};

use crate::api::shown::{self, text, time, time_or};
use crate::api::{self, Api, api_if_named};
use crate::args::{DataOptions, LimitsCommand};
use crate::environment::existing_data;
use crate::failure::{Failure, Trying};
use crate::output::{say, tell};

/// Runs a command about limits.
pub fn limits(command: &LimitsCommand) -> Result<ExitCode, Failure> {
    match command {
        LimitsCommand::Show { data, place, json } => match api_if_named(place)? {
            Some(_) if data.dir.is_some() && place.instance.is_some() => {
                Err(Failure::Usage("--instance and --data: name either".to_owned()))
            }
            // What stands on the command line wins over a variable.
            Some(_) if data.dir.is_some() => of_data(data, *json),
            Some(api) => of_instance(&api, *json),
            None => of_data(data, *json),
        },
        LimitsCommand::Reset { id, reason, api } => {
            let body = json!({ "id": id, "reason": reason });
            let done = api::api(&api.place)?.post("/api/v1/limits/reset", &body)?.body;
            shown::done(&done, api.json, "Its uses are forgotten: it begins anew.")?;
            Ok(ExitCode::SUCCESS)
        }
        LimitsCommand::Confirm { reason, api } => {
            let done = api::api(&api.place)?.post("/api/v1/limits/confirm", &json!({ "reason": reason }))?.body;
            let sentence = match done.get("waited").and_then(Value::as_bool) {
                Some(false) => "No limit waited.",
                _ => "Limits count on from what there is.",
            };
            shown::done(&done, api.json, sentence)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn of_instance(api: &Api, json: bool) -> Result<ExitCode, Failure> {
    let row = |one: &Value| {
        let scope = |scope: &Value| {
            let name = if text(scope, "name").is_empty() { text(scope, "id") } else { text(scope, "name") };
            format!("{} {name}", text(scope, "kind"))
        };
        let whose: Vec<String> = one.get("scopes").and_then(Value::as_array).into_iter().flatten().map(scope).collect();
        let max = if text(one, "max").is_empty() { "?" } else { text(one, "max") };
        let observed = one.get("observed").and_then(Value::as_bool) == Some(true);
        vec![
            format!("{} of {max}", text(one, "used")),
            format!("{}{}", text(one, "counter"), if observed { " (observed)" } else { "" }),
            whose.join(", "),
            text(one, "window").to_owned(),
            time_or(one, "frees_at", "?"),
            text(one, "id").to_owned(),
        ]
    };
    let head = ["USED", "LIMIT", "WHOSE", "IN", "FREES AT", "ID"];
    let none = format!("No limit is in use at {}.", api.url());
    if !json {
        tell!("toolgate: the counts of {}", api.url());
    }
    if let Some(lost) = api.get("/api/v1/limits?limit=1")?.body.get("lost").filter(|lost| !lost.is_null()) {
        tell_lost(lost);
    }
    shown::list(api.pages("/api/v1/limits")?, json, &head, row, &none)?;
    Ok(ExitCode::SUCCESS)
}

/// Says that counts were lost, and how long their limits wait.
fn tell_lost(lost: &Value) {
    let since = match time(lost, "since") {
        Some(since) => format!("what was counted before {since} is lost"),
        None => "counts were lost".to_owned(),
    };
    tell!("toolgate: {since}, so calls under these limits are denied (`toolgate limits confirm` ends it sooner):");
    for waiting in lost.get("waiting").and_then(Value::as_array).into_iter().flatten() {
        let until = time_or(waiting, "counts_from", "somebody confirms the counts");
        tell!("toolgate:   {}: until {until}", audit::visible::word(text(waiting, "window")));
    }
}

/// Every count that is not zero, in a data directory.
fn of_data(data: &DataOptions, json: bool) -> Result<ExitCode, Failure> {
    let data = existing_data(data.dir.as_deref())?;
    let ledger = Ledger::open(&data).trying("the counts of limits")?;
    let uses = ledger.snapshot(Timestamp::now()).trying("the counts of limits")?;
    if json {
        let lines: Vec<_> = uses
            .iter()
            .map(|used| {
                serde_json::json!({
                    "count": used.id, "used": used.used.to_string(), "max": used.max.to_string(),
                    "frees_at": used.frees_at.map(|at| at.to_string()),
                })
            })
            .collect();
        say!("{}", serde_json::Value::Array(lines))?;
        return Ok(ExitCode::SUCCESS);
    }
    if uses.is_empty() {
        say!("No limit is in use.")?;
    }
    for used in &uses {
        let frees = used.frees_at.map(|at| format!("  frees at {at:.0}")).unwrap_or_default();
        // What was counted again from the log has no maximum until the next call.
        let max = if used.max.is_zero() { "?".to_owned() } else { used.max.to_string() };
        say!("{:>10} of {max:<10} {}{frees}", used.used.to_string(), what(&used.id))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a count counts, for people: `calls of grant files/agent, day in UTC`.
fn what(id: &str) -> String {
    use audit::visible::word;
    let Some(Named { scopes, counter, window }) = Named::read(id) else { return word(id) };
    let whose: Vec<String> = scopes.iter().map(|(kind, id)| format!("{} {}", word(kind), word(id))).collect();
    let (counter, observed) = match counter.strip_prefix("observed:") {
        Some(counter) => (counter, " (observed)"),
        None => (counter.as_str(), ""),
    };
    format!("{}{observed} of {}, {}", word(counter), whose.join(", "), audit::visible::shown(&window))
}
