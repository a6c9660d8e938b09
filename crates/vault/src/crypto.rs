//! What the cryptographic library does for all of this crate.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

/// The cryptographic library did not do its work. It has one reason that happens: the system gives no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the cryptographic library failed and nothing was made; most likely the system gives no random numbers: a sandbox may forbid getrandom and /dev/urandom"
)]
pub struct CryptoFailed;

/// Random bytes, wiped when dropped.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, CryptoFailed> {
    let mut bytes = Zeroizing::new([0; N]);
    aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| CryptoFailed)?;
    Ok(bytes)
}

/// A key for one purpose, told from another by HKDF-SHA256.
pub(crate) fn derive(key: &[u8], purpose: &[u8]) -> Result<Zeroizing<[u8; 32]>, CryptoFailed> {
    let mut derived = Zeroizing::new([0; 32]);
    let prk = Salt::none(HKDF_SHA256).extract(key);
    let filled = prk.expand(&[purpose], HKDF_SHA256).and_then(|okm| okm.fill(derived.as_mut()));
    filled.map_err(|_| CryptoFailed)?;
    Ok(derived)
}

/// The name of a key, derived from it. It tells nothing of the key, and may be printed.
pub(crate) fn name(key: &[u8], purpose: &[u8]) -> Result<[u8; 8], CryptoFailed> {
    derive(key, purpose)?.first_chunk().copied().ok_or(CryptoFailed)
}
