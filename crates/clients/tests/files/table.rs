//! The table itself.

use clients::table::{Reload, Status, Untyped};
use clients::{Format, Table};

#[test]
fn the_compiled_table_has_the_clients_of_the_catalogue() {
    let table = Table::compiled().unwrap();
    let pages = include_str!("../../../web/data/clients.toml");
    let pages: toml::Table = toml::from_str(pages).unwrap();
    for page in pages["client"].as_array().unwrap() {
        let word = page["word"].as_str().unwrap();
        assert!(table.client(word).is_some(), "{word}");
    }
    for word in
        ["copilot-jetbrains", "continue", "lm-studio", "warp", "kiro", "amazon-q", "crush", "junie", "devin-desktop"]
    {
        assert!(table.client(word).is_some(), "{word}");
    }
    assert_eq!(table.client("amazon-q").unwrap().status, Status::Legacy);
    assert!(table.client("jetbrains-ai").unwrap().not_covered.is_some());
    let words = ["CLAUDE", "Claude Code", "claude-code"];
    assert!(words.iter().all(|word| table.client(word).unwrap().id == "claude-code"));
}

/// A place of a surface as a page writes it.
fn shown(path: &str) -> String {
    let folders = [
        ("{home}", "~"),
        ("{config}", "~/.config"),
        ("{application_support}", "~/Library/Application Support"),
        ("{appdata}", "%APPDATA%"),
        ("{localappdata}", "%LOCALAPPDATA%"),
    ];
    let path = path.strip_prefix("{project}/").unwrap_or(path);
    let folder = folders.iter().find_map(|(name, shown)| Some((*shown, path.strip_prefix(name)?)));
    folder.map_or(path.to_owned(), |(shown, rest)| match shown.starts_with('%') {
        true => format!("{shown}{}", rest.replace('/', "\\")),
        false => format!("{shown}{rest}"),
    })
}

/// What a page of a client says is what the table says: places, and entries as they are shown.
#[test]
fn pages_of_clients_say_what_the_table_says() {
    let table = Table::compiled().unwrap();
    let pages: toml::Table = toml::from_str(include_str!("../../../web/data/clients.toml")).unwrap();
    for page in pages["client"].as_array().unwrap() {
        let text = |key: &str| page.get(key).and_then(toml::Value::as_str);
        let word = text("word").unwrap();
        let client = table.client(word).unwrap();
        let others = if word == "windsurf" { &table.client("devin-desktop").unwrap().surfaces[..] } else { &[] };
        let surfaces: Vec<_> = client.surfaces.iter().chain(others).collect();
        let known: Vec<String> = surfaces.iter().flat_map(|surface| &surface.path).map(|path| shown(path)).collect();
        for place in page["places"].as_array().unwrap().iter().map(|place| place[1].as_str().unwrap()) {
            let said = |path: &String| {
                let end = path.rsplit_once("globalStorage").map(|(_, end)| format!("globalStorage{end}"));
                place.starts_with(path.as_str()) || end.is_some_and(|end| place.starts_with(&end))
            };
            // One is put together of a folder and a name.
            let parts = place.split_once(" in ").map(|(name, _)| name);
            let ends = |name: &str| known.iter().any(|path| path.ends_with(name));
            assert!(known.iter().any(said) || parts.is_some_and(ends), "{word}: {place} is none of {known:#?}");
        }
        let (key, entry) = (text("key").unwrap(), text("entry").unwrap());
        let surface = surfaces.iter().find(|surface| surface.pointer == [key]).unwrap();
        let document = crate::read(surface.format, entry.trim().as_bytes());
        let entries = document.entries(client, surface).unwrap();
        assert!(entries.len() == 1 && matches!(entries[0].state, clients::State::Wrapped(_)), "{word}: {entries:?}");
        let Some(http) = text("http") else { continue };
        let whole = format!("{{ \"{key}\": {{ \"files\": {http} }} }}").replace("ENDPOINT", "https://e.test/mcp");
        let entries = crate::read(surface.format, whole.as_bytes()).entries(client, surface).unwrap();
        assert!(matches!(entries[0].launch, clients::Launch::Http { .. }), "{word}: {entries:?}");
    }
}

#[test]
fn another_table_lies_over_it() {
    let table = Table::compiled().unwrap();
    let over = r#"
version = 1

[[client]]
id = "cursor"
name = "Cursor"
status = "active"
entry.stdio = { command = "run", args = "with", env = "env" }
entry.http = { untyped = "sse", url = "url", headers = ["headers"] }
reload = "restart"
list_changed = "no"
approvals = { form = "no", url = "no" }
checked = "2027-01-02"

[[client.surface]]
scope = "user"
path = ["{home}/.cursor2/mcp.json"]
format = "jsonc"
pointer = ["servers"]

[[client]]
id = "mine"
name = "Mine"
status = "active"
not_covered = "it has no file"
reload = "hot"
list_changed = "unknown"
approvals = { form = "unknown", url = "unknown" }
checked = "2027-01-02"
"#;
    let both = table.with(over).unwrap();
    assert_eq!(both.clients.len(), table.clients.len() + 1);
    let cursor = both.client("cursor").unwrap();
    assert_eq!((cursor.reload, cursor.surfaces.len()), (Reload::Restart, 1));
    assert_eq!((cursor.surfaces[0].format, cursor.shape.http.as_ref().unwrap().untyped), (Format::Jsonc, Untyped::Sse));
    let place = |table: &Table| table.clients.iter().position(|client| client.id == "cursor");
    assert_eq!(place(&both), place(&table));
}

#[test]
fn a_bad_table_says_where() {
    let record = |more: &str| {
        format!(
            "version = 1\n[[client]]\nid = \"x\"\nname = \"X\"\nstatus = \"active\"\nreload = \"hot\"\nlist_changed = \"no\"\napprovals = {{ form = \"no\", url = \"no\" }}\nchecked = \"2026-11-21\"\n{more}"
        )
    };
    let stdio = "entry.stdio = { command = \"c\", args = \"a\", env = \"e\" }\n";
    let surface = |path: &str| {
        format!("[[client.surface]]\nscope = \"user\"\npath = [\"{path}\"]\nformat = \"json\"\npointer = [\"m\"]\n")
    };
    for (text, line, part) in [
        ("version = 2\n".to_owned(), 1, "version 2"),
        ("version = 1\nfoo = 1\n".to_owned(), 2, "foo"),
        (record("colour = \"red\"\n"), 10, "colour"),
        (record("entry.stdio = { command = \"c\", argz = \"a\", env = \"e\" }\n"), 10, "argz"),
        (record(stdio), 3, "no surface"),
        (record(&surface("{home}/x")), 3, "no `stdio`"),
        (record(&(stdio.to_owned() + &surface("{moon}/x"))), 3, "known name"),
        (
            record(&format!(
                "{stdio}entry.http = {{ kind = {{ key = \"type\", value = \"http\" }}, url = \"u\", headers = [\"h\"] }}\n{}",
                surface("{home}/x")
            )),
            3,
            "`kind`",
        ),
        (record(&format!("aliases = [\"x\"]\n{stdio}{}", surface("{home}/x"))), 3, "two clients"),
        ("version = 1\n\"".to_owned(), 2, ""),
    ] {
        let error = Table::read(&text).unwrap_err();
        assert_eq!(error.position.line, line, "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(!error.remedy.is_empty());
        assert!(Table::compiled().unwrap().with(&text).is_err());
    }
    assert!(Table::read(&record(&(stdio.to_owned() + &surface("{home}/x")))).is_ok());
}

#[test]
fn every_date_is_one() {
    for client in Table::compiled().unwrap().clients {
        let parts: Vec<usize> = client.checked.split('-').map(|part| part.parse().unwrap()).collect();
        assert!(matches!(parts[..], [2026..=2099, 1..=12, 1..=31]), "{}", client.id);
        for note in client.notes {
            assert!(note.ends_with('.'), "{note}");
        }
    }
}

#[test]
fn the_page_names_every_field() {
    let page = include_str!("../../../../docs/clients.md");
    let sources = [include_str!("../../src/table.rs"), include_str!("../../src/table/shape.rs")];
    let fields = sources.iter().flat_map(|source| source.lines()).filter_map(|line| {
        let (name, _) = line.trim().strip_prefix("pub ")?.split_once(": ")?;
        (!name.contains(['(', ' '])).then_some(name)
    });
    // What stands in Rust under another name, or belongs to the error.
    let other = ["clients", "surfaces", "shape", "position", "what", "remedy"];
    for field in fields.filter(|field| !other.contains(field)) {
        assert!(page.contains(field), "{field}");
    }
    let example = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(Table::read(example).is_ok());
}
