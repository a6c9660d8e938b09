//! Keys from files, values and commands, and what is refused.

#![allow(clippy::unwrap_used, clippy::string_slice, reason = "a test that is wrong about its own input should fail")]

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use vault::key::{BadKey, KeyId};
use vault::ring::{BadRing, RingError};
use vault::source::command::{CommandError, KeyCommand, TIME_LIMIT};
use vault::source::file::{self, KeyFileError};
use vault::source::{KeySource, KeySourceError};
use vault::{KeyRing, Place, Vault};

/// The time limit of commands that hang: long enough for a shell to have started them. What waits for ever is given up
/// after ten times as long.
const PROMISED: Duration = Duration::from_secs(3);

fn ids(ring: &KeyRing) -> Vec<KeyId> {
    ring.ids().collect()
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    (folder, path)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(folder: &TempDir) -> Vec<OsString> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_made_once_for_its_owner() {
    let (folder, path) = folder();
    let made = file::create(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(names(&folder), ["keys"]);
    assert_eq!(ids(&file::read(&path).unwrap()), ids(&made));
    let before = fs::read(&path).unwrap();
    assert!(matches!(file::create(&path), Err(KeyFileError::Exists(there)) if there == path));
    assert_eq!((fs::read(&path).unwrap(), names(&folder)), (before, vec!["keys".into()]));
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let (_folder, path) = folder();
    file::create(&path).unwrap();
    for (mode, taken) in [
        (0o600, true),
        (0o400, true),
        (0o700, true),
        (0o640, false),
        (0o660, false),
        (0o604, false),
        (0o644, false),
        (0o602, false),
        (0o610, false),
        (0o601, false),
        (0o777, false),
    ] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        match file::read(&path) {
            Ok(_) => assert!(taken, "{mode:o}"),
            Err(KeyFileError::Open { mode: found, .. }) => assert!(!taken && found == mode, "{mode:o}"),
            Err(other) => panic!("{mode:o}: {other}"),
        }
    }
    let said = file::read(&path).unwrap_err().to_string();
    assert!(said.contains(path.to_str().unwrap()) && said.contains("0777") && said.contains("`chmod 600`"), "{said}");
}

#[test]
fn a_link_is_as_good_as_what_it_leads_to() {
    let (folder, path) = folder();
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(matches!(file::read(&link), Err(KeyFileError::Missing(missing)) if missing == link));
    let ring = file::create(&path).unwrap();
    assert_eq!(ids(&file::read(&link).unwrap()), ids(&ring));
    let (changed, new) = file::change(&link, KeyRing::rotate).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(ids(&file::read(&path).unwrap()), ids(&changed));
    assert_eq!(changed.first().id(), new);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(file::read(&link), Err(KeyFileError::Open { .. })));
}

#[test]
fn what_is_no_key_file() {
    let (folder, path) = folder();
    assert!(matches!(file::read(&path), Err(KeyFileError::Missing(_))));
    assert!(matches!(file::change(&path, KeyRing::rotate), Err(KeyFileError::Missing(_))));
    assert!(matches!(file::read(folder.path()), Err(KeyFileError::NotAFile(_))));
    // Nobody writes into the pipe, and whoever waits for that waits for ever.
    assert!(std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().unwrap().success());
    let (tell, told) = std::sync::mpsc::channel();
    let pipe = path.clone();
    std::thread::spawn(move || tell.send(file::read(&pipe)));
    assert!(matches!(told.recv_timeout(PROMISED * 10).unwrap(), Err(KeyFileError::NotAFile(_))));
    fs::remove_file(&path).unwrap();
    for (content, expected) in [
        (b"".to_vec(), BadRing::Empty),
        (b"hunter2".to_vec(), BadRing::Key { line: 1, why: BadKey::NotAKey }),
        (vec![b'#'; 20_000], BadRing::TooLong),
        (vec![0xff; 40], BadRing::NoText),
    ] {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let error = file::read(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Ring { why, .. } if why == expected), "{error}");
    }
}

#[test]
fn a_change_is_whole_or_not_at_all() {
    let (folder, path) = folder();
    let before = file::create(&path).unwrap();
    let text = fs::read(&path).unwrap();

    let error = file::change(&path, |ring| ring.retire(ring.first().id())).unwrap_err();
    assert!(matches!(error, KeyFileError::Change { why: RingError::First(_), .. }), "{error}");
    assert_eq!((fs::read(&path).unwrap(), names(&folder)), (text.clone(), vec!["keys".into()]));

    // Somebody else is at it.
    let draft = path.with_file_name("keys.new");
    fs::write(&draft, "").unwrap();
    let error = file::change(&path, KeyRing::rotate).unwrap_err();
    assert!(matches!(&error, KeyFileError::Changing(there) if there.file_name() == draft.file_name()), "{error}");
    assert_eq!(fs::read(&path).unwrap(), text);
    assert!(draft.exists(), "it is not ours to remove");
    fs::remove_file(&draft).unwrap();

    let (after, new) = file::change(&path, KeyRing::rotate).unwrap();
    assert_eq!(ids(&after), [new, before.first().id()]);
    assert_eq!(ids(&file::read(&path).unwrap()), ids(&after));
    assert_eq!((mode(&path), names(&folder)), (0o600, vec!["keys".into()]));
    let (after, ()) = file::change(&path, |ring| ring.retire(before.first().id())).unwrap();
    assert_eq!(ids(&after), [new]);
}

#[test]
fn of_many_who_rotate_at_once_no_key_is_lost() {
    let (_folder, path) = folder();
    file::create(&path).unwrap();
    let made: Vec<KeyId> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let tries = (0..10).map(|_| file::change(&path, KeyRing::rotate));
                    tries.filter_map(|made| made.ok().map(|(_, id)| id)).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let ring = file::read(&path).unwrap();
    assert!(!made.is_empty());
    for id in &made {
        assert!(ring.find(*id).is_some(), "{id}");
    }
    assert_eq!(ids(&ring).len(), made.len() + 1);
}

#[tokio::test]
async fn a_source_says_where_its_keys_came_from() {
    let (_folder, path) = folder();
    let text = file::create(&path).unwrap().text();
    let keys = KeyRing::generate("elsewhere").unwrap().text();
    let value = KeySource::Value { name: "$TOOLGATE_KEYS".to_owned(), text: keys.clone() };
    let printing = KeySource::Command(command(&["cat", path.to_str().unwrap()]));
    for (source, text, name) in [
        (KeySource::File(path.clone()), &text, format!("the key file {}", path.display())),
        (value, &keys, "$TOOLGATE_KEYS".to_owned()),
        (printing, &text, "the key command \"cat\"".to_owned()),
    ] {
        let ring = source.load().await.unwrap();
        let expected = KeyRing::parse(text.expose_secret().as_bytes(), "").unwrap();
        assert_eq!((ids(&ring), ring.origin(), source.to_string()), (ids(&expected), name.as_str(), name.clone()));
        let other = Vault::new(KeyRing::generate("").unwrap()).seal(&Place::instance("x"), b"").unwrap();
        let said = Vault::new(ring).open(&Place::instance("x"), &other).unwrap_err().to_string();
        assert!(said.contains(&name), "{said}");
    }
    let bad = KeySource::Value { name: "$TOOLGATE_KEYS".to_owned(), text: SecretString::from("hunter2") };
    let said = bad.load().await.unwrap_err();
    assert!(matches!(said, KeySourceError::Value { why: BadRing::Key { line: 1, .. }, .. }));
    assert!(said.to_string().starts_with("$TOOLGATE_KEYS holds no keys: line 1: "), "{said}");
}

fn command(argv: &[&str]) -> KeyCommand {
    KeyCommand::new(argv.iter().map(OsString::from), TIME_LIMIT).unwrap()
}

fn script(text: &str, limit: Duration) -> KeyCommand {
    KeyCommand::new(["sh", "-c", text].map(OsString::from), limit).unwrap()
}

const KEY: &str = "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=";

#[tokio::test]
async fn a_command_is_no_shell_line() {
    let marked = KEY.to_owned();
    // What a shell would run is printed, and is no key.
    let error = command(&["echo", &format!("{marked}; echo {marked}"), "$HOME", "`id`"]).run().await.unwrap_err();
    assert!(matches!(error, CommandError::Ring { why: BadRing::NotALine { line: 1 }, .. }), "{error}");
    assert!(command(&["echo", KEY]).run().await.is_ok());
    assert!(KeyCommand::new(Vec::<OsString>::new(), TIME_LIMIT).is_none());
    assert!(KeyCommand::new([OsString::new()], TIME_LIMIT).is_none());
    // It is asked for nothing: whoever reads its input finds the end.
    assert!(script(&format!("cat; echo {KEY}"), TIME_LIMIT).run().await.is_ok());
}

#[tokio::test]
async fn commands_that_fail() {
    let error = command(&["toolgate-no-such-program"]).run().await.unwrap_err();
    assert!(matches!(&error, CommandError::NotStarted { .. }), "{error}");
    assert!(error.to_string().contains("toolgate-no-such-program"), "{error}");

    let failing = script(&format!("echo {KEY}; echo 'no access to {KEY} ({KEY})' >&2; exit 3"), TIME_LIMIT);
    let error = failing.run().await.unwrap_err();
    assert!(matches!(&error, CommandError::Failed { status, .. } if status.code() == Some(3)), "{error}");
    let said = error.to_string();
    assert!(said.ends_with("(exit status: 3); what it printed was not used; it said: no access to […] […]"), "{said}");

    let error = script("kill -9 $$", TIME_LIMIT).run().await.unwrap_err();
    assert!(error.to_string().contains("signal: 9"), "{error}");
    let error = script(&format!("echo {}; echo careful >&2", &KEY[..40]), TIME_LIMIT).run().await.unwrap_err();
    assert!(matches!(&error, CommandError::Ring { why: BadRing::Key { line: 1, .. }, .. }), "{error}");
    assert!(error.to_string().ends_with("; it said: careful"), "{error}");
    let error = command(&["true"]).run().await.unwrap_err();
    assert!(matches!(&error, CommandError::Ring { why: BadRing::Empty, .. }), "{error}");
    assert!(error.to_string().ends_with("; it said nothing"), "{error}");
}

#[tokio::test]
async fn commands_that_print_too_much() {
    let endless = script("yes '# a comment'", TIME_LIMIT);
    let error = endless.run().await.unwrap_err();
    assert!(matches!(error, CommandError::TooMuch { .. }), "{error}");
    // Standard error is cut, and does not hold the command up.
    let noisy = script(&format!("head -c 300000 /dev/zero | tr '\\0' 'n' >&2; echo {KEY}"), TIME_LIMIT);
    assert!(noisy.run().await.is_ok());
    let failing = script("head -c 300000 /dev/zero | tr '\\0' 'n' >&2; exit 1", TIME_LIMIT);
    assert!(failing.run().await.unwrap_err().to_string().len() < 1000);
}

#[tokio::test]
async fn commands_that_hang_are_killed_with_all_they_started() {
    let folder = tempfile::tempdir().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for (name, text) in [
        ("silent", "sleep 600 & echo $! > PID; echo password? >&2; wait"),
        ("holding", "sleep 600 & echo $! > PID; echo KEY"),
        ("deaf", "trap '' TERM INT HUP PIPE; sleep 600 & echo $! > PID; echo password? >&2; while :; do wait; done"),
        ("printing", "sleep 600 & echo $! > PID; echo KEY; exec >&-; wait"),
    ] {
        let pid = folder.path().join(name);
        let text = text.replace("PID", pid.to_str().unwrap()).replace("KEY", KEY);
        tasks.spawn(async move {
            let started = Instant::now();
            let run = script(&text, PROMISED);
            let error = tokio::time::timeout(PROMISED * 10, run.run()).await.unwrap().unwrap_err();
            assert!(matches!(error, CommandError::Late { .. }), "{name}: {error}");
            assert!(started.elapsed() >= PROMISED, "{name}");
            let said = error.to_string();
            assert!(said.contains(" 3 s") && !said.contains(KEY), "{name}: {said}");
            assert!(!text.contains("password") || said.ends_with("it said: password?"), "{name}: {said}");
            gone(&pid, PROMISED * 10).await;
        });
    }
    assert_eq!(tasks.join_all().await.len(), 4);
}

#[tokio::test]
async fn a_command_for_which_nobody_waits_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let text = format!("sleep 600 & echo $! > {0}.new; mv {0}.new {0}; wait", pid.display());
    let task = tokio::spawn(async move { script(&text, TIME_LIMIT * 60).run().await });
    let started = async {
        while !pid.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PROMISED * 10, started).await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    gone(&pid, PROMISED * 10).await;
}

/// Waits until the process of a file is no more, or only waits to be reaped.
async fn gone(pid: &Path, limit: Duration) {
    let pid: i32 = fs::read_to_string(pid).unwrap().trim().parse().unwrap();
    let status = async {
        while rustix::process::test_kill_process(rustix::process::Pid::from_raw(pid).unwrap()).is_ok() && !zombie(pid) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(limit, status).await.unwrap();
}

fn zombie(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}
