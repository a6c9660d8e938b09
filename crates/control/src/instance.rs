//! The instance: its tables, opened with the right keys.

use std::sync::Arc;

use arc_swap::ArcSwap;
use audit::{Fingerprint, SigningKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use gateway::counting::Counting;
use secrecy::ExposeSecret;
use store::control::backup::Backup;
use store::control::{BadControl, ControlDatabase, Place};
use upstream::egress::Egress;
use vault::token::{Token, TokenKind};
use vault::token_hash::{HashKey, HashKeyError};
use vault::vault::{SealError, Vault, WrongKeys};
use vault::{KeyRing, Sealed};

use crate::follow::Tell;

/// Names of what the instance keeps for itself.
pub(crate) const CHECK: &str = "check";
pub(crate) const HASH_KEY: &str = "token hash key";
const SETUP: &str = "setup token";
pub(crate) const SESSION_KEY: &str = "session key";
const AUDIT_KEY: &str = "key of the audit log";

/// The first organisation, until somebody names it otherwise.
const FIRST: (&str, &str) = ("default", "Default");

/// An instance whose tables and keys fit.
#[derive(Debug, Clone)]
pub struct Instance {
    pub(crate) database: ControlDatabase,
    pub(crate) vault: Arc<ArcSwap<Vault>>,
    pub(crate) hash_key: Arc<HashKey>,
    pub(crate) counting: Option<Counting>,
    pub(crate) signing_key: Arc<SigningKey>,
    pub(crate) egress: Egress,
    pub(crate) teller: Teller,
}

/// Receives sentences for the operator.
#[derive(Clone)]
pub(crate) struct Teller(Tell);

impl std::fmt::Debug for Teller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Teller")
    }
}

/// Why an instance does not start. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BadInstance {
    /// The tables.
    #[error(transparent)]
    Control(#[from] BadControl),
    /// The keys are not those that its secrets were sealed with.
    #[error(transparent)]
    Keys(#[from] WrongKeys),
    /// The key of token hashes.
    #[error(transparent)]
    HashKey(#[from] HashKeyError),
    /// What is kept for the instance itself is not what was written.
    #[error("the instance's own {0} is damaged: restore the database from a backup")]
    Damaged(&'static str),
    /// Nothing can be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No token can be made.
    #[error(transparent)]
    Crypto(#[from] vault::crypto::CryptoFailed),
}

impl Instance {
    /// Opens the tables and looks whether the keys are the right ones, before anything is written there. Founds the
    /// instance if nobody has.
    ///
    /// # Errors
    /// [`BadInstance`].
    pub async fn open(place: &Place, keys: KeyRing) -> Result<Self, BadInstance> {
        let database = ControlDatabase::open(place).await?;
        let vault = Vault::new(keys);
        if let Some(kept) = database.instance_secret(CHECK).await? {
            vault.check(&sealed(&kept, "check value")?)?;
            crate::keys::opens_all(&database, &vault).await?;
        }
        let (name, title) = FIRST;
        database.found(name, title).await?;
        // Of several processes that found it at once, all use what the first has kept.
        let check = database.keep_instance_secret(CHECK, &vault.check_value()?.to_string()).await?;
        vault.check(&sealed(&check, "check value")?)?;
        let fresh = HashKey::generate()?.seal(&vault)?.to_string();
        let kept = database.keep_instance_secret(HASH_KEY, &fresh).await?;
        let hash_key = HashKey::open(&vault, &sealed(&kept, "key of token hashes")?)?;
        let signing_key = Arc::new(signing_key(&database, &vault).await?);
        let vault = Arc::new(ArcSwap::from_pointee(vault));
        let (hash_key, egress) = (Arc::new(hash_key), Egress::public([]));
        let teller = Teller(Arc::new(|_| {}));
        Ok(Self { database, vault, hash_key, counting: None, signing_key, egress, teller })
    }

    /// The same instance, whose operator is told what goes wrong.
    #[must_use]
    pub fn with_tell(self, tell: Tell) -> Self {
        Self { teller: Teller(tell), ..self }
    }

    /// Tells the operator.
    pub fn tell(&self, text: &str) {
        (self.teller.0)(text);
    }

    /// The same instance, whose servers may also be where the operator says. Without this they are on the public
    /// internet only.
    #[must_use]
    pub fn with_egress(self, egress: Egress) -> Self {
        Self { egress, ..self }
    }

    /// Whether these keys open what a backup holds, before it is restored.
    ///
    /// # Errors
    /// [`BadInstance`].
    pub fn fits(backup: &Backup, keys: KeyRing) -> Result<(), BadInstance> {
        match backup.instance_secret(CHECK) {
            Some(kept) => Ok(Vault::new(keys).check(&sealed(kept, "check value")?)?),
            None => Err(BadInstance::Damaged("check value")),
        }
    }

    /// The keys in use now.
    pub(crate) fn vault(&self) -> Arc<Vault> {
        self.vault.load_full()
    }

    /// The tables.
    pub fn database(&self) -> &ControlDatabase {
        &self.database
    }

    /// The key that signs the audit logs of all replicas: made with the instance, and kept sealed in its tables.
    pub fn signing_key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.signing_key)
    }

    /// What people compare of that key.
    pub fn fingerprint(&self) -> Fingerprint {
        self.signing_key.public().fingerprint()
    }

    /// The key under which session ids are sealed: one of the instance, so that every replica opens what another has
    /// sealed.
    ///
    /// # Errors
    /// [`BadInstance`].
    pub async fn session_key(&self) -> Result<[u8; 32], BadInstance> {
        let place = vault::Place::instance(SESSION_KEY);
        let mut fresh = [0; 32];
        aws_lc_rs::rand::fill(&mut fresh).map_err(|_| vault::crypto::CryptoFailed)?;
        let fresh = self.vault().seal(&place, &fresh)?.to_string();
        let kept = self.database.keep_instance_secret(SESSION_KEY, &fresh).await?;
        let damaged = |_| BadInstance::Damaged("key of sessions");
        let key = self.vault().open(&place, &sealed(&kept, "key of sessions")?).map_err(damaged)?;
        key.expose_secret().try_into().map_err(|_| BadInstance::Damaged("key of sessions"))
    }

    /// A token with which somebody may set the instance up, once: `None` where there is an admin already. One
    /// that was made before is good no more.
    ///
    /// # Errors
    /// [`BadInstance`].
    pub async fn setup_token(&self) -> Result<Option<Token>, BadInstance> {
        if self.database.any_admin().await? {
            return Ok(None);
        }
        let token = Token::fresh(TokenKind::Setup)?;
        let hash = self.hash_key.hash(&token).to_string();
        self.database.put_instance_secret(SETUP, &hash).await?;
        Ok(Some(token))
    }

    /// The name and the value under which a setup token is kept.
    pub(crate) fn setup_secret(&self, token: &Token) -> (&'static str, String) {
        (SETUP, self.hash_key.hash(token).to_string())
    }
}

async fn signing_key(database: &ControlDatabase, vault: &Vault) -> Result<SigningKey, BadInstance> {
    let place = vault::Place::instance(AUDIT_KEY);
    let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(|_| vault::crypto::CryptoFailed)?;
    let fresh = vault.seal(&place, document.as_ref())?.to_string();
    let kept = database.keep_instance_secret(AUDIT_KEY, &fresh).await?;
    let document = vault.open(&place, &sealed(&kept, AUDIT_KEY)?).map_err(|_| BadInstance::Damaged(AUDIT_KEY))?;
    SigningKey::from_pkcs8(document.expose_secret()).map_err(|_| BadInstance::Damaged(AUDIT_KEY))
}

fn sealed(text: &str, what: &'static str) -> Result<Sealed, BadInstance> {
    text.parse().map_err(|_| BadInstance::Damaged(what))
}
