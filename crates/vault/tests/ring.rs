//! The text of a ring, and its changes.

#![allow(clippy::unwrap_used, clippy::string_slice, reason = "a test that is wrong about its own input should fail")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use secrecy::ExposeSecret;
use vault::KeyRing;
use vault::key::{BadKey, KeyId, MasterKey};
use vault::ring::{BadRing, MAX_KEYS, MAX_TEXT, RingError};

fn key(seed: u8) -> (KeyId, String) {
    let mut bytes = [seed; 32];
    bytes[0] = !seed;
    (MasterKey::from_bytes(&bytes).unwrap().id(), STANDARD.encode(bytes))
}

fn parse(text: impl AsRef<[u8]>) -> Result<Vec<KeyId>, BadRing> {
    KeyRing::parse(text.as_ref(), "a test").map(|ring| ring.ids().collect())
}

#[test]
fn what_is_a_ring() {
    let ((one, one_text), (two, two_text)) = (key(1), key(2));
    for (text, ids) in [
        (one_text.clone(), vec![one]),
        (format!("{one_text}\n"), vec![one]),
        (format!("{one} {one_text}"), vec![one]),
        (format!("  {one}\t{one_text}  \r\n"), vec![one]),
        (format!("# the first\n\n{two} {two_text}\n  # and before\n{one_text}\n"), vec![two, one]),
    ] {
        assert_eq!(parse(&text).as_ref(), Ok(&ids), "{text}");
    }
}

#[test]
fn what_is_none() {
    let ((one, one_text), (two, two_text)) = (key(1), key(2));
    let many: Vec<String> = (0..=MAX_KEYS).map(|n| key(u8::try_from(n).unwrap()).1).collect();
    let zero = STANDARD.encode([0; 32]);
    for (text, why) in [
        (String::new(), BadRing::Empty),
        ("# nothing\n\n".to_owned(), BadRing::Empty),
        (format!("{one_text}\nhunter2"), BadRing::Key { line: 2, why: BadKey::NotAKey }),
        (format!("\n\n{}", &one_text[..43]), BadRing::Key { line: 3, why: BadKey::NotAKey }),
        (zero, BadRing::Key { line: 1, why: BadKey::Guessable }),
        (format!("{one} {two_text}"), BadRing::OtherId { line: 1, id: two }),
        (format!("main {one_text}"), BadRing::NotALine { line: 1 }),
        (format!("{one_text} {one}"), BadRing::NotALine { line: 1 }),
        (format!("{one} {one_text} encrypts"), BadRing::NotALine { line: 1 }),
        (format!("{one_text}\n{two_text}\n{one} {one_text}"), BadRing::Twice { line: 3, id: one }),
        (many.join("\n"), BadRing::TooMany),
        ("#".repeat(MAX_TEXT + 1), BadRing::TooLong),
    ] {
        assert_eq!(parse(&text), Err(why), "{text:.80}");
    }
    assert_eq!(parse([0xff, 0xfe, 0]), Err(BadRing::NoText));
    assert!(parse(many[1..].join("\n")).is_ok(), "{MAX_KEYS} keys are a ring");
}

#[test]
fn the_ring_in_the_documentation_is_one() {
    let text = include_str!("../../../docs/secrets.md");
    let block = text.split("```").find(|block| block.contains("# The first key encrypts")).unwrap();
    assert_eq!(parse(block).map(|ids| ids.len()), Ok(2));
}

#[test]
fn its_text_is_the_ring_again() {
    let mut ring = KeyRing::generate("a test").unwrap();
    for _ in 0..3 {
        ring.rotate().unwrap();
        let text = ring.text();
        assert_eq!(parse(text.expose_secret()).unwrap(), ring.ids().collect::<Vec<_>>());
    }
}

#[test]
fn a_full_ring_fits_into_its_text_and_takes_no_more() {
    let mut ring = KeyRing::generate("a test").unwrap();
    while ring.prepare().is_ok() {}
    assert_eq!(ring.ids().count(), MAX_KEYS);
    assert_eq!(ring.rotate(), Err(RingError::Full(BadRing::TooMany)));
    assert_eq!(parse(ring.text().expose_secret()).unwrap().len(), MAX_KEYS);
}

#[test]
fn keys_come_move_and_go() {
    let mut ring = KeyRing::generate("a test").unwrap();
    let one = ring.first().id();
    let two = ring.prepare().unwrap();
    let ids = |ring: &KeyRing| ring.ids().collect::<Vec<_>>();
    assert_eq!(ids(&ring), [one, two]);
    ring.promote(two).unwrap();
    assert_eq!(ids(&ring), [two, one]);
    ring.promote(two).unwrap();
    assert_eq!(ids(&ring), [two, one]);
    let three = ring.rotate().unwrap();
    assert_eq!(ids(&ring), [three, two, one]);
    assert_eq!(ring.retire(three), Err(RingError::First(three)));
    ring.retire(two).unwrap();
    assert_eq!(ring.retire(two), Err(RingError::Unknown(two)));
    assert_eq!(ring.promote(two), Err(RingError::Unknown(two)));
    assert_eq!(ids(&ring), [three, one]);
    assert!(ring.find(one).is_some() && ring.find(two).is_none());
}

proptest! {
    /// People put keys where ids belong, cut them, and add words: messages never repeat what they put.
    #[test]
    fn no_message_repeats_what_stands_there(
        seed in 1..u8::MAX,
        before in "[ \t#a-z]{0,6}",
        after in "[ \ta-z=]{0,6}",
        cut in 20..44_usize,
    ) {
        let (id, key) = key(seed);
        for text in [format!("{before}{key}{after}"), format!("{before}{}{after}", &key[..cut]), format!("{key} {id}"), format!("{key}\n{key}")] {
            if let Err(why) = parse(&text) {
                let said = format!("{why} {why:?}");
                prop_assert!(!said.contains(&key[..12]), "{}", said);
            }
        }
    }

    #[test]
    fn any_bytes_are_a_ring_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(ring) = KeyRing::parse(&bytes, "a test") {
            prop_assert_eq!(parse(ring.text().expose_secret()).unwrap(), ring.ids().collect::<Vec<_>>());
        }
    }
}
