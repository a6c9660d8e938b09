//! `toolgate logs` at an instance: what all replicas have decided.

use std::collections::HashSet;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use super::effect;
use crate::activity;
use crate::api::shown::text;
use crate::api::{Api, encoded};
use crate::args::LogsOptions;
use crate::client_files::visible;
use crate::failure::Failure;
use crate::output::{done, tell};

/// How often new decisions are asked for.
const EVERY: Duration = Duration::from_secs(1);

/// How far back is looked for decisions that a replica brings late, in milliseconds.
const LATE: i64 = 60_000;

/// The most new decisions between two looks.
const MOST: usize = 10_000;

/// Effects that do not allow.
const DENYING: [&str; 3] = ["deny", "hide", "ask"];

/// Shows the last decisions, or hands out all of them.
pub fn logs(api: &Api, options: &LogsOptions) -> Result<ExitCode, Failure> {
    if options.data.dir.is_some() {
        let why = "an instance is named, by --instance or $TOOLGATE_INSTANCE, and a data directory too: name either";
        return Err(Failure::Usage(why.to_owned()));
    }
    let asked = asked(options)?;
    if let Some(format) = &options.export {
        let path = path("/api/v1/decisions/export", &asked, &[("format", format.clone())]);
        api.export(&path, &mut std::io::stdout().lock())?;
        return Ok(ExitCode::SUCCESS);
    }
    if !options.json {
        tell!("toolgate: the decisions of {}", api.url());
    }
    let last = listed(api, options, &asked, options.lines)?;
    last.iter().try_for_each(|one| print(one, options.json))?;
    if options.follow {
        follow(api, options, &asked, last.iter().filter_map(at).max())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Goes on for ever. A replica may bring a decision late, so each look goes a little way back.
fn follow(
    api: &Api,
    options: &LogsOptions,
    asked: &[(&'static str, String)],
    newest: Option<i64>,
) -> Result<(), Failure> {
    let since = |newest: Option<i64>| {
        let mut asked = asked.to_vec();
        if let Some(newest) = newest {
            asked.retain(|(name, _)| *name != "since");
            asked.push(("since", (newest - LATE).max(0).to_string()));
        }
        asked
    };
    let ids = |all: &[Value]| all.iter().map(|one| text(one, "id").to_owned()).collect::<HashSet<String>>();
    // What was there before is no news, though not all of it was shown.
    let mut seen = ids(&listed(api, options, &since(newest), MOST)?);
    let mut newest = newest;
    loop {
        std::thread::sleep(EVERY);
        let all = listed(api, options, &since(newest), MOST)?;
        let fresh = all.iter().filter(|one| !seen.contains(text(one, "id")));
        fresh.into_iter().try_for_each(|one| print(one, options.json))?;
        newest = newest.max(all.iter().filter_map(at).max());
        // What lies further back is not asked for again.
        seen = ids(&all);
    }
}

fn at(decision: &Value) -> Option<i64> {
    decision.get("at").and_then(Value::as_i64)
}

/// What is asked for, as the API names it.
fn asked(options: &LogsOptions) -> Result<Vec<(&'static str, String)>, Failure> {
    let words = [
        ("grant", &options.grant),
        ("server", &options.server),
        ("tool", &options.tool),
        ("effect", &options.effect),
        ("rule", &options.rule),
        ("approval", &options.approval),
    ];
    if let Some(word) = &options.effect {
        effect(word)?;
    }
    let mut asked: Vec<_> = words.into_iter().filter_map(|(name, word)| Some((name, word.clone()?))).collect();
    for (name, time) in [("since", &options.since), ("until", &options.until)] {
        if let Some(time) = time {
            asked.push((name, activity::since(time)?.as_millisecond().max(0).to_string()));
        }
    }
    Ok(asked)
}

fn path(path: &str, asked: &[(&str, String)], more: &[(&str, String)]) -> String {
    let pairs: Vec<String> =
        asked.iter().chain(more).map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// The last so many, the oldest first.
fn listed(
    api: &Api,
    options: &LogsOptions,
    asked: &[(&'static str, String)],
    most: usize,
) -> Result<Vec<Value>, Failure> {
    let list = |more: &[(&str, String)]| api.first(&path("/api/v1/decisions", asked, more), most);
    let mut all = match options.denied {
        false => list(&[])?,
        true => {
            let mut all = Vec::new();
            for effect in DENYING {
                all.extend(list(&[("effect", effect.to_owned())])?);
            }
            all
        }
    };
    all.sort_by(|one, other| (at(one), text(one, "id")).cmp(&(at(other), text(other, "id"))));
    all.drain(..all.len().saturating_sub(most));
    Ok(all)
}

fn print(decision: &Value, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let line = match json {
        true => decision.to_string(),
        false => row(decision),
    };
    done(writeln!(out, "{line}").and_then(|()| out.flush()))
}

fn row(decision: &Value) -> String {
    let time = at(decision).and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    let time = time.map(|time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default();
    let word = |name: &str| visible(text(decision, name));
    let subject = match (word("server"), word("tool")) {
        (server, tool) if tool.is_empty() => format!("{server} {}", word("method")),
        (server, tool) => format!("{server} {tool}"),
    };
    let mut details = vec![word("grant_label")];
    details.extend([word("rule"), word("reason"), word("outcome")].into_iter().filter(|word| !word.is_empty()));
    format!("{time}  {:<6}  {subject:<28}  {}", word("effect"), details.join("  "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_decision_is_a_line_that_no_terminal_obeys() {
        let decision = json!({ "at": 1_763_800_000_000_i64, "effect": "deny", "server": "crm", "tool": "ex\u{1b}port",
            "grant_label": "desk", "rule": "/tools/export", "reason": null, "outcome": null });
        assert_eq!(row(&decision), "2025-11-22 08:26:40Z  deny    crm ex\\u{1b}port              desk  /tools/export");
        assert_eq!(path("/x", &[("tool", "a b".to_owned())], &[]), "/x?tool=a%20b");
    }
}
