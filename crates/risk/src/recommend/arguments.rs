//! Clauses over arguments, where the schema shows one that matters.

use policy::Class;
use serde_json::{Value, json};

use super::Bounds;
use crate::assess::Assessment;
use crate::definition::Definition;
use crate::facet::Facet;

/// A clause of an entry.
pub(super) struct Clause {
    /// `require`, `deny_if` or `limits`.
    pub(super) list: &'static str,
    pub(super) rule: Value,
    pub(super) why: String,
    /// Arguments that it must refuse, and what that shows.
    pub(super) refused: Option<Value>,
    pub(super) test: &'static str,
}

/// An argument of the first level, of text or number.
struct Argument<'a> {
    name: &'a str,
    /// The words of the name, folded.
    words: Vec<String>,
    required: bool,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Texts,
    Number,
}

/// The clauses for a tool.
pub(super) fn clauses(definition: &Definition<'_>, assessment: &Assessment, bounds: &Bounds) -> Vec<Clause> {
    let Some(schema) = definition.schema else { return Vec::new() };
    let mut found = Vec::new();
    for argument in arguments(schema) {
        found.extend(
            sql(&argument, assessment)
                .or_else(|| path(&argument, definition.name, bounds))
                .or_else(|| url(&argument, bounds))
                .or_else(|| recipient(&argument, assessment, bounds))
                .or_else(|| amount(&argument, assessment, bounds)),
        );
    }
    found
}

fn arguments(schema: &Value) -> Vec<Argument<'_>> {
    let required = |name: &str| {
        schema
            .get("required")
            .and_then(Value::as_array)
            .is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)))
    };
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties
        .filter_map(|(name, property)| {
            let of_text = |schema: &Value| schema.get("type").and_then(Value::as_str) == Some("string");
            let property = given(property)?;
            let kind = match type_of(property)? {
                "string" if property.get("enum").is_none() => Kind::Text,
                "array" if property.get("items").is_some_and(of_text) => Kind::Texts,
                "number" | "integer" => Kind::Number,
                _ => return None,
            };
            Some(Argument { name, words: words(name), required: required(name), kind })
        })
        .collect()
}

/// The one type of a schema that is not `null`, also where it stands in a list.
fn type_of(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(one) => Some(one),
        Value::Array(all) => {
            let mut others = all.iter().filter_map(Value::as_str).filter(|one| *one != "null");
            others.next().filter(|_| others.next().is_none())
        }
        _ => None,
    }
}

/// What an argument is when it is given: of `anyOf` and `oneOf` the one choice that is not `null`.
fn given(schema: &Value) -> Option<&Value> {
    let Some(choices) = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)?.as_array()) else {
        return Some(schema);
    };
    let mut others = choices.iter().filter(|choice| choice.get("type").and_then(Value::as_str) != Some("null"));
    others.next().filter(|_| others.next().is_none())
}

fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = ' ';
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            words.push(String::new());
        } else {
            if words.is_empty() || (letter.is_uppercase() && last.is_lowercase()) {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(letter.to_lowercase());
            }
        }
        last = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Argument<'_> {
    fn named(&self, words: &[&str]) -> bool {
        self.words.last().is_some_and(|last| words.contains(&last.as_str()))
    }

    /// The argument as a path of the language: of a list, every element.
    fn path(&self) -> String {
        let plain = self.name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && !self.name.starts_with(|letter: char| letter.is_ascii_digit());
        let every = if self.kind == Kind::Texts { "[*]" } else { "" };
        match plain {
            true => format!("args.{}{every}", self.name),
            false => format!("args[{}]{every}", Value::from(self.name)),
        }
    }

    /// A condition on the argument; `absent` says what its absence means, where it may be absent.
    fn condition(&self, op: &str, value: Value, absent: bool) -> Value {
        let mut condition = json!({ "path": self.path(), "op": op, "value": value });
        if let Some(fields) = condition.as_object_mut().filter(|_| !self.required) {
            fields.insert("missing".into(), absent.into());
        }
        condition
    }

    /// Arguments with one value for this one.
    fn with(&self, value: &str) -> Value {
        let value = if self.kind == Kind::Texts { json!([value]) } else { json!(value) };
        json!({ self.name: value })
    }
}

/// SQL that only reads.
fn sql(argument: &Argument<'_>, assessment: &Assessment) -> Option<Clause> {
    let named = argument.kind == Kind::Text && argument.words.iter().any(|word| word == "sql");
    if !named || !matches!(assessment.class, Class::Read | Class::Execute) {
        return None;
    }
    // One statement, which begins with a word that reads; a comment could hide another beginning,
    // and `;` another statement. A data-modifying WITH is why the second clause names the verbs.
    let reads =
        argument.condition("matches", json!(r"(?is)\s*(select|with|show|describe|explain|values)\b[^;]*;?\s*"), true);
    let writes = argument.condition(
        "regex",
        json!(r"(?i)\b(insert|update|delete|merge|replace|drop|truncate|alter|create|grant|revoke|call|copy|attach|into)\b"),
        false,
    );
    Some(Clause {
        list: "require",
        rule: json!({
            "conditions": [reads, { "not": writes }],
            "on_deny": format!("Only one reading statement is allowed in `{}`: SELECT, WITH, SHOW, DESCRIBE, EXPLAIN or VALUES.", argument.name),
        }),
        why: format!(
            "`{}` takes any SQL; reading is enough for most work, and a DROP cannot be taken back.",
            argument.name
        ),
        refused: Some(argument.with("DROP TABLE customers")),
        test: "no statement that changes data",
    })
}

/// The first argument that takes the path of a file or folder.
pub(crate) fn takes_path<'a>(definition: &Definition<'a>) -> Option<&'a str> {
    let found = arguments(definition.schema?).into_iter().find(|argument| is_path(argument, definition.name));
    found.map(|argument| argument.name)
}

/// The first argument that takes an address.
pub(crate) fn takes_address(schema: &Value) -> Option<&str> {
    arguments(schema).into_iter().find(is_address).map(|argument| argument.name)
}

fn is_path(argument: &Argument<'_>, tool: &str) -> bool {
    const NAMES: [&str; 10] =
        ["path", "paths", "file", "files", "filename", "filepath", "directory", "dir", "folder", "cwd"];
    // What a tool that moves or copies files calls their paths.
    const ENDS: [&str; 6] = ["source", "destination", "src", "dst", "target", "output"];
    let of_files = || words(tool).iter().any(|word| NAMES.contains(&word.as_str()));
    matches!(argument.kind, Kind::Text | Kind::Texts)
        && (argument.named(&NAMES) || (argument.words.len() == 1 && argument.named(&ENDS) && of_files()))
}

fn is_address(argument: &Argument<'_>) -> bool {
    const NAMES: [&str; 8] = ["url", "urls", "uri", "endpoint", "link", "webhook", "href", "website"];
    matches!(argument.kind, Kind::Text | Kind::Texts) && argument.named(&NAMES)
}

/// Files below the operator's folders; else nothing that holds credentials, and no way up.
fn path(argument: &Argument<'_>, tool: &str, bounds: &Bounds) -> Option<Clause> {
    if !is_path(argument, tool) {
        return None;
    }
    if !bounds.roots.is_empty() {
        let within: Vec<Value> =
            bounds.roots.iter().map(|root| argument.condition("within", json!(root), true)).collect();
        return Some(Clause {
            list: "require",
            rule: json!({
                "conditions": [{ "any_of": within }],
                "on_deny": format!("`{}` must lie below {}.", argument.name, bounds.roots.join(" or ")),
            }),
            why: format!("`{}` names a file; outside your folders the agent has no business.", argument.name),
            refused: Some(argument.with("/etc/passwd")),
            test: "no file outside the folders",
        });
    }
    let condition = argument.condition(
        "regex",
        json!(r"(?i)(^|[/\\])(\.\.|\.ssh|\.aws|\.gnupg|\.kube|\.docker|\.netrc|\.npmrc|\.pypirc|\.env[^/\\]*|id_(rsa|ed25519|ecdsa)[^/\\]*|credentials|shadow)([/\\]|$)"),
        false,
    );
    Some(Clause {
        list: "deny_if",
        rule: json!({
            "conditions": [condition],
            "on_deny": format!("`{}` leads to a place where credentials lie, or upwards by `..`.", argument.name),
        }),
        why: format!(
            "`{}` names a file; keys and passwords lie in known places, and `..` leaves the folder it was meant for.",
            argument.name
        ),
        refused: Some(argument.with("/home/ann/.ssh/id_ed25519")),
        test: "no file that holds credentials",
    })
}

/// Addresses on the operator's list; else nothing within the own network.
fn url(argument: &Argument<'_>, bounds: &Bounds) -> Option<Clause> {
    if !is_address(argument) {
        return None;
    }
    if !bounds.hosts.is_empty() {
        return Some(Clause {
            list: "require",
            rule: json!({
                "conditions": [argument.condition("url_host_in", json!(bounds.hosts), true)],
                "on_deny": format!("`{}` must lead to {}.", argument.name, bounds.hosts.join(" or ")),
            }),
            why: format!(
                "`{}` leads anywhere, and an address can carry data out; your hosts are enough.",
                argument.name
            ),
            refused: Some(argument.with("https://collector.example.net/?q=secret")),
            test: "no other host",
        });
    }
    let condition = argument.condition(
        "regex",
        json!(r"(?i)^\s*(file|gopher|dict|ftp|data|javascript):|^\s*[a-z]+://([^/?#]*@)?(localhost|[^/?#]*\.(localhost|local|internal)|metadata[^/?#]*|0|127\.[^/?#]*|10\.[^/?#]*|192\.168\.[^/?#]*|172\.(1[6-9]|2[0-9]|3[01])\.[^/?#]*|169\.254\.[^/?#]*|0x[^/?#]*|\d{8,10}|\[[^\]]*\])(:\d+)?([/?#]|$)"),
        false,
    );
    Some(Clause {
        list: "deny_if",
        rule: json!({
            "conditions": [condition],
            "on_deny": format!("`{}` leads into the own network or is no web address.", argument.name),
        }),
        why: format!(
            "`{}` leads anywhere; the own network and the cloud's metadata address are what an attacker asks for.",
            argument.name
        ),
        refused: Some(argument.with("http://169.254.169.254/latest/meta-data/")),
        test: "nothing within the own network",
    })
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
    if bounds.domains.is_empty() || !sends || !named || argument.kind == Kind::Number {
        return None;
    }
    Some(Clause {
        list: "require",
        rule: json!({
            "conditions": [argument.condition("email_domain_in", json!(bounds.domains), true)],
            "on_deny": format!("`{}` must be an address at {}.", argument.name, bounds.domains.join(" or ")),
        }),
        why: format!("`{}` says who receives it; inside your domains nothing leaves.", argument.name),
        refused: Some(argument.with("someone@example.net")),
        test: "no recipient outside",
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
    let above = cap.saturating_add(1);
    Some(Clause {
        list: "require",
        rule: json!({
            "conditions": [argument.condition("lte", json!(cap), true)],
            "on_deny": format!("`{}` may be {cap} at most.", argument.name),
        }),
        why: format!("`{}` says how much; {cap} a call is the most that you named.", argument.name),
        refused: Some(json!({ argument.name: above })),
        test: "no more than the cap",
    })
}
