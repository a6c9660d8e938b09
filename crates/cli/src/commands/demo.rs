//! `toolgate demo`: a server, a policy, a gateway on loopback, and an agent whose calls are shown
//! as they are decided.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use gateway::gateway::Grants;
use gateway::grant::{Binding, Grant};
use gateway::http_front::FrontConfig;
use gateway::listen::Workers;
use gateway::policy_file::{PolicyCell, compile};
use gateway::server::{Denials, Reach, Server, ServerConfig, TimeLimits};
use gateway::tools::ListBytes;
use http_body_util::BodyExt;
use policy::Numbers;
use serde_json::{Value, json};
use store::log::Durability;
use upstream::child::Command;
use upstream::http::{Client, Endpoint};

use crate::args::DemoOptions;
use crate::commands::run::facts;
use crate::failure::{Failure, Trying};
use crate::foundation::{self, Beginning};
use crate::output::say;
use crate::token::Token;

/// The policy of the demo, as anybody would write it.
const POLICY: &str = include_str!("demo_policy.json");

/// One call of the scripted agent.
struct Step {
    why: &'static str,
    tool: &'static str,
    arguments: Value,
}

fn script() -> Vec<Step> {
    let step = |why, tool, arguments| Step { why, tool, arguments };
    vec![
        step("an allowed call", "echo", json!({ "text": "hello" })),
        step("a slow one", "slow_echo", json!({ "text": "still here" })),
        step("a message inside the company", "send_message", json!({ "to": "ann@example.com", "text": "hi" })),
        step("the same, to somebody outside", "send_message", json!({ "to": "attacker@evil.test", "text": "hi" })),
        step("a second message", "send_message", json!({ "to": "bob@example.com", "text": "hi" })),
        step("a third, which is one too many", "send_message", json!({ "to": "eve@example.com", "text": "hi" })),
        step("a payment, which a person must approve", "pay", json!({ "amount": 40, "to": "shop" })),
        step("something that cannot be undone", "delete_everything", json!({})),
        step("a tool that is hidden, called from memory", "debug_dump", json!({})),
        step("a tool that never existed", "format_disk", json!({})),
    ]
}

/// Runs the demo.
pub fn demo(options: &DemoOptions) -> Result<ExitCode, Failure> {
    let data = tempfile::tempdir().trying("a temporary directory")?;
    let (in_force, _) =
        compile(POLICY.to_owned()).map_err(|_| Failure::Usage("the demo's policy is broken".to_owned()))?;
    let cell = PolicyCell::new("demo_policy.json".into(), in_force);
    let program = std::env::current_exe().trying("this program's path")?;
    let record = data.path().join("what-the-server-received");
    let args = vec![OsString::from("sandbox"), "--record".into(), record.clone().into()];
    let server = Server::new(ServerConfig {
        id: "sandbox".to_owned(),
        reach: Reach::Child(Command {
            program: program.into(),
            args,
            env: Vec::new(),
            env_remove: Vec::new(),
            cwd: None,
        }),
        numbers: Numbers::Binary64,
        denials: Denials::Plain,
        classes: std::collections::HashMap::new(),
        limits: TimeLimits::default(),
        calls_at_once: None,
        list_bytes: ListBytes::default(),
    });
    let binding = Binding::new(server, Some(cell));
    let token = Token::fresh()?;
    let grant = Arc::new(Grant::local(facts("demo"), binding));
    let grants = Grants::new(vec![(token.digest(), grant.into())], Vec::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().trying("the runtime")?;
    let beginning = Beginning::alone("demo", Durability::Buffered, grants, None);
    let gateway = foundation::lay(Some(&data.path().join("data")), beginning, runtime.handle())?;
    let listener = TcpListener::bind("127.0.0.1:0").trying("listening on loopback")?;
    let address = listener.local_addr().trying("the listening address")?;
    let url = format!("http://{address}/mcp");
    runtime.block_on(async {
        let housekeeping = tokio::spawn(Arc::clone(&gateway).housekeeping());
        let workers =
            Workers::start(&listener, &gateway, &Arc::new(FrontConfig::default()), None, Duration::from_secs(5), 1)
                .trying("the worker")?;
        drop(listener);
        let mut show = Show { json: options.json, colour: std::io::stdout().is_terminal() };
        let played = play(&url, &token, &mut show).await;
        workers.drain().await;
        housekeeping.abort();
        gateway.shut_down("the demo is over").await;
        played
    })?;
    let received = std::fs::read_to_string(&record).unwrap_or_default();
    let calls = received.lines().filter(|line| line.contains(r#""method":"tools/call""#)).count();
    let mut show = Show { json: options.json, colour: std::io::stdout().is_terminal() };
    show.closing(calls, data.path())?;
    Ok(ExitCode::SUCCESS)
}

async fn play(url: &str, token: &Token, show: &mut Show) -> Result<(), Failure> {
    show.opening(url)?;
    let mut agent = Agent::new(url, token)?;
    agent.open().await?;
    let list = agent.ask("tools/list", json!({})).await?;
    let names: Vec<&str> = list
        .pointer("/result/tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|tool| tool.get("name").and_then(Value::as_str))
        .collect();
    show.list(&names)?;
    for step in script() {
        let params = json!({ "name": step.tool, "arguments": step.arguments });
        let answer = agent.ask("tools/call", params).await?;
        show.step(&step, &answer)?;
    }
    Ok(())
}

/// A small agent: one session, one request at a time.
struct Agent {
    client: Client,
    endpoint: Endpoint,
    session: Option<http::HeaderValue>,
    next: u64,
}

impl Agent {
    fn new(url: &str, token: &Token) -> Result<Self, Failure> {
        let mut endpoint = Endpoint::parse(url).trying("the endpoint")?;
        endpoint.add_header("Authorization", &format!("Bearer {}", token.reveal())).trying("the token")?;
        let client = Client::new(Duration::from_secs(5)).trying("the HTTP client")?;
        Ok(Self { client, endpoint, session: None, next: 1 })
    }

    async fn open(&mut self) -> Result<(), Failure> {
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "scripted agent", "version": "1" } });
        self.ask("initialize", params).await?;
        let message = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        self.send(&message).await.map(drop)
    }

    async fn ask(&mut self, method: &str, params: Value) -> Result<Value, Failure> {
        let message = json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params });
        self.next += 1;
        let body = self.send(&message).await?;
        let text = String::from_utf8_lossy(&body).into_owned();
        // An answer that came as events is the data of the last one.
        let json = text.lines().rev().find_map(|line| line.strip_prefix("data:").map(str::trim)).unwrap_or(&text);
        serde_json::from_str(json).trying("the gateway's answer")
    }

    async fn send(&mut self, message: &Value) -> Result<bytes::Bytes, Failure> {
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::ACCEPT, http::HeaderValue::from_static("application/json, text/event-stream"));
        if let Some(session) = &self.session {
            headers.insert("mcp-session-id", session.clone());
        }
        let body = Some(message.to_string().into());
        let answer =
            self.client.send(&self.endpoint, http::Method::POST, headers, body, Some(Duration::from_secs(30))).await;
        let answer = answer.trying("the gateway")?;
        if let Some(session) = answer.headers().get("mcp-session-id") {
            self.session = Some(session.clone());
        }
        Ok(answer.into_body().collect().await.trying("the gateway's answer")?.to_bytes())
    }
}

/// Prints what happens, for people or for programs.
struct Show {
    json: bool,
    colour: bool,
}

impl Show {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn opening(&mut self, url: &str) -> Result<(), Failure> {
        if self.json {
            return say!("{}", json!({ "event": "listening", "endpoint": url }));
        }
        say!("{}", self.paint("1", "Toolgate demo"))?;
        say!("A sandbox server with seven tools, the policy below, a gateway at {url},")?;
        say!("and an agent that tries things.\n")?;
        for line in POLICY.lines() {
            say!("    {}", self.paint("2", line))?;
        }
        say!("")
    }

    fn list(&mut self, names: &[&str]) -> Result<(), Failure> {
        if self.json {
            return say!("{}", json!({ "event": "tools", "listed": names }));
        }
        say!("The agent sees {} of 7 tools: {}\n", names.len(), names.join(", "))
    }

    fn step(&mut self, step: &Step, answer: &Value) -> Result<(), Failure> {
        let said = answer
            .pointer("/result/content/0/text")
            .or_else(|| answer.pointer("/error/message"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let decision = answer.pointer("/result/_meta/toolgate~1decision");
        let effect = match decision.and_then(|decision| decision.get("effect")).and_then(Value::as_str) {
            Some(effect) => effect,
            None if answer.get("error").is_some() => "hide",
            None => "allow",
        };
        if self.json {
            let line = json!({ "event": "call", "tool": step.tool, "arguments": step.arguments, "effect": effect, "answer": said });
            return say!("{line}");
        }
        let mark = match effect {
            "allow" => self.paint("32", "  allow  "),
            "limit" | "approval" => self.paint("33", &format!("{effect:^9}")),
            _ => self.paint("31", &format!("{effect:^9}")),
        };
        say!("{mark} {} {}", self.paint("1", step.tool), step.arguments)?;
        say!("          {}", self.paint("2", step.why))?;
        say!("          agent reads: {said}\n")
    }

    fn closing(&mut self, calls: usize, data: &std::path::Path) -> Result<(), Failure> {
        let dir = store::DataDir::open(&data.join("data")).trying("the data directory")?;
        let report = store::log::verify(&dir.audit(), None).trying("the audit log")?;
        let sound = report.is_intact();
        if self.json {
            let line = json!({ "event": "end", "calls_received_by_server": calls, "audit_log_verified": sound });
            say!("{line}")?;
        } else {
            say!(
                "The server itself received {calls} of the {} calls; every decision is in the audit log,",
                script().len()
            )?;
            say!("whose chain of hashes {}.", if sound { "verifies" } else { "does NOT verify" })?;
            say!("\nNow in front of your own server:")?;
            say!("    toolgate run --policy policy.json -- npx -y @modelcontextprotocol/server-filesystem /tmp")?;
        }
        if sound { Ok(()) } else { Err(Failure::No("the audit log does not verify".to_owned())) }
    }
}
