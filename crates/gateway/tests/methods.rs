//! docs/methods.md is written from the table by which messages are judged.

use gateway::methods::table::document;

#[test]
fn the_document_is_what_messages_are_judged_by() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/methods.md");
    let text = document();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, text, "write docs/methods.md anew: UPDATE_SNAPSHOTS=1 cargo test -p gateway --test methods");
    for method in mcp::method::all() {
        assert!(text.contains(&format!("| `{}` |", method.name)), "{}", method.name);
    }
}
