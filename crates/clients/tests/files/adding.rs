//! Entries that come and go.

use clients::{Document, Launch, Refusal, Secret, Table};

use crate::{after, entry, read, surface};

fn program() -> Launch {
    Launch::Stdio {
        command: "/usr/local/bin/toolgate".to_owned(),
        args: ["run", "--", "npx", "-y", "it's \"new\""].map(str::to_owned).to_vec(),
        env: vec![("KEY".to_owned(), Secret::from("fake, value: {1}"))],
    }
}

fn endpoint() -> Launch {
    let headers = vec![("Authorization".to_owned(), Secret::from("Bearer fake"))];
    Launch::Http { url: "http://127.0.0.1:7337/s/x/mcp".to_owned(), headers }
}

/// An empty file in its forms, and one that holds other things.
fn beginnings(format: clients::Format) -> Vec<&'static str> {
    use clients::Format::{Json, Jsonc, Toml, Yaml};
    match format {
        Json | Jsonc => vec![
            "",
            "\n",
            "{}",
            "{ }\n",
            "{\n}\n",
            "\u{feff}{\r\n  \"theme\": \"dark\" // mine\r\n}\r\n",
            "{\"a\":1,\"b\":{\"c\":2}}",
            "{\n\t\"a\": [\n\t]\n}",
        ],
        Toml => vec!["", "model = \"m\"", "# mine\r\nmodel = \"m\" # too\r\n\r\n[profiles.x]\r\na = 1\r\n"],
        Yaml => vec![
            "",
            "# mine\n",
            "model: m # mine\n",
            "model: m\r\nlist:\r\n  - a\r\n",
            "\u{feff}model:\n  deep: |\n    text\n",
        ],
    }
}

#[test]
fn an_entry_is_added_to_any_beginning_and_removed_again() {
    for client in Table::compiled().unwrap().clients {
        for surface in client.surfaces.iter().filter(|surface| !surface.pointer.contains(&"*".to_owned())) {
            for text in beginnings(surface.format) {
                for launch in [program(), endpoint()] {
                    let what = format!("{} {text:?} {launch:?}", client.id);
                    let document = read(surface.format, text.as_bytes());
                    let http = matches!(launch, Launch::Http { .. });
                    let edit = match document.add(&client, surface, "toolgate", &launch) {
                        Err(Refusal::NoShape(_)) if http && client.shape.http.is_none() => continue,
                        edit => edit.unwrap_or_else(|error| panic!("{what}: {error:?}")),
                    };
                    let bytes = after(&edit, text.as_bytes());
                    let added = read(surface.format, &bytes);
                    let one = entry(&added, &client, surface, "toolgate");
                    assert_eq!(one.launch, launch, "{what}");
                    assert!(one.enabled);
                    let bare = |text: &str| text.replace([',', '{', '}', ' '], "");
                    let now = bare(&String::from_utf8_lossy(&bytes));
                    assert!(bare(text).lines().all(|line| now.contains(line)), "{what}");
                    if text.contains("\r\n") {
                        assert!(!String::from_utf8_lossy(&bytes).replace("\r\n", "").contains('\n'), "{what}");
                    }
                    let taken = added.add(&client, surface, "toolgate", &launch).unwrap_err();
                    assert!(matches!(taken, Refusal::Taken(_)));

                    // A second one beside it, and both go.
                    let edit = added.add(&client, surface, "second one", &launch).unwrap_or_else(|error| {
                        panic!("{what} second: {error:?}\n{}", String::from_utf8_lossy(&bytes))
                    });
                    let mut bytes = after(&edit, &bytes);
                    for key in ["toolgate", "second one"] {
                        let document = read(surface.format, &bytes);
                        let one = entry(&document, &client, surface, key);
                        let edit = document.remove(&one).unwrap_or_else(|error| {
                            panic!("{what} {key}: {error:?}\n{}", String::from_utf8_lossy(&bytes))
                        });
                        bytes = after(&edit, &bytes);
                    }
                    let document = read(surface.format, &bytes);
                    assert!(document.entries(&client, surface).unwrap().is_empty(), "{what}");
                }
            }
        }
    }
}

#[test]
fn each_fixture_takes_another_entry_and_loses_any() {
    for (id, number, text) in [
        ("cursor", 0, include_str!("../fixtures/cursor/windows-mark.json")),
        ("zed", 0, include_str!("../fixtures/zed/settings.json")),
        ("vscode", 0, include_str!("../fixtures/vscode/mcp.json")),
        ("lm-studio", 0, include_str!("../fixtures/lm-studio/mcp.json")),
        ("codex", 0, include_str!("../fixtures/codex/config.toml")),
        ("codex", 0, include_str!("../fixtures/codex/inline.toml")),
        ("codex", 0, include_str!("../fixtures/codex/dotted.toml")),
        ("goose", 0, include_str!("../fixtures/goose/windows.yaml")),
        ("continue", 0, include_str!("../fixtures/continue/config.yaml")),
        ("opencode", 0, include_str!("../fixtures/opencode/opencode.jsonc")),
    ] {
        let (client, surface) = surface(id, number);
        let document = read(surface.format, text.as_bytes());
        let edit = document.add(&client, &surface, "new", &program()).unwrap_or_else(|error| panic!("{id}: {error:?}"));
        let bytes = after(&edit, text.as_bytes());
        let added = read(surface.format, &bytes);
        let one = entry(&added, &client, &surface, "new");
        assert_eq!(one.launch, program(), "{id}");
        assert_eq!(edit.inverse().apply(&bytes).unwrap(), text.as_bytes());
        for old in document.entries(&client, &surface).unwrap() {
            let gone = document.remove(&old).unwrap_or_else(|error| panic!("{id} {}: {error:?}", old.key));
            let left = read(surface.format, &after(&gone, text.as_bytes()));
            let left = left.entries(&client, &surface).unwrap();
            assert!(left.iter().all(|entry| entry.place != old.place), "{id} {}", old.key);
            assert_eq!(left.len() + 1, document.entries(&client, &surface).unwrap().len());
        }
    }
}

#[test]
fn a_new_entry_looks_like_its_neighbours() {
    let (client, surface) = surface("cursor", 0);
    let text = "{\n\t\"mcpServers\": {\n\t\t\"a\": {\n\t\t\t\"command\": \"x\"\n\t\t} // last\n\t}\n}\n";
    let document = read(surface.format, text.as_bytes());
    let launch = Launch::Stdio { command: "y".to_owned(), args: vec!["z".to_owned()], env: Vec::new() };
    let added = after(&document.add(&client, &surface, "b", &launch).unwrap(), text.as_bytes());
    assert_eq!(
        String::from_utf8(added).unwrap(),
        "{\n\t\"mcpServers\": {\n\t\t\"a\": {\n\t\t\t\"command\": \"x\"\n\t\t}, // last\n\t\t\"b\": {\n\t\t\t\"command\": \"y\",\n\t\t\t\"args\": [\"z\"]\n\t\t}\n\t}\n}\n"
    );
}

#[test]
fn comments_of_others_stay_when_an_entry_goes() {
    let (client, surface) = surface("cursor", 0);
    let text = "{\"mcpServers\": {\n  // one\n  \"a\": {\"command\": \"x\"}, // of a\n  // two\n  \"b\": {\"command\": \"y\"} // of b\n}}";
    let without = |key: &str| {
        let document = read(surface.format, text.as_bytes());
        let edit = document.remove(&entry(&document, &client, &surface, key)).unwrap();
        String::from_utf8(after(&edit, text.as_bytes())).unwrap()
    };
    assert!(without("a").contains("// two") && without("a").contains("// of b"), "{}", without("a"));
    assert!(
        without("b").contains("// one") && without("b").contains("// of a") && without("b").contains("// two"),
        "{}",
        without("b")
    );
}

#[test]
fn what_stands_in_the_way_is_named() {
    let (client, surface) = surface("opencode-v2", 0);
    let add = |text: &str| read(surface.format, text.as_bytes()).add(&client, &surface, "x", &program());
    assert_eq!(add("{\"mcp\": 7}").unwrap_err(), Refusal::Way("mcp".to_owned()));
    assert_eq!(add("[]").unwrap_err(), Refusal::Way(String::new()));
    let document = Document::read(surface.format, b"{}").unwrap();
    let (code, projects) = crate::surface("claude-code", 1);
    assert_eq!(document.add(&code, &projects, "x", &program()).unwrap_err(), Refusal::Way("*".to_owned()));
}
