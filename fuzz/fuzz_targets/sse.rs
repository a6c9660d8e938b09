//! Events do not depend on how the bytes arrive, and no byte is lost.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp::sse::{Decoder, write_event};

/// The raw bytes, name, data, id, retry.
type Seen = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>, Option<u64>);

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (size, bytes) = (usize::from(input.0).max(1), input.1);
    let (whole, pending, failed) = read(&bytes, bytes.len().max(1));
    assert_eq!(read(&bytes, 1).0, whole);
    let pieces = read(&bytes, size);
    assert_eq!((&pieces.0, pieces.2), (&whole, failed));
    if !failed {
        let raw: Vec<u8> = whole.iter().flat_map(|event| event.0.clone()).chain(pending).collect();
        assert_eq!(raw, bytes);
    }
    for (_, name, data, id, _) in whole {
        let Some(data) = data else { continue };
        let written = write_event(id.as_deref(), name.as_deref(), &data);
        let (again, ..) = read(&written, 3);
        assert_eq!(again.len(), 1);
        assert_eq!((&again[0].1, again[0].2.as_ref(), &again[0].3), (&name, Some(&data), &id));
    }
});

fn read(bytes: &[u8], size: usize) -> (Vec<Seen>, Vec<u8>, bool) {
    let mut decoder = Decoder::new(1 << 16);
    let mut events = Vec::new();
    for chunk in bytes.chunks(size) {
        decoder.push(chunk);
        loop {
            match decoder.next_event() {
                Ok(Some(event)) => events.push((
                    event.raw.to_vec(),
                    event.event.map(<[u8]>::to_vec),
                    event.data.map(|data| data.into_owned()),
                    event.id.map(<[u8]>::to_vec),
                    event.retry,
                )),
                Ok(None) => break,
                Err(_) => return (events, Vec::new(), true),
            }
        }
    }
    (events, decoder.pending().to_vec(), false)
}
