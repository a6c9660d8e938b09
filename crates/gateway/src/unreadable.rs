//! What a server said that is no message: whoever runs the gateway is told, now and then, and a call whose answer it
//! evidently was does not wait for another one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mcp::message::IdKey;
use upstream::child::Junk;

use crate::names;

/// How long nothing more is told after something was.
const QUIET: Duration = Duration::from_secs(60);

/// Characters that are shown of what was said.
const SHOWN: usize = 60;

/// Bytes of it that are judged before so much of it is shown: whoever cuts first may cut what is known by its end.
const JUDGED: usize = 16 * 1024;

/// How deep a line may be nested that is looked through for its id.
const DEEPEST: usize = 512;

/// Why a line was left out that was not too long.
pub(crate) const NO_ROOM: &str =
    "long lines that programs have begun take all of the room for them: 64 MiB of one grant, 256 MiB in all";

/// Counts what was no message, and says when that is to be told.
#[derive(Debug, Default)]
pub(crate) struct Unreadable(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    told: Option<Instant>,
    untold: u64,
}

impl Unreadable {
    /// Notes a line. Gives a sentence when something is to be told, with the beginning of what `judge` leaves of the line.
    pub(crate) fn note(&self, line: Junk<'_>, judge: impl FnOnce(String) -> String) -> Option<String> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.told.is_some_and(|told| told.elapsed() < QUIET) {
            counted.untold += 1;
            return None;
        }
        counted.told = Some(Instant::now());
        let more = match std::mem::take(&mut counted.untold) {
            0 => String::new(),
            1 => "; so was one other since".to_owned(),
            more => format!("; so were {more} others since"),
        };
        drop(counted);
        Some(match line {
            Junk::Words(line) => {
                let beginning = beginning(line, judge);
                format!("it said something that is no message, which was left out: `{beginning}`{more}")
            }
            Junk::TooLong => {
                format!("it wrote a line that is longer than any message may be, which was left out{more}")
            }
            Junk::NoRoom(_) => format!("a long line of it was left out, because {NO_ROOM}{more}"),
        })
    }
}

/// The beginning of a line, so that no terminal takes it for anything else.
fn beginning(line: &[u8], judge: impl FnOnce(String) -> String) -> String {
    let looked_at = line.get(..JUDGED).unwrap_or(line);
    let text = judge(String::from_utf8_lossy(looked_at).into_owned());
    let cut: String = text.chars().take(SHOWN).collect();
    let dots = if cut.len() < text.len() || line.len() > looked_at.len() { "…" } else { "" };
    format!("{}{dots}", audit::visible::shown(&cut))
}

/// The id of the request that an unreadable line evidently answers: the one `id` of its outermost object, which has no
/// `method`. JSON that is broken elsewhere, as by `NaN`, does not hide it.
pub(crate) fn evident_id(line: &[u8]) -> Option<IdKey> {
    let mut scanned = Scan::of(line);
    let mut id = None;
    while let Some((key, value)) = scanned.next_member()? {
        match key {
            b"method" => return None,
            // Two readers could take different ones.
            b"id" if id.is_some() => return None,
            b"id" => id = Some(names::key(std::str::from_utf8(value).ok()?)?),
            _ => {}
        }
    }
    id
}

/// The request that a line answers of which no more than the beginning is there: its id, or `None` within if that had not come
/// yet. `None` when it is no answer, or it cannot be told.
pub(crate) fn begun_answer(begun: &[u8]) -> Option<Option<IdKey>> {
    let mut scanned = Scan::of(begun);
    let (mut id, mut answers) = (None, false);
    while let Some(Some((key, value))) = scanned.next_member() {
        match key {
            b"method" => return None,
            b"id" if id.is_some() => return None,
            b"id" => id = Some(names::key(std::str::from_utf8(value).ok()?)?),
            _ => answers |= is_outcome(key),
        }
    }
    // The value of this one was cut off.
    (answers || is_outcome(scanned.key)).then_some(id)
}

fn is_outcome(key: &[u8]) -> bool {
    matches!(key, b"result" | b"error")
}

/// Looks through the members of an object without understanding their values.
struct Scan<'a> {
    rest: &'a [u8],
    depth: usize,
    /// The key that was read last.
    key: &'a [u8],
}

impl<'a> Scan<'a> {
    fn of(line: &'a [u8]) -> Self {
        Self { rest: line.trim_ascii(), depth: 0, key: &[] }
    }

    /// The next member of the outermost object, and its value; the inner `None` at the end. `None` when it cannot be told.
    fn next_member(&mut self) -> Option<Option<(&'a [u8], &'a [u8])>> {
        loop {
            self.rest = self.rest.trim_ascii_start();
            match *self.rest.first()? {
                b'{' if self.depth == 0 => {
                    self.depth = 1;
                    self.skip(1);
                }
                b'}' if self.depth == 1 => return Some(None),
                b',' if self.depth == 1 => self.skip(1),
                b'"' if self.depth == 1 => {
                    let key = self.string()?;
                    self.key = key;
                    self.rest = self.rest.trim_ascii_start();
                    if *self.rest.first()? != b':' {
                        return None;
                    }
                    self.skip(1);
                    return Some(Some((key, self.value()?)));
                }
                _ => return None,
            }
        }
    }

    /// A value, whatever it is: up to the `,` or `}` that ends it.
    fn value(&mut self) -> Option<&'a [u8]> {
        let (begin, mut inner) = (self.rest, 0_usize);
        loop {
            match *self.rest.first()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' if inner < DEEPEST => inner += 1,
                b'{' | b'[' => return None,
                b',' | b'}' if inner == 0 => {
                    return begin.get(..begin.len() - self.rest.len()).map(<[u8]>::trim_ascii);
                }
                b'}' | b']' => inner = inner.checked_sub(1)?,
                _ => {}
            }
            self.skip(1);
        }
    }

    /// A string, without its quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        let text = self.rest.get(1..)?;
        let mut at = 0;
        loop {
            match *text.get(at)? {
                b'"' => {
                    self.rest = text.get(at + 1..)?;
                    return text.get(..at);
                }
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_where_there_is_no_doubt() {
        for (line, id) in [
            (r#"{"jsonrpc":"2.0","id":7,"result":{"x":NaN}}"#, Some("7")),
            (r#"{"result":{"x":-Infinity,"id":1},"id":"a\"b"}"#, Some(r#""a\"b""#)),
            (r#"{"result":{"t":"} , \"id\": 3"}, "id" : 9 }"#, Some("9")),
            (r#"{"id":7,"id":8,"result":{}}"#, None),
            (r#"{"id":7,"method":"ping","params":NaN}"#, None),
            (r#"{"id":7,"result":{"#, None),
            (r#"{"id":{},"result":1}"#, None),
            (r#"{"result":{"id":7}}"#, None),
            (r#"[{"id":7}]"#, None),
            ("id: 7", None),
            ("", None),
            (r#"{"id"#, None),
            (r#"{"id":"\"#, None),
        ] {
            assert_eq!(evident_id(line.as_bytes()), id.map(|id| names::key(id).unwrap()), "{line}");
        }
        let deep = format!("{{\"id\":1,\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(evident_id(deep.as_bytes()), None);
    }

    #[test]
    fn the_beginning_of_an_answer_tells_whose_it_is() {
        for (begun, id) in [
            (r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","te"#, Some(Some("7"))),
            (r#"{"id":"a","error":{"code":1},"x"#, Some(Some(r#""a""#))),
            (r#"{"result":{"id":1,"method":""#, Some(None)),
            (r#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{"result":"#, None),
            (r#"{"method":"notifications/message","params":{"#, None),
            (r#"{"id":7,"id":8,"result":{"#, None),
            (r#"{"id":7,"params":{"#, None),
            (r#"{"id":7"#, None),
            ("[{", None),
            ("", None),
        ] {
            let id = id.map(|id| id.map(|id| names::key(id).unwrap()));
            assert_eq!(begun_answer(begun.as_bytes()), id, "{begun}");
        }
    }

    #[test]
    fn it_is_told_once_in_a_while_and_safely() {
        let unreadable = Unreadable::default();
        let as_it_is = |text| text;
        let said = unreadable.note(Junk::Words("Listening\u{1b}[31m on \u{202e}3000".as_bytes()), as_it_is).unwrap();
        assert!(said.contains("Listening") && !said.contains('\u{1b}') && !said.contains('\u{202e}'), "{said}");
        for _ in 0..1000 {
            assert_eq!(unreadable.note(Junk::Words(b"x"), as_it_is), None);
        }
        let long = Unreadable::default().note(Junk::Words("é".repeat(1000).as_bytes()), as_it_is).unwrap();
        assert!(long.ends_with("…`") && long.chars().count() < 160, "{long}");
        assert!(Unreadable::default().note(Junk::TooLong, as_it_is).unwrap().contains("longer"));
        assert!(Unreadable::default().note(Junk::NoRoom(b"{"), as_it_is).unwrap().contains("64 MiB of one grant"));
    }

    /// A secret that is longer than what is shown is known by all of it.
    #[test]
    fn it_is_judged_before_it_is_cut() {
        let line = format!("key {} and {}", "s".repeat(500), "x".repeat(100));
        let said =
            Unreadable::default().note(Junk::Words(line.as_bytes()), |text| text.replace(&"s".repeat(500), "[MARK]"));
        assert!(said.unwrap().contains("`key [MARK] and xxx"));
    }
}
