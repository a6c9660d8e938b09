//! What programs read.

use web::Audience;

use super::corpus::{BASE, small};
use super::html::between;

#[tokio::test]
async fn maps_name_pages_of_the_site_with_their_dates() {
    let site = small(Audience::Everybody).await;
    let robots = site.get("/robots.txt").await.text;
    assert!(robots.contains(&format!("Sitemap: {BASE}/sitemap.xml")), "{robots}");
    let index = site.get("/sitemap.xml").await;
    assert_eq!((index.status.as_u16(), index.kind.as_str()), (200, "application/xml"));
    let maps: Vec<&str> = between(&index.text, "<loc>", "</loc>").collect();
    assert_eq!(maps.len(), 3, "{}", index.text);
    let mut all = Vec::new();
    for map in maps {
        let text = site.get(map.strip_prefix(BASE).unwrap()).await.text;
        all.extend(between(&text, "<loc>", "</loc>").map(str::to_owned));
        for date in between(&text, "<lastmod>", "</lastmod>") {
            assert!(date.starts_with("2026-09-2") && date.ends_with('Z'), "{date}");
        }
    }
    for wanted in ["/", "/class/read/", "/s/acme/notes/", "/s/acme/notes/create_note/", "/glossary/rug-pull/"] {
        assert!(all.contains(&format!("{BASE}{wanted}")), "{wanted}");
    }
    // A server whose tools nobody knows says too little.
    assert!(!all.iter().any(|page| page.contains("acme/empty")));
    for page in all.iter().filter(|page| !page.contains("/s/")) {
        assert_eq!(site.get(page.strip_prefix(BASE).unwrap()).await.status, 200, "{page}");
    }
    for none in ["/sitemap-tools-9.xml", "/sitemap-tools-0.xml", "/sitemap-x-1.xml", "/sitemap-1.xml"] {
        assert_eq!(site.get(none).await.status, 404, "{none}");
    }
}

#[tokio::test]
async fn the_feed_is_well_formed() {
    let site = small(Audience::Everybody).await;
    let feed = site.get("/changes/feed.atom").await;
    assert_eq!((feed.status.as_u16(), feed.kind.as_str()), (200, "application/atom+xml"));
    assert_eq!(feed.text.matches("<entry>").count(), 8);
    assert!(feed.text.contains("create_note of notes: write → destructive"), "{}", feed.text);
    let mut open = Vec::new();
    for tag in between(&feed.text, "<", ">").filter(|tag| !tag.starts_with('?') && !tag.ends_with('/')) {
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None => open.push(tag.split(' ').next().unwrap()),
        }
    }
    assert!(open.is_empty());
}

#[tokio::test]
async fn models_find_their_way_in() {
    let site = small(Audience::Everybody).await;
    let text = site.get("/llms.txt").await.text;
    assert!(text.starts_with("# ") && text.contains("\n> ") && text.len() < 20_000);
    for link in between(&text, "](", ")") {
        assert_eq!(site.get(link.strip_prefix(BASE).unwrap()).await.status, 200, "{link}");
    }
    let server = site.get("/s/acme/notes/llms.txt").await;
    assert_eq!(server.kind, "text/plain; charset=utf-8");
    assert!(server.text.contains("/s/acme/notes/delete_note/index.md): destructive, critical"), "{}", server.text);
}

#[tokio::test]
async fn a_private_site_keeps_robots_out() {
    let site = small(Audience::Members).await;
    assert_eq!(site.get("/robots.txt").await.text, "User-agent: *\nDisallow: /\n");
    assert_eq!(site.get("/sitemap.xml").await.status, 404);
    assert_eq!(site.get("/class/read/").await.robots.as_deref(), Some("noindex"));
}
