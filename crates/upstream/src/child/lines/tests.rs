use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use tokio::io::{AsyncWriteExt, DuplexStream};

use super::*;

/// Room for so many bytes, which several share.
#[derive(Clone)]
struct Shared {
    most: usize,
    taken: Arc<AtomicUsize>,
}

struct Part {
    of: Shared,
    held: usize,
}

impl Room for Part {
    fn hold(&mut self, bytes: usize) -> bool {
        let others = self.of.taken.load(Ordering::Relaxed) - self.held;
        if others + bytes > self.of.most {
            return false;
        }
        self.of.taken.store(others + bytes, Ordering::Relaxed);
        self.held = bytes;
        true
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.hold(0);
    }
}

/// A program's stdout, what is passed on of it, and what is told of the rest.
struct Program {
    stdout: DuplexStream,
    passed: mpsc::Receiver<Bytes>,
    told: Arc<Mutex<Vec<String>>>,
    junk: Arc<AtomicU64>,
}

fn program(room: &Shared) -> Program {
    let (stdout, ours) = tokio::io::duplex(1024);
    let (output, passed) = mpsc::channel(256);
    let (told, junk) = (Arc::<Mutex<Vec<String>>>::default(), Arc::default());
    let heard = Arc::clone(&told);
    let sink: JunkSink = Arc::new(move |junk| {
        heard.lock().unwrap().push(match junk {
            Junk::Words(words) => format!("words {}", words.len()),
            Junk::TooLong => "too long".to_owned(),
            Junk::NoRoom(begun) => format!("no room after {}", String::from_utf8_lossy(&begun[..2])),
        });
    });
    let part = Box::new(Part { of: room.clone(), held: 0 });
    tokio::spawn(read_lines(ours, output, Arc::clone(&junk), sink, part));
    Program { stdout, passed, told, junk }
}

fn room(most: usize) -> Shared {
    Shared { most, taken: Arc::default() }
}

/// A message of so many bytes, without its line's end.
fn message(bytes: usize) -> Vec<u8> {
    let mut message = vec![b'x'; bytes];
    message[..2].copy_from_slice(b"{\"");
    message
}

#[tokio::test]
async fn a_line_for_which_there_is_no_room_is_left_out_and_those_after_it_are_not() {
    let room = room(8 * PIECE);
    let (mut one, mut other) = (program(&room), program(&room));
    one.stdout.write_all(&message(6 * PIECE)).await.unwrap();
    // The other one's is left out at once, whatever the first one does.
    other.stdout.write_all(&message(6 * PIECE)).await.unwrap();
    other.stdout.write_all(b"\n{\"short\":1}\n").await.unwrap();
    assert_eq!(other.passed.recv().await.unwrap(), r#"{"short":1}"#);
    assert_eq!(*other.told.lock().unwrap(), ["no room after {\""]);
    assert_eq!(other.junk.load(Ordering::Relaxed), 1);
    // The first one's passes, and leaves its room to the other's next one.
    one.stdout.write_all(b"\n").await.unwrap();
    assert_eq!(one.passed.recv().await.unwrap().len(), 6 * PIECE);
    one.stdout.write_all(b"{}\n").await.unwrap();
    assert_eq!(one.passed.recv().await.unwrap(), "{}");
    other.stdout.write_all(&message(6 * PIECE)).await.unwrap();
    other.stdout.write_all(b"\n").await.unwrap();
    assert_eq!(other.passed.recv().await.unwrap().len(), 6 * PIECE);
    assert!(one.told.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_long_line_keeps_its_room_until_it_is_taken() {
    let room = room(8 * PIECE);
    let mut program = program(&room);
    let writes = tokio::spawn(async move {
        for _ in 0..4 {
            program.stdout.write_all(&message(6 * PIECE)).await.unwrap();
            program.stdout.write_all(b"\n").await.unwrap();
        }
        program.stdout
    });
    // All of them pass, one after the other, because the next one is not read before.
    for _ in 0..4 {
        let line = program.passed.recv().await.unwrap();
        assert_eq!(line.len(), 6 * PIECE);
        assert!(room.taken.load(Ordering::Relaxed) >= 5 * PIECE);
        assert!(program.passed.try_recv().is_err());
    }
    drop(writes.await.unwrap());
    assert!(program.passed.recv().await.is_none());
    assert!(program.told.lock().unwrap().is_empty());
    assert_eq!(room.taken.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_end_gives_the_room_back() {
    let room = room(8 * PIECE);
    let mut program = program(&room);
    program.stdout.write_all(&message(6 * PIECE)).await.unwrap();
    drop(program.stdout);
    assert!(program.passed.recv().await.is_none());
    assert_eq!(room.taken.load(Ordering::Relaxed), 0);
}
