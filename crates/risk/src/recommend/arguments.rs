//! Clauses over arguments, where the schema shows one that matters.

use policy::Class;
use serde_json::{Value, json};

use super::Bounds;
use super::condition::{require, some, with};
use super::meaning::{Meaning, Tool};
use super::shape::{self, Argument, Kind};
use crate::assess::Assessment;
use crate::definition::Definition;
use crate::facet::Facet;

/// The most clauses that an entry gets.
const MOST: usize = 48;

/// A clause of an entry.
pub(super) struct Clause {
    /// `require` or `require_approval_if`.
    pub(super) list: &'static str,
    pub(super) rule: Value,
    pub(super) why: String,
    /// Arguments that it must refuse, and what that shows.
    pub(super) refused: Option<(Value, &'static str)>,
}

/// Why a tool is open where the operator says nothing: in the words of a sentence to the agent, and of one to the operator.
pub(super) struct Unbounded {
    pub(super) reason: String,
    pub(super) why: String,
}

/// What is said of the arguments of a tool.
#[derive(Default)]
pub(super) struct Said {
    pub(super) clauses: Vec<Clause>,
    /// An argument that only the operator can bound.
    pub(super) unbounded: Option<Unbounded>,
    /// The argument that is itself a command or program.
    pub(super) code: Option<String>,
    /// It takes SQL, in order to change something.
    pub(super) writes_sql: bool,
    /// The argument that is a host, where no host is named by the operator.
    pub(super) host: Option<String>,
    /// There is more to bound than an entry holds.
    pub(super) too_much: bool,
}

/// The clauses for a tool.
pub(super) fn clauses(definition: &Definition<'_>, assessment: &Assessment, bounds: &Bounds) -> Said {
    let mut said = Said::default();
    let arguments = definition.schema.map(shape::all).unwrap_or_default();
    let tool = Tool::new(definition, assessment, &arguments);
    for argument in &arguments {
        let meaning = tool.meaning(argument);
        let found: Vec<Clause> = match meaning {
            Meaning::Deep => vec![deep(argument)],
            Meaning::Sql if matches!(assessment.class, Class::Read | Class::Execute) => vec![sql(argument)],
            Meaning::Path => std::iter::once(path(argument, bounds)).chain(lasting(argument, assessment)).collect(),
            Meaning::Address => vec![url(argument, bounds)],
            Meaning::Host => host(argument, bounds).into_iter().collect(),
            Meaning::Sql | Meaning::Code | Meaning::Other => recipient(argument, &tool, bounds)
                .or_else(|| amount(argument, assessment, bounds))
                .into_iter()
                .collect(),
        };
        if said.unbounded.is_none() {
            said.unbounded = unbounded(argument, meaning, bounds);
        }
        match meaning {
            Meaning::Sql => said.writes_sql |= assessment.class == Class::Write,
            Meaning::Code if said.code.is_none() => said.code = Some(argument.shown()),
            Meaning::Host if said.host.is_none() && bounds.hosts.is_empty() => said.host = Some(argument.shown()),
            _ => {}
        }
        if said.clauses.len().saturating_add(found.len()) > MOST {
            said.too_much = true;
            break;
        }
        said.clauses.extend(found);
    }
    if said.unbounded.is_none() && definition.schema.is_none_or(shape::hides) {
        said.unbounded = Some(Unbounded {
            reason: "It takes arguments that its definition does not show: a person must agree to each call."
                .to_owned(),
            why: "Locked down, a person agrees where a definition does not show all that a tool takes.".to_owned(),
        });
    }
    said
}

/// Whether nothing bounds what an argument takes while the operator says nothing.
fn unbounded(argument: &Argument<'_>, meaning: Meaning, bounds: &Bounds) -> Option<Unbounded> {
    let name = argument.shown();
    let (takes, until) = match meaning {
        Meaning::Deep => ("nests deeper than rules follow", ""),
        Meaning::Sql => ("takes any SQL that reads", ""),
        Meaning::Path if bounds.roots.is_empty() => {
            ("may name any file", ", until the operator names folders with --root")
        }
        Meaning::Address | Meaning::Host if bounds.hosts.is_empty() => {
            ("may lead to any host", ", until the operator names hosts with --host")
        }
        _ => return None,
    };
    Some(Unbounded {
        reason: format!("`{name}` {takes}: a person must agree to each call{until}."),
        why: match until {
            "" => format!("Locked down, a person agrees where rules do not reach: `{name}` {takes}."),
            _ => format!(
                "Locked down, a person agrees{}: `{name}` {takes}.",
                until.replace("the operator names", "you name").trim_start_matches(',')
            ),
        },
    })
}

/// Nothing below what rules can follow.
fn deep(argument: &Argument<'_>) -> Clause {
    let name = argument.shown();
    Clause {
        list: "require",
        rule: json!({
            "conditions": [require(argument, &[("exists", json!(false)), ("length_lte", json!(0))])],
            "on_deny": format!("`{name}` must be left out: no rule sees what lies that deep."),
        }),
        why: format!("`{name}` nests deeper than rules follow, so a path or an address there would go unseen."),
        refused: None,
    }
}

/// SQL that only reads.
fn sql(argument: &Argument<'_>) -> Clause {
    let name = argument.shown();
    Clause {
        list: "require",
        rule: json!({
            "conditions": [require(argument, &[("sql_reads", json!(true))])],
            "on_deny": format!(
                "`{name}` must be one plain SQL statement that only reads, such as SELECT, without backslashes and without \
                 functions that reach files, programs or the network."
            ),
        }),
        why: format!(
            "`{name}` takes any SQL; reading is enough for most work, and a DROP cannot be taken back. A function of the \
             database's own may still write: give the server a login that may only read."
        ),
        refused: Some((with(argument, json!("DROP TABLE customers")), "no statement that changes data")),
    }
}

/// A host at the operator's list.
fn host(argument: &Argument<'_>, bounds: &Bounds) -> Option<Clause> {
    if bounds.hosts.is_empty() {
        return None;
    }
    let name = argument.shown();
    let one = |host: &String| match host.strip_prefix("*.") {
        Some(parent) => format!(r"([a-z0-9_-]+\.)+{}", parent.replace('.', r"\.")),
        None => host.replace('.', r"\."),
    };
    let hosts: Vec<String> = bounds.hosts.iter().map(one).collect();
    Some(Clause {
        list: "require",
        rule: json!({
            "conditions": [require(argument, &[("matches", json!(format!("(?i){}", hosts.join("|"))))])],
            "on_deny": format!("`{name}` must be {}, without a scheme, port or path.", bounds.hosts.join(" or ")),
        }),
        why: format!("`{name}` leads anywhere, and what is sent there can carry data out; your hosts are enough."),
        refused: outside(&bounds.hosts).map(|host| (with(argument, json!(host)), "no other host")),
    })
}

/// Nothing that programs run later, or that rules over agents lie in, without a person.
fn lasting(argument: &Argument<'_>, assessment: &Assessment) -> Option<Clause> {
    // Where the schema allows another type, what leads to no text would be denied rather than asked.
    let certain = argument.kind == Kind::Text && !argument.is_loose();
    if !certain || !matches!(assessment.class, Class::Write | Class::Execute) {
        return None;
    }
    let name = argument.shown();
    let later = concat!(
        r"(?i)(^|[/\\])(",
        r"\.(bashrc|bash_profile|bash_login|bash_logout|profile|zshrc|zshenv|zprofile|zlogin|xprofile|xinitrc|envrc|gitconfig)",
        r"|(authorized_keys2?|crontab|ld\.so\.preload|policy\.json|toolgate\.(lock|toml)|\.?mcp\.json|settings\.local\.json)",
        r"|[^/\\]+\.(service|timer|desktop|plist)",
        r"|\.git[/\\](hooks([/\\].*)?|config)|\.husky([/\\].*)?|\.github[/\\]workflows([/\\].*)?|\.vscode[/\\](tasks|settings)\.json",
        r"|\.(claude|cursor|codex)([/\\].*)?|cron\.[a-z]+([/\\].*)?|init\.d([/\\].*)?|profile\.d([/\\].*)?|LaunchAgents([/\\].*)?",
        r"|start menu[/\\].*)[ .]*$",
    );
    Some(Clause {
        list: "require_approval_if",
        rule: json!({
            "conditions": [some(argument, "regex", &json!(later))],
            "on_deny": format!(
                "`{name}` is a file that runs code later or holds rules over agents: a person must agree to a change of it."
            ),
        }),
        why: format!(
            "What is written to `{name}` can run later: a shell's start file, a hook, a timer, a login's key, or the rules of \
             this gateway."
        ),
        refused: None,
    })
}

/// Files below the operator's folders; else nothing that is known to hold secrets, and no way up.
fn path(argument: &Argument<'_>, bounds: &Bounds) -> Clause {
    let name = argument.shown();
    if bounds.roots.is_empty() {
        return Clause {
            list: "require",
            rule: json!({
                "conditions": [require(argument, &[("path_secret", json!(false))])],
                "on_deny": format!(
                    "`{name}` must not lead to where keys or passwords are kept, and must be written plainly, without `..` and `%`."
                ),
            }),
            why: format!(
                "`{name}` names a file: keys and passwords lie in known places, and `..` leads anywhere. A secret elsewhere is \
                 not known: name your folders with --root."
            ),
            refused: Some((with(argument, json!("/home/ann/.ssh/id_ed25519")), "no file that holds credentials")),
        };
    }
    let within: Vec<(&str, Value)> = bounds.roots.iter().map(|root| ("within", json!(root))).collect();
    Clause {
        list: "require",
        rule: json!({
            "conditions": [require(argument, &within)],
            "on_deny": format!("`{name}` must be an absolute path below {}.", bounds.roots.join(" or ")),
        }),
        why: format!("`{name}` names a file; outside your folders the agent has no business."),
        refused: ["/etc/passwd", "/elsewhere/x", "/outside/x"]
            .into_iter()
            .find(|path| !bounds.roots.iter().any(|root| path.starts_with(root.trim_end_matches('/'))))
            .map(|path| (with(argument, json!(path)), "no file outside the folders")),
    }
}

/// Addresses on the operator's list; else nothing within the own network.
fn url(argument: &Argument<'_>, bounds: &Bounds) -> Clause {
    let name = argument.shown();
    if bounds.hosts.is_empty() {
        return Clause {
            list: "require",
            rule: json!({
                "conditions": [require(argument, &[("url_public", json!(true))])],
                "on_deny": format!("`{name}` must be a plain http or https address on the public internet."),
            }),
            why: format!(
                "`{name}` leads anywhere; your own network and the cloud's metadata address are what an attacker asks for. A \
                 public address can still carry data out: name your hosts with --host."
            ),
            refused: Some((
                with(argument, json!("http://169.254.169.254/latest/meta-data/")),
                "nothing within the own network",
            )),
        };
    }
    Clause {
        list: "require",
        rule: json!({
            "conditions": [require(argument, &[("url_host_in", json!(bounds.hosts))])],
            "on_deny": format!("`{name}` must be an http or https address at {}.", bounds.hosts.join(" or ")),
        }),
        why: format!("`{name}` leads anywhere, and an address can carry data out; your hosts are enough."),
        refused: outside(&bounds.hosts)
            .map(|host| (with(argument, json!(format!("https://{host}/?q=secret"))), "no other host")),
    }
}

/// Mail within the operator's domains.
fn recipient(argument: &Argument<'_>, tool: &Tool<'_>, bounds: &Bounds) -> Option<Clause> {
    if bounds.domains.is_empty() || !tool.mails_to(argument) {
        return None;
    }
    let name = argument.shown();
    Some(Clause {
        list: "require",
        rule: json!({
            "conditions": [require(argument, &[("email_domain_in", json!(bounds.domains))])],
            "on_deny": format!("`{name}` must be a plain address at {}.", bounds.domains.join(" or ")),
        }),
        why: format!("`{name}` says who receives it; inside your domains nothing leaves."),
        refused: outside(&bounds.domains)
            .map(|domain| (with(argument, json!(format!("someone@{domain}"))), "no recipient outside")),
    })
}

/// A host that is on none of the operator's.
fn outside(own: &[String]) -> Option<&'static str> {
    let mut candidates = ["collector.example.net", "collector.example.org", "collector.example.edu"].into_iter();
    candidates.find(|host| {
        let under = |one: &str| host.strip_suffix(one).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        !own.iter().any(|one| under(&one.trim_start_matches("*.").to_ascii_lowercase()))
    })
}

/// Amounts up to the operator's cap.
fn amount(argument: &Argument<'_>, assessment: &Assessment, bounds: &Bounds) -> Option<Clause> {
    const NAMES: [&str; 8] = ["amount", "price", "total", "value", "quantity", "sum", "budget", "bid"];
    let cap = bounds.cap?;
    let spends = assessment.class == Class::Financial || assessment.facets.contains(&Facet::SpendsMoney);
    if argument.kind != Kind::Number || !spends || !argument.named(&NAMES) {
        return None;
    }
    let name = argument.shown();
    Some(Clause {
        list: "require",
        rule: json!({
            "conditions": [require(argument, &[("lte", json!(cap))])],
            "on_deny": format!("`{name}` may be {cap} at most."),
        }),
        why: format!("`{name}` says how much; {cap} a call is the most that you named."),
        refused: Some((with(argument, json!(cap.saturating_add(1))), "no more than the cap")),
    })
}
