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
    assert!(matches!(with("/x/other", &["run"], false), Err(Refusal::Option(_))));
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
