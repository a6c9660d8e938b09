//! The stack view: what flows between servers, and configurations that are pasted with all their secrets.
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use catalogue::import::{File, Holds, import};
use jiff::Timestamp;
use policy::Load;
use serde_json::{Value, json};
use store::DataDir;
use store::catalogue::{Catalogue, Visibility};
use tempfile::TempDir;
use web::{Audience, Site, Web};

fn servers() -> Vec<Value> {
    vec![
        json!({ "name": "Mailbox", "package": "mail-mcp", "registry": "npm", "repository": "https://github.com/acme/mail-mcp" }),
        json!({ "name": "Webfetch", "package": "fetch-mcp", "registry": "pypi", "repository": "https://github.com/acme/fetch-mcp" }),
        json!({ "name": "Shell", "package": "ghcr.io/acme/shell", "registry": "oci", "repository": "https://github.com/acme/shell" }),
        json!({ "name": "Pay", "url": "https://mcp.pay.test/mcp", "repository": "https://github.com/acme/pay" }),
        json!({ "name": "Sums", "package": "sums-mcp", "registry": "npm", "repository": "https://github.com/acme/sums" }),
        json!({ "name": "Posting", "repository": "https://github.com/acme/posting" }),
    ]
}

fn tools() -> Vec<Value> {
    let text = |name: &str| json!({ "type": "object", "properties": { name: { "type": "string", "description": "The text" } }, "required": [name] });
    let tool = |server: &str, name: &str, description: &str, schema: Value| json!({ "server": server, "name": name, "description": description, "input_schema": schema });
    vec![
        tool("acme/mail-mcp", "read_inbox", "Read the private messages of the user's inbox", text("folder")),
        tool("acme/mail-mcp", "list_mail_folders", "List the folders of the mailbox", text("account")),
        tool("acme/fetch-mcp", "fetch_page", "Fetch a web page from the internet and return its content", text("url")),
        tool("acme/shell", "run_command", "Run a shell command on the machine", text("command")),
        tool("acme/pay", "create_payment", "Pay an invoice: transfers money to an account", text("invoice")),
        tool("acme/pay", "delete_customer", "Permanently delete a customer and all data", text("id")),
        tool("acme/sums", "add_numbers", "Add two numbers", text("numbers")),
        tool("acme/posting", "send_email", "Send an email to any recipient", text("to")),
        tool("acme/posting", "read_inbox", "Read the private messages of an inbox", text("folder")),
    ]
}

/// A catalogue in a folder of its own.
async fn web(audience: Audience) -> (TempDir, Web) {
    let folder = TempDir::new().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    let catalogue = Catalogue::open(&data).await.unwrap();
    let hidden_server = json!({ "name": "Diary", "package": "diary-mcp", "registry": "npm", "repository": "https://github.com/home/diary" });
    let hidden_tool = json!({ "server": "home/diary", "name": "read_secret_diary", "description": "Read the private diary",
        "input_schema": { "type": "object" } });
    for (name, lines, holds, visibility) in [
        ("servers", servers(), Holds::Servers, Visibility::Public),
        ("tools", tools(), Holds::Tools, Visibility::Public),
        ("own-servers", vec![hidden_server], Holds::Servers, Visibility::Private),
        ("own-tools", vec![hidden_tool], Holds::Tools, Visibility::Private),
    ] {
        let path = folder.path().join(format!("{name}.jsonl"));
        std::fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        let counts = import(&catalogue, &File { path, holds, visibility }, 1, Timestamp::UNIX_EPOCH, &mut |_| {}).await;
        assert_eq!(counts.unwrap().broken, 0);
    }
    catalogue::index::rebuild(&catalogue, &data.search(), &mut |_| {}).await.unwrap();
    (folder, Web::new(Site::new(catalogue, &data.search(), audience, "", Vec::new())))
}

/// An answer.
#[derive(Debug)]
struct Said {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Said {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }
}

async fn said(web: &Web, request: Request<Body>) -> Said {
    let response = web.answer(request).await;
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Said { status: head.status, headers: head.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

async fn get(web: &Web, path: &str) -> Said {
    said(web, Request::get(path).header("host", "localhost").body(Body::empty()).unwrap()).await
}

/// The form, sent as a browser does.
async fn paste(web: &Web, config: &str) -> Said {
    let mut body = "s=&config=".to_owned();
    for byte in config.bytes() {
        body.push_str(&format!("%{byte:02X}"));
    }
    let request = Request::post("/stack/").header("host", "localhost");
    said(web, request.header("content-type", "application/x-www-form-urlencoded").body(Body::from(body)).unwrap()).await
}

fn flows(page: &Value) -> Vec<&str> {
    page["flows"].as_array().unwrap().iter().map(|flow| flow["pattern"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn flows_are_found_across_servers_and_only_there() {
    let (_folder, web) = web(Audience::Everybody).await;
    for (stack, wanted) in [
        ("mailbox", vec![]),
        ("posting", vec![]),
        ("mailbox,sums", vec![]),
        ("shell,webfetch", vec!["prompt-injection-via-tool-results"]),
        ("pay,webfetch", vec!["injected-deletion", "injected-payment"]),
        ("mailbox,posting,webfetch", vec!["data-exfiltration-via-tool-chaining"]),
    ] {
        let page = get(&web, &format!("/stack/index.json?s={stack}")).await.json();
        let found = flows(&page);
        assert!(wanted.iter().all(|pattern| found.contains(pattern)), "{stack}: {found:?}");
        assert!(!wanted.is_empty() || found.is_empty(), "{stack}: {found:?}");
        for flow in page["flows"].as_array().unwrap() {
            let who = flow["steps"].as_array().unwrap().iter().flat_map(|step| step["servers"].as_array().unwrap());
            let servers: std::collections::BTreeSet<&str> = who.map(|who| who["server"].as_str().unwrap()).collect();
            assert!(servers.len() > 1, "{flow}");
        }
    }
    let html = get(&web, "/stack/?s=shell,webfetch").await.text;
    for words in ["run_command", "fetch_page", "can run code", "reads what outsiders wrote", "What helps"] {
        assert!(html.contains(words), "{words} in {html}");
    }
}

#[tokio::test]
async fn the_page_counts_sorts_and_compares() {
    let (_folder, web) = web(Audience::Everybody).await;
    let page = get(&web, "/stack/index.json?s=mailbox,pay,posting,sums").await.json();
    assert_eq!(page["total"], 7, "{page}");
    let order = ["critical", "high", "medium", "low"];
    let rank = |row: &Value| order.iter().position(|word| row["severity"] == *word).unwrap();
    let rows = page["tools"].as_array().unwrap();
    assert!(rows.windows(2).all(|two| rank(&two[0]) <= rank(&two[1])), "{rows:?}");
    let sum: u64 = page["servers"].as_array().unwrap().iter().map(|row| row["tokens"].as_u64().unwrap()).sum();
    assert!(sum > 100 && page["tokens"] == sum, "{page}");
    let counted: u64 = page["classes"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counted, 7);
    let alike = &page["alike"][0];
    assert_eq!((alike["rule"].as_str(), alike["tool"]["name"].as_str()), (Some("same-name"), Some("read_inbox")));
    let markdown = get(&web, "/stack/index.md?s=mailbox,pay,posting,sums").await;
    assert!(markdown.text.starts_with("# Your stack\n") && markdown.text.contains("create\\_payment"), "{markdown:?}");
}

#[tokio::test]
async fn an_address_has_one_spelling_and_servers_come_and_go() {
    let (_folder, web) = web(Audience::Everybody).await;
    for (asked, wanted) in [
        ("/stack/?s=shell,mailbox", "/stack/?s=mailbox,shell"),
        ("/stack/?s=Mailbox,,mailbox", "/stack/?s=mailbox"),
        ("/stack/?s=mailbox,nobody,nothing", "/stack/?s=mailbox&unknown=2"),
        ("/stack/?s=mailbox&add=fetch-mcp", "/stack/?s=mailbox,webfetch"),
        ("/stack/?s=webfetch&add=https://mcp.pay.test/mcp&policy=observe", "/stack/?s=pay,webfetch&policy=observe"),
        ("/stack/index.json?s=shell,mailbox", "/stack/index.json?s=mailbox,shell"),
    ] {
        let said = get(&web, asked).await;
        assert_eq!((said.status, said.header("location")), (StatusCode::SEE_OTHER, wanted), "{asked}");
        assert_eq!(get(&web, wanted).await.status, StatusCode::OK, "{wanted}");
    }
    let page = get(&web, "/stack/?s=mailbox,shell").await.text;
    assert!(page.contains("href=\"/stack/?s=shell\"") && page.contains("href=\"/stack/?s=mailbox\""), "{page}");
    let offered = get(&web, "/stack/?s=sums&add=mail").await;
    assert_eq!(offered.status, StatusCode::OK);
    assert!(offered.text.contains("/stack/?s=sums,mailbox"), "{}", offered.text);
    assert!(get(&web, "/stack/?add=zzzqqq").await.text.contains("Nothing in the catalogue"));
    assert_eq!(get(&web, "/stack/?s=mailbox&policy=lax").await.status, StatusCode::BAD_REQUEST);
    let empty = get(&web, "/stack/").await;
    assert!(empty.status == StatusCode::OK && empty.text.contains("name=\"config\""));
    assert_eq!(get(&web, "/stack").await.header("location"), "/stack/");
}

#[tokio::test]
async fn what_is_private_is_not_there_for_everybody() {
    let config = r#"{"mcpServers":{"diary":{"command":"npx","args":["diary-mcp"]},"Diary":{"command":"x"}}}"#;
    let (_folder, public) = web(Audience::Everybody).await;
    for path in ["/stack/?s=diary", "/stack/?add=diary", "/stack/?add=diary-mcp", "/stack/report.md?s=diary,mailbox"] {
        let said = get(&public, path).await;
        let rest = format!("{} {}", said.text.replace(path, "").replace("“diary", ""), said.header("location"));
        assert!(
            !rest.contains("read_secret_diary") && !rest.contains("s=diary") && !rest.contains("/s/home/"),
            "{path}: {rest}"
        );
    }
    assert_eq!(paste(&public, config).await.header("location"), "/stack/?unknown=2");
    let (_folder, members) = web(Audience::Members).await;
    assert!(get(&members, "/stack/?s=diary").await.text.contains("read_secret_diary"));
    assert_eq!(paste(&members, config).await.header("location"), "/stack/?s=diary");
}

#[tokio::test]
async fn every_export_is_what_it_says_and_stays_the_same() {
    let (_folder, web) = web(Audience::Everybody).await;
    let stack = "s=mailbox,pay,posting,shell,webfetch";
    for temper in ["observe", "balanced", "locked-down"] {
        let config = get(&web, &format!("/stack/{temper}/toolgate.toml?{stack}")).await;
        assert_eq!(config.header("content-disposition"), "attachment; filename=\"toolgate.toml\"");
        let parsed: toml::Table = toml::from_str(&config.text).unwrap();
        let tables = parsed["servers"].as_table().unwrap();
        // Nobody has said how `posting` is reached: it stands there as a comment.
        assert_eq!(tables.keys().collect::<Vec<_>>(), ["mailbox", "pay", "shell", "webfetch"]);
        assert!(config.text.contains("# [servers.posting]"), "{}", config.text);
        for name in tables.keys().map(String::as_str).chain(["posting"]) {
            let file = get(&web, &format!("/stack/{temper}/{name}.json?{stack}")).await;
            assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"{name}.json\""));
            let loaded = policy::load(&file.text, Load::default());
            assert!(loaded.policy.is_some(), "{name}: {:?}", loaded.diagnostics);
        }
    }
    let sarif = get(&web, &format!("/stack/findings.sarif?{stack}")).await.json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let rules: Vec<&str> = results.iter().map(|result| result["ruleId"].as_str().unwrap()).collect();
    for rule in ["data-exfiltration-via-tool-chaining", "same-name", "critical-tool"] {
        assert!(rules.contains(&rule), "{rules:?}");
    }
    let bom = get(&web, &format!("/stack/sbom.cdx.json?{stack}")).await.json();
    assert_eq!((bom["specVersion"].as_str(), bom["services"].as_array().map(Vec::len)), (Some("1.6"), Some(5)));
    assert!(bom["components"].to_string().contains("pkg:npm/mail-mcp"), "{bom}");
    assert!(bom["services"].to_string().contains("toolgate:class:financial"), "{bom}");
    assert_eq!(bom["metadata"]["timestamp"], "1970-01-01T00:00:00Z");
    for path in ["report.md", "sbom.cdx.json", "findings.sarif", "balanced/toolgate.toml"] {
        let path = format!("/stack/{path}?{stack}");
        let (one, other) = (get(&web, &path).await, get(&web, &path).await);
        assert_eq!((one.status, &one.text), (StatusCode::OK, &other.text), "{path}");
        assert!(one.header("content-disposition").starts_with("attachment; "), "{path}");
    }
    for path in ["/stack/lax/toolgate.toml?s=pay", "/stack/balanced/other.json?s=pay", "/stack/balanced/pay?s=pay"] {
        assert_eq!(get(&web, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// What must never come back.
const SECRET: &str = "hunter2SECRETsk4711";

/// Configurations as clients write them, with secrets wherever people put them, and what they name.
fn pasted() -> Vec<(&'static str, String, &'static str)> {
    let table = [
        (
            "Claude",
            r#"{"mcpServers":{"m":{"command":"npx","args":["-y","mail-mcp"],"env":{"MAIL_PASSWORD":"$S"}}}}"#,
            "s=mailbox",
        ),
        (
            "Cursor",
            r#"{"mcpServers":{"p":{"url":"https://user:$S@mcp.pay.test/mcp?key=$S#$S","headers":{"Authorization":"Bearer $S"}}}}"#,
            "s=pay",
        ),
        (
            "VS Code",
            r#"{"servers":{"f":{"type":"stdio","command":"uvx","args":["fetch-mcp","--token","$S"]}},"inputs":[{"id":"k","type":"promptString","default":"$S"}]}"#,
            "s=webfetch",
        ),
        (
            "Zed",
            r#"{"theme":"x","context_servers":{"s":{"command":{"path":"npx","args":["sums-mcp","$S"],"env":{"K":"$S"}}}}}"#,
            "s=sums",
        ),
        (
            "Codex",
            "# $S\n[mcp_servers.m]\ncommand = \"npx\"\nargs = [\"-y\", \"mail-mcp\", \"--key=$S\"]\n[mcp_servers.m.env]\nKEY = \"$S\"\n",
            "s=mailbox",
        ),
        (
            "comments",
            "{ // $S\n \"mcpServers\": { /* $S */ \"m\": { \"command\": \"npx\", \"args\": [\"mail-mcp\"], }, },\n}",
            "s=mailbox",
        ),
        (
            "docker",
            r#"{"mcpServers":{"s":{"command":"docker","args":["run","-i","--rm","-e","KEY=$S","-eK=$S","--env=K=$S","ghcr.io/acme/shell:1"]}}}"#,
            "s=shell",
        ),
        (
            "npx with a key",
            r#"{"mcpServers":{"s":{"command":"npx","args":["--api-key","$S","mail-mcp"]}}}"#,
            "unknown=1",
        ),
        (
            "a bridge",
            r#"{"mcpServers":{"p":{"command":"npx","args":["-y","mcp-remote","https://mcp.pay.test/mcp?t=$S","--header","Authorization: $S"]}}}"#,
            "s=pay",
        ),
        (
            "Windsurf",
            r#"{"mcpServers":{"p":{"serverUrl":"https://mcp.pay.test/mcp/","headers":{"X-Key":"$S"}}}}"#,
            "s=pay",
        ),
        (
            "a key in the path",
            r#"{"mcpServers":{"z":{"url":"https://mcp.hooks.test/s/$S/mcp"},"$S":{"command":"/opt/$S"}}}"#,
            "unknown=2",
        ),
        (
            "OpenCode",
            r#"{"mcp":{"m":{"type":"local","command":["npx","-y","mail-mcp"],"environment":{"K":"$S"}},"w":{"type":"local","command":["fetch"],"enabled":false}}}"#,
            "s=mailbox",
        ),
        ("by name", r#"{"mcpServers":{"Webfetch":{"command":"node","args":["/srv/x.js","$S"]}}}"#, "s=webfetch"),
    ];
    table.into_iter().map(|(client, text, wanted)| (client, text.replace("$S", SECRET), wanted)).collect()
}

#[tokio::test]
async fn of_a_pasted_configuration_only_the_servers_are_left() {
    let (folder, web) = web(Audience::Members).await;
    for (client, config, wanted) in pasted() {
        let said = paste(&web, &config).await;
        assert_eq!(said.status, StatusCode::SEE_OTHER, "{client}: {said:?}");
        assert_eq!(said.header("location"), format!("/stack/?{wanted}"), "{client}");
        assert!(!format!("{said:?}").contains(SECRET), "{client}: {said:?}");
        let page = get(&web, said.header("location")).await;
        assert!(page.status == StatusCode::OK && !page.text.contains(SECRET), "{client}");
    }
    // Nothing of it lies anywhere.
    let mut folders = vec![folder.path().to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let bytes = std::fs::read(entry.path()).unwrap();
                assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "{:?}", entry.path());
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_not_quoted() {
    let (_folder, web) = web(Audience::Members).await;
    for (config, status, words) in [
        (format!("{{\n  \"mcpServers\": {SECRET}\n}}"), StatusCode::BAD_REQUEST, "line 2"),
        (format!("[mcp_servers.a]\ncommand = {SECRET}"), StatusCode::BAD_REQUEST, "line 2"),
        (format!("mcpServers:\n  - name: {SECRET}\n"), StatusCode::BAD_REQUEST, "names no servers"),
        (format!("mcpServers:\n  - name: [{SECRET}\n  b: *{SECRET}\n"), StatusCode::BAD_REQUEST, "cannot be read"),
        (format!("{{\"other\":\"{SECRET}\"}}"), StatusCode::BAD_REQUEST, "names no servers"),
        (String::new(), StatusCode::BAD_REQUEST, "names no servers"),
        ("[".repeat(50_000), StatusCode::BAD_REQUEST, "cannot be read"),
        ("{\"a\":".repeat(15_000), StatusCode::BAD_REQUEST, "cannot be read"),
        ("a = [".repeat(12_000), StatusCode::BAD_REQUEST, "cannot be read"),
        (format!("{{\"mcpServers\":\"{}\"}}", "x".repeat(100_000)), StatusCode::PAYLOAD_TOO_LARGE, "256 KB"),
        ("{\"mcpServers\":{\"\\ud800\":{}}}\0".to_owned(), StatusCode::BAD_REQUEST, "line 1"),
    ] {
        let said = paste(&web, &config).await;
        assert_eq!(said.status, status, "{}", said.text);
        assert!(said.text.contains(words) && !said.text.contains(SECRET), "{words}: {}", said.text);
    }
    for (kind, body) in [
        ("application/json", format!("{{\"config\":\"{SECRET}\"}}")),
        ("application/x-www-form-urlencoded", format!("other={SECRET}")),
        ("application/x-www-form-urlencoded", format!("config=a&config={SECRET}")),
        ("text/plain", SECRET.to_owned()),
    ] {
        let request = Request::post("/stack/").header("host", "localhost").header("content-type", kind);
        let said = said(&web, request.body(Body::from(body)).unwrap()).await;
        assert_eq!(said.status, StatusCode::BAD_REQUEST, "{kind}");
        assert!(!said.text.contains(SECRET), "{}", said.text);
    }
    let many: Vec<String> = (0..100).map(|number| format!("\"n{number}\":{{\"command\":\"x{number}\"}}")).collect();
    let said = paste(&web, &format!("{{\"mcpServers\":{{{}}}}}", many.join(","))).await;
    assert_eq!(said.header("location"), "/stack/?unknown=100");
}
