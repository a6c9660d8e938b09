//! `/clients/` and `/clients/<client>/`: where clients keep their servers, and how the gateway gets in front of one.

use std::fmt::Write;

use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;

use crate::head::{Crumb, Head};
use crate::layout;
use crate::page::Page;
use crate::text::sentence;
use crate::texts::{CLIENTS, Client};

/// The list of clients.
#[derive(Debug, Serialize)]
pub(crate) struct Clients {
    clients: &'static [Client],
}

/// One client.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct ClientPage(pub(crate) &'static Client);

impl Clients {
    /// All of them.
    pub(crate) fn all() -> Self {
        Self { clients: &CLIENTS }
    }
}

fn path(client: &Client) -> String {
    format!("/clients/{}/", client.word)
}

impl Page for Clients {
    fn head(&self) -> Head {
        Head {
            title: "Where MCP clients keep their servers".to_owned(),
            description: "The configuration files of Claude Code, Cursor, VS Code, Codex and others: where they are, their shape, and how a policy gets in front.".to_owned(),
            path: "/clients/".to_owned(),
            crumbs: vec![Crumb::new("Catalogue", "/")],
            graph: vec![json!({
                "@type": "CollectionPage",
                "name": "Where MCP clients keep their servers",
                "mainEntity": { "@type": "ItemList", "itemListElement": self.clients.iter().enumerate().map(|(at, client)|
                    json!({ "@type": "ListItem", "position": at + 1, "name": client.name, "url": path(client) }))
                    .collect::<Vec<_>>() },
            })],
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            h1 { "Where MCP clients keep their servers" }
            p class="lead" { "Every client has a file of its own, in a shape of its own. In each, a server's command gets " code { "toolgate run" } " in front of it, and from then on a policy decides over every call." }
            div class="wide" tabindex="0" role="region" aria-label="Clients and their files" {
                table {
                    caption { "Clients and their files" }
                    thead { tr { th scope="col" { "Client" } th scope="col" { "File" } th scope="col" { "Servers stand under" } } }
                    tbody {
                        @for client in self.clients {
                            tr {
                                th scope="row" { a href=(path(client)) { (client.name) } }
                                td { @if let Some((_, file)) = client.places.first() { code { (file) } } }
                                td { code { (client.key) } }
                            }
                        }
                    }
                }
            }
            p { "Where the file is JSON with " code { "mcpServers" } " or " code { "servers" } ", " code { "toolgate scan --config FILE" } " asks all servers in it for their tools, and says what they can do alone and together." }
        }
    }

    fn markdown(&self) -> String {
        let mut text = "# Where MCP clients keep their servers\n\n".to_owned();
        for client in self.clients {
            let file = client.places.first().map(|(_, file)| file.as_str()).unwrap_or_default();
            let _ = writeln!(text, "- [{}]({}index.md): `{file}`, under `{}`", client.name, path(client), client.key);
        }
        text
    }
}

impl Page for ClientPage {
    fn head(&self) -> Head {
        let client = self.0;
        Head {
            title: format!("MCP servers in {}", client.name),
            description: client.gist.clone(),
            path: path(client),
            crumbs: vec![Crumb::new("Catalogue", "/"), Crumb::new("Clients", "/clients/")],
            graph: vec![
                json!({ "@type": "TechArticle", "headline": format!("MCP servers of {} behind a policy", client.name),
                "description": client.gist, "about": { "@type": "SoftwareApplication", "name": client.name } }),
            ],
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        let client = self.0;
        html! {
            h1 { "MCP servers of " (client.name) " behind a policy" }
            p class="lead" { (client.name) " keeps its servers under " code { (client.key) } ". Put " code { "toolgate run" } " in front of a server's command, and every call passes your policy." }
            section {
                h2 id="where" { "Where the file is" }
                dl class="facts" { @for (whom, file) in &client.places { dt { (sentence(whom)) } dd { code { (file) } } } }
            }
            section {
                h2 id="how" { "How to put a policy in front" }
                ol {
                    li { "Take a policy from the server's own tools, and look at it: " (layout::snippet("scan", "toolgate scan --policy balanced -- npx -y @modelcontextprotocol/server-filesystem /tmp/work > policy.json\ntoolgate policy check policy.json")) }
                    li {
                        "Write the gateway in front of the server's command. What stood there comes after " code { "--" } ":"
                        (layout::snippet("entry", client.entry.trim()))
                        @if let Some(shell) = &client.shell { p { "Or let the client write it:" } (layout::snippet("shell", shell)) }
                    }
                    li { "Restart the server in the client, let the agent work, and see what was decided: " code { "toolgate logs" } }
                }
                p class="small" { "To undo it, take everything up to " code { "--" } " away again." }
            }
            @if let Some(http) = &client.http {
                section {
                    h2 id="http" { "A server that listens over HTTP" }
                    p { code { "toolgate serve --policy policy.json --upstream URL" } " prints an endpoint and, once, a token. The entry of the server is then:" }
                    (layout::snippet("http-entry", http))
                }
            }
            @if !client.notes.is_empty() {
                section { h2 id="notes" { "What to know" } ul { @for note in &client.notes { li { (layout::prose(note)) } } } }
            }
            section {
                h2 id="others" { "Other clients" }
                ul class="chips" { @for other in CLIENTS.iter().filter(|other| other.word != client.word) { li { a class="chip" href=(path(other)) { (other.name) } } } }
            }
        }
    }

    fn markdown(&self) -> String {
        let client = self.0;
        let mut text = format!("# MCP servers of {} behind a policy\n\n", client.name);
        for (whom, file) in &client.places {
            let _ = writeln!(text, "- {}: `{file}`", sentence(whom));
        }
        let _ = write!(
            text,
            "\nServers stand under `{}`. With the gateway in front:\n\n```{}\n{}\n```\n",
            client.key,
            client.format,
            client.entry.trim()
        );
        if let Some(shell) = &client.shell {
            let _ = write!(text, "\n```sh\n{shell}\n```\n");
        }
        if let Some(http) = &client.http {
            let _ = write!(text, "\nFor the endpoint that `toolgate serve` prints:\n\n```json\n{http}\n```\n");
        }
        text.push('\n');
        for note in &client.notes {
            let _ = writeln!(text, "- {note}");
        }
        text
    }
}
