//! Plausible arguments, made from a schema.

use serde_json::{Map, Value, json};

use super::role::Role;
use super::told::Told;

/// How deep, and how many members of an object.
const DEPTH: usize = 4;
const MEMBERS: usize = 12;

/// Makes calls of one tool.
pub(super) struct Examples<'t> {
    told: &'t Told<'t>,
    root: Option<&'t Value>,
}

impl<'t> Examples<'t> {
    pub(super) fn new(told: &'t Told<'t>) -> Examples<'t> {
        Examples { told, root: told.definition.schema }
    }

    /// The arguments of a call: those that are required and, where it is to be `full`, those that rules look at.
    pub(super) fn call(&self, full: bool) -> Value {
        match self.root {
            Some(root) => self.object(root, "", full, 0),
            None => json!({}),
        }
    }

    fn object(&self, schema: &Value, path: &str, full: bool, depth: usize) -> Value {
        let mut members = Map::new();
        let all = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        for part in std::iter::once(schema).chain(all).map(|part| self.resolved(part)) {
            let required: Vec<&str> = part
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            for (name, property) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let way = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let role = self.told.arguments.iter().find(|one| one.path == way).map_or(Role::Other, |one| one.role);
                let looked_at = matches!(
                    role,
                    Role::Sql | Role::Recipient | Role::Path | Role::Address | Role::Host | Role::Amount
                );
                // A call of nothing shows nothing: where nothing is required, the first two are given.
                let first = full && depth == 0 && required.is_empty() && members.len() < 2;
                let needed = first || required.contains(&name.as_str());
                if (needed && members.len() < 2 * MEMBERS)
                    || (full && looked_at && depth < 2 && members.len() < MEMBERS)
                {
                    members.insert(name.clone(), self.value(property, name, &way, role, full, depth + 1));
                }
            }
        }
        Value::Object(members)
    }

    fn value(&self, schema: &Value, name: &str, path: &str, role: Role, full: bool, depth: usize) -> Value {
        let schema = self.only(schema);
        if let Some(given) = schema.get("const") {
            return given.clone();
        }
        if let Some(first) = schema.get("enum").and_then(Value::as_array).and_then(|all| all.first()) {
            return first.clone();
        }
        if let Some(given) = schema
            .get("default")
            .filter(|given| short(given) && !matches!(role, Role::Path | Role::Address | Role::Recipient))
        {
            return given.clone();
        }
        let kind = match schema.get("type") {
            Some(Value::String(one)) => one.as_str(),
            Some(Value::Array(all)) => {
                all.iter().filter_map(Value::as_str).find(|one| *one != "null").unwrap_or_default()
            }
            _ if schema.get("properties").is_some() => "object",
            _ => "string",
        };
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        match kind {
            "integer" | "number" => number(
                name,
                role,
                kind == "integer",
                bound("minimum").or(bound("exclusiveMinimum").map(|least| least + 1.0)),
                bound("maximum").or(bound("exclusiveMaximum").map(|most| most - 1.0)),
            ),
            "boolean" => Value::Bool(matches!(role, Role::Harmless)),
            "null" => Value::Null,
            "array" if depth < DEPTH => {
                let one = match schema.get("items").filter(|items| items.is_object()) {
                    Some(items) => {
                        self.value(items, &super::grammar::singular(name), &format!("{path}[*]"), role, full, depth + 1)
                    }
                    None => text(name, role, &Value::Null),
                };
                let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, 5);
                Value::Array((0..least).map(|_| one.clone()).collect())
            }
            "array" => json!([]),
            "object" if depth < DEPTH => self.object(schema, path, full, depth),
            "object" => json!({}),
            _ => text(name, role, schema),
        }
    }

    fn resolved<'v>(&'v self, mut schema: &'v Value) -> &'v Value {
        for _ in 0..8 {
            let target = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
            match target.and_then(|pointer| self.root?.pointer(pointer)) {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    fn only<'v>(&'v self, schema: &'v Value) -> &'v Value {
        let schema = self.resolved(schema);
        let choices = ["anyOf", "oneOf", "allOf"].iter().find_map(|key| schema.get(key)?.as_array());
        let real = |one: &&Value| one.get("type").and_then(Value::as_str) != Some("null");
        match choices.and_then(|all| all.iter().map(|one| self.resolved(one)).find(real)) {
            Some(one) if schema.get("properties").is_none() => one,
            _ => schema,
        }
    }
}

fn short(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            !text.is_empty() && text.len() <= 60 && text.chars().all(|letter| letter.is_ascii() && !letter.is_control())
        }
        Value::Number(_) | Value::Bool(_) => true,
        _ => false,
    }
}

/// A number that fits its name and bounds.
fn number(name: &str, role: Role, whole: bool, least: Option<f64>, most: Option<f64>) -> Value {
    let small = name.to_lowercase();
    let usual: f64 = match role {
        Role::Target | Role::Targets => 1042.0,
        Role::Page if small.contains("page") || small.contains("offset") || small.contains("start") => 1.0,
        Role::Page => 20.0,
        Role::Amount => 25.0,
        _ if small.contains("port") => 443.0,
        _ if small.contains("lat") => 52.0,
        _ if small.contains("lon") || small.contains("lng") => 13.0,
        _ if small.contains("year") => 2026.0,
        _ => 5.0,
    };
    let bounded = usual.max(least.unwrap_or(f64::MIN)).min(most.unwrap_or(f64::MAX));
    let rounded = bounded.round();
    // Whole numbers are written without a point; what is too large for that was no bound to show.
    if whole || (rounded - bounded).abs() < f64::EPSILON {
        return serde_json::from_str(&format!("{rounded:.0}")).unwrap_or(json!(1));
    }
    json!(bounded)
}

/// A text that fits its name, format and length.
fn text(name: &str, role: Role, schema: &Value) -> Value {
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let words: Vec<String> = super::title::parts(name).iter().map(|word| word.to_lowercase()).collect();
    let has = |some: &[&str]| words.iter().any(|word| some.contains(&word.as_str()));
    let usual = match (format, role) {
        ("email", _) => "ann@example.com",
        ("uri" | "url" | "iri", _) => "https://www.iana.org/help/example-domains",
        ("date-time", _) => "2026-03-02T09:00:00Z",
        ("date", _) => "2026-03-02",
        ("time", _) => "09:00:00Z",
        ("uuid", _) => "7d44b88c-4199-4bad-97dc-d78268e01398",
        ("ipv4", _) => "192.0.2.10",
        (_, Role::Sql) => "SELECT name FROM customers",
        (_, Role::Command) => "date",
        (_, Role::Path) => "/srv/data/report.txt",
        (_, Role::Address) => "https://www.iana.org/help/example-domains",
        (_, Role::Host) => "www.example.com",
        (_, Role::Recipient) if has(&["channel", "chat"]) => "general",
        (_, Role::Recipient) if has(&["phone", "sms", "number"]) => "+4930123456",
        (_, Role::Recipient)
            if has(&["address", "wallet", "account", "id", "ids", "payee"]) && !has(&["email", "mail", "to"]) =>
        {
            "acct_1042"
        }
        (_, Role::Recipient) => "ann@example.com",
        (_, Role::Amount) => "25",
        (_, Role::Credential) => "not-a-real-secret",
        (_, Role::Target | Role::Targets) => "1042",
        (_, Role::Content) if has(&["subject"]) => "Minutes of Monday",
        (_, Role::Content) => "The minutes are ready.",
        (_, Role::Search) => "invoice",
        _ if has(&["email", "mail"]) => "ann@example.com",
        _ if has(&["url", "uri", "link"]) => "https://www.iana.org/help/example-domains",
        _ if has(&["date", "day"]) => "2026-03-02",
        _ if has(&["time", "timestamp", "datetime"]) => "2026-03-02T09:00:00Z",
        _ if has(&["country"]) => "PT",
        _ if has(&["currency"]) => "EUR",
        _ if has(&["language", "lang", "locale"]) => "en",
        _ if has(&["city", "location"]) => "Lisbon",
        _ if has(&["symbol", "ticker"]) => "ACME",
        _ if has(&["name", "title"]) => "Spring review",
        _ if has(&["phone"]) => "+4930123456",
        _ => "example",
    };
    let least = schema
        .get("minLength")
        .and_then(Value::as_u64)
        .and_then(|least| usize::try_from(least).ok())
        .unwrap_or_default();
    let most = schema
        .get("maxLength")
        .and_then(Value::as_u64)
        .and_then(|most| usize::try_from(most).ok())
        .unwrap_or(usize::MAX);
    let mut text: String = usual.chars().take(most).collect();
    while text.len() < least.min(200) {
        text.push('0');
    }
    Value::String(text)
}
