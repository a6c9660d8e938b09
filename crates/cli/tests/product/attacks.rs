//! The attack inputs, each against the oracle that its verdict names: what arrived upstream.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::attacks::{self, Attack};
use testkit::client::{McpHttp, raw, statuses};
use testkit::decode;
use testkit::figures::attacks_held;
use testkit::message::{self, LEGACY, MODERN, request};
use testkit::record::Recorded;
use testkit::script::{Script, Tool};
use testkit::tee;
use testkit::toolgate::{TOKEN, Toolgate};
use testkit::upstream::Upstream;

use crate::setup::{allow, recording, toolgate};

/// Inputs in which hyper finds two requests, and nobody else reads the bytes to find others: the
/// first is refused, the second is judged like any that comes second on its connection.
const TWO_REQUESTS: [&str; 2] = ["http/frame19", "http/line16"];

/// How long a peer may be silent before an attacker stops waiting.
const QUIET: Duration = Duration::from_millis(150);

/// A server with a policy that allows one tool, warmed up so that all that the gateway asks of
/// its own accord has been asked.
struct Target {
    tool: &'static str,
    upstream: Upstream,
    client: McpHttp,
    markers: u64,
}

impl Target {
    fn new(toolgate: &Toolgate, id: &str, tool: &'static str, upstream: Upstream) -> anyhow::Result<Self> {
        let client = McpHttp::legacy(toolgate.url_of(id)?, None)?;
        let mut target = Self { tool, upstream, client, markers: 0 };
        target.client.tools()?;
        target.mark()?;
        Ok(target)
    }

    /// A call that is allowed and arrives: what was sent before it has been dealt with.
    fn mark(&mut self) -> anyhow::Result<()> {
        self.markers += 1;
        let marker = if self.tool == "charge" { json!({ "amount": 1 }) } else { json!({ "marker": self.markers }) };
        let outcome = self.client.call(self.tool, marker)?;
        ensure!(outcome.is_done(), "the marker gave {outcome:?}");
        Ok(())
    }

    /// What arrived because of `attack`.
    fn arrived(&mut self, attack: impl FnOnce(&McpHttp) -> anyhow::Result<()>) -> anyhow::Result<Vec<Recorded>> {
        let before = self.upstream.requests().len();
        attack(&self.client)?;
        self.mark()?;
        let mut arrived = self.upstream.requests().split_off(before);
        let marker = arrived.pop().context("the marker did not arrive")?;
        ensure!(marker.tool().as_deref() == Some(self.tool), "the marker is not the last that arrived");
        Ok(arrived)
    }
}

/// The tool that an input is about.
fn tool_of(attack: &Attack) -> &'static str {
    let text = String::from_utf8_lossy(&attack.bytes);
    match () {
        () if text.contains(r#""name":"charge""#) => "charge",
        () if text.contains(r#""name":"r""#) => "r",
        () => "read_file",
    }
}

/// Whether an answer says no.
fn says_no(status: u16, messages: &[Value]) -> bool {
    let one =
        |message: &Value| message.get("error").is_some() || message.pointer("/result/isError") == Some(&json!(true));
    status >= 400 || (!messages.is_empty() && messages.iter().all(one))
}

const CONFIG: &str = r#"
listen = "127.0.0.1:0"

[servers.files]
url = "FILES"
policy = "read_file.json"

[servers.charge]
url = "CHARGE"
policy = "charge.json"
numbers = "exact"

[servers.schema]
url = "SCHEMA"
policy = "charge.json"

[servers.r]
url = "R"
policy = "r.json"
"#;

#[test]
fn hostile_messages_over_http() -> anyhow::Result<()> {
    let Some(attacks) = attacks::load("jsonrpc")? else { return Ok(()) };
    let schema = json!({ "type": "object", "properties": { "amount": { "type": "number" } } });
    let plain = || Upstream::start(Script::default());
    let (files, charge, r) = (plain()?, plain()?, plain()?);
    let checked = Upstream::start(Script::with([Tool::named("charge").schema(schema)]))?;
    let setup = toolgate()?;
    let mut config = CONFIG.to_owned();
    for (word, upstream) in [("FILES", &files), ("CHARGE", &charge), ("SCHEMA", &checked), ("\"R\"", &r)] {
        config = config.replace(word, &if word == "\"R\"" { format!("{:?}", upstream.url()) } else { upstream.url() });
    }
    for id in ["files", "charge", "schema", "r"] {
        config.push_str(&format!("\n[[grants]]\nlabel = \"any\"\nserver = \"{id}\"\nanonymous = true\n"));
    }
    for tool in ["read_file", "charge", "r"] {
        setup.file(&format!("{tool}.json"), &allow(&[tool]).to_string())?;
    }
    let toolgate = setup.config(&config)?.serve()?;
    let mut files = Target::new(&toolgate, "files", "read_file", files)?;
    let mut charge = Target::new(&toolgate, "charge", "charge", charge)?;
    let mut checked = Target::new(&toolgate, "schema", "charge", checked)?;
    let mut r = Target::new(&toolgate, "r", "r", r)?;

    let mut wrong = Vec::new();
    let mut pairs = Vec::new();
    for attack in &attacks {
        let target = match tool_of(attack) {
            _ if attack.id.ends_with("alias-args-schema") => &mut checked,
            "charge" => &mut charge,
            "r" => &mut r,
            _ => &mut files,
        };
        let mut answer = None;
        let arrived = target.arrived(|client| {
            answer = Some(client.post(&attack.bytes)?);
            Ok(())
        });
        let arrived = arrived.with_context(|| attack.id.clone())?;
        let answer = answer.context("no answer")?;
        let no = says_no(answer.status(), &answer.messages());
        let told = || format!("{} ({}): {} {}", attack.id, attack.why, answer.status(), answer.text());
        match attack.expect.as_str() {
            "reject" if !arrived.is_empty() => wrong.push(format!("arrived: {}", told())),
            "reject" if !no => wrong.push(format!("was not refused: {}", told())),
            "reject" => {}
            "canonical" if arrived.len() != 1 => wrong.push(format!("arrived {} times: {}", arrived.len(), told())),
            "canonical" if no => wrong.push(format!("was refused: {}", told())),
            "canonical" => pairs.extend(arrived.into_iter().map(|request| (attack, request.body))),
            other => wrong.push(format!("{}: no oracle for {other}", attack.id)),
        }
    }
    wrong.extend(read_otherwise(&pairs)?);
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), attacks.len(), wrong.join("\n"));
    attacks_held("messages over HTTP", attacks.len())
}

/// The inputs from which some language reads another call than from what arrived.
fn read_otherwise(pairs: &[(&Attack, Vec<u8>)]) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for language in decode::languages()? {
        let sent = language.calls(&pairs.iter().map(|(attack, _)| attack.bytes.clone()).collect::<Vec<_>>())?;
        let came = language.calls(&pairs.iter().map(|(_, body)| body.clone()).collect::<Vec<_>>())?;
        for (((attack, _), sent), came) in pairs.iter().zip(sent).zip(came) {
            if sent != came || !sent.is_string() {
                wrong.push(format!("{} reads {sent} from {} and {came} from what arrived", language.name, attack.id));
            }
        }
    }
    Ok(wrong)
}

#[test]
fn hostile_messages_over_stdio() -> anyhow::Result<()> {
    let Some(attacks) = attacks::load("jsonrpc")? else { return Ok(()) };
    let mut sent = 0;
    for tool in ["read_file", "charge", "r"] {
        let setup = toolgate()?.policy(&allow(&[tool]))?;
        let (words, record) = recording(&setup, &Script::default())?;
        let mut run = setup.program(words).run()?;
        run.client.initialize()?;
        run.client.tools()?;
        let mut expected = Vec::new();
        // A line feed ends a message here: such an input is two messages, each of them plain.
        let lines = attacks.iter().filter(|attack| tool_of(attack) == tool && !attack.bytes.contains(&b'\n'));
        for attack in lines {
            // Without a configuration numbers are binary64: what is exact may pass or not.
            if attack.id.contains("numexact") {
                continue;
            }
            run.client.line(&attack.bytes)?;
            sent += 1;
            if attack.expect == "canonical" {
                // Most of them use the same id, so each has to be answered before the next.
                run.client.next_that(&attack.id, |message| message.get("method").is_none())?;
            }
            let marker = run.client.call(tool, json!({ "marker": true }))?;
            assert!(marker.is_done(), "{}: {marker:?}", attack.id);
            if attack.expect == "canonical" {
                expected.push(attack.bytes.clone());
            }
        }
        let mut came = tee::events(&record).into_iter().filter_map(|event| match event {
            tee::Event::Line(line) if line.contains("tools/call") || line.contains("\"r\"") => Some(line.into_bytes()),
            _ => None,
        });
        let came: Vec<_> = came.by_ref().filter(|line| !String::from_utf8_lossy(line).contains("marker")).collect();
        let show =
            |lines: &[Vec<u8>]| lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect::<Vec<_>>();
        for language in decode::languages()? {
            assert_eq!(
                language.calls(&came)?,
                language.calls(&expected)?,
                "{:#?}\nagainst {:#?}",
                show(&came),
                show(&expected)
            );
        }
        let methods: Vec<_> =
            tee::messages(&record).iter().map(|said| said["method"].as_str().unwrap_or_default().to_owned()).collect();
        let foreign = |method: &&String| {
            !matches!(
                method.as_str(),
                "initialize" | "notifications/initialized" | "tools/list" | "tools/call" | "ping"
            )
        };
        assert_eq!(methods.iter().filter(foreign).count(), 0, "{methods:?}");
    }
    attacks_held("messages over stdio, those that are one line", sent)
}

#[test]
fn header_fields_that_must_not_reach_a_server() -> anyhow::Result<()> {
    let Some(attacks) = attacks::load("header")? else { return Ok(()) };
    for (script, revision) in [(Script::default(), LEGACY), (Script::default().modern(), MODERN)] {
        let upstream = Upstream::start(script)?;
        let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
        let client = if revision == MODERN { toolgate.modern()? } else { toolgate.legacy()? };
        assert!(client.call("read_file", json!({}))?.is_done());
        let mut wrong = Vec::new();
        for attack in attacks.iter().filter(|attack| attack.expect == "strip") {
            let word = |member: &str| attack.data.get(member).and_then(Value::as_str).unwrap_or_default();
            let (name, value) = (word("name"), word("value"));
            let before = upstream.calls().len();
            let params = json!({ "name": "read_file", "arguments": {} });
            let (params, mut extra) = match revision {
                MODERN => (message::modern(params), vec![("Mcp-Method", "tools/call"), ("Mcp-Name", "read_file")]),
                _ => (params, Vec::new()),
            };
            extra.push((name, value));
            let answer = client.post_with(&extra, request(client.id(), "tools/call", params).to_string().as_bytes())?;
            let came = upstream.calls().split_off(before);
            // These are refused outright, which is another way of not arriving.
            let may_refuse = ["authorization", "host", "origin", "transfer-encoding", "upgrade", "connection"];
            if came.is_empty() && !may_refuse.contains(&name.to_ascii_lowercase().as_str()) {
                wrong.push(format!("{}: the call did not arrive: {} {}", attack.id, answer.status(), answer.text()));
            }
            let evil = came.iter().flat_map(|request| &request.headers.0).filter(|(_, value)| value.contains("evil"));
            wrong.extend(evil.map(|(name, value)| format!("{}: {name}: {value} arrived", attack.id)));
        }
        assert!(wrong.is_empty(), "{revision}\n{}", wrong.join("\n"));
        let raw = upstream.raw().concat();
        assert!(!String::from_utf8_lossy(&raw).contains("evil"), "evil is in the bytes that arrived");
    }
    attacks_held("header fields, in both eras", attacks.iter().filter(|attack| attack.expect == "strip").count())
}

#[test]
fn headers_and_body_that_disagree() -> anyhow::Result<()> {
    let Some(attacks) = attacks::load("header")? else { return Ok(()) };
    let upstream = Upstream::start(Script::default().both_eras())?;
    let policy = allow(&["read_file", "delete_file"]);
    let toolgate = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
    let client = toolgate.modern()?;
    assert!(client.call("read_file", json!({}))?.is_done());
    for attack in attacks.iter().filter(|attack| attack.expect == "reject") {
        let before = upstream.requests().len();
        let named = attack.data.get("body_name").and_then(Value::as_str).unwrap_or_default();
        let name = if named == "tools/call" { "read_file" } else { named };
        let params = message::modern(json!({ "name": name, "arguments": {} }));
        let headers = attack.data.get("headers").and_then(Value::as_object).context("no headers")?;
        let extra: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())).collect();
        let answer = client.post_with(&extra, request(client.id(), "tools/call", params).to_string().as_bytes())?;
        let told = format!("{} ({}): {} {}", attack.id, attack.why, answer.status(), answer.text());
        assert_eq!(answer.status(), 400, "{told}");
        assert_eq!(answer.error_code(), Some(-32020), "{told}");
        assert_eq!(upstream.requests().len(), before, "{told}");
    }
    let disagree = attacks.iter().filter(|attack| attack.expect == "reject").count();
    attacks_held("header fields that say something else than the body", disagree)
}

#[test]
fn hostile_http() -> anyhow::Result<()> {
    let Some(attacks) = attacks::load("http")? else { return Ok(()) };
    let upstream = Upstream::start(Script::default().sessionless())?;
    let setup = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url());
    let toolgate = setup.options(["--allow-host", "gw"]).serve()?;
    let client = toolgate.client()?;
    client.tools()?;
    let mut wrong = Vec::new();
    for attack in &attacks {
        let bytes = replace(&attack.bytes, "@TOKEN@", TOKEN);
        // What is smuggled behind the first request calls a tool that is denied. The same with
        // one that is allowed, in as many bytes, would arrive if it were read as a request.
        let smuggled = replace(&bytes, r#""delete_file""#, r#""read_file"  "#);
        let tried = if TWO_REQUESTS.contains(&attack.id.as_str()) { vec![&bytes] } else { vec![&bytes, &smuggled] };
        for bytes in tried {
            assert!(client.call("read_file", json!({ "marker": true }))?.is_done());
            let before = upstream.requests().len();
            let answer = raw(toolgate.address()?, bytes, QUIET).with_context(|| attack.id.clone())?;
            assert!(client.call("read_file", json!({ "marker": true }))?.is_done());
            let mut came = upstream.requests().split_off(before);
            came.pop();
            let statuses = statuses(&answer);
            let told = || format!("{} ({}): {statuses:?}\n{}", attack.id, attack.why, String::from_utf8_lossy(&answer));
            if attack.expect == "canonical" {
                let lists = came.iter().filter(|request| request.rpc() == "tools/list").count();
                if lists != 1 || statuses != [200] {
                    wrong.push(format!("arrived {lists} times: {}", told()));
                }
            } else {
                if !came.is_empty() {
                    let came: Vec<_> = came.iter().map(|request| String::from_utf8_lossy(&request.body)).collect();
                    wrong.push(format!("{came:?} arrived: {}", told()));
                }
                if statuses.first().is_some_and(|status| *status < 400) {
                    wrong.push(format!("was not refused: {}", told()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    attacks_held("requests of HTTP", attacks.len())
}

/// Two servers behind one address, with names that look alike: each name that is listed calls one tool of one server.
#[test]
fn names_that_look_alike() -> anyhow::Result<()> {
    let Some(attacks) = attacks::load("names")? else { return Ok(()) };
    for attack in &attacks {
        let word = |which: &str, member: &str| attack.data.pointer(&format!("/{which}/{member}"))?.as_str();
        let of = |which| Some((word(which, "server")?, word(which, "tool")?));
        let (Some(a), Some(b)) = (of("a"), of("b")) else { anyhow::bail!("{}: no names", attack.id) };
        let mut servers: Vec<(&str, Vec<Tool>)> = vec![(a.0, vec![Tool::named(a.1)])];
        match servers.iter_mut().find(|(server, _)| *server == b.0) {
            Some((_, tools)) => tools.push(Tool::named(b.1)),
            None => servers.push((b.0, vec![Tool::named(b.1)])),
        }
        let setup = toolgate()?;
        setup.file("open.json", &json!({ "version": "1", "default": "allow" }).to_string())?;
        let (mut config, mut upstreams) = ("listen = \"127.0.0.1:0\"\n".to_owned(), Vec::new());
        for (server, tools) in servers {
            let upstream = Upstream::start(Script::with(tools).sessionless())?;
            config.push_str(&format!("[servers.{server}]\nurl = \"{}\"\npolicy = \"open.json\"\n", upstream.url()));
            upstreams.push((server, upstream));
        }
        let ids: Vec<&str> = upstreams.iter().map(|(server, _)| *server).collect();
        config.push_str(&format!("[[grants]]\nlabel = \"any\"\nservers = {ids:?}\nanonymous = true\n"));
        let toolgate = match setup.config(&config)?.serve() {
            Ok(toolgate) => toolgate,
            // An id with the separator in it is none.
            Err(refused) => {
                ensure!(ids.iter().any(|id| id.contains("__")), "{}: {refused:#}", attack.id);
                continue;
            }
        };
        let client = McpHttp::legacy(&format!("http://{}/mcp", toolgate.address()?), None)?;
        let names = client.tools()?;
        let mut reached = Vec::new();
        for name in &names {
            let before: Vec<usize> = upstreams.iter().map(|(_, upstream)| upstream.called().len()).collect();
            client.call(name, json!({}))?;
            for ((server, upstream), before) in upstreams.iter().zip(before) {
                reached.extend(upstream.called().split_off(before).into_iter().map(|tool| (*server, tool)));
            }
        }
        let told = format!("{}: {names:?} reached {reached:?}", attack.id);
        ensure!(reached.len() == names.len() && !names.is_empty(), "{told}");
        ensure!(names.iter().collect::<HashSet<_>>().len() == names.len(), "{told}");
        ensure!(reached.iter().collect::<HashSet<_>>().len() == names.len(), "{told}");
        for (name, (server, tool)) in names.iter().zip(&reached) {
            ensure!(name.starts_with(&format!("{server}__")), "{told}");
            ensure!([a, b].contains(&(server, tool.as_str())), "{told}");
        }
    }
    attacks_held("names that look alike, in a stack", attacks.len())
}

fn replace(bytes: &[u8], old: &str, new: &str) -> Vec<u8> {
    // Latin-1 there and back: some inputs are not UTF-8.
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    text.replace(old, new).chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
}
