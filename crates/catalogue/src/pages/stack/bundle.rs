//! `toolgate.toml` for a stack: what `toolgate serve --config` takes as it is.

use std::collections::BTreeSet;
use std::fmt::Write;

use risk::recommend::Temper;
use serde::Serialize;
use store::catalogue::Server;

use super::{Stack, counted};

/// The longest name of a server in a configuration.
const LONGEST: usize = 40;

/// Where the gateway listens, if nothing else is said.
const LISTEN: &str = "127.0.0.1:8040";

/// How the gateway reaches a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Way {
    /// A Streamable HTTP endpoint.
    Url {
        /// Where.
        url: String,
    },
    /// A program.
    Command {
        /// The command and its arguments.
        words: Vec<String>,
    },
    /// Nobody has said how, or not in a way that the gateway knows.
    Unknown {
        /// Why, as a sentence.
        why: &'static str,
    },
}

impl Way {
    /// What is known of a server. A package is started on the machine of the gateway; an endpoint is asked first, unless it
    /// is one of HTTP+SSE.
    #[must_use]
    pub fn of(server: &Server) -> Self {
        let sse = server.transport.as_deref() == Some("sse");
        let url = server.endpoint.as_deref().filter(|url| is_url(url));
        if let Some(url) = url.filter(|_| !sse) {
            return Self::Url { url: url.to_owned() };
        }
        if let Some(words) =
            server.package.as_deref().and_then(|package| crate::start::command(server.registry.as_deref(), package))
        {
            return Self::Command { words };
        }
        // The older transport: sessions there are connections, so it comes last.
        if let Some(url) = url {
            return Self::Url { url: url.to_owned() };
        }
        let why = match &server.package {
            Some(_) => "Its package is not one that npx, uvx or docker starts.",
            None => "Nobody has said which package or endpoint it has.",
        };
        Self::Unknown { why }
    }
}

impl Stack {
    /// The configuration. Every policy that it names lies beside it.
    #[must_use]
    pub fn config(&self, temper: Temper) -> String {
        let mut text = format!(
            "# {} behind Toolgate, {}.\n\
             # Save this file and the policies that it names in one folder. Then\n\
             #   toolgate server accept --config toolgate.toml   shows every definition; nothing is callable before\n\
             #   toolgate serve --config toolgate.toml           serves each server at http://{LISTEN}/mcp/<name>/\n\n\
             listen = \"{LISTEN}\"\n",
            counted(self.members.len(), "server", "servers"),
            temper.as_str(),
        );
        for member in &self.members {
            let way = Way::of(&member.server);
            let mut table = format!("[servers.{}]\n", member.id);
            match &way {
                Way::Url { url } => {
                    let _ = writeln!(table, "url = {}", quoted(url));
                    table.push_str("# headers = { Authorization = \"Bearer ${NAME}\" }   # where it wants one; from the environment\n");
                }
                Way::Command { words } => {
                    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                    let _ = writeln!(table, "command = [{}]", words.join(", "));
                    table
                        .push_str("# env = { NAME = \"${NAME}\" }   # what it needs to log in; from the environment\n");
                }
                Way::Unknown { .. } => table.push_str("command = [\"\"]   # what starts it; or url = \"https://…\"\n"),
            }
            let _ = writeln!(table, "policy = {}\n", quoted(&format!("{}.json", member.id)));
            let _ = writeln!(
                table,
                "[[grants]]\nlabel = \"stack\"\nserver = {}\nanonymous = true   # any program on this machine; for one agent alone: token_digest, as `toolgate grant new` prints it",
                quoted(&member.id)
            );
            let _ = write!(text, "\n# {}\n", comment(&member.label));
            match way {
                Way::Unknown { why } => {
                    let _ = writeln!(text, "# {why} Say how it is reached, and take the # from these lines.");
                    for line in table.lines() {
                        text.push_str(format!("# {line}").trim_end());
                        text.push('\n');
                    }
                }
                _ => text.push_str(&table),
            }
        }
        text
    }
}

/// The name of a server in a configuration: 1 to 40 of a-z, 0-9 and -, as no other here.
pub(super) fn id(slug: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: String = slug.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    let plain = plain.trim_matches('-').to_ascii_lowercase();
    let plain = if plain.is_empty() { "server".to_owned() } else { plain };
    let cut = |most: usize| plain.chars().take(most).collect::<String>().trim_end_matches('-').to_owned();
    let free = std::iter::once(cut(LONGEST))
        .chain((2..).map(|number: usize| format!("{}-{number}", cut(LONGEST - 1 - number.to_string().len()))))
        .find(|id| !taken.contains(id))
        .unwrap_or_default();
    taken.insert(free.clone());
    free
}

/// Whether a text is a URL that the gateway takes.
fn is_url(text: &str) -> bool {
    let Ok(uri) = text.parse::<http::Uri>() else { return false };
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    web && uri.authority().is_some_and(|authority| !authority.as_str().contains('@')) && text.is_ascii()
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A name from outside as a comment: one line in visible characters.
fn comment(name: &str) -> String {
    let line: String = name.split_whitespace().collect::<Vec<_>>().join(" ");
    audit::visible::shown(&line.chars().take(100).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_gateway_and_differ() {
        let mut taken = BTreeSet::new();
        let long = "x".repeat(60);
        let ids: Vec<String> =
            ["leads", "leads", "Ünï-códe", "日本", "-", &long, &long].iter().map(|slug| id(slug, &mut taken)).collect();
        assert_eq!(ids[..5], ["leads", "leads-2", "n-cde", "server", "server-2"]);
        assert!(ids.iter().all(|id| (1..=40).contains(&id.len())), "{ids:?}");
        assert_eq!(taken.len(), ids.len());
    }

    #[test]
    fn nothing_but_a_package_is_started() {
        assert_eq!(crate::start::command(Some("npm"), "@a/b@1.2").unwrap_or_default(), ["npx", "-y", "@a/b@1.2"]);
        assert_eq!(crate::start::command(Some("pypi"), "a-b").unwrap_or_default(), ["uvx", "a-b"]);
        for bad in ["--call=x", "a b", "a;b", "$(x)", "a\nb", "", "../x"] {
            assert_eq!(crate::start::command(Some("npm"), bad), None, "{bad:?}");
        }
        assert_eq!(crate::start::command(Some("nuget"), "x"), None);
        assert!(is_url("https://mcp.example.com/mcp?x=1"));
        for bad in
            ["https://a:b@c/mcp", "ftp://c/mcp", "mcp.example.com", "https://{x}.example.com/mcp", "https://a b/"]
        {
            assert!(!is_url(bad), "{bad}");
        }
    }
}
