//! What every listener of the product has in common: TLS, and what is allowed beyond loopback.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use gateway::tls::Tls;

use crate::args::TlsOptions;
use crate::failure::{Failure, Trying};
use crate::output::tell;

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
