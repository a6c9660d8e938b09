//! Who asks: people by name and password, programs by token, and whoever sets a new instance up.

use std::sync::Arc;

use secrecy::SecretString;
use store::control::BadControl;
use store::control::access::{Actor, Role, Who};
use store::control::members::NewMember;
use vault::password::{Password, PasswordHash, Passwords, Verified};
use vault::token::{Token, TokenKind};

use crate::{Instance, Refused};

/// How long a session lasts, in milliseconds.
const SESSION: i64 = 12 * 3_600_000;

/// Checks passwords, one hash a time off the threads that serve calls.
#[derive(Debug, Clone)]
pub struct SignIn {
    instance: Instance,
    passwords: Arc<Passwords>,
    /// Each hash takes memory: so many at once.
    at_once: Arc<tokio::sync::Semaphore>,
}

/// Hashes that are worked out at once.
const AT_ONCE: usize = 4;

impl SignIn {
    /// For the members of an instance.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn new(instance: &Instance) -> Result<Self, Refused> {
        let passwords = Passwords::new().map_err(|error| Refused::Vault(error.to_string()))?;
        let at_once = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
        Ok(Self { instance: instance.clone(), passwords: Arc::new(passwords), at_once })
    }

    /// Whose members these are.
    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Signs a member in: a session's token, or `None` where the name or the password is wrong. Both take as long.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn sign_in(
        &self,
        organisation: &str,
        name: &str,
        password: &SecretString,
    ) -> Result<Option<Token>, Refused> {
        let database = &self.instance.database;
        let organisation = database.organisation_named(organisation).await?;
        let known = match &organisation {
            Some(organisation) => database.credentials(organisation.id, name).await?,
            None => None,
        };
        let stored = known.as_ref().map(|known| known.password.parse::<PasswordHash>());
        let stored = stored.transpose().map_err(|error| Refused::Vault(error.to_string()))?;
        // What could be no password is none; the work is done all the same.
        let entered = Password::entered(password).or_else(|_| Password::entered(&SecretString::from("-")));
        let entered = entered.map_err(|error| Refused::Vault(error.to_string()))?;
        let passwords = Arc::clone(&self.passwords);
        let verified = self.hashing(move || passwords.verify(stored.as_ref(), &entered)).await?;
        let (Verified::Right { rehash }, Some(organisation), Some(known)) = (verified, organisation, known) else {
            return Ok(None);
        };
        let mut known = known;
        if rehash {
            let hash = self.hash_again(password).await?;
            if !database.rehash(&known, &hash).await? {
                return Ok(None);
            }
            known.password = hash;
        }
        let token = Token::fresh(TokenKind::Session).map_err(|error| Refused::Vault(error.to_string()))?;
        let hash = self.instance.hash_key.hash(&token).to_string();
        if !database.begin_session(organisation.id, &known, &hash, SESSION).await? {
            return Ok(None);
        }
        Ok(Some(token))
    }

    /// The first admin, for whoever has the setup token; `None` where the token is not good.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn set_up(&self, token: &str, name: &str, password: &SecretString) -> Result<Option<audit::Id>, Refused> {
        let Ok(token) = Token::parse(TokenKind::Setup, token) else { return Ok(None) };
        member_name(name)?;
        let hash = self.hash(password).await?;
        let organisation = self.instance.database.first_organisation().await?;
        let who = Who::Operator("setup".to_owned());
        let actor = Actor { organisation: organisation.id, first: true, who, role: Role::Admin };
        let new = NewMember { name, display: name, role: Role::Admin, password: Some(&hash) };
        let (secret, value) = self.instance.setup_secret(&token);
        let added = self.instance.database.add_first_member(actor.permit()?, (secret, &value), &new);
        Ok(added.await?)
    }

    /// The stored form of a password that somebody chooses.
    ///
    /// # Errors
    /// [`Refused::Invalid`] where it is no password to choose.
    pub async fn hash(&self, password: &SecretString) -> Result<String, Refused> {
        let chosen = Password::chosen(password).map_err(|why| Refused::invalid("/password", why.to_string()))?;
        let passwords = Arc::clone(&self.passwords);
        Ok(self.hashing(move || passwords.hash(&chosen)).await?.text())
    }

    /// What was entered is a password already, however weak by the rules for new ones.
    async fn hash_again(&self, password: &SecretString) -> Result<String, Refused> {
        let entered = Password::entered(password).map_err(|error| Refused::Vault(error.to_string()))?;
        let passwords = Arc::clone(&self.passwords);
        Ok(self.hashing(move || passwords.hash(&entered)).await?.text())
    }

    async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, vault::password::HashError> + Send + 'static,
    ) -> Result<T, Refused> {
        let _turn = self.at_once.acquire().await.map_err(|error| Refused::Vault(error.to_string()))?;
        let done = tokio::task::spawn_blocking(work).await.map_err(|error| Refused::Vault(error.to_string()))?;
        done.map_err(|error| Refused::Vault(error.to_string()))
    }
}

impl Instance {
    /// Who holds a token of a program or a session, if it is good.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn recognise(&self, token: &str) -> Result<Option<Actor>, BadControl> {
        for kind in [TokenKind::Program, TokenKind::Session] {
            let Ok(token) = Token::parse(kind, token) else { continue };
            let hash = self.hash_key.hash(&token).to_string();
            return match kind {
                TokenKind::Program => self.database.program_of_token(&hash).await,
                _ => self.database.member_of_session(&hash).await,
            };
        }
        Ok(None)
    }

    /// Ends the session of a token.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn sign_out(&self, token: &str) -> Result<(), BadControl> {
        match Token::parse(TokenKind::Session, token) {
            Ok(token) => self.database.end_session(&self.hash_key.hash(&token).to_string()).await,
            Err(_) => Ok(()),
        }
    }
}

/// A member's name: what fits into a line, and does not look like another.
pub(crate) fn member_name(name: &str) -> Result<(), Refused> {
    let good = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '@' | '+');
    if (1..=120).contains(&name.len()) && name.chars().all(good) {
        return Ok(());
    }
    Err(Refused::invalid(
        "/name",
        "a member's name is 1 to 120 letters, digits and . _ - @ +; an e-mail address will do",
    ))
}
