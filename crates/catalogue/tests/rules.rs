//! The pure rules: identity, junk, forks.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that is wrong about its own input should fail"
)]

use catalogue::forks::forks;
use catalogue::identity::{Identity, Registry};
use catalogue::impostors::{impostors, mismatched};
use catalogue::junk::{Candidate, Junk, junk};
use jiff::Timestamp;
use proptest::prelude::*;
use store::catalogue::{Face, Kin, Package};

fn text(identity: Option<Identity>) -> String {
    identity.map(|identity| identity.to_string()).unwrap_or_default()
}

#[test]
fn a_repository_has_one_spelling() {
    let same = [
        "https://github.com/Owner/Name",
        "http://www.github.com/owner/name/",
        "https://github.com/owner/name.git",
        "git+https://github.com/owner/name.git",
        "git@github.com:owner/name.git",
        "ssh://git@github.com/owner/name",
        "https://github.com/owner/name?tab=readme#install",
        "https://github.com/owner/name/tree/main",
        "owner/name",
    ];
    for url in same {
        assert_eq!(text(Identity::repository(url, None)), "repository:github.com/owner/name", "{url}");
    }
    let part = "repository:github.com/owner/name#server-a";
    assert_eq!(text(Identity::repository("owner/name", Some("packages/Server-A/"))), part);
    assert_eq!(text(Identity::repository("https://github.com/owner/name/tree/main/packages/server-a", None)), part);
    for none in ["", "https://github.com/owner", "https://example.com", "name", "a b/c", "owner/name/tool"] {
        assert_eq!(Identity::repository(none, None), None, "{none}");
    }
}

#[test]
fn a_package_has_one_spelling_in_its_registry() {
    let table = [
        (Registry::Npm, "@Scope/Name", "npm:@scope/name"),
        (Registry::Npm, "@scope/name@1.2.3", "npm:@scope/name"),
        (Registry::Npm, "name@latest", "npm:name"),
        (Registry::Pypi, "My_Server.Name", "pypi:my-server-name"),
        (Registry::Pypi, "my--server[cli]>=1", "pypi:my-server"),
        (Registry::Oci, "owner/image:1.0", "oci:docker.io/owner/image"),
        (Registry::Oci, "ghcr.io/owner/image@sha256:aa", "oci:ghcr.io/owner/image"),
        (Registry::Oci, "localhost:5000/image", "oci:localhost:5000/image"),
        (Registry::Smithery, "@Owner/Name", "smithery:@owner/name"),
    ];
    for (registry, written, wanted) in table {
        assert_eq!(text(Identity::package(registry, written)), wanted, "{written}");
    }
    assert_eq!(Identity::package(Registry::Npm, " "), None);
}

#[test]
fn names_endpoints_and_publishers() {
    assert_eq!(text(Identity::name("io.github.Owner/Server")), "name:io.github.owner/server");
    for none in ["owner/server", "Server", "a.b/c d", "a.b/c/d"] {
        assert_eq!(Identity::name(none), None, "{none}");
    }
    assert_eq!(text(Identity::endpoint("https://www.Example.com/mcp/?x=1")), "endpoint:example.com/mcp");
    for none in [
        "https://example.com/docs",
        "https://smithery.ai/server/x/mcp",
        "example.com/mcp",
        "https://mcp.pipedream.com/app/x",
    ] {
        assert_eq!(Identity::endpoint(none), None, "{none}");
    }
    let publisher = |identity: Option<Identity>| identity.and_then(|one| one.publisher().map(str::to_owned));
    assert_eq!(publisher(Identity::name("io.github.owner/server")).as_deref(), Some("owner"));
    assert_eq!(publisher(Identity::name("ai.exa/exa")).as_deref(), Some("ai.exa"));
    assert_eq!(publisher(Identity::repository("Owner/name", None)).as_deref(), Some("owner"));
    assert_eq!(publisher(Identity::package(Registry::Npm, "@scope/name")).as_deref(), Some("scope"));
    assert_eq!(publisher(Identity::package(Registry::Npm, "name")), None);
    assert_eq!(publisher(Identity::package(Registry::Pypi, "name")), None);
}

proptest! {
    #[test]
    fn what_is_normal_stays(owner in "[a-z][a-z0-9-]{0,10}", name in "[a-z][a-z0-9_-]{0,10}") {
        let once = text(Identity::repository(&format!("https://www.github.com/{owner}/{name}.git/"), None));
        let again = text(Identity::repository(once.trim_start_matches("repository:"), None));
        prop_assert_eq!(once, again);
        for registry in [Registry::Npm, Registry::Pypi, Registry::Oci, Registry::Smithery] {
            let once = text(Identity::package(registry, &name));
            let bare = once.split_once(':').map(|(_, bare)| bare).unwrap_or_default();
            prop_assert_eq!(&once, &text(Identity::package(registry, bare)));
        }
    }

    #[test]
    fn any_text_is_survived(any in "\\PC{0,40}") {
        let _ = Identity::repository(&any, Some(&any));
        let _ = Identity::name(&any);
        let _ = Identity::endpoint(&any);
        for registry in [Registry::Npm, Registry::Pypi, Registry::Oci, Registry::Mcpb] {
            let _ = Identity::package(registry, &any);
        }
        let _ = junk(&Candidate { name: &any, description: &any, has_schema: false, path: Some(&any) });
    }

    #[test]
    fn names_as_the_protocol_recommends_them_are_never_refused(name in "[A-Za-z][A-Za-z0-9_.-]{0,63}") {
        let candidate = Candidate { name: &name, description: "Does something", has_schema: true, path: None };
        prop_assert_eq!(junk(&candidate), None);
    }
}

#[test]
fn what_is_no_tool_is_refused_with_the_reason() {
    let of = |name, description, path| junk(&Candidate { name, description, has_schema: false, path });
    let table = [
        ("", "", Some(Junk::Length)),
        ("delete\u{202e}file", "", Some(Junk::Invisible)),
        ("list_files\n", "", Some(Junk::Invisible)),
        (".", "", Some(Junk::Dots)),
        ("..", "Goes up", Some(Junk::Dots)),
        ("../up", "", None),
        ("${PREFIX}_request", "", Some(Junk::Template)),
        ("get_{name}", "", Some(Junk::Template)),
        ("{{ tool }}", "", Some(Junk::Template)),
        ("--verbose", "", Some(Junk::Option)),
        ("!mysql", "", Some(Junk::Option)),
        ("## Tools", "", Some(Junk::Heading)),
        ("Parameters:", "", Some(Junk::Heading)),
        ("Optional Settings", "A heading all the same", Some(Junk::Heading)),
        ("installation", "", Some(Junk::Heading)),
        ("search(query)", "", Some(Junk::Code)),
        ("const tool", "", Some(Junk::Code)),
        ("This tool deletes a file.", "", Some(Junk::Sentence)),
        ("limit", "Default 25 (max 100)", Some(Junk::Parameter)),
        ("query", "(string, required) What to look for", Some(Junk::Parameter)),
        ("type", "call | meeting | email", Some(Junk::Parameter)),
        // What servers really call their tools.
        ("Get a test case by ID", "Get a test case", None),
        ("Search (beta)", "Searches", None),
        ("长亭 IP 情报查询", "查询", None),
        ("type", "Returns the type of a value", None),
        ("usage", "Retrieves the usage documentation", None),
        ("stringify", "String to JSON", None),
        ("list_items", "Objects of a bucket", None),
        ("getSilo", "**Required scopes:** `silos:read`", None),
        ("getNetworks", "REQUIRED FIRST STEP: Get all supported networks.", None),
        ("BORROW", "Borrow tokens", None),
        ("apaas.v1.record.batchRemove", "", None),
    ];
    for (name, description, wanted) in table {
        assert_eq!(of(name, description, None), wanted, "{name}");
    }
    assert_eq!(of("owner", "Task assignee", Some("src/prompts/v1/create-task.ts")), Some(Junk::Parameter));
    let schema = Candidate { name: "limit", description: "Default 25", has_schema: true, path: None };
    assert_eq!(junk(&schema), None);
}

fn kin(server: i64, publisher: &str, first_seen: i64, identities: &[&str], tools: &[&str]) -> Kin {
    Kin {
        server,
        publisher: Some(publisher.to_owned()),
        public: true,
        first_seen,
        identities: identities.iter().map(|&one| one.to_owned()).collect(),
        sources: Vec::new(),
        said: None,
        tools: tools.iter().map(|&name| (name.to_owned(), format!("{publisher} {name}"))).collect(),
    }
}

#[test]
fn the_original_is_told_by_registry_then_package_then_age() {
    const TOOLS: [&str; 3] = ["a", "b", "c"];
    let registry = ["name:com.one/x", "repository:github.com/one/x"];
    let package = ["npm:x", "repository:github.com/two/x"];
    let bare = ["repository:github.com/three/x"];
    let original = |all: &[Kin]| forks(all).first().map(|fork| (fork.original, fork.reason.clone()));

    let all =
        [kin(1, "three", 1, &bare, &TOOLS), kin(2, "two", 1, &package, &TOOLS), kin(3, "one", 9, &registry, &TOOLS)];
    let (found, why) = original(&all).unwrap();
    assert_eq!(found, Some(3));
    assert!(why.contains("registry"), "{why}");
    assert_eq!(forks(&all).len(), 3);

    let (found, why) = original(&all[..2]).unwrap();
    assert_eq!(found, Some(2));
    assert!(why.contains("package"), "{why}");

    let (found, why) = original(&[kin(1, "a", 2, &bare, &TOOLS), kin(2, "b", 1, &bare, &TOOLS)]).unwrap();
    assert_eq!(found, Some(2));
    assert!(why.contains("before"), "{why}");

    let (found, why) = original(&[kin(1, "a", 1, &bare, &TOOLS), kin(2, "b", 1, &bare, &TOOLS)]).unwrap();
    assert_eq!(found, None);
    assert!(why.contains("undecided"), "{why}");
}

#[test]
fn few_names_or_one_publisher_are_no_fork() {
    assert!(forks(&[kin(1, "a", 1, &[], &["search", "get"]), kin(2, "b", 1, &[], &["search", "get"])]).is_empty());
    assert!(forks(&[kin(1, "a", 1, &[], &["x", "y", "z"]), kin(2, "a", 1, &[], &["x", "y", "z"])]).is_empty());
    assert!(forks(&[kin(1, "a", 1, &[], &["x", "y", "z"]), kin(2, "b", 1, &[], &["x", "y", "z", "w"])]).is_empty());
    // Two definitions that are the same word by word are a fork, though two names are not.
    let mut same = [kin(1, "a", 1, &[], &["x", "y"]), kin(2, "b", 1, &[], &["x", "y"])];
    same[1].tools = same[0].tools.clone();
    assert_eq!(forks(&same).len(), 2);
}

fn face(server: i64, package: &str, repository: &str, known: bool) -> Face {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Face {
        server,
        publisher: repository.split('/').next().and_then(text),
        repository: text(repository),
        package: text(package),
        registry: text("npm").filter(|_| !package.is_empty()),
        sources: vec![if known { "docker/mcp-registry" } else { "a list" }.to_owned()],
        trusted: false,
        public: false,
    }
}

#[test]
fn impostors_are_told_by_package_owner_and_scope() {
    let known = face(1, "@elastic/elasticsearch-mcp", "elastic/elasticsearch-mcp", true);
    let flagged = |other: Face| impostors(&[known.clone(), other]).first().map(|one| (one.server, one.original));
    let copy = Some((2, Some(1)));
    let table = [
        (face(2, "elastic-elasticsearch-mcp", "somebody/search", false), copy),
        (face(2, "@elastic/elastisearch-mcp", "", false), None),
        (face(2, "elasticelastisearch-mcp", "somebody/search", false), copy),
        (face(2, "", "e1astic/elasticsearch-mcp", false), copy),
        (face(2, "", "e1astic/something-else", false), None),
        // Siblings, what a directory names itself, and the same repository.
        (face(2, "elastic-elasticsearch-mcp", "elastic/other", false), None),
        (face(2, "elastic-elasticsearch-mcp", "elasticlabs/other", false), None),
        (face(2, "elastic-elasticsearch-mcp", "somebody/search", true), None),
        (face(2, "mongodb-mcp", "somebody/search", false), None),
        (Face { trusted: true, ..face(2, "elastic-elasticsearch-mcp", "somebody/search", false) }, None),
    ];
    for (number, (other, wanted)) in table.into_iter().enumerate() {
        assert_eq!(flagged(other), wanted, "row {number}");
    }
    // What everybody sees is never like something private: the reason would name that.
    let open = |face: Face| Face { public: true, ..face };
    let like = || face(2, "elastic-elasticsearch-mcp", "somebody/search", false);
    let pairs = |one: Face, other: Face| impostors(&[one, other]).len();
    assert_eq!(pairs(known.clone(), open(like())), 0);
    assert_eq!(pairs(open(known.clone()), open(like())), 1);
    assert_eq!(pairs(open(known.clone()), like()), 1);
    let package = |repository: &str| Package {
        server: 2,
        version: None,
        versions: 1,
        first_published: None,
        last_published: None,
        publisher: None,
        repository: Some(repository.to_owned()),
        deprecated: None,
        seen: Timestamp::UNIX_EPOCH,
    };
    for (original, wanted) in [(known.clone(), None), (open(known.clone()), Some(1))] {
        let found = mismatched(&[original, open(like())], &[package("https://github.com/elastic/elasticsearch-mcp")]);
        assert_eq!(found.iter().map(|one| one.original).collect::<Vec<_>>(), [wanted]);
    }
    // Whoever publishes the work of three others publishes what is not theirs.
    let of = |server: i64, owner: &str| face(server, &format!("@shop/{owner}-mcp"), &format!("{owner}/mcp"), false);
    assert!(impostors(&[of(1, "ann"), of(2, "bob")]).is_empty());
    let found = impostors(&[of(1, "ann"), of(2, "bob"), of(3, "cleo"), of(4, "shopteam")]);
    let servers: Vec<i64> = found.iter().map(|one| one.server).collect();
    assert_eq!(servers, [1, 2, 3], "{found:?}");
    assert!(found.iter().all(|one| one.original.is_none()), "{found:?}");
}
