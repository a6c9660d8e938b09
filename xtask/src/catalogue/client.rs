//! A client over one connection, as small as the measurement needs it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A connection that is kept open.
pub struct Client {
    to: TcpStream,
    from: BufReader<TcpStream>,
    host: String,
}

impl Client {
    /// Connects to `HOST:PORT`.
    pub fn new(host: &str) -> Result<Self> {
        let to = TcpStream::connect(host).with_context(|| host.to_owned())?;
        to.set_nodelay(true)?;
        Ok(Self { from: BufReader::new(to.try_clone()?), to, host: host.to_owned() })
    }

    /// Asks for a path: the body, and how long it took until the last byte of it was here.
    pub fn get(&mut self, path: &str) -> Result<(Vec<u8>, Duration)> {
        let begun = Instant::now();
        self.to.write_all(format!("GET {path} HTTP/1.1\r\nhost: {}\r\naccept: */*\r\n\r\n", self.host).as_bytes())?;
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        let status = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut length = None;
        loop {
            line.clear();
            self.from.read_line(&mut line)?;
            let head = line.trim_end().to_ascii_lowercase();
            if head.is_empty() {
                break;
            }
            if let Some(value) = head.strip_prefix("content-length:") {
                length = value.trim().parse().ok();
            }
        }
        let mut body = vec![0; length.with_context(|| format!("{path}: an answer without a length"))?];
        self.from.read_exact(&mut body)?;
        let took = begun.elapsed();
        if status != "200" {
            bail!("{path}: {status}: {}", String::from_utf8_lossy(&body).chars().take(300).collect::<String>());
        }
        Ok((body, took))
    }
}

/// How long answers took.
#[derive(Debug)]
pub struct Took(Vec<Duration>);

impl Took {
    /// Of some answers.
    pub fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// The time that so many of a hundred did not exceed, in milliseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let at = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_hundred() {
        let took = Took::of((1..=100).rev().map(Duration::from_millis).collect());
        assert!((took.percentile(50) - 50.0).abs() < 1e-9);
        assert!((took.percentile(99) - 99.0).abs() < 1e-9);
    }
}
