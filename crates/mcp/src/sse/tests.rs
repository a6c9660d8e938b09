use super::*;

type Seen = (Vec<u8>, Option<String>, Option<String>, Option<String>, Option<u64>);

fn seen(event: &Event<'_>) -> Seen {
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
    (event.raw.to_vec(), text(event.event), text(event.data.as_deref()), text(event.id), event.retry)
}

fn decode(limit: usize, bytes: &[u8], size: usize) -> Result<(Vec<Seen>, Vec<u8>), TooLong> {
    let mut decoder = Decoder::new(limit);
    let mut events = Vec::new();
    for chunk in bytes.chunks(size) {
        decoder.push(chunk);
        while let Some(event) = decoder.next_event()? {
            events.push(seen(&event));
        }
    }
    Ok((events, decoder.pending().to_vec()))
}

/// Event name, data and id.
type Fields<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

#[test]
fn events_whatever_the_chunks() {
    let table: &[(&[u8], &[Fields<'_>])] = &[
        (b"data: a\n\n", &[(None, Some("a"), None)]),
        (b"data:a\r\n\r\ndata: b\r\n\r\n", &[(None, Some("a"), None), (None, Some("b"), None)]),
        (b"data:  a\ndata\ndata:b\n\n", &[(None, Some(" a\n\nb"), None)]),
        (b"event: message\nid: 7\nretry: 10\ndata: {}\n\n", &[(Some("message"), Some("{}"), Some("7"))]),
        (b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", &[(None, Some("a"), None), (None, None, None)]),
        (b": hello\n\ndata: a\n\n", &[(None, None, None), (None, None, None), (None, Some("a"), None)]),
        (b"data: a\n: inside\nid: 1\n\n", &[(None, Some("a"), Some("1"))]),
        (b"id: 1\ndata:\n\n", &[(None, Some(""), Some("1"))]),
        (b"id: a\x00b\nid\ndata: x\n\n", &[(None, Some("x"), Some(""))]),
        (b"Data: a\n data: b\ndata : c\nfoo: d\n\n", &[(None, None, None)]),
        (b"data: a\ndata: b", &[]),
        (b"data: a\n\ndata: b\n", &[(None, Some("a"), None)]),
        (b"data: a\n\r\ndata: b\r\n\n", &[(None, Some("a"), None), (None, Some("b"), None)]),
        (b"data: a\rdata: b\r\rdata: c\r\r", &[(None, Some("a\nb"), None), (None, Some("c"), None)]),
        (b"data: a\rdata: b\r\ndata: c\r\n\r\n", &[(None, Some("a\nb\nc"), None)]),
        (b"data: a\r\r\ndata: b\r\n\r\n", &[(None, Some("a"), None), (None, Some("b"), None)]),
    ];
    for (bytes, expected) in table {
        let whole = decode(100, bytes, bytes.len()).unwrap();
        let fields: Vec<Fields<'_>> =
            whole.0.iter().map(|event| (event.1.as_deref(), event.2.as_deref(), event.3.as_deref())).collect();
        assert_eq!(fields, *expected, "{}", bytes.escape_ascii());
        let raw: Vec<u8> = whole.0.iter().flat_map(|event| event.0.clone()).chain(whole.1.clone()).collect();
        assert_eq!(raw, *bytes, "not a byte is lost");
        for size in 1..bytes.len() {
            assert_eq!(decode(100, bytes, size).unwrap(), whole, "{size} {}", bytes.escape_ascii());
        }
    }
}

#[test]
fn nothing_waits_that_is_complete() {
    let mut decoder = Decoder::new(100);
    let mut arrives = |bytes: &[u8]| {
        decoder.push(bytes);
        let mut count = 0;
        while decoder.next_event().unwrap().is_some() {
            count += 1;
        }
        count
    };
    assert_eq!(arrives(b": keep-alive\n"), 1);
    assert_eq!(arrives(b"\n"), 1);
    assert_eq!(arrives(b"data: a\n"), 0);
    assert_eq!(arrives(b"\n"), 1);
    assert_eq!(arrives(b"data: a\r"), 0);
    assert_eq!(arrives(b"\r"), 1, "a bare CR is believed once the stream has shown that it uses them");
    assert_eq!(arrives(b"data: b\r\r"), 1);
}

#[test]
fn retry_is_digits() {
    for (value, retry) in
        [("10", Some(10)), ("", None), ("-1", None), ("1.5", None), ("99999999999999999999999", Some(u64::MAX))]
    {
        let (events, _) = decode(100, format!("retry: {value}\n\n").as_bytes(), 7).unwrap();
        assert_eq!(events[0].4, retry, "{value}");
    }
}

#[test]
fn what_is_a_message() {
    for (text, expected) in [
        ("data: a\n\n", true),
        ("event: message\ndata: a\n\n", true),
        ("event:\ndata\n\n", true),
        ("event: ping\ndata: a\n\n", false),
        ("id: 1\n\n", false),
    ] {
        let mut decoder = Decoder::new(100);
        decoder.push(text.as_bytes());
        assert_eq!(decoder.next_event().unwrap().unwrap().is_message(), expected, "{text}");
    }
}

#[test]
fn an_event_has_a_limit() {
    let event = format!("data: {}\n\n", "x".repeat(12));
    for size in 1..=event.len() {
        assert!(decode(event.len(), event.as_bytes(), size).is_ok());
        assert_eq!(decode(event.len() - 1, event.as_bytes(), size), Err(TooLong { limit: event.len() - 1 }));
    }
    let many = "data: x\n\n".repeat(1000);
    assert!(decode(20, many.as_bytes(), many.len()).is_ok());
    let mut decoder = Decoder::new(20);
    decoder.push(&[b'x'; 21]);
    assert!(decoder.next_event().is_err());
    decoder.push(b"\n\ndata: a\n\n");
    assert!(decoder.next_event().is_err(), "a stream that failed stays failed");
}

#[test]
fn what_is_written_is_what_is_read() {
    for (id, event, data) in [
        (None, None, "{}"),
        (Some("7"), Some("message"), "{\n \"a\":1\r\n}"),
        (Some(""), Some("x"), ""),
        (None, None, "\r\n\n\r"),
        (None, Some("a\ndata: evil"), " leading"),
    ] {
        let bytes = write_event(id.map(str::as_bytes), event.map(str::as_bytes), data.as_bytes());
        let (events, pending) = decode(1000, &bytes, 3).unwrap();
        assert_eq!((events.len(), pending.len()), (1, 0), "{}", bytes.escape_ascii());
        assert_eq!(events[0].1.as_deref(), event.map(|event| event.lines().next().unwrap()));
        assert_eq!(events[0].2.as_deref(), Some(data.replace("\r\n", "\n").replace('\r', "\n").as_str()));
        assert_eq!(events[0].3.as_deref(), id);
    }
    assert_eq!(comment("keep-alive"), b": keep-alive\n\n");
}
