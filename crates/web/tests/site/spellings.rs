//! Other spellings of an address lead to the one that a page has.

use web::Audience;

use super::corpus::small;

#[tokio::test]
async fn every_spelling_leads_to_the_page() {
    let site = small(Audience::Everybody).await;
    let table = [
        ("/class/Write/", "/class/write/"),
        ("/Class/WRITE", "/class/write/"),
        ("/classes/write", "/class/write/"),
        ("/class/write/index.html", "/class/write/"),
        ("/severity/Critical", "/severity/critical/"),
        ("/facet/reads-private/", "/facet/reads_private/"),
        ("/facet/external-communication/", "/facet/sends_external/"),
        ("/attacks/MCP_Rug_Pull/", "/attacks/mcp-rug-pull/"),
        ("/attack/mcp-rug-pull", "/attacks/mcp-rug-pull/"),
        ("/Glossary/Rug_Pull/", "/glossary/rug-pull/"),
        ("/clients/Claude_Code/", "/clients/claude-code/"),
        ("/SERVERS", "/servers/"),
        ("/S/acme/notes/", "/s/acme/notes/"),
        ("/s/Acme/notes/", "/s/acme/notes/"),
        ("/S/Acme/Notes/Delete_Note", "/s/acme/notes/delete_note/"),
        ("/S/Acme/Notes?page=2", "/s/acme/notes/?page=2"),
        ("/Class/WRITE/index.md", "/class/write/index.md"),
        ("/SEVERITY/Low/index.html", "/severity/low/"),
        ("/server?letter=n", "/servers/?letter=n"),
    ];
    for (other, wanted) in table {
        // One hop, for good.
        let moved = site.get(other).await;
        assert_eq!((moved.status.as_u16(), moved.location.as_deref()), (301, Some(wanted)), "{other}");
        assert_eq!(site.get(wanted).await.status, 200, "{other}");
    }
    let tools =
        [("notes/delete_note", "delete_note/"), ("notes/Delete-Note", "delete_note/"), ("notes/no_such_tool", "")];
    for (other, wanted) in tools {
        let moved = site.get(&format!("/tools/{other}/")).await;
        assert_eq!(moved.location, Some(format!("/s/acme/notes/{wanted}")), "{other}");
    }
    for none in [
        "/class/harmless/",
        "/facet/x/",
        "/attacks/x/",
        "/glossary/x/",
        "/clients/x/",
        "/changes/x/",
        "/tools/x/y/",
        "/x.txt/",
        "/x",
        "/Class/Harmless",
        "/%ff/",
        "/class/%ff/",
        "/s/acme/%ff/",
        "/s/%zz/%/",
        "/policy/notes/never.json",
        "/class/read/?page=99",
        "/servers/?page=99",
        "/changes/?page=99",
        "/s/acme/notes/?page=99",
        "/s/acme/empty/?page=2",
        "/stack/?s=notes&page=99",
        "/search/?q=note&page=99",
        "/search/?q=note&page=18446744073709551615",
    ] {
        let answer = site.get(none).await;
        assert_eq!(answer.status, 404, "{none}");
        assert_eq!((answer.text.contains("Nothing is here"), answer.location), (true, None), "{none}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_form_that_was_asked_for() {
    let site = small(Audience::Everybody).await;
    let folders = ["/class/read/", "/servers/", "/changes/", "/search/", "/s/acme/notes/", "/stack/"];
    for folder in folders {
        for page in ["-1", "0", "x", "", "1e3", "99999999999999999999999"] {
            for (file, kind, begins) in [
                ("", "text/html; charset=utf-8", "<!DOCTYPE html>"),
                ("index.md", "text/markdown; charset=utf-8", "# This cannot be answered"),
                ("index.json", "application/json", "{\n  \"status\": 400,"),
            ] {
                let path = format!("{folder}{file}?page={page}");
                let answer = site.get(&path).await;
                assert_eq!((answer.status.as_u16(), answer.kind.as_str()), (400, kind), "{path}");
                assert!(
                    answer.text.starts_with(begins) && answer.text.contains("must be a whole number from 1 on"),
                    "{path}: {}",
                    answer.text
                );
            }
        }
    }
    for (path, kind) in [
        ("/nothing/index.md", "text/markdown; charset=utf-8"),
        ("/nothing/index.json", "application/json"),
        ("/policy/notes/never.json", "application/json"),
        ("/stack/never/x.json", "application/json"),
        ("/class/%ff/index.json", "application/json"),
    ] {
        let answer = site.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.kind.as_str()), (404, kind), "{path}");
    }
}

#[tokio::test]
async fn what_is_no_page_has_no_address_of_its_own() {
    for audience in [Audience::Everybody, Audience::Members] {
        let site = small(audience).await;
        for (path, status) in [
            ("/nothing/", 404),
            ("/servers/?page=0", 400),
            ("/servers/?letter=%00", 400),
            ("/search/?class=foo", 400),
            ("/search/?limit=51", 400),
            ("/search/?since=99999999999d", 400),
            ("/stack/?unknown=99999999999", 400),
            ("/stack/?unknown=1001", 400),
        ] {
            let answer = site.get(path).await;
            assert_eq!((answer.status.as_u16(), answer.robots.as_deref()), (status, Some("noindex")), "{path}");
            for none in ["canonical", "og:url", "alternate", "index.md", "index.json", "\\u{0}"] {
                assert!(!answer.text.contains(none), "{path} has {none}: {}", answer.text);
            }
            assert!(answer.text.contains("<meta name=\"robots\" content=\"noindex\">"), "{path}: {}", answer.text);
        }
        let page = site.get("/servers/").await.text;
        assert!(page.contains("rel=\"canonical\"") && page.contains("index.json"), "{page}");
    }
    let site = small(Audience::Everybody).await;
    let text = site.get("/servers/?licence=nobodys").await.text;
    assert!(text.contains("must be what a server of this catalogue has: <code>"), "{text}");
    assert!(!text.contains("zeta"), "what is private is not named: {text}");
    // What a hostile entry says of itself is made visible once.
    let page = site.get("/servers/?licence=%22%3E%3Cb%3EMIT").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert_eq!(site.get("/stack/?unknown=1000").await.status, 200);
}
