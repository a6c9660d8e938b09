//! Records come back as they were written, byte for byte, and show nothing raw.

use proptest::prelude::*;

use super::*;
use crate::event::{After, Change, Edits, Effect, Ending};
use crate::signature::tests::fresh;
use crate::{Record, Rows, checkpoint};

fn stamp(seq: u64) -> Stamp {
    Stamp { seq, id: Id::from_bits(77 << 80 | 5), time: "2026-01-05T12:00:00.123456Z".parse().unwrap() }
}

/// Encodes, decodes and encodes again.
fn there_and_back(event: &Event<'_>) -> (String, Record) {
    let mut first = Vec::new();
    let head = encode(stamp(9), event, &Head::EMPTY, &mut first);
    let record = Record::decode(&first).unwrap();
    let mut second = Vec::new();
    let again = encode(record.stamp(), &record.event().unwrap(), &Head::EMPTY, &mut second);
    let (first, second) = (String::from_utf8(first).unwrap(), String::from_utf8(second).unwrap());
    assert_eq!(first, second);
    assert_eq!((head, head), (again, record.hash));
    assert!(Record::follows(first.as_bytes(), &Head::EMPTY));
    assert_eq!(first.matches('\n').count(), 1);
    (first, record)
}

#[test]
fn a_decision_reads_as_documented() {
    let counts = [Count {
        id: "local|spend|day".into(),
        counter: "spend".into(),
        scope: "grant".into(),
        window: "day".into(),
        amount: 12_500_000,
        observed: true,
        ..Count::default()
    }];
    let would = [Would { rule: "tools.pay".into(), effect: Effect::Ask }];
    let (line, record) = there_and_back(&Event::Decision(Decision {
        id: Id::from_bits(77 << 80 | 5),
        grant: Some("local"),
        grant_id: Some("01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        organisation: Some("01ARZ3NDEKTSV4RRFFQ69G5FAW"),
        server: Some("fs"),
        client: Some("::1".parse().unwrap()),
        method: Some("tools/call"),
        target: Target::Tool("read_file"),
        effect: Effect::Allow,
        argument_keys: ArgumentKeys::In(r#"{"path":"/etc/passwd"}"#),
        counts: &counts,
        would: &would,
        bytes: Some(99),
        trace: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
        ..Decision::default()
    }));
    let expected = concat!(
        r#"{"seq":9,"id":"000000002D0000000000000005","time":"2026-01-05T12:00:00.123456Z","kind":"decision","#,
        r#""organisation":"01ARZ3NDEKTSV4RRFFQ69G5FAW","grant":"local","grant_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","#,
        r#""server":"fs","client":"::1","method":"tools/call","tool":"read_file","effect":"allow","#,
        r#""argument_keys":["path"],"counts":[{"id":"local|spend|day","counter":"spend","scope":"grant","window":"day","#,
        r#""amount":"12.5","observed":true}],"would":[{"rule":"tools.pay","effect":"ask"}],"bytes":99,"#,
        r#""trace":"4bf92f3577b34da6a3ce929d0e0e4736","hash":""#,
    );
    assert_eq!(line.get(..expected.len()), Some(expected));
    assert_eq!(record.counts, counts);
    assert_eq!(
        Rows::default().row(&record).to_string(),
        "2026-01-05T12:00:00.123Z  allow       read_file                 server=fs grant=local \
         organisation=01ARZ3NDEKTSV4RRFFQ69G5FAW count=spend+12.5 would=\"ask tools.pay\" keys=path id=000000002D0000000000000005",
    );
}

#[test]
fn every_kind_comes_back() {
    let after = After { chain: Id::from_bits(3), seq: 8, head: Head::EMPTY.then(&[b"a"]) };
    let refunded = [Count { id: "x".into(), amount: 1, concurrency: true, uncounted: true, ..Count::default() }];
    let edits = Edits {
        redacted: [("aws_access_key".to_owned(), 2), ("jwt".to_owned(), 1)].into(),
        stripped: 3,
        ..Edits::default()
    };
    let would = Edits { over: Some(1024), observed: true, ..Edits::default() };
    let withheld = Edits { late: Some("ticket".to_owned()), dropped: 2, ..Edits::default() };
    let events = [
        Event::Segment(Segment { chain: Id::from_bits(4), segment: 1, previous: Head::EMPTY, after: Some(after) }),
        Event::Segment(Segment { chain: Id::from_bits(4), segment: 2, previous: after.head, after: None }),
        Event::Start(Start { version: "0.1.0", command: "run", pid: 4, durability: "buffered" }),
        Event::Outcome(Outcome {
            decision: Id::from_bits(9),
            ending: Ending::NotSent,
            refunded: &refunded,
            ..Outcome::default()
        }),
        Event::Outcome(Outcome { edits: Some(&edits), ..Outcome::default() }),
        Event::Outcome(Outcome { edits: Some(&would), ..Outcome::default() }),
        Event::Outcome(Outcome { edits: Some(&withheld), ..Outcome::default() }),
        Event::Refused(Refused {
            reason: "wrong token",
            times: 3,
            server: None,
            client: Some("10.0.0.1".parse().unwrap()),
        }),
        Event::Policy(PolicyNotice {
            server: Some("fs"),
            file: Some("p.json"),
            policy: Some("ab"),
            accepted: false,
            reason: Some("broken"),
        }),
        Event::Definition(DefinitionNotice {
            server: "fs",
            tool: "charge",
            digest: "sha256:ab",
            class: "financial",
            accepted: true,
            reason: Some("first list"),
        }),
        Event::Upstream(Upstream {
            server: "fs",
            change: Change::Exited,
            pid: Some(7),
            status: Some("exit status: 1"),
            reason: None,
        }),
        Event::Recovered(Recovered { reason: "2 children ended", times: Some(2) }),
        Event::Checkpoint(checkpoint::sign(&fresh(), Id::from_bits(4), 8, Head::EMPTY, stamp(9).time).unwrap()),
        Event::Stop(Stop { reason: None }),
    ];
    for event in &events {
        let (line, record) = there_and_back(event);
        assert_eq!(record.kind, event.kind(), "{line}");
        assert!(!Rows::default().row(&record).to_string().contains('\n'));
    }
}

#[test]
fn what_a_later_version_writes_can_be_read_past() {
    let line = format!(
        r#"{{"seq":1,"id":"000000002D0000000000000005","time":"2026-01-05T12:00:00Z","kind":"later","new":[1],"hash":"{}"}}"#,
        Head::EMPTY,
    );
    let record = Record::decode(line.as_bytes()).unwrap();
    assert_eq!(record.kind, crate::Kind::Other);
    assert!(record.event().is_none());
    assert!(Rows::default().row(&record).to_string().contains("other"));
}

#[test]
fn long_texts_are_cut_once() {
    let long = "ä".repeat(5000);
    let (line, record) = there_and_back(&Event::Decision(Decision { reason: Some(&long), ..Decision::default() }));
    let reason = record.reason.unwrap();
    assert!(reason.ends_with('…') && reason.len() <= LONGEST && line.len() < 3 * LONGEST);
}

#[test]
fn times_are_as_jiff_writes_them() {
    for text in [
        "1970-01-01T00:00:00.000000Z",
        "1999-12-31T23:59:59.999999Z",
        "2000-02-29T01:02:03.000004Z",
        "2024-02-29T12:34:56.789012Z",
        "2026-11-21T05:09:21.120000Z",
        "2100-03-01T00:00:00.000001Z",
        "9999-01-01T10:00:00.500000Z",
    ] {
        let mut out = Vec::new();
        time(&mut out, text.parse().unwrap());
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}

/// Texts as an attacker may send them, from the security data beside the repository.
fn attacks() -> Option<Vec<String>> {
    let own = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = own
        .ancestors()
        .map(|up| up.join("shared/data/security/own/gateway-attacks.jsonl"))
        .find(|file| file.exists())?;
    let lines = std::fs::read_to_string(file).unwrap();
    let cases = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let log = cases.filter(|case| case["group"] == "log");
    Some(log.map(|case| String::from_utf8_lossy(&base64(case["b64"].as_str().unwrap())).into_owned()).collect())
}

fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').map(digit).collect();
    let join = |four: &[u8]| four.iter().fold(0u32, |bits, six| bits << 6 | u32::from(*six)) << (6 * (4 - four.len()));
    digits.chunks(4).flat_map(|four| join(four).to_be_bytes()[1..four.len()].to_vec()).collect()
}

#[test]
fn attacks_show_nothing_raw() {
    let Some(texts) = attacks() else {
        println!("skipped: ../shared is absent");
        return;
    };
    assert!(texts.len() >= 20);
    for text in &texts {
        let keys = serde_json::json!({ text.as_str(): 1 }).to_string();
        let (line, record) = there_and_back(&Event::Decision(Decision {
            grant: Some(text),
            agent: Some(text),
            session: Some(text),
            target: Target::Tool(text),
            rule: Some(text),
            reason: Some(text),
            argument_keys: ArgumentKeys::In(&keys),
            ..Decision::default()
        }));
        assert_eq!(record.tool.as_ref(), Some(text), "nothing is lost");
        assert_eq!(record.argument_keys.as_ref().map(Vec::len), Some(1));
        let body = line.strip_suffix('\n').unwrap();
        assert!(body.chars().all(visible::is_plain), "{body:?}");
        assert_eq!(record.effect, Some(Effect::Deny), "no member can be forged");
        let row = Rows::default().row(&record).to_string();
        assert!(row.chars().all(visible::is_plain), "{row:?}");
        assert!(row.starts_with("2026-01-05T12:00:00.123Z  deny  "));
        let (_, outcome) = there_and_back(&Event::Outcome(Outcome { reason: Some(text), ..Outcome::default() }));
        assert!(Rows::default().row(&outcome).to_string().chars().all(visible::is_plain));
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "\\PC{0,20}",
        "[\\x00-\\x20\"\\\\]{0,10}",
        proptest::collection::vec(any::<char>(), 0..12).prop_map(|all| all.into_iter().collect())
    ]
}

proptest! {
    #[test]
    fn decisions_come_back(
        texts in proptest::collection::vec(proptest::option::of(text()), 10),
        keys in proptest::collection::vec(text(), 0..4),
        amounts in proptest::collection::vec((text(), any::<u64>(), any::<[bool; 3]>()), 0..3),
        effects in proptest::collection::vec(prop_oneof![Just(Effect::Allow), Just(Effect::Deny), Just(Effect::Hide), Just(Effect::Ask)], 1..3),
        bytes: Option<u64>,
        client: Option<std::net::IpAddr>,
        target in 0..4,
    ) {
        let at = |index: usize| texts[index].as_deref();
        let name = at(0).unwrap_or("x");
        let counts: Vec<Count<'_>> = amounts.iter().map(|(id, amount, [concurrency, observed, uncounted])| Count {
            id: id.as_str().into(),
            amount: u128::from(*amount) * 1001,
            concurrency: *concurrency,
            observed: *observed,
            uncounted: *uncounted,
            ..Count::default()
        }).collect();
        let would: Vec<Would<'_>> = effects.iter().map(|effect| Would { rule: name.into(), effect: *effect }).collect();
        let decision = Decision {
            organisation: at(8), grant_id: at(9),
            id: Id::from_bits(77 << 80 | 5),
            grant: at(1), agent: at(2), server: at(3), session: at(4), client,
            revision: at(5), method: at(6),
            target: match target { 0 => Target::None, 1 => Target::Tool(name), 2 => Target::Resource(name), _ => Target::Prompt(name) },
            effect: effects[0],
            rule: at(7), pointer: at(8), policy: None, reason: at(9),
            argument_keys: ArgumentKeys::Paths(&keys),
            counts: &counts, would: &would, bytes, trace: at(1),
        };
        let (line, record) = there_and_back(&Event::Decision(decision));
        prop_assert!(line.trim_end_matches('\n').chars().all(visible::is_plain));
        prop_assert_eq!(record.grant.as_deref(), at(1));
        prop_assert_eq!(record.reason.as_deref(), at(9));
        prop_assert_eq!(&record.counts, &counts);
        prop_assert_eq!(record.argument_keys.as_ref(), Some(&keys));
        prop_assert!(Rows::default().row(&record).to_string().chars().all(visible::is_plain));
    }

    #[test]
    fn any_time_is_as_jiff_writes_it(micros in 0i64..4_102_444_800_000_000) {
        let when = Timestamp::from_microsecond(micros).unwrap();
        let mut out = Vec::new();
        time(&mut out, when);
        prop_assert_eq!(std::str::from_utf8(&out).unwrap().parse::<Timestamp>().unwrap(), when);
        prop_assert_eq!(out.len(), 27);
    }

    #[test]
    fn argument_keys_are_json_whatever_comes(json in "[\\[\\]{}\",:a\\\\ 1ä]{0,60}") {
        let mut out = Vec::new();
        argument_keys::write(&json, &mut out);
        prop_assert!(serde_json::from_slice::<Vec<String>>(&out).is_ok());
    }
}
