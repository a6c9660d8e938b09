//! An instance with one of everything, behind a listener; somebody of every role, and the admin of another organisation.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use audit::{Decision, Effect, Ending, Event, Id, Outcome, Target};
use control::grants::GrantGiven;
use control::servers::{ReachGiven, ServerGiven};
use control::sign_in::SignIn;
use control::stacks::LeadsGiven;
use control::{Counting, Instance, tools};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use quota::{Amount, CountId, Counters, Kind, Take, Window};
use secrecy::SecretString;
use serde_json::{Value, json};
use store::DataDir;
use store::control::Place;
use store::control::access::{Actor, Role, Who};
use store::control::members::NewMember;
use store::control::servers::Settings;
use store::control::stops::Stoppable;
use store::log::{AuditLog, Options, ids};
use tempfile::TempDir;
use testkit::postgres::Postgres;
use vault::KeyRing;
use web::control_api::{Allowance, Allowances, router};

use crate::client::{Answer, Ask, ask};

static POSTGRES: LazyLock<Postgres> = LazyLock::new(|| Postgres::start().unwrap());

pub struct House {
    pub folder: TempDir,
    pub instance: Instance,
    pub sign_in: SignIn,
    pub admin: Actor,
    /// What is used of limits.
    pub counts: Arc<quota::Memory>,
    pub address: SocketAddr,
    /// Tokens, by role.
    pub tokens: BTreeMap<&'static str, String>,
    /// The audit log of a replica.
    pub log: AuditLog,
    /// The token of the other organisation's admin.
    pub elsewhere: String,
    /// What the names in paths and examples stand for.
    pub names: BTreeMap<&'static str, String>,
}

/// What a replica recorded.
pub struct Told<'a> {
    pub server: &'a str,
    pub tool: &'a str,
    pub effect: Effect,
    pub reason: Option<&'a str>,
    pub settled: bool,
    pub shipped: bool,
}

impl Default for Told<'_> {
    fn default() -> Self {
        Told { server: "crm", tool: "export", effect: Effect::Allow, reason: None, settled: true, shipped: true }
    }
}

/// Enough for any test.
pub const PLENTY: Allowance = Allowance { requests: 1_000_000, seconds: 1 };

pub async fn sqlite() -> House {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Embedded(DataDir::open(&folder.path().join("data")).unwrap());
    House::build(folder, &place, Allowances { caller: PLENTY, stranger: PLENTY }).await
}

pub async fn postgres() -> House {
    let place = Place::Postgres(POSTGRES.database().unwrap());
    House::build(tempfile::tempdir().unwrap(), &place, Allowances { caller: PLENTY, stranger: PLENTY }).await
}

/// Serves an instance until the test ends.
pub async fn serve(instance: &Instance, sign_in: &SignIn, allowances: Allowances) -> SocketAddr {
    let router = router(instance.clone(), sign_in.clone(), allowances);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    address
}

/// Uses one unit of three, and tells which count that is.
pub fn count(counts: &dyn Counters, organisation: &str, counter: &str) -> String {
    let (window, zone) = (Window::Rolling(3600), TimeZone::UTC);
    let id = CountId::new(organisation, &[("grant", "crm/desk")], counter, Some(window), &zone, Kind::Quota);
    let text = id.text().to_owned();
    let (max, amount) = (Amount::from(3), Amount::ONE);
    let take = Take { id, window: Some(window), zone, kind: Kind::Quota, max, amount };
    counts.take(&[take], Timestamp::now()).unwrap();
    text
}

impl House {
    pub async fn build(folder: TempDir, place: &Place, allowances: Allowances) -> Self {
        let counts = Arc::new(quota::Memory::default());
        let counting = Counting::Here(Arc::<quota::Memory>::clone(&counts));
        let keys = KeyRing::generate("a test").unwrap();
        let instance = Instance::open(place, keys).await.unwrap().with_counting(counting);
        let sign_in = SignIn::new(&instance).unwrap();
        let database = instance.database();
        let organisation = database.first_organisation().await.unwrap().id;
        let actor = |organisation, first| Actor {
            organisation,
            first,
            who: Who::Operator("ada".to_owned()),
            role: Role::Admin,
        };
        let admin = actor(organisation, true);
        let other = database.add_organisation(admin.permit().unwrap(), "other", "Other", "").await.unwrap();
        let mut tokens = BTreeMap::new();
        for role in Role::ALL {
            let (_, token) = instance.add_token(&admin, role.name(), role, None, "").await.unwrap();
            tokens.insert(role.name(), token.reveal().to_owned());
        }
        let theirs = actor(other.id, false);
        let (_, token) = instance.add_token(&theirs, "theirs", Role::Admin, None, "").await.unwrap();
        let address = serve(&instance, &sign_in, allowances).await;
        let elsewhere = token.reveal().to_owned();
        let names = BTreeMap::from([("count", count(&*counts, &organisation.to_string(), "writes"))]);
        let log = AuditLog::open(&folder.path().join("audit"), Options::default()).unwrap();
        let mut house = Self { folder, instance, sign_in, admin, counts, address, tokens, log, elsewhere, names };
        house.furnish().await;
        house
    }

    /// One of everything.
    async fn furnish(&mut self) {
        let (instance, admin) = (self.instance.clone(), self.admin.clone());
        let admin = &admin;
        let database = instance.database();
        let headers = BTreeMap::from([("Authorization".to_owned(), Some(SecretString::from("Bearer upstream")))]);
        let given = ServerGiven {
            name: "crm".to_owned(),
            title: "CRM".to_owned(),
            reach: ReachGiven::Http { url: "https://crm.example/mcp".to_owned(), headers, transport: None },
            settings: Settings::default(),
            policy: None,
        };
        let server = instance.add_server(admin, &given, "").await.unwrap();
        let waiting = json!({ "digest": "d" });
        let seen = BTreeMap::from([("export".to_owned(), waiting.clone())]);
        database.definitions_seen(server, &seen).await.unwrap();
        instance.add_policy(admin, "careful", "", "{ \"version\": \"1\", \"default\": \"deny\" }", "").await.unwrap();
        let grant = GrantGiven {
            label: "desk".to_owned(),
            leads: LeadsGiven::Server("crm".to_owned()),
            agent: "desk-agent".to_owned(),
            ..GrantGiven::default()
        };
        let grant = instance.mint(admin, &grant, "").await.unwrap().grant;
        let carol = NewMember { name: "carol", display: "Carol", role: Role::Viewer, password: None };
        let member = database.add_member(admin.permit().unwrap(), &carol, "").await.unwrap();
        let (program, _) = instance.add_token(admin, "spare", Role::Viewer, None, "").await.unwrap();
        database.stop(admin.permit().unwrap(), Stoppable::Server(server), "an incident").await.unwrap();
        let decision = self.decide(&Told { server: "crm", tool: "export", ..Told::default() }).await;
        self.names.extend([
            ("decision", decision.to_string()),
            ("server", "crm".to_owned()),
            ("policy", "careful".to_owned()),
            ("version", "1".to_owned()),
            ("agent", "desk-agent".to_owned()),
            ("grant", grant.to_string()),
            ("member", member.to_string()),
            ("token", program.to_string()),
            ("digest", tools::definition_digest(&waiting)),
        ]);
    }

    /// A decision of some replica, recorded and shipped.
    pub async fn decide(&self, told: &Told<'_>) -> Id {
        let (id, organisation) = (ids::next(), self.admin.organisation.to_string());
        let decision = Decision {
            id,
            organisation: Some(&organisation),
            grant: Some("desk"),
            grant_id: Some("01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            server: Some(told.server),
            client: Some("192.0.2.7".parse().unwrap()),
            target: Target::Tool(told.tool),
            effect: told.effect,
            reason: told.reason,
            ..Decision::default()
        };
        self.log.append(&Event::Decision(decision)).unwrap();
        if told.settled {
            let outcome = Outcome { decision: id, duration_us: Some(7), ending: Ending::Ok, ..Outcome::default() };
            self.log.append(&Event::Outcome(outcome)).unwrap();
        }
        if told.shipped {
            let (database, chain) = (self.instance.database(), self.log.chain());
            let from = database.shipped(chain).await.unwrap().map(|shipped| shipped.position).unwrap_or_default();
            let tail = store::log::tail(self.log.path(), from, 100_000).unwrap();
            database.ship(chain, &tail, false).await.unwrap();
        }
        id
    }

    /// A text with `{names}` filled in.
    pub fn filled(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    pub async fn send(&self, ask: &Ask) -> Answer {
        ask.send(self.address).await
    }

    pub async fn get(&self, role: &str, path: &str) -> Answer {
        self.send(&ask("GET", path).token(&self.tokens[role])).await
    }

    pub async fn post(&self, role: &str, path: &str, body: &Value) -> Answer {
        self.send(&ask("POST", path).token(&self.tokens[role]).json(body)).await
    }

    /// All that was done in the first organisation.
    pub async fn deeds(&self) -> Vec<String> {
        let all = self.get("auditor", "/api/v1/admin-events?limit=200").await.json();
        all["items"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect()
    }
}
