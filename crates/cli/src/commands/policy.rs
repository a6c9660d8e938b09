//! `toolgate policy`: files checked, explained, tested and edited; policies of an instance kept and published.

mod edit;
mod edit_kept;
pub mod kept;

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use policy::diagnostic::{Rendering, render, to_json};
use policy::lint::Known;
use policy::{Call, Class, GrantFacts, Load, Numbers, Policy, ToolFacts};

use crate::api::api_if_named;
use crate::args::{PolicyCheck, PolicyCommand, PolicyExplain, PolicyTest};
use crate::commands::scan::file;
use crate::failure::{Failure, Trying};
use crate::output::{say, tell};

/// Runs a command about policies.
pub fn policy(command: PolicyCommand) -> Result<ExitCode, Failure> {
    match command {
        PolicyCommand::Check(options) => check(&options),
        PolicyCommand::Explain(options) => explain(&options),
        PolicyCommand::Test(options) => test(&options),
        PolicyCommand::Edit(options) => match api_if_named(&options.place)? {
            Some(api) => edit_kept::edit(&api, &options),
            None => edit::edit(&options),
        },
        PolicyCommand::List { api } => kept::list(&api),
        PolicyCommand::Show(options) => kept::show(&options),
        PolicyCommand::History { name, api } => kept::history(&name, &api),
        PolicyCommand::Put(options) => kept::put(&options),
        PolicyCommand::Publish(options) => kept::publish(&options),
        PolicyCommand::Rollback(options) => kept::rollback(&options),
        PolicyCommand::Remove { name, why, api } => kept::remove(&name, &why, &api),
    }
}

fn check(options: &PolicyCheck) -> Result<ExitCode, Failure> {
    let tools = Tools::read(options.tools.as_deref())?;
    let facts = tools.facts();
    let mut sound = true;
    let mut all = Vec::new();
    for file in &options.files {
        let text = read(file)?;
        let loaded = policy::load(&text, Load { comments_allowed: true });
        let mut findings = loaded.diagnostics;
        let mut failed = Vec::new();
        if let Some(policy) = &loaded.policy {
            findings.extend(policy.check(&Known { tools: tools.known.then_some(&facts), now: Some(Timestamp::now()) }));
            failed = policy::cases::run(policy, &facts).into_iter().filter(|outcome| !outcome.passed).collect();
        }
        let good = loaded.policy.is_some() && failed.is_empty();
        sound &= good;
        if options.json {
            let findings = to_json(&findings, &text);
            all.push(serde_json::json!({ "file": file.display().to_string(), "ok": good, "findings": findings, "failed_tests": failed }));
            continue;
        }
        let name = file.display().to_string();
        if !findings.is_empty() {
            say!("{}", render(&findings, &name, &text, rendering()))?;
        }
        for outcome in &failed {
            say!(
                "{name}: test `{}` got {} by {} instead of {}",
                outcome.name,
                outcome.got.as_str(),
                outcome.rule,
                outcome.expected.as_str()
            )?;
        }
        let warnings = findings.iter().filter(|finding| !finding.is_error()).count();
        match (good, warnings) {
            (true, 0) => say!("{name}: a valid policy")?,
            (true, 1) => say!("{name}: a valid policy, with 1 warning")?,
            (true, warnings) => say!("{name}: a valid policy, with {warnings} warnings")?,
            (false, _) if loaded.policy.is_none() => say!("{name}: not a valid policy")?,
            (false, _) => say!("{name}: {} of its tests fail", failed.len())?,
        }
    }
    if options.json {
        say!("{}", serde_json::Value::Array(all))?;
    }
    Ok(ExitCode::from(u8::from(!sound)))
}

fn explain(options: &PolicyExplain) -> Result<ExitCode, Failure> {
    let policy = load(&options.file)?;
    let set = options.class.as_deref().map(str::parse::<Class>).transpose().trying("--class")?;
    mcp::json::parse(&options.arguments).trying("the arguments")?;
    let tools = Tools::read(options.tools.as_deref())?;
    let all = tools.facts();
    let (server, name) = policy.tool_named(&options.tool);
    let known = all.iter().find(|known| known.name == name);
    let facts = ToolFacts {
        server: server.unwrap_or("local"),
        name,
        class: set.or(known.map(|known| known.class)).unwrap_or(Class::Unclassified),
        class_accepted: set.is_some(),
        input_schema: known.and_then(|known| known.input_schema),
        numbers: Numbers::default(),
    };
    let grant = GrantFacts::labelled("local");
    let derivation = policy.for_tool(&facts).explain(&Call {
        arguments: Some(&options.arguments),
        grant: &grant,
        session: None,
        client_ip: None,
        now: Timestamp::now(),
    });
    if options.json {
        say!("{}", serde_json::to_string_pretty(&derivation).trying("the derivation")?)?;
    } else {
        say!("{derivation}")?;
    }
    Ok(ExitCode::from(u8::from(derivation.effect != policy::Effect::Allow)))
}

fn test(options: &PolicyTest) -> Result<ExitCode, Failure> {
    let tools = Tools::read(options.tools.as_deref())?;
    let facts = tools.facts();
    let mut sound = true;
    let mut all = Vec::new();
    for file in &options.files {
        let outcomes = policy::cases::run(&load(file)?, &facts);
        sound &= outcomes.iter().all(|outcome| outcome.passed);
        if options.json {
            all.push(serde_json::json!({ "file": file.display().to_string(), "tests": outcomes }));
            continue;
        }
        for outcome in &outcomes {
            let got = format!("{} by {}", outcome.got.as_str(), outcome.rule);
            match outcome.passed {
                true => say!("pass  {}  ({got})", outcome.name)?,
                false => say!("FAIL  {}  expected {}, got {got}", outcome.name, outcome.expected.as_str())?,
            }
        }
        let passed = outcomes.iter().filter(|outcome| outcome.passed).count();
        say!("{}: {passed} of {} tests pass", file.display(), outcomes.len())?;
    }
    if options.json {
        say!("{}", serde_json::Value::Array(all))?;
    }
    Ok(ExitCode::from(u8::from(!sound)))
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).trying(format!("the policy {}", file.display()))
}

fn load(file: &Path) -> Result<Policy, Failure> {
    let text = read(file)?;
    let loaded = policy::load(&text, Load { comments_allowed: true });
    match loaded.policy {
        Some(policy) => Ok(policy),
        None => {
            tell!("{}", render(&loaded.diagnostics, &file.display().to_string(), &text, rendering()));
            Err(Failure::No(format!("{} is not a valid policy", file.display())))
        }
    }
}

fn rendering() -> Rendering {
    if std::io::stdout().is_terminal() { Rendering::Coloured } else { Rendering::Plain }
}

/// Tools of a list in a file, in any form that `scan --file` reads.
struct Tools {
    known: bool,
    tools: Vec<(String, Option<String>, Class)>,
}

impl Tools {
    fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self { known: false, tools: Vec::new() }) };
        let what = || format!("the tools {}", path.display());
        let text = std::fs::read_to_string(path).trying(what())?;
        let (tools, _) = file::read(&text).trying(what())?;
        let tools = tools
            .iter()
            .map(|tool| {
                let class = risk::assess(&tool.definition()).class;
                (tool.name.clone(), tool.schema().map(str::to_owned), class)
            })
            .collect();
        Ok(Self { known: true, tools })
    }

    fn facts(&self) -> Vec<ToolFacts<'_>> {
        self.tools
            .iter()
            .map(|(name, schema, class)| ToolFacts {
                server: "local",
                name,
                class: *class,
                class_accepted: false,
                input_schema: schema.as_deref(),
                numbers: Numbers::default(),
            })
            .collect()
    }
}
