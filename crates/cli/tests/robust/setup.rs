//! What the tests start from: one server that may work on one call, so that a place which is not given back shows in the
//! next call.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::script::Script;
use testkit::toolgate::{Setup, TOKEN, Toolgate};
use testkit::wait::{self, PATIENCE};

/// The binary under test.
pub(crate) const EXE: &str = env!("CARGO_BIN_EXE_toolgate");

/// A toolgate to be described further.
pub(crate) fn toolgate() -> anyhow::Result<Setup> {
    Setup::new(EXE)
}

/// Allows everything, of each tool one call at once.
pub(crate) fn one_at_once() -> Value {
    let limits = json!([{ "counter": "at-once", "kind": "concurrency", "max": 1 }]);
    json!({ "version": "1", "default": "allow", "all_tools": { "limits": limits } })
}

/// `toolgate serve` before one server, called `s`: `reach` is its `url` or `command` line of the configuration, with
/// whatever else is to be said of it.
pub(crate) fn before(setup: Setup, policy: &Value, reach: &str) -> anyhow::Result<Setup> {
    setup.file("policy.json", &policy.to_string())?;
    setup.file("token", TOKEN)?;
    let grant = "[[grants]]\nlabel = \"agent\"\nserver = \"s\"\ntoken_file = \"token\"\n";
    setup.config(&format!(
        "listen = \"127.0.0.1:0\"\n[servers.s]\n{reach}\npolicy = \"policy.json\"\naccept = \"first\"\n{grant}"
    ))
}

/// A client of the legacy era, in a session.
pub(crate) fn legacy(toolgate: &Toolgate) -> anyhow::Result<McpHttp> {
    McpHttp::legacy(toolgate.url(), Some(TOKEN)).with_context(|| toolgate.stderr())
}

/// A client of the modern era.
pub(crate) fn modern(toolgate: &Toolgate) -> anyhow::Result<McpHttp> {
    McpHttp::modern(toolgate.url(), Some(TOKEN))
}

/// A shell's script as a server.
pub(crate) fn shell(script: &str) -> String {
    format!("command = {:?}", ["sh", "-c", script])
}

/// A program of the legacy era that lists these tools and answers each call with `done`. `first` are arms of the shell's `case`
/// that come before these: `$line` is what it was sent, and `$id` the id of that.
pub(crate) fn program(tools: &[&str], first: &str) -> String {
    let tools: Vec<Value> =
        tools.iter().map(|name| json!({ "name": name, "inputSchema": { "type": "object" } })).collect();
    r#"
while read -r line; do
    id=${line#*'"id":'}
    id=${id%%,*}
    case $line in
    FIRST
    *'"initialize"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}' ;;
    *'"tools/list"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"tools":TOOLS}}' ;;
    *'"tools/call"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"content":[{"type":"text","text":"done"}]}}' ;;
    esac
done"#
        .replace("TOOLS", &json!(tools).to_string())
        .replace("FIRST", first)
}

/// A member of a record as text, empty where it has none.
pub(crate) fn word<'a>(record: &'a Value, member: &str) -> &'a str {
    record.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// How the forwarded calls in the log ended, in their order, once all have.
pub(crate) fn outcomes(setup: &Setup, calls: usize) -> anyhow::Result<Vec<String>> {
    wait::until("the outcome of every call", PATIENCE, || {
        let records = setup.audit().ok()?;
        let ended: std::collections::HashMap<&str, &str> = records
            .iter()
            .filter(|record| word(record, "kind") == "outcome")
            .map(|record| (word(record, "decision"), word(record, "outcome")))
            .collect();
        let forwarded = |record: &&Value| word(record, "method") == "tools/call" && word(record, "effect") == "allow";
        let calls_made = records.iter().filter(forwarded);
        let outcomes: Option<Vec<String>> =
            calls_made.map(|call| ended.get(word(call, "id")).map(|outcome| (*outcome).to_owned())).collect();
        outcomes.filter(|outcomes| outcomes.len() >= calls)
    })
}

/// Allows everything, without a limit.
pub(crate) fn open() -> Value {
    let methods = json!({ "allow": ["sampling/createMessage", "elicitation/create", "roots/list"] });
    json!({ "version": "1", "default": "allow", "methods": methods })
}

/// The recording server on stdio: the words of its command line as they stand in a configuration, and its record.
pub(crate) fn recording(setup: &Setup, script: &Script) -> anyhow::Result<(String, PathBuf)> {
    let (words, record) = setup.recording(script)?;
    Ok((format!("command = {words:?}"), record))
}

/// Rounds of a long proof: `few`, unless `TOOLGATE_ROUNDS` says how many.
pub(crate) fn rounds(few: usize) -> anyhow::Result<usize> {
    Ok(std::env::var("TOOLGATE_ROUNDS").ok().map(|rounds| rounds.parse()).transpose()?.unwrap_or(few))
}

/// A size of a process in KiB, by its name in `/proc/PID/status`.
pub(crate) fn kib(pid: u32, name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).context("no such size")?;
    Ok(line.split_whitespace().next().context("no number")?.parse()?)
}

/// Runs `work` for each of so many, all at once.
pub(crate) fn all_at_once(count: usize, work: impl Fn(usize) -> anyhow::Result<()> + Sync) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..count).map(|number| scope.spawn(move || work(number))).collect();
        running.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| anyhow::bail!("one of them panicked")))
    })
}
