use super::*;
use crate::message::{Body, Message, Outcome, parse_client};
use crate::method::Kind;
use crate::revision::Revision;

fn edited(raw: &str, edit: impl Fn(&Request<'_>) -> Option<String>) -> String {
    let Ok(Body::One(Message::Request(request))) = parse_client(raw.as_bytes()) else { panic!("no request: {raw}") };
    let edited = edit(&request).unwrap();
    assert!(parse_client(edited.as_bytes()).is_ok(), "{edited}");
    edited
}

#[test]
fn a_stateless_request_for_a_legacy_server() {
    for (modern, legacy) in [
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a": 1.0},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
            r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"t","arguments":{"a": 1.0}}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","task":{"ttl":1},"requestState":"s","inputResponses":{},"_meta":{"io.modelcontextprotocol/logLevel":"info","progressToken":7,"traceparent":"00"}}}"#,
            r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"t","_meta":{"progressToken":"x","traceparent":"00"}}}"#,
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, r#"{"jsonrpc":"2.0","id":"x","method":"tools/list"}"#),
    ] {
        assert_eq!(edited(modern, |request| legacy_request(request, "\"x\"")), legacy);
    }
}

#[test]
fn a_legacy_request_for_a_stateless_server() {
    let version = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}}"#;
    for (legacy, modern) in [
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
            format!(r#"{{"params":{{"_meta":{{{version}}}}},"jsonrpc":"2.0","id":1,"method":"tools/list"}}"#),
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","task":{"ttl":1}}}"#,
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"_meta":{{{version}}},"name":"t"}}}}"#
            ),
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"c"}}"#,
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"_meta":{{{version}}},"cursor":"c"}}}}"#
            ),
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"progressToken":1,"io.modelcontextprotocol/logLevel":"debug"}}}"#,
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"_meta":{{{version},"progressToken":1}}}}}}"#
            ),
        ),
    ] {
        assert_eq!(edited(legacy, |request| modern_request(request, r#"{"roots":{}}"#, None, None)), modern);
    }
    let told = edited(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, |request| {
        modern_request(request, "{}", Some(r#"{"name":"n"}"#), Some("info"))
    });
    assert!(told.contains(r#""io.modelcontextprotocol/clientInfo":{"name":"n"}"#), "{told}");
    assert!(told.contains(r#""io.modelcontextprotocol/logLevel":"info""#), "{told}");
}

#[test]
fn results_gain_and_lose_what_the_eras_say_of_them() {
    for (kind, result, modern) in [
        (Kind::ToolsCall, r#"{"content":[]}"#, r#"{"resultType":"complete","content":[]}"#),
        (Kind::Completion, "{}", r#"{"resultType":"complete"}"#),
        (Kind::ToolsCall, r#"{"resultType":"complete"}"#, r#"{"resultType":"complete"}"#),
        (
            Kind::ToolsList,
            r#"{"tools":[]}"#,
            r#"{"ttlMs":5,"cacheScope":"private","resultType":"complete","tools":[]}"#,
        ),
        (
            Kind::ToolsList,
            r#"{"tools":[],"ttlMs":1,"cacheScope":"private"}"#,
            r#"{"resultType":"complete","tools":[],"ttlMs":1,"cacheScope":"private"}"#,
        ),
    ] {
        assert_eq!(modern_result(kind, result, 5).as_deref(), Some(modern));
    }
    assert_eq!(modern_result(Kind::ToolsCall, "[]", 5), None);
    assert_eq!(legacy_result(r#"{"resultType":"complete","content":[]}"#), r#"{"content":[]}"#);
    assert_eq!(modern_error(r#"{"code":-32002,"message":"m"}"#).as_deref(), Some(r#"{"code":-32602,"message":"m"}"#));
    assert_eq!(modern_error(r#"{"code":-32603,"message":"m"}"#), None);
}

#[test]
fn who_a_server_is_in_the_other_era() {
    let initialized = r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{},"tasks":{}},"serverInfo":{"name":"s"},"instructions":"i"}"#;
    assert_eq!(
        discover_result(initialized, 9),
        r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"instructions":"i","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s"}},"ttlMs":9,"cacheScope":"private"}"#
    );
    let discovered = r#"{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"extensions":{}},"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s"}},"instructions":"i"}"#;
    assert_eq!(
        initialize_result(discovered, Revision::V2025_06_18),
        r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s"},"instructions":"i"}"#
    );
}

#[test]
fn questions_go_and_come_back() {
    let asked = Question { method: "elicitation/create".to_owned(), params: Some(r#"{"message":"Who?"}"#.to_owned()) };
    let result = input_required("1", &asked, "state");
    assert_eq!(
        result,
        r#"{"resultType":"input_required","inputRequests":{"1":{"method":"elicitation/create","params":{"message":"Who?"}}},"requestState":"state"}"#
    );
    let requests = member(&result, "inputRequests").unwrap();
    assert_eq!(questions(requests), Some(vec![("1".to_owned(), asked)]));
    assert_eq!(questions(r#"{"1":{"params":{}}}"#), None);
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{}}}"#;
    let next = edited(call, |request| call_with_input(request, "2", Some(r#"{"1":{}}"#), Some("\"s\"")));
    assert_eq!(
        next,
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"inputResponses":{"1":{}},"requestState":"s","name":"t","arguments":{}}}"#
    );
    assert_eq!(input_response("roots/list", Outcome::Result("{}")), Ok("{}".to_owned()));
    let refused = Outcome::Error(r#"{"code":-1,"message":"no"}"#);
    assert_eq!(input_response("sampling/createMessage", refused), Err("no".to_owned()));
    assert_eq!(input_response("elicitation/create", refused), Ok(r#"{"action":"cancel"}"#.to_owned()));
}

#[test]
fn a_subscriptions_tag_is_taken_off() {
    for (tagged, plain) in [
        (
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"s"}}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"u","_meta":{"io.modelcontextprotocol/subscriptionId":1,"a":1}}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"u","_meta":{"a":1}}}"#,
        ),
    ] {
        assert_eq!(legacy_notification(tagged), plain);
    }
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    let tagged = tagged_notification(changed, "7").unwrap();
    assert_eq!(
        legacy_notification(&tagged),
        r#"{"params":{},"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
    );
    let updated =
        r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"u","_meta":{"a":1}}}"#;
    assert_eq!(legacy_notification(&tagged_notification(updated, "\"s\"").unwrap()), updated);
}

#[test]
fn what_an_agent_can_be_asked_is_what_it_declares() {
    for (capabilities, method, params, can) in [
        ("{}", "elicitation/create", None, false),
        (r#"{"elicitation":{}}"#, "elicitation/create", None, true),
        (r#"{"elicitation":{}}"#, "elicitation/create", Some(r#"{"mode":"form"}"#), true),
        (r#"{"elicitation":{}}"#, "elicitation/create", Some(r#"{"mode":"url","url":"https://e.test"}"#), false),
        (r#"{"elicitation":{"url":{}}}"#, "elicitation/create", Some(r#"{"mode":"url"}"#), true),
        (r#"{"elicitation":{"url":{}}}"#, "elicitation/create", None, false),
        (r#"{"elicitation":{"form":{},"url":{}}}"#, "elicitation/create", None, true),
        (r#"{"elicitation":{}}"#, "sampling/createMessage", None, false),
        (r#"{"sampling":{}}"#, "sampling/createMessage", None, true),
        (r#"{"roots":{"listChanged":true}}"#, "roots/list", None, true),
        (r#"{"roots":{}}"#, "vendor/ask", None, false),
    ] {
        let question = Question { method: method.to_owned(), params: params.map(str::to_owned) };
        assert_eq!(can_be_asked(capabilities, &question), can, "{capabilities} {method} {params:?}");
    }
}
