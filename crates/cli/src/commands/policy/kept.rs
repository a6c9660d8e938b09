//! The policies of an instance: kept as versions, published with a reason, and put back.

use std::collections::BTreeMap;
use std::process::ExitCode;

use http::Method;
use policy::Load;
use serde_json::{Value, json};

use crate::api::shown::{self, text, time_or};
use crate::api::{self, Answer, Api, diagnostic, encoded};
use crate::args::{ApiOptions, PolicyPublish, PolicyPut, PolicyRollback, PolicyShow, ReasonOptions};
use crate::client_files::visible;
use crate::failure::{Failure, Trying};
use crate::output::{self, say, tell};
use crate::policy_watch;
use crate::terminal::Look;
use crate::text_diff::unified;

/// So many grants are named in a warning.
const MOST_NAMED: usize = 5;

/// Lists them.
pub fn list(options: &ApiOptions) -> Result<ExitCode, Failure> {
    let all = api::api(&options.place)?.pages("/api/v1/policies")?;
    let row = |one: &Value| {
        let in_force = number(one, "published").map_or("nothing".to_owned(), |version| format!("version {version}"));
        let newest = number(one, "latest").unwrap_or_default().to_string();
        vec![text(one, "name").to_owned(), in_force, newest, text(one, "description").to_owned()]
    };
    let none = "There is no policy. `toolgate policy put NAME FILE` makes one.";
    shown::list(all, options.json, &["NAME", "IN FORCE", "NEWEST", "WHAT FOR"], row, none)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what one says.
pub fn show(options: &PolicyShow) -> Result<ExitCode, Failure> {
    let api = api::api(&options.api.place)?;
    let version = match options.version {
        Some(version) => i64::from(version),
        None => {
            let policy = api.get(&path(&options.name))?.body;
            number(&policy, "published").or(number(&policy, "latest")).unwrap_or(1)
        }
    };
    let found = api.get(&version_path(&options.name, version))?.body;
    match options.api.json {
        true => shown::document(&found)?,
        // As it was written, byte for byte, so that it can be kept as a file.
        false => output::text(text(&found, "document"))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists versions, and when each was put in force.
pub fn history(name: &str, options: &ApiOptions) -> Result<ExitCode, Failure> {
    let api = api::api(&options.place)?;
    let versions = api.list(&format!("{}/versions", path(name)))?;
    let publications = api.list(&format!("{}/publications", path(name)))?;
    if options.json {
        shown::document(&json!({ "versions": versions, "publications": publications }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let in_force = number(&api.get(&path(name))?.body, "published");
    let mut rows = Vec::new();
    for version in &versions {
        let Some(own) = number(version, "version") else { continue };
        let mark = if in_force == Some(own) { " (in force)" } else { "" };
        let head = format!("{own}{mark}");
        rows.push(vec![
            head,
            time_or(version, "created_at", ""),
            text(version, "author").to_owned(),
            "written".to_owned(),
        ]);
        for one in publications.iter().filter(|one| number(one, "version") == Some(own)) {
            let said = format!("published: {}", text(one, "reason"));
            rows.push(vec![
                String::new(),
                time_or(one, "published_at", ""),
                text(one, "published_by").to_owned(),
                said,
            ]);
        }
    }
    shown::table(&["VERSION", "AT", "BY", "WHAT"], &rows, "It has no version.")?;
    Ok(ExitCode::SUCCESS)
}

/// Keeps a file as the next version, and publishes it where that is asked for.
pub fn put(options: &PolicyPut) -> Result<ExitCode, Failure> {
    let file = options.file.display().to_string();
    let document = std::fs::read_to_string(&options.file).trying(format!("the policy {file}"))?;
    looked_at(&document, &options.file)?;
    let api = api::api(&options.api.place)?;
    let kept = keep(&api, &options.name, &document, &options.why.reason)?;
    if !options.api.json {
        shown_diff(&kept.before, &document, &options.name)?;
        match kept.new {
            true => say!("{}: kept as version {}", options.name, kept.version)?,
            false => say!("{}: version {} says that already", options.name, kept.version)?,
        }
    }
    if options.publish && kept.published != Some(kept.version) {
        publish_version(&api, &options.name, kept.version, &options.why.reason)?;
    }
    if options.api.json {
        let published = if options.publish { Some(kept.version) } else { kept.published };
        shown::document(&json!({ "version": kept.version, "new": kept.new, "published": published }))?;
    } else if options.publish {
        say!("{}: version {} is in force", options.name, kept.version)?;
    } else if kept.published != Some(kept.version) {
        say!("It is not in force: toolgate policy publish {} --version {} --reason WHY", options.name, kept.version)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A version that is kept.
pub struct Kept {
    /// Its number.
    pub version: i64,
    /// Whether it is a new one: what was there may say the same.
    pub new: bool,
    /// What the newest version said before.
    pub before: String,
    /// The number of the version in force.
    pub published: Option<i64>,
}

/// Keeps a document as the newest version of a policy, unless it is that already.
///
/// # Errors
/// When it is refused.
pub fn keep(api: &Api, name: &str, document: &str, reason: &str) -> Result<Kept, Failure> {
    let Some(there) = api.find(&path(name))? else {
        let body = json!({ "name": name, "document": document, "reason": reason });
        let made = api.post("/api/v1/policies", &body)?;
        warn(&made);
        return Ok(Kept { version: 1, new: true, before: String::new(), published: None });
    };
    let (latest, published) = (number(&there.body, "latest").unwrap_or(1), number(&there.body, "published"));
    let before = document_of(api, name, latest)?;
    if before == document {
        return Ok(Kept { version: latest, new: false, before, published });
    }
    let body = json!({ "document": document, "reason": reason });
    let kept = api.change(Method::PUT, &path(name), &there, &body)?;
    warn(&kept);
    let version = number(&kept.body, "policy_version").unwrap_or(latest + 1);
    Ok(Kept { version, new: true, before, published })
}

fn warn(kept: &Answer) {
    for found in kept.body.get("diagnostics").and_then(Value::as_array).into_iter().flatten() {
        tell!("{}", diagnostic(found));
    }
}

/// Puts a version in force, after its tests, with the difference to what was.
pub fn publish(options: &PolicyPublish) -> Result<ExitCode, Failure> {
    let api = api::api(&options.api.place)?;
    let policy = api.get(&path(&options.name))?.body;
    let version = options.version.map(i64::from).or(number(&policy, "latest")).unwrap_or(1);
    let reason = options.reason.as_deref().filter(|_| !options.dry_run);
    in_force(&api, &options.name, &policy, version, reason, options.api.json)
}

/// Puts an older version in force again.
pub fn rollback(options: &PolicyRollback) -> Result<ExitCode, Failure> {
    let api = api::api(&options.api.place)?;
    let policy = api.get(&path(&options.name))?.body;
    let to = i64::from(options.to);
    let Some(now) = number(&policy, "published") else {
        return Err(Failure::No(format!(
            "no version of {} is in force, so there is none to go back from",
            options.name
        )));
    };
    if number(&policy, "latest").is_some_and(|latest| to > latest) {
        return Err(Failure::No(format!("there is no version {to} of {}", options.name)));
    }
    if to >= now {
        return Err(Failure::No(format!("version {now} of {} is in force: go back to an older one", options.name)));
    }
    in_force(&api, &options.name, &policy, to, Some(&options.reason), options.api.json)
}

/// `reason`: why; without one, only what it would change is shown.
fn in_force(
    api: &Api,
    name: &str,
    policy: &Value,
    version: i64,
    reason: Option<&str>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let published = number(policy, "published");
    if published == Some(version) {
        shown::done(policy, json, &format!("{name}: version {version} is in force already"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let kept = api.get(&version_path(name, version))?.body;
    let document = text(&kept, "document").to_owned();
    let before = published.map(|published| document_of(api, name, published)).transpose()?.unwrap_or_default();
    if !json {
        shown_diff(&before, &document, name)?;
    }
    let place = format!("{name} version {version}");
    looked_at(&document, place.as_ref())?;
    let Some(reason) = reason else {
        warn_closed(&kept, name);
        let closes = kept.get("closes").cloned().unwrap_or_default();
        let diff = unified(&before, &document, name);
        let would = json!({ "version": version, "published": published, "diff": diff, "closes": closes });
        shown::done(&would, json, &format!("{place} can be published: its tests pass; nothing was changed"))?;
        return Ok(ExitCode::SUCCESS);
    };
    let done = publish_version(api, name, version, reason)?;
    shown::done(&done.body, json, &format!("{name}: version {version} is in force"))?;
    if let (Some(before), false) = (published, json) {
        say!("To go back: toolgate policy publish {name} --version {before} --reason WHY")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Publishes a version.
///
/// # Errors
/// When it is refused.
pub fn publish_version(api: &Api, name: &str, version: i64, reason: &str) -> Result<Answer, Failure> {
    let done = api.post(&format!("{}/publish", path(name)), &json!({ "version": version, "reason": reason }))?;
    warn_closed(&done.body, name);
    Ok(done)
}

/// Says where nothing is allowed any more, since the policy does not name the server.
fn warn_closed(answer: &Value, name: &str) {
    let closes = answer.get("closes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut servers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in closes {
        servers.entry(text(one, "server")).or_default().push(visible(text(one, "label")));
    }
    for (server, labels) in servers {
        let (named, more) = labels.split_at(labels.len().min(MOST_NAMED));
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        let who = if labels.len() == 1 { "the grant" } else { "the grants" };
        tell!(
            "toolgate: warning: `servers` of {name} does not name {server}, so {who} {}{more} may call nothing there; add it to `servers`, or attach another policy (toolgate grant attach GRANT POLICY --at {server})",
            named.join(", ")
        );
    }
}

/// Removes one that nothing names.
pub fn remove(name: &str, why: &ReasonOptions, options: &ApiOptions) -> Result<ExitCode, Failure> {
    let done = api::api(&options.place)?.remove(&path(name), &why.reason)?.body;
    shown::done(&done, options.json, &format!("{name} is removed."))?;
    Ok(ExitCode::SUCCESS)
}

/// Looks at a document as the instance will: what is wrong is shown as a compiler does, and tests that fail are named.
///
/// # Errors
/// When it would be refused.
pub fn looked_at(document: &str, place: &std::path::Path) -> Result<(), Failure> {
    let loaded = policy::load(document, Load { comments_allowed: true });
    policy_watch::show(&loaded.diagnostics, place, document);
    let place = visible(&place.display().to_string());
    let Some(policy) = loaded.policy else {
        return Err(Failure::No(format!("{place} is not a valid policy: nothing was changed")));
    };
    let outcomes = policy::cases::run(&policy, &[]);
    let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.passed).collect();
    for outcome in &failed {
        let (got, wanted) = (outcome.got.as_str(), outcome.expected.as_str());
        tell!("{place}: test `{}` got {got} by {} instead of {wanted}", visible(&outcome.name), outcome.rule);
    }
    match failed.len() {
        0 => Ok(()),
        some => Err(Failure::No(format!("{some} of the tests of {place} fail: nothing was changed"))),
    }
}

fn shown_diff(before: &str, after: &str, name: &str) -> Result<(), Failure> {
    output::text(&Look::of_output().diff(&unified(before, after, name)))
}

/// What a version says.
///
/// # Errors
/// When it is not answered.
pub fn document_of(api: &Api, name: &str, version: i64) -> Result<String, Failure> {
    Ok(text(&api.get(&version_path(name, version))?.body, "document").to_owned())
}

/// The path of a policy.
pub fn path(name: &str) -> String {
    format!("/api/v1/policies/{}", encoded(name))
}

fn version_path(name: &str, version: i64) -> String {
    format!("{}/versions/{version}", path(name))
}

fn number(object: &Value, field: &str) -> Option<i64> {
    object.get(field).and_then(Value::as_i64)
}
