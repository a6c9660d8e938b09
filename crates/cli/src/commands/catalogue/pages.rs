//! `toolgate catalogue serve`: the pages alone.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use axum::body::Body;
use bytes::Bytes;
use gateway::connections::ConnectionLimits;
use gateway::listen::{self, Unread};
use http::{HeaderValue, Response, header};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use web::{Audience, Site, Web};

use super::open;
use crate::args::PagesOptions;
use crate::failure::{Failure, Trying};
use crate::output::tell;
use crate::{hangup, listening};

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
    hangup::outlive(
        "the catalogue is read at every request; a new certificate is taken by itself, and other options take a restart",
    )?;
    let ask = move |request: Result<http::Request<Bytes>, Box<Unread>>| {
        let web = web.clone();
        async move {
            match request {
                Ok(request) => web.answer(request.map(Body::from)).await,
                Err(unread) => closing(web.refuse(&unread.head.uri, &unread.head.headers, unread.status, unread.why)),
            }
        }
    };
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    tls.iter().for_each(listening::follow);
    listen::pages(listener, tls, ConnectionLimits::default(), ask, stop).await;
    Ok(ExitCode::SUCCESS)
}

/// The same answer, after which the connection ends: what stands behind a body that was not read is nobody's request.
fn closing(mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}
