//! How Redis is reached, and what is done about what it loses.

use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, TlsCertificates};
use secrecy::{ExposeSecret, SecretString};

/// How long one round trip may take, from 10 ms to 1 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout(Duration);

impl Timeout {
    /// The time limit; `None` where it is shorter than 10 ms or longer than 1 s.
    #[must_use]
    pub fn new(limit: Duration) -> Option<Self> {
        (Duration::from_millis(10)..=Duration::from_secs(1)).contains(&limit).then_some(Self(limit))
    }

    /// The time limit.
    #[must_use]
    pub fn get(self) -> Duration {
        self.0
    }
}

impl Default for Timeout {
    fn default() -> Self {
        Self(Duration::from_millis(250))
    }
}

/// What limits need after counts were lost: Redis was flushed, or came back without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unknown {
    /// Each limit is down until all that may have been lost has left its window, and then counts on: a limit a minute
    /// for a minute, a limit a month until the month is over. Nothing is ever forwarded beyond a maximum.
    #[default]
    WaitOut,
    /// Every limit is down until somebody has [confirmed](crate::Counts::confirm) it.
    Confirm,
}

/// Whether the counts of a server that has been started anew, or has taken over from another, are
/// all that was taken. Where they are not, they are lost, see [`Unknown`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Restarts {
    /// They are when the server keeps an append-only file and was not promoted from a replica.
    #[default]
    WithLog,
    /// They are: somebody else sees to it that nothing is lost.
    Trusted,
    /// They never are.
    Distrusted,
}

/// How Redis is reached, and what is done about what it loses.
#[derive(Debug, Clone)]
pub struct Options {
    /// `redis://`, `rediss://` (TLS) or `redis+unix://`, with user and password where there are any.
    pub url: SecretString,
    /// The certificate authority of the server, as PEM, in place of the system's.
    pub authority: Option<Vec<u8>>,
    /// How every key begins: lower-case letters, digits and hyphens. One instance has one, its replicas share it.
    pub prefix: String,
    /// How long one round trip may take.
    pub timeout: Timeout,
    /// What limits need after counts were lost.
    pub unknown: Unknown,
    /// Whether a restarted server's counts are all that was taken.
    pub restarts: Restarts,
    /// How many replicas of Redis must have a take before the call goes on (`WAIT`), within the time limit.
    pub replicas: u8,
}

/// Options that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadOptions {
    /// The URL, whose text is not repeated: it may hold a password.
    #[error("the URL of Redis is none: write redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS")]
    Url,
    /// The prefix.
    #[error("the prefix of keys has 1 to 64 lower-case letters, digits and hyphens; `{0}` is none")]
    Prefix(String),
    /// The certificate authority.
    #[error("the certificate authority of Redis cannot be read: it must be PEM, and the URL begin with rediss://")]
    Authority,
    /// No random numbers.
    #[error("the system gives no random numbers")]
    Random,
}

impl Options {
    /// The default options for a URL.
    #[must_use]
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            authority: None,
            prefix: "toolgate".to_owned(),
            timeout: Timeout::default(),
            unknown: Unknown::default(),
            restarts: Restarts::default(),
            replicas: 0,
        }
    }

    /// How long Redis waits for its replicas: short of the time limit, so that its answer comes in time.
    pub(crate) fn waiting(&self) -> Duration {
        self.timeout.get() * 3 / 4
    }

    /// A client, and the address as it may be shown.
    pub(crate) fn client(&self) -> Result<(redis::Client, String), BadOptions> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.bytes().all(fits) {
            return Err(BadOptions::Prefix(self.prefix.clone()));
        }
        let info: ConnectionInfo = self.url.expose_secret().into_connection_info().map_err(|_| BadOptions::Url)?;
        // Small requests of many calls share a connection: none waits for the one before it to be acknowledged.
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let shown = match info.addr() {
            ConnectionAddr::Tcp(host, port) => format!("{host}:{port}"),
            ConnectionAddr::TcpTls { host, port, .. } => format!("{host}:{port}"),
            ConnectionAddr::Unix(path) => path.display().to_string(),
            _ => "its address".to_owned(),
        };
        let client = match &self.authority {
            None => redis::Client::open(info).map_err(|_| BadOptions::Url)?,
            Some(pem) => {
                let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem.clone()) };
                redis::Client::build_with_tls(info, certificates).map_err(|_| BadOptions::Authority)?
            }
        };
        Ok((client, shown))
    }
}

/// A random number, to tell processes, generations and messages apart.
pub(crate) fn random() -> Result<u64, BadOptions> {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| BadOptions::Random)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_refused_without_its_secret() {
        for (url, prefix, bad) in [
            ("redis://user:s3cret@host", "toolgate", None),
            ("rediss://host:6380/2", "toolgate-2", None),
            ("http://user:s3cret@host", "toolgate", Some("the URL of Redis is none")),
            ("redis://host", "Tool{gate}", Some("the prefix of keys")),
            ("redis://host", "", Some("the prefix of keys")),
        ] {
            let options = Options { prefix: prefix.to_owned(), ..Options::new(url.to_owned().into()) };
            let told = options.client().err().map(|error| error.to_string());
            assert_eq!(told.is_some(), bad.is_some(), "{url} {prefix}: {told:?}");
            assert!(told.unwrap_or_default().starts_with(bad.unwrap_or_default()));
            assert!(!format!("{options:?}").contains("s3cret"));
        }
    }

    #[test]
    fn time_limits_have_bounds() {
        for (millis, taken) in [(9, false), (10, true), (250, true), (1000, true), (1001, false)] {
            assert_eq!(Timeout::new(Duration::from_millis(millis)).is_some(), taken, "{millis} ms");
        }
    }
}
