//! Tokens as they are given out, read and stored.

#![allow(clippy::unwrap_used, clippy::string_slice, reason = "a test that is wrong about its own input should fail")]

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use vault::key::KeyId;
use vault::token::{BadToken, Token, TokenKind};
use vault::token_hash::{HashKey, HashKeyError, TokenHash};
use vault::vault::OpenError;
use vault::{KeyRing, Vault};

const GRANT: TokenKind = TokenKind::Grant;

#[test]
fn each_is_new_and_of_its_kind() {
    let mut seen = HashSet::new();
    for kind in TokenKind::ALL {
        for _ in 0..20 {
            let token = Token::fresh(kind).unwrap();
            let text = token.reveal();
            assert_eq!(text.len(), kind.prefix().len() + 43 + 6, "{text}");
            assert_eq!(Token::parse(kind, text).unwrap().reveal(), text);
            assert_eq!(TokenKind::of(text), Some(kind));
            assert!(seen.insert(text.to_owned()));
            for other in TokenKind::ALL.into_iter().filter(|other| *other != kind) {
                let why = BadToken::OtherKind { found: kind, wanted: other };
                assert_eq!(Token::parse(other, text).unwrap_err(), why);
            }
        }
    }
}

#[test]
fn every_typing_error_is_found() {
    let token = Token::fresh(GRANT).unwrap();
    let text = token.reveal();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ";
    for position in 0..text.len() {
        for other in alphabet.chars().filter(|other| !text[position..].starts_with(*other)) {
            let mut changed = text.to_owned();
            changed.replace_range(position..=position, &other.to_string());
            assert!(Token::parse(GRANT, &changed).is_err(), "{position} {other}");
        }
        assert!(Token::parse(GRANT, &text[..position]).is_err(), "cut at {position}");
    }
    for changed in
        [format!("{text}A"), format!("{text} "), format!(" {text}"), format!("{text}\n"), text.to_uppercase()]
    {
        assert!(Token::parse(GRANT, &changed).is_err(), "{changed:?}");
    }
}

proptest! {
    #[test]
    fn nothing_else_is_a_token(text in "(tg[psx]?_)?.{0,60}") {
        for kind in TokenKind::ALL {
            if let Err(why) = Token::parse(kind, &text) {
                let said = why.to_string();
                prop_assert!(text.len() < 12 || !said.contains(&text), "{}", said);
            } else {
                prop_assert!(false, "a token by chance");
            }
        }
    }
}

#[test]
fn a_hash_finds_its_token_and_no_other() {
    let key = HashKey::generate().unwrap();
    let tokens: Vec<Token> = (0..50).map(|_| Token::fresh(GRANT).unwrap()).collect();
    let index: HashMap<TokenHash, usize> = tokens.iter().map(|token| key.hash(token)).zip(0..).collect();
    for (number, token) in tokens.iter().enumerate() {
        // What came from the store, what came from a request.
        let stored: TokenHash = key.hash(token).to_string().parse().unwrap();
        let sent = Token::parse(GRANT, token.reveal()).unwrap();
        assert_eq!(index.get(&key.hash(&sent)), Some(&number));
        assert_eq!(stored, key.hash(&sent));
    }
    assert_eq!(index.get(&key.hash(&Token::fresh(GRANT).unwrap())), None);
}

#[test]
fn a_hash_needs_its_key() {
    let (one, two) = (HashKey::generate().unwrap(), HashKey::generate().unwrap());
    let token = Token::fresh(GRANT).unwrap();
    assert_ne!(one.hash(&token), two.hash(&token));
    assert!(one.made(&one.hash(&token)) && !two.made(&one.hash(&token)));
    let plain = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.reveal().as_bytes());
    let plain: String = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, plain);
    assert!(!one.hash(&token).to_string().contains(&plain));
}

#[test]
fn hashes_outlive_the_rotation_of_keys() {
    let mut ring = KeyRing::generate("a test").unwrap();
    let text = ring.text();
    let old = Vault::new(KeyRing::parse(secrecy::ExposeSecret::expose_secret(&text).as_bytes(), "a test").unwrap());
    let key = HashKey::generate().unwrap();
    let (sealed, token) = (key.seal(&old).unwrap(), Token::fresh(GRANT).unwrap());

    let before: KeyId = ring.first().id();
    ring.rotate().unwrap();
    let both = Vault::new(ring);
    let rewrapped = both.rewrap(&HashKey::place(), &sealed).unwrap();
    let text = both.ring().text();
    let mut ring = KeyRing::parse(secrecy::ExposeSecret::expose_secret(&text).as_bytes(), "a test").unwrap();
    ring.retire(before).unwrap();
    let new = Vault::new(ring);

    assert!(matches!(HashKey::open(&new, &sealed), Err(HashKeyError::Open(OpenError::UnknownKey { .. }))));
    assert_eq!(HashKey::open(&new, &rewrapped).unwrap().hash(&token), key.hash(&token));
    let short = new.seal(&HashKey::place(), b"short").unwrap();
    assert_eq!(HashKey::open(&new, &short).unwrap_err(), HashKeyError::NotAKey);
}

#[test]
fn stored_hashes_are_read_strictly() {
    let text = HashKey::generate().unwrap().hash(&Token::fresh(GRANT).unwrap()).to_string();
    let (version, rest) = text.split_once('.').unwrap();
    let (key, mac) = rest.split_once('.').unwrap();
    assert_eq!((version, key.len(), mac.len()), ("th1", 16, 43));
    for changed in [
        String::new(),
        format!("th2.{rest}"),
        format!("{text}A"),
        format!("{text}."),
        format!("{text}="),
        format!("th1.+{}.{mac}", &key[1..]),
        format!("th1.{}.{mac}", key.replace(|_| true, "G")),
        format!("th1.{key}.{}/", &mac[..42]),
        format!("th1.{key}.{}B", &mac[..42]),
    ] {
        assert!(changed.parse::<TokenHash>().is_err(), "{changed}");
    }
    for position in 0..43 {
        let other = if mac.as_bytes()[position] == b'A' { "E" } else { "A" };
        let mut changed = mac.to_owned();
        changed.replace_range(position..=position, other);
        let changed = format!("th1.{key}.{changed}").parse::<TokenHash>();
        assert!(changed.is_ok_and(|changed| changed != text.parse().unwrap()), "{position}");
    }
}
