//! Why something that was asked for was not done.

use store::control::BadControl;
use store::control::access::Forbidden;

/// Why something was not done. Nothing of it has happened.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The role does not have the right.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// What was given is wrong at a place.
    #[error("{place}: {why}")]
    Invalid {
        /// A JSON pointer into what was given.
        place: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The policy has errors.
    #[error("the policy has {} error{}; the first: {}", .0.len(), if .0.len() == 1 { "" } else { "s" }, .0.first().map(|first| first.message.as_str()).unwrap_or_default())]
    Policy(Vec<policy::Diagnostic>),
    /// Tests of the policy fail, so it is not put in force.
    #[error("{} of the policy's tests fail{}, so it was not published; the first: {}", .0.len(), if .0.len() == 1 { "s" } else { "" }, .0.first().map(|first| first.name.as_str()).unwrap_or_default())]
    Tests(Vec<policy::cases::Outcome>),
    /// The tables.
    #[error(transparent)]
    Store(#[from] BadControl),
    /// The counts of limits.
    #[error(transparent)]
    Counts(#[from] quota::StoreDown),
    /// A secret could not be sealed or opened.
    #[error("a secret cannot be kept: {0}")]
    Vault(String),
}

impl Refused {
    /// Something is wrong at a place.
    pub(crate) fn invalid(place: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Invalid { place: place.into(), why: why.into() }
    }
}

impl From<vault::vault::SealError> for Refused {
    fn from(error: vault::vault::SealError) -> Self {
        Self::Vault(error.to_string())
    }
}
