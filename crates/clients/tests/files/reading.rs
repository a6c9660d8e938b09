//! What is read, what is refused, and where.

use clients::{Document, Format, Launch, Scope, State, Table};

use crate::{entry, read, surface};

#[test]
fn what_cannot_be_read_says_where_and_quotes_nothing() {
    for (format, text, line, column) in [
        (Format::Json, "{\n  \"a\": sk-secret\n}", 2, 8),
        (Format::Json, "{\"a\": 1} {\"b\": \"sk-secret\"}", 1, 10),
        (Format::Json, "{\"é😀\": 'sk-secret'}", 1, 8),
        (Format::Json, "{\"a\": \"sk-secret", 1, 7),
        (Format::Json, "{\"a\": 1 \"b\": 2}", 1, 8),
        (Format::Toml, "a = 1\nb = sk-secret\n", 2, 5),
        (Format::Toml, "a = 1\na = \"sk-secret\"\n", 2, 1),
        (Format::Yaml, "a: 1\nb: \"sk-secret\n", 3, 1),
        (Format::Yaml, "a:\n\t- sk-secret\n", 2, 2),
        (Format::Yaml, "a: 1\n---\nb: sk-secret\n", 2, 1),
        (Format::Yaml, "a: *sk-secret\n", 1, 4),
    ] {
        let error = Document::read(format, text.as_bytes()).unwrap_err();
        let place = (error.position.line, error.position.column);
        assert_eq!(place, (line, column), "{text}: {error}");
        assert!(!error.to_string().contains("sk-secret") && error.to_string().contains("not changed"), "{error}");
    }
    let error = Document::read(Format::Json, b"\xef\xbb\xbf{\n  \"a\": \"\xff\"\n}").unwrap_err();
    assert_eq!((error.position.line, error.position.column), (2, 9));
    assert!(error.to_string().contains("UTF-8"));
}

#[test]
fn deep_values_do_no_harm() {
    for (format, open) in [
        (Format::Json, "["),
        (Format::Json, "{\"a\":"),
        (Format::Toml, "a = ["),
        (Format::Yaml, "["),
        (Format::Yaml, "- "),
    ] {
        let text = open.repeat(20_000);
        assert!(Document::read(format, text.as_bytes()).is_err(), "{open}");
    }
}

#[test]
fn keys_that_are_there_twice_are_an_error_with_their_place() {
    let (cursor, user) = surface("cursor", 0);
    for (text, line) in [
        ("{\n\"mcpServers\": {},\n\"mcpServers\": {}}", 3),
        ("{\"mcpServers\": {\n\"a\": {\"command\": \"x\"},\n\"a\": {\"command\": \"y\"}}}", 3),
        ("{\"mcpServers\": {\"a\": {\"command\": \"x\",\n\"env\": {\"K\": \"1\",\n\"\\u004b\": \"2\"}}}}", 3),
    ] {
        let error = read(Format::Json, text.as_bytes()).entries(&cursor, &user).unwrap_err();
        assert_eq!(error.position.line, line, "{error}");
        assert!(error.to_string().contains("second time"));
    }
    // Elsewhere they are the client's own matter.
    let other = br#"{"x": {"a": 1, "a": 2}, "mcpServers": {"a": {"command": "x"}}}"#;
    assert_eq!(read(Format::Json, other).entries(&cursor, &user).unwrap().len(), 1);

    let (client, list) = surface("continue", 0);
    let text = b"mcpServers:\n  - name: a\n    command: x\n  - name: a\n    command: y\n";
    let error = read(Format::Yaml, text).entries(&client, &list).unwrap_err();
    assert_eq!((error.position.line, error.position.column), (4, 5));
}

#[test]
fn yaml_that_cannot_be_edited_is_refused_by_name() {
    let (goose, user) = surface("goose", 0);
    for (text, line, what) in [
        ("extensions: &all\n  a:\n    cmd: x\n", 2, "anchor"),
        ("base: &b\n  cmd: x\nextensions:\n  a: *b\n", 4, "alias"),
        ("base: &b\n  cmd: x\nextensions:\n  a:\n    <<: *b\n    cmd: y\n", 5, "alias"),
        ("extensions:\n  a:\n    cmd: !!str x\n", 3, "tag"),
        ("extensions:\n  a:\n    ? [x]\n    : y\n", 4, "no word"),
    ] {
        let error = read(Format::Yaml, text.as_bytes()).entries(&goose, &user).unwrap_err();
        assert_eq!(error.position.line, line, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
    let text = b"extensions:\n  a:\n    cmd: x\n    description: >\n      folded\nother: &a [1]\nmore: *a\n";
    assert_eq!(read(Format::Yaml, text).entries(&goose, &user).unwrap().len(), 1);
}

#[test]
fn empty_files_have_no_entries() {
    for client in Table::compiled().unwrap().clients {
        for surface in &client.surfaces {
            for text in ["", "\u{feff}", "\n\n"] {
                assert!(read(surface.format, text.as_bytes()).entries(&client, surface).unwrap().is_empty());
            }
        }
    }
    let (zed, user) = surface("zed", 0);
    assert!(read(Format::Jsonc, b"// nothing\n").entries(&zed, &user).unwrap().is_empty());
    assert!(read(Format::Jsonc, b"[1]").entries(&zed, &user).unwrap().is_empty());
    assert!(read(Format::Jsonc, b"{\"context_servers\": null}").entries(&zed, &user).unwrap().is_empty());
}

#[test]
fn entries_that_are_none_say_why() {
    let (cursor, user) = surface("cursor", 0);
    let why = |text: &str| {
        let text = format!("{{\"mcpServers\": {{\"x\": {text}}}}}");
        match entry(&read(Format::Json, text.as_bytes()), &cursor, &user, "x").state {
            State::NotCovered(why) => why.to_string(),
            state => panic!("{state:?}"),
        }
    };
    for (text, part) in [
        ("7", "no map"),
        ("{}", "neither"),
        ("{\"command\": 7}", "`command` is no text"),
        ("{\"command\": \"x\", \"args\": \"y\"}", "`args` is no list"),
        ("{\"command\": \"x\", \"args\": [null]}", "no text"),
        ("{\"command\": \"x\", \"env\": []}", "`env` is no map"),
        ("{\"command\": \"x\", \"env\": {\"A\": []}}", "value of `env`"),
        ("{\"command\": \"x\", \"url\": \"y\"}", "an address and `url`"),
        ("{\"type\": \"sse\", \"url\": \"y\"}", "HTTP+SSE"),
        ("{\"type\": \"pigeon\", \"url\": \"y\"}", "pigeon"),
        ("{\"url\": \"y\", \"auth\": {}, \"headers\": {\"Authorization\": \"z\"}}", "made by the client"),
        ("{\"url\": \"y\", \"args\": [], \"headers\": {\"Authorization\": \"z\"}}", "`args` as well"),
        ("{\"url\": \"y\", \"env\": {}, \"headers\": {\"Authorization\": \"z\"}}", "`env` as well"),
        ("{\"url\": \"y\", \"headers\": {\"Accept\": \"z\"}}", "credentials"),
        ("{\"command\": \"/x/toolgate\", \"args\": [\"doctor\"]}", "words of its own"),
    ] {
        assert!(why(text).contains(part), "{text}: {}", why(text));
    }
}

#[test]
fn nothing_prints_a_secret() {
    let (code, user) = surface("claude-code", 0);
    let text = br#"{"mcpServers": {
        "a": {"command": "x", "args": ["--key", "sk-1"], "env": {"K": "sk-1"}},
        "b": {"type": "http", "url": "https://u:sk-1@e.test/mcp?key=sk-1", "headers": {"Authorization": "sk-1"}}
    }}"#;
    let document = read(Format::Json, text);
    let entries = document.entries(&code, &user).unwrap();
    assert!(!format!("{document:?} {entries:?}").contains("sk-1"));
    let Launch::Stdio { env, .. } = &entries[0].launch else { panic!() };
    assert_eq!(env[0].1.expose(), "sk-1");
    assert_eq!(entries[0].place, ["mcpServers", "a"]);
    assert_eq!(user.scope, Scope::User);
}

#[test]
fn what_switches_an_entry_off_is_known() {
    for (id, text, enabled) in [
        ("codex", "[mcp_servers.x]\ncommand = \"c\"\nenabled = false\n", false),
        ("codex", "[mcp_servers.x]\ncommand = \"c\"\nenabled = true\n", true),
        ("goose", "extensions:\n  x:\n    enabled: false\n    cmd: c\n", false),
        ("kiro", "{\"mcpServers\": {\"x\": {\"command\": \"c\", \"disabled\": true}}}", false),
        ("kiro", "{\"mcpServers\": {\"x\": {\"command\": \"c\"}}}", true),
    ] {
        let (client, user) = surface(id, 0);
        assert_eq!(entry(&read(user.format, text.as_bytes()), &client, &user, "x").enabled, enabled, "{text}");
    }
}
