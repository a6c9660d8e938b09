//! `toolgate stop-calls|resume`: calls end at once, everywhere, and go on when somebody says so.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::api::shown::{self, text, time_or};
use crate::api::{self, Api, grant_of};
use crate::args::{ApiOptions, ResumeOptions, StopOptions, Stopped};
use crate::failure::Failure;

/// Stops calls, or shows what is stopped.
pub fn stop(options: &StopOptions) -> Result<ExitCode, Failure> {
    if options.list {
        return list(&options.api);
    }
    let api = api::api(&options.api.place)?;
    let (body, named) = body(&api, &options.what, options.reason.as_deref().unwrap_or_default())?;
    let done = api.post("/api/v1/stops", &body)?.body;
    shown::done(&done, options.api.json, &format!("{named}: stopped. `toolgate resume` lets them go on."))?;
    Ok(ExitCode::SUCCESS)
}

/// Lets calls go on.
pub fn resume(options: &ResumeOptions) -> Result<ExitCode, Failure> {
    let api = api::api(&options.api.place)?;
    let (body, named) = body(&api, &options.what, &options.reason)?;
    let done = api.post("/api/v1/stops/resume", &body)?.body;
    shown::done(&done, options.api.json, &format!("{named}: they go on."))?;
    Ok(ExitCode::SUCCESS)
}

fn list(options: &ApiOptions) -> Result<ExitCode, Failure> {
    let all = api::api(&options.place)?.list("/api/v1/stops")?;
    let row = |one: &Value| {
        vec![
            text(one, "kind").to_owned(),
            text(one, "object").to_owned(),
            time_or(one, "stopped_at", ""),
            text(one, "stopped_by").to_owned(),
            text(one, "reason").to_owned(),
        ]
    };
    shown::list(all, options.json, &["WHAT", "ID", "SINCE", "BY", "REASON"], row, "Nothing is stopped.")?;
    Ok(ExitCode::SUCCESS)
}

fn body(api: &Api, what: &Stopped, reason: &str) -> Result<(Value, String), Failure> {
    let (kind, object, named) = match what {
        Stopped { grant: Some(grant), .. } => ("grant", Some(grant_of(api, grant)?), format!("calls of {grant}")),
        Stopped { agent: Some(agent), .. } => ("agent", Some(agent.clone()), format!("calls of the agent {agent}")),
        Stopped { server: Some(server), .. } => ("server", Some(server.clone()), format!("calls at {server}")),
        Stopped { everything: true, .. } => ("everything", None, "all calls".to_owned()),
        _ => return Err(Failure::Usage("say what: --grant, --agent, --server or --everything".to_owned())),
    };
    let mut body = json!({ "kind": kind, "reason": reason });
    if let (Some(object), Some(fields)) = (object, body.as_object_mut()) {
        fields.insert("object".to_owned(), Value::from(object));
    }
    Ok((body, named))
}
