//! Conditions from JSON, judged on arguments from JSON.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path as FilePath, PathBuf};

use jiff::tz::TimeZone;
use policy::condition::{Condition, Context, Facts, Polarity, Test, TestError, TestOptions, Truth, evaluate};
use policy::facts::{Class, GrantFacts};
use policy::operand::{Numbers, Operand, OwnedValue};
use policy::path::Path;
use serde_json::Value;

/// Reads a condition.
pub(crate) fn condition(json: &Value) -> Condition {
    try_condition(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

pub(crate) fn try_condition(json: &Value) -> Result<Condition, TestError> {
    let all = |json: &Value| json.as_array().unwrap().iter().map(try_condition).collect::<Result<Vec<_>, _>>();
    let path = |json: &Value| Path::parse(json.as_str().unwrap()).unwrap();
    if let Some(conditions) = json.get("any_of") {
        return Ok(Condition::AnyOf(all(conditions)?));
    }
    if let Some(inner) = json.get("not") {
        return Ok(Condition::Not(Box::new(try_condition(inner)?)));
    }
    if let Some(each) = json.get("each") {
        return Ok(Condition::Each { path: path(each), conditions: all(&json["conditions"])? });
    }
    let value = &json["value"];
    let operand = match value.as_object() {
        Some(members) if members.len() == 1 && members.contains_key("path") => Operand::Path(path(&value["path"])),
        _ => Operand::Literal(OwnedValue::parse(&value.to_string()).unwrap()),
    };
    let flag = |name: &str| json.get(name).and_then(Value::as_bool);
    let list = |name: &str| json.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let options = TestOptions {
        ignore_case: flag("ignore_case").unwrap_or(false),
        missing: flag("missing"),
        undecidable_asks: json.get("undecidable").is_some(),
        ports: list("ports").iter().map(|port| port.as_u64().unwrap().try_into().unwrap()).collect(),
        schemes: list("schemes").iter().map(|scheme| scheme.as_str().unwrap().to_owned()).collect(),
    };
    Test::new(path(&json["path"]), json["op"].as_str().unwrap().parse().unwrap(), operand, options).map(Condition::Test)
}

/// Monday the 5th of January 2026, 12:30 in UTC, 13:30 in Berlin.
pub(crate) const NOW: &str = "2026-01-05T12:30:00Z";

/// Judges conditions, joined by AND, on the text of arguments.
pub(crate) fn judge(conditions: &[Condition], args: &str, polarity: Polarity, numbers: Numbers) -> Truth {
    let args = mcp::json::parse(args).unwrap_or_else(|error| panic!("{args}: {error}"));
    let grant = GrantFacts {
        label: "billing-bot".to_owned(),
        owner: None,
        tags: BTreeMap::from([("team".to_owned(), "red".to_owned()), ("root".to_owned(), "/srv/data".to_owned())]),
        agent_label: "claude".to_owned(),
    };
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let context = Context {
        grant: &grant,
        server_name: "stripe",
        tool_name: "create_charge",
        tool_class: Class::Financial,
        session_id: None,
        client_ip: Some(IpAddr::from([10, 1, 2, 3])),
        now: NOW.parse().unwrap(),
        zone: &zone,
    };
    evaluate(conditions, &Facts { args: &args, context: &context, numbers }, polarity)
}

/// Judges one condition of `require`: `Some(true)`, `Some(false)`, or `None` for undecidable.
pub(crate) fn require(json: &Value, args: &str) -> Option<bool> {
    decided(&judge(&[condition(json)], args, Polarity::Allows, Numbers::Binary64))
}

/// The same in `deny_if`.
pub(crate) fn deny_if(json: &Value, args: &str) -> Option<bool> {
    decided(&judge(&[condition(json)], args, Polarity::Denies, Numbers::Binary64))
}

pub(crate) fn decided(truth: &Truth) -> Option<bool> {
    match truth {
        Truth::True => Some(true),
        Truth::False => Some(false),
        Truth::Undecidable(_) => None,
    }
}

/// The directory of test data beside the repository, where there is one.
pub(crate) fn shared_data() -> Option<PathBuf> {
    let found = FilePath::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|directory| directory.join("shared/data"))
        .find(|directory| directory.is_dir());
    if found.is_none() {
        eprintln!("skipped: ../shared is absent");
    }
    found
}
