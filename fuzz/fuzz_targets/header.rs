//! A header's value stands for one text, and a text is written so that it is read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp::header::{decode, encode};
use mcp::qualified;
use mcp::trace::TraceContext;

fuzz_target!(|bytes: &[u8]| {
    if let Some(text) = decode(bytes) {
        assert_eq!(decode(encode(&text).as_bytes()).as_deref(), Some(text.as_ref()));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let written = encode(text);
    assert!(written.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    assert_eq!(decode(written.as_bytes()).as_deref(), Some(text));
    if let Some((server, name)) = qualified::split_name(text) {
        assert_eq!(qualified::name(server, name), text);
    }
    if let Some((server, uri)) = qualified::split_uri(text) {
        assert_eq!(qualified::uri(server, uri), text);
    }
    if let Some(context) = TraceContext::parse(text) {
        let known = TraceContext { flags: context.flags & 3, ..context };
        assert_eq!(TraceContext::parse(&context.to_string()), Some(known));
    }
});
