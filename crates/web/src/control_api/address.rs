//! The parts of a request's address: what its path names, and its query.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Query, RawPathParams};
use axum::http::request::Parts;

use super::problem::Problem;
use super::route::Route;

/// What the path names.
pub(super) async fn path(parts: &mut Parts) -> Result<BTreeMap<String, String>, Problem> {
    let named = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Problem::missing())?;
    Ok(named.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The query: parameters that the route has, each once.
pub(super) fn query(parts: &Parts, route: &Route) -> Result<BTreeMap<String, String>, Problem> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|_| {
        Problem::parameter("", "the query cannot be read: write name=value&name=value, percent-encoded")
    })?;
    let mut query = BTreeMap::new();
    for (name, value) in pairs {
        if !route.query.iter().any(|parameter| parameter.name == name) {
            let names: Vec<_> = route.query.iter().map(|parameter| parameter.name).collect();
            let there = if names.is_empty() { "none here".to_owned() } else { names.join(", ") };
            return Err(Problem::parameter(&name, format!("there is no such parameter; there are {there}")));
        }
        if query.insert(name.clone(), value).is_some() {
            return Err(Problem::parameter(&name, "it is given more than once: give it once"));
        }
    }
    Ok(query)
}

/// The peer's address. An IPv6 host has a whole network of them, so that counts as one.
pub(super) fn peer(parts: &Parts) -> String {
    match parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical()) {
        Some(IpAddr::V6(address)) => {
            let [first, second, third, fourth, ..] = address.segments();
            format!("{first:x}:{second:x}:{third:x}:{fourth:x}::/64")
        }
        Some(IpAddr::V4(address)) => address.to_string(),
        None => "unknown".to_owned(),
    }
}
