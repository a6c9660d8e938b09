//! Where pins of definitions lie, for the commands that obey them and those that show them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway::pins::{Acceptance, PinFiles, Pinning};
use gateway::server::{Server, ServerConfig};

use crate::failure::{Failure, Trying};
use crate::output::tell;

/// The name of the lock file.
pub const LOCK: &str = "toolgate.lock";

/// The lock file of a policy: as named, else beside it.
pub fn lock_of(policy: &Path, named: Option<&Path>) -> PathBuf {
    named.map_or_else(|| policy.with_file_name(LOCK), Path::to_path_buf)
}

/// A server whose definitions are pinned.
///
/// # Errors
/// When the files are there and cannot be read.
pub fn registered(config: ServerConfig, files: PinFiles, acceptance: Acceptance) -> Result<Arc<Server>, Failure> {
    let tell = Arc::new(|sentence: &str| tell!("toolgate: {sentence}"));
    let pins = Pinning::read(&config.id, files, acceptance, tell).trying("the accepted definitions")?;
    Ok(Server::pinned(config, pins))
}

/// How many definitions of a server are held, whose pins lie beside a policy.
///
/// # Errors
/// When the files cannot be read.
pub fn held(policy: &Path, data: &Path, server: &str) -> Result<usize, String> {
    let files = PinFiles::new(&lock_of(policy, None), data);
    let read = |error: gateway::pins::BadPins| error.to_string();
    let accepted = files.section(server).map_err(read)?.unwrap_or_default();
    let held = files.held(server).map_err(read)?;
    let is_held =
        |(tool, now): &(&String, &risk::pins::Pin)| accepted.get(*tool).is_none_or(|pin| pin.digest != now.digest);
    Ok(held.iter().filter(is_held).count())
}
