use super::*;

/// Bytes, lines, the rest, how many were skipped.
type Row<'a> = (&'a [u8], &'a [&'a str], Option<&'a str>, u64);

fn lines(limit: usize, chunks: &[&[u8]]) -> (Vec<String>, Option<String>, u64) {
    let mut framing = Lines::new(limit);
    let mut found = Vec::new();
    for chunk in chunks {
        framing.push(chunk);
        while let Some(line) = framing.next_line() {
            found.push(String::from_utf8_lossy(line).into_owned());
        }
    }
    let rest = framing.rest().map(|line| String::from_utf8_lossy(line).into_owned());
    assert!(!framing.is_partial());
    (found, rest, framing.skipped())
}

#[test]
fn lines_whatever_the_chunks() {
    let table: [Row<'_>; 10] = [
        (b"", &[], None, 0),
        (b"a\nb\n", &["a", "b"], None, 0),
        (b"a\r\n\r\n \t\nb\n\n", &["a", "b"], None, 0),
        (b"a\rb\n", &["a\rb"], None, 0),
        (b"a\nrest", &["a"], Some("rest"), 0),
        (b"12345678\n12345678\r\n", &["12345678", "12345678"], None, 0),
        (b"123456789\nb\n", &["b"], None, 1),
        (b"123456789\r\nb\n123456789012345678901234567890\nc\n", &["b", "c"], None, 2),
        (b"a\n1234567890", &["a"], None, 1),
        (b"a\n   ", &["a"], None, 0),
    ];
    for (bytes, expected, rest, skipped) in table {
        for size in 1..=bytes.len().max(1) {
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            let (found, left, count) = lines(8, &chunks);
            assert_eq!(found, expected, "{size} {bytes:?}");
            assert_eq!((left.as_deref(), count), (rest, skipped), "{size} {bytes:?}");
        }
    }
}

#[test]
fn a_long_line_leaves_no_memory_behind() {
    const LONG: usize = 8 * 1024 * 1024;
    let mut framing = Lines::new(LONG);
    for long in [LONG, LONG + 100] {
        framing.push(&vec![b'x'; long]);
        framing.push(b"\nnext");
        assert_eq!(framing.next_line().map(<[u8]>::len), (long == LONG).then_some(LONG));
        framing.compact();
        assert!(framing.buffer.capacity() <= 2 * KEPT, "{}", framing.buffer.capacity());
        framing.push(b"\n");
        assert_eq!(framing.next_line(), Some(&b"next"[..]));
    }
    // What has begun is not lost.
    framing.push(&vec![b'y'; LONG]);
    assert_eq!(framing.next_line(), None);
    framing.compact();
    assert_eq!(framing.unfinished().len(), LONG);
}

#[test]
fn a_line_is_left_out_up_to_its_end() {
    let mut framing = Lines::new(100);
    framing.push(b"a\nbegun");
    assert_eq!(framing.next_line(), Some(&b"a"[..]));
    assert_eq!(framing.next_line(), None);
    assert_eq!(framing.unfinished(), b"begun");
    framing.leave_out();
    assert_eq!(framing.unfinished(), b"");
    framing.push(b" and ended\nb\n");
    assert_eq!(framing.next_line(), Some(&b"b"[..]));
    assert_eq!(framing.next_line(), None);
    // Where none has begun there is none to leave out.
    framing.leave_out();
    framing.push(b"c\n");
    assert_eq!(framing.next_line(), Some(&b"c"[..]));
    assert_eq!(framing.skipped(), 0);
}

#[test]
fn an_endless_line_takes_no_memory() {
    let mut framing = Lines::new(100);
    for _ in 0..10_000 {
        framing.push(&[b'x'; 1_000]);
        assert_eq!(framing.next_line(), None);
        assert!(framing.buffer.capacity() < 10_000);
    }
    assert!(framing.is_partial());
    framing.push(b"\nb\n");
    assert_eq!(framing.next_line(), Some(&b"b"[..]));
    assert_eq!(framing.skipped(), 1);
}
