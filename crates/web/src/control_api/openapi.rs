//! The OpenAPI 3.1 document, made from the table. `docs/openapi.json` is what [`document`] says.

use serde_json::{Map, Value, json};

use super::problem::Kind;
use super::route::{Access, Route};
use super::schema::Schemas;
use super::stations::holds;
use super::table::routes;

/// The description of all routes.
#[must_use]
pub fn document() -> Value {
    let routes = routes();
    let mut schemas = Schemas::of(&routes);
    let mut paths = Map::new();
    for route in &routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.as_str().to_ascii_lowercase(), operation(route, &schemas));
        }
    }
    let mut named = std::mem::take(&mut schemas.named);
    named.insert("Problem".to_owned(), problem());
    named.sort_keys();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Toolgate",
            "version": "1",
            "description": "The control plane: servers, policies, grants, and who may change them. See docs/api.md.",
        },
        "paths": paths,
        "components": {
            "schemas": named,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "An API token (tgp_…) or a session's (tgx_…)." },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "__Host-toolgate" },
            },
        },
    })
}

fn operation(route: &Route, schemas: &Schemas) -> Value {
    let (security, who) = match route.access {
        Access::Anybody | Access::Strangers => (json!([]), "Whoever reaches the address.".to_owned()),
        Access::Right { roles, instance, .. } => {
            let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
            let of = if instance { ", of the first organisation" } else { "" };
            (json!([{ "bearer": [] }, { "cookie": [] }]), format!("Roles: {}{of}.", names.join(", ")))
        }
    };
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.summary,
        "description": who,
        "security": security,
        "parameters": parameters(route),
        "responses": {
            route.status.to_string(): answer(route, schemas),
            "default": { "description": "What went wrong.", "content": {
                "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } }
            } },
        },
    });
    if let (Some(schema), Some(fields)) = (schemas.request(route), operation.as_object_mut()) {
        let mut content = json!({ "schema": schema });
        if let (Some(example), Some(content)) = (&route.example, content.as_object_mut()) {
            content.insert("example".to_owned(), example.clone());
        }
        let body = json!({ "required": true, "content": { "application/json": content } });
        fields.insert("requestBody".to_owned(), body);
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let text = json!({ "type": "string" });
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let path = names.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": text }));
    let query = route.query.iter().map(
        |parameter| json!({ "name": parameter.name, "in": "query", "description": parameter.about, "schema": text }),
    );
    let header = |name: &str, required: bool, about: &str| json!({ "name": name, "in": "header", "required": required, "description": about, "schema": text });
    let matched = route.matched.then(|| header("If-Match", true, "The ETag of the object as it was read."));
    let keyed = route.method == axum::http::Method::POST && route.access != Access::Strangers;
    let key = keyed.then(|| {
        header(
            "Idempotency-Key",
            false,
            "The same request with the same key is done once in 24 hours, and answered again.",
        )
    });
    path.chain(query).chain(matched).chain(key).collect()
}

fn answer(route: &Route, schemas: &Schemas) -> Value {
    let shown = schemas.answer(route).cloned().unwrap_or_default();
    let schema = match route.changes() && route.name != "sessions.remove" {
        true => json!({ "allOf": [shown, { "type": "object", "required": ["holds"], "properties": holds() }] }),
        false => shown,
    };
    let content = match route.exports {
        [] => json!({ "application/json": { "schema": schema } }),
        // A line of one is described, and a table by its header.
        media => media.iter().fold(json!({}), |mut content, media| {
            let schema = if *media == "text/csv" { json!({ "type": "string" }) } else { schema.clone() };
            if let Some(content) = content.as_object_mut() {
                content.insert((*media).to_owned(), json!({ "schema": schema }));
            }
            content
        }),
    };
    let mut answer = json!({ "description": route.summary, "content": content });
    if let (true, Some(fields)) = (route.tagged, answer.as_object_mut()) {
        let about = "The version of the object, for If-Match.";
        let headers = json!({ "ETag": { "description": about, "schema": { "type": "string" } } });
        fields.insert("headers".to_owned(), headers);
    }
    answer
}

fn problem() -> Value {
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| format!("/problems/{}", kind.row().1)).collect();
    json!({
        "type": "object",
        "description": "What went wrong, as RFC 9457 writes it.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "enum": kinds },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What happened, and what to do." },
            "pointer": { "type": "string", "description": "The field of the body, as a JSON pointer." },
            "parameter": { "type": "string", "description": "The parameter of the query." },
            "header": { "type": "string", "description": "The header." },
            "diagnostics": { "type": "array", "items": { "type": "object" }, "description": "What is wrong with a policy." },
        },
    })
}
