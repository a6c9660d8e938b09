//! Passwords: the right one, another one, nobody's, and stored forms that are refused.

#![allow(clippy::unwrap_used, clippy::string_slice, reason = "a test that is wrong about its own input should fail")]

use secrecy::SecretString;
use vault::password::{BadPassword, LONGEST, Password, PasswordHash, Passwords, SHORTEST, Verified};

fn entered(text: &str) -> Password {
    Password::entered(&SecretString::from(text)).unwrap()
}

const PASSWORD: &str = "correct horse battery staple";

#[test]
fn the_right_password_and_no_other() {
    let passwords = Passwords::new().unwrap();
    let hash = passwords.hash(&entered(PASSWORD)).unwrap();
    let text = hash.text();
    assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
    let stored: PasswordHash = text.parse().unwrap();
    assert_eq!(passwords.verify(Some(&stored), &entered(PASSWORD)), Ok(Verified::Right { rehash: false }));
    for wrong in ["", "Correct horse battery staple", "correct horse battery staple ", "correct horse battery stapl"] {
        assert_eq!(passwords.verify(Some(&stored), &entered(wrong)), Ok(Verified::Wrong), "{wrong}");
    }
    assert_eq!(passwords.verify(None, &entered(PASSWORD)), Ok(Verified::Wrong));
    assert_ne!(passwords.hash(&entered(PASSWORD)).unwrap().text(), text, "every hash has a salt of its own");
}

#[test]
fn hashes_of_other_parameters_are_right_and_to_be_made_anew() {
    let passwords = Passwords::new().unwrap();
    for text in REFERENCE {
        let stored: PasswordHash = text.parse().unwrap();
        assert_eq!(
            passwords.verify(Some(&stored), &entered("password")),
            Ok(Verified::Right { rehash: true }),
            "{text}"
        );
        assert_eq!(passwords.verify(Some(&stored), &entered("Password")), Ok(Verified::Wrong), "{text}");
    }
}

/// Of the tests of the reference implementation, version 20190702.
const REFERENCE: [&str; 3] = [
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
];

#[test]
fn one_password_however_it_was_typed() {
    let passwords = Passwords::new().unwrap();
    let composed = passwords.hash(&entered("gr\u{fc}ne Wiesen am Bach")).unwrap();
    let right = passwords.verify(Some(&composed), &entered("gru\u{308}ne Wiesen am Bach"));
    assert_eq!(right, Ok(Verified::Right { rehash: false }));
}

#[test]
fn what_may_be_chosen() {
    let chosen = |text: &str| Password::chosen(&SecretString::from(text)).err();
    for (text, why) in [
        (String::new(), Some(BadPassword::Short)),
        ("a".repeat(SHORTEST - 1), Some(BadPassword::Short)),
        ("a".repeat(SHORTEST), None),
        ("ü".repeat(SHORTEST - 1), Some(BadPassword::Short)),
        ("u\u{308}".repeat(SHORTEST - 1), Some(BadPassword::Short)),
        ("a".repeat(LONGEST), None),
        ("a".repeat(LONGEST + 1), Some(BadPassword::Long)),
    ] {
        assert_eq!(chosen(&text), why, "{text:.20}");
    }
    let long = SecretString::from("a".repeat(LONGEST + 1));
    assert_eq!(Password::entered(&long).err(), Some(BadPassword::Long));
}

/// Changed rows must not turn checks off, nor cost more than a sign-in may.
#[test]
fn stored_forms_that_are_refused() {
    let passwords = Passwords::new().unwrap();
    let text = passwords.hash(&entered(PASSWORD)).unwrap().text();
    let (head, salt_and_hash) = text.split_once("p=1$").unwrap();
    let (salt, hash) = salt_and_hash.split_once('$').unwrap();
    let of = |params: &str| format!("$argon2id$v=19${params}${salt}${hash}");
    assert!(of("m=262144,t=16,p=16").parse::<PasswordHash>().is_ok(), "the most that is taken");
    for changed in [
        String::new(),
        PASSWORD.to_owned(),
        "*".to_owned(),
        of("m=262145,t=2,p=1"),
        of("m=4294967295,t=2,p=1"),
        of("m=19456,t=17,p=1"),
        of("m=19456,t=2,p=17"),
        of("m=0,t=2,p=1"),
        of("m=019456,t=2,p=1"),
        text.replace("argon2id", "argon2i"),
        text.replace("argon2id", "argon2d"),
        text.replace("v=19", "v=16"),
        text.replace("$v=19", ""),
        format!("{head}p=1${salt}"),
        format!("{head}p=1${salt}$"),
        format!("{head}p=1${salt}${}", &hash[..22]),
        format!("{head}p=1$c2hvcnQ${hash}"),
        format!("{text}$"),
        format!("{text} "),
        format!("$2b$12${}", "a".repeat(53)),
    ] {
        assert!(changed.parse::<PasswordHash>().is_err(), "{changed}");
    }
    // What still is a hash is another one.
    let other = if hash.starts_with('A') { "B" } else { "A" };
    let changed: PasswordHash = format!("{head}p=1${salt}${other}{}", &hash[1..]).parse().unwrap();
    assert_eq!(passwords.verify(Some(&changed), &entered(PASSWORD)), Ok(Verified::Wrong));
}
