use super::*;

const TOOLS: &str = r#"{ "_meta":{}, "tools" : [ {"name":"a", "description":"A\u0021","inputSchema":{"type":"object"},"annotations":{"destructiveHint":true}} ,{"inputSchema":{ } , "name":"b\u0062"},
 7, {"title":"no name"}, {"name":"c","Name":"d"}, {"name":5}, {"name":"c"}] , "nextCursor":"" ,"ttlMs": 300000,"cacheScope":"public","x":[1 ,2] }"#;

#[test]
fn tools_as_listed() {
    let list = tools(TOOLS).unwrap();
    let names: Vec<&str> = list.entries.iter().map(|tool| tool.name.as_ref()).collect();
    assert_eq!(names, ["a", "bb", "c"]);
    assert_eq!(list.unreadable, 4);
    assert_eq!(list.next_cursor.as_deref(), Some(""));
    assert_eq!((list.ttl_ms, list.cache_scope.as_deref()), (Some(300_000), Some("public")));
    let [first, second, third] = list.entries.as_slice() else { panic!() };
    assert_eq!(first.description.as_deref(), Some("A!"));
    assert_eq!(first.input_schema, Some(r#"{"type":"object"}"#));
    assert_eq!((first.destructive_hint(), second.destructive_hint()), (Some(true), None));
    assert_eq!(third.raw, r#"{"name":"c"}"#);
}

#[test]
fn what_is_kept_stays_byte_for_byte() {
    let list = tools(TOOLS).unwrap();
    let (before, rest) = TOOLS.split_once(" {\"name\":\"a\"").unwrap();
    let (_, after) = rest.split_once("] , \"nextCursor\"").unwrap();
    let around = |inside: &str| format!("{before}{inside}] , \"nextCursor\"{after}");
    let raw: Vec<&str> = list.entries.iter().map(|tool| tool.raw).collect();
    assert_eq!(list.retain(|_| true), around(&raw.join(",")));
    assert_eq!(list.retain(|tool| tool.name == "bb"), around(raw[1]));
    assert_eq!(list.retain(|_| false), around(""));
    let private = list.retain_private(|tool| tool.name == "bb", 60_000);
    assert_eq!(private, around(raw[1]).replace("public", "private").replace(" 300000", " 60000"));
    let whole = r#"{"tools":[ {"name":"a"} , {"name":"b"} ],"cacheScope":"private","ttlMs":0}"#;
    assert!(
        matches!(tools(whole).unwrap().retain_private(|_| true, 1), std::borrow::Cow::Borrowed(text) if text == whole)
    );
    // Labels that cannot be read are replaced, whatever they were.
    let odd = r#"{"tools":[],"cacheScope":["public"],"ttlMs":"forever"}"#;
    assert_eq!(tools(odd).unwrap().retain_private(|_| true, 1), r#"{"tools":[],"cacheScope":"private","ttlMs":1}"#);
}

#[test]
fn other_lists() {
    let list = prompts(r#"{"prompts":[{"name":"p","arguments":[]}]}"#).unwrap();
    assert_eq!((list.entries[0].name.as_ref(), list.next_cursor.is_none()), ("p", true));
    let list = resources(r#"{"resources":[{"name":"r","uri":"file:///a"},{"name":"r"}]}"#).unwrap();
    assert_eq!((list.entries[0].name.as_ref(), list.unreadable), ("file:///a", 1));
    let list = templates(r#"{"resourceTemplates":[{"uriTemplate":"file:///{path}","name":"t"}]}"#).unwrap();
    assert_eq!(list.entries[0].name, "file:///{path}");
    assert_eq!(list.retain(|_| false), r#"{"resourceTemplates":[]}"#);
    let list = resources("{}").unwrap();
    assert_eq!((list.entries.len(), list.retain(|_| false).as_ref()), (0, "{}"));
}

#[test]
fn lists_that_could_show_something_else() {
    for text in [
        "[]",
        "null",
        r#"{"tools":{}}"#,
        r#"{"tools":null}"#,
        r#"{"tools":[],"Tools":[{}]}"#,
        r#"{"tools":[],"tool\u017f":[{}]}"#,
        r#"{"tools":[]} x"#,
        r#"{"tools":[{"a":1,"a":2}]}"#,
    ] {
        assert!(tools(text).is_err(), "{text}");
    }
}

#[test]
fn calls() {
    let read = |text| call(text).unwrap();
    assert_eq!(read(r#"{"content":[]}"#), Call::default());
    assert!(read(r#"{"isError":true}"#).is_error && !read(r#"{"isError":false}"#).is_error);
    assert!(read(r#"{"resultType":"complete"}"#).is_complete());
    let text = r#"{"resultType":"input_required","inputRequests":{"k":{"method":"sampling/createMessage","params":{}},"l":{"method":"x","Method":"y"},"m":7},"requestState":"s"}"#;
    let waiting = read(text);
    assert!(!waiting.is_complete());
    let requests = input_requests(waiting.input_requests.unwrap()).unwrap();
    let expected = [("k", "sampling/createMessage"), ("l", ""), ("m", "")];
    assert_eq!(requests, expected.map(|(key, method)| (key.to_owned(), method.to_owned())));
    for text in [r#"{"resultType":"task","taskId":"t1"}"#, r#"{"task":{"ttl":1,"taskId":"t1"}}"#] {
        assert_eq!(read(text).task_id.map(|span| span.of(text)), Some("\"t1\""));
        assert!(!read(text).is_complete());
    }
    assert_eq!(read("[]"), Call::default());
    assert!(call("{").is_err());
}

#[test]
fn only_the_gateway_speaks_under_its_prefix() {
    let strip = |text| strip_meta(text, "toolgate/").unwrap();
    let table = [
        (r#"{"result":{"_meta":{"toolgate/decision":{"a":[1]},"x":1}}}"#, r#"{"result":{"_meta":{"x":1}}}"#),
        (r#"{"_meta":{"x":1 , "toolgate\/decision":1}}"#, r#"{"_meta":{"x":1}}"#),
        (r#"{"_meta":{"\u0074oolgate/a":1,"toolgat\u0065/b":2}}"#, r#"{"_meta":{}}"#),
        (r#"{"\u005fmeta":{"toolgate/a":1}}"#, r#"{"\u005fmeta":{}}"#),
        (
            r#"[{"content":[{"_meta":{"toolgate/":1,"y":{"toolgate/in":1}}}]}]"#,
            r#"[{"content":[{"_meta":{"y":{"toolgate/in":1}}}]}]"#,
        ),
        (r#"{"_meta":{"y":{"_meta":{"toolgate/in":1}}}}"#, r#"{"_meta":{"y":{"_meta":{}}}}"#),
    ];
    for (text, rest) in table {
        assert_eq!(strip(text).as_deref(), Some(rest), "{text}");
    }
    for text in [
        r#"{"_meta":{"x":1}}"#,
        r#"{"text":"toolgate/decision"}"#,
        r#"{"toolgate/decision":1}"#,
        r#"{"_meta":{"toolgate":1}}"#,
        r#"{"_meta":"toolgate/"}"#,
        r#"{"_meta":[{"toolgate/":1}]}"#,
        "\"\\u001b\"",
    ] {
        assert_eq!(strip(text), None, "{text}");
    }
}

#[test]
fn capabilities() {
    let raw = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"Resources":{},"resources":{"subscribe":true,"listChanged":true},"logging":{}},"tools":1}"#;
    let without = without_capabilities(raw, &[&["tools"], &["resources", "subscribe"], &["logging"]]).unwrap();
    assert_eq!(
        without.as_deref(),
        Some(
            r#"{"protocolVersion":"2025-11-25","capabilities":{"Resources":{},"resources":{"listChanged":true}},"tools":1}"#
        )
    );
    assert_eq!(without_capabilities(raw, &[&["prompts"]]).unwrap(), None);
    let without = without_capabilities(raw, &[&["resources"]]).unwrap();
    assert_eq!(
        without.as_deref(),
        Some(
            r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"logging":{}},"tools":1}"#
        )
    );
    let raw = r#"{"sampling":{},"roots":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#;
    let without = without_members(raw, &[&["sampling"], &["extensions", "io.modelcontextprotocol/tasks"]]).unwrap();
    assert_eq!(without.as_deref(), Some(r#"{"roots":{},"extensions":{}}"#));
}
