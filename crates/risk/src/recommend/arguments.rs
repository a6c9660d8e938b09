//! Clauses over arguments, where the schema shows one that matters.

use policy::Class;
use serde_json::{Value, json};

use super::Bounds;
use super::condition::{require, some, with};
use super::shape::{self, Argument, Kind, words};
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
    /// There is more to bound than an entry holds.
    pub(super) too_much: bool,
}

/// The clauses for a tool.
pub(super) fn clauses(definition: &Definition<'_>, assessment: &Assessment, bounds: &Bounds) -> Said {
    let mut said = Said::default();
    for argument in definition.schema.map(shape::all).unwrap_or_default() {
        let found: Vec<Clause> = if argument.kind == Kind::Deep {
            vec![deep(&argument)]
        } else if is_sql(&argument, definition.name, assessment) {
            sql(&argument)
        } else if is_path(&argument, definition.name) {
            vec![path(&argument, bounds)]
        } else if is_address(&argument) {
            vec![url(&argument, bounds)]
        } else {
            recipient(&argument, assessment, bounds)
                .or_else(|| amount(&argument, assessment, bounds))
                .into_iter()
                .collect()
        };
        if said.unbounded.is_none() && !is_sql(&argument, definition.name, assessment) {
            said.unbounded = unbounded(&argument, definition.name, bounds);
        }
        if said.code.is_none() && is_code(&argument) {
            said.code = Some(argument.shown());
        }
        if said.clauses.len().saturating_add(found.len()) > MOST {
            said.too_much = true;
            break;
        }
        said.clauses.extend(found);
    }
    said
}

/// Whether nothing bounds what an argument takes while the operator says nothing.
fn unbounded(argument: &Argument<'_>, tool: &str, bounds: &Bounds) -> Option<Unbounded> {
    let name = argument.shown();
    let (takes, until) = if argument.kind == Kind::Deep {
        ("nests deeper than rules follow", "")
    } else if is_path(argument, tool) && bounds.roots.is_empty() {
        ("may name any file", ", until the operator names folders with --root")
    } else if is_address(argument) && bounds.hosts.is_empty() {
        ("may lead to any host", ", until the operator names hosts with --host")
    } else {
        return None;
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

fn takes_text(argument: &Argument<'_>) -> bool {
    matches!(argument.kind, Kind::Text | Kind::Hidden { .. })
}

/// The first argument that takes the path of a file or folder.
pub(crate) fn takes_path<'a>(definition: &Definition<'a>) -> Option<&'a str> {
    let outer = shape::arguments(definition.schema?, 1);
    outer.into_iter().find(|one| one.kind == Kind::Text && is_path(one, definition.name)).map(|one| one.name)
}

/// The first argument that takes an address.
pub(crate) fn takes_address(schema: &Value) -> Option<&str> {
    let outer = shape::arguments(schema, 1);
    outer.into_iter().find(|one| one.kind == Kind::Text && is_address(one)).map(|one| one.name)
}

/// Whether the argument is SQL: it, the tool or the schema's text says so.
fn is_sql(argument: &Argument<'_>, tool: &str, assessment: &Assessment) -> bool {
    const NAMES: [&str; 4] = ["queries", "query", "statement", "statements"];
    let names_sql = |words: &[String]| {
        words
            .iter()
            .any(|word| word == "sqlite" || (word.ends_with("sql") && !matches!(word.as_str(), "nosql" | "esql")))
    };
    let query = || argument.named(&NAMES) && (names_sql(&words(tool)) || names_sql(&folded(argument.text)));
    takes_text(argument)
        && matches!(assessment.class, Class::Read | Class::Execute)
        && (argument.words.iter().any(|word| word == "sql") || query())
}

/// The words of a text; `SQL` and `MySQL` are one word each.
fn folded(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase).collect()
}

fn is_path(argument: &Argument<'_>, tool: &str) -> bool {
    const NAMES: [&str; 10] =
        ["path", "paths", "file", "files", "filename", "filepath", "directory", "dir", "folder", "cwd"];
    // What a tool that moves or copies files calls their paths.
    const ENDS: [&str; 6] = ["source", "destination", "src", "dst", "target", "output"];
    let of_files = || words(tool).iter().any(|word| NAMES.contains(&word.as_str()));
    takes_text(argument)
        && (argument.named(&NAMES) || (argument.words.len() == 1 && argument.named(&ENDS) && of_files()))
}

fn is_address(argument: &Argument<'_>) -> bool {
    const NAMES: [&str; 8] = ["url", "urls", "uri", "endpoint", "link", "webhook", "href", "website"];
    takes_text(argument) && argument.named(&NAMES)
}

/// Whether the argument is itself what is run.
fn is_code(argument: &Argument<'_>) -> bool {
    const NAMES: [&str; 14] = [
        "bash",
        "cmd",
        "code",
        "command",
        "commands",
        "expression",
        "javascript",
        "js",
        "powershell",
        "program",
        "python",
        "script",
        "shell",
        "snippet",
    ];
    takes_text(argument) && argument.named(&NAMES)
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
fn sql(argument: &Argument<'_>) -> Vec<Clause> {
    let name = argument.shown();
    // One statement, which begins with a word that reads; a comment could hide another beginning,
    // and `;` another statement.
    let reads = json!(r"(?is)\s*(select|with|show|describe|explain|values)\b[^;]*;?\s*");
    let reading = Clause {
        list: "require",
        rule: json!({
            "conditions": [require(argument, &[("matches", reads)])],
            "on_deny": format!("`{name}` must be one reading statement: SELECT, WITH, SHOW, DESCRIBE, EXPLAIN or VALUES."),
        }),
        why: format!("`{name}` takes any SQL; reading is enough for most work, and a DROP cannot be taken back."),
        refused: Some((with(argument, json!("DROP TABLE customers")), "no statement that changes data")),
    };
    // Statements that begin so may still write: WITH … DELETE, EXPLAIN ANALYZE, SELECT INTO. The words may also
    // stand in a text that is looked for, so a person looks.
    let writes = json!(
        r"(?i)\b(insert|update|delete|merge|replace|drop|truncate|alter|create|grant|revoke|call|copy|attach|into)\b"
    );
    let asking = Clause {
        list: "require_approval_if",
        rule: json!({
            "conditions": [some(argument, "regex", &writes)],
            "on_deny": format!("`{name}` holds a word that changes data, such as DELETE or INTO: a person must agree."),
        }),
        why: format!(
            "A statement in `{name}` that begins with a reading word can still write (WITH … DELETE); give the server a login \
             that may only read as well."
        ),
        refused: None,
    };
    // Where the schema hides the type a path leads to no text for certain, and the second would deny what the first allows.
    if argument.kind == Kind::Text { vec![reading, asking] } else { vec![reading] }
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
        refused: Some((with(argument, json!("/etc/passwd")), "no file outside the folders")),
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
        refused: Some((with(argument, json!("https://collector.example.net/?q=secret")), "no other host")),
    }
}

/// Mail within the operator's domains.
fn recipient(argument: &Argument<'_>, assessment: &Assessment, bounds: &Bounds) -> Option<Clause> {
    const NAMES: [&str; 11] = [
        "to",
        "cc",
        "bcc",
        "recipient",
        "recipients",
        "email",
        "emails",
        "attendees",
        "invitees",
        "participants",
        "address",
    ];
    let sends = assessment.facets.contains(&Facet::SendsExternal);
    let named = argument.named(&NAMES) && !argument.words.iter().any(|word| word == "from" || word == "sender");
    if bounds.domains.is_empty() || !sends || !named || !takes_text(argument) {
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
        refused: Some((with(argument, json!("someone@example.net")), "no recipient outside")),
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
