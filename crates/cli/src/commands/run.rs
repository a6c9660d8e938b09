//! `toolgate run`: between an agent that started us and one server.

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use gateway::gateway::Grants;
use gateway::grant::{Binding, Grant};
use gateway::pins::{Acceptance, PinFiles};
use gateway::server::{Reach, Server, ServerConfig, TimeLimits};
use gateway::stdio_front::{self, RunEnd};
use gateway::tools::ListBytes;
use policy::{GrantFacts, Numbers};
use store::control::servers::Transport;
use tokio::signal::unix::{SignalKind, signal};
use upstream::child::Exit;
use upstream::http::{Client, Endpoint};

use crate::args::{AcceptWord, PinOptions, RunOptions, ServerOptions};
use crate::env_file::{self, Variables};
use crate::environment::{Headers, command, data_dir};
use crate::failure::{Failure, Trying};
use crate::foundation::Beginning;
use crate::output::tell;
use crate::{foundation, hangup, pins, policy_watch, retention};

/// Runs until the agent closes stdin or the server's program ends.
pub fn run(options: RunOptions) -> Result<ExitCode, Failure> {
    let variables = options.env_file.as_deref().map(variables).transpose()?.unwrap_or_default();
    let given = variables.clone();
    let config = with_variables(&options.server, variables)?;
    let Some(file) = &options.server.policy else {
        return Err(Failure::Usage("run needs --policy FILE: without a policy nothing may be called".to_owned()));
    };
    let cell = policy_watch::load(file)?;
    let server = pinned(config, file, &options.pins, options.data.dir.as_deref())?;
    let pins = vec![(server.id().to_owned(), Arc::clone(&server.pins))];
    let binding = Binding::new(Arc::clone(&server), Some(Arc::clone(&cell)));
    let grant = Arc::new(Grant::local(facts(&options.server.grant), binding));
    let grants = Grants::new(Vec::new(), vec![Arc::clone(&grant).into()]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().trying("the runtime")?;
    let gateway = foundation::lay(
        options.data.dir.as_deref(),
        Beginning::alone("run", options.durability.into(), grants, options.keep_days.map(retention::days)),
        runtime.handle(),
    )?;
    let client = Client::new(server.config.limits.connect).trying("the HTTP client")?;
    let done = runtime.block_on(async move {
        // A terminal that goes takes only the agents with it that ran there, and those close stdin.
        hangup::outlive("this ends when its agent closes stdin; the policy and accepted definitions are read again by themselves when they change")?;
        let housekeeping = tokio::spawn(Arc::clone(&gateway).housekeeping());
        let watch =
            tokio::spawn(policy_watch::watch(Arc::clone(&gateway), vec![(cell, vec![server.id().to_owned()])], pins));
        // What the child says on stderr is for whoever reads ours, but for the secrets of its file: programs that keep
        // what we say must not keep those.
        let stderr: upstream::child::StderrSink = Arc::new(move |line: &str| {
            tell!("{}", clients::without_values(line, given.iter().map(|(_, value)| value.expose())));
        });
        let mut terminate = signal(SignalKind::terminate()).trying("signals")?;
        let serving = stdio_front::run(&gateway, grant, client, stderr, tokio::io::stdin(), tokio::io::stdout());
        let ended = tokio::select! {
            ended = serving => Some(ended),
            _ = terminate.recv() => None,
            _ = tokio::signal::ctrl_c() => None,
        };
        watch.abort();
        housekeeping.abort();
        gateway.shut_down(if ended.is_some() { "stdin or the server ended" } else { "told to stop" }).await;
        let code = match ended {
            None => ExitCode::SUCCESS,
            Some(Ok(RunEnd::AgentLeft(exit))) => ExitCode::from(status(exit)),
            Some(Ok(RunEnd::ChildEnded(exit))) => {
                let how = exit.map_or_else(|| "nobody knows how".to_owned(), |exit| exit.status.to_string());
                tell!("toolgate: the server's program has ended by itself ({how}), so this ends too; what it said last stands above");
                ExitCode::from(status(exit))
            }
            Some(Err(error)) => return Err(Failure::Usage(error.to_string())),
        };
        Ok(code)
    });
    // A thread may still wait for a line on stdin, which nobody needs any more.
    runtime.shutdown_background();
    done
}

/// The child's status as a shell would give it.
fn status(exit: Option<Exit>) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let Some(exit) = exit else { return 0 };
    match (exit.status.code(), exit.status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(1),
        (None, Some(signal)) => u8::try_from(128 + signal).unwrap_or(1),
        (None, None) => 1,
    }
}

/// The server with the pins that lie beside its policy.
pub fn pinned(
    config: ServerConfig,
    policy: &Path,
    options: &PinOptions,
    data: Option<&Path>,
) -> Result<Arc<Server>, Failure> {
    let files = PinFiles::new(&pins::lock_of(policy, options.lock.as_deref()), &data_dir(data)?);
    let acceptance = Acceptance {
        first_list: options.accept.unwrap_or(AcceptWord::First) == AcceptWord::First,
        cosmetic: options.accept_cosmetic,
    };
    pins::registered(config, files, acceptance)
}

/// The variables of a file, which nothing but the server gets.
fn variables(file: &Path) -> Result<Variables, Failure> {
    env_file::read(file).trying(format!("--env-file {} (the server was not started)", file.display()))
}

/// The one server of a command line.
pub fn server(options: &ServerOptions) -> Result<ServerConfig, Failure> {
    with_variables(options, Variables::new())
}

fn with_variables(options: &ServerOptions, given: Variables) -> Result<ServerConfig, Failure> {
    if !gateway::server::is_server_id(&options.name) {
        return Err(Failure::Usage(format!("`{}` cannot name a server: use 1 to 40 of a-z, 0-9 and -", options.name)));
    }
    let mut headers = Headers { given, ..Headers::default() };
    options.header.iter().try_for_each(|line| headers.add(line))?;
    options.header_from.iter().try_for_each(|pair| headers.add_from(pair))?;
    options.header_file.iter().try_for_each(|path| headers.add_file(path))?;
    for name in &headers.literal {
        tell!(
            "toolgate: warning: the value of header {name} stands on the command line, where every user of this machine can read it; write ${{VARIABLE}}, or use --header-from or --header-file"
        );
    }
    let reach = match &options.upstream {
        Some(url) => {
            let mut endpoint = Endpoint::parse(url).trying("--upstream")?;
            headers.apply(&mut endpoint)?;
            match options.transport.unwrap_or_default().said() {
                Some(Transport::Sse) => Reach::Sse(endpoint),
                None => Reach::Http(endpoint),
            }
        }
        None if options.program.is_empty() => {
            return Err(Failure::Usage("name the server: --upstream URL, or -- COMMAND".to_owned()));
        }
        None if !headers.headers.is_empty() => {
            return Err(Failure::Usage(
                "--header, --header-from and --header-file are for --upstream; a program gets its secrets from the environment"
                    .to_owned(),
            ));
        }
        None => {
            let given = headers.given.iter();
            let env = given.map(|(name, value)| (name.into(), value.expose().into())).collect();
            Reach::Child(command(&options.program, env, &headers.variables)?)
        }
    };
    Ok(ServerConfig {
        id: options.name.clone(),
        reach,
        numbers: Numbers::Binary64,
        denials: gateway::server::Denials::Plain,
        classes: HashMap::new(),
        limits: TimeLimits::default(),
        calls_at_once: None,
        list_bytes: ListBytes::default(),
    })
}

/// What policies may read of a grant from the command line. Its agent is its own.
pub fn facts(label: &str) -> GrantFacts {
    GrantFacts { label: label.to_owned(), agent_label: label.to_owned(), ..GrantFacts::default() }
}
