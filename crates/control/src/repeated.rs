//! Requests with a key of their own, and the answers that are given again. An answer may hold a token that was shown
//! once, so it is sealed like every other secret.

use secrecy::ExposeSecret;
use store::control::access::{Actor, See};
use store::control::idempotency::Known;
use vault::Place;

use crate::{Instance, Refused};

/// What is to be done with a request that has a key.
#[derive(Debug)]
pub enum Repeated {
    /// It came for the first time: do it.
    Fresh,
    /// The same one is under way.
    UnderWay,
    /// Another request came with this key.
    Other,
    /// What was answered.
    Answered(secrecy::SecretString),
}

impl Instance {
    /// Begins a request under a key; `request` is a digest of all that matters of it.
    ///
    /// # Errors
    /// [`Refused`]: the request must not be done.
    pub async fn begin_request(&self, actor: &Actor, key: &str, request: &str) -> Result<Repeated, Refused> {
        let permit = actor.permit::<See>()?;
        Ok(match self.database.begin_request(&permit, key, request).await? {
            Known::Fresh => Repeated::Fresh,
            Known::UnderWay => Repeated::UnderWay,
            Known::Other => Repeated::Other,
            Known::Answered(sealed) => {
                let (organisation, who) = (permit.organisation().to_string(), actor.who.to_string());
                let sealed =
                    sealed.parse().map_err(|error: vault::sealed::NotSealed| Refused::Vault(error.to_string()))?;
                let opened = self.vault().open(&place(&organisation, &who, key), &sealed);
                let opened = opened.map_err(|error| Refused::Vault(error.to_string()))?;
                let text = std::str::from_utf8(opened.expose_secret());
                let text = text.map_err(|_| Refused::Vault("an answer that was kept is no text".to_owned()))?;
                Repeated::Answered(secrecy::SecretString::from(text))
            }
        })
    }

    /// Keeps the answer to a request that was begun.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn end_request(&self, actor: &Actor, key: &str, answer: &str) -> Result<(), Refused> {
        let permit = actor.permit::<See>()?;
        let (organisation, who) = (permit.organisation().to_string(), actor.who.to_string());
        let sealed = self.vault().seal(&place(&organisation, &who, key), answer.as_bytes())?;
        Ok(self.database.end_request(&permit, key, &sealed.to_string()).await?)
    }

    /// Forgets a request that was begun and of which nothing has happened.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn drop_request(&self, actor: &Actor, key: &str) -> Result<(), Refused> {
        Ok(self.database.drop_request(&actor.permit::<See>()?, key).await?)
    }
}

fn place<'a>(organisation: &'a str, who: &'a str, key: &'a str) -> Place<'a> {
    Place { organisation: Some(organisation), kind: "answer", object: who, field: key }
}
