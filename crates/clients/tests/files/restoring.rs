//! Undo when others wrote in the file too, and what wrap refuses.

use clients::{Format, Refusal, Restored, Wrapper};

use crate::{after, entry, read, surface, wrapper};

const FILE: &str = "{\n  \"mcpServers\": {\n    \"a\": { \"command\": \"x\", \"env\": { \"K\": \"sk-1\" } }\n  }\n}\n";

#[test]
fn changes_of_others_are_kept() {
    let (client, user) = surface("cursor", 0);
    let first = read(Format::Json, FILE.as_bytes());
    let one = entry(&first, &client, &user, "a");
    let bytes = after(&first.wrap(&one, &wrapper("a")).unwrap(), FILE.as_bytes());
    let second = read(Format::Json, &bytes);
    let written = second.text_of(&entry(&second, &client, &user, "a")).unwrap().to_owned();
    let text = String::from_utf8(bytes).unwrap();

    // Another entry came.
    let more = text.replace("\n  }\n}", ",\n    \"b\": { \"command\": \"y\" }\n  }\n}");
    let third = read(Format::Json, more.as_bytes());
    let now = entry(&third, &client, &user, "a");
    let Restored::Edit(edit) = third.restore(first.text_of(&one).unwrap(), &written, &now).unwrap() else { panic!() };
    let back = String::from_utf8(after(&edit, more.as_bytes())).unwrap();
    assert_eq!(back, FILE.replace("\n  }\n}", ",\n    \"b\": { \"command\": \"y\" }\n  }\n}"));

    // The entry itself was changed.
    let changed = text.replace("sk-1", "sk-2");
    let third = read(Format::Json, changed.as_bytes());
    let now = entry(&third, &client, &user, "a");
    let Restored::Conflict(conflict) = third.restore(first.text_of(&one).unwrap(), &written, &now).unwrap() else {
        panic!()
    };
    assert!(conflict.theirs().contains("sk-2") && conflict.ours().contains("sk-1") && conflict.base() == written);
    let shown = conflict.to_string();
    assert!(!shown.contains("sk-") && shown.contains("it stood before:") && shown.contains("●●●"), "{shown}");
    assert!(!format!("{conflict:?}").contains("sk-"));
}

#[test]
fn what_is_as_it_was_needs_no_edit() {
    let (client, user) = surface("cursor", 0);
    let first = read(Format::Json, FILE.as_bytes());
    let one = entry(&first, &client, &user, "a");
    let text = first.text_of(&one).unwrap();
    let Restored::Edit(edit) = first.restore(text, "something else", &one).unwrap() else { panic!() };
    assert!(edit.is_empty());
    assert_eq!(first.diff(&edit, "x").unwrap(), "");
}

/// A client writes its file anew: the same values in other lines, or in another order.
#[test]
fn an_entry_that_a_client_wrote_anew_is_put_back() {
    let (client, user) = surface("cursor", 0);
    let first = read(Format::Json, FILE.as_bytes());
    let one = entry(&first, &client, &user, "a");
    let original = first.text_of(&one).unwrap();
    let bytes = after(&first.wrap(&one, &wrapper("a")).unwrap(), FILE.as_bytes());
    let second = read(Format::Json, &bytes);
    let written = second.text_of(&entry(&second, &client, &user, "a")).unwrap();

    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    for anew in [serde_json::to_string_pretty(&value).unwrap(), serde_json::to_string(&value).unwrap()] {
        let third = read(Format::Json, anew.as_bytes());
        let now = entry(&third, &client, &user, "a");
        assert_ne!(third.text_of(&now).unwrap(), written);
        let Restored::Edit(edit) = third.restore(original, written, &now).unwrap() else { panic!("{anew}") };
        assert!(String::from_utf8(after(&edit, anew.as_bytes())).unwrap().contains(original));

        // Another value, another key or a comment is somebody's own.
        for own in [
            anew.replace("sk-1", "sk-2"),
            anew.replace("\"K\"", "\"L\""),
            anew.replacen("\"env\"", "/* mine */\"env\"", 1),
        ] {
            let third = read(Format::Json, own.as_bytes());
            let now = entry(&third, &client, &user, "a");
            assert!(matches!(third.restore(original, written, &now).unwrap(), Restored::Conflict(_)), "{own}");
        }
    }
    let (client, user) = surface("goose", 0);
    let text = "extensions:\n    a:\n        cmd: \"y\"\n        args:\n            - b\n";
    let first = read(Format::Yaml, text.as_bytes());
    let one = entry(&first, &client, &user, "a");
    let restored = first.restore("cmd: z", "cmd: y\n    args: [b]", &one).unwrap();
    assert!(matches!(restored, Restored::Edit(_)), "{restored:?}");
}

/// Of a file only what says how servers are reached is shown.
#[test]
fn a_diff_shows_no_secret_of_the_file() {
    let (client, user) = surface("cursor", 0);
    let text = r#"{
  // "apiKey": "fake-0"
  "primaryApiKey": "fake-1",
  "oauthAccount": { "accessToken": "fake-2", "name": "fake-3" },
  "mcpServers": {
    "a": { "command": "npx", "args": ["-y", "files", "--api-key", "fake-4", "--token=fake-5", "https://u:fake-6@e.test/?key=fake-7"], "env": { "K": "fake-8" } }
  },
  "security": { "auth": { "apiKey": "fake-9" } }, "numStartups": 700000
}
"#;
    let one_line: String = text.lines().filter(|line| !line.trim().starts_with("//")).collect();
    for text in [text, &one_line] {
        let document = read(Format::Json, text.as_bytes());
        let one = entry(&document, &client, &user, "a");
        let diff = document.diff(&document.wrap(&one, &wrapper("a")).unwrap(), "x").unwrap();
        assert!(!diff.contains("fake"), "{diff}");
        for shown in
            [r#""npx""#, r#""files", "--api-key", "●●●", "--token=●●●""#, "https://●●●@e.test/?key=●●●", "700000"]
        {
            assert!(diff.contains(shown), "{shown}: {diff}");
        }
        // What is changed by hand since is told without them, too.
        let Restored::Conflict(conflict) = document.restore("{\"command\": \"y\"}", "{}", &one).unwrap() else {
            panic!()
        };
        assert!(!conflict.to_string().contains("fake"), "{conflict}");
    }
}

#[test]
fn a_conflict_in_yaml_is_shown_in_lines() {
    let (client, user) = surface("goose", 0);
    let text = "extensions:\n  a:\n    cmd: x\n    envs:\n      K: sk-1\n";
    let first = read(Format::Yaml, text.as_bytes());
    let one = entry(&first, &client, &user, "a");
    let Restored::Conflict(conflict) = first.restore("cmd: z\n    args: []", "cmd: y", &one).unwrap() else { panic!() };
    let shown = conflict.to_string();
    assert!(shown.contains("      cmd: x\n      envs:\n        K: ●●●"), "{shown}");
}

#[test]
fn wrap_refuses_what_it_cannot_do() {
    let (client, user) = surface("cursor", 0);
    let document = read(Format::Json, FILE.as_bytes());
    let one = entry(&document, &client, &user, "a");
    assert_eq!(document.unwrap(&one).unwrap_err(), Refusal::Bare);

    let with = |program: &str, options: &[&str], portable| {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        document.wrap(&one, &Wrapper { program: program.to_owned(), options, portable })
    };
    assert!(matches!(with("toolgate", &["run", "--name", "--"], false), Err(Refusal::Option(_))));
    assert!(matches!(with("/x/other", &["run"], false), Err(Refusal::Program(_))));
    assert!(with("/x/other", &["run", "--policy", "p", "--name=a"], false).is_ok());
    assert!(matches!(with("toolgate", &["serve"], false), Err(Refusal::Option(_))));
    for (program, option) in
        [("/x/toolgate", "p"), ("toolgate", "/home/ada/p"), ("toolgate", "--policy=~/p"), ("toolgate", "C:\\p")]
    {
        assert!(matches!(with(program, &["run", option], true), Err(Refusal::NotPortable(_))), "{program} {option}");
    }
    assert!(with("toolgate", &["run", "--policy", "./policy.json"], true).is_ok());

    let other = FILE.replace("\"x\"", "\"a longer one\"");
    assert_eq!(read(Format::Json, other.as_bytes()).wrap(&one, &wrapper("a")).unwrap_err(), Refusal::Stale);
    let bytes = after(&document.wrap(&one, &wrapper("a")).unwrap(), FILE.as_bytes());
    let second = read(Format::Json, &bytes);
    let wrapped = entry(&second, &client, &user, "a");
    assert_eq!(second.wrap(&wrapped, &wrapper("a")).unwrap_err(), Refusal::Wrapped);
}

#[test]
fn unwrap_refuses_to_send_variables_as_headers() {
    let (client, user) = surface("cursor", 0);
    let words = |more: &str, env: &str| {
        format!(
            "{{\"mcpServers\": {{\"a\": {{\"command\": \"toolgate\", \"args\": [\"run\", \"--upstream\", \"https://e.test/mcp\"{more}], \"env\": {{{env}}}}}}}}}"
        )
    };
    let unwrapped = |text: String| {
        let document = read(Format::Json, text.as_bytes());
        let one = entry(&document, &client, &user, "a");
        document.unwrap(&one).map(|edit| String::from_utf8(after(&edit, text.as_bytes())).unwrap())
    };
    let header = ", \"--header\", \"X-Key: ${V}\"";
    assert_eq!(unwrapped(words(header, "\"V\": \"1\", \"OTHER\": \"2\"")).unwrap_err(), Refusal::Unfit);
    assert_eq!(unwrapped(words(header, "")).unwrap_err(), Refusal::Unfit);
    let text = unwrapped(words(header, "\"V\": \"1\"")).unwrap();
    assert_eq!(text, "{\"mcpServers\": {\"a\": {\"url\": \"https://e.test/mcp\", \"headers\": {\"X-Key\": \"1\"}}}}");
    // A header that somebody wrote out.
    let text = words(", \"--header\", \"X-Team: core\"", "").replace(", \"env\": {}", "");
    assert!(unwrapped(text).unwrap().contains("\"headers\": { \"X-Team\": \"core\" }"));
}

/// What the gateway writes, it must be able to read.
#[test]
fn headers_without_a_header_stay() {
    let (client, surface) = surface("continue", 0);
    let written = "mcpServers:\n  - name: remote\n    type: streamable-http\n    url: https://a.test/mcp\n    requestOptions:\n      headers:\n";
    for (text, good) in [(written.to_owned(), false), (format!("{written}        A: b\n"), true)] {
        let document = read(surface.format, text.as_bytes());
        let entry = entry(&document, &client, &surface, "remote");
        let edit = document.wrap(&entry, &wrapper("remote"));
        assert_eq!(edit.is_ok(), good, "{edit:?}");
        if let Ok(edit) = edit {
            read(surface.format, &after(&edit, text.as_bytes())).entries(&client, &surface).unwrap();
        }
    }
}
