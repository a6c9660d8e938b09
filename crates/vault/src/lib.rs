//! What may lie on a disk, and under which key.
//!
//! - [`ring`]: master keys, of which the first encrypts and all decrypt; [`source`] says where they come from.
//! - [`vault`]: secrets sealed for one place each, opened, and moved to another master key.
//! - [`token`]: the tokens that Toolgate gives out; [`token_hash`]: what is stored of them.
//! - [`password`]: passwords as they may be stored.
//! - [`harden`]: no memory of this process in core dumps.
//!
//! Nothing here reads the environment, and no text, `Debug` or error of this crate holds a secret.

mod aead;
pub mod crypto;
pub mod harden;
pub mod key;
pub mod password;
pub mod place;
pub mod ring;
pub mod sealed;
pub mod secret;
pub mod source;
pub mod token;
pub mod token_hash;
pub mod vault;

pub use place::Place;
pub use ring::KeyRing;
pub use sealed::Sealed;
pub use source::KeySource;
pub use vault::Vault;
