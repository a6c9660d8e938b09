//! The API beside `serve --config`: what the file says can be asked like any instance, and every change is refused with
//! the name of the file. What is shown stands in tables of its own, which are filled when somebody first asks and go with
//! the process; they hold no secret.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::Id;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse as _;
use control::sign_in::SignIn;
use control::{BadInstance, Instance, Refused};
use gateway::policy_file::PolicyCell;
use serde_json::Value;
use store::DataDir;
use store::control::access::{Actor, Role, See, Who};
use store::control::agents::Holder;
use store::control::grants::NewGrant;
use store::control::leads::{Leads, Member, Stack};
use store::control::policies::Document;
use store::control::servers::{Reach, ServerDraft, Settings};
use store::control::{BadControl, Place};
use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};
use tower::ServiceExt as _;
use vault::KeyRing;
use vault::token::{Token, TokenKind};
use web::control_api::{self, Allowances};

use crate::config::{Declared, DeclaredLeads, DeclaredReach, DeclaredServer};
use crate::env_file;
use crate::failure::{Failure, Trying};
use crate::output::tell;

/// The file in the data directory with the token that reads.
const TOKEN: &str = "api-token";

/// What is served by a file.
pub struct Filed {
    file: String,
    declared: Declared,
    cells: Vec<Arc<PolicyCell>>,
    token: Token,
    opened: OnceCell<Opened>,
}

/// Tables that show it.
struct Opened {
    router: Router,
    instance: Instance,
    actor: Actor,
    /// What is shown of each policy, by the file's path.
    policies: Mutex<BTreeMap<PathBuf, Shown>>,
    _folder: TempDir,
}

struct Shown {
    policy: Id,
    version: i64,
    digest: String,
}

/// Why nothing can be shown.
#[derive(Debug, thiserror::Error)]
enum NotShown {
    #[error(transparent)]
    Instance(#[from] BadInstance),
    #[error(transparent)]
    Control(#[from] BadControl),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("{0}")]
    Other(String),
}

impl Filed {
    /// What a file says, to be shown to whoever has the token that lies in the data directory.
    ///
    /// # Errors
    /// When that token cannot be read or made.
    pub fn new(file: &Path, declared: Declared, cells: Vec<Arc<PolicyCell>>, data: &Path) -> Result<Self, Failure> {
        let token = token(&data.join(TOKEN))?;
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
        Ok(Self { file: file.display().to_string(), declared, cells, token, opened: OnceCell::new() })
    }

    /// Its routes.
    pub fn router(self) -> Router {
        let filed = Arc::new(self);
        Router::new().fallback(move |request| {
            let filed = Arc::clone(&filed);
            async move { filed.answer(request).await }
        })
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let shown = async {
            let opened = self.opened.get_or_try_init(|| self.open()).await?;
            opened.follow(&self.cells).await?;
            Ok::<_, NotShown>(opened.router.clone())
        };
        match shown.await {
            Ok(router) => match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Err(error) => {
                tell!("toolgate: the API cannot show what {} says: {error}", self.file);
                let text = "what the configuration says cannot be shown; the gateway's own messages say why\n";
                (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
            }
        }
    }

    async fn open(&self) -> Result<Opened, NotShown> {
        let other = |error: &dyn std::fmt::Display| NotShown::Other(error.to_string());
        let folder = tempfile::tempdir().map_err(|error| other(&error))?;
        let data = DataDir::open(folder.path()).map_err(|error| other(&error))?;
        let keys = KeyRing::generate("what a file says").map_err(|error| other(&error))?;
        let instance = Instance::open(&Place::Embedded(data), keys).await?;
        let sign_in = SignIn::new(&instance)?;
        let organisation = instance.database().first_organisation().await?.id;
        let who = Who::Operator("file".to_owned());
        let actor = Actor { organisation, first: true, who, role: Role::Admin };
        let policies = fill(&instance, &actor, &self.declared).await?;
        instance.know_token(&actor, TOKEN, Role::Auditor, &self.token).await?;
        let router = control_api::router_of_file(instance.clone(), sign_in, Allowances::default(), self.file.clone());
        Ok(Opened {
            router: control_api::alone(router),
            instance,
            actor,
            policies: Mutex::new(policies),
            _folder: folder,
        })
    }
}

impl Opened {
    /// Shows of each policy what is in force by now: its file is watched.
    async fn follow(&self, cells: &[Arc<PolicyCell>]) -> Result<(), NotShown> {
        let mut policies = self.policies.lock().await;
        for cell in cells {
            let in_force = cell.now();
            let Some(shown) = policies.get_mut(&cell.path).filter(|shown| *shown.digest != *in_force.digest) else {
                continue;
            };
            // What was written since is not in force yet, or never will be.
            let Ok(text) = std::fs::read_to_string(&cell.path) else { continue };
            if digest(&text) != *in_force.digest {
                continue;
            }
            let (database, document) = (self.instance.database(), Document { text: &text, digest: &in_force.digest });
            let permit = self.actor.permit().map_err(Refused::from)?;
            shown.version = database.add_policy_version(permit, shown.policy, shown.version, document, "").await?;
            let permit = self.actor.permit().map_err(Refused::from)?;
            database.publish(permit, shown.policy, shown.version, "the file was changed").await?;
            shown.digest = in_force.digest.to_string();
        }
        Ok(())
    }
}

fn digest(text: &str) -> String {
    gateway::hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref())
}

/// Fills new tables. Nothing is checked anew that is served already, and no secret goes there.
async fn fill(instance: &Instance, actor: &Actor, declared: &Declared) -> Result<BTreeMap<PathBuf, Shown>, NotShown> {
    let database = instance.database();
    let mut shown = BTreeMap::new();
    for (name, policy) in &declared.policies {
        let digest = digest(&policy.text);
        let document = Document { text: &policy.text, digest: &digest };
        let permit = actor.permit().map_err(Refused::from)?;
        let id = database.add_policy(permit, name, "", document, "").await?;
        let permit = actor.permit().map_err(Refused::from)?;
        database.publish(permit, id, 1, "the file says so").await?;
        let path = std::path::absolute(&policy.file).unwrap_or_else(|_| policy.file.clone());
        shown.insert(path, Shown { policy: id, version: 1, digest });
    }
    let policy_id = |name: Option<&String>| {
        let path = name.and_then(|name| declared.policies.get(name)).map(|policy| &policy.file)?;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        shown.get(&path).map(|shown| shown.policy)
    };
    for (name, server) in &declared.servers {
        let settings = serde_json::from_value::<Settings>(Value::Object(server.settings.clone()));
        let settings = settings.map_err(|error| NotShown::Other(error.to_string()))?;
        let reach = reach(server);
        let draft = ServerDraft {
            name,
            title: "",
            reach: &reach,
            settings: &settings,
            policy: policy_id(server.policy.as_ref()),
        };
        let permit = actor.permit().map_err(Refused::from)?;
        let id = database.add_server::<BadControl>(permit, &draft, |_| Ok(Vec::new()), "").await?;
        for (tool, class) in &server.classes {
            let permit = actor.permit().map_err(Refused::from)?;
            database.set_override(permit, id, tool, Some(class), &BTreeMap::new(), "").await?;
        }
    }
    for (number, grant) in declared.grants.iter().enumerate() {
        let see = actor.permit::<See>().map_err(Refused::from)?;
        let leads = match &grant.leads {
            DeclaredLeads::Server(server) => Leads::Server(database.server(&see, server).await?.id),
            DeclaredLeads::Stack { servers, policies, unprefixed, search } => {
                let mut members = Vec::new();
                for server in servers {
                    members.push(Member {
                        server: database.server(&see, server).await?.id,
                        policy: policy_id(policies.get(server)),
                        unprefixed: unprefixed.contains(server),
                    });
                }
                Leads::Stack(Stack { servers: members, search: *search })
            }
        };
        let new = NewGrant {
            label: &grant.label,
            leads: &leads,
            agent: Holder::Named { name: &grant.agent, owner: grant.owner.as_deref() },
            policy: policy_id(grant.policy.as_ref()),
            owner: grant.owner.as_deref(),
            tags: &grant.tags,
            networks: &grant.networks,
            expires_at: grant.expires_at,
            // No token has it: what the file's grants are recognised by stays where it is.
            hash: &format!("file:{number}"),
        };
        let permit = actor.permit().map_err(Refused::from)?;
        database.add_grant(permit, &new, "").await?;
    }
    Ok(shown)
}

fn reach(server: &DeclaredServer) -> Reach {
    let names = || server.secrets.keys().cloned().collect();
    match &server.reach {
        DeclaredReach::Http(url, transport) => {
            Reach::Http { url: url.clone(), headers: names(), transport: *transport }
        }
        DeclaredReach::Child(words) => Reach::Child { command: words.clone(), env: names() },
    }
}

/// The token in a file of one's own, which is made where there is none.
fn token(path: &Path) -> Result<Token, Failure> {
    let what = || format!("the API token {}", path.display());
    match env_file::text(path) {
        Ok(text) => Token::parse(TokenKind::Program, text.expose().trim()).trying(what()),
        Err(env_file::Unusable::Missing) => {
            let token = Token::fresh(TokenKind::Program).trying(what())?;
            let folder = path.parent().unwrap_or(Path::new("."));
            // Temporary files have the mode 0600, and the file takes it over.
            let made = || {
                let mut file = tempfile::Builder::new().prefix(".api-token-").tempfile_in(folder)?;
                writeln!(file, "{}", token.reveal())?;
                file.as_file().sync_all()?;
                file.persist(path).map(drop).map_err(|error| error.error)
            };
            made().trying(what())?;
            Ok(token)
        }
        Err(why) => Err(Failure::Usage(format!("{}: {why}", what()))),
    }
}
