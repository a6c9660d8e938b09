//! The table of the routes. What stands here is served, described and tested; nothing else is.

use axum::http::Method;
use serde_json::json;
use store::control::access::{
    ManageGrants, ManageLimits, ManageMembers, ManageOrganisations, ManageServers, ReadAdminEvents, ReadPolicies, See,
    SeeReplicas, StopCalls, WritePolicies,
};

use super::resources::{
    agents, decisions, grants, instance, keys, limits, members, policies, servers, sessions, stops, tokens, tools,
};
use super::route::{Draft, Route, route};

fn get(path: &'static str, name: &'static str, summary: &'static str) -> Draft {
    route(Method::GET, path, name, summary)
}

fn post(path: &'static str, name: &'static str, summary: &'static str) -> Draft {
    route(Method::POST, path, name, summary)
}

fn put(path: &'static str, name: &'static str, summary: &'static str) -> Draft {
    route(Method::PUT, path, name, summary).matched()
}

fn patch(path: &'static str, name: &'static str, summary: &'static str) -> Draft {
    route(Method::PATCH, path, name, summary).matched()
}

fn delete(path: &'static str, name: &'static str, summary: &'static str) -> Draft {
    route(Method::DELETE, path, name, summary).reasoned()
}

/// Every route.
#[must_use]
pub fn routes() -> Vec<Route> {
    [access(), people(), upstreams(), rules(), leases(), counts(), log(), house()].concat()
}

fn access() -> Vec<Route> {
    let setup = json!({ "token": "tgs_…", "name": "ada", "password": "correct horse battery" });
    let session = json!({ "name": "ada", "password": "correct horse battery" });
    vec![
        post("/api/v1/setup", "setup.add", "Makes the first admin of a new instance, with the setup token.")
            .strangers()
            .example(setup)
            .takes(sessions::set_up),
        post("/api/v1/sessions", "sessions.add", "Signs in.").strangers().example(session).takes(sessions::sign_in),
        route(Method::DELETE, "/api/v1/sessions", "sessions.remove", "Signs out.")
            .right::<See>()
            .by(sessions::sign_out),
        get("/api/v1/me", "me.get", "Who asks, and as what.").right::<See>().by(sessions::me),
    ]
}

fn people() -> Vec<Route> {
    let admin = json!({ "name": "eve", "password": "battery staple correct" });
    let organisation = json!({ "name": "sales", "title": "Sales", "admin": admin });
    let token = json!({ "label": "ci", "role": "viewer" });
    vec![
        get("/api/v1/organisations", "organisations.list", "The organisations of the instance.")
            .right::<ManageOrganisations>()
            .by(members::organisations),
        post("/api/v1/organisations", "organisations.add", "Makes an organisation with its first admin.")
            .right::<ManageOrganisations>()
            .example(organisation)
            .takes(members::add_organisation),
        get("/api/v1/members", "members.list", "The members.").right::<ManageMembers>().paged().by(members::members),
        post("/api/v1/members", "members.add", "Makes a member.")
            .right::<ManageMembers>()
            .example(json!({ "name": "bob", "role": "viewer" }))
            .takes(members::add),
        get("/api/v1/members/{member}", "members.get", "A member.")
            .right::<ManageMembers>()
            .tagged()
            .by(members::member),
        patch("/api/v1/members/{member}", "members.change", "Changes a member: role, password, whether disabled.")
            .right::<ManageMembers>()
            .example(json!({ "display": "Carol C." }))
            .takes(members::change),
        get("/api/v1/tokens", "tokens.list", "The API tokens of programs, revoked ones included.")
            .right::<ManageMembers>()
            .paged()
            .by(tokens::tokens),
        post("/api/v1/tokens", "tokens.add", "Makes an API token, whose text is shown this once.")
            .right::<ManageMembers>()
            .example(token)
            .takes(tokens::add),
        get("/api/v1/tokens/{token}", "tokens.get", "An API token.").right::<ManageMembers>().by(tokens::token),
        delete("/api/v1/tokens/{token}", "tokens.remove", "Revokes an API token.")
            .right::<ManageMembers>()
            .by(tokens::revoke),
        get("/api/v1/agents", "agents.list", "The agents.").right::<See>().paged().by(agents::agents),
        post("/api/v1/agents", "agents.add", "Makes an agent.")
            .right::<ManageGrants>()
            .example(json!({ "name": "helpdesk", "owner": "ada" }))
            .takes(agents::add),
        get("/api/v1/agents/{agent}", "agents.get", "An agent, by name or id.")
            .right::<See>()
            .tagged()
            .by(agents::agent),
        delete("/api/v1/agents/{agent}", "agents.remove", "Removes an agent; its grants are revoked.")
            .right::<ManageGrants>()
            .by(agents::remove),
    ]
}

fn upstreams() -> Vec<Route> {
    let reach =
        json!({ "kind": "http", "url": "https://crm.example/mcp", "headers": { "Authorization": "Bearer secret" } });
    let kept = json!({ "kind": "http", "url": "https://crm.example/v2/mcp", "headers": { "Authorization": null } });
    let said = json!({ "tool": "export", "class": "read", "facets": { "bulk": true }, "reason": "reads much" });
    vec![
        get("/api/v1/servers", "servers.list", "The servers.").right::<See>().paged().by(servers::servers),
        post("/api/v1/servers", "servers.add", "Registers a server.")
            .right::<ManageServers>()
            .example(json!({ "name": "billing", "reach": reach }))
            .takes(servers::add),
        get("/api/v1/servers/{server}", "servers.get", "A server, by name or id.")
            .right::<See>()
            .tagged()
            .by(servers::server),
        put("/api/v1/servers/{server}", "servers.change", "Writes a server anew; a secret that is null stays.")
            .right::<ManageServers>()
            .example(json!({ "name": "crm", "reach": kept }))
            .takes(servers::change),
        delete(
            "/api/v1/servers/{server}",
            "servers.remove",
            "Removes a server; grants for it alone are revoked, those for several lose it.",
        )
        .right::<ManageServers>()
        .by(servers::remove),
        get("/api/v1/servers/{server}/overrides", "overrides.list", "What people say of its tools.")
            .right::<See>()
            .by(tools::overrides),
        post("/api/v1/servers/{server}/overrides", "overrides.set", "Says something of a tool, or takes it back.")
            .right::<ManageServers>()
            .example(said)
            .takes(tools::set_override),
        get("/api/v1/servers/{server}/pins", "pins.list", "The definitions that count, and those that wait.")
            .right::<See>()
            .query("waiting", "`true`: only tools of which a definition waits.")
            .by(tools::pins),
        post("/api/v1/servers/{server}/pins", "pins.accept", "Accepts definitions that were read.")
            .right::<ManageServers>()
            .example(json!({ "accept": { "export": "{digest}" }, "reason": "read it" }))
            .takes(tools::accept),
    ]
}

fn rules() -> Vec<Route> {
    let document = "{ \"version\": \"1\", \"default\": \"deny\", \"rules\": [] }";
    let open = "{ \"version\": \"1\", \"default\": \"allow\" }";
    vec![
        get("/api/v1/policies", "policies.list", "The policies.").right::<See>().paged().by(policies::policies),
        post("/api/v1/policies", "policies.add", "Makes a policy with its first version, not yet in force.")
            .right::<WritePolicies>()
            .example(json!({ "name": "quiet", "document": open }))
            .takes(policies::add),
        post("/api/v1/policies/check", "policies.check", "Looks at a document, and keeps nothing.")
            .right::<WritePolicies>()
            .example(json!({ "document": document }))
            .takes(policies::check),
        get("/api/v1/policies/{policy}", "policies.get", "A policy, by name or id, without what it says.")
            .right::<See>()
            .tagged()
            .by(policies::policy),
        put("/api/v1/policies/{policy}", "policies.edit", "Keeps another version, not yet in force.")
            .right::<WritePolicies>()
            .example(json!({ "document": open, "reason": "wider" }))
            .takes(policies::edit),
        delete("/api/v1/policies/{policy}", "policies.remove", "Removes a policy that nothing names.")
            .right::<WritePolicies>()
            .by(policies::remove),
        get("/api/v1/policies/{policy}/versions", "versions.list", "Its versions, the newest first.")
            .right::<ReadPolicies>()
            .by(policies::versions),
        get("/api/v1/policies/{policy}/versions/{version}", "versions.get", "A version, with what it says.")
            .right::<ReadPolicies>()
            .by(policies::version),
        get("/api/v1/policies/{policy}/publications", "publications.list", "When which version was put in force.")
            .right::<ReadPolicies>()
            .by(policies::publications),
        post("/api/v1/policies/{policy}/publish", "policies.publish", "Puts a version in force.")
            .right::<WritePolicies>()
            .example(json!({ "version": 1, "reason": "reviewed" }))
            .takes(policies::publish),
    ]
}

fn leases() -> Vec<Route> {
    let grant = json!({ "label": "night shift", "server": "crm", "agent": "helpdesk", "networks": ["10.0.0.0/8"] });
    let everything = json!({ "kind": "everything", "reason": "an incident" });
    vec![
        get("/api/v1/grants", "grants.list", "The grants that stand.")
            .right::<See>()
            .paged()
            .query("server", "Only those on this server, by name or id.")
            .query("unused", "Only those that nobody has used for so many days.")
            .by(grants::grants),
        post("/api/v1/grants", "grants.add", "Mints a grant, whose token is shown this once.")
            .right::<ManageGrants>()
            .example(grant)
            .takes(grants::mint),
        get("/api/v1/grants/{grant}", "grants.get", "A grant, revoked ones included.")
            .right::<See>()
            .tagged()
            .by(grants::grant),
        patch(
            "/api/v1/grants/{grant}",
            "grants.change",
            "Changes owner, tags, networks, expiry, policy; of one for several servers which these are and their policies.",
        )
        .right::<ManageGrants>()
        .example(json!({ "tags": { "team": "blue" }, "owner": null }))
        .takes(grants::change),
        delete("/api/v1/grants/{grant}", "grants.remove", "Revokes a grant, for good.")
            .right::<ManageGrants>()
            .by(grants::revoke),
        post(
            "/api/v1/grants/{grant}/attach",
            "grants.attach",
            "Gives a grant another policy, or at one of its servers.",
        )
        .right::<WritePolicies>()
        .example(json!({ "policy": "careful" }))
        .takes(grants::attach),
        post("/api/v1/grants/{grant}/rotate", "grants.rotate", "Gives a grant another token, shown this once.")
            .right::<ManageGrants>()
            .example(json!({ "overlap_seconds": 3600 }))
            .takes(grants::rotate),
        get("/api/v1/stops", "stops.list", "What is stopped.").right::<See>().by(stops::stops),
        post("/api/v1/stops", "stops.stop", "Stops the calls of a grant, an agent, a server, or all.")
            .right::<StopCalls>()
            .example(everything)
            .takes(stops::stop),
        post("/api/v1/stops/resume", "stops.resume", "Lets calls go on.")
            .right::<StopCalls>()
            .example(json!({ "kind": "server", "object": "crm", "reason": "it is over" }))
            .takes(stops::resume),
    ]
}

fn counts() -> Vec<Route> {
    vec![
        get("/api/v1/limits", "limits.list", "What is used of the limits.").right::<See>().paged().by(limits::uses),
        post("/api/v1/limits/reset", "limits.reset", "Forgets what is used of a limit.")
            .right::<ManageLimits>()
            .example(json!({ "id": "{count}", "reason": "the customer paid for more" }))
            .takes(limits::reset),
        post("/api/v1/limits/confirm", "limits.confirm", "Lets limits count on that wait because counts were lost.")
            .right::<ManageLimits>()
            .example(json!({ "reason": "nothing was under way" }))
            .takes(limits::confirm),
    ]
}

fn filtered(draft: Draft) -> Draft {
    draft
        .query("grant", "Only those under this grant, by id or label.")
        .query("server", "Only those on the server of this name.")
        .query("tool", "Only those about the tool, resource or prompt of this name.")
        .query("effect", "Only `allow`, `deny`, `hide` or `ask`.")
        .query("rule", "Only those by this rule.")
        .query("approval", "Only those asked for under this approval.")
        .query("since", "Not before, in milliseconds since 1970.")
        .query("until", "Before, in milliseconds since 1970.")
}

fn log() -> Vec<Route> {
    vec![
        filtered(get("/api/v1/decisions", "decisions.list", "What was decided, by every replica; the newest first."))
            .right::<See>()
            .paged()
            .by(decisions::decisions),
        filtered(get("/api/v1/decisions/export", "decisions.export", "The same, all of it; the newest first."))
            .right::<See>()
            .exports::<decisions::DecisionShown, _>(decisions::export),
        get("/api/v1/decisions/{decision}", "decisions.get", "A decision, and what became of the call.")
            .right::<See>()
            .by(decisions::decision),
        told(get("/api/v1/admin-events/export", "events.export", "Who changed what, all of it; the oldest first."))
            .right::<ReadAdminEvents>()
            .exports::<instance::EventShown, _>(instance::export),
    ]
}

fn told(draft: Draft) -> Draft {
    draft
        .query("since", "Not before, in milliseconds since 1970.")
        .query("until", "Before, in milliseconds since 1970.")
        .query("actor", "By whom, such as `member:ada`.")
        .query("action", "What, such as `grant.revoke`.")
        .query("object", "About what, by id.")
}

fn house() -> Vec<Route> {
    vec![
        told(get("/api/v1/admin-events", "events.list", "Who changed what, when and why; the oldest first."))
            .right::<ReadAdminEvents>()
            .paged()
            .by(instance::events),
        get("/api/v1/replicas", "replicas.list", "The replicas that serve.")
            .right::<SeeReplicas>()
            .by(instance::replicas),
        get("/api/v1/keys", "keys.get", "The master keys that this replica has, and how much is sealed under each.")
            .right::<ManageOrganisations>()
            .by(keys::keys),
        post("/api/v1/keys/rewrap", "keys.rewrap", "Seals under the first master key what is under another one.")
            .right::<ManageOrganisations>()
            .example(json!({ "reason": "a new key" }))
            .takes(keys::rewrap),
        get("/api/v1/version", "version.get", "Which version answers.").right::<See>().by(instance::version),
        get("/api/v1/openapi.json", "openapi.get", "This description.").by(instance::description),
    ]
}
