//! A small catalogue: what is public, what is private, and what is hostile.

use std::fmt::Write;
use std::path::Path;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use catalogue::import::{File, Holds, import};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::DataDir;
use store::catalogue::{Catalogue, Visibility};
use tempfile::TempDir;
use web::{Audience, Site, Web};

/// Where the site says that it is.
pub const BASE: &str = "https://tools.example.com";

/// What stands in everything private, and nowhere else.
pub const SECRET: &str = "zeta";

/// A site over the small catalogue.
pub struct Small {
    _folder: TempDir,
    pub web: Web,
}

/// What was answered.
pub struct Answer {
    pub status: StatusCode,
    pub kind: String,
    pub location: Option<String>,
    pub robots: Option<String>,
    pub text: String,
}

fn notes() -> Vec<Value> {
    let tool = |name: &str, description: &str| {
        json!({ "server": "acme/notes", "server_repo": "https://github.com/acme/notes", "name": name,
            "description": description, "input_schema": { "type": "object", "properties": { "id": { "type": "string" } } } })
    };
    let mut all = vec![
        tool("create_note", "Creates a note"),
        tool("delete_note", "Deletes a note permanently"),
        tool("send_note", "Sends a note to an e-mail address"),
        tool("run_script", "Runs a shell script on the server"),
        tool("pay_invoice", "Pays an invoice from the account"),
        tool("get_secret", "Returns a secret of the vault by its name"),
        tool("fetch_page", "Fetches a web page and returns its text"),
    ];
    all.extend((0..130).map(|number| tool(&format!("list_notes_{number}"), "Lists the notes of a folder")));
    all
}

fn hostile() -> (Vec<Value>, Vec<Value>) {
    let long = "All work and no play. ".repeat(500);
    let names = [
        "</title><script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        "../../etc/passwd",
        "Right\u{202e}to\u{200b}left",
        "天气查询服务器",
    ];
    let servers = names.iter().enumerate().map(|(at, name)| {
        json!({ "name": name, "repository": format!("https://github.com/evil/server-{at}"), "license": "\"><b>MIT",
            "transport": "stdio", "description": format!("</script><script>alert(2)</script> \u{202e} [x](javascript:alert(3)) {long}") })
    });
    let tools = ["a\"b'c<d>&e", "..%2f..%2fpasswd", "a/../../b", "天气查询", "drop_everything"];
    let texts = [
        "</script><script>alert(4)</script>",
        "\u{202e}\u{200b}hidden",
        "&lt;script&gt; ]]> <!-- x",
        "查询天气",
        long.as_str(),
    ];
    let tools = (0..names.len()).flat_map(|server| {
        tools.iter().zip(texts).map(move |(name, text)| {
            json!({ "server": "evil", "server_repo": format!("https://github.com/evil/server-{server}"), "name": name,
                "description": format!("Deletes {text}"), "input_schema": { "type": "object" } })
        })
    });
    (servers.collect(), tools.collect())
}

async fn add(catalogue: &Catalogue, folder: &Path, holds: Holds, visibility: Visibility, lines: &[Value], day: i64) {
    let path = folder.join(format!("{holds:?}-{visibility:?}-{day}.jsonl"));
    let mut text = String::new();
    for line in lines {
        writeln!(text, "{line}").unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let now = Timestamp::from_second(1_790_000_000 + day * 86_400).unwrap();
    let file = File { path, holds, visibility };
    let counts = import(catalogue, &file, 1, now, &mut |_| {}).await.unwrap();
    assert_eq!(counts.broken, 0);
}

/// The small catalogue, as `audience` sees it.
pub async fn small(audience: Audience) -> Small {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    let catalogue = Catalogue::open(&data).await.unwrap();
    let (mut servers, mut tools) = hostile();
    servers.push(
        json!({ "name": "notes", "description": "Notes of a team", "repository": "https://github.com/acme/notes",
        "package": "@acme/notes", "registry": "npm", "license": "MIT", "transport": "stdio" }),
    );
    servers.push(json!({ "name": "empty", "description": "Nobody knows its tools", "transport": "streamable-http",
        "repository": "https://github.com/acme/empty", "license": "Apache-2.0" }));
    tools.extend(notes());
    let private_server = json!({ "name": "vault-zeta", "description": "An umbrella for zeta things",
        "repository": "https://github.com/hidden/vault-zeta", "license": "zeta-licence", "transport": "zeta-wire" });
    let private_tool = |description: &str| {
        json!({ "server": "hidden/vault-zeta", "server_repo": "https://github.com/hidden/vault-zeta",
            "name": "zeta_purge", "description": description, "input_schema": { "type": "object" } })
    };
    let folder_path = folder.path();
    let (public, private) = (Visibility::Public, Visibility::Private);
    add(&catalogue, folder_path, Holds::Servers, private, &[private_server], 0).await;
    add(&catalogue, folder_path, Holds::Tools, private, &[private_tool("Lists an umbrella")], 0).await;
    add(&catalogue, folder_path, Holds::Servers, public, &servers, 0).await;
    add(&catalogue, folder_path, Holds::Tools, public, &tools, 0).await;
    // Later, one definition of each changes.
    let mut changed = notes();
    changed.truncate(1);
    changed[0]["description"] = json!("Deletes all notes and cannot be undone");
    add(&catalogue, folder_path, Holds::Tools, public, &changed, 3).await;
    add(&catalogue, folder_path, Holds::Tools, private, &[private_tool("Purges an umbrella")], 3).await;
    let forks = catalogue::forks::forks(&catalogue.kin().await.unwrap());
    catalogue.write_forks(&forks).await.unwrap();
    catalogue::index::rebuild(&catalogue, &data.search(), &mut |_| {}).await.unwrap();
    let site = Site::new(catalogue, &data.search(), audience, BASE, Vec::new());
    Small { _folder: folder, web: Web::new(site) }
}

impl Small {
    /// What `path` answers.
    pub async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::HOST, "localhost").body(Body::empty()).unwrap();
        let response = self.web.answer(request).await;
        let said = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (kind, location, robots) = (said("content-type"), said("location"), said("x-robots-tag"));
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 64 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status, kind: kind.unwrap_or_default(), location, robots, text }
    }

    /// What `path` answers, at the end of its redirects.
    pub async fn follow(&self, path: &str) -> (String, Answer) {
        let mut path = path.to_owned();
        for _ in 0..4 {
            let answer = self.get(&path).await;
            match &answer.location {
                Some(location) if answer.status.is_redirection() => path.clone_from(location),
                _ => return (path, answer),
            }
        }
        panic!("{path} leads in circles");
    }
}
