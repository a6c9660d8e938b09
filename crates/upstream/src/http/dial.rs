//! Connections: what is dialled is what was checked.

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_rustls::{ConfigBuilderExt, HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::{BadCertificate, Endpoint, NoTrust, SendError, chain};
use crate::clear;
use crate::egress::Host;
use crate::resolve::Resolve;

/// Opens connections.
#[derive(Clone)]
pub(super) struct Dialler {
    resolver: Arc<dyn Resolve>,
    tls: Arc<rustls::ClientConfig>,
    connect: Duration,
}

impl Dialler {
    pub(super) fn new(connect: Duration, resolver: Arc<dyn Resolve>) -> Result<Self, NoTrust> {
        let bad = |error: rustls::Error| NoTrust(error.to_string());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(ConfigBuilderExt::try_with_platform_verifier)
            .map_err(bad)?
            .with_no_client_auth();
        Ok(Self { resolver, tls: Arc::new(tls), connect })
    }

    /// Opens a connection to an endpoint, if each address that its name leads to now is one where it may be.
    pub(super) async fn dial(&self, endpoint: &Endpoint) -> Result<MaybeHttpsStream<TokioIo<TcpStream>>, SendError> {
        match tokio::time::timeout(self.connect, self.try_dial(endpoint)).await {
            Ok(dialled) => dialled,
            Err(_) => Err(SendError::NotSent(format!("it does not answer within {:?}", self.connect))),
        }
    }

    async fn try_dial(&self, endpoint: &Endpoint) -> Result<MaybeHttpsStream<TokioIo<TcpStream>>, SendError> {
        let egress = &endpoint.place.egress;
        let addresses =
            match egress.host(endpoint.uri()).map_err(|forbidden| SendError::NotSent(forbidden.to_string()))? {
                Host::Address(address) => vec![address],
                Host::Name(name) => {
                    let found = self.resolver.addresses(name).await;
                    found.map_err(|error| SendError::NotSent(format!("its name cannot be looked up: {error}")))?
                }
            };
        egress.all(&addresses).map_err(|forbidden| SendError::NotSent(forbidden.to_string()))?;
        let in_clear = !endpoint.place.clear && endpoint.uri().scheme_str() == Some("http");
        if in_clear && clear::any_public(&addresses) {
            return Err(SendError::NotSent(clear::WHY.to_owned()));
        }
        let checked = addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
        let mut tcp = HttpConnector::new_with_resolver(Checked(checked));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(self.connect));
        let mut connector = HttpsConnector::from((tcp, Arc::clone(&self.tls)));
        let connected = async {
            std::future::poll_fn(|context| connector.poll_ready(context)).await?;
            connector.call(endpoint.uri().clone()).await
        };
        let connected: Result<_, Box<dyn std::error::Error + Send + Sync>> = connected.await;
        connected.map_err(|error| match BadCertificate::of(&*error) {
            Some(bad) => SendError::Certificate(bad),
            None => SendError::NotSent(chain(&*error)),
        })
    }
}

/// The answer to the one name of a connection: the addresses that were checked. An address that stands in the URL
/// itself is dialled as such, and was checked as such.
#[derive(Clone)]
struct Checked(Vec<SocketAddr>);

impl Service<Name> for Checked {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(std::mem::take(&mut self.0).into_iter()))
    }
}
