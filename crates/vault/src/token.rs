//! The tokens that Toolgate gives out: a prefix that says what for, 32 random bytes and a checksum.
//!
//! ```text
//! tg_<43 characters: 32 bytes><6 characters: the first 4 bytes of SHA-256 of those 43>
//! ```
//!
//! Both parts are base64, URL-safe, not padded. Prefix, length and checksum let scanners find a token that lies
//! somewhere it should not, and a mistyped one is refused before anything is looked up.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use crate::crypto::{self, CryptoFailed};

/// Characters of the random part.
const RANDOM: usize = 43;

/// Bytes of the checksum.
const CHECK: usize = 4;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A grant: an agent at a server.
    Grant,
    /// A program at the API.
    Program,
    /// Whoever sets a new instance up, once.
    Setup,
    /// Somebody who has signed in.
    Session,
}

impl TokenKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Grant, Self::Program, Self::Setup, Self::Session];

    /// What its tokens begin with. None is the beginning of another.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Grant => "tg_",
            Self::Program => "tgp_",
            Self::Setup => "tgs_",
            Self::Session => "tgx_",
        }
    }

    /// What a text is by its prefix, be it right or wrong otherwise.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grant => "grant token",
            Self::Program => "API token",
            Self::Setup => "setup token",
            Self::Session => "session token",
        })
    }
}

/// Why a text is not the token that was asked for. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It is no token of Toolgate.
    #[error("this is no {0}, which begins with `{prefix}`", prefix = .0.prefix())]
    NoToken(TokenKind),
    /// It is a token for something else.
    #[error("this is a {found}; a {wanted} is needed here, which begins with `{prefix}`", prefix = .wanted.prefix())]
    OtherKind {
        /// What it is.
        found: TokenKind,
        /// What is needed.
        wanted: TokenKind,
    },
    /// It was not copied whole, or was mistyped.
    #[error("this {0} was mistyped or not copied whole: its checksum does not agree")]
    Mistyped(TokenKind),
}

/// A token. It is shown once, where it is made ([`Token::reveal`]), and wiped when dropped.
#[derive(Clone)]
pub struct Token {
    kind: TokenKind,
    text: SecretString,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}..)", self.kind.prefix())
    }
}

impl Token {
    /// A fresh token.
    ///
    /// # Errors
    /// [`CryptoFailed`].
    pub fn fresh(kind: TokenKind) -> Result<Self, CryptoFailed> {
        Ok(Self::of(kind, &*crypto::random()?))
    }

    /// Reads a token of one kind, strictly: no space around it, nothing that encodes the same otherwise.
    ///
    /// # Errors
    /// [`BadToken`].
    pub fn parse(kind: TokenKind, text: &str) -> Result<Self, BadToken> {
        let Some(rest) = text.strip_prefix(kind.prefix()) else {
            return Err(match TokenKind::of(text) {
                Some(found) => BadToken::OtherKind { found, wanted: kind },
                None => BadToken::NoToken(kind),
            });
        };
        let (random, check) = rest.split_at_checked(RANDOM).ok_or(BadToken::Mistyped(kind))?;
        let canonical = URL_SAFE_NO_PAD.decode(random).map(zeroize::Zeroizing::new).is_ok();
        if canonical && check == checksum(random) {
            Ok(Self { kind, text: SecretString::from(text) })
        } else {
            Err(BadToken::Mistyped(kind))
        }
    }

    fn of(kind: TokenKind, bytes: &[u8; 32]) -> Self {
        let random = zeroize::Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes));
        let text = zeroize::Zeroizing::new([kind.prefix(), &random, &checksum(&random)].concat());
        Self { kind, text: SecretString::from(text.as_str()) }
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Its text, to be shown to whom it is given, once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.text.expose_secret()
    }
}

fn checksum(random: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, random.as_bytes()).as_ref().get(..CHECK).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens that were given out must be read for ever.
    #[test]
    fn the_format_stays_what_it_is() {
        let bytes: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        for (kind, prefix) in TokenKind::ALL.into_iter().zip(["tg_", "tgp_", "tgs_", "tgx_"]) {
            let text = format!("{prefix}AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh86oZqdQ");
            assert_eq!(Token::of(kind, &bytes).reveal(), text);
            assert_eq!(Token::parse(kind, &text).unwrap().kind(), kind);
        }
    }
}
