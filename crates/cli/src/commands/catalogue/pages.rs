//! `toolgate catalogue serve`: the pages alone.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use axum::body::Body;
use axum::extract::Request;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use web::{Audience, Site, Web};

use super::open;
use crate::args::PagesOptions;
use crate::failure::{Failure, Trying};
use crate::listening;
use crate::output::tell;

/// Where it listens unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8041);

/// Serves until told to stop.
pub(super) async fn serve(options: &PagesOptions) -> Result<ExitCode, Failure> {
    let listen = options.listen.unwrap_or(LISTEN);
    if !listen.ip().is_loopback() && !options.public {
        return Err(Failure::Usage(format!(
            "{listen}: beyond loopback the catalogue is off: --public shows what is public to everybody, and nothing that you scanned or imported for yourself"
        )));
    }
    let (data, catalogue) = open(&options.data).await?;
    let audience = if options.public { Audience::Everybody } else { Audience::Members };
    let base = options.base_url.as_deref().unwrap_or_default();
    let own = base.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    let hosts = options.allow_host.iter().cloned().chain(own).map(|host| host.to_ascii_lowercase()).collect();
    let web = Web::new(Site::new(catalogue, &data.search(), audience, base, hosts));
    let tls = listening::tls(&options.tls)?;
    let listener = TcpListener::bind(listen).await.trying(format!("listening at {listen}"))?;
    let address = listener.local_addr().trying("the listening address")?;
    let mut terminate = signal(SignalKind::terminate()).trying("signals")?;
    tell!("catalogue {}://{address}/", listening::scheme(tls.as_ref()));
    let router = axum::Router::new().fallback(move |request: Request<Body>| {
        let web = web.clone();
        async move { web.answer(request).await }
    });
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    tls.iter().for_each(listening::follow);
    listening::pages(listener, tls.as_ref(), router, stop).await.trying("the pages")?;
    Ok(ExitCode::SUCCESS)
}
