//! What every listener of the product has in common: TLS, and what is allowed beyond loopback.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::serve::Listener;
use gateway::tls::{Tls, TlsStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

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

/// Serves pages until told to stop: for what is no gateway.
///
/// # Errors
/// When the socket cannot be used.
pub async fn pages(
    listener: TcpListener,
    tls: Option<&Arc<Tls>>,
    pages: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    match tls {
        None => axum::serve(listener, pages).with_graceful_shutdown(stop).await,
        Some(tls) => axum::serve(Encrypted::on(listener, tls)?, pages).with_graceful_shutdown(stop).await,
    }
}

/// Connections that are encrypted when they are accepted.
pub struct Encrypted {
    address: SocketAddr,
    accepted: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl Encrypted {
    /// Those that come to a socket, from now on.
    ///
    /// # Errors
    /// When the socket does not say where it is.
    pub fn on(listener: TcpListener, tls: &Arc<Tls>) -> io::Result<Self> {
        Ok(Self { address: listener.local_addr()?, accepted: tls.accept_on(listener) })
    }
}

impl Listener for Encrypted {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            // Whoever accepts ends when this does.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
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
