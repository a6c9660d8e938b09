//! What a page says of a tool's calls is what the gateway does with them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::message::Outcome;
use testkit::script::{Script, Tool};
use testkit::stdio::McpStdio;
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::{EXE, toolgate};

/// `toolgate catalogue serve`, ended when this is dropped.
pub struct Pages {
    pub program: McpStdio,
    pub address: SocketAddr,
}

impl Pages {
    pub fn start(data: &Path) -> anyhow::Result<Self> {
        Self::start_with(data, &[])
    }

    pub fn start_with(data: &Path, more: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(EXE);
        command.args(["catalogue", "serve", "--listen", "127.0.0.1:0"]).args(more).arg("--data").arg(data);
        let program = McpStdio::start(&mut command)?;
        let address = wait::until("the address of the pages", PATIENCE, || {
            let text = program.stderr();
            let line = text.lines().find_map(|line| line.strip_prefix("catalogue http://"))?;
            line.strip_suffix('/')?.parse().ok()
        });
        Ok(Self { address: address.with_context(|| program.stderr())?, program })
    }

    /// The body of a page.
    pub fn get(&self, path: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let (head, body) = text.split_once("\r\n\r\n").context("no head")?;
        ensure!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        Ok(body.to_owned())
    }
}

/// Arguments of a tool whose rule bounds the recipient.
fn schema() -> Value {
    json!({ "type": "object", "required": ["to", "body"],
        "properties": { "to": { "type": "string", "format": "email" }, "body": { "type": "string" } } })
}

/// The page of the tool, as programs read it.
fn page(data: &Path, folder: &Path) -> anyhow::Result<Value> {
    let tool = json!({ "server": "acme/mailer", "name": "send_email", "description": "Send an e-mail to somebody", "input_schema": schema() });
    let file = folder.join("tools.jsonl");
    std::fs::write(&file, format!("{tool}\n"))?;
    let imported =
        Command::new(EXE).args(["catalogue", "import", "--tools"]).arg(file).arg("--data").arg(data).output()?;
    ensure!(imported.status.success(), "{imported:?}");
    Ok(serde_json::from_str(&Pages::start(data)?.get("/s/acme/acme-mailer/send_email/index.json")?)?)
}

/// The words of a refusal, without what is different each time.
fn gist(text: &str) -> &str {
    text.split(" (rule").next().unwrap_or(text).split("; it frees").next().unwrap_or(text)
}

#[test]
fn calls_go_as_the_page_of_their_tool_says() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    let page = page(&folder.path().join("catalogue"), folder.path())?;
    let of = |kind: &str| {
        let variants = page.pointer("/text/variants").and_then(Value::as_array).into_iter().flatten();
        variants
            .into_iter()
            .find(|one| one.get("kind").and_then(Value::as_str) == Some(kind))
            .context("no such variant")
    };
    let samples = page.pointer("/text/samples").and_then(Value::as_array).context("no samples")?;
    assert!(samples.len() >= 3, "{samples:?}");
    // Each sample under the recommended rule, with counts of its own.
    for sample in samples {
        let upstream = Upstream::start(Script::with([Tool::named("send_email").schema(schema())]))?;
        let policy = of("patch")?.get("document").context("no document")?;
        let setup = toolgate()?.policy(policy)?;
        let checked = Command::new(EXE).args(["policy", "check"]).arg(setup.policy_file()).output()?;
        ensure!(checked.status.success(), "{checked:?}");
        let toolgate = setup.upstream(&upstream.url()).serve()?;
        let client = toolgate.legacy()?;
        let calls = sample.get("calls").and_then(Value::as_u64).context("no number of calls")?;
        let arguments = sample.get("arguments").context("no arguments")?;
        for _ in 1..calls {
            assert!(client.call("send_email", arguments.clone())?.is_done(), "{sample}");
        }
        let outcome = client.call("send_email", arguments.clone())?;
        let verdict = sample.get("verdict").and_then(Value::as_str).context("no verdict")?;
        match verdict {
            "allow" => assert!(outcome.is_done(), "{sample}: {outcome:?}"),
            "limit" => assert!(outcome.is_limited(), "{sample}: {outcome:?}"),
            _ => assert!(outcome.is_denied(), "{sample}: {outcome:?}"),
        }
        if let (Some(told), Outcome::Denied { text, .. }) = (sample.get("told").and_then(Value::as_str), &outcome) {
            assert_eq!(gist(told), gist(text));
        }
        let arrived = if verdict == "allow" { calls } else { calls - 1 };
        assert_eq!(upstream.called().len() as u64, arrived, "{sample}");
    }
    Ok(())
}

#[test]
fn the_other_policies_of_a_page_stop_every_call() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    let page = page(&folder.path().join("catalogue"), folder.path())?;
    let variants = page.pointer("/text/variants").and_then(Value::as_array).context("no variants")?;
    for variant in variants.iter().filter(|one| one.get("kind").and_then(Value::as_str) != Some("patch")) {
        let upstream = Upstream::start(Script::with([
            Tool::named("send_email").schema(schema()),
            Tool::named("list_emails").schema(json!({ "type": "object" })),
        ]))?;
        let policy = variant.get("document").context("no document")?;
        let toolgate = toolgate()?.policy(policy)?.upstream(&upstream.url()).serve()?;
        let client = toolgate.legacy()?;
        let outcome = client.call("send_email", json!({ "to": "ann@example.com", "body": "hello" }))?;
        assert!(outcome.is_denied() || outcome.is_unknown_tool(), "{variant}: {outcome:?}");
        assert!(client.call("list_emails", json!({}))?.is_done(), "the rest of the server stays as it is");
        assert_eq!(upstream.called(), ["list_emails"]);
    }
    Ok(())
}
