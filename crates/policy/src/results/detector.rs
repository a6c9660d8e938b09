//! The detectors that a policy names.

/// A named group of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detector {
    /// Keys of cloud providers.
    CloudKeys,
    /// Tokens of services, of the web, and passwords in URLs.
    Tokens,
    /// Private keys.
    PrivateKeys,
    /// Numbers of payment cards, by issuer and check digit.
    CardNumbers,
}

impl Detector {
    /// Every detector.
    pub const ALL: [Detector; 4] =
        [Detector::CloudKeys, Detector::Tokens, Detector::PrivateKeys, Detector::CardNumbers];

    /// The word as policies write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Detector::CloudKeys => "cloud_keys",
            Detector::Tokens => "tokens",
            Detector::PrivateKeys => "private_keys",
            Detector::CardNumbers => "card_numbers",
        }
    }

    /// The detector of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Detector> {
        Detector::ALL.into_iter().find(|detector| detector.as_str() == name)
    }
}
