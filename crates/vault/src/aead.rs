//! AES-256-GCM-SIV under random nonces, which stand before the ciphertext. A nonce used twice, should that ever
//! happen, tells with this cipher only that two texts are the same.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::crypto::CryptoFailed;

/// Bytes of a nonce.
const NONCE: usize = 12;

/// Bytes of a tag.
const TAG: usize = 16;

/// How much longer a ciphertext is than its text.
pub const OVERHEAD: usize = NONCE + TAG;

/// A key for one purpose.
pub struct Cipher(RandomizedNonceKey);

impl Cipher {
    pub fn new(key: &[u8; 32]) -> Result<Self, CryptoFailed> {
        RandomizedNonceKey::new(&AES_256_GCM_SIV, key).map(Self).map_err(|_| CryptoFailed)
    }

    /// Encrypts `text`; what it is bound to has to be given again to open it.
    pub fn seal(&self, bound_to: &[u8], text: &[u8]) -> Result<Vec<u8>, CryptoFailed> {
        // Room for the tag from the beginning: growing would leave the text behind in freed memory.
        let mut buffer = Zeroizing::new(Vec::with_capacity(text.len() + TAG));
        buffer.extend_from_slice(text);
        let nonce = self.0.seal_in_place_append_tag(Aad::from(bound_to), &mut *buffer).map_err(|_| CryptoFailed)?;
        Ok([nonce.as_ref(), buffer.as_slice()].concat())
    }

    /// Decrypts what [`Cipher::seal`] made; `None` when key, binding or any bit is another.
    pub fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(bound_to), &mut buffer).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }
}
