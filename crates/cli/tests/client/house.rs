//! An instance behind a listener, and somebody at a terminal of their own.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use control::Instance;
use control::sign_in::SignIn;
use serde_json::Value;
use store::DataDir;
use store::control::Place;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use vault::KeyRing;
use web::control_api::{Allowance, Allowances, router};

/// The admin's password.
pub const PASSWORD: &str = "correct horse battery";

/// A policy that allows nothing.
pub const CLOSED: &str = "{\n  \"version\": \"1\",\n  \"default\": \"deny\"\n}\n";

/// A policy that allows everything.
pub const OPEN: &str = "{\n  \"version\": \"1\",\n  \"default\": \"allow\"\n}\n";

pub struct House {
    pub folder: TempDir,
    pub instance: Instance,
    pub address: SocketAddr,
    pub setup_token: String,
    pub runtime: Runtime,
    tokens: AtomicUsize,
}

/// What a command has answered.
#[derive(Debug)]
pub struct Told {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Told {
    /// What it printed, where it was done.
    pub fn done(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// What it printed as JSON, where it was done.
    pub fn json(self) -> Value {
        let out = self.done();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// What it said where the answer was no.
    pub fn no(self) -> String {
        assert_eq!(self.code, 1, "{self:?}");
        self.err
    }

    /// What it said where it was used wrongly, or nobody could be asked.
    pub fn unusable(self) -> String {
        assert_eq!(self.code, 2, "{self:?}");
        self.err
    }
}

impl House {
    /// A new instance, which has nobody yet.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let place = Place::Embedded(DataDir::open(&folder.path().join("data")).unwrap());
        let (instance, address, token) = runtime.block_on(async {
            let instance = Instance::open(&place, KeyRing::generate("a test").unwrap()).await.unwrap();
            let sign_in = SignIn::new(&instance).unwrap();
            let token = instance.setup_token().await.unwrap().unwrap();
            let plenty = Allowance { requests: 1_000_000, seconds: 1 };
            let router = router(instance.clone(), sign_in, Allowances { caller: plenty, stranger: plenty });
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
            (instance, address, token.reveal().to_owned())
        });
        Self { folder, instance, address, setup_token: token, runtime, tokens: AtomicUsize::new(0) }
    }

    /// One whose admin has signed in.
    pub fn set_up() -> Self {
        let house = Self::new();
        let (token, password) = (house.file("setup", &house.setup_token), house.file("password", PASSWORD));
        let words = ["setup", "--name", "ada", "--setup-token-file", &token, "--password-file", &password];
        house.run(&words).done();
        house
    }

    /// One with a published policy, a server, and a grant.
    pub fn furnished() -> Self {
        let house = Self::set_up();
        let closed = house.file("closed.json", CLOSED);
        house.run(&["policy", "put", "careful", &closed, "--publish", "--reason", "the first"]).done();
        house.run(&["server", "add", "crm", "--url", "https://crm.example/mcp", "--policy", "careful"]).done();
        house.run(&["grant", "mint", "crm/desk", "--agent", "helpdesk"]).done();
        house
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A file with this text.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command against this instance.
    pub fn run(&self, words: &[&str]) -> Told {
        self.with(words, &[("TOOLGATE_INSTANCE", &self.url())], "")
    }

    /// Runs a command with variables and an input.
    pub fn with(&self, words: &[&str], variables: &[(&str, &str)], input: &str) -> Told {
        let mut command = Command::new(env!("CARGO_BIN_EXE_toolgate"));
        command.args(words).env_clear().current_dir(self.folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home());
        command.envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Whoever reads nothing has closed its end.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Told { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The home directory of whoever runs commands.
    pub fn home(&self) -> PathBuf {
        let home = self.path("home");
        std::fs::create_dir_all(&home).unwrap();
        home
    }

    /// All that was done, as an auditor reads it.
    pub fn deeds(&self) -> Vec<String> {
        let token = self.token("auditor");
        let told =
            self.with(&["events", "--json"], &[("TOOLGATE_INSTANCE", &self.url()), ("TOOLGATE_API_TOKEN", &token)], "");
        told.json().as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap().to_owned()).collect()
    }

    /// An API token of this role.
    pub fn token(&self, role: &str) -> String {
        // A label is used once.
        let label = format!("{role} {}", self.tokens.fetch_add(1, Ordering::Relaxed));
        self.run(&["token", "add", &label, "--role", role]).done().trim().to_owned()
    }
}

/// The mode of a file.
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
