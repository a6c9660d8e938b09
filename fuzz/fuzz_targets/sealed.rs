//! Stored secrets, hashes of tokens and of passwords: what is read is written the same again, and opens for nobody.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vault::password::PasswordHash;
use vault::token::{Token, TokenKind};
use vault::token_hash::TokenHash;
use vault::{KeyRing, Place, Sealed, Vault};

/// A key that everybody knows, so that the ids of seeds are its own.
static VAULT: LazyLock<Vault> =
    LazyLock::new(|| Vault::new(KeyRing::parse(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "here").unwrap()));

fuzz_target!(|text: &str| {
    if let Ok(sealed) = text.parse::<Sealed>() {
        assert_eq!(sealed.to_string(), text);
        // The seeds were sealed for another place.
        assert!(VAULT.open(&Place::instance("here"), &sealed).is_err());
        assert!(VAULT.rewrap(&Place::instance("here"), &sealed).is_err());
        assert!(VAULT.check(&sealed).is_err());
    }
    if let Ok(hash) = text.parse::<TokenHash>() {
        assert_eq!(hash.to_string(), text);
    }
    if let Ok(hash) = text.parse::<PasswordHash>() {
        assert_eq!(hash.text(), text);
    }
    for kind in TokenKind::ALL {
        if let Ok(token) = Token::parse(kind, text) {
            assert_eq!((token.reveal(), TokenKind::of(text)), (text, Some(kind)));
        }
    }
});
