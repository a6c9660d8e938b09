//! What is found, and in which order.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that is wrong about its own input should fail"
)]

use std::path::Path;

use search::{BadIndex, Builder, Entry, Filter, Index, Kind, Query};

const TOOLS: [(&str, &str, &str); 10] = [
    ("update_lead", "Changes a lead", "write"),
    ("lead_update_all", "Changes every lead", "write"),
    ("create_note", "Adds a note; to update a lead see elsewhere", "write"),
    ("smartlead_export", "Exports campaigns", "read"),
    ("excluirUsuario", "Exclui um usuário da organização", "destructive"),
    ("查询天气", "查询城市的天气预报", "read"),
    ("delete_file", "Deletes a file", "destructive"),
    ("getHTTPUrl", "Fetches a page", "read"),
    ("GitHub_search", "Searches repositories", "read"),
    ("löschen", "Löscht einen Eintrag", "destructive"),
];

fn build(folder: &Path, tools: &[(&str, &str, &str)]) {
    let builder = Builder::new(folder).unwrap();
    for (id, (name, description, class)) in (0..).zip(tools) {
        let filters = [("class", *class), ("language", if name.is_ascii() { "en" } else { "xx" })];
        let around = ["Acme CRM", "acme"];
        let entry = Entry {
            kind: Kind::Tool,
            id,
            name,
            title: "",
            around: &around,
            description,
            changed: id,
            filters: &filters,
        };
        builder.add(&entry).unwrap();
    }
    builder
        .add(&Entry {
            kind: Kind::Server,
            id: 77,
            name: "acme-crm",
            title: "",
            around: &["acme"],
            description: "A server that can update a lead",
            changed: 0,
            filters: &[],
        })
        .unwrap();
    builder.finish().unwrap();
}

fn ask(index: &Index, words: &str, change: impl FnOnce(&mut Query)) -> Vec<String> {
    let mut query = Query { words: words.to_owned(), limit: 20, count: true, ..Query::default() };
    change(&mut query);
    let found = index.search(&query).unwrap();
    assert_eq!(found.total, Some(found.hits.len()));
    assert_eq!(index.count(&query).unwrap(), found.hits.len(), "counted and found are the same");
    let name = |hit: &search::Hit| match hit.kind {
        Kind::Server => "(server)".to_owned(),
        Kind::Tool => TOOLS[usize::try_from(hit.id).unwrap()].0.to_owned(),
    };
    found.hits.iter().map(name).collect()
}

#[test]
fn names_are_found_by_their_parts_in_any_spelling() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path(), &TOOLS);
    let index = Index::open(folder.path()).unwrap();
    let found = |words: &str| ask(&index, words, |_| ());
    for words in ["update_lead", "updateLead", "UpdateLead", "update lead", "lead update", "updatelead", "UPDATE LEAD "]
    {
        assert_eq!(found(words).first().map(String::as_str), Some("update_lead"), "{words}");
    }
    // The exact name, then names with the parts, then descriptions.
    assert_eq!(found("update lead")[..2], ["update_lead", "lead_update_all"]);
    assert!(found("update lead").contains(&"create_note".to_owned()));
    let table = [
        // As you type.
        ("upd", "update_lead"),
        ("lead upd", "update_lead"),
        ("weath", ""),
        // Misspelt, also before the word is ended.
        ("udpate lead", "update_lead"),
        ("updaet ", "update_lead"),
        ("smartlaed export", "smartlead_export"),
        ("smartlaed", "smartlead_export"),
        ("delte file", "delete_file"),
        // Other languages, with and without accents.
        ("excluir usuário", "excluirUsuario"),
        ("excluir usuario", "excluirUsuario"),
        ("organizacao", "excluirUsuario"),
        ("loschen", "löschen"),
        ("天气", "查询天气"),
        ("天", "查询天气"),
        ("http url", "getHTTPUrl"),
        ("gethttpurl", "getHTTPUrl"),
        ("github", "GitHub_search"),
        ("GitHub search", "GitHub_search"),
        ("git hub", "GitHub_search"),
        // What nobody has.
        ("xyzzyplugh", ""),
    ];
    for (words, wanted) in table {
        assert_eq!(found(words).first().map_or("", String::as_str), wanted, "{words}");
    }
    assert_eq!(found("").len(), TOOLS.len() + 1);
    assert_eq!(found("\"'(){}[]*:^~!-+").len(), TOOLS.len() + 1, "marks are no syntax");
}

#[test]
fn filters_of_one_field_are_alternatives() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path(), &TOOLS);
    let index = Index::open(folder.path()).unwrap();
    let filter = |field: &str, value: &str| Filter { field: field.to_owned(), value: value.to_owned() };
    let of = |words: &str, filters: Vec<Filter>| ask(&index, words, |query| query.filters = filters).len();
    assert_eq!(of("", vec![filter("class", "destructive")]), 3);
    assert_eq!(of("", vec![filter("class", "Destructive"), filter("class", "write")]), 6);
    assert_eq!(of("", vec![filter("class", "destructive"), filter("language", "en")]), 2);
    assert_eq!(of("acme", vec![filter("class", "financial")]), 0);
    assert_eq!(ask(&index, "acme", |query| query.kind = Some(Kind::Server)), ["(server)"]);
    assert_eq!(ask(&index, "acme", |query| query.changed_since = Some(8)).len(), 2);
    assert_eq!(index.search(&Query { words: "acme".to_owned(), limit: 3, ..Query::default() }).unwrap().hits.len(), 3);
}

#[test]
fn an_index_is_replaced_in_one_step() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Index::open(folder.path()), Err(BadIndex::None)));
    assert!(search::is_stale(folder.path()));
    build(folder.path(), &TOOLS);
    assert!(!search::is_stale(folder.path()));
    let old = Index::open(folder.path()).unwrap();
    // One that is not finished is not in use.
    let unfinished = Builder::new(folder.path()).unwrap();
    drop(unfinished);
    assert_eq!(ask(&old, "update lead", |_| ()), ask(&Index::open(folder.path()).unwrap(), "update lead", |_| ()));
    search::mark_stale(folder.path()).unwrap();
    build(folder.path(), &TOOLS[..1]);
    assert!(!search::is_stale(folder.path()));
    assert_eq!(ask(&Index::open(folder.path()).unwrap(), "", |_| ()).len(), 2);
    assert_eq!(ask(&old, "", |_| ()).len(), TOOLS.len() + 1, "who reads the old one reads it to the end");
    let folders = std::fs::read_dir(folder.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(folders.count(), 1, "what came before is gone");
}

#[test]
fn what_is_changed_in_an_index_is_as_if_it_were_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path(), &TOOLS);
    let old = Index::open(folder.path()).unwrap();
    search::mark_stale(folder.path()).unwrap();
    let builder = Builder::upon(folder.path()).unwrap();
    // One is another than before, one is gone, one was never there, and a server of the number of a tool stays.
    for id in [6, 7, 1_000] {
        builder.remove(Kind::Tool, id).unwrap();
    }
    builder
        .add(&Entry {
            kind: Kind::Tool,
            id: 6,
            name: "delete_file",
            title: "",
            around: &["acme"],
            description: "Deletes a file",
            changed: 6,
            filters: &[("class", "read")],
        })
        .unwrap();
    builder.finish().unwrap();
    assert!(!search::is_stale(folder.path()));
    let new = Index::open(folder.path()).unwrap();
    let of_class = |index: &Index, class: &str| {
        let filter = Filter { field: "class".to_owned(), value: class.to_owned() };
        ask(index, "delete file", |query| query.filters = vec![filter])
    };
    assert_eq!((of_class(&old, "destructive").len(), of_class(&old, "read").len()), (1, 0));
    assert_eq!((of_class(&new, "destructive").len(), of_class(&new, "read").len()), (0, 1));
    assert_eq!(ask(&new, "getHTTPUrl", |_| ()), Vec::<String>::new());
    assert_eq!(ask(&new, "", |_| ()).len(), TOOLS.len(), "all but one, and the server");
    // And again, upon what was changed; the files of what came before are gone.
    let builder = Builder::upon(folder.path()).unwrap();
    builder.remove(Kind::Server, 77).unwrap();
    builder.finish().unwrap();
    let last = Index::open(folder.path()).unwrap();
    assert_eq!(ask(&last, "", |_| ()).len(), TOOLS.len() - 1);
    assert_eq!(ask(&last, "update lead", |_| ())[0], "update_lead");
    let folders: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    assert_eq!(folders.len(), 1);
    // And so are those of the parts that became one: each part has a file of words.
    let files = std::fs::read_dir(&folders[0]).unwrap().map(|entry| entry.unwrap().path());
    let words = files.filter(|file| file.extension().is_some_and(|extension| extension == "term"));
    assert_eq!(words.count(), 1, "one part lies on disk");
}

#[test]
fn where_there_is_no_index_none_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Builder::upon(folder.path()), Err(BadIndex::None)));
}
