//! Nothing that this crate prints holds a secret: `Debug`, `Display` and errors of everything, with planted secrets.

#![allow(clippy::unwrap_used, clippy::string_slice, reason = "a test that is wrong about its own input should fail")]

use std::error::Error;
use std::ffi::OsString;
use std::fmt::{Debug, Display};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use vault::key::{KeyId, MasterKey};
use vault::password::{Password, PasswordHash, Passwords};
use vault::source::command::KeyCommand;
use vault::token::{Token, TokenKind};
use vault::token_hash::{HashKey, TokenHash};
use vault::{KeyRing, KeySource, Place, Sealed, Vault};

const PASSWORD: &str = "hunter2 is no password";
const SECRET: &str = "Bearer sk-live-4242424242";
const ARGUMENT: &str = "--token=plant-in-argument";

/// A key whose every form is known.
fn key() -> [u8; 32] {
    std::array::from_fn(|index| u8::try_from(200 - index * 3).unwrap())
}

/// Everything that was printed, and what must not be in it.
#[derive(Default)]
struct Printed(String);

impl Printed {
    fn debug(&mut self, value: &dyn Debug) {
        self.0 += &format!("{value:?}\n{value:#?}\n");
    }

    fn both<T: Debug + Display>(&mut self, value: &T) {
        self.0 += &format!("{value}\n");
        self.debug(value);
    }

    fn error<E: Error>(&mut self, error: &E) {
        self.both(error);
        let mut source = error.source();
        while let Some(cause) = source {
            self.0 += &format!("{cause} {cause:?}\n");
            source = cause.source();
        }
    }

    fn holds(&self, secret: &[u8]) -> Option<String> {
        let lower = self.0.to_lowercase();
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = String::from_utf8_lossy(secret).into_owned();
        // The middle of base64, which is the same wherever the secret begins in a longer text.
        let shifts = (0..3).map(|shift| {
            let shifted = [vec![0; shift], secret.to_vec()].concat();
            let text = STANDARD.encode(&shifted);
            text[4..text.len() - 4].to_owned()
        });
        let debugged = format!("{secret:?}");
        let reversed: String = text.chars().rev().collect();
        let mut forms =
            vec![text, debugged[1..debugged.len() - 1].to_owned(), reversed, URL_SAFE_NO_PAD.encode(secret)];
        forms.extend(shifts);
        forms.into_iter().find(|form| self.0.contains(form.as_str())).or_else(|| lower.contains(&hex).then_some(hex))
    }
}

#[tokio::test]
async fn nothing_that_is_printed_holds_a_secret() {
    let mut printed = Printed::default();
    let key_text = STANDARD.encode(key());
    let place = Place { organisation: Some("acme"), kind: "server", object: "s1", field: "header Authorization" };

    let master = MasterKey::from_bytes(&key()).unwrap();
    printed.debug(&master);
    printed.both(&master.id());
    let ring = KeyRing::parse(key_text.as_bytes(), "a test").unwrap();
    printed.debug(&ring);
    printed.debug(&ring.text());
    let vault = Vault::new(ring);
    printed.debug(&vault);

    let sealed = vault.seal(&place, SECRET.as_bytes()).unwrap();
    printed.both(&sealed);
    printed.both(&place);
    let opened = vault.open(&place, &sealed).unwrap();
    assert_eq!(opened.expose_secret(), SECRET.as_bytes());
    printed.debug(&opened);
    let other = Vault::new(KeyRing::generate("a test").unwrap());
    printed.error(&other.open(&place, &sealed).unwrap_err());
    printed.error(&other.check(&vault.check_value().unwrap()).unwrap_err());
    printed.error(&vault.open(&Place::instance("x"), &sealed).unwrap_err());
    let (text, other) = (sealed.to_string(), vault.seal(&place, SECRET.as_bytes()).unwrap().to_string());
    let mixed = format!("{}.{}", text.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
    printed.error(&vault.open(&place, &mixed.parse().unwrap()).unwrap_err());
    printed.error(&SECRET.parse::<Sealed>().unwrap_err());
    printed.error(&vault.seal(&place, &SECRET.repeat(4000).into_bytes()).unwrap_err());

    // Keys where something else belongs.
    printed.error(&key_text.parse::<KeyId>().unwrap_err());
    printed.error(&MasterKey::from_text(&key_text[1..]).unwrap_err());
    for ring in [
        format!("{key_text} {key_text}"),
        format!("{key_text} k0"),
        format!("k0123456789abcdef {key_text}"),
        format!("{key_text}\n{key_text}"),
        format!("{key_text}{key_text}"),
    ] {
        printed.error(&KeyRing::parse(ring.as_bytes(), "a test").unwrap_err());
        let source = KeySource::Value { name: "$KEYS".to_owned(), text: SecretString::from(ring) };
        printed.both(&source);
        printed.error(&source.load().await.unwrap_err());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    for (content, mode) in [(key_text.clone(), 0o644), (format!("{key_text} x"), 0o600)] {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let source = KeySource::File(path.clone());
        printed.both(&source);
        printed.error(&source.load().await.unwrap_err());
    }
    for script in [
        format!("echo {key_text}; echo {key_text} >&2; exit 1"),
        format!("echo {key_text} | tee /dev/stderr; echo x"),
        format!("set -x; KEY={key_text}; false"),
        format!("printf %s {key_text} | fold -w 9 | tee /dev/stderr; exit 1"),
        format!("echo \"'{key_text}'\" >&2; exec sleep 600"),
    ] {
        let argv = ["sh", "-c", &script, ARGUMENT].map(OsString::from);
        let source = KeySource::Command(KeyCommand::new(argv, Duration::from_millis(500)).unwrap());
        printed.both(&source);
        printed.error(&source.load().await.unwrap_err());
    }

    let hash_key = HashKey::generate().unwrap();
    printed.debug(&hash_key);
    let tokens: Vec<Token> = TokenKind::ALL.into_iter().map(|kind| Token::fresh(kind).unwrap()).collect();
    for token in &tokens {
        printed.debug(token);
        printed.both(&hash_key.hash(token));
        printed.error(&token.reveal().parse::<TokenHash>().unwrap_err());
        for kind in TokenKind::ALL {
            printed.error(&Token::parse(kind, &token.reveal()[..40]).unwrap_err());
            printed.error(&Token::parse(kind, &format!("Bearer {}", token.reveal())).unwrap_err());
        }
    }

    let passwords = Passwords::new().unwrap();
    let password = Password::chosen(&SecretString::from(PASSWORD)).unwrap();
    let hash = passwords.hash(&password).unwrap();
    printed.debug(&passwords);
    printed.debug(&password);
    printed.debug(&hash);
    printed.error(&PASSWORD.parse::<PasswordHash>().unwrap_err());
    printed.error(&format!("{}x", hash.text()).parse::<PasswordHash>().unwrap_err());
    printed.error(&Password::entered(&SecretString::from(PASSWORD.repeat(100))).unwrap_err());

    let hash_text = hash.text();
    let (_, digest) = hash_text.rsplit_once('$').unwrap();
    let mut secrets =
        vec![key().to_vec(), key_text.into_bytes(), SECRET.into(), PASSWORD.into(), ARGUMENT.into(), digest.into()];
    secrets.extend(tokens.iter().map(|token| token.reveal().as_bytes().to_vec()));
    for secret in secrets {
        assert_eq!(printed.holds(&secret), None, "{}", printed.0);
    }
    // And it would have been seen.
    printed.debug(&key());
    assert!(printed.holds(&key()).is_some());
    printed.both(&PASSWORD);
    assert!(printed.holds(PASSWORD.as_bytes()).is_some());
}
