//! The index: who is official in it, and that a part made anew is as good as the whole.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that is wrong about its own input should fail"
)]

use catalogue::import::{File, Holds, import};
use catalogue::index::{rebuild, refresh};
use jiff::Timestamp;
use search::{Filter, Index, Query};
use store::DataDir;
use store::catalogue::{Catalogue, ListedPage, Listing, Override, Said, ServerEntry, Status, Visibility};
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

async fn catalogue() -> (TempDir, DataDir, Catalogue) {
    let folder = TempDir::new().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    let catalogue = Catalogue::open(&data).await.unwrap();
    (folder, data, catalogue)
}

async fn lines(folder: &TempDir, catalogue: &Catalogue, holds: Holds, text: &str) {
    let path = folder.path().join("lines.jsonl");
    std::fs::write(&path, text).unwrap();
    let file = File { path, holds, visibility: Visibility::Public };
    assert_eq!(import(catalogue, &file, 1, NOW, &mut |_| {}).await.unwrap().broken, 0);
}

/// What is found under conditions, as the kind and number of each.
fn found(data: &DataDir, words: &str, filters: &[(&str, &str)]) -> Vec<(String, i64)> {
    let filters =
        filters.iter().map(|(field, value)| Filter { field: (*field).to_owned(), value: (*value).to_owned() });
    let query = Query { words: words.to_owned(), filters: filters.collect(), limit: 100, ..Query::default() };
    let hits = Index::open(&data.search()).unwrap().search(&query).unwrap().hits;
    let mut all: Vec<_> = hits.into_iter().map(|hit| (hit.kind.as_str().to_owned(), hit.id)).collect();
    all.sort();
    all
}

async fn said(catalogue: &Catalogue, server: i64, tool: Option<&str>, field: &str, value: Option<&str>) {
    let one = Override {
        server,
        tool: tool.map(str::to_owned),
        field: field.to_owned(),
        value: value.map(str::to_owned),
        who: "ann".to_owned(),
        reason: "a reason".to_owned(),
        at: NOW,
    };
    catalogue.add_override(&one).await.unwrap();
}

fn listing(id: i64, name: &str, source: &str) -> Listing {
    let entry = ServerEntry {
        id,
        slug: format!("server-{id}"),
        name: name.to_owned(),
        publisher: None,
        repository: None,
        package: None,
        endpoint: None,
        transport: None,
        licence: None,
        description: None,
        language: None,
        visibility: Visibility::Public,
        from_tools: false,
        identities: vec![format!("name:{name}")],
        sources: vec![source.to_owned()],
    };
    Listing { entry, said: Said { status: Some(Status::Active), ..Said::default() } }
}

#[tokio::test]
async fn official_is_what_the_official_registry_was_heard_to_list() {
    let (folder, data, catalogue) = catalogue().await;
    let mut reading = catalogue.begin_reading("https://a.example", false, NOW).await.unwrap();
    let listings = vec![
        listing(1, "com.acme/heard", "official registry"),
        listing(2, "io.github.ann/account", "official registry"),
        listing(3, "com.other/elsewhere", "registry a.example"),
    ];
    let page = ListedPage { listings, ..ListedPage::default() };
    catalogue.write_page(&mut reading, &page, NOW, |_| None).await.unwrap();
    // Files claim all that can be claimed: the source, of a server that another registry lists too, and a second name.
    let claims = r#"{"name": "com.claimed/one", "sources": ["official registry"]}
{"name": "com.other/elsewhere", "sources": [" official  registry"]}
{"name": "io.github.ann/account", "repository": "https://github.com/ann/account"}
{"name": "com.stripe/mcp", "repository": "https://github.com/ann/account"}"#;
    lines(&folder, &catalogue, Holds::Servers, claims).await;
    rebuild(&catalogue, &data.search(), &mut |_| {}).await.unwrap();
    assert_eq!(found(&data, "", &[("standing", "official")]), [("server".to_owned(), 1)]);
    assert_eq!(found(&data, "", &[("standing", "community")]).len(), 3);

    // A person may verify one, and take that back; neither needs the whole index.
    for (value, official) in [(Some("yes"), 2), (None, 1)] {
        said(&catalogue, 3, None, "verified", value).await;
        refresh(&catalogue, &data.search(), 3, None).await.unwrap();
        assert_eq!(found(&data, "", &[("standing", "official")]).len(), official, "{value:?}");
    }
}

#[tokio::test]
async fn a_part_of_the_index_made_anew_is_as_the_whole_made_anew() {
    let (folder, data, catalogue) = catalogue().await;
    let tools: Vec<String> = (1..=3)
        .flat_map(|server| {
            ["list_leads", "delete_lead", "update_lead"].map(|name| {
                format!(r#"{{"server": "own{server}/leads", "name": "{name}", "description": "{name} of {server}"}}"#)
            })
        })
        .collect();
    lines(&folder, &catalogue, Holds::Tools, &tools.join("\n")).await;
    lines(&folder, &catalogue, Holds::Servers, r#"{"name": "own1/leads", "transport": "pigeon", "licence": "MIT"}"#)
        .await;
    rebuild(&catalogue, &data.search(), &mut |_| {}).await.unwrap();
    assert_eq!(found(&data, "", &[("transport", "pigeon")]), [], "no transport of the protocol");
    let questions: [(&str, &[(&str, &str)]); 7] = [
        ("", &[]),
        ("lead", &[]),
        ("delete", &[("class", "destructive")]),
        ("", &[("class", "read")]),
        ("somebody", &[]),
        ("", &[("standing", "official")]),
        ("", &[("visibility", "private")]),
    ];
    let ask = || questions.map(|(words, filters)| found(&data, words, filters));
    let before = ask();
    let steps: [(i64, Option<&str>, &str, Option<&str>); 8] = [
        (1, Some("delete_lead"), "class", Some("read")),
        (1, Some("delete_lead"), "class", None),
        (2, Some("list_leads"), "hidden", Some("yes")),
        (2, None, "publisher", Some("Somebody")),
        (3, None, "hidden", Some("yes")),
        (3, None, "hidden", None),
        (1, None, "verified", Some("yes")),
        (1, None, "visibility", Some("private")),
    ];
    for (server, tool, field, value) in steps {
        said(&catalogue, server, tool, field, value).await;
        refresh(&catalogue, &data.search(), server, tool).await.unwrap();
        let part = ask();
        rebuild(&catalogue, &data.search(), &mut |_| {}).await.unwrap();
        assert_eq!(part, ask(), "{server} {tool:?} {field} {value:?}");
    }
    assert_ne!(before, ask());
}
