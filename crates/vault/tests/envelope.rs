//! Sealing for a place, opening there and nowhere else, and rotation while it is used.

#![allow(clippy::unwrap_used, clippy::string_slice, reason = "a test that is wrong about its own input should fail")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use secrecy::ExposeSecret;
use vault::sealed::{MAX_SECRET, NotSealed};
use vault::vault::{OpenError, SealError, WrongKeys};
use vault::{KeyRing, Place, Sealed, Vault};

fn vault() -> Vault {
    Vault::new(KeyRing::generate("a test").unwrap())
}

/// The vault after a change of its ring, as a process that reads its keys again.
fn with(vault: &Vault, change: impl FnOnce(&mut KeyRing)) -> Vault {
    let text = vault.ring().text();
    let mut ring = KeyRing::parse(text.expose_secret().as_bytes(), "a test").unwrap();
    change(&mut ring);
    Vault::new(ring)
}

fn place() -> Place<'static> {
    Place { organisation: Some("acme"), kind: "server", object: "s1", field: "header Authorization" }
}

fn opened(vault: &Vault, sealed: &Sealed) -> Vec<u8> {
    vault.open(&place(), sealed).unwrap().expose_secret().to_vec()
}

proptest! {
    #[test]
    fn what_was_sealed_opens(secret in proptest::collection::vec(any::<u8>(), 0..2000), field in ".{0,40}", object in ".{0,40}") {
        let vault = vault();
        let place = Place { object: &object, field: &field, ..place() };
        let text = vault.seal(&place, &secret).unwrap().to_string();
        let sealed: Sealed = text.parse().unwrap();
        prop_assert_eq!(sealed.to_string(), text);
        let opened = vault.open(&place, &sealed).unwrap();
        prop_assert_eq!(opened.expose_secret(), secret.as_slice());
    }

    #[test]
    fn no_text_is_misread(text in "(tgv1\\.)?(k[0-9a-f]{16}\\.)?[A-Za-z0-9_.=-]{0,400}") {
        if let Ok(sealed) = text.parse::<Sealed>() {
            prop_assert_eq!(sealed.to_string(), text);
            prop_assert!(vault().open(&place(), &sealed).is_err());
        }
    }
}

#[test]
fn every_changed_character_is_noticed() {
    let vault = vault();
    let text = vault.seal(&place(), b"Bearer 1234").unwrap().to_string();
    let refused = |text: &str| text.parse::<Sealed>().map_or(true, |sealed| vault.open(&place(), &sealed).is_err());
    for (position, was) in text.char_indices() {
        for other in ['A', 'B', '0', 'f', '_', '.', '=', ' '] {
            if other != was {
                let mut changed = text.clone();
                changed.replace_range(position..=position, &other.to_string());
                assert!(refused(&changed), "{position}: {was} to {other}");
            }
        }
        assert!(refused(&text[..position]), "cut at {position}");
    }
}

#[test]
fn every_changed_bit_is_damage() {
    let vault = vault();
    let text = vault.seal(&place(), b"Bearer 1234").unwrap().to_string();
    let parts: Vec<&str> = text.split('.').collect();
    for part in [2, 3] {
        let bytes = URL_SAFE_NO_PAD.decode(parts[part]).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = URL_SAFE_NO_PAD.encode(changed);
            let mut parts = parts.clone();
            parts[part] = &changed;
            let sealed = parts.join(".").parse().unwrap();
            let damaged = OpenError::Damaged { place: place().to_string() };
            assert_eq!(vault.open(&place(), &sealed).unwrap_err(), damaged, "{part} {bit}");
            assert_eq!(vault.rewrap(&place(), &sealed).unwrap_err(), damaged, "{part} {bit}");
        }
    }
}

#[test]
fn it_opens_in_its_place_alone() {
    let vault = vault();
    let sealed = vault.seal(&place(), b"Bearer 1234").unwrap();
    for other in [
        Place { organisation: Some("other"), ..place() },
        Place { organisation: None, ..place() },
        Place { kind: "agent", ..place() },
        Place { object: "s2", ..place() },
        Place { field: "header X-Key", ..place() },
        Place::instance("header Authorization"),
    ] {
        let wrong = OpenError::WrongPlace { place: other.to_string() };
        assert_eq!(vault.open(&other, &sealed).unwrap_err(), wrong);
        assert_eq!(vault.rewrap(&other, &sealed).unwrap_err(), wrong);
    }
    assert_eq!(opened(&vault, &sealed), b"Bearer 1234");
}

#[test]
fn halves_of_two_secrets_make_none() {
    let vault = vault();
    let texts = [b"one", b"two"].map(|secret| vault.seal(&place(), secret).unwrap().to_string());
    let [one, two] = [&texts[0], &texts[1]].map(|text| text.split('.').collect::<Vec<_>>());
    let mixed: Sealed = [one[0], one[1], one[2], two[3]].join(".").parse().unwrap();
    assert_eq!(vault.open(&place(), &mixed).unwrap_err(), OpenError::Damaged { place: place().to_string() });
}

#[test]
fn one_secret_is_never_sealed_alike() {
    let vault = vault();
    let [one, two] = [(); 2].map(|()| vault.seal(&place(), b"same").unwrap().to_string());
    let ([one, two], ring) = ([&one, &two].map(|text| text.split('.').collect::<Vec<_>>()), vault.ring());
    assert_eq!((one[1], two[1]), (ring.first().id().to_string().as_str(), one[1]));
    assert!(one[2] != two[2] && one[3] != two[3]);
}

#[test]
fn keys_rotate_while_they_are_used() {
    let old = vault();
    let sealed = old.seal(&place(), b"Bearer 1234").unwrap();
    let before = sealed.key_id();

    // A replica that has read the ring again, beside one that has not.
    let prepared = with(&old, |ring| assert!(ring.prepare().is_ok()));
    assert!(!prepared.needs_rewrap(&sealed), "the new key only decrypts so far");
    assert_eq!(opened(&old, &prepared.seal(&place(), b"both").unwrap()), b"both");

    let after = prepared.ring().ids().nth(1).unwrap();
    let new = with(&prepared, |ring| ring.promote(after).unwrap());
    assert!(new.needs_rewrap(&sealed));
    assert_eq!(opened(&new, &sealed), b"Bearer 1234");
    let fresh = new.seal(&place(), b"fresh").unwrap();
    assert_eq!(fresh.key_id(), after);
    assert!(!new.needs_rewrap(&fresh));
    assert_eq!(opened(&prepared, &fresh), b"fresh", "who was prepared reads what others seal under the new key");

    let rewrapped = new.rewrap(&place(), &sealed).unwrap();
    assert_eq!(rewrapped.key_id(), after);
    assert!(!new.needs_rewrap(&rewrapped));
    assert_eq!(value_of(&rewrapped), value_of(&sealed), "the secret itself is not encrypted anew");
    assert_eq!(opened(&prepared, &rewrapped), b"Bearer 1234");

    let retired = with(&new, |ring| ring.retire(before).unwrap());
    assert_eq!(opened(&retired, &rewrapped), b"Bearer 1234");
    let unknown = retired.open(&place(), &sealed).unwrap_err();
    assert!(matches!(&unknown, OpenError::UnknownKey { key, .. } if *key == before));
    let said = unknown.to_string();
    for part in [before.to_string().as_str(), after.to_string().as_str(), "a test", "add that key again"] {
        assert!(said.contains(part), "{said}");
    }
}

fn value_of(sealed: &Sealed) -> String {
    sealed.to_string().rsplit('.').next().unwrap().to_owned()
}

#[test]
fn a_wrong_key_is_found_before_anything_is_written() {
    let right = vault();
    let value: Sealed = right.check_value().unwrap().to_string().parse().unwrap();
    assert_eq!(right.check(&value), Ok(()));

    let rotated = with(&right, |ring| assert!(ring.rotate().is_ok()));
    assert_eq!(rotated.check(&value), Ok(()));
    assert!(rotated.needs_rewrap(&value));

    let wrong = vault();
    let missing = wrong.check(&value).unwrap_err();
    assert!(matches!(missing, WrongKeys::Missing { key, .. } if key == right.ring().first().id()));
    let said = missing.to_string();
    assert!(
        said.contains("start with the key that was used before") && said.ends_with("Nothing was changed"),
        "{said}"
    );

    // Sealed by the right key, but something else; and something else in its place.
    let key = right.ring().first().id();
    let elsewhere = right.seal(&place(), b"these are the right keys").unwrap();
    assert_eq!(right.check(&elsewhere), Err(WrongKeys::Damaged { key }));
    let other = right.seal(&Place::instance("key check"), b"something else").unwrap();
    assert_eq!(right.check(&other), Err(WrongKeys::Damaged { key }));
}

#[test]
fn what_is_no_sealed_secret() {
    let vault = vault();
    let text = vault.seal(&place(), b"x").unwrap().to_string();
    let rest = text.strip_prefix("tgv1").unwrap();
    for (text, why) in [
        (String::new(), NotSealed::Malformed),
        ("Bearer 1234".to_owned(), NotSealed::Malformed),
        (format!("tgv2{rest}"), NotSealed::Newer(2)),
        ("tgv17.anything".to_owned(), NotSealed::Newer(17)),
        (format!("tgv0{rest}"), NotSealed::Malformed),
        (format!("tgv+2{rest}"), NotSealed::Malformed),
        (format!("tgv99999999999{rest}"), NotSealed::Malformed),
        (format!("{text}."), NotSealed::Malformed),
        (format!("{text}\n"), NotSealed::Malformed),
        (format!(" {text}"), NotSealed::Malformed),
        (text.to_uppercase(), NotSealed::Malformed),
        (format!("{text}{}", "A".repeat(200_000)), NotSealed::Malformed),
    ] {
        assert_eq!(text.parse::<Sealed>().unwrap_err(), why, "{text:.40}");
    }
}

#[test]
fn the_longest_secret() {
    let vault = vault();
    let secret = vec![7; MAX_SECRET];
    let sealed: Sealed = vault.seal(&place(), &secret).unwrap().to_string().parse().unwrap();
    assert_eq!(opened(&vault, &sealed), secret);
    let longer = vec![7; MAX_SECRET + 1];
    assert_eq!(vault.seal(&place(), &longer).unwrap_err(), SealError::TooLong(MAX_SECRET + 1));
}

/// What was stored must be read for ever.
#[test]
fn the_stored_form_stays_what_it_is() {
    let key = base64::engine::general_purpose::STANDARD
        .encode(std::array::from_fn::<u8, 32, _>(|i| u8::try_from(i).unwrap()));
    let vault = Vault::new(KeyRing::parse(key.as_bytes(), "a test").unwrap());
    let stored = "tgv1.kddbc551e731e2826.\
                  fXUEmJHsv3Ag2FnDsISOR-7QRseSXxms0-WLz64n-U2RNpga-u9XZ7xP6RIaul-e3oXS0Bia8lvpQRuLVn97h6o49yn6fl08Ac6XsU_bPqnbQhEIe3U3V9Ky60A.\
                  ur4wLmfOD7qG38l2KjejG86otBQ_0HPkxRWRyH6Hef8zasfaXL78";
    assert_eq!(opened(&vault, &stored.parse().unwrap()), b"Bearer 1234");
}
