//! Master keys that change while the instance serves: another ring is taken, and what is sealed under older keys is
//! sealed anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use store::control::ControlDatabase;
use store::control::access::{Actor, ManageOrganisations};
use store::control::secrets::SealedAt;
use vault::key::KeyId;
use vault::token_hash::HashKey;
use vault::vault::{Known, WrongKeys};
use vault::{KeyRing, Place, Sealed, Vault};

use crate::instance::{CHECK, HASH_KEY};
use crate::servers::sealed_for;
use crate::{BadInstance, Instance, Refused};

/// Under which keys what is stored is sealed, as this replica sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysInUse {
    /// The keys that this replica has; the first one seals.
    pub ring: Vec<KeyId>,
    /// How many secrets are under each key.
    pub sealed: BTreeMap<String, u64>,
}

impl Instance {
    /// Goes on with another ring of keys, if it opens what is stored. Otherwise the one before stays.
    ///
    /// # Errors
    /// [`BadInstance`].
    pub async fn take_keys(&self, keys: KeyRing) -> Result<(), BadInstance> {
        let vault = Vault::new(keys);
        let kept = self.database.instance_secret(CHECK).await?.ok_or(BadInstance::Damaged("check value"))?;
        vault.check(&kept.parse().map_err(|_| BadInstance::Damaged("check value"))?)?;
        opens_all(&self.database, &vault).await?;
        self.vault.store(Arc::new(vault));
        Ok(())
    }

    /// Which keys there are, and what is sealed under each.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn keys_in_use(&self, actor: &Actor) -> Result<KeysInUse, Refused> {
        let permit = actor.permit::<ManageOrganisations>()?;
        let mut sealed = BTreeMap::new();
        for (_, text) in self.database.all_sealed(&permit).await? {
            // What is kept as a hash is under no key.
            if let Ok(kept) = text.parse::<Sealed>() {
                *sealed.entry(kept.key_id().to_string()).or_default() += 1;
            }
        }
        Ok(KeysInUse { ring: self.vault().ring().ids().collect(), sealed })
    }

    /// Seals under the first key what is under another one: few bytes of each secret are written again, and tokens go on
    /// working. Returns how many there were, and the version. Nothing is changed where one of them cannot be opened.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn seal_anew(&self, actor: &Actor, reason: &str) -> Result<(u64, i64), Refused> {
        let vault = self.vault();
        let again = |at: &SealedAt, text: &str| {
            let Ok(sealed) = text.parse::<Sealed>() else { return Ok(None) };
            if !vault.needs_rewrap(&sealed) {
                return Ok(None);
            }
            let rewrapped = match at {
                // It is made anew, so that it names a key that the others are under.
                SealedAt::Instance(name) if name == CHECK => vault.check_value().map_err(|error| error.to_string()),
                SealedAt::Instance(name) if name == HASH_KEY => rewrapped(&vault, &HashKey::place(), &sealed),
                SealedAt::Instance(name) => rewrapped(&vault, &Place::instance(name), &sealed),
                SealedAt::Object { organisation, object, field } => {
                    let (organisation, object) = (organisation.to_string(), object.to_string());
                    rewrapped(&vault, &sealed_for(&organisation, &object, field), &sealed)
                }
            };
            rewrapped.map(|sealed| Some(sealed.to_string()))
        };
        Ok(self.database.seal_anew(actor.permit::<ManageOrganisations>()?, reason, again).await?)
    }
}

/// Whether a vault has every key that something is sealed under: one is missed before a secret is needed.
pub(crate) async fn opens_all(database: &ControlDatabase, vault: &Vault) -> Result<(), BadInstance> {
    let known: Vec<KeyId> = vault.ring().ids().collect();
    for text in database.sealed_texts().await? {
        if let Ok(sealed) = text.parse::<Sealed>()
            && !known.contains(&sealed.key_id())
        {
            let (key, origin) = (sealed.key_id(), vault.ring().origin().to_owned());
            return Err(WrongKeys::Missing { key, origin, known: Known(known) }.into());
        }
    }
    Ok(())
}

fn rewrapped(vault: &Vault, place: &Place<'_>, sealed: &Sealed) -> Result<Sealed, String> {
    vault.rewrap(place, sealed).map_err(|error| error.to_string())
}
