//! Nothing private is found by everybody, by any way.

use std::collections::{BTreeSet, VecDeque};

use web::Audience;

use super::corpus::{BASE, SECRET, small};
use super::html::{between, links};

/// Ways to something private, none of which holds its name.
const QUESTIONS: [&str; 12] = [
    "/search/?q=umbrella",
    "/search/?q=vault&kind=server",
    "/search/?q=purge",
    "/search/?q=hidden",
    "/search/?publisher=hidden",
    "/search/?class=destructive&q=umbrella",
    "/servers/?letter=h",
    "/servers/?letter=v",
    "/changes/2026-09-21/",
    "/changes/2026-09-24/",
    "/sitemap.xml",
    "/changes/feed.atom",
];

#[tokio::test]
async fn everybody_sees_nothing_private_anywhere() {
    let site = small(Audience::Everybody).await;
    let mut known: BTreeSet<String> = QUESTIONS.iter().map(|path| (*path).to_owned()).collect();
    known.insert("/".to_owned());
    let mut queue: VecDeque<String> = known.iter().cloned().collect();
    let mut looked = 0;
    while let Some(path) = queue.pop_front() {
        let mut paths = vec![path.clone()];
        let (folder, query) = path.split_once('?').map_or((path.as_str(), ""), |(folder, query)| (folder, query));
        if folder.ends_with('/') {
            paths.extend(["index.md", "index.json"].map(|file| format!("{folder}{file}?{query}")));
        }
        for path in paths {
            let (_, answer) = site.follow(&path).await;
            looked += 1;
            assert!(!answer.text.to_lowercase().contains(SECRET), "{path} shows what is private");
            let onward = links(&answer.text).into_iter();
            let maps = between(&answer.text, "<loc>", "</loc>").map(|page| page.strip_prefix(BASE).unwrap().to_owned());
            let onward: Vec<String> = onward.chain(maps).filter(|link| !link.contains('&')).collect();
            for link in onward {
                if known.insert(link.clone()) {
                    queue.push_back(link);
                }
            }
        }
    }
    assert!(looked > 300, "{looked}");
}

#[tokio::test]
async fn what_is_private_has_no_address_for_everybody() {
    let site = small(Audience::Everybody).await;
    let members = small(Audience::Members).await;
    for path in ["/s/hidden/vault-zeta/", "/s/hidden/vault-zeta/llms.txt"] {
        assert_eq!(members.get(path).await.status, 200, "{path}");
        assert_eq!(site.get(path).await.status, 404, "{path}");
    }
    assert_eq!(members.get("/tools/vault-zeta/zeta_purge/").await.status, 301);
    assert_eq!(site.get("/tools/vault-zeta/zeta_purge/").await.status, 404);
    // The questions are good ones: members get answers to them.
    let mut found = 0;
    for path in QUESTIONS {
        found += usize::from(members.follow(path).await.1.text.contains(SECRET));
    }
    assert!(found >= 8, "{found}");
}
