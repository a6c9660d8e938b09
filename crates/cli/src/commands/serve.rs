//! `toolgate serve`: listens for agents over HTTP.

mod counts;
mod doors;
mod filed;
mod instance;
mod process;
mod waiting;
mod watched;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

use gateway::gateway::Grants;
use gateway::grant::{Binding, Grant, Lead};
use gateway::http_front::{Beside, FrontConfig};
use gateway::listen::Workers;
use gateway::pins::Pinning;
use gateway::policy_file::PolicyCell;
use store::log::Durability;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::doors::Doors;
use self::filed::Filed;
use crate::args::{ServeOptions, TlsOptions};
use crate::commands::catalogue::beside;
use crate::commands::run::{facts, pinned, server};
use crate::config::Config;
use crate::environment::data_dir;
use crate::failure::{Failure, Trying};
use crate::foundation::Beginning;
use crate::output::tell;
use crate::token::Token;
use crate::{foundation, hangup, listening, policy_watch, retention};
use watched::Watched;

/// Where `serve` listens unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8040);

/// All that is needed to serve.
pub struct Plan {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The grants.
    pub grants: Grants,
    /// The policies, and the servers that each governs.
    pub policies: Vec<(Arc<PolicyCell>, Vec<String>)>,
    /// The pins of each server.
    pub pins: Vec<(String, Arc<Pinning>)>,
    /// The listening side.
    pub front: FrontConfig,
    /// The certificate and the key that it listens with.
    pub tls: TlsOptions,
    /// The longest that a connection to a server may take to stand.
    pub connect: std::time::Duration,
    /// The paths under which servers are asked.
    pub paths: Vec<String>,
    /// The data directory.
    pub data: Option<std::path::PathBuf>,
    /// When a record counts as written.
    pub durability: Durability,
    /// For how long the audit log is kept.
    pub keep: Option<std::time::Duration>,
    /// A fresh token, to be shown once.
    pub fresh: Option<Token>,
}

/// The first random number takes tens of milliseconds, in which aws-lc gathers noise for its seed: they pass while the
/// configuration is read. Whoever needs one sooner waits for it.
struct Noise(Option<std::thread::JoinHandle<()>>);

impl Noise {
    fn gathered() -> Self {
        Self(Some(std::thread::spawn(|| {
            let _ = aws_lc_rs::rand::fill(&mut [0; 16]);
        })))
    }
}

impl Drop for Noise {
    /// A process that ends takes aws-lc's locks away, and aborts where they are in use: one whose configuration is refused
    /// would end by a signal.
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            drop(thread.join());
        }
    }
}

/// Serves until told to stop.
pub fn serve(options: ServeOptions) -> Result<ExitCode, Failure> {
    let workers = options.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let _noise = Noise::gathered();
    let one_server =
        options.server.policy.is_some() || options.server.upstream.is_some() || !options.server.program.is_empty();
    if options.config.is_none() && !one_server {
        return instance::serve(&options, workers);
    }
    if let Some(name) = options.instance.given() {
        let text = "is for an instance, which keeps servers, policies and grants itself: leave out --config, --policy, --upstream and the command";
        return Err(Failure::Usage(format!("{name} {text}")));
    }
    let (mut plan, declared) = match &options.config {
        Some(path) => {
            let config = Config::read(path)?;
            let declared = config.view()?;
            (config.plan(&options)?, Some((path, declared)))
        }
        None => (plan(&options)?, None),
    };
    if plan.front.anonymous && !plan.listen.ip().is_loopback() {
        return Err(Failure::Usage(
            "--anonymous is for loopback only: beyond it every agent brings a token".to_owned(),
        ));
    }
    let tls = listening::tls(&plan.tls)?;
    listening::guarded(plan.listen, tls.as_ref(), &plan.front.proxies)?;
    plan.front.connections = listening::room(plan.front.connections);
    let pages = beside::pages(options.catalogue, plan.listen, plan.data.as_deref(), &plan.front.hosts)?;
    if let Some(pages) = &pages {
        plan.front.beside = Some(Arc::clone(pages) as Arc<dyn Beside>);
    }
    let runtime = Builder::new_current_thread().enable_all().build().trying("the runtime")?;
    {
        let _here = runtime.enter();
        hangup::outlive(match &options.config {
            Some(_) => {
                "policies, accepted definitions and certificates are read again by themselves when they change; everything else in the configuration takes a restart"
            }
            None => {
                "the policy, accepted definitions and certificates are read again by themselves when they change; options take a restart"
            }
        })?;
    }
    let beginning = Beginning::alone("serve", plan.durability, plan.grants, plan.keep);
    let gateway = foundation::lay(plan.data.as_deref(), beginning, runtime.handle())?;
    // What a file says can be asked for like the state of an instance.
    let control = match declared {
        None => None,
        Some((file, declared)) => {
            let cells = plan.policies.iter().map(|(cell, _)| Arc::clone(cell)).collect();
            let data = data_dir(plan.data.as_deref())?;
            let filed = Filed::new(file, declared, cells, &data)?;
            let control = Builder::new_multi_thread().worker_threads(1).thread_name("control").enable_all().build();
            let control = control.trying("the runtime of the API")?;
            let doors = Doors { api: filed.router(), pages: pages.clone(), control: control.handle().clone() };
            plan.front.beside = Some(Arc::new(doors) as Arc<dyn Beside>);
            Some(control)
        }
    };
    let with_api = control.is_some();
    let listener = TcpListener::bind(plan.listen).trying(format!("listening at {}", plan.listen))?;
    let address = listener.local_addr().trying("the listening address")?;
    let code = runtime.block_on(async move {
        let mut stopping = Stopping::begin()?;
        let housekeeping = tokio::spawn(Arc::clone(&gateway).housekeeping());
        let watch = tokio::spawn(policy_watch::watch(Arc::clone(&gateway), plan.policies, plan.pins));
        let watched = Watched::start(&options.watch, &plan.front.hosts, tls.as_ref(), &gateway)?;
        let workers = Workers::start(&listener, &gateway, &Arc::new(plan.front), tls.as_ref(), plan.connect, workers)
            .trying("the workers")?;
        drop(listener);
        tls.iter().for_each(listening::follow);
        let scheme = listening::scheme(tls.as_ref());
        for path in &plan.paths {
            tell!("endpoint {scheme}://{address}{path}");
        }
        if with_api {
            tell!("api {scheme}://{address}/api/v1/");
        }
        if pages.is_some() {
            tell!("catalogue {scheme}://{address}/");
        }
        if let Some(token) = &plan.fresh {
            tell!("token {}", token.reveal());
            tell!("toolgate: the token is shown this once; agents send it as `Authorization: Bearer TOKEN`");
        }
        let reason = stopping.told().await;
        tell!("toolgate: {reason}: finishing what is under way");
        watch.abort();
        tokio::select! {
            () = workers.drain() => {}
            // Told twice, it waits no longer.
            _ = stopping.told() => {}
        }
        housekeeping.abort();
        gateway.shut_down(reason).await;
        watched.finish().await;
        Ok(ExitCode::SUCCESS)
    });
    if let Some(control) = control {
        control.shutdown_background();
    }
    code
}

/// The signals by which somebody says that the gateway is to stop. They are awaited from before anybody is told where it
/// listens: whoever has read that may say so.
struct Stopping {
    terminate: Signal,
    interrupt: Signal,
}

impl Stopping {
    fn begin() -> Result<Self, Failure> {
        let terminate = signal(SignalKind::terminate()).trying("signals")?;
        let interrupt = signal(SignalKind::interrupt()).trying("signals")?;
        Ok(Self { terminate, interrupt })
    }

    /// Waits until somebody wants the gateway to stop, and tells how they said it.
    async fn told(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "interrupted",
        }
    }
}

fn plan(options: &ServeOptions) -> Result<Plan, Failure> {
    let config = server(&options.server)?;
    let Some(file) = &options.server.policy else {
        return Err(Failure::Usage(
            "serve needs --policy FILE (or --config FILE): without a policy nothing may be called".to_owned(),
        ));
    };
    let cell = policy_watch::load(file)?;
    let server = pinned(config, file, &options.pins, options.data.dir.as_deref())?;
    let binding = Binding::new(Arc::clone(&server), Some(Arc::clone(&cell)));
    let grant = |label: &str| Lead::from(Arc::new(Grant::local(facts(label), Arc::clone(&binding))));
    let (token, fresh) = match (&options.token, &options.token_file) {
        (Some(text), _) => (Some(Token::chosen(text).trying("--token")?), None),
        (None, Some(path)) => (Some(Token::from_file(path)?), None),
        (None, None) => match Token::from_variable("TOOLGATE_TOKEN")? {
            Some(token) => (Some(token), None),
            // Where anybody on loopback may call, no token is needed.
            None if options.anonymous.is_some() => (None, None),
            None => {
                let token = Token::fresh()?;
                (None, Some(token))
            }
        },
    };
    let tokens = token.iter().chain(&fresh).map(|token| (token.digest(), grant(&options.server.grant))).collect();
    let anonymous: Vec<_> = options.anonymous.as_deref().map(grant).into_iter().collect();
    let front = FrontConfig {
        hosts: options.allow_host.iter().map(|host| host.to_ascii_lowercase()).collect(),
        proxies: options.behind_tls_proxy.clone(),
        origins: options.allow_origin.iter().cloned().collect(),
        anonymous: !anonymous.is_empty(),
        connections: options.connections.limits(),
        beside: None,
    };
    Ok(Plan {
        listen: options.listen.unwrap_or(LISTEN),
        grants: Grants::new(tokens, anonymous),
        policies: vec![(cell, vec![server.id().to_owned()])],
        pins: vec![(server.id().to_owned(), Arc::clone(&server.pins))],
        front,
        tls: options.tls.clone(),
        connect: server.config.limits.connect,
        paths: vec!["/mcp".to_owned()],
        data: options.data.dir.clone(),
        durability: options.durability.unwrap_or_default().into(),
        keep: options.keep_days.map(retention::days),
        fresh,
    })
}
