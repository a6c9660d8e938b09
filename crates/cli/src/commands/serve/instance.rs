//! `toolgate serve` without a policy or a configuration: an instance with servers, policies and grants of its own, kept
//! in its tables and changed through its API.

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use control::follow::{Following, LEASE, Replica};
use control::ship::{Shipper, Shipping};
use control::sign_in::SignIn;
use control::{BadInstance, Instance};
use gateway::gateway::Grants;
use gateway::http_front::{Beside, FrontConfig};
use gateway::lease::Lease;
use gateway::listen::Workers;
use store::DataDir;
use store::control::{BadControl, Place};
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use upstream::egress::Egress;
use vault::KeySource;
use vault::token::Token;
use web::control_api::{self, Allowances};

use super::counts::Redis;
use super::doors::Doors;
use super::waiting::{self, Door};
use super::watched::Watched;
use super::{LISTEN, Stopping};
use crate::args::{InstanceOptions, ServeOptions};
use crate::commands::catalogue::beside;
use crate::environment::{data_dir, own_variables};
use crate::failure::{Failure, Trying};
use crate::foundation::{self, Beginning};
use crate::instance;
use crate::listening;
use crate::output::tell;
use crate::retention;

/// How often a database that is away is looked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long decisions are shipped after the last call has ended.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Threads for the API and for following; calls are served by others.
const CONTROL_THREADS: usize = 2;

/// Serves an instance until told to stop.
pub fn serve(options: &ServeOptions, workers: usize) -> Result<ExitCode, Failure> {
    // Before any key is read: they must not end in a core dump.
    vault::harden::harden_process().trying("forbidding core dumps")?;
    for_one_server_only(options)?;
    let front = FrontConfig {
        hosts: options.allow_host.iter().map(|host| host.to_ascii_lowercase()).collect(),
        proxies: options.behind_tls_proxy.clone(),
        origins: options.allow_origin.iter().cloned().collect(),
        anonymous: false,
        connections: listening::room(options.connections.limits()),
        beside: None,
    };
    let listen = options.listen.unwrap_or(LISTEN);
    let tls = listening::tls(&options.tls)?;
    listening::guarded(listen, tls.as_ref(), &front.proxies)?;
    let path = data_dir(options.data.dir.as_deref())?;
    let data = DataDir::open(&path).trying(format!("the data directory {}", path.display()))?;
    let place = instance::place(options.instance.tables.database.as_deref(), data.clone())?;
    let keys = instance::keys(&options.instance.tables, &place, &data)?;
    let redis = Redis::open(&options.instance.redis, &place)?;
    let pages = beside::pages(options.catalogue, listen, Some(&path), &front.hosts)?;
    let listener = TcpListener::bind(listen).trying(format!("listening at {listen}"))?;
    let address = listener.local_addr().trying("the listening address")?;

    let control =
        Builder::new_multi_thread().worker_threads(CONTROL_THREADS).thread_name("control").enable_all().build();
    let control = control.trying("the runtime of the control plane")?;
    let (Opened { instance, session_key, setup }, mut hangup) = control.block_on(async {
        tls.iter().for_each(listening::follow);
        // From here on it ends nothing, also while the database is awaited.
        let hangup = signal(SignalKind::hangup()).trying("signals")?;
        let door = Door { listener: &listener, tls: tls.as_ref(), what: "its control plane's database" };
        let opened = waiting::until_there(door, async || open(&place, &keys).await).await?;
        Ok::<_, Failure>((opened, hangup))
    })?;
    let instance = instance.with_tell(Arc::new(|text| tell!("toolgate: {text}")));
    let instance = instance.with_egress(Egress::public(options.instance.allow_upstream.iter().copied()));
    let runtime = Builder::new_current_thread().enable_all().build().trying("the runtime")?;
    let beginning = || Beginning {
        command: "serve",
        durability: options.durability.unwrap_or_default().into(),
        grants: Grants::default(),
        lease: Lease::ended(),
        session_key: Some(session_key),
        counting: redis.as_ref().map(Redis::counting),
        signing_key: Some(instance.signing_key()),
        // The shipper removes what is too old: not before it is shipped.
        keep: None,
    };
    let door = Door { listener: &listener, tls: tls.as_ref(), what: "its data directory" };
    let gateway = control
        .block_on(waiting::until_there(door, async || foundation::lay(Some(&path), beginning(), runtime.handle())))?;
    let instance = instance.with_counting(gateway.counting().clone());
    if let Some(redis) = &redis {
        control.block_on(redis.begin());
    }
    let sign_in = SignIn::new(&instance).trying("the members' passwords")?;
    let api = control_api::alone(control_api::router(instance.clone(), sign_in, Allowances::default()));
    let with_pages = pages.is_some();
    let doors = Doors { api, pages, control: control.handle().clone() };
    let front = FrontConfig { beside: Some(Arc::new(doors) as Arc<dyn Beside>), ..front };

    let following = following(&options.instance, &place);
    let fingerprint = instance.fingerprint();
    let shipper = Shipper::new(instance.clone(), shipping(options.keep_days, &data));
    let (quiet, stop_shipping) = oneshot::channel::<()>();
    let shipper = control.spawn(shipped(shipper, options.instance.rebuild_decisions, stop_shipping));
    let (database, own) = (instance.database().clone(), instance.clone());
    let mut replica = Replica::new(instance, Arc::clone(&gateway), following);
    // What was decided before is in force before anybody is let in. If it cannot be read now, `run` says so.
    let _ = control.block_on(async { tokio::time::timeout(AGAIN, replica.step()).await });
    let (leave, left) = oneshot::channel::<()>();
    let replica = control.spawn(async move {
        tokio::select! {
            () = replica.run() => {}
            _ = left => {}
        }
        replica.leave().await
    });
    let code = runtime.block_on(async move {
        let mut stopping = Stopping::begin()?;
        let housekeeping = tokio::spawn(Arc::clone(&gateway).housekeeping());
        let watched = Watched::start(&options.watch, &front.hosts, tls.as_ref(), &gateway)?;
        let connect = gateway::server::TimeLimits::default().connect;
        let workers =
            Workers::start(&listener, &gateway, &Arc::new(front), tls.as_ref(), connect, workers).trying("the workers")?;
        drop(listener);
        let scheme = listening::scheme(tls.as_ref());
        tell!("endpoint {scheme}://{address}/mcp/SERVER/");
        tell!("api {scheme}://{address}/api/v1/");
        if with_pages {
            tell!("catalogue {scheme}://{address}/");
        }
        tell!("audit-key {fingerprint}");
        if let Some(token) = setup {
            tell!("setup-token {}", token.reveal());
            tell!(
                "toolgate: nobody can sign in yet. Make the first admin with `toolgate setup`; the token is good once, until the next start"
            );
        }
        let reason = tokio::select! {
            reason = stopping.told() => reason,
            never = read_again(&mut hangup, &keys, &own) => never?,
        };
        tell!("toolgate: {reason}: finishing what is under way");
        tokio::select! {
            // The lease is renewed until the last call has ended.
            () = workers.drain() => {}
            // Told twice, it waits no longer.
            _ = stopping.told() => {}
        }
        drop(leave);
        if let Ok(Err(error)) = replica.await {
            tell!("toolgate: the lease could not be given back ({error}); others wait until it has run out");
        }
        housekeeping.abort();
        gateway.shut_down(reason).await;
        drop(quiet);
        // What could not be shipped was told.
        let _ = shipper.await;
        watched.finish().await;
        database.close().await;
        Ok(ExitCode::SUCCESS)
    });
    if let Some(redis) = redis {
        redis.end();
    }
    control.shutdown_background();
    code
}

/// Options that say which one server is served have no meaning here, and none is passed over.
fn for_one_server_only(options: &ServeOptions) -> Result<(), Failure> {
    let given = [
        ("--header", !options.server.header.is_empty()),
        ("--header-from", !options.server.header_from.is_empty()),
        ("--header-file", !options.server.header_file.is_empty()),
        ("--accept", options.pins.accept.is_some()),
        ("--accept-cosmetic", options.pins.accept_cosmetic),
        ("--lock", options.pins.lock.is_some()),
        ("--token", options.token.is_some()),
        ("--token-file", options.token_file.is_some()),
        ("--anonymous", options.anonymous.is_some()),
    ];
    let Some((name, _)) = given.into_iter().find(|(_, given)| *given) else { return Ok(()) };
    Err(Failure::Usage(format!(
        "{name} is for one server (--policy FILE) or a configuration (--config FILE). Without either, servers, policies and grants are registered with the instance"
    )))
}

/// Reads the master keys again whenever somebody says so: those that do not open what is stored are not taken.
async fn read_again(hangup: &mut Signal, keys: &KeySource, instance: &Instance) -> Result<&'static str, Failure> {
    loop {
        hangup.recv().await;
        let taken = match keys.load().await {
            Ok(ring) => instance.take_keys(ring).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match taken {
            Ok(()) => tell!("toolgate: the master keys were read again"),
            Err(why) => tell!("toolgate: the master keys stay as they were: {why}"),
        }
    }
}

/// An instance that is there.
struct Opened {
    instance: Instance,
    session_key: [u8; 32],
    setup: Option<Token>,
}

/// Opens it. What is wrong with it or with the keys ends the start; that its database cannot be reached does not.
async fn open(place: &Place, keys: &KeySource) -> Result<Opened, Failure> {
    let ring = keys.load().await.map_err(|error| Failure::Usage(error.to_string()))?;
    let opened = async {
        let instance = Instance::open(place, ring).await?;
        let (session_key, setup) = (instance.session_key().await?, instance.setup_token().await?);
        Ok(Opened { instance, session_key, setup })
    };
    opened.await.map_err(|error: BadInstance| match error {
        BadInstance::Control(away @ BadControl::Away(_)) => Failure::Away(away.to_string()),
        error => Failure::Usage(error.to_string()),
    })
}

fn shipping(keep_days: Option<u32>, data: &DataDir) -> Shipping {
    Shipping {
        audit: data.audit(),
        keep: keep_days.map(retention::days),
        tell: Arc::new(|text| tell!("toolgate: {text}")),
    }
}

/// Ships decisions until it is told to stop, and then what is left: the directory may not be there for long.
async fn shipped(mut shipper: Shipper, rebuild: bool, stop: oneshot::Receiver<()>) {
    let work = async {
        if rebuild {
            let mut told = false;
            while let Err(error) = shipper.rebuild().await {
                if !std::mem::replace(&mut told, true) {
                    tell!("toolgate: the list of decisions is made anew once that is possible ({error})");
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
        shipper.run().await;
    };
    tokio::select! {
        () = work => {}
        _ = stop => {}
    }
    if !matches!(tokio::time::timeout(LAST_WORDS, shipper.catch_up()).await, Ok(Ok(()))) {
        tell!("toolgate: the last decisions are shown once this data directory is served again");
    }
}

fn following(options: &InstanceOptions, place: &Place) -> Following {
    let machine = || {
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        if name.is_empty() { "replica".to_owned() } else { name }
    };
    // The database's password is none of a server's business either.
    let hidden = own_variables(|name| matches!(place, Place::Postgres(_)) && name.starts_with("PG"));
    Following {
        name: options.replica.clone().unwrap_or_else(machine),
        lease: options.lease.map_or(LEASE, Duration::from_secs),
        hidden,
        tell: Arc::new(|text| tell!("toolgate: {text}")),
    }
}
