//! What every listener of the product has in common: TLS, and what is allowed beyond loopback.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use gateway::connections::ConnectionLimits;
use gateway::tls::Tls;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::args::TlsOptions;
use crate::failure::{Failure, Trying};
use crate::output::tell;

/// Connections that there may be beyond those that agents can take, for the API.
const RESERVE: u64 = 256;

/// Files that are open beside connections: the log, counts, tables, the catalogue, programs of servers.
const BESIDE: u64 = 512;

/// Fewer connections than this are of no use, whatever the number of files.
const FEWEST: u64 = 16;

/// The certificate and the key to listen with, if they are wanted.
///
/// # Errors
/// When they cannot be used.
pub fn tls(options: &TlsOptions) -> Result<Option<Arc<Tls>>, Failure> {
    match (&options.certificate, &options.key) {
        (Some(certificate), Some(key)) => Ok(Some(Tls::read(certificate, key).trying("TLS")?)),
        (None, None) => Ok(None),
        _ => Err(Failure::Usage("TLS needs both a certificate and its key".to_owned())),
    }
}

/// Reads the files again when they change, for as long as the runtime lives.
pub fn follow(tls: &Arc<Tls>) {
    tokio::spawn(Arc::clone(tls).follow(|said| tell!("toolgate: {said}")));
}

/// As many connections as this process can have, after raising the number of files that it may open as far as it takes
/// and it may: each connection can stand for another one to a server. Where that is fewer than were meant, it is said.
pub fn room(limits: ConnectionLimits) -> ConnectionLimits {
    let meant = u64::try_from(limits.in_all).unwrap_or(u64::MAX);
    let wanted = meant.saturating_add(RESERVE).saturating_mul(2).saturating_add(BESIDE);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let most = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if current.is_some_and(|current| current < most) {
        // What cannot be raised is seen in what there is then.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum });
    }
    let Some(files) = getrlimit(Resource::Nofile).current.filter(|files| *files < wanted) else { return limits };
    let in_all = (files.saturating_sub(BESIDE) / 2).saturating_sub(RESERVE).clamp(FEWEST, meant.max(FEWEST));
    tell!(
        "toolgate: this process may have {files} files open, so it takes {in_all} connections at once instead of {meant}; raise it with `ulimit -n {wanted}` or LimitNOFILE={wanted} in its unit"
    );
    ConnectionLimits { in_all: usize::try_from(in_all).unwrap_or(limits.in_all), ..limits }
}

/// How addresses begin.
pub fn scheme(tls: Option<&Arc<Tls>>) -> &'static str {
    if tls.is_some() { "https" } else { "http" }
}

/// Beyond loopback nothing crosses a network unencrypted.
///
/// # Errors
/// Where it would.
pub fn guarded(listen: SocketAddr, tls: Option<&Arc<Tls>>, proxies: &[IpAddr]) -> Result<(), Failure> {
    if listen.ip().is_loopback() || tls.is_some() || !proxies.is_empty() {
        return Ok(());
    }
    let text = "listening beyond loopback without TLS would show tokens to the network: give it --tls-cert and --tls-key, or put a TLS proxy in front and name it with --behind-tls-proxy ADDRESS";
    Err(Failure::Usage(format!("{listen}: {text}")))
}
