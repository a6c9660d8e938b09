//! `/api/v1/…` of the control plane: what people and programs decide, over HTTP.
//!
//! One table ([`routes`]) says everything: the router, the OpenAPI document and the matrix of the tests are made from
//! it. A request passes the same stations on every route ([`stations`]): who asks, how often, whether they may, what
//! they sent, whether it came before; then the change, and the wait until it holds on every replica.

mod address;
mod bucket;
mod call;
mod check;
mod keys;
mod openapi;
mod problem;
mod recognise;
mod resources;
mod route;
mod schema;
mod stations;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use control::Instance;
use control::sign_in::SignIn;

pub use bucket::{Allowance, Allowances};
pub use openapi::document;
pub use problem::Kind;
pub use route::{Access, Route};
pub use table::routes;

/// What every request needs.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) instance: Instance,
    pub(crate) sign_in: SignIn,
    pub(crate) buckets: bucket::Buckets,
    pub(crate) schemas: schema::Schemas,
    /// The file that says everything, where the instance only shows it.
    pub(crate) file: Option<String>,
}

/// Whether a path is one of the control plane's: the catalogue has some below `/api/v1/` too.
#[must_use]
pub fn answers(path: &str) -> bool {
    let below = path.strip_prefix("/api/v1/");
    below.is_some_and(|below| below != "catalogue" && !below.starts_with("catalogue/"))
}

/// The routes, where nothing else answers at such paths ([`answers`]): others are said not to be there.
pub fn alone(router: Router) -> Router {
    router.fallback(|| async { problem::Problem::nowhere().response() })
}

/// The routes of the control plane over an instance. It has no fallback, and none of its paths is the catalogue's, so
/// both can be merged. Requests should carry the peer's address as
/// [`ConnectInfo`](axum::extract::ConnectInfo)`<SocketAddr>`; whoever has none shares one allowance with all such.
pub fn router(instance: Instance, sign_in: SignIn, allowances: Allowances) -> Router {
    over(instance, sign_in, allowances, None)
}

/// The same over an instance that shows what a file says: it is read, and every change is refused with the file's name.
pub fn router_of_file(instance: Instance, sign_in: SignIn, allowances: Allowances, file: String) -> Router {
    over(instance, sign_in, allowances, Some(file))
}

fn over(instance: Instance, sign_in: SignIn, allowances: Allowances, file: Option<String>) -> Router {
    let routes = routes();
    let schemas = schema::Schemas::of(&routes);
    let api = Arc::new(Api { instance, sign_in, buckets: bucket::Buckets::new(allowances), schemas, file });
    let mut paths: BTreeMap<&'static str, Vec<Route>> = BTreeMap::new();
    for route in routes {
        paths.entry(route.path).or_default().push(route);
    }
    paths.into_iter().fold(Router::new(), |router, (path, routes)| {
        let (api, routes) = (Arc::clone(&api), Arc::new(routes));
        router.route(path, any(move |request| stations::answer(Arc::clone(&api), Arc::clone(&routes), request)))
    })
}
