//! Secrets that leave an entry when it is wrapped, and come back.

use clients::{Document, Entry, Launch, Secret, State, Table};

use crate::{after, can_be_wrapped, entry, read, surface, wrapper};

/// The variables that the wrapped entry would have.
fn variables(document: &Document, one: &Entry) -> Vec<(String, Secret)> {
    document.launch_wrapped(one, &wrapper("x")).unwrap().movable_secrets()
}

/// Takes out all that can go, shows what is left to `see`, and puts it back.
fn there_and_back(document: &Document, one: &Entry, find: impl Fn(&Document) -> Entry, see: impl Fn(&str, &str)) {
    let moved = variables(document, one);
    let names: Vec<String> = moved.iter().map(|(name, _)| name.clone()).collect();
    let edit = document.wrap_without(one, &wrapper("x"), &names).unwrap();
    let wrapped = after(&edit, &document.bytes());
    assert_eq!(edit.inverse().apply(&wrapped).unwrap(), document.bytes());
    see(&String::from_utf8_lossy(&wrapped), &document.diff(&edit, "file").unwrap());
    let second = read(document_format(one), &wrapped);
    let now = find(&second);
    assert!(matches!(now.state, State::Wrapped(_)));
    assert!(now.launch.movable_secrets().is_empty(), "{now:?}");
    let back = after(&second.unwrap_with(&now, &moved).unwrap(), &wrapped);
    let again = find(&read(document_format(one), &back));
    assert_eq!(sorted(&again.launch), sorted(&one.launch), "{}", String::from_utf8_lossy(&back));
}

fn document_format(one: &Entry) -> clients::Format {
    let table = Table::compiled().unwrap();
    table.client(&one.client).unwrap().surfaces[0].format
}

/// Variables and headers come back behind those that stayed.
fn sorted(launch: &Launch) -> Launch {
    let mut launch = launch.clone();
    if let Launch::Stdio { env: pairs, .. } | Launch::Http { headers: pairs, .. } = &mut launch {
        pairs.sort_by(|one, two| one.0.cmp(&two.0));
    }
    launch
}

#[test]
fn secrets_of_every_client_leave_and_come_back() {
    let mut moved = 0;
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for client in Table::compiled().unwrap().clients.iter().filter(|client| !client.surfaces.is_empty()) {
        for file in std::fs::read_dir(root.join(&client.id)).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|end| end == "wrapped" || end == "report") {
                continue;
            }
            let document = read(client.surfaces[0].format, &std::fs::read(&file).unwrap());
            let has = |surface: &&clients::Surface| !document.entries(client, surface).unwrap().is_empty();
            let surface = client.surfaces.iter().find(has).unwrap();
            for one in document.entries(client, surface).unwrap().iter().filter(|one| can_be_wrapped(one)) {
                let find = |now: &Document| {
                    let entries = now.entries(client, surface).unwrap();
                    entries.into_iter().find(|entry| entry.place == one.place).unwrap()
                };
                let secrets = variables(&document, one);
                moved += secrets.len();
                there_and_back(&document, one, find, |wrapped, diff| {
                    let before = String::from_utf8_lossy(&document.bytes()).into_owned();
                    for (name, value) in &secrets {
                        let times = |text: &str| text.matches(value.expose()).count();
                        assert!(times(wrapped) < times(&before), "{name}: {wrapped}");
                    }
                    assert!(!diff.contains("fake"), "{diff}");
                });
            }
        }
    }
    assert!(moved >= 10, "{moved}");
}

#[test]
fn layouts_of_one_and_of_many() {
    let json =
        |env: &str| format!("{{\n  \"mcpServers\": {{\n    \"a\": {{ \"command\": \"npx\", {env} }}\n  }}\n}}\n");
    for (id, text) in [
        ("cursor", json(r#""env": { "TOKEN": "fake" }"#)),
        ("cursor", json(r#""env": { "TOKEN": "fake", "LOG": "info" }"#)),
        ("cursor", json(r#""env": { "LOG": "info", "TOKEN": "fake", "API_KEY": "fake \"2\"\n" }"#)),
        ("cursor", json("\"env\": {\n        \"TOKEN\": \"fake\", // mine\n        \"LOG\": \"info\"\n      }")),
        ("cursor", json("\"env\": {\n        \"LOG\": \"info\", // its\n        \"TOKEN\": \"fake\"\n      }")),
        ("codex", "[mcp_servers.a]\ncommand = \"npx\"\n\n[mcp_servers.a.env]\nTOKEN = \"fake\"\n".to_owned()),
        (
            "codex",
            "[mcp_servers.a]\ncommand = \"npx\"\n\n[mcp_servers.a.env]\nTOKEN = 'fake'\nLOG = \"x\"\nB_KEY = \"fake\"\n\n[other]\nx = 1\n"
                .to_owned(),
        ),
        ("codex", "[mcp_servers.a]\ncommand = \"npx\"\nenv = { TOKEN = \"fake\", LOG = \"x\" }\n".to_owned()),
        ("goose", "extensions:\n  a:\n    type: stdio\n    cmd: npx\n    envs:\n      TOKEN: fake\n".to_owned()),
        (
            "goose",
            "extensions:\n  a:\n    type: stdio\n    cmd: npx # x\n    envs:\n      LOG: info\n      TOKEN: 'fake: 1' # mine\n      A_KEY: fake\n    timeout: 3\n"
                .to_owned(),
        ),
    ] {
        let (client, surface) = surface(id, 0);
        let document = read(surface.format, text.as_bytes());
        let one = entry(&document, &client, &surface, "a");
        assert!(!variables(&document, &one).is_empty(), "{text}");
        there_and_back(&document, &one, |now| entry(now, &client, &surface, "a"), |wrapped, _| {
            assert!(!wrapped.contains("fake"), "{wrapped}");
        });
    }
}

#[test]
fn what_a_client_fills_in_stays() {
    let env = |name: &str, value: &str| Launch::Stdio {
        command: "npx".to_owned(),
        args: Vec::new(),
        env: vec![(name.to_owned(), value.into())],
    };
    for value in ["${TOKEN}", "Bearer ${TOKEN}", "$TOKEN", "pa$word", "{env:TOKEN}", "{file:~/.token}", "", "true"] {
        assert!(env("TOKEN", value).movable_secrets().is_empty(), "{value}");
    }
    for (name, value) in [("LOG", "info"), ("MY TOKEN", "fake"), ("A=TOKEN", "fake")] {
        assert!(env(name, value).movable_secrets().is_empty(), "{name}");
    }
    assert_eq!(env("TOKEN", "fake").movable_secrets().len(), 1);
    assert_eq!(env("ANY", "ghp_fakefake").movable_secrets().len(), 1);
}

#[test]
fn a_value_of_the_file_wins_over_the_entrys() {
    let (client, surface) = surface("cursor", 0);
    let text = r#"{ "mcpServers": { "a": { "command": "npx", "env": { "TOKEN": "fake" } } } }"#;
    let document = read(surface.format, text.as_bytes());
    let one = entry(&document, &client, &surface, "a");
    let wrapped = after(&document.wrap(&one, &wrapper("a")).unwrap(), text.as_bytes());
    let second = read(surface.format, &wrapped);
    let now = entry(&second, &client, &surface, "a");
    let back = second.unwrap_with(&now, &[("TOKEN".to_owned(), "fake-2".into())]).unwrap();
    let again = entry(&read(surface.format, &after(&back, &wrapped)), &client, &surface, "a");
    assert_eq!(again.launch.movable_secrets(), [("TOKEN".to_owned(), Secret::from("fake-2"))]);
}

/// An entry wrapped as it is, its secrets moved later, and the newer values back in their places.
#[test]
fn secrets_move_out_of_a_wrapped_entry_and_come_back_newer() {
    for (id, text) in [
        (
            "cursor",
            "{ \"mcpServers\": {\n  \"a\": { \"command\": \"npx\", \"args\": [\n    \"x\"\n  ], \"env\": { \"TOKEN\": \"fake-1\", \"LOG\": \"x\" } } // mine\n} }",
        ),
        ("cursor", "{ \"mcpServers\": { \"a\": { \"command\": \"npx\", \"env\": { \"TOKEN\": \"fake-1\" } } } }"),
        (
            "cursor",
            "{ \"mcpServers\": { \"a\": { \"url\": \"https://e.test/mcp\", \"headers\": { \"Authorization\": \"fake-1\" } } } }",
        ),
        (
            "opencode",
            "{ \"mcp\": { \"a\": { \"type\": \"local\", \"command\": [\"npx\", \"x\"], \"environment\": { \"TOKEN\": \"fake-1\" } } } }",
        ),
        (
            "codex",
            "[mcp_servers.a]\ncommand = \"npx\"\nargs = [\"x\"]\n\n[mcp_servers.a.env]\nTOKEN = 'fake-1' # mine\nLOG = \"x\"\n",
        ),
        (
            "goose",
            "extensions:\n  a:\n    type: stdio\n    cmd: npx\n    args:\n      - x\n    envs:\n      TOKEN: fake-1 # mine\n      LOG: info\n",
        ),
    ] {
        let (client, surface) = surface(id, 0);
        let document = read(surface.format, text.as_bytes());
        let one = entry(&document, &client, &surface, "a");
        let wrapped = after(&document.wrap(&one, &wrapper("a")).unwrap(), text.as_bytes());
        let second = read(surface.format, &wrapped);
        let now = entry(&second, &client, &surface, "a");
        let moved = now.launch.movable_secrets();
        let names: Vec<String> = moved.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(names.len(), 1, "{text}");
        let edit = second.move_out(&now, "--env-file=/x.env", &names).unwrap();
        let without = after(&edit, &wrapped);
        assert_eq!(edit.inverse().apply(&without).unwrap(), wrapped);
        let third = read(surface.format, &without);
        let State::Wrapped(words) = entry(&third, &client, &surface, "a").state else { panic!("{text}") };
        assert_eq!(words.options.last().map(String::as_str), Some("--env-file=/x.env"));
        assert!(!String::from_utf8_lossy(&without).contains("fake-1"), "{text}");
        // Where it stood before, with another value.
        let newer = [(names[0].clone(), Secret::from("fake-2"))];
        let (edit, renewed) = document.renew(&one, &words, &newer).unwrap();
        assert_eq!(String::from_utf8(after(&edit, text.as_bytes())).unwrap(), text.replace("fake-1", "fake-2"));
        assert_eq!(renewed.len(), 1);
        let (edit, renewed) = document.renew(&one, &words, &moved).unwrap();
        assert!(edit.is_empty() && renewed.is_empty(), "{renewed:?}");
        // One that is still wrapped has the variable itself.
        let (edit, _) = second.renew(&now, &words, &newer).unwrap();
        let fourth = read(surface.format, &after(&edit, &wrapped));
        assert_eq!(entry(&fourth, &client, &surface, "a").launch.movable_secrets(), newer, "{text}");
    }
}

#[test]
fn a_text_over_several_lines_has_line_ends_of_its_own() {
    let (client, surface) = surface("codex", 0);
    let lines = "[mcp_servers.a]\ncommand = \"npx\"\n[mcp_servers.a.env]\nA_KEY = \"\"\"\none\ntwo \\r\n\"\"\"\nB_KEY = '''\n1\n2'''\nC_KEY = \"c\\r\\nd\"\n";
    let values = |text: &str| {
        let document = read(surface.format, text.as_bytes());
        entry(&document, &client, &surface, "a").launch.movable_secrets()
    };
    let wanted = [("A_KEY", "one\ntwo \r\n"), ("B_KEY", "1\n2"), ("C_KEY", "c\r\nd")];
    let wanted = wanted.map(|(name, value)| (name.to_owned(), Secret::from(value)));
    assert_eq!(values(lines), wanted);
    assert_eq!(values(&lines.replace('\n', "\r\n")), wanted);
}
