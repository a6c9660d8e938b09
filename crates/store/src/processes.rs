//! Who works in this directory, and which process groups they have started.
//!
//! A gateway that is killed cannot end its children. Each gateway keeps a file of its children's
//! groups, locked for as long as it lives; the next one to start ends the groups of files that are
//! no longer locked. A group is known by its leader's start time, so that a number that the system
//! has given to somebody else is never killed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::DataDir;

/// How long an orphan may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// This process, in the register.
#[derive(Debug)]
pub struct Processes {
    directory: PathBuf,
    path: PathBuf,
    file: Mutex<(File, BTreeMap<i32, u64>)>,
}

impl Processes {
    /// Enters this process.
    ///
    /// # Errors
    /// When the register cannot be written.
    pub fn register(data: &DataDir) -> io::Result<Self> {
        let directory = data.directory("processes")?;
        let path = directory.join(crate::log::ids::next().to_string());
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { directory, path, file: Mutex::new((file, BTreeMap::new())) })
    }

    /// A child leads a group of its own.
    pub fn child_started(&self, group: i32) {
        if let Some(start) = start_time(group) {
            self.change(|children| {
                children.insert(group, start);
            });
        }
    }

    /// A child and its group are gone.
    pub fn child_ended(&self, group: i32) {
        self.change(|children| {
            children.remove(&group);
        });
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<i32, u64>)) {
        let mut guard = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, children) = &mut *guard;
        change(children);
        let mut text = format!("boot {}\n", boot_id());
        for (group, start) in children.iter() {
            text.push_str(&format!("{group} {start}\n"));
        }
        // A register that cannot be written costs tidiness after a crash, and nothing else.
        let _ = write_all_anew(file, text.as_bytes());
    }

    /// Ends what gateways that were killed have left behind, and tells how many groups there were.
    pub fn end_orphans(&self) -> usize {
        let Ok(entries) = fs::read_dir(&self.directory) else { return 0 };
        let mut groups = Vec::new();
        for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            if path == self.path {
                continue;
            }
            let Ok(file) = File::open(&path) else { continue };
            // Locked: its process lives, and looks after its children itself.
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                continue;
            }
            groups.extend(orphans(&path));
            let _ = fs::remove_file(&path);
        }
        for group in &groups {
            let _ = kill_process_group(*group, Signal::TERM);
        }
        let mut patience = GRACE;
        let pause = Duration::from_millis(20);
        while !patience.is_zero() && groups.iter().any(|group| test_kill_process_group(*group).is_ok()) {
            std::thread::sleep(pause);
            patience = patience.saturating_sub(pause);
        }
        for group in &groups {
            let _ = kill_process_group(*group, Signal::KILL);
        }
        groups.len()
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn write_all_anew(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    file.write_all_at(bytes, 0)?;
    file.set_len(u64::try_from(bytes.len()).unwrap_or(0))?;
    file.flush()
}

/// The groups of a register whose leaders are still those that were started.
fn orphans(path: &Path) -> Vec<Pid> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    let mut lines = text.lines();
    if lines.next().and_then(|line| line.strip_prefix("boot ")) != Some(&boot_id()) {
        return Vec::new();
    }
    lines
        .filter_map(|line| {
            let (group, start) = line.split_once(' ')?;
            let (group, start) = (group.parse::<i32>().ok()?, start.parse::<u64>().ok()?);
            // A leader that has ended leaves its number to the group for as long as that has members.
            let same = start_time(group).is_none_or(|now| now == start);
            let pid = Pid::from_raw(group).filter(|_| same)?;
            test_kill_process_group(pid).is_ok().then_some(pid)
        })
        .collect()
}

/// When a process began, in ticks since the system did; `None` if there is none.
fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, spaces and parentheses included.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    #[test]
    fn children_of_the_dead_are_ended_and_those_of_the_living_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let start = || Command::new("sleep").arg("600").process_group(0).spawn().unwrap();
        let (mut orphan, mut kept) = (start(), start());
        let dead = Processes::register(&data).unwrap();
        dead.child_started(i32::try_from(orphan.id()).unwrap());
        let alive = Processes::register(&data).unwrap();
        alive.child_started(i32::try_from(kept.id()).unwrap());
        // Killed: its lock is gone, its file is not.
        let path = dead.path.clone();
        let text = fs::read(&path).unwrap();
        drop(dead);
        fs::write(&path, text).unwrap();
        let reaper = std::thread::spawn(move || orphan.wait().unwrap());
        assert_eq!(Processes::register(&data).unwrap().end_orphans(), 1);
        assert!(!reaper.join().unwrap().success());
        assert!(kept.try_wait().unwrap().is_none());
        kept.kill().unwrap();
        kept.wait().unwrap();
        assert!(!path.exists());
    }
}
