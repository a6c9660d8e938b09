//! Every link of every page leads somewhere, and every page is what a page should be.

use std::collections::{BTreeSet, VecDeque};

use policy::cases::run;
use policy::{Load, load};
use serde_json::Value;
use web::Audience;

use super::corpus::small;
use super::html::{faults, links, snippets};

/// Lists that are narrowed twice are visited, but their links are not followed: they have no end.
fn has_no_end(path: &str) -> bool {
    path.split_once('?').is_some_and(|(_, query)| query.contains('&'))
}

/// What our own engine has against a policy.
fn unsound(path: &str, text: &str) -> Vec<String> {
    let loaded = load(text, Load::default());
    let errors = loaded.diagnostics.iter().filter(|one| one.is_error()).map(|one| format!("{path}: {one:?}"));
    let outcomes = loaded.policy.iter().flat_map(|policy| run(policy, &[])).filter(|outcome| !outcome.passed);
    errors.chain(outcomes.map(|outcome| format!("{path}: {outcome:?}"))).collect()
}

#[tokio::test]
async fn every_link_leads_to_a_page_that_is_sound() {
    let site = small(Audience::Everybody).await;
    let mut known: BTreeSet<String> = BTreeSet::from(["/".to_owned()]);
    let mut queue: VecDeque<String> = VecDeque::from(["/".to_owned()]);
    let (mut wrong, mut pages, mut policies) = (Vec::new(), 0, 0);
    while let Some(path) = queue.pop_front() {
        let (end, answer) = site.follow(&path).await;
        if answer.status != 200 {
            wrong.push(format!("{path}: {}", answer.status));
            continue;
        }
        if path.starts_with("/policy/") {
            policies += 1;
            wrong.extend(unsound(&path, &answer.text));
        }
        if !answer.kind.starts_with("text/html") {
            continue;
        }
        pages += 1;
        wrong.extend(faults(&end, &answer.text));
        // A policy that is cut says so, and links the whole.
        let whole = |text: &&String| text.contains("\"version\": \"1\"") && !text.ends_with('…');
        for snippet in snippets(&answer.text).iter().filter(whole) {
            policies += 1;
            wrong.extend(unsound(&path, snippet));
        }
        if has_no_end(&path) {
            continue;
        }
        for link in links(&answer.text) {
            if known.insert(link.clone()) {
                queue.push_back(link);
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {pages} pages:\n{}", wrong.len(), wrong.join("\n"));
    assert!(pages > 150 && policies > 40, "{pages} pages, {policies} policies");
}

#[tokio::test]
async fn every_page_has_its_twins() {
    let site = small(Audience::Everybody).await;
    let pages = [
        "/",
        "/servers/",
        "/servers/?letter=a",
        "/class/read/",
        "/class/read/?page=2",
        "/severity/critical/",
        "/facet/sends_external/",
        "/attacks/",
        "/attacks/mcp-rug-pull/",
        "/glossary/",
        "/glossary/rug-pull/",
        "/clients/",
        "/clients/cursor/",
        "/changes/",
        "/search/?q=note",
        "/s/acme/notes/",
    ];
    for path in pages {
        let (folder, query) =
            path.split_once('?').map_or((path, String::new()), |(folder, query)| (folder, format!("?{query}")));
        let page = site.get(path).await;
        let markdown = site.get(&format!("{folder}index.md{query}")).await;
        assert_eq!((markdown.status.as_u16(), markdown.kind.as_str()), (200, "text/markdown; charset=utf-8"), "{path}");
        assert!(markdown.text.starts_with("# ") && !markdown.text.contains("<script>"), "{path}: {}", markdown.text);
        let json = site.get(&format!("{folder}index.json{query}")).await;
        assert_eq!((json.status.as_u16(), json.kind.as_str()), (200, "application/json"), "{path}");
        assert!(serde_json::from_str::<Value>(&json.text).unwrap().is_object(), "{path}");
        for file in ["index.md", "index.json"] {
            assert!(page.text.contains(&format!("{folder}{file}")), "{path} names {file}");
        }
    }
}
