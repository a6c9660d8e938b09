//! Where each client's files lie on each system.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p clients` writes the list anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clients::{Os, PathPattern, Places, Table};

use crate::surface;

fn places(os: Os, variables: &[(&str, &str)]) -> Places {
    let home = match os {
        Os::Linux => "/home/ada",
        Os::Macos => "/Users/ada",
        Os::Windows => "C:\\Users\\Ada",
    };
    let project = if os == Os::Windows { "D:\\shop" } else { "/srv/shop" };
    let variables =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>();
    Places { os, home: home.to_owned(), variables, project: Some(project.to_owned()) }
}

fn shown(os: Os, pattern: &PathPattern) -> String {
    let separator = if os == Os::Windows { "\\" } else { "/" };
    std::iter::once(&pattern.base).chain(&pattern.below).cloned().collect::<Vec<_>>().join(separator)
}

#[test]
fn paths_are_those_of_the_list() {
    let mut list = String::new();
    for (os, variables) in [
        (Os::Linux, vec![]),
        (Os::Macos, vec![]),
        (
            Os::Windows,
            vec![("APPDATA", "C:\\Users\\Ada\\AppData\\Roaming"), ("LOCALAPPDATA", "C:\\Users\\Ada\\AppData\\Local")],
        ),
    ] {
        let places = places(os, &variables);
        for client in Table::compiled().unwrap().clients {
            for surface in &client.surfaces {
                for pattern in surface.paths(&places) {
                    assert!(pattern.below.iter().any(|name| name.contains('*')) || pattern.path().is_some());
                    let scope = format!("{:?}", surface.scope).to_lowercase();
                    writeln!(list, "{} {scope} {}", client.id, shown(os, &pattern)).unwrap();
                }
            }
            for trace in &client.traces {
                if let Some(pattern) = places.fill(trace) {
                    writeln!(list, "{} trace {}", client.id, shown(os, &pattern)).unwrap();
                }
            }
        }
        list.push('\n');
    }
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paths.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, &list).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), list, "write it anew with UPDATE_SNAPSHOTS=1");
}

#[test]
fn every_client_has_a_file_on_every_system() {
    for os in [Os::Linux, Os::Macos, Os::Windows] {
        for client in Table::compiled().unwrap().clients.iter().filter(|client| client.not_covered.is_none()) {
            let places = places(os, &[]);
            assert!(client.surfaces.iter().any(|surface| !surface.paths(&places).is_empty()), "{} {os:?}", client.id);
        }
    }
}

#[test]
fn variables_move_files() {
    let path = |id: &str, number: usize, variables: &[(&str, &str)]| {
        let (_, surface) = surface(id, number);
        let paths = surface.paths(&places(Os::Linux, variables));
        paths.first().and_then(|path| path.path()).map(str::to_owned)
    };
    let some = |path: &str| Some(path.to_owned());
    assert_eq!(path("codex", 0, &[("CODEX_HOME", "/srv/co*dex/")]), some("/srv/co*dex/config.toml"));
    assert_eq!(path("codex", 0, &[("CODEX_HOME", "")]), some("/home/ada/.codex/config.toml"));
    assert_eq!(path("claude-code", 0, &[("CLAUDE_CONFIG_DIR", "/srv/claude")]), some("/srv/claude/.claude.json"));
    assert_eq!(path("copilot-cli", 0, &[("COPILOT_HOME", "/srv/c")]), some("/srv/c/mcp-config.json"));
    assert_eq!(path("zed", 0, &[("XDG_CONFIG_HOME", "/srv/xdg")]), some("/srv/xdg/zed/settings.json"));
    assert_eq!(path("cline", 3, &[("CLINE_MCP_SETTINGS_PATH", "/x/y.json"), ("CLINE_DIR", "/z")]), some("/x/y.json"));
    assert_eq!(path("claude-desktop", 0, &[]), None, "that is the surface of macOS");

    let (_, own) = surface("cursor", 1);
    let without = Places { project: None, ..places(Os::Linux, &[]) };
    assert!(own.paths(&without).is_empty());
}
