//! SIGHUP: a terminal has gone, or somebody wants files to be read again. It ends nothing.

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{Failure, Trying};
use crate::output::tell;

/// From here on SIGHUP ends nothing; whoever sends it reads this. To be called within a runtime.
///
/// # Errors
/// When signals cannot be listened for.
pub fn outlive(what: &'static str) -> Result<(), Failure> {
    let mut hangup = signal(SignalKind::hangup()).trying("signals")?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tell!("toolgate: SIGHUP: {what}");
        }
    });
    Ok(())
}
