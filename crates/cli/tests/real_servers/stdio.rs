//! Each server as a program: behind `run` and behind `serve`.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::message::Outcome;
use testkit::place;
use testkit::toolgate::Setup;
use testkit::{peers, tee};

use crate::catalogue::{EXE, MAX, NAMES, Real, comparable};

/// An agent's requests, by whatever way.
pub(crate) trait Agent {
    fn ask(&mut self, method: &str, params: Value) -> anyhow::Result<Value>;
    fn tools(&mut self) -> anyhow::Result<Vec<String>>;
}

impl Agent for testkit::stdio::McpStdio {
    fn ask(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.request(method, params)
    }

    fn tools(&mut self) -> anyhow::Result<Vec<String>> {
        testkit::stdio::McpStdio::tools(self)
    }
}

impl Agent for testkit::client::McpHttp {
    fn ask(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.request(method, params)
    }

    fn tools(&mut self) -> anyhow::Result<Vec<String>> {
        testkit::client::McpHttp::tools(self)
    }
}

/// Lists, calls what is allowed until its limit bites, and what is not.
pub(crate) fn work(real: &Real, direct: &Value, agent: &mut impl Agent) -> anyhow::Result<()> {
    assert_eq!(agent.tools()?, [real.allowed.0], "{}", real.name);
    for number in 1..=MAX {
        let answer = agent.ask("tools/call", json!({ "name": real.allowed.0, "arguments": real.allowed.1 }))?;
        let result = answer.get("result").cloned().unwrap_or_default();
        assert_eq!(comparable(&result), comparable(direct), "{}: call {number}", real.name);
        assert!(result.to_string().contains(real.says), "{}: {result}", real.name);
    }
    let answer = agent.ask("tools/call", json!({ "name": real.allowed.0, "arguments": real.allowed.1 }))?;
    assert!(Outcome::of(&answer).is_limited(), "{}: one too many: {answer}", real.name);
    let answer = agent.ask("tools/call", json!({ "name": real.denied.0, "arguments": real.denied.1 }))?;
    assert!(Outcome::of(&answer).is_denied(), "{}: {answer}", real.name);
    let answer = agent.ask("tools/call", json!({ "name": "no_such_tool", "arguments": {} }))?;
    assert!(Outcome::of(&answer).is_unknown_tool(), "{}: {answer}", real.name);
    Ok(())
}

/// The server's command line with a tee before it, and the file that the tee writes.
fn watched(real: &Real, setup: &Setup) -> anyhow::Result<(Vec<PathBuf>, PathBuf)> {
    let record = setup.folder().join("record");
    let mut words = vec![place::program("tee-server", Path::new(EXE))?, record.clone(), "--".into()];
    words.extend(real.words.iter().map(PathBuf::from));
    Ok((words, record))
}

fn described(real: &Real) -> anyhow::Result<Setup> {
    let setup = Setup::new(EXE)?.policy(&real.policy())?;
    Ok(real.variables.iter().fold(setup, |setup, (name, value)| setup.variable(name, value)))
}

fn each(names: &[&'static str], test: impl Fn(&Real, &Value) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let Some(peers) = peers::find() else { return Ok(()) };
    for name in names {
        let folder = testkit::toolgate::folder()?;
        let real = Real::prepare(&peers, name, folder.path())?;
        let (tools, direct) = real.directly()?;
        ensure!(
            tools.iter().any(|tool| tool == real.allowed.0) && tools.iter().any(|tool| tool == real.denied.0),
            "{name}: {tools:?}"
        );
        test(&real, &direct).context(real.name)?;
        assert!(!real.was_touched(), "{name}: the denied call arrived");
    }
    Ok(())
}

#[test]
fn behind_run() -> anyhow::Result<()> {
    each(&NAMES, |real, direct| {
        let setup = described(real)?;
        let (words, record) = watched(real, &setup)?;
        let mut run = setup.program(words).run()?;
        run.client.initialize()?;
        work(real, direct, &mut run.client)?;
        assert_eq!(tee::called(&record), [real.allowed.0; MAX], "{}", real.name);
        run.client.close();
        run.client.wait()?;
        Ok(())
    })
}

#[test]
fn behind_serve() -> anyhow::Result<()> {
    each(&NAMES, |real, direct| {
        let setup = described(real)?;
        let (words, record) = watched(real, &setup)?;
        let toolgate = setup.program(words).serve()?;
        work(real, direct, &mut toolgate.legacy()?)?;
        assert_eq!(tee::called(&record), [real.allowed.0; MAX], "{}", real.name);
        let verified = toolgate.setup.ask(&["audit", "verify"])?;
        assert!(verified.status.success());
        Ok(())
    })
}

/// The two servers that speak the modern era as well.
#[test]
fn behind_serve_in_the_modern_era() -> anyhow::Result<()> {
    each(&["git", "time"], |real, direct| {
        let setup = described(real)?;
        let (words, record) = watched(real, &setup)?;
        let toolgate = setup.program(words).serve()?;
        work(real, direct, &mut toolgate.modern()?)?;
        assert_eq!(tee::called(&record), [real.allowed.0; MAX], "{}", real.name);
        Ok(())
    })
}
