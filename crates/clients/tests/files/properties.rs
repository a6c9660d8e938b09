//! What must hold for any file, as people and programs write them: odd spacing, comments, marks, line endings.

mod independent;
mod layout;

use std::time::{Duration, Instant};

use clients::{Document, Format, Launch, Restored, Secret, State};
use proptest::prelude::*;
use serde_json::Value;

use crate::{after, can_be_wrapped, read, surface, wrapper};
use layout::{Ink, Reach, Server};

fn word() -> impl Strategy<Value = String> {
    let known = vec![
        "npx",
        "-y",
        "--flag=a b",
        "C:\\tools\\x.exe",
        "it's",
        "a\"b",
        "é😀",
        "${VAR}",
        "#no",
        "a: b",
        "true",
        "12",
        "-",
        "{x}",
        "a,b",
        "x #y",
        "\t",
    ];
    prop_oneof![3 => proptest::sample::select(known).prop_map(str::to_owned), 1 => "[ -~é😀]{0,8}"]
}

fn command() -> impl Strategy<Value = String> {
    let known = vec!["npx", "/usr/bin/env", "C:\\Program Files\\x.exe", "it's", "é😀", "uvx"];
    proptest::sample::select(known).prop_map(str::to_owned)
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::btree_map("[A-Z][A-Z_]{0,6}", word(), 0..3).prop_map(|map| map.into_iter().collect())
}

fn reach() -> impl Strategy<Value = Reach> {
    let args = proptest::option::of(proptest::collection::vec(word(), 0..4));
    let program = (command(), args, proptest::option::of(pairs())).prop_map(|(command, args, env)| Reach::Program {
        command,
        args,
        env,
    });
    let headers = proptest::collection::btree_map("X-[A-Z][a-z]{0,4}", word(), 0..3);
    let endpoint = ("https://[a-z]{1,6}\\.test/mcp", headers).prop_map(|(url, headers)| {
        let headers = [("Authorization".to_owned(), "Bearer fake".to_owned())].into_iter().chain(headers).collect();
        Reach::Endpoint { url, headers }
    });
    prop_oneof![3 => program, 1 => endpoint]
}

fn servers() -> impl Strategy<Value = Vec<Server>> {
    let key =
        prop_oneof!["[a-z][a-z-]{0,6}", Just("größe 😀".to_owned()), Just("a.b".to_owned()), Just("env".to_owned())];
    proptest::collection::btree_map(key, reach(), 1..4)
        .prop_map(|map| map.into_iter().map(|(key, reach)| Server { key, reach }).collect())
}

fn string(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// All that is to be shown of one file.
fn holds(id: &str, format: Format, text: &str, servers: &[Server]) -> Result<(), TestCaseError> {
    let (client, surface) = surface(id, 0);
    let bytes = text.as_bytes();
    let document = read(format, bytes);
    prop_assert_eq!(document.bytes(), bytes);
    let entries = document.entries(&client, &surface).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let before = independent::value(format, text);
    prop_assert_eq!(entries.len(), servers.len());
    for (one, server) in entries.iter().zip(servers) {
        prop_assert_eq!(&one.launch, &server.launch(), "{}", text);
        prop_assert!(can_be_wrapped(one), "{:?}", one.state);
        let edit =
            document.wrap(one, &wrapper("x")).map_err(|error| TestCaseError::fail(format!("{error:?}\n{text}")))?;
        let wrapped = after(&edit, bytes);
        let shown = String::from_utf8_lossy(&wrapped).into_owned();
        prop_assert_eq!(edit.inverse().apply(&wrapped).unwrap(), bytes);

        // Another reader sees the same but for this entry, and there what the client needs.
        let mut seen = independent::value(format, &shown);
        let mut old = before.clone();
        let (new_entry, old_entry) =
            (independent::take(&mut seen, &one.place), independent::take(&mut old, &one.place));
        prop_assert_eq!(&seen, &old, "{}", &shown);
        prop_assert_eq!(new_entry.get("timeout"), old_entry.get("timeout"));
        prop_assert_eq!(independent::words(&new_entry), server.words(&wrapper("x")), "{}", &shown);

        let second = read(format, &wrapped);
        let now = second.entries(&client, &surface).unwrap().into_iter().find(|now| now.place == one.place).unwrap();
        prop_assert!(matches!(now.state, State::Wrapped(_)));
        let unwrapped = second.unwrap(&now).map_err(|error| TestCaseError::fail(format!("{error:?}\n{shown}")))?;
        prop_assert_eq!(string(after(&unwrapped, &wrapped)), text, "{}", &shown);
        let restored = second.restore(document.text_of(one).unwrap(), second.text_of(&now).unwrap(), &now).unwrap();
        let Restored::Edit(restored) = restored else { return Err(TestCaseError::fail("a conflict")) };
        prop_assert_eq!(string(after(&restored, &wrapped)), text);

        // Whatever variables it has can leave with it, and come back.
        let Launch::Stdio { env, .. } = &now.launch else { return Err(TestCaseError::fail("no program")) };
        let names: Vec<String> = env.iter().map(|(name, _)| name.clone()).collect();
        let edit_out = document.wrap_without(one, &wrapper("x"), &names);
        let edit_out = edit_out.map_err(|error| TestCaseError::fail(format!("out: {error:?}\n{text}")))?;
        let without = after(&edit_out, bytes);
        prop_assert_eq!(edit_out.inverse().apply(&without).unwrap(), bytes);
        let third = read(format, &without);
        let bare = third.entries(&client, &surface).unwrap().into_iter().find(|now| now.place == one.place).unwrap();
        let is_bare = matches!(&bare.launch, Launch::Stdio { env, .. } if env.is_empty());
        prop_assert!(is_bare, "{:?}", bare);
        let back = third.unwrap_with(&bare, env);
        let back =
            back.map_err(|error| TestCaseError::fail(format!("back: {error:?}\n{}", string(without.clone()))))?;
        let back = read(format, &after(&back, &without)).entries(&client, &surface).unwrap();
        let back = back.into_iter().find(|now| now.place == one.place).unwrap();
        prop_assert_eq!(&back.launch, &one.launch);

        // They can leave it later as well, and newer values take the places of the old ones, and nothing else.
        let later = second.move_out(&now, "--env-file=/x.env", &names);
        let later = later.map_err(|error| TestCaseError::fail(format!("later: {error:?}\n{shown}")))?;
        let moved = read(format, &after(&later, &wrapped)).entries(&client, &surface).unwrap();
        let moved = moved.into_iter().find(|now| now.place == one.place).unwrap();
        let State::Wrapped(words) = &moved.state else { return Err(TestCaseError::fail("no gateway")) };
        prop_assert_eq!(words.options.last().map(String::as_str), Some("--env-file=/x.env"));
        prop_assert!(matches!(&moved.launch, Launch::Stdio { env, .. } if env.is_empty()), "{:?}", moved);
        let newer: Vec<(String, Secret)> = env
            .iter()
            .map(|(name, value)| (name.clone(), Secret::new(format!("{}'\"\\ new", value.expose()))))
            .collect();
        let renew = |document: &Document, bytes: &[u8], values: &[(String, Secret)]| {
            let one =
                document.entries(&client, &surface).unwrap().into_iter().find(|now| now.place == one.place).unwrap();
            let (edit, names) = document.renew(&one, words, values).map_err(|error| format!("{error:?}"))?;
            Ok::<_, String>((read(format, &after(&edit, bytes)), names.len()))
        };
        let fail = |why: String| TestCaseError::fail(format!("renew: {why}\n{text}"));
        let (same, none) = renew(&document, bytes, env).map_err(fail)?;
        prop_assert_eq!((string(same.bytes()), none), (text.to_owned(), 0));
        let (renewed, number) = renew(&document, bytes, &newer).map_err(fail)?;
        prop_assert_eq!(number, newer.len());
        let mut seen = independent::value(format, &string(renewed.bytes()));
        let mut old = before.clone();
        independent::forget(&mut seen, &one.place);
        independent::forget(&mut old, &one.place);
        prop_assert_eq!(seen, old, "{}", string(renewed.bytes()));
        let (again, _) = renew(&renewed, &renewed.bytes(), env).map_err(fail)?;
        let again = again.entries(&client, &surface).unwrap().into_iter().find(|now| now.place == one.place).unwrap();
        prop_assert_eq!(&again.launch, &one.launch);

        let diff = document.diff(&edit, "file").unwrap();
        prop_assert!(!diff.contains("Bearer fake"), "{}", diff);

        let removed =
            document.remove(one).map_err(|error| TestCaseError::fail(format!("remove: {error:?}\n{text}")))?;
        let left = read(format, &after(&removed, bytes)).entries(&client, &surface).unwrap();
        prop_assert!(left.len() + 1 == entries.len() && left.iter().all(|entry| entry.place != one.place));
    }
    let launch = Launch::Stdio {
        command: "new".to_owned(),
        args: vec!["--x".to_owned()],
        env: vec![("K".to_owned(), Secret::from("v"))],
    };
    let added = document
        .add(&client, &surface, "new one", &launch)
        .map_err(|error| TestCaseError::fail(format!("add: {error:?}\n{text}")))?;
    let added = after(&added, bytes);
    let mut seen = independent::value(format, &String::from_utf8_lossy(&added));
    let place: Vec<String> = surface.pointer.iter().cloned().chain(["new one".to_owned()]).collect();
    prop_assert!(independent::take(&mut seen, &place) != Value::Null);
    independent::forget(&mut seen, &place);
    prop_assert_eq!(seen, before);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_keeps_its_bytes(servers in servers(), style: Vec<u8>, mark: bool, end: bool) {
        let text = Ink::new(&style, if end { "\r\n" } else { "\n" }).json(&servers, "mcpServers", mark);
        holds("cursor", Format::Jsonc, &text, &servers)?;
    }

    #[test]
    fn toml_keeps_its_bytes(servers in servers(), style: Vec<u8>, mark: bool, end: bool) {
        let text = Ink::new(&style, if end { "\r\n" } else { "\n" }).toml(&servers, mark);
        holds("codex", Format::Toml, &text, &servers)?;
    }

    #[test]
    fn yaml_keeps_its_bytes(servers in servers(), style: Vec<u8>, mark: bool, end: bool) {
        let text = Ink::new(&style, if end { "\r\n" } else { "\n" }).yaml(&servers, mark);
        holds("goose", Format::Yaml, &text, &servers)?;
    }

    #[test]
    fn a_key_that_is_there_twice_stops_everything(servers in servers(), style: Vec<u8>) {
        let twice: Vec<Server> = servers.iter().chain(servers.first()).cloned().collect();
        let text = Ink::new(&style, "\n").json(&twice, "mcpServers", false);
        let (client, surface) = surface("cursor", 0);
        prop_assert!(read(Format::Json, text.as_bytes()).entries(&client, &surface).is_err());
    }
}

#[test]
fn five_megabytes_are_edited_at_once() {
    for (id, format, open, close) in [
        ("cursor", Format::Json, "{\"mcpServers\": {\n\"first\": {\"command\": \"x\"}", "\n}}\n"),
        ("codex", Format::Toml, "[mcp_servers.first]\ncommand = \"x\"\n", ""),
        ("goose", Format::Yaml, "extensions:\n  first:\n    cmd: x\n", ""),
    ] {
        let mut text = open.to_owned();
        let mut number = 0;
        while text.len() < 5_000_000 {
            number += 1;
            text += &match format {
                Format::Json | Format::Jsonc => format!(
                    ",\n\"s{number}\": {{\"command\": \"npx\", \"args\": [\"-y\", \"package-{number}\"], \"env\": {{\"A\": \"fake\"}}}}"
                ),
                Format::Toml => format!(
                    "\n[mcp_servers.s{number}]\ncommand = \"npx\"\nargs = [\"-y\", \"package-{number}\"]\nenv = {{ A = \"fake\" }}\n"
                ),
                Format::Yaml => {
                    format!("  s{number}:\n    cmd: npx\n    args: [-y, package-{number}]\n    envs:\n      A: fake\n")
                }
            };
        }
        text += close;
        let (client, surface) = surface(id, 0);
        let start = Instant::now();
        let document = read(format, text.as_bytes());
        let entries = document.entries(&client, &surface).unwrap();
        assert_eq!(entries.len(), number + 1);
        let edit = document.wrap(&entries[number / 2], &wrapper("x")).unwrap();
        let wrapped = after(&edit, text.as_bytes());
        assert_eq!(edit.inverse().apply(&wrapped).unwrap(), text.as_bytes());
        // Without optimization; what is not linear takes minutes.
        let taken = start.elapsed();
        assert!(taken < Duration::from_secs(20), "{id}: {taken:?}");
        println!("{id}: {} bytes, {} entries, {taken:?}", text.len(), entries.len());
    }
}

/// A fixture in which somebody deleted, doubled or inserted something.
fn damaged() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let fixtures: Vec<(&str, &[u8])> = vec![
        ("vscode", include_bytes!("../fixtures/vscode/mcp.json")),
        ("cline", include_bytes!("../fixtures/cline/cline_mcp_settings.json")),
        ("opencode", include_bytes!("../fixtures/opencode/opencode.jsonc")),
        ("codex", include_bytes!("../fixtures/codex/config.toml")),
        ("codex", include_bytes!("../fixtures/codex/inline.toml")),
        ("codex", include_bytes!("../fixtures/codex/dotted.toml")),
        ("goose", include_bytes!("../fixtures/goose/windows.yaml")),
        ("continue", include_bytes!("../fixtures/continue/config.yaml")),
    ];
    let pieces: Vec<&str> = vec![
        "", "", " ", "\n", "\t", "#", "//", "/*", "*/", "\"", "'", ",", ":", "{", "}", "[", "]", "- ", "&a ", "*a",
        "!t ", "<<", "é", "env", "args = [", "\r\n", "|", "--", "\\",
    ];
    let damage = (any::<prop::sample::Index>(), 0..12_usize, proptest::sample::select(pieces));
    (proptest::sample::select(fixtures), proptest::collection::vec(damage, 1..4)).prop_map(|((id, bytes), damages)| {
        let mut bytes = bytes.to_vec();
        for (place, length, piece) in damages {
            let start = place.index(bytes.len() + 1);
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, piece.bytes());
        }
        (id, bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_are_refused_or_given_back((id, bytes) in damaged()) {
        let (client, surface) = surface(id, 0);
        let Ok(document) = clients::Document::read(surface.format, &bytes) else { return Ok(()) };
        let Ok(entries) = document.entries(&client, &surface) else { return Ok(()) };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for one in &entries {
            if let Ok(edit) = document.remove(one) {
                prop_assert_eq!(&edit.inverse().apply(&after(&edit, &bytes)).unwrap(), &bytes);
            }
            let Ok(edit) = document.wrap(one, &wrapper("x")) else { continue };
            let wrapped = after(&edit, &bytes);
            prop_assert_eq!(&edit.inverse().apply(&wrapped).unwrap(), &bytes);
            let second = read(surface.format, &wrapped);
            let all = second.entries(&client, &surface).unwrap();
            prop_assert_eq!(all.len(), entries.len(), "{}", &text);
            let others = all.iter().zip(&entries).filter(|(now, _)| now.place != one.place);
            prop_assert!(others.into_iter().all(|(now, before)| now.place == before.place && now.launch == before.launch));
            let now = all.iter().find(|now| now.place == one.place).unwrap();
            let restored = second.restore(document.text_of(one).unwrap(), second.text_of(now).unwrap(), now).unwrap();
            let Restored::Edit(restored) = restored else { return Err(TestCaseError::fail("a conflict")) };
            prop_assert_eq!(string(after(&restored, &wrapped)), text.as_str());
            if let Ok(unwrapped) = second.unwrap(now) {
                let third = read(surface.format, &after(&unwrapped, &wrapped));
                let again = third.entries(&client, &surface).unwrap();
                prop_assert!(again.iter().any(|again| again.place == one.place && again.launch == one.launch), "{}", &text);
            }
        }
    }
}
