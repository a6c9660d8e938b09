//! A request that means one server of a stack: put into that server's names, and its answer into those of the stack.

use http::Response;
use mcp::json::{Step, quote, replace_strings};
use mcp::message::{Reference, Request, splice};
use mcp::method::Kind as Method;
use mcp::qualified;

use super::pieces::Rename;
use super::search;
use super::{At, Spoken, of_server};
use crate::body::Body;
use crate::http_front::{Front, plain};
use crate::pipeline;
use crate::refusal;
use crate::stack::Kind;

/// What a request is about.
enum About<'a> {
    Named(Kind, &'a str),
    /// Nothing that could be a thing of any server.
    Nothing,
}

impl Front {
    pub(super) async fn to_one_of(&self, at: &At, request: &Request<'_>) -> Response<Body> {
        let reference = request.params.completes();
        let about = match request.kind {
            Method::ToolsCall => About::Named(Kind::Tools, request.params.name.as_deref().unwrap_or_default()),
            Method::PromptsGet => About::Named(Kind::Prompts, request.params.name.as_deref().unwrap_or_default()),
            Method::Completion => match &reference {
                Some(Reference::Prompt(name)) => About::Named(Kind::Prompts, name),
                Some(Reference::Resource(uri)) => About::Named(Kind::Resources, uri),
                None => About::Nothing,
            },
            _ => About::Named(Kind::Resources, request.params.uri.as_deref().unwrap_or_default()),
        };
        let About::Named(kind, name) = about else {
            let text = "completion/complete needs a `ref` to a prompt or a resource";
            return plain(&refusal::error(request.id.raw(), refusal::code::INVALID_PARAMS, text, 200));
        };
        if kind == Kind::Tools && at.stack.is_searched() && search::is_own(name) {
            return self.search_stack(at, request, name).await;
        }
        self.to_member(at, request, kind, name, Vec::new()).await
    }

    /// Sends a request about `name` to the server that has it.
    pub(super) async fn to_member(
        &self,
        at: &At,
        request: &Request<'_>,
        kind: Kind,
        name: &str,
        params: Vec<(String, String)>,
    ) -> Response<Body> {
        // Names mean what is listed, so that is known first. What cannot be listed can still be asked for.
        let beside = (kind == Kind::Resources).then_some(Kind::Templates);
        for kind in [Some(kind), beside].into_iter().flatten().filter(|kind| at.stack.last(*kind).is_none()) {
            let _ = self.merged(at, kind).await;
        }
        let meant = at.stack.meant(kind, name).filter(|meant| !meant.own.is_empty());
        let Some(meant) = meant else { return self.nobodys(at, request, kind, name) };
        let Some(text) = renamed(request, name, &meant.own) else {
            let text = "the name cannot be put as its server knows it";
            return plain(&refusal::error(request.id.raw(), refusal::code::INTERNAL, text, 500));
        };
        let voice = match self.voice(at, meant.member).await {
            Ok(voice) => voice,
            Err(unasked) => {
                let server = at.stack.members().get(meant.member).map_or("", |member| member.id());
                let text = format!("{} cannot be reached: {}", of_server(server, &meant.own), unasked.reason);
                return plain(&refusal::error(request.id.raw(), refusal::code::INTERNAL, &text, 200));
            }
        };
        let mirrored = if params.is_empty() { self.mirrored(at) } else { params };
        let rename = Rename {
            server: voice.member.id().to_owned(),
            uris: !voice.member.unprefixed,
            ids: !matches!(at.spoken, Spoken::Modern(_)),
        };
        let answer = as_asked(voice.send_with(&text, mirrored).await, request, name, &meant.own);
        rename.answer(std::sync::Arc::clone(&at.stack), answer).await
    }

    /// The headers by which the agent repeats arguments: they are compared where the tool is known.
    fn mirrored(&self, at: &At) -> Vec<(String, String)> {
        let of_arguments = |name: &str| name.starts_with(mcp::header::PARAM_PREFIX);
        let given = at.headers.iter().filter(|(name, _)| of_arguments(name.as_str()));
        given.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect()
    }

    /// What nobody has. A call is recorded as every decision is.
    fn nobodys(&self, at: &At, request: &Request<'_>, kind: Kind, name: &str) -> Response<Body> {
        let id = request.id.raw();
        let server = if kind.is_resource() { qualified::split_uri(name) } else { qualified::split_name(name) };
        let closed = server.and_then(|(server, _)| at.stack.closed().iter().find(|(closed, _)| **closed == *server));
        if let Some((_, why)) = closed {
            return plain(&refusal::error(
                id,
                refusal::code::INTERNAL,
                &format!("{name} cannot be reached: {why}"),
                200,
            ));
        }
        let Some(caller) = at.caller() else {
            return plain(&refusal::method_not_found(id, &request.method, at.dialect()));
        };
        if request.kind == Method::ToolsCall {
            return plain(&pipeline::nobodys_tool(&self.gateway, &caller, request));
        }
        self.gateway.count_refused("unknown name at a stack", &caller);
        plain(&match kind {
            Kind::Prompts => refusal::unknown_prompt(id, name),
            _ => refusal::unknown_resource(id, name, at.dialect()),
        })
    }
}

/// An answer that there is no such tool, with the name that the agent knows it by: what a server of the stack does not have
/// reads as what none of them has.
fn as_asked(answer: Response<Body>, request: &Request<'_>, name: &str, own: &str) -> Response<Body> {
    let id = request.id.raw();
    match answer.body() {
        Body::Whole(Some(body))
            if request.kind == Method::ToolsCall && *body == refusal::unknown_tool(id, own).body.as_bytes() =>
        {
            plain(&refusal::unknown_tool(id, name))
        }
        _ => answer,
    }
}

/// The request under the name that its server knows.
fn renamed(request: &Request<'_>, name: &str, own: &str) -> Option<String> {
    if name == own {
        return Some(request.raw.to_owned());
    }
    let span = match request.kind {
        Method::ToolsCall | Method::PromptsGet => request.params.spans.name,
        Method::Completion => {
            let at = |key| [Step::Key("params"), Step::Key("ref"), Step::Key(key)];
            let (name, uri) = (at("name"), at("uri"));
            return replace_strings(request.raw, &[&name, &uri], |_| Some(own.to_owned())).ok()?;
        }
        _ => request.params.spans.uri,
    };
    splice(request.raw, &[(span?.range(), &quote(own))])
}
