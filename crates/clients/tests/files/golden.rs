//! Each fixture wrapped, entry by entry, against the files beside it, and taken back.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p clients` writes the files anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clients::{Document, Launch, Restored, State, Surface, Table};

use crate::{after, can_be_wrapped, entry, read, wrapper};

/// The fixtures with their clients.
fn fixtures() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut found = Vec::new();
    for folder in std::fs::read_dir(root).unwrap().map(Result::unwrap) {
        let client = folder.file_name().into_string().unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            let end = file.path().extension().unwrap().to_owned();
            if end != "wrapped" && end != "report" {
                found.push((client.clone(), file.path()));
            }
        }
    }
    found.sort();
    found
}

fn compare(path: &Path, end: &str, found: &[u8]) {
    let path = PathBuf::from(format!("{}.{end}", path.display()));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let wanted = std::fs::read(&path).unwrap_or_default();
    let (wanted, found) = (String::from_utf8_lossy(&wanted), String::from_utf8_lossy(found));
    assert!(
        wanted == found,
        "{} is not what the code makes; write it anew with UPDATE_SNAPSHOTS=1\n{found}",
        path.display()
    );
}

/// The surface that finds entries in a document.
fn surface_of(document: &Document, client: &clients::Client) -> Surface {
    let found = |surface: &&Surface| !document.entries(client, surface).unwrap().is_empty();
    client.surfaces.iter().find(found).unwrap().clone()
}

#[test]
fn every_client_with_files_has_a_fixture() {
    let fixtures = fixtures();
    for client in Table::compiled().unwrap().clients {
        let has = fixtures.iter().any(|(id, _)| *id == client.id);
        assert_eq!(has, !client.surfaces.is_empty(), "{}", client.id);
    }
}

#[test]
fn fixtures_are_wrapped_as_the_files_beside_them_say() {
    let table = Table::compiled().unwrap();
    for (id, path) in fixtures() {
        let client = table.client(&id).unwrap();
        let original = std::fs::read(&path).unwrap();
        let format = client.surfaces.iter().map(|surface| surface.format).next().unwrap();
        let first = read(format, &original);
        let surface = surface_of(&first, client);
        let mut report = String::new();
        let mut bytes = original.clone();
        for one in first.entries(client, &surface).unwrap() {
            let place = first.position(&one);
            let state = match &one.state {
                State::Bare => "bare".to_owned(),
                State::Wrapped(_) => "wrapped".to_owned(),
                State::NotCovered(why) => format!("not covered: {why}"),
            };
            let off = if one.enabled { "" } else { " (off)" };
            writeln!(report, "{} at {place}{off}: {state}", one.place.join(" › ")).unwrap();
            if can_be_wrapped(&one) {
                let document = read(format, &bytes);
                let entries = document.entries(client, &surface).unwrap();
                let now = entries.iter().find(|entry| entry.place == one.place).unwrap();
                bytes = after(&document.wrap(now, &wrapper(&one.key)).unwrap(), &bytes);
            }
        }
        compare(&path, "wrapped", &bytes);
        // Each edit on its own, so that the report shows what a person sees.
        for one in first.entries(client, &surface).unwrap().iter().filter(|entry| can_be_wrapped(entry)) {
            let edit = first.wrap(one, &wrapper(&one.key)).unwrap();
            let diff = first.diff(&edit, path.file_name().unwrap().to_str().unwrap()).unwrap();
            assert!(!diff.contains("fake"), "{diff}");
            write!(report, "\n{diff}").unwrap();
        }
        compare(&path, "report", report.as_bytes());
    }
}

#[test]
fn undo_gives_the_bytes_back() {
    let table = Table::compiled().unwrap();
    for (id, path) in fixtures() {
        let client = table.client(&id).unwrap();
        let original = std::fs::read(&path).unwrap();
        let format = client.surfaces[0].format;
        let first = read(format, &original);
        let surface = surface_of(&first, client);
        for one in first.entries(client, &surface).unwrap().iter().filter(|entry| can_be_wrapped(entry)) {
            let what = format!("{} {}", path.display(), one.key);
            let edit = first.wrap(one, &wrapper(&one.key)).unwrap();
            let bytes = after(&edit, &original);
            assert_eq!(edit.inverse().apply(&bytes).unwrap(), original, "{what}");

            let second = read(format, &bytes);
            let now = second.entries(client, &surface).unwrap().into_iter().find(|now| now.place == one.place).unwrap();
            let written = second.text_of(&now).unwrap();
            let restored = second.restore(first.text_of(one).unwrap(), written, &now).unwrap();
            let Restored::Edit(edit) = restored else { panic!("{what}: a conflict") };
            assert_eq!(String::from_utf8_lossy(&after(&edit, &bytes)), String::from_utf8_lossy(&original), "{what}");

            // From the words alone: the same bytes too, for fixtures that write nothing in an unusual way.
            let unwrapped = after(&second.unwrap(&now).unwrap(), &bytes);
            assert_eq!(String::from_utf8_lossy(&unwrapped), String::from_utf8_lossy(&original), "{what}");
            let third = read(format, &unwrapped);
            let again =
                third.entries(client, &surface).unwrap().into_iter().find(|now| now.place == one.place).unwrap();
            assert_eq!(again.launch, one.launch, "{what}");
        }
    }
}

/// Another path of toolgate changes that word, in every way in which a client writes entries.
#[test]
fn another_path_of_toolgate_changes_one_word() {
    let table = Table::compiled().unwrap();
    for (id, path) in fixtures() {
        let client = table.client(&id).unwrap();
        let original = std::fs::read(&path).unwrap();
        let format = client.surfaces[0].format;
        let first = read(format, &original);
        let surface = surface_of(&first, client);
        for one in first.entries(client, &surface).unwrap().iter().filter(|entry| can_be_wrapped(entry)) {
            let what = format!("{} {}", path.display(), one.key);
            assert!(first.with_program(one, "/opt/new/toolgate").is_err(), "{what}: it does not start toolgate");
            let bytes = after(&first.wrap(one, &wrapper(&one.key)).unwrap(), &original);
            let second = read(format, &bytes);
            let now = second.entries(client, &surface).unwrap().into_iter().find(|now| now.place == one.place).unwrap();
            let moved = after(&second.with_program(&now, "/opt/new/toolgate").unwrap(), &bytes);
            let text = String::from_utf8_lossy(&moved);
            assert_eq!(text.replace("/opt/new/toolgate", "/usr/local/bin/toolgate"), String::from_utf8_lossy(&bytes));
            // Its words tell what it is, so that it may have another name.
            let named = after(&second.with_program(&now, "/opt/gate").unwrap(), &bytes);
            let third = read(format, &named);
            let again =
                third.entries(client, &surface).unwrap().into_iter().find(|now| now.place == one.place).unwrap();
            assert_eq!(
                after(&third.unwrap(&again).unwrap(), &named),
                after(&second.unwrap(&now).unwrap(), &bytes),
                "{what}"
            );
        }
    }
}

/// A server behind two gateways loses the outer one, and then the other.
#[test]
fn two_wraps_are_taken_out_one_by_one() {
    let (client, surface) = crate::surface("cursor", 0);
    let twice = r#"{ "mcpServers": { "a": { "command": "toolgate", "args": ["run", "--policy", "/p", "--name=a-2", "--", "toolgate", "run", "--policy", "/q", "--name=a", "--", "npx", "x"] } } }"#;
    let once = r#"{ "mcpServers": { "a": { "command": "toolgate", "args": ["run", "--policy", "/q", "--name=a", "--", "npx", "x"] } } }"#;
    let document = read(surface.format, twice.as_bytes());
    let outer = entry(&document, &client, &surface, "a");
    assert_eq!(String::from_utf8_lossy(&after(&document.without_outer(&outer).unwrap(), twice.as_bytes())), once);
    let document = read(surface.format, once.as_bytes());
    assert!(document.without_outer(&entry(&document, &client, &surface, "a")).is_err(), "there is no second one");
}

#[test]
fn secrets_never_stand_among_the_arguments() {
    let table = Table::compiled().unwrap();
    for (id, path) in fixtures() {
        let client = table.client(&id).unwrap();
        let original = std::fs::read(&path).unwrap();
        let first = read(client.surfaces[0].format, &original);
        let surface = surface_of(&first, client);
        for one in first.entries(client, &surface).unwrap().iter().filter(|entry| can_be_wrapped(entry)) {
            let Launch::Http { headers, .. } = &one.launch else { continue };
            let bytes = after(&first.wrap(one, &wrapper(&one.key)).unwrap(), &original);
            let second = read(client.surfaces[0].format, &bytes);
            let Launch::Stdio { args, env, .. } = entry(&second, client, &surface, &one.key).launch else { panic!() };
            for (name, value) in headers {
                let own =
                    value.expose().strip_prefix("Bearer ").is_some_and(|rest| rest.starts_with("${") && env.is_empty());
                assert!(own || !args.iter().any(|arg| arg.contains(value.expose())), "{name}");
                assert!(own || env.iter().any(|(_, kept)| kept == value), "{name}");
            }
        }
    }
}
