//! A process that is hardened leaves no core dump. It cannot be undone, so a child is hardened and looked at: this
//! program runs itself again, which the usual harness would not let it do.

#![allow(clippy::unwrap_used, reason = "a test that is wrong about its own input should fail")]

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit};

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("as hardened child") => child(true),
        Some("as plain child") => child(false),
        _ => parent(),
    }
}

/// Says how it stands, and ends as a crash does.
fn child(hardened: bool) {
    if hardened {
        vault::harden::harden_process().unwrap();
    }
    let Rlimit { current, maximum } = getrlimit(Resource::Core);
    let nothing = (current, maximum) == (Some(0), Some(0));
    #[cfg(target_os = "linux")]
    let dumpable = rustix::process::dumpable_behavior().unwrap() != rustix::process::DumpableBehavior::NotDumpable;
    #[cfg(not(target_os = "linux"))]
    let dumpable = !hardened;
    println!("limited={nothing} dumpable={dumpable}");
    std::process::abort();
}

fn parent() {
    let run = |how: &str| {
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new(std::env::current_exe().unwrap()).arg(how).current_dir(&folder).output().unwrap();
        assert_eq!(child.status.signal(), Some(6), "{child:?}");
        let files = std::fs::read_dir(&folder).unwrap().count();
        (String::from_utf8(child.stdout).unwrap(), child.status.core_dumped(), files)
    };
    let hardened = run("as hardened child");
    assert_eq!(hardened, ("limited=true dumpable=false\n".to_owned(), false, 0));
    // Without it a process may be dumped, be it that this machine limits the size.
    let (plain, ..) = run("as plain child");
    assert!(plain.ends_with("dumpable=true\n"), "{plain}");
    println!("a hardened process leaves no core dump: ok");
}
