//! Load at a fixed rate: calls are due at even intervals, whether or not earlier ones were answered.
//!
//! `steady-load URL TOKEN RATE SECONDS CONNECTIONS` sends RATE calls a second, each on whichever
//! connection is free, and prints how long answers took **from the moment a call was due**. A
//! server that stalls so delays every call that falls into the stall, as it would in life; a load
//! that waits for answers before it asks again would count one slow call.
//!
//! One thread, and no more work a call than to send a fixed request and to find the end of its
//! answer: load and server share the cores of the machine, and what the load takes from the server
//! would be counted as the server's latency.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use hyper::Uri;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

type Failure = Box<dyn std::error::Error>;

/// The call that `cargo xtask bench` has wrk send.
const BODY: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"update_lead","arguments":{"lead_id":4711,"email":"ann@example.com","custom_fields":{"city":"Lisbon","size":"11-50"}},"_meta":{"progressToken":1}}}"#;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, rate, seconds, connections] = arguments.as_slice() else {
        return Err("steady-load URL TOKEN RATE SECONDS CONNECTIONS".into());
    };
    let (uri, rate): (Uri, u32) = (url.parse()?, rate.parse()?);
    let calls = usize::try_from(u64::from(rate) * seconds.parse::<u64>()?)?;
    let mut connections =
        (0..connections.parse()?).map(|_| Connection::open(&uri)).collect::<Result<Vec<_>, Failure>>()?;
    // Sleep ends when it should, not up to 50 µs later.
    #[cfg(target_os = "linux")]
    rustix::thread::set_current_timer_slack(std::num::NonZero::new(1))?;
    let request = request(&uri, token);
    let (took, failed) = run(&mut connections, &request, rate, calls)?;
    print(took, failed);
    Ok(())
}

/// The bytes of a call, which are the same each time.
fn request(uri: &Uri, token: &str) -> Vec<u8> {
    let host = uri.authority().map_or("", |authority| authority.as_str());
    format!(
        "POST {} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: 2025-06-18\r\n\
         authorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n{BODY}",
        uri.path(),
        BODY.len()
    )
    .into_bytes()
}

/// Sends every call when it is due, or as soon after it as a connection is free: how long each
/// took, and how many were not answered with 200.
fn run(
    connections: &mut [Connection],
    request: &[u8],
    rate: u32,
    calls: usize,
) -> Result<(Vec<Duration>, u64), Failure> {
    let interval = 1.0 / f64::from(rate.max(1));
    let begin = Instant::now();
    #[expect(clippy::cast_precision_loss, reason = "a run has far fewer calls than 2^52")]
    let due = |index: usize| begin + Duration::from_secs_f64(index as f64 * interval);
    let mut free: Vec<usize> = (0..connections.len()).collect();
    let (mut sent, mut took, mut failed) = (0, Vec::with_capacity(calls), 0_u64);
    while took.len() < calls {
        while sent < calls && due(sent) <= Instant::now() {
            let Some(connection) = free.pop().and_then(|index| connections.get_mut(index)) else {
                break;
            };
            connection.send(request, due(sent))?;
            sent += 1;
        }
        // Without a free connection only an answer is of interest.
        let until = (sent < calls && !free.is_empty()).then(|| due(sent).saturating_duration_since(Instant::now()));
        for index in answered(connections, until)? {
            let Some(connection) = connections.get_mut(index) else {
                continue;
            };
            if let Some((since, ok)) = connection.receive()? {
                took.push(since.elapsed());
                failed += u64::from(!ok);
                free.push(index);
            }
        }
    }
    Ok((took, failed))
}

/// The connections that have something to read, after at most `until`.
fn answered(connections: &[Connection], until: Option<Duration>) -> Result<Vec<usize>, Failure> {
    let mut ready: Vec<PollFd<'_>> =
        connections.iter().map(|connection| PollFd::new(&connection.stream, PollFlags::IN)).collect();
    let until = until.map(Timespec::try_from).transpose()?;
    poll(&mut ready, until.as_ref())?;
    Ok(ready.iter().enumerate().filter(|(_, fd)| !fd.revents().is_empty()).map(|(index, _)| index).collect())
}

/// A connection with at most one call on its way.
struct Connection {
    stream: TcpStream,
    due: Instant,
    /// What came of the answer.
    answer: Vec<u8>,
}

impl Connection {
    fn open(uri: &Uri) -> Result<Self, Failure> {
        let stream = TcpStream::connect((uri.host().ok_or("no host")?, uri.port_u16().unwrap_or(80)))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, due: Instant::now(), answer: Vec::new() })
    }

    fn send(&mut self, request: &[u8], due: Instant) -> Result<(), Failure> {
        self.due = due;
        self.answer.clear();
        // A request of half a kilobyte fits into an empty socket buffer: no wait, or an error.
        Ok(self.stream.write_all(request)?)
    }

    /// When the answer is whole: since when it was due, and whether it was 200.
    fn receive(&mut self) -> Result<Option<(Instant, bool)>, Failure> {
        let mut part = [0; 4096];
        match self.stream.read(&mut part) {
            Ok(0) => return Err("the server closed a connection".into()),
            Ok(length) => self.answer.extend_from_slice(part.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let Some(head) = memchr::memmem::find(&self.answer, b"\r\n\r\n") else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(self.answer.get(..head).unwrap_or_default());
        let length: usize = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .ok_or("an answer without content-length")?
            .1
            .trim()
            .parse()?;
        let whole = self.answer.len() >= head + 4 + length;
        Ok(whole.then(|| (self.due, self.answer.starts_with(b"HTTP/1.1 200 "))))
    }
}

fn print(mut took: Vec<Duration>, failed: u64) {
    took.sort_unstable();
    let at = |share: f64| {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index below the length"
        )]
        let index = (took.len() as f64 * share) as usize;
        took.get(index.min(took.len().saturating_sub(1))).map_or(0.0, |took| took.as_secs_f64() * 1e6)
    };
    println!("RESULT {} {failed} {:.1} {:.1} {:.1}", took.len(), at(0.5), at(0.99), at(1.0));
}
