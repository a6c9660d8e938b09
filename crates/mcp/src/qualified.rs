//! Names of tools, prompts and resources where several servers are offered as one.
//!
//! A tool or prompt of a server is called `<server>__<name>`, a resource `mcp+<server>+<uri>`. Both can be taken apart
//! again in one way only, because the id of a server, `[a-z0-9-]{1,40}`, holds neither `_` nor `+`; and both are what
//! readers of names and URIs expect: the first is made of the letters that model interfaces allow, the second begins
//! with what RFC 3986 takes for a scheme wherever the server's own URI does.

use std::borrow::Cow;

use crate::json::{self, Step, replace_strings};

/// What stands between a server and the name of its tool or prompt.
pub const BETWEEN: &str = "__";

/// What the URIs of resources begin with among those of several servers.
pub const SCHEME: &str = "mcp+";

/// The name of a server's tool or prompt among those of several servers.
///
/// ```
/// assert_eq!(mcp::qualified::name("files", "read_file"), "files__read_file");
/// ```
#[must_use]
pub fn name(server: &str, name: &str) -> String {
    [server, BETWEEN, name].concat()
}

/// The server and its own name for a tool or prompt.
///
/// ```
/// assert_eq!(mcp::qualified::split_name("files___hidden"), Some(("files", "_hidden")));
/// assert_eq!(mcp::qualified::split_name("read_file"), None);
/// ```
#[must_use]
pub fn split_name(qualified: &str) -> Option<(&str, &str)> {
    qualified.split_once(BETWEEN).filter(|(server, _)| is_server_id(server))
}

/// The URI, or the template of URIs, of a server's resource among those of several servers.
///
/// ```
/// assert_eq!(mcp::qualified::uri("docs", "file:///a"), "mcp+docs+file:///a");
/// ```
#[must_use]
pub fn uri(server: &str, uri: &str) -> String {
    [SCHEME, server, "+", uri].concat()
}

/// The server and its own URI for a resource.
///
/// ```
/// assert_eq!(mcp::qualified::split_uri("mcp+docs+git+ssh://a/b"), Some(("docs", "git+ssh://a/b")));
/// ```
#[must_use]
pub fn split_uri(qualified: &str) -> Option<(&str, &str)> {
    qualified.strip_prefix(SCHEME)?.split_once('+').filter(|(server, _)| is_server_id(server))
}

/// Whether `id` may name a server: 1 to 40 of `a` to `z`, `0` to `9` and `-`.
#[must_use]
pub fn is_server_id(id: &str) -> bool {
    (1..=40).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Where the URIs of resources stand in what a server sends beside its lists: links and embedded resources of a
/// result, what was read, a resource that was updated.
const URIS: [&[Step]; 7] = {
    use Step::{Each, Key};
    [
        &[Key("result"), Key("content"), Each, Key("uri")],
        &[Key("result"), Key("content"), Each, Key("resource"), Key("uri")],
        &[Key("result"), Key("contents"), Each, Key("uri")],
        &[Key("result"), Key("messages"), Each, Key("content"), Key("uri")],
        &[Key("result"), Key("messages"), Each, Key("content"), Key("resource"), Key("uri")],
        &[Key("params"), Key("uri")],
        &[Key("params"), Key("notifications"), Key("resourceSubscriptions"), Each],
    ]
};

/// A message of a server with its URIs as they are among those of several servers; `None` if it holds none.
///
/// # Errors
/// When `message` is not strict JSON.
pub fn qualify_uris(message: &str, server: &str) -> Result<Option<String>, json::Error> {
    replace_strings(message, &URIS, |plain| Some(uri(server, plain)))
}

/// A list's result with every element renamed: `rename` gives the new name, or `None` to leave it as it is.
///
/// # Errors
/// When `result` is not strict JSON.
pub fn rename_entries(
    result: &str,
    list: &'static str,
    key: &'static str,
    mut rename: impl FnMut(&str) -> Option<String>,
) -> Result<Option<String>, json::Error> {
    let path = [Step::Key(list), Step::Each, Step::Key(key)];
    replace_strings(result, &[&path], |plain| rename(plain))
}

/// A tool's definition with the URI of its page, where it has one (MCP Apps), as it is among those of several servers.
///
/// # Errors
/// When `definition` is not strict JSON.
pub fn qualify_page<'a>(definition: &'a str, server: &str) -> Result<Cow<'a, str>, json::Error> {
    let path = [Step::Key("_meta"), Step::Key("ui"), Step::Key("resourceUri")];
    let changed = replace_strings(definition, &[&path], |plain| Some(uri(server, plain)))?;
    Ok(changed.map_or(Cow::Borrowed(definition), Cow::Owned))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_and_uris_come_apart_as_they_were_put_together(
            server in "[a-z0-9-]{1,40}",
            name in "\\PC{0,80}",
        ) {
            let (tool, page) = (super::name(&server, &name), uri(&server, &name));
            prop_assert_eq!(split_name(&tool), Some((server.as_str(), name.as_str())));
            prop_assert_eq!(split_uri(&page), Some((server.as_str(), name.as_str())));
        }

        #[test]
        fn what_comes_apart_was_put_together(text in "(mcp\\+)?[a-z0-9_+-]{0,20}(__|\\+)?\\PC{0,20}") {
            if let Some((server, name)) = split_name(&text) {
                prop_assert_eq!(super::name(server, name), text.as_str());
            }
            if let Some((server, plain)) = split_uri(&text) {
                prop_assert_eq!(uri(server, plain), text.as_str());
            }
        }
    }

    #[test]
    fn uris_are_renamed_where_they_are_uris() {
        let message = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"file:///a","uri":7},{"type":"resource_link","uri":"file:///a","name":"x"},{"type":"resource","resource":{"uri":"file:\/\/\/b","text":"uri"}}],"structuredContent":{"uri":"file:///a"}}}"#;
        let renamed = qualify_uris(message, "docs").unwrap().unwrap();
        let expected = message
            .replacen(r#""uri":"file:///a","name""#, r#""uri":"mcp+docs+file:///a","name""#, 1)
            .replacen(r#""file:\/\/\/b""#, r#""mcp+docs+file:///b""#, 1);
        assert_eq!(renamed, expected);
        let updated = r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b"}}"#;
        assert!(qualify_uris(updated, "docs").unwrap().unwrap().contains(r#""uri":"mcp+docs+a:b""#));
        let prompt = r#"{"id":1,"result":{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"a:b"}}}]}}"#;
        assert!(qualify_uris(prompt, "docs").unwrap().unwrap().contains("mcp+docs+a:b"));
        assert_eq!(qualify_uris(r#"{"id":1,"result":{"content":[]}}"#, "docs").unwrap(), None);
    }

    #[test]
    fn lists_are_renamed_element_by_element() {
        let list = r#"{"tools":[{"name":"a","inputSchema":{"name":"a"}},{"name":"b"}],"nextCursor":"name"}"#;
        let renamed = rename_entries(list, "tools", "name", |plain| (plain == "a").then(|| "x__a".to_owned())).unwrap();
        assert_eq!(renamed.unwrap(), list.replacen(r#""name":"a""#, r#""name":"x__a""#, 1));
    }
}
