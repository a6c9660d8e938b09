//! What is translated between the eras stays strict JSON, and asks for what it asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp::json;
use mcp::message::{Body, Message, Outcome, Request, parse_client, parse_upstream};
use mcp::qualified;
use mcp::revision::Revision;
use mcp::translate;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Body::One(Message::Request(request))) = parse_client(bytes) {
        let legacy = translate::legacy_request(&request, "7");
        let modern = translate::modern_request(&request, "{}", Some("{\"name\":\"a\"}"), Some("info"));
        for text in legacy.iter().chain(&modern) {
            same(&request, text);
        }
    }
    let Ok(Body::One(message)) = parse_upstream(bytes) else { return };
    match &message {
        Message::Response(response) => match response.outcome {
            Outcome::Result(result) => {
                read(&translate::legacy_result(result));
                if let Some(questions) = translate::questions(result) {
                    for (key, question) in questions {
                        read(&translate::input_required(&key, &question, "state"));
                    }
                }
                if json::parse(result).is_ok_and(|result| result.as_object().is_some()) {
                    read(&translate::initialize_result(result, Revision::V2025_11_25));
                    read(&translate::discover_result(result, 1000));
                    for kind in [mcp::method::Kind::ToolsList, mcp::method::Kind::ToolsCall] {
                        translate::modern_result(kind, result, 1000).iter().for_each(|text| read(text));
                    }
                }
            }
            Outcome::Error(error) => translate::modern_error(error).iter().for_each(|text| read(text)),
        },
        Message::Notification(notification) => {
            read(&translate::legacy_notification(notification.raw));
            translate::tagged_notification(notification.raw, "\"a\"").iter().for_each(|text| read(text));
        }
        Message::Request(_) => {}
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        qualified::qualify_uris(text, "files").unwrap().iter().for_each(|text| read(text));
    }
});

fn same(request: &Request<'_>, text: &str) {
    let Ok(Body::One(Message::Request(other))) = parse_client(text.as_bytes()) else { panic!("no request: {text}") };
    assert_eq!(other.method, request.method);
    assert_eq!(other.params.name, request.params.name);
    assert_eq!(other.params.uri, request.params.uri);
    assert_eq!(other.params.arguments, request.params.arguments);
}

fn read(text: &str) {
    assert!(json::parse(text).is_ok(), "{text}");
}
