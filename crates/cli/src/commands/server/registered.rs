//! The servers of an instance: registered, changed and removed. Secrets go there and never come back.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clients::Secret;
use http::Method;
use serde_json::{Map, Value, json};

use crate::api::shown::{self, text};
use crate::api::{self, encoded};
use crate::args::{AcceptWord, ApiOptions, ReachOptions, ReasonOptions, SettingOptions, ToolOverride};
use crate::env_file;
use crate::environment::Headers;
use crate::failure::{Failure, Trying};
use crate::output::tell;

/// Lists them.
pub fn list(options: &ApiOptions) -> Result<ExitCode, Failure> {
    let api = api::api(&options.place)?;
    let all = api.pages("/api/v1/servers")?;
    let policies: BTreeMap<String, String> = match options.json {
        true => BTreeMap::new(),
        false => {
            let policies = api.pages("/api/v1/policies")?;
            policies.iter().map(|one| (text(one, "id").to_owned(), text(one, "name").to_owned())).collect()
        }
    };
    let row = |one: &Value| {
        let policy = policies.get(text(one, "policy")).map_or("none", String::as_str);
        vec![text(one, "name").to_owned(), reached(one), policy.to_owned(), text(one, "title").to_owned()]
    };
    let none = "There is no server. `toolgate server add` registers one.";
    shown::list(all, options.json, &["NAME", "REACHED BY", "POLICY", "TITLE"], row, none)?;
    Ok(ExitCode::SUCCESS)
}

fn reached(server: &Value) -> String {
    let reach = server.get("reach").cloned().unwrap_or_default();
    let words = reach.get("command").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    match text(&reach, "kind") {
        "http" => match text(&reach, "transport") {
            "" => text(&reach, "url").to_owned(),
            transport => format!("{} ({transport})", text(&reach, "url")),
        },
        _ => words.collect::<Vec<_>>().join(" "),
    }
}

/// Shows one.
pub fn show(server: &str, options: &ApiOptions) -> Result<ExitCode, Failure> {
    shown::document(&api::api(&options.place)?.get(&path(server))?.body)?;
    Ok(ExitCode::SUCCESS)
}

/// Registers one.
pub fn add(
    name: &str,
    reach: &ReachOptions,
    settings: &SettingOptions,
    why: &ReasonOptions,
    options: &ApiOptions,
) -> Result<ExitCode, Failure> {
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(name));
    let Some(reach) = reach_of(reach, None)? else {
        return Err(Failure::Usage("say how it is reached: --url URL, or its program after --".to_owned()));
    };
    body.insert("reach".to_owned(), reach);
    described(settings, &mut body);
    let mut all = Map::new();
    set_into(settings, &mut all);
    body.insert("settings".to_owned(), Value::Object(all));
    body.insert("reason".to_owned(), json!(why.reason));
    let api = api::api(&options.place)?;
    let made = api.post("/api/v1/servers", &Value::Object(body))?.body;
    let next = match settings.accept == Some(AcceptWord::First) {
        true => "what it lists first is accepted".to_owned(),
        false => {
            let asked = "its tools are listed when an agent first asks for them, and wait then";
            format!(
                "{asked}: mint a grant (toolgate grant mint {name}/LABEL --agent NAME), connect the agent, then toolgate server accept {name} --instance {}",
                api.url()
            )
        }
    };
    shown::done(&made, options.json, &format!("{name} is registered; {next}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Changes one. What is not named stays, its secrets too.
pub fn set(
    server: &str,
    reach: &ReachOptions,
    settings: &SettingOptions,
    why: &ReasonOptions,
    options: &ApiOptions,
) -> Result<ExitCode, Failure> {
    let api = api::api(&options.place)?;
    let read = api.get(&path(server))?;
    let there = |field: &str| read.body.get(field).cloned().unwrap_or_default();
    let mut body = Map::new();
    for field in ["name", "title"] {
        body.insert(field.to_owned(), there(field));
    }
    // The API takes a policy by its name or by its id.
    if !read.body.get("policy").is_none_or(Value::is_null) {
        body.insert("policy".to_owned(), there("policy"));
    }
    let kept = kept(&there("reach"));
    body.insert("reach".to_owned(), reach_of(reach, Some(&kept))?.unwrap_or(kept));
    described(settings, &mut body);
    let mut all = there("settings").as_object().cloned().unwrap_or_default();
    set_into(settings, &mut all);
    body.insert("settings".to_owned(), Value::Object(all));
    body.insert("reason".to_owned(), json!(why.reason));
    let done = api.change(Method::PUT, &path(server), &read, &Value::Object(body))?.body;
    shown::done(&done, options.json, &format!("{server} is changed."))?;
    Ok(ExitCode::SUCCESS)
}

/// How a server is reached, as the API takes it: with null in the place of each secret, which keeps it.
fn kept(reach: &Value) -> Value {
    let mut kept = reach.clone();
    for field in ["headers", "env"] {
        if let Some(names) = kept.get_mut(field) {
            let nulls = names.as_array().into_iter().flatten().filter_map(Value::as_str);
            *names = Value::Object(nulls.map(|name| (name.to_owned(), Value::Null)).collect());
        }
    }
    kept
}

fn reach_of(options: &ReachOptions, kept: Option<&Value>) -> Result<Option<Value>, Failure> {
    let kind = kept.map_or("", |kept| text(kept, "kind"));
    let mut headers = Headers::default();
    options.header.iter().try_for_each(|line| headers.add(line))?;
    options.header_from.iter().try_for_each(|pair| headers.add_from(pair))?;
    options.header_file.iter().try_for_each(|file| headers.add_file(file))?;
    for name in &headers.literal {
        tell!(
            "toolgate: the value of {} stands on the command line, where others can see it: --header-from takes it from the environment",
            audit::visible::word(name)
        );
    }
    let env = match &options.env_file {
        None => Vec::new(),
        Some(file) => env_file::read(file).trying(file.display())?,
    };
    let to_http = options.url.is_some() || options.transport.is_some() || !headers.headers.is_empty();
    let to_child = !options.program.is_empty() || !env.is_empty();
    let texts =
        |field: &str| kept.and_then(|kept| kept.get(field)).and_then(Value::as_object).cloned().unwrap_or_default();
    let with = |field: &str, given: &[(String, Secret)]| {
        let mut all = texts(field);
        for (name, value) in given {
            // Names of headers are the same in any case.
            let known = all.keys().find(|known| field == "headers" && known.eq_ignore_ascii_case(name)).cloned();
            all.insert(known.unwrap_or_else(|| name.clone()), Value::from(value.expose()));
        }
        Value::Object(all)
    };
    if to_http && to_child {
        return Err(Failure::Usage("a server is reached by --url or by a program, and not by both".to_owned()));
    }
    if to_http {
        let url = options.url.as_deref().or_else(|| kept.filter(|_| kind == "http").map(|kept| text(kept, "url")));
        let url =
            url.ok_or_else(|| Failure::Usage("headers and --transport are for a server with a --url".to_owned()))?;
        let transport = match options.transport {
            Some(word) => json!(word.said()),
            None => kept.and_then(|kept| kept.get("transport")).cloned().unwrap_or_default(),
        };
        let headers = with("headers", &headers.headers);
        return Ok(Some(json!({ "kind": "http", "url": url, "headers": headers, "transport": transport })));
    }
    if to_child {
        let command = match options.program.is_empty() {
            false => json!(options.program),
            true => {
                kept.filter(|_| kind == "child").and_then(|kept| kept.get("command")).cloned().ok_or_else(|| {
                    Failure::Usage("--env-file is for a server that is a program, named after --".to_owned())
                })?
            }
        };
        return Ok(Some(json!({ "kind": "child", "command": command, "env": with("env", &env) })));
    }
    Ok(None)
}

fn described(options: &SettingOptions, body: &mut Map<String, Value>) {
    if let Some(title) = &options.title {
        body.insert("title".to_owned(), json!(title));
    }
    if let Some(policy) = &options.policy {
        body.insert("policy".to_owned(), json!(policy));
    }
    if options.no_policy {
        body.remove("policy");
    }
}

fn set_into(options: &SettingOptions, settings: &mut Map<String, Value>) {
    let given = [
        ("exact_numbers", options.numbers.as_deref().map(|word| json!(word == "exact"))),
        ("full_denials", options.denials.as_deref().map(|word| json!(word == "full"))),
        ("accept_first", options.accept.map(|word| json!(word == AcceptWord::First))),
        ("accept_cosmetic", options.accept_cosmetic.map(Value::from)),
        ("plain_http", options.plain_http.map(Value::from)),
        ("calls_at_once", options.calls_at_once.map(Value::from)),
        ("connect_seconds", options.connect_seconds.map(Value::from)),
        ("first_byte_seconds", options.first_byte_seconds.map(Value::from)),
        ("idle_seconds", options.idle_seconds.map(Value::from)),
        ("list_bytes", options.list_bytes.map(Value::from)),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            settings.insert(name.to_owned(), value);
        }
    }
    settings.retain(|_, value| !value.is_null());
}

/// Removes one.
pub fn remove(server: &str, why: &ReasonOptions, options: &ApiOptions) -> Result<ExitCode, Failure> {
    let done = api::api(&options.place)?.remove(&path(server), &why.reason)?.body;
    shown::done(&done, options.json, &format!("{server} is removed, and grants for it alone are revoked."))?;
    Ok(ExitCode::SUCCESS)
}

/// Says something of a tool, or lists what was said.
pub fn say_override(options: &ToolOverride) -> Result<ExitCode, Failure> {
    let api = api::api(&options.api.place)?;
    let path = format!("{}/overrides", path(&options.server));
    let Some(tool) = &options.tool else {
        let row = |one: &Value| {
            let facets = one.get("facets").and_then(Value::as_object).into_iter().flatten();
            let facets: Vec<String> = facets.map(|(name, has)| format!("{name}={has}")).collect();
            vec![
                text(one, "tool").to_owned(),
                text(one, "class").to_owned(),
                facets.join(" "),
                text(one, "set_by").to_owned(),
                text(one, "reason").to_owned(),
            ]
        };
        let none = "Nothing was said of its tools: they count as their own words say.";
        shown::list(api.list(&path)?, options.api.json, &["TOOL", "CLASS", "FACETS", "BY", "REASON"], row, none)?;
        return Ok(ExitCode::SUCCESS);
    };
    if options.class.is_none() && options.facet.is_empty() && !options.clear {
        return Err(Failure::Usage("say --class, --facet, or --clear".to_owned()));
    }
    let mut facets = Map::new();
    for word in &options.facet {
        let parts = word.split_once('=').and_then(|(name, has)| Some((name, has.parse::<bool>().ok()?)));
        let (name, has) =
            parts.ok_or_else(|| Failure::Usage("--facet is written NAME=true or NAME=false".to_owned()))?;
        facets.insert(name.to_owned(), Value::Bool(has));
    }
    let mut body = json!({ "tool": tool, "facets": facets, "reason": options.why.reason });
    if let (Some(class), Some(fields)) = (&options.class, body.as_object_mut()) {
        fields.insert("class".to_owned(), json!(class));
    }
    let done = api.post(&path, &body)?.body;
    let sentence = match options.clear {
        true => format!("{tool} of {} counts again as its own words say.", options.server),
        false => format!("{tool} of {} counts as was said.", options.server),
    };
    shown::done(&done, options.api.json, &sentence)?;
    Ok(ExitCode::SUCCESS)
}

fn path(server: &str) -> String {
    format!("/api/v1/servers/{}", encoded(server))
}
