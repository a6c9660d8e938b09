//! What the cases stand on: an instance of its own, replicas with gateways that listen, a server that records.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use control::follow::{Following, Replica};
use control::grants::{GrantGiven, Minted};
use control::servers::{ReachGiven, ServerGiven};
use control::ship::{Shipper, Shipping};
use control::stacks::LeadsGiven;
use control::{Instance, confirm};
use gateway::counting::Counting;
use gateway::gateway::{Foundation, Gateway, Grants};
use gateway::http_front::FrontConfig;
use gateway::lease::Lease;
use gateway::listen::Workers;
use policy::text::cidr::Block;
use secrecy::SecretString;
use store::DataDir;
use store::control::Place;
use store::control::access::{Actor, Role, Who};
use store::control::decisions::{Decision, DecisionFilter};
use store::control::servers::Settings;
use store::log::{AuditLog, Options, Signer};
use store::processes::Processes;
use tempfile::TempDir;
use testkit::client::McpHttp;
use testkit::postgres::Postgres;
use testkit::upstream::Upstream;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use upstream::egress::Egress;
use vault::KeyRing;

static POSTGRES: LazyLock<Postgres> = LazyLock::new(|| Postgres::start().unwrap());

/// A lease that outlives a test, so that nothing is seen to hold because a lease ran out.
pub const LONG: Duration = Duration::from_secs(600);

pub struct House {
    pub folder: TempDir,
    pub place: Place,
    pub keys: SecretString,
    /// Where its servers may be: on this machine, which is where those of the cases are.
    pub egress: Egress,
}

pub fn sqlite() -> House {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Embedded(DataDir::open(&folder.path().join("data")).unwrap());
    House { folder, ..House::at(place) }
}

pub fn postgres() -> House {
    House::at(Place::Postgres(POSTGRES.database().unwrap()))
}

/// Somebody at the control plane, on a runtime of their own.
pub struct Desk {
    pub instance: Instance,
    pub admin: Actor,
    pub runtime: Runtime,
}

pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

impl House {
    pub fn at(place: Place) -> House {
        let egress = Egress::public([Block::parse("127.0.0.0/8").unwrap()]);
        let keys = KeyRing::generate("a test").unwrap().text();
        House { folder: tempfile::tempdir().unwrap(), place, keys, egress }
    }

    pub fn ring(&self) -> KeyRing {
        use secrecy::ExposeSecret;
        KeyRing::parse(self.keys.expose_secret().as_bytes(), "a test").unwrap()
    }

    /// The same tables and keys, to be opened under another folder and other rules.
    pub fn again(&self) -> House {
        let folder = tempfile::tempdir().unwrap();
        House { folder, place: self.place.clone(), keys: self.keys.clone(), egress: self.egress.clone() }
    }

    /// How its instance is opened.
    fn door(&self) -> Door {
        Door { place: self.place.clone(), ring: self.ring(), egress: self.egress.clone() }
    }

    pub fn desk(&self) -> Desk {
        let runtime = runtime();
        let instance = runtime.block_on(self.door().open());
        let organisation = runtime.block_on(instance.database().first_organisation()).unwrap().id;
        let who = Who::Operator("ada".to_owned());
        let admin = Actor { organisation, first: true, who, role: Role::Admin };
        Desk { instance, admin, runtime }
    }

    pub fn replica(&self, name: &str) -> Serving {
        self.replica_with(name, LONG)
    }

    pub fn replica_with(&self, name: &str, lease: Duration) -> Serving {
        self.replica_counting(name, lease, Counts::Memory)
    }

    /// A gateway on a thread of its own, which serves when this returns.
    pub fn replica_counting(&self, name: &str, lease: Duration, counts: Counts) -> Serving {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (ready, is_ready) = mpsc::channel();
        let (stop, stopping) = oneshot::channel();
        let data = self.folder.path().join(name);
        let following = Following { name: name.to_owned(), lease, hidden: Vec::new(), tell: Arc::new(|_| {}) };
        let door = self.door();
        let thread = std::thread::spawn(move || serve(&listener, door, data, counts, following, &ready, stopping));
        let gateway = is_ready.recv().unwrap();
        Serving { url, gateway, stop: Some(stop), thread: Some(thread) }
    }
}

/// Where a replica counts.
pub enum Counts {
    Memory,
    File,
    Redis(shared::Options),
}

impl Counts {
    /// In this Redis, with the longest time limit: a busy machine is no fault of Redis.
    pub fn redis(url: &str) -> Self {
        let timeout = shared::Timeout::new(Duration::from_secs(1)).unwrap();
        Self::Redis(shared::Options { timeout, ..shared::Options::new(url.to_owned().into()) })
    }

    fn open(self, data: &DataDir, runtime: &Handle) -> Counting {
        match self {
            Self::Memory => Counting::Here(Arc::new(quota::Memory::default())),
            Self::File => Counting::Here(Arc::new(store::counts::Ledger::open(data).unwrap())),
            Self::Redis(options) => Counting::Shared(shared::Counts::open(options, runtime).unwrap()),
        }
    }
}

/// What it takes to open an instance.
struct Door {
    place: Place,
    ring: KeyRing,
    egress: Egress,
}

impl Door {
    async fn open(self) -> Instance {
        Instance::open(&self.place, self.ring).await.unwrap().with_egress(self.egress)
    }
}

fn serve(
    listener: &TcpListener,
    door: Door,
    data: PathBuf,
    counts: Counts,
    following: Following,
    ready: &mpsc::Sender<Arc<Gateway>>,
    stopping: oneshot::Receiver<()>,
) {
    let runtime = runtime();
    let data = DataDir::open(&data).unwrap();
    let instance = runtime.block_on(door.open());
    let signer = Signer { every_records: 10, ..Signer::new(instance.signing_key()) };
    let options = Options { rotate_bytes: 20_000, ..Options::default() };
    let foundation = Foundation {
        counting: counts.open(&data, runtime.handle()),
        log: AuditLog::signed(&data.audit(), options, signer).unwrap(),
        session_key: [7; 32],
        processes: Processes::register(&data).unwrap(),
        child_stderr: Arc::new(|_, _| {}),
        background: runtime.handle().clone(),
        lease: Lease::ended(),
    };
    let gateway = Gateway::new(foundation, Grants::default()).unwrap();
    runtime.block_on(async {
        let shipping = Shipping { audit: data.audit(), keep: None, tell: Arc::new(|_| {}) };
        let mut shipper = Shipper::new(instance.clone(), shipping);
        let shipper = tokio::spawn(async move { shipper.run().await });
        let housekeeping = tokio::spawn(Arc::clone(&gateway).housekeeping());
        let mut replica = Replica::new(instance, Arc::clone(&gateway), following);
        replica.step().await.unwrap();
        let front = Arc::new(FrontConfig::default());
        let workers = Workers::start(listener, &gateway, &front, None, Duration::from_secs(5), 2).unwrap();
        ready.send(Arc::clone(&gateway)).unwrap();
        tokio::select! {
            () = replica.run() => {}
            _ = stopping => {}
        }
        // What is under way ends under the lease, which is given back when nothing is.
        tokio::select! {
            () = workers.drain() => {}
            () = replica.run() => {}
        }
        // A database that is away is none to say good-bye to.
        let _ = replica.leave().await;
        housekeeping.abort();
        gateway.shut_down("the test has ended").await;
        shipper.abort();
    });
}

/// A replica; it ends when this is dropped.
pub struct Serving {
    pub url: String,
    pub gateway: Arc<Gateway>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    pub fn agent(&self, server: &str, minted: &Minted) -> McpHttp {
        self.agent_with(server, minted.token.reveal())
    }

    pub fn agent_with(&self, server: &str, token: &str) -> McpHttp {
        McpHttp::modern(&format!("{}/mcp/{server}/", self.url), Some(token)).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "a replica has panicked");
        }
    }
}

/// A server before an upstream.
pub fn server(name: &str, upstream: &Upstream) -> ServerGiven {
    ServerGiven {
        name: name.to_owned(),
        title: String::new(),
        reach: ReachGiven::Http { url: upstream.url(), headers: Default::default(), transport: None },
        settings: Settings { accept_first: true, ..Settings::default() },
        policy: None,
    }
}

/// Allows everything.
pub const OPEN: &str = r#"{ "version": "1", "default": "allow" }"#;

impl Desk {
    /// All decisions about calls of tools, the newest first.
    pub fn decisions(&self) -> Vec<Decision> {
        let (database, see) = (self.instance.database(), self.admin.permit().unwrap());
        let all = self.runtime.block_on(database.decisions(&see, &DecisionFilter::default(), None, 1_000)).unwrap();
        all.into_iter().filter(|decision| decision.kind.as_deref() == Some("tool")).collect()
    }

    pub fn register(&self, name: &str, upstream: &Upstream) {
        self.register_as(&self.admin, name, upstream);
    }

    pub fn register_as(&self, actor: &Actor, name: &str, upstream: &Upstream) {
        let given = server(name, upstream);
        self.runtime.block_on(self.instance.add_server(actor, &given, "")).unwrap();
    }

    /// A policy, published.
    pub fn policy(&self, actor: &Actor, name: &str, document: &str) {
        self.runtime.block_on(async {
            self.instance.add_policy(actor, name, "", document, "").await.unwrap();
            self.instance.publish(actor, name, 1, "first").await.unwrap();
        });
    }

    pub fn mint(&self, actor: &Actor, given: &GrantGiven) -> Minted {
        let minted = self.runtime.block_on(self.instance.mint(actor, given, "")).unwrap();
        self.confirmed(minted.version);
        minted
    }

    /// Waits as an answer of the API would.
    pub fn confirmed(&self, version: i64) {
        let lost = self.runtime.block_on(confirm::everywhere(self.instance.database(), version)).unwrap();
        assert!(lost.is_empty(), "{lost:?}");
    }
}

pub fn given(label: &str, server: &str, policy: &str) -> GrantGiven {
    GrantGiven {
        label: label.to_owned(),
        leads: LeadsGiven::Server(server.to_owned()),
        agent: format!("{label}-agent"),
        policy: Some(policy.to_owned()),
        ..GrantGiven::default()
    }
}
