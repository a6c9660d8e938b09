//! The fixture over stdio: what the suite, which speaks HTTP, does not see.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails where it stands")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    id: u64,
}

impl Client {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fixture"));
        command.arg("--stdio").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout, id: 0 }
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.stdin.as_mut().unwrap(), "{message}").unwrap();
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        let id = self.id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let answer = self.next();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "the fixture ended");
        serde_json::from_str(&line).unwrap()
    }

    fn initialize(&mut self) {
        self.initialize_with(json!({}));
    }

    fn initialize_with(&mut self, capabilities: Value) {
        let client = json!({ "name": "test", "version": "1" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client });
        let answer = self.ask("initialize", params);
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stdin = None;
        let status = self.child.wait().unwrap();
        if !std::thread::panicking() {
            assert!(status.success(), "{status}");
        }
    }
}

#[test]
fn pages_hold_the_whole_list_once() {
    let mut whole = Client::start(&[]);
    whole.initialize();
    let whole = whole.ask("tools/list", json!({}))["result"].clone();
    assert_eq!(whole.get("nextCursor"), None);

    let mut paged = Client::start(&["--page", "7"]);
    paged.initialize();
    let (mut tools, mut params) = (Vec::new(), json!({}));
    loop {
        let page = paged.ask("tools/list", params)["result"].clone();
        let some = page["tools"].as_array().unwrap();
        assert!((1..=7).contains(&some.len()));
        tools.extend(some.iter().cloned());
        match page.get("nextCursor") {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => break,
        }
    }
    assert_eq!(Value::Array(tools), whole["tools"]);
    assert_eq!(paged.ask("tools/list", json!({ "cursor": "x" }))["error"]["code"], -32602);
}

#[test]
fn a_call_has_its_result_and_an_unknown_tool_its_error() {
    let mut client = Client::start(&[]);
    client.initialize();
    let call = json!({ "name": "test_simple_text", "arguments": {} });
    let answer = client.ask("tools/call", call);
    assert_eq!(answer["result"]["content"][0]["text"], "This is a simple text response for testing.");
    let answer = client.ask("tools/call", json!({ "name": "no_such_tool" }));
    assert_eq!(answer["error"]["code"], -32602);
    // A client that declared nothing is not asked anything.
    let answer = client.ask("tools/call", json!({ "name": "test_roots" }));
    assert_eq!(answer["result"]["isError"], true);
}

#[test]
fn a_request_of_the_newest_revision_needs_no_session() {
    let mut client = Client::start(&[]);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
    });
    let answer = client.ask("server/discover", json!({ "_meta": meta }));
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    let call = json!({ "name": "test_input_required_result_elicitation", "arguments": {}, "_meta": meta });
    let answer = client.ask("tools/call", call);
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    assert!(answer["result"]["inputRequests"]["user_name"].is_object());
}

#[test]
fn a_tool_asks_in_both_eras_and_says_the_same() {
    let capabilities = json!({ "elicitation": {}, "sampling": {}, "roots": {} });
    let call = json!({ "name": "test_input_required_result_multi_round", "arguments": {} });
    let answers = [("name", "Ann"), ("color", "red")]
        .map(|(field, said)| json!({ "action": "accept", "content": { field: said } }));

    let mut client = Client::start(&["--era", "legacy"]);
    client.initialize_with(capabilities.clone());
    client.send(&json!({ "jsonrpc": "2.0", "id": 100, "method": "tools/call", "params": call }));
    for answer in &answers {
        let question = client.next();
        assert_eq!(question["method"], "elicitation/create");
        client.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": answer }));
    }
    let legacy = client.next();
    assert_eq!(legacy["result"]["content"][0]["text"], "Ann likes red.", "{legacy}");

    let mut client = Client::start(&["--era", "modern"]);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    });
    let mut params = call;
    params["_meta"] = meta;
    let mut result = client.ask("tools/call", params.clone())["result"].clone();
    for answer in &answers {
        let key = result["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
        params["inputResponses"] = json!({ key: answer });
        params["requestState"] = result["requestState"].clone();
        result = client.ask("tools/call", params.clone())["result"].clone();
    }
    assert_eq!(result["content"], legacy["result"]["content"], "{result}");
}

#[test]
fn one_era_alone_refuses_the_other() {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut modern = Client::start(&["--era", "modern"]);
    let discovered = modern.ask("server/discover", json!({ "_meta": meta }));
    assert_eq!(discovered["result"]["supportedVersions"], json!(["2026-07-28"]), "{discovered}");
    assert!(modern.ask("tools/list", json!({ "_meta": meta }))["result"]["tools"].is_array());
    let mut legacy = Client::start(&["--era", "legacy"]);
    legacy.initialize();
    assert!(legacy.ask("tools/list", json!({ "_meta": meta }))["error"].is_object());
}

#[test]
fn a_task_asks_and_ends() {
    let mut client = Client::start(&[]);
    let meta = |extensions: Value| {
        json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": {}, "extensions": extensions },
        })
    };
    let follows = meta(json!({ "io.modelcontextprotocol/tasks": {} }));
    let call = json!({ "name": "multi_input", "arguments": {} });
    // Whoever cannot follow a task is given none.
    let with = |meta: &Value, mut params: Value| {
        params["_meta"] = meta.clone();
        params
    };
    assert_eq!(client.ask("tools/call", with(&meta(json!({})), call.clone()))["error"]["code"], -32021);
    let task = client.ask("tools/call", with(&follows, call))["result"].clone();
    assert_eq!(task["resultType"], "task", "{task}");
    let named = json!({ "taskId": task["taskId"] });
    let asked = loop {
        let state = client.ask("tasks/get", with(&follows, named.clone()))["result"].clone();
        // One question may come a moment after the other.
        if state["inputRequests"].as_object().is_some_and(|asked| asked.len() == 2) {
            break state;
        }
    };
    assert_eq!(asked["status"], "input_required");
    let mut answers = named.clone();
    answers["inputResponses"] = json!({
        "name": { "action": "accept", "content": { "name": "Ann" } },
        "confirm": { "action": "accept", "content": { "confirm": true } },
    });
    assert!(client.ask("tasks/update", with(&follows, answers))["result"].is_object());
    let end = loop {
        let state = client.ask("tasks/get", with(&follows, named.clone()))["result"].clone();
        if state["status"] != "working" {
            break state;
        }
    };
    assert!(end["result"]["content"][0]["text"].as_str().unwrap().contains("Ann"), "{end}");
}
