//! The catalogue on a real SQLite file.

#![allow(clippy::unwrap_used, reason = "a test that is wrong about its own input should fail")]

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use policy::Class;
use risk::{Facet, Severity};
use rustix::process::{Resource, getrlimit, setrlimit};
use store::catalogue::{
    Batch, Catalogue, Counts, Fork, Judgement, Override, Quote, ServerEntry, Shelf, ToolEntry, Visibility,
};
use store::{BadDatabase, DataDir};
use tempfile::TempDir;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn server(id: i64, slug: &str) -> ServerEntry {
    ServerEntry {
        id,
        slug: slug.to_owned(),
        name: slug.to_owned(),
        publisher: None,
        repository: None,
        package: None,
        endpoint: None,
        transport: None,
        licence: None,
        description: None,
        language: None,
        visibility: Visibility::Private,
        from_tools: false,
        identities: vec![format!("npm:{slug}")],
        sources: vec!["a list".to_owned()],
    }
}

fn tool(server: i64, name: &str, version: u8) -> ToolEntry {
    ToolEntry {
        server,
        name: name.to_owned(),
        title: None,
        description: format!("version {version}"),
        input_schema: None,
        annotations: None,
        digest: [version; 32],
        judged: Judgement {
            class: Class::Write,
            severity: Severity::Medium,
            severity_fine: Severity::High,
            facets: vec![Facet::SendsExternal, Facet::Bulk],
            confidence: 0.9,
            evidence: vec![Quote { place: "name[0..4]".to_owned(), text: "send".to_owned(), weight: Some(1.5) }],
        },
    }
}

async fn catalogue() -> (TempDir, DataDir, Catalogue) {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    let catalogue = Catalogue::open(&data).await.unwrap();
    (folder, data, catalogue)
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_another_definition_becomes_history() {
    let (_folder, data, catalogue) = catalogue().await;
    let batch =
        Batch { servers: vec![server(1, "mail")], tools: vec![tool(1, "send", 1)], lines: 2, ..Batch::default() };
    let mut run = catalogue.begin_run("file", at(0)).await.unwrap();
    catalogue.write(&mut run, &batch, at(0)).await.unwrap();
    assert_eq!((run.counts.servers_new, run.counts.tools_new), (1, 1));
    catalogue.end_run(&run, at(0)).await.unwrap();

    let mut again = catalogue.begin_run("file", at(5)).await.unwrap();
    assert_ne!(run.id, again.id);
    catalogue.write(&mut again, &batch, at(5)).await.unwrap();
    catalogue.end_run(&again, at(5)).await.unwrap();
    assert!(!again.counts.changed(), "{:?}", again.counts);
    assert_eq!((again.counts.servers_same, again.counts.tools_same), (1, 1));

    let mut third = catalogue.begin_run("file", at(9)).await.unwrap();
    let batch = Batch { tools: vec![tool(1, "send", 2)], lines: 1, ..Batch::default() };
    catalogue.write(&mut third, &batch, at(9)).await.unwrap();
    assert_eq!(third.counts.tools_changed, 1);
    let tools = catalogue.tools_of(1).await.unwrap();
    assert_eq!((tools[0].digest.as_slice(), tools[0].first_seen, tools[0].changed), ([2; 32].as_slice(), at(0), at(9)));
    assert_eq!(tools[0].judged, tool(1, "send", 2).judged);
    let past = catalogue.history(tools[0].id).await.unwrap();
    assert_eq!((past.len(), past[0].digest.as_slice(), past[0].class), (1, [1; 32].as_slice(), Class::Write));

    // All of it is on disk.
    catalogue.close().await;
    let catalogue = Catalogue::open(&data).await.unwrap();
    let found = catalogue.server(1).await.unwrap().unwrap();
    assert_eq!((found.first_seen, found.last_seen, found.visibility), (at(0), at(5), Visibility::Private));
    assert_eq!(catalogue.server_of("npm:mail").await.unwrap().unwrap().id, 1);
    assert_eq!(catalogue.servers_named("MAIL").await.unwrap().len(), 1);
}

/// A batch of several entries of one tool is what its entries are one by one: the rows, the counts, what is history.
#[tokio::test]
async fn a_batch_is_what_its_entries_are_one_by_one() {
    let schema = |mut tool: ToolEntry| {
        tool.input_schema = Some("{}".to_owned());
        tool
    };
    let judged = |mut tool: ToolEntry| {
        tool.judged.class = Class::Read;
        tool
    };
    let runs = [
        vec![tool(1, "a", 1), tool(1, "b", 1), tool(1, "a", 2), schema(tool(1, "a", 3)), schema(tool(1, "a", 4))],
        vec![
            tool(1, "b", 2),
            tool(1, "b", 2),
            schema(tool(1, "b", 3)),
            judged(schema(tool(1, "a", 3))),
            tool(1, "c", 1),
        ],
        vec![tool(1, "a", 5), schema(tool(1, "b", 3)), schema(tool(1, "c", 2)), schema(tool(1, "c", 2))],
    ];
    let mut results = Vec::new();
    for size in [1, 2, 100] {
        let (_folder, _data, catalogue) = catalogue().await;
        let mut seen = Vec::new();
        for (nth, entries) in (0..).zip(&runs) {
            let mut run = catalogue.begin_run("file", at(nth)).await.unwrap();
            let mut servers = vec![server(1, "mail")];
            for part in entries.chunks(size) {
                let batch = Batch { servers: std::mem::take(&mut servers), tools: part.to_vec(), ..Batch::default() };
                catalogue.write(&mut run, &batch, at(nth)).await.unwrap();
            }
            catalogue.end_run(&run, at(nth)).await.unwrap();
            seen.push(format!("{:?}", run.counts));
            for tool in catalogue.tools_of(1).await.unwrap() {
                seen.push(format!("{tool:?} {:?}", catalogue.history(tool.id).await.unwrap()));
            }
        }
        results.push(seen);
    }
    assert!(results[0].iter().any(|line| line.contains("tools_rejudged: 1")), "{:#?}", results[0]);
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}

#[tokio::test]
async fn a_run_that_did_not_end_goes_on_where_it_stood() {
    let (_folder, data, catalogue) = catalogue().await;
    let mut run = catalogue.begin_run("file", at(0)).await.unwrap();
    let batch = Batch { servers: vec![server(1, "mail")], lines: 7, ..Batch::default() };
    catalogue.write(&mut run, &batch, at(0)).await.unwrap();
    drop(catalogue);
    let catalogue = Catalogue::open(&data).await.unwrap();
    let resumed = catalogue.begin_run("file", at(1)).await.unwrap();
    assert_eq!(resumed, run);
    assert_eq!(resumed.position, 7);
    assert_eq!(catalogue.begin_run("another file", at(1)).await.unwrap().position, 0);
    // A run that was killed before it wrote anything is taken up as well.
    assert_eq!(catalogue.begin_run("another file", at(2)).await.unwrap().counts, Counts::default());
}

#[tokio::test]
async fn a_run_that_was_killed_before_it_wrote_anything_begins_again() {
    let (_folder, _data, catalogue) = catalogue().await;
    let run = catalogue.begin_run("file", at(0)).await.unwrap();
    assert_eq!(catalogue.begin_run("file", at(1)).await.unwrap(), run);
    let reading = catalogue.begin_reading("https://r.example", false, at(0)).await.unwrap();
    assert_eq!(catalogue.begin_reading("https://r.example", false, at(1)).await.unwrap(), reading);
}

#[tokio::test]
async fn a_batch_is_written_whole_or_not_at_all() {
    let (_folder, _data, catalogue) = catalogue().await;
    let mut run = catalogue.begin_run("file", at(0)).await.unwrap();
    // The second tool is one of a server that is not there.
    let batch = Batch {
        servers: vec![server(1, "mail")],
        tools: vec![tool(1, "a", 1), tool(9, "b", 1)],
        lines: 3,
        ..Batch::default()
    };
    assert!(matches!(catalogue.write(&mut run, &batch, at(0)).await, Err(BadDatabase::Sql(_))));
    assert_eq!((run.position, catalogue.size().await.unwrap()), (0, (0, 0)));
}

#[tokio::test]
async fn entries_fill_what_is_empty_and_nothing_else() {
    let (_folder, _data, catalogue) = catalogue().await;
    let mut run = catalogue.begin_run("file", at(0)).await.unwrap();
    let first = ServerEntry { from_tools: true, description: Some("first".to_owned()), ..server(1, "mail") };
    let second = ServerEntry {
        name: "Mail".to_owned(),
        description: Some("second".to_owned()),
        licence: Some("MIT".to_owned()),
        package: Some(("npm".to_owned(), "mail".to_owned())),
        visibility: Visibility::Public,
        sources: vec!["another list".to_owned()],
        ..server(1, "ignored")
    };
    let batch = Batch { servers: vec![first, second], lines: 2, ..Batch::default() };
    catalogue.write(&mut run, &batch, at(0)).await.unwrap();
    let found = catalogue.server(1).await.unwrap().unwrap();
    assert_eq!((found.slug.as_str(), found.name.as_str(), found.from_tools), ("mail", "Mail", false));
    assert_eq!((found.description.as_deref(), found.licence.as_deref()), (Some("first"), Some("MIT")));
    assert_eq!((found.registry.as_deref(), found.visibility), (Some("npm"), Visibility::Public));
    assert_eq!(catalogue.sources(1).await.unwrap().len(), 2);
    // What is public stays so when a private file names it again.
    let batch = Batch { servers: vec![server(1, "mail")], lines: 1, ..Batch::default() };
    catalogue.write(&mut run, &batch, at(0)).await.unwrap();
    assert_eq!(catalogue.server(1).await.unwrap().unwrap().visibility, Visibility::Public);
}

#[tokio::test]
async fn one_process_imports_at_a_time() {
    let (_folder, data, catalogue) = catalogue().await;
    let other = Catalogue::open(&data).await.unwrap();
    let importing = catalogue.importing().unwrap();
    let refused = other.importing().unwrap_err();
    assert!(matches!(refused, BadDatabase::Busy(Some(pid)) if pid == std::process::id()), "{refused:?}");
    assert!(refused.to_string().contains(&format!("another process ({}) is writing", std::process::id())), "{refused}");
    drop(importing);
    other.importing().unwrap();
}

#[tokio::test]
async fn what_people_say_is_kept_in_its_order_and_forks_are_put_down_anew() {
    let (_folder, _data, catalogue) = catalogue().await;
    let mut run = catalogue.begin_run("file", at(0)).await.unwrap();
    let batch = Batch { servers: vec![server(1, "a"), server(2, "b")], lines: 2, ..Batch::default() };
    catalogue.write(&mut run, &batch, at(0)).await.unwrap();
    let said = |value: Option<&str>, second| Override {
        server: 1,
        tool: Some("send".to_owned()),
        field: "class".to_owned(),
        value: value.map(str::to_owned),
        who: "ann".to_owned(),
        reason: "it sends nothing".to_owned(),
        at: at(second),
    };
    for one in [said(Some("read"), 1), said(None, 2)] {
        catalogue.add_override(&one).await.unwrap();
    }
    assert_eq!(catalogue.overrides(1).await.unwrap(), [said(Some("read"), 1), said(None, 2)]);
    assert!(catalogue.overrides(2).await.unwrap().is_empty());

    let fork = |server| Fork { server, kin: 1, original: Some(1), reason: "because".to_owned() };
    catalogue.write_forks(&[fork(1), fork(2)]).await.unwrap();
    assert_eq!(catalogue.forks_of(2).await.unwrap(), [fork(1), fork(2)]);
    catalogue.write_forks(&[]).await.unwrap();
    assert!(catalogue.forks_of(2).await.unwrap().is_empty());
}

#[tokio::test]
async fn lists_and_changes_are_made_from_rows_that_may_be_seen() {
    let (_folder, _data, catalogue) = catalogue().await;
    let before = catalogue.stamp().await.unwrap();
    let public = ServerEntry { visibility: Visibility::Public, ..server(1, "one") };
    let mut both = tool(1, "both", 1);
    both.judged.facets = vec![Facet::RunsCode];
    let classes = [Class::Write, Class::Destructive, Class::Execute];
    for (version, class) in (1_u8..).zip(classes) {
        let second = i64::from(version) * 100_000;
        let of = |server| {
            let mut tool = tool(server, "send", version);
            tool.judged.class = class;
            tool
        };
        let batch = Batch {
            servers: vec![public.clone(), server(2, "two")],
            tools: vec![of(1), of(2), both.clone()],
            lines: 3,
            ..Batch::default()
        };
        let mut run = catalogue.begin_run(&format!("list {version}"), at(second)).await.unwrap();
        catalogue.write(&mut run, &batch, at(second)).await.unwrap();
        catalogue.end_run(&run, at(second)).await.unwrap();
    }
    assert_ne!(catalogue.stamp().await.unwrap(), before);
    let listed = catalogue.listed().await.unwrap();
    let seen: Vec<_> = listed.iter().map(|one| (one.id, one.visibility)).collect();
    assert_eq!(seen, [(1, Visibility::Public), (2, Visibility::Private)]);
    let tallies = catalogue.tallies().await.unwrap();
    assert_eq!(tallies.iter().map(|tally| (tally.server, tally.count)).collect::<Vec<_>>(), [(1, 1), (1, 1), (2, 1)]);
    // The three shelves, and a facet whose name is part of no other's.
    for (shelf, wanted) in [
        (Shelf::Class(Class::Execute), vec![("send", 1), ("send", 2)]),
        (Shelf::Severity(Severity::High), vec![("send", 1), ("both", 1), ("send", 2)]),
        (Shelf::Facet(Facet::Bulk), vec![("send", 1), ("send", 2)]),
        (Shelf::Facet(Facet::RunsCode), vec![("both", 1)]),
        (Shelf::Class(Class::Read), vec![]),
    ] {
        let by_server = catalogue.on_shelf(shelf, &[1, 2]).await.unwrap();
        let ids: Vec<i64> = [1, 2].iter().flat_map(|id| by_server.get(id).cloned().unwrap_or_default()).collect();
        let briefs = catalogue.briefs(&ids).await.unwrap();
        let mut found: Vec<_> = briefs.iter().map(|tool| (tool.name.as_str(), tool.server)).collect();
        found.sort_by_key(|(name, server)| (*server, std::cmp::Reverse(*name)));
        assert_eq!(found, wanted, "{shelf:?}");
    }
    let changes = |public_only| catalogue.replaced(at(0), at(900_000), public_only, 10, 0);
    let seen: Vec<_> = changes(true).await.unwrap().iter().map(|one| (one.server, one.before, one.after)).collect();
    assert_eq!(seen, [(1, Class::Destructive, Class::Execute), (1, Class::Write, Class::Destructive)]);
    assert_eq!(changes(false).await.unwrap().len(), 4);
    assert_eq!(catalogue.replaced(at(150_000), at(250_000), false, 10, 0).await.unwrap().len(), 2);
    let days = catalogue.days_of_change().await.unwrap();
    assert_eq!(days.iter().map(|day| day.count).sum::<u32>(), 4);
    let mapped = catalogue.mapped(&[1]).await.unwrap();
    assert_eq!(mapped.len(), 2);
    assert_eq!(catalogue.servers_of(&[2, 9, 1]).await.unwrap().iter().map(|one| one.id).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test]
async fn whatever_a_server_writes_is_read_as_it_was_written() {
    let (_folder, _data, catalogue) = catalogue().await;
    let odd = "a\u{0}b \"quoted\" \\ back\nline\r\u{2028}\u{202e}\u{1f600}\u{7f}é {\"json\": [1]}";
    let mut entry = tool(1, odd, 1);
    entry.title = Some(odd.to_owned());
    entry.description = odd.to_owned();
    entry.input_schema = Some(r#"{"properties":{"a\u0000":{"const":"\"\\"}}}"#.to_owned());
    entry.judged.confidence = f64::from(0.927_389_44_f32);
    let mut named = server(1, "odd");
    named.name = odd.to_owned();
    named.description = Some(odd.to_owned());
    let batch = Batch { servers: vec![named], tools: vec![entry.clone()], lines: 2, ..Batch::default() };
    let mut run = catalogue.begin_run("file", at(0)).await.unwrap();
    catalogue.write(&mut run, &batch, at(0)).await.unwrap();
    let [read] = &catalogue.tools_of(1).await.unwrap()[..] else { panic!("one tool") };
    assert_eq!((read.name.as_str(), read.title.as_deref(), read.description.as_str()), (odd, Some(odd), odd));
    assert_eq!(read.input_schema, entry.input_schema);
    #[expect(clippy::cast_possible_truncation, reason = "as it was written")]
    let confidence = read.judged.confidence as f32;
    assert_eq!(confidence, 0.927_389_44_f32);
    let server = catalogue.server(1).await.unwrap().unwrap();
    assert_eq!((server.name.as_str(), server.description.as_deref()), (odd, Some(odd)));
    assert_eq!(catalogue.briefs(&[read.id]).await.unwrap()[0].description, odd);
}

/// A disk that is full for a while, which is a limit on the size of files that the child raises again: what could not be
/// written is not there, and what comes afterwards is.
#[test]
fn an_import_goes_on_when_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" --exact child_with_little_room --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env("CATALOGUE_TEST_LITTLE_ROOM", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

/// The other side of the test above; does nothing on its own.
#[tokio::test]
async fn child_with_little_room() {
    let Some(folder) = std::env::var_os("CATALOGUE_TEST_LITTLE_ROOM") else { return };
    let room = |bytes: Option<u64>| {
        let mut limit = getrlimit(Resource::Fsize);
        limit.current = bytes;
        setrlimit(Resource::Fsize, limit).unwrap();
    };
    let data = DataDir::open(&Path::new(&folder).join("data")).unwrap();
    let catalogue = Catalogue::open(&data).await.unwrap();
    let batch = |slug: &str| Batch {
        servers: vec![server(1, slug)],
        tools: (0..200).map(|number| tool(1, &format!("tool_{number}"), 1)).collect(),
        lines: 201,
        ..Batch::default()
    };
    let mut run = catalogue.begin_run("file", at(0)).await.unwrap();
    room(Some(1));
    for _ in 0..3 {
        catalogue.write(&mut run, &batch("mail"), at(0)).await.unwrap_err();
    }
    assert!(catalogue.begin_run("another file", at(0)).await.is_err());
    room(None);
    let mut run = catalogue.begin_run("file", at(1)).await.unwrap();
    assert_eq!((run.position, &run.counts), (0, &Counts::default()), "nothing of it was written");
    catalogue.write(&mut run, &batch("mail"), at(1)).await.unwrap();
    assert_eq!((run.counts.servers_new, run.counts.tools_new), (1, 200));
    catalogue.end_run(&run, at(1)).await.unwrap();
    // Also when the disk is full again, and there is room again.
    room(Some(1));
    assert!(catalogue.begin_run("file", at(2)).await.is_err());
    room(None);
    catalogue.begin_run("file", at(2)).await.unwrap();
}
