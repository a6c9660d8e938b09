//! Randomness of the system.

use zeroize::Zeroizing;

/// The system gives no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers, so nothing was made: a sandbox may forbid getrandom and /dev/urandom")]
pub struct NoRandomness;

/// Random bytes, wiped when dropped.
pub(crate) fn bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, NoRandomness> {
    let mut bytes = Zeroizing::new([0; N]);
    aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| NoRandomness)?;
    Ok(bytes)
}
