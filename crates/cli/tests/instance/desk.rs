//! Somebody at the API of an instance.

use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::toolgate::{Setup, Toolgate};
use testkit::wait::PATIENCE;

/// The binary under test.
pub(crate) const EXE: &str = env!("CARGO_BIN_EXE_toolgate");

/// What every server of a test is sent in a header.
pub(crate) const SECRET: &str = "the-secret-of-an-upstream-0123456789";

/// The first admin's password.
const PASSWORD: &str = "correct horse battery";

/// An instance to be started, with its data in a folder.
pub(crate) fn instance(data: &Path) -> anyhow::Result<Setup> {
    // Servers of the cases are on this machine.
    Ok(public_only(data)?.options(["--allow-upstream", "127.0.0.0/8"]))
}

/// An instance whose servers may be on the public internet only.
pub(crate) fn public_only(data: &Path) -> anyhow::Result<Setup> {
    Ok(Setup::new(EXE)?.data(data).token(None))
}

/// A line of stderr that begins with a word.
pub(crate) fn said(toolgate: &Toolgate, word: &str) -> Option<String> {
    let stderr = toolgate.stderr();
    stderr.lines().find_map(|line| Some(line.strip_prefix(word)?.trim().to_owned()))
}

/// The address of the API, which is said after the endpoints.
pub(crate) fn api(toolgate: &Toolgate) -> anyhow::Result<String> {
    toolgate.wait_stderr("/api/v1/\n")?;
    said(toolgate, "api ").context("no address of the API")
}

/// A fresh grant.
pub(crate) struct Minted {
    /// Its id.
    pub(crate) id: String,
    /// Its token.
    pub(crate) token: String,
}

/// The admin.
pub(crate) struct Desk {
    url: String,
    token: String,
}

impl Desk {
    /// Makes the first admin of a new instance, and signs in.
    pub(crate) fn set_up(toolgate: &Toolgate) -> anyhow::Result<Self> {
        toolgate.wait_stderr("setup-token ")?;
        let token = said(toolgate, "setup-token ").context("no setup token")?;
        let mut desk = Self { url: api(toolgate)?, token: String::new() };
        desk.done("POST", "setup", &json!({ "token": token, "name": "ada", "password": PASSWORD }))?;
        desk.sign_in()?;
        Ok(desk)
    }

    /// Signs in at an instance that has its admin.
    pub(crate) fn at(toolgate: &Toolgate) -> anyhow::Result<Self> {
        let mut desk = Self { url: api(toolgate)?, token: String::new() };
        desk.sign_in()?;
        Ok(desk)
    }

    fn sign_in(&mut self) -> anyhow::Result<()> {
        let session = self.done("POST", "sessions", &json!({ "name": "ada", "password": PASSWORD }))?;
        self.token = session["token"].as_str().context("no token")?.to_owned();
        Ok(())
    }

    /// The token of the session.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The status and the body of an answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        let client = McpHttp::new(&format!("{}{path}", self.url), None)?;
        let mut headers = vec![
            ("host".to_owned(), client.address().to_string()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        if !self.token.is_empty() {
            headers.push(("authorization".to_owned(), format!("Bearer {}", self.token)));
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = client.send(method, &headers, body.as_bytes())?.answer(PATIENCE)?;
        let text = answer.text();
        Ok((answer.status(), serde_json::from_str(&text).with_context(|| format!("{method} {path}: {text}"))?))
    }

    /// The body of an answer that is none of a problem.
    pub(crate) fn done(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (status, answer) = self.ask(method, path, body)?;
        ensure!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        Ok(answer)
    }

    /// Registers a server, with a policy that allows `read`, and mints a grant.
    pub(crate) fn grant(&self, server: &str, url: &str) -> anyhow::Result<Minted> {
        self.grant_under(server, url, r#"{ "version": "1", "default": "deny", "tools": { "read": {} } }"#)
    }

    /// The same, with another policy.
    pub(crate) fn grant_under(&self, server: &str, url: &str, document: &str) -> anyhow::Result<Minted> {
        let reach = json!({ "kind": "http", "url": url, "headers": { "X-Key": SECRET } });
        let settings = json!({ "accept_first": true });
        self.done("POST", "policies", &json!({ "name": "careful", "document": document }))?;
        self.done("POST", "policies/careful/publish", &json!({ "version": 1, "reason": "the first" }))?;
        let given = json!({ "name": server, "reach": reach, "settings": settings, "policy": "careful" });
        self.done("POST", "servers", &given)?;
        self.done("POST", "agents", &json!({ "name": "helpdesk" }))?;
        self.mint("desk", server)
    }

    /// Another grant, under the policy of its server.
    pub(crate) fn mint(&self, label: &str, server: &str) -> anyhow::Result<Minted> {
        let grant = json!({ "label": label, "server": server, "agent": "helpdesk" });
        let minted = self.done("POST", "grants", &grant)?;
        let word =
            |value: &Value| value.as_str().map(str::to_owned).with_context(|| format!("no such text in {minted}"));
        Ok(Minted {
            id: word(&minted["id"]).or_else(|_| word(&minted["grant"]["id"]))?,
            token: word(&minted["token"])?,
        })
    }
}

/// The address of a server behind a replica.
pub(crate) fn endpoint(toolgate: &Toolgate, server: &str) -> String {
    toolgate.url().replace("SERVER", server)
}
