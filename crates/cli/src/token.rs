//! Grant tokens as an operator gives them: a fresh one, or one of his own choice.

use std::path::Path;

use gateway::grant::TokenDigest;
use secrecy::{ExposeSecret as _, SecretString};
use vault::token::TokenKind;

use crate::environment::text_variable;
use crate::failure::{Failure, Trying};

/// The shortest token that an operator may choose.
const SHORTEST: usize = 32;

/// A token; its text is shown once, on purpose, and never by `Debug`.
pub struct Token(SecretString);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// A fresh token.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn fresh() -> Result<Self, Failure> {
        let token = vault::token::Token::fresh(TokenKind::Grant).trying("a fresh token")?;
        Ok(Self(SecretString::from(token.reveal())))
    }

    /// A token that an operator chose.
    ///
    /// # Errors
    /// When it is too short or could not travel in a header.
    pub fn chosen(text: &str) -> Result<Self, Failure> {
        let text = text.trim();
        if text.len() < SHORTEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let why = format!("a token has {SHORTEST} or more printable characters; `toolgate grant new` makes one");
            return Err(Failure::Usage(why));
        }
        Ok(Self(SecretString::from(text)))
    }

    /// The token of a file, which holds nothing else.
    ///
    /// # Errors
    /// When the file cannot be read or holds no token.
    pub fn from_file(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).trying(path.display())?;
        Self::chosen(&text).trying(path.display())
    }

    /// The token of a variable, if it is set.
    ///
    /// # Errors
    /// When it holds no token.
    pub fn from_variable(name: &str) -> Result<Option<Self>, Failure> {
        text_variable(name).map(|text| Self::chosen(&text).trying(format!("${name}"))).transpose()
    }

    /// Its text, to be shown.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// Its digest, which may be kept and printed.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::of(self.reveal().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_tokens_differ_and_may_be_chosen() {
        let (one, two) = (Token::fresh().unwrap(), Token::fresh().unwrap());
        assert_ne!(one.reveal(), two.reveal());
        assert_eq!(Token::chosen(one.reveal()).unwrap().digest(), one.digest());
        assert_eq!(TokenDigest::parse(&one.digest().to_string()), Some(one.digest()));
        assert!(!format!("{one:?}").contains(one.reveal()));
    }

    #[test]
    fn weak_tokens_are_refused() {
        for weak in ["", "short", "has a space in it and is long enough", &"ü".repeat(40)] {
            assert!(Token::chosen(weak).is_err(), "{weak}");
        }
    }
}
