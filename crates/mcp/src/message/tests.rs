use super::*;

fn client(text: &str) -> Result<Body<'_>, Malformed> {
    parse_client(text.as_bytes())
}

fn request(text: &str) -> Request<'_> {
    match client(text) {
        Ok(Body::One(Message::Request(request))) => request,
        other => panic!("{text}: {other:?}"),
    }
}

fn notification(text: &str) -> Notification<'_> {
    match client(text) {
        Ok(Body::One(Message::Notification(notification))) => notification,
        other => panic!("{text}: {other:?}"),
    }
}

/// A request with these members after `jsonrpc` and `id`.
fn with(members: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":7,{members}}}"#)
}

fn call(params: &str) -> String {
    with(&format!(r#""method":"tools/call","params":{params}"#))
}

#[test]
fn a_call_in_full() {
    let text = r#" { "params" : {"arguments":{"path":"/a"} , "_meta":{"progressToken":"p","io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}},"io.modelcontextprotocol/logLevel":"info"},"n\u0061me":"read\u005ffile","requestState":"","inputResponses":{"k":{}},"task":{"ttl":1},"x":0},"method":"tools/call", "id" : "\u0061b" ,"jsonrpc":"2.0" } "#;
    let request = request(text);
    assert_eq!(request.raw, text.trim());
    assert_eq!((request.kind, request.method.as_ref()), (Kind::ToolsCall, "tools/call"));
    assert_eq!((request.id.raw(), request.id.key()), (r#""\u0061b""#, IdKey::String("ab".into())));
    assert_eq!(request.id_span.of(request.raw), r#""\u0061b""#);
    let params = &request.params;
    assert_eq!(params.name.as_deref(), Some("read_file"));
    assert_eq!(params.arguments, Some(r#"{"path":"/a"}"#));
    assert_eq!(params.request_state.as_deref(), Some(""));
    assert_eq!(params.input_responses, Some(r#"{"k":{}}"#));
    assert_eq!(params.task, Some(r#"{"ttl":1}"#));
    assert_eq!(params.progress_token, Some(r#""p""#));
    assert_eq!(params.meta_protocol_version.as_deref(), Some("2026-07-28"));
    assert_eq!(params.meta_client_capabilities, Some(r#"{"roots":{}}"#));
    assert_eq!(params.meta_log_level.as_deref(), Some("info"));
    let spans = params.spans;
    let of = |span: Option<Span>| span.map(|span| span.of(request.raw));
    assert_eq!(of(spans.params), params.raw);
    assert_eq!(of(spans.name), Some(r#""read\u005ffile""#));
    assert_eq!(of(spans.arguments), params.arguments);
    assert_eq!(of(spans.meta), params.meta);
    assert_eq!(of(spans.meta_client_capabilities), params.meta_client_capabilities);
    assert_eq!(of(spans.progress_token), params.progress_token);
    let edited = splice(request.raw, &[(spans.name.unwrap().range(), "\"new\"")]).unwrap();
    assert_eq!(edited.replace("\"new\"", r#""read\u005ffile""#), request.raw);
}

#[test]
fn other_methods_and_their_members() {
    let text = with(r#""method":"resources/read","params":{"uri":"file:///a","name":5}"#);
    assert_eq!(request(&text).params.uri.as_deref(), Some("file:///a"));
    assert_eq!(request(&text).params.name, None, "not a member that this method knows");
    let text = with(r#""method":"tools/list","params":{"cursor":null,"_meta":null}"#);
    assert_eq!((request(&text).params.cursor, request(&text).params.meta), (None, None));
    let text = with(r#""method":"tools/list","params":{"cursor":""}"#);
    assert_eq!(request(&text).params.cursor.as_deref(), Some(""));
    let text = with(r#""method":"tools/list""#);
    assert_eq!(request(&text).params.raw, None);
    let text = with(r#""method":"acme/thing","params":{"name":7,"uri":"x","what":[]}"#);
    assert_eq!(request(&text).kind, Kind::Unknown);
    assert_eq!((request(&text).params.name, request(&text).params.uri.as_deref()), (None, Some("x")));
    let text = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"7","reason":"so"}}"#;
    assert_eq!(notification(text).params.request_id, Some(r#""7""#));
    let text = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":3,"progress":0.5}}"#;
    assert_eq!(notification(text).params.progress_token, Some("3"));
    let completes = |reference: &str| {
        let text = with(&format!(r#""method":"completion/complete","params":{{"ref":{reference},"argument":{{}}}}"#));
        request(&text).params.completes()
    };
    assert_eq!(completes(r#"{"type":"ref/prompt","name":"p"}"#), Some(Reference::Prompt("p".into())));
    assert_eq!(completes(r#"{"type":"ref/resource","uri":"u"}"#), Some(Reference::Resource("u".into())));
    for reference in
        [r#"{"type":"ref/prompt","uri":"u"}"#, r#"{"name":"p"}"#, r#"{"type":"ref/prompt","name":"p","Name":"q"}"#]
    {
        assert_eq!(completes(reference), None, "{reference}");
    }
}

#[test]
fn what_a_subscription_names() {
    let subscribes = |wanted: &str| {
        let text = with(&format!(r#""method":"subscriptions/listen","params":{{"notifications":{wanted}}}"#));
        request(&text).params.subscribes()
    };
    assert_eq!(subscribes("{}"), Some(vec![]));
    assert_eq!(subscribes(r#"{"resourceSubscriptions":null,"toolsListChanged":true}"#), Some(vec![]));
    assert_eq!(subscribes(r#"{"resourceSubscriptions":["a","b"]}"#), Some(vec!["a".into(), "b".into()]));
    for wanted in [
        r#"{"resourceSubscriptions":"a"}"#,
        r#"{"resourceSubscriptions":{"a":1}}"#,
        r#"{"resourceSubscriptions":["a",7]}"#,
        r#"{"ResourceSubscriptions":["a"]}"#,
        r#"{"resourceSubscriptions":[],"resourcesubscriptions":["a"]}"#,
    ] {
        assert_eq!(subscribes(wanted), None, "{wanted}");
    }
}

#[test]
fn what_is_refused_and_with_what_code() {
    let long = "x".repeat(MAX_NAME + 1);
    let long_id = format!("\"{}\"", "x".repeat(MAX_ID - 1));
    let table: Vec<(String, i32, Option<&str>)> = vec![
        // No strict JSON, or no object: nothing is echoed.
        (String::new(), -32700, None),
        (call("{}x"), -32700, Some("7")),
        (call(r#"{"name":"a","name":"b"}"#), -32700, Some("7")),
        ("7".into(), -32600, None),
        ("[]".into(), -32600, None),
        ("[1]".into(), -32600, None),
        (r#"["2.0",1,"tools/call",{}]"#.into(), -32600, None),
        // No message.
        ("{}".into(), -32600, None),
        (r#"{"id":7,"method":"ping"}"#.into(), -32600, Some("7")),
        (r#"{"jsonrpc":"2.0 ","id":7,"method":"ping"}"#.into(), -32600, Some("7")),
        (r#"{"jsonrpc":2.0,"id":7,"method":"ping"}"#.into(), -32600, Some("7")),
        (with(r#""x":1"#), -32600, Some("7")),
        (with(r#""method":"""#), -32600, Some("7")),
        (with(r#""method":7"#), -32600, Some("7")),
        (with(r#""method":null"#), -32600, Some("7")),
        (with(&format!(r#""method":"{long}""#)), -32600, Some("7")),
        (with(r#""method":"ping","params":[]"#), -32600, Some("7")),
        (with(r#""method":"ping","params":null"#), -32600, Some("7")),
        (with(r#""method":"ping","result":{}"#), -32600, Some("7")),
        (with(r#""method":"ping","error":{}"#), -32600, Some("7")),
        (with(r#""method":"notifications/initialized""#), -32600, Some("7")),
        (r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#.into(), -32600, None),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#.into(), -32600, None),
        (r#"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#.into(), -32600, None),
        (r#"{"jsonrpc":"2.0","id":1e2,"method":"ping"}"#.into(), -32600, None),
        (r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#.into(), -32600, None),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#.into(), -32600, None),
        (format!(r#"{{"jsonrpc":"2.0","id":{long_id},"method":"ping"}}"#), -32600, None),
        // Keys of the envelope.
        (with(r#""method":"ping","Method":"x""#), -32600, None),
        (with(r#""method":"ping","ID":8"#), -32600, None),
        (with(r#""method":"ping"," params":{}"#), -32600, None),
        (with(r#""method":"ping","method\u0000":{}"#), -32600, None),
        (with(r#""method":"ping","param\u017f":{}"#), -32600, None),
        (with(r#""method":"ping","é":{}"#), -32600, None),
        (with(r#""method":"ping","__proto__":{}"#), -32600, None),
        // Keys of params.
        (call(r#"{"name":"a","Name":"b"}"#), -32602, Some("7")),
        (call(r#"{"name":"a","NAME ":"b"}"#), -32602, Some("7")),
        (call(r#"{"name":"a","Arguments":{}}"#), -32602, Some("7")),
        (call(r#"{"name":"a","inputresponses":{}}"#), -32602, Some("7")),
        (call(r#"{"name":"a","__proto__":{}}"#), -32602, Some("7")),
        (call(r#"{"name":"a","__PROTO__":{}}"#), -32602, Some("7")),
        (call(r#"{"name":"a","nаme":"b"}"#), -32602, Some("7")),
        (call(r#"{"name":"a","tab\t":"b"}"#), -32602, Some("7")),
        (with(r#""method":"acme/thing","params":{"URI":1}"#), -32602, Some("7")),
        // Members of _meta.
        (call(r#"{"name":"a","_meta":{"io.modelcontextprotocol/ProtocolVersion":"2026-07-28"}}"#), -32602, Some("7")),
        (call(r#"{"name":"a","_meta":{"io.modelcontextprotocol/protocolVersion":1}}"#), -32602, Some("7")),
        (call(r#"{"name":"a","_meta":{"io.modelcontextprotocol/clientCapabilities":[]}}"#), -32602, Some("7")),
        (call(r#"{"name":"a","_meta":{"progresstoken":1}}"#), -32602, Some("7")),
        (call(r#"{"name":"a","_meta":[]}"#), -32602, Some("7")),
        // Types.
        (with(r#""method":"tools/call""#), -32602, Some("7")),
        (call("{}"), -32602, Some("7")),
        (call(r#"{"name":""}"#), -32602, Some("7")),
        (call(r#"{"name":null}"#), -32602, Some("7")),
        (call(r#"{"name":["a"]}"#), -32602, Some("7")),
        (call(&format!(r#"{{"name":"{long}"}}"#)), -32602, Some("7")),
        (call(r#"{"name":"a","arguments":null}"#), -32602, Some("7")),
        (call(r#"{"name":"a","arguments":[]}"#), -32602, Some("7")),
        (call(r#"{"name":"a","arguments":"{}"}"#), -32602, Some("7")),
        (call(r#"{"name":"a","task":null}"#), -32602, Some("7")),
        (call(r#"{"name":"a","requestState":{}}"#), -32602, Some("7")),
        (with(r#""method":"resources/read","params":{}"#), -32602, Some("7")),
        (with(r#""method":"resources/read","params":{"uri":""}"#), -32602, Some("7")),
        (with(r#""method":"prompts/get","params":{"name":1}"#), -32602, Some("7")),
        (with(r#""method":"completion/complete","params":{"ref":"p"}"#), -32602, Some("7")),
        (with(r#""method":"tools/list","params":{"cursor":1}"#), -32602, Some("7")),
        (with(r#""method":"tasks/get","params":{}"#), -32602, Some("7")),
        (with(r#""method":"initialize","params":{"protocolVersion":1}"#), -32602, Some("7")),
        // Responses.
        (with(r#""result":{},"error":{}"#), -32600, None),
        (with(r#""result":[]"#), -32600, None),
        (with(r#""error":"x""#), -32600, None),
        (with(r#""result":{},"params":{}"#), -32600, None),
        (r#"{"jsonrpc":"2.0","result":{}}"#.into(), -32600, None),
        (r#"{"jsonrpc":"2.0","id":null,"result":{}}"#.into(), -32600, None),
    ];
    for (text, code, id) in table {
        let malformed = client(&text).expect_err(&text);
        assert_eq!((malformed.code, malformed.id.as_deref()), (code, id), "{text}: {malformed}");
    }
}

#[test]
fn what_passes_although_it_is_odd() {
    let name = "é".repeat(MAX_NAME);
    for text in [
        call(r#"{"name":"a","x-other":1,"Other Thing":2,"uri":7}"#),
        call(r#"{"name":"a","arguments":{"Name":1,"é":2,"__proto__":3,"name ":4}}"#),
        call(r#"{"name":"a","_meta":{"é":1,"Trace":2}}"#),
        call(&format!(r#"{{"name":"{name}"}}"#)),
        with(r#""method":"ping","extra":{"Method":1}"#),
        with(r#""method":"tools/list","params":{"NAME":1}"#),
    ] {
        request(&text);
    }
    for id in ["\"\"", "-0", "0", "\"é\"", "\"\\u0000\"", "18446744073709551616", "\" 1\""] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        assert_eq!(request(&text).id.raw(), id);
    }
}

#[test]
fn ids_compare_by_type_and_value() {
    let id = |raw: &'static str| Id::parse(raw).unwrap();
    for (one, other) in [("1", "1"), ("-0", "0"), ("\"a\"", "\"\\u0061\""), ("\"\\\"\"", "\"\\u0022\"")] {
        assert_eq!(id(one), id(other));
        assert_eq!(id(one).key(), id(other).key());
    }
    for (one, other) in [
        ("1", "\"1\""),
        ("1", "-1"),
        ("\"a\"", "\"A\""),
        ("9007199254740992", "9007199254740993"),
        ("\"\"", "\"\\\"\""),
    ] {
        assert_ne!(id(one), id(other));
        assert_ne!(id(one).key(), id(other).key());
    }
    for raw in ["", "null", "1.0", "1e2", "01", "-", "+1", " 1", "\"a", "a", "true", "[]", "\"\\ud800\""] {
        assert_eq!(Id::parse(raw), None, "{raw}");
    }
}

#[test]
fn batches() {
    let element =
        |id: &str| format!(r#" {{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"a"}}}} "#);
    let text = format!("[{},{}]", element("1"), element("\"1\""));
    let Ok(Body::Batch(messages)) = client(&text) else { panic!() };
    assert_eq!(messages.len(), 2);
    let Message::Request(second) = &messages[1] else { panic!() };
    assert_eq!(second.raw, element("\"1\"").trim());
    assert_eq!(second.params.spans.name.unwrap().of(second.raw), "\"a\"");
    for text in [
        format!("[{},{}]", element("1"), element("1")),
        format!("[{},7]", element("1")),
        format!("[{},[{}]]", element("1"), element("2")),
        format!("[{}]", vec![r#"{"jsonrpc":"2.0","method":"x"}"#; MAX_BATCH + 1].join(",")),
    ] {
        assert_eq!(client(&text).expect_err(&text).code, -32600);
    }
    let text = format!("[7,{}x]", element("1"));
    assert_eq!(client(&text).expect_err(&text).code, -32700, "a fault of the JSON comes before one of the messages");
}

#[test]
fn what_servers_send() {
    let response = |text: &'static str| match parse_upstream(text.as_bytes()) {
        Ok(Body::One(Message::Response(response))) => response,
        other => panic!("{text}: {other:?}"),
    };
    let read = response(r#"{"jsonrpc":"2.0","id":"\u0031","result":{"tools":[]}}"#);
    assert_eq!(read.id.map(|id| id.key()), Some(IdKey::String("1".into())));
    assert_eq!(read.outcome, Outcome::Result(r#"{"tools":[]}"#));
    let read = response(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":""}}"#);
    assert_eq!((read.id, read.outcome), (None, Outcome::Error(r#"{"code":-32700,"message":""}"#)));
    let read = response(r#"{"jsonrpc":"2.0","error":{}}"#);
    assert_eq!((read.id, read.id_span), (None, None));
    // The members of params are the client's business, but ambiguity of the JSON is not.
    let text = br#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"name":5,"Name":6,"_meta":[]}}"#;
    assert!(matches!(parse_upstream(text), Ok(Body::One(Message::Request(_)))));
    for text in [
        r#"{"jsonrpc":"2.0","id":1,"result":{},"Result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"roots/list","params":[]}"#,
    ] {
        assert!(parse_upstream(text.as_bytes()).is_err(), "{text}");
    }
}

/// What each revision has, as its schema does: requests of agents, requests of servers, notifications of agents and of
/// servers; 2026-07-28 with the tasks extension.
#[test]
fn each_revision_has_its_methods_and_no_others() {
    use crate::method::{Sender, all};
    use crate::revision::Revision;
    let lists = "prompts/list resources/list resources/templates/list tools/list";
    let calls = "completion/complete prompts/get resources/read tools/call";
    let legacy = "initialize logging/setLevel ping resources/subscribe resources/unsubscribe";
    let asides = "notifications/cancelled notifications/progress";
    let from_client = format!("{asides} notifications/initialized notifications/roots/list_changed");
    let from_server = format!(
        "{asides} notifications/message notifications/prompts/list_changed notifications/resources/list_changed \
         notifications/resources/updated notifications/tools/list_changed"
    );
    let tasks = "tasks/cancel tasks/get tasks/list tasks/result";
    let asked = "ping roots/list sampling/createMessage";
    let early = [format!("{lists} {calls} {legacy}"), asked.into(), from_client.clone(), from_server.clone()];
    let with_elicitation = [
        format!("{lists} {calls} {legacy}"),
        format!("{asked} elicitation/create"),
        from_client.clone(),
        from_server.clone(),
    ];
    let with_tasks = [
        format!("{lists} {calls} {legacy} {tasks}"),
        format!("{asked} elicitation/create {tasks}"),
        format!("{from_client} notifications/tasks/status"),
        format!("{from_server} notifications/elicitation/complete notifications/tasks/status"),
    ];
    let modern = [
        format!("{lists} {calls} server/discover subscriptions/listen tasks/cancel tasks/get tasks/update"),
        String::new(),
        asides.into(),
        format!("{from_server} notifications/subscriptions/acknowledged notifications/tasks"),
    ];
    for (revision, expected) in [
        (Revision::V2024_11_05, &early),
        (Revision::V2025_03_26, &early),
        (Revision::V2025_06_18, &with_elicitation),
        (Revision::V2025_11_25, &with_tasks),
        (Revision::V2026_07_28, &modern),
    ] {
        let places = [(Sender::Client, false), (Sender::Server, false), (Sender::Client, true), (Sender::Server, true)];
        for ((by, notification), expected) in places.into_iter().zip(expected) {
            let mut has: Vec<&str> = all()
                .iter()
                .filter(|method| method.is_sent(revision, by) && method.notification == notification)
                .map(|method| method.name)
                .collect();
            has.sort_unstable();
            let mut expected: Vec<&str> = expected.split_whitespace().collect();
            expected.sort_unstable();
            assert_eq!(has, expected, "{revision:?} {notification}");
        }
    }
}

#[test]
fn the_table_of_methods_is_whole() {
    use crate::method::{Sender, all, find, lookup};
    use crate::revision::Revision;
    for (position, method) in all().iter().enumerate() {
        assert_eq!(all().iter().position(|other| other.name == method.name), Some(position), "{}", method.name);
        assert_eq!(method.notification, method.name.starts_with("notifications/"));
        assert!(method.since <= method.until);
    }
    assert_eq!(lookup("tools/Call"), Kind::Unknown);
    assert_eq!(find("roots/list").map(|method| method.sender), Some(Sender::Server));
    let exists = |name: &str, revision| find(name).is_some_and(|method| method.exists_in(revision));
    assert!(exists("initialize", Revision::V2025_11_25) && !exists("initialize", Revision::V2026_07_28));
    assert!(!exists("tasks/update", Revision::V2025_11_25) && exists("tasks/update", Revision::V2026_07_28));
    assert!(Revision::V2025_03_26.allows_batch() && !Revision::V2025_06_18.allows_batch());
    for revision in Revision::ALL {
        assert_eq!(Revision::parse(revision.as_str()), Some(revision));
    }
    for member in member::Member::ALL {
        assert_eq!(member::Member::of_key(member.key()), Some(member));
        assert_eq!(member::Member::ALL[member.index()], member);
    }
}
