//! HTTP/1.1 as bytes: heads, bodies and chunks, for a client and a server that hide nothing.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// Header fields in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first field of that name, in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All fields of that name, in any case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether there is such a field.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// The first line and the header fields of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The request line or the status line.
    pub first: String,
    /// The fields. Bytes beyond ASCII are read as Latin-1.
    pub headers: Headers,
}

impl Head {
    fn parse(bytes: &[u8]) -> Self {
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        Self { first, headers: Headers(headers) }
    }

    /// The status of a status line.
    pub fn status(&self) -> Option<u16> {
        self.first.split(' ').nth(1)?.parse().ok()
    }

    /// The method of a request line.
    pub fn method(&self) -> &str {
        self.first.split(' ').next().unwrap_or_default()
    }

    /// The target of a request line.
    pub fn target(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }
}

/// How the body of a message is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Empty,
    Length(usize),
    Chunked,
    UntilClose,
}

/// The reading side of one connection.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    pending: Vec<u8>,
    /// Every byte that was read, in order.
    pub seen: Vec<u8>,
}

/// What one read brought.
enum Got {
    Bytes,
    End,
    Silence,
}

impl Wire {
    /// Reads from `stream`.
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, pending: Vec::new(), seen: Vec::new() }
    }

    fn fill(&mut self, deadline: Instant) -> anyhow::Result<Got> {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(left))?;
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Ok(Got::End),
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                self.pending.extend_from_slice(bytes);
                self.seen.extend_from_slice(bytes);
                Ok(Got::Bytes)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(Got::Silence),
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => Ok(Got::End),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Got::Bytes),
            Err(error) => Err(error.into()),
        }
    }

    /// The next head, or `None` when the peer has closed.
    ///
    /// # Errors
    /// When nothing comes within `patience`, or the connection ends inside a head.
    pub fn head(&mut self, patience: Duration) -> anyhow::Result<Option<Head>> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(end) = find(&self.pending, b"\r\n\r\n") {
                let bytes: Vec<u8> = self.pending.drain(..end + 4).collect();
                return Ok(Some(Head::parse(bytes.get(..end).unwrap_or_default())));
            }
            match self.fill(deadline)? {
                Got::Bytes => {}
                Got::End if self.pending.is_empty() => return Ok(None),
                Got::End => bail!("the connection ended inside a head: {:?}", String::from_utf8_lossy(&self.pending)),
                Got::Silence => bail!("no head within {patience:?}"),
            }
        }
    }

    /// The body of a request with `head`.
    ///
    /// # Errors
    /// When it does not come.
    pub fn request_body(&mut self, head: &Head, patience: Duration) -> anyhow::Result<Vec<u8>> {
        let framing = match framing(head) {
            Framing::UntilClose => Framing::Empty,
            other => other,
        };
        self.whole(framing, patience)
    }

    /// The whole body of an answer with `head`.
    ///
    /// # Errors
    /// When it does not come.
    pub fn answer_body(&mut self, head: &Head, patience: Duration) -> anyhow::Result<Vec<u8>> {
        self.whole(framing_of_answer(head), patience)
    }

    fn whole(&mut self, framing: Framing, patience: Duration) -> anyhow::Result<Vec<u8>> {
        let deadline = Instant::now() + patience;
        match framing {
            Framing::Empty => Ok(Vec::new()),
            Framing::Length(length) => self.exactly(length, deadline),
            Framing::Chunked => {
                let mut body = Vec::new();
                while let Some(chunk) = self.chunk(deadline)? {
                    body.extend_from_slice(&chunk);
                }
                Ok(body)
            }
            Framing::UntilClose => loop {
                match self.fill(deadline)? {
                    Got::Bytes => {}
                    Got::End => return Ok(std::mem::take(&mut self.pending)),
                    Got::Silence => bail!("the body did not end within {patience:?}"),
                }
            },
        }
    }

    /// More bytes of an answer's body as they come, or `None` at its end.
    ///
    /// # Errors
    /// When nothing comes within `patience`, or the body is cut off.
    pub fn more(&mut self, head: &Head, patience: Duration) -> anyhow::Result<Option<Vec<u8>>> {
        let deadline = Instant::now() + patience;
        match framing_of_answer(head) {
            Framing::Chunked => self.chunk(deadline),
            Framing::Empty => Ok(None),
            Framing::Length(_) | Framing::UntilClose => {
                if self.pending.is_empty() {
                    match self.fill(deadline)? {
                        Got::Bytes => {}
                        Got::End => return Ok(None),
                        Got::Silence => bail!("nothing within {patience:?}"),
                    }
                }
                Ok(Some(std::mem::take(&mut self.pending)))
            }
        }
    }

    fn exactly(&mut self, length: usize, deadline: Instant) -> anyhow::Result<Vec<u8>> {
        while self.pending.len() < length {
            match self.fill(deadline)? {
                Got::Bytes => {}
                Got::End => bail!("the connection ended {} bytes early", length - self.pending.len()),
                Got::Silence => bail!("the body did not come in time"),
            }
        }
        Ok(self.pending.drain(..length).collect())
    }

    fn line(&mut self, deadline: Instant) -> anyhow::Result<String> {
        loop {
            if let Some(end) = find(&self.pending, b"\r\n") {
                let line: Vec<u8> = self.pending.drain(..end + 2).collect();
                return Ok(String::from_utf8_lossy(line.get(..end).unwrap_or_default()).into_owned());
            }
            match self.fill(deadline)? {
                Got::Bytes => {}
                Got::End => bail!("the connection ended inside a chunked body"),
                Got::Silence => bail!("no chunk came in time"),
            }
        }
    }

    fn chunk(&mut self, deadline: Instant) -> anyhow::Result<Option<Vec<u8>>> {
        let line = self.line(deadline)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).with_context(|| format!("a chunk of size {size:?}"))?;
        if size == 0 {
            while !self.line(deadline)?.is_empty() {}
            return Ok(None);
        }
        let chunk = self.exactly(size, deadline)?;
        self.exactly(2, deadline)?;
        Ok(Some(chunk))
    }

    /// Reads what comes, until the peer closes (`true`) or has been silent for `quiet` (`false`).
    ///
    /// # Errors
    /// When the socket fails in another way than being closed.
    pub fn drain(&mut self, quiet: Duration) -> anyhow::Result<bool> {
        loop {
            match self.fill(Instant::now() + quiet)? {
                Got::Bytes => {}
                Got::End => return Ok(true),
                Got::Silence => return Ok(false),
            }
        }
    }

    /// Whether the peer has closed, found out without waiting.
    pub fn is_closed(&self) -> bool {
        if self.stream.set_nonblocking(true).is_err() {
            return true;
        }
        let looked = self.stream.peek(&mut [0]);
        let _ = self.stream.set_nonblocking(false);
        match looked {
            Ok(count) => count == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// The socket, to write to.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }
}

fn framing(head: &Head) -> Framing {
    let chunked = head.headers.all("transfer-encoding").any(|coding| coding.to_ascii_lowercase().contains("chunked"));
    match head.headers.get("content-length").and_then(|length| length.parse().ok()) {
        _ if chunked => Framing::Chunked,
        Some(length) => Framing::Length(length),
        None => Framing::UntilClose,
    }
}

fn framing_of_answer(head: &Head) -> Framing {
    match head.status() {
        Some(100..=199 | 204 | 304) => Framing::Empty,
        _ => framing(head),
    }
}

/// Where `needle` begins in `hay`.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}
