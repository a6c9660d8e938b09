//! What is accepted from an agent means to others what is judged here.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp::header;
use mcp::message::{Body, Message, Params, parse_client, parse_upstream, splice};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Body::One(message)) = parse_client(bytes) {
        // Deeper than 127 levels serde_json gives up.
        if let Ok(theirs) = serde_json::from_slice::<Value>(bytes) {
            same(&message, &theirs);
        }
        assert!(parse_upstream(bytes).is_ok(), "servers may send all that agents may");
        again(&message);
    }
    if let Ok(Body::Batch(messages)) = parse_client(bytes) {
        messages.iter().for_each(again);
    }
    if let Ok(Body::One(message)) = parse_upstream(bytes) {
        again(&message);
    }
});

fn same(message: &Message<'_>, theirs: &Value) {
    assert_eq!(theirs["jsonrpc"], "2.0");
    match message {
        Message::Request(request) => {
            assert_eq!(theirs["method"].as_str(), Some(request.method.as_ref()));
            assert_eq!(serde_json::from_str::<Value>(request.id.raw()).unwrap(), theirs["id"]);
            assert!(theirs.get("result").is_none() && theirs.get("error").is_none());
            params(&request.params, theirs);
            let written = header::write(request);
            let written = written.iter().map(|(name, value)| (*name, value.as_bytes()));
            assert_eq!(header::check(request, written), Ok(()));
        }
        Message::Notification(notification) => {
            assert_eq!(theirs["method"].as_str(), Some(notification.method.as_ref()));
            assert!(theirs.get("id").is_none());
            params(&notification.params, theirs);
        }
        Message::Response(_) => assert!(theirs.get("method").is_none() && theirs.get("params").is_none()),
    }
}

fn params(params: &Params<'_>, theirs: &Value) {
    let raw = |raw: Option<&str>, theirs: &Value| {
        if let Some(raw) = raw {
            assert_eq!(&serde_json::from_str::<Value>(raw).unwrap(), theirs);
        }
    };
    let theirs = &theirs["params"];
    raw(params.arguments, &theirs["arguments"]);
    raw(params.meta, &theirs["_meta"]);
    if params.name.is_some() {
        assert_eq!(params.name.as_deref(), theirs["name"].as_str());
    }
    if params.uri.is_some() {
        assert_eq!(params.uri.as_deref(), theirs["uri"].as_str());
    }
    let version = &theirs["_meta"]["io.modelcontextprotocol/protocolVersion"];
    assert_eq!(params.meta_protocol_version.as_deref(), version.as_str());
    // No decoder that folds case may find another name.
    if let (Some(_), Some(members)) = (&params.name, theirs.as_object()) {
        let named = members.keys().filter(|key| key.trim().to_lowercase() == "name").count();
        assert_eq!(named, 1);
    }
}

/// A message stands for itself: read alone, its parts stand where their spans say, and can be replaced.
fn again(message: &Message<'_>) {
    let raw = message.raw();
    let Ok(Body::One(again)) = parse_upstream(raw.as_bytes()) else { panic!("{raw}") };
    assert_eq!(again.raw(), raw);
    if let Message::Request(request) = message {
        assert_eq!(request.id_span.of(raw), request.id.raw());
        let edited = splice(raw, &[(request.id_span.range(), "\"another\"")]).unwrap();
        let Ok(Body::One(Message::Request(edited))) = parse_upstream(edited.as_bytes()) else { panic!("{edited}") };
        assert_eq!(edited.id.raw(), "\"another\"");
        assert_eq!(edited.method, request.method);
        if let Some(span) = request.params.spans.arguments {
            assert_eq!(Some(span.of(raw)), request.params.arguments);
        }
    }
}
