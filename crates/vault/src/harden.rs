//! Keys in memory must not end in a core dump, nor be read by another process of the same user.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core dumps of this process: their size is limited to nothing, for the programs that it starts as well. On
/// Linux the process is also marked as not to be dumped, so that a handler of dumps gets none, and only root can attach
/// a debugger or read its memory. To be called first, before any secret is read and any thread is started.
///
/// # Errors
/// The operating system's reason. The process should not go on.
pub fn harden_process() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
