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
    ];
    for (other, wanted) in table {
        let (end, answer) = site.follow(other).await;
        assert_eq!((end.as_str(), answer.status.as_u16()), (wanted, 200), "{other}");
        assert!([301, 308].contains(&site.get(other).await.status.as_u16()), "{other}");
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
    ] {
        assert_eq!(site.get(none).await.status, 404, "{none}");
    }
}
