//! What arrives at a server is what was judged: its own decoder, in whatever language, reads the tool and the arguments that
//! the record names, and the same call as from what the agent sent.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::decode;
use testkit::figures::figure;
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;

use crate::setup::{before, legacy, open, rounds, toolgate, word};

/// Numbers that are always the same, as a generator gives them: xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap_or(1)).unwrap_or_default()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.get(self.below(of.len())).copied().unwrap_or_default()
    }
}

/// Numbers in all forms that JSON has.
const NUMBERS: [&str; 16] = [
    "0",
    "-0",
    "1",
    "-1",
    "1.0",
    "0.10",
    "1e2",
    "1E+2",
    "1e-2",
    "-1.5e-3",
    "123456789012345678",
    "9007199254740993",
    "1e308",
    "5e-324",
    "0.1000000000000000055511151231257827",
    "100000000000000000000",
];

/// Names that are alike and not the same, as they are written. No two of a column mean the same key.
const KEYS: [[&str; 3]; 8] = [
    ["a", "\\u0061", "a"],
    ["A", "\\u0041", "A"],
    ["a ", "a\\u0020", "a "],
    ["é", "\\u00e9", "\\u00E9"],
    ["e\\u0301", "\\u0065\\u0301", "e\\u0301"],
    ["\\ud83d\\ude00", "😀", "\\uD83D\\uDE00"],
    ["arguments", "\\u0061rguments", "arguments"],
    ["__proto__", "\\u005f_proto__", "__proto__"],
];

/// Strings in all forms that JSON has.
const STRINGS: [&str; 12] = [
    "",
    "plain",
    "\\\"",
    "\\\\",
    "\\/",
    "/",
    "\\b\\f\\n\\r\\t",
    "\\u0000",
    "\\u2028",
    "\\ud83d\\ude00",
    "😀",
    "\\u00e9\\u0301",
];

const SPACE: [&str; 6] = ["", "", " ", "\\t", "  ", "\\n"];

fn space(chance: &mut Chance) -> String {
    chance.one(&SPACE).replace("\\t", "\t").replace("\\n", "\n")
}

fn value(chance: &mut Chance, depth: usize) -> String {
    match chance.below(if depth == 0 { 4 } else { 7 }) {
        0 => chance.one(&NUMBERS).to_owned(),
        1 => format!("\"{}\"", chance.one(&STRINGS)),
        2 => chance.one(&["true", "false", "null"]).to_owned(),
        3 => chance.one(&["[]", "{}", "[ ]", "{\n}"]).to_owned(),
        4 => {
            let values: Vec<String> = (0..chance.below(4)).map(|_| value(chance, depth - 1)).collect();
            format!("[{}]", values.join(&format!("{},{}", space(chance), space(chance))))
        }
        5 => object(chance, depth - 1),
        // As deep as may be is another matter: see `limits`.
        _ => {
            let deep = chance.below(40);
            format!("{}{}{}", "[".repeat(deep), value(chance, depth - 1), "]".repeat(deep))
        }
    }
}

fn object(chance: &mut Chance, depth: usize) -> String {
    let first = chance.below(KEYS.len());
    let members: Vec<String> = (0..chance.below(KEYS.len()))
        .filter_map(|at| KEYS.get((first + at) % KEYS.len()))
        .map(|key| {
            let (key, value) = (chance.one(key), value(chance, depth));
            format!("{}\"{key}\"{}:{}{value}", space(chance), space(chance), space(chance))
        })
        .collect();
    format!("{{{}{}}}", members.join(","), space(chance))
}

/// A call, its members in any order.
fn generated(chance: &mut Chance, id: usize) -> String {
    let arguments = object(chance, 3);
    let name = chance.one(&["\"echo\"", "\"\\u0065cho\"", "\"charge\"", "\"read_file\"", "\"read\\u005ffile\""]);
    let shuffled = |chance: &mut Chance, mut members: Vec<String>| {
        let mut text = Vec::new();
        while !members.is_empty() {
            text.push(members.swap_remove(chance.below(members.len())));
        }
        format!("{{{}}}", text.join(&format!("{},{}", space(chance), space(chance))))
    };
    let params = shuffled(chance, vec![format!("\"name\":{name}"), format!("\"arguments\":{arguments}")]);
    let method = chance.one(&["\"tools/call\"", "\"tools\\/call\"", "\"tools/\\u0063all\""]);
    let members = vec![
        "\"jsonrpc\":\"2.0\"".to_owned(),
        format!("\"id\":{id}"),
        format!("\"method\":{method}"),
        format!("\"params\":{params}"),
    ];
    shuffled(chance, members)
}

/// The keys at the top that a record names: `a.b[*]`, `["a b"].c`.
fn recorded_keys(record: &Value) -> Option<BTreeSet<String>> {
    let keys = record.get("argument_keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut tops = BTreeSet::new();
    for key in keys.iter().filter_map(Value::as_str) {
        if key == "…" {
            return None;
        }
        let top = match key.strip_prefix('[') {
            Some(quoted) => {
                let mut read = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
                read.next()?.ok()?
            }
            None => key.split(['.', '[']).next()?.to_owned(),
        };
        tops.insert(top);
    }
    Some(tops)
}

#[test]
fn every_language_reads_what_was_judged() -> anyhow::Result<()> {
    let tools = ["echo", "charge", "read_file"].map(Tool::named);
    let upstream = Upstream::start(Script::with(tools).sessionless())?;
    let toolgate = before(toolgate()?, &open(), &format!("url = \"{}\"", upstream.url()))?.serve()?;
    let client = legacy(&toolgate)?;
    client.tools()?;
    let (rounds, mut chance) = (rounds(300)?, Chance(0x9e37_79b9_7f4a_7c15));
    let (mut sent, mut came) = (Vec::new(), Vec::new());
    for id in 0..rounds {
        let text = generated(&mut chance, id).into_bytes();
        let before = upstream.called().len();
        let answer = client.post(&text)?;
        let calls = upstream.calls().split_off(before);
        ensure!(calls.len() <= 1, "one message became {} calls", calls.len());
        match calls.into_iter().next() {
            Some(call) => {
                sent.push(text);
                came.push(call.body);
            }
            // What cannot be read one way alone goes nowhere.
            None => {
                let said = answer.message()?;
                let no = said.get("error").is_some() || said.pointer("/result/isError") == Some(&json!(true));
                ensure!(no, "{}: {}", String::from_utf8_lossy(&text), answer.text());
            }
        }
    }
    ensure!(sent.len() * 4 > rounds, "{} of {rounds} were forwarded", sent.len());
    let mut records = toolgate.setup.decisions()?;
    records.retain(|record| word(record, "effect") == "allow");
    ensure!(records.len() == came.len(), "{} records of {} calls", records.len(), came.len());

    let mut read_by = Vec::new();
    for language in decode::languages()? {
        let (from_agent, at_server) = (language.calls(&sent)?, language.calls(&came)?);
        for (at, (theirs, ours)) in from_agent.iter().zip(&at_server).enumerate() {
            let text = || String::from_utf8_lossy(came.get(at).map_or(&[], Vec::as_slice)).into_owned();
            ensure!(theirs == ours && ours.is_string(), "{} reads {theirs} and {ours}: {}", language.name, text());
            let read: Value = serde_json::from_str(ours.as_str().context("text")?)?;
            let record = records.get(at).context("a record")?;
            ensure!(read["name"] == word(record, "tool"), "{}: {record}: {}", language.name, text());
            let keys: BTreeSet<String> = match &read["arguments"] {
                // Node's are written as pairs, so that their order counts for nothing.
                Value::Array(pairs) => pairs.iter().filter_map(|pair| pair[0].as_str().map(str::to_owned)).collect(),
                members => members.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect(),
            };
            if let Some(recorded) = recorded_keys(record) {
                ensure!(
                    recorded == keys,
                    "{} reads {keys:?}, and {recorded:?} are recorded: {}",
                    language.name,
                    text()
                );
            }
        }
        read_by.push(language.name);
    }
    figure(
        &format!("generated calls that {} read otherwise than they were judged, of {}", read_by.join(", "), sent.len()),
        json!(0),
    )
}
