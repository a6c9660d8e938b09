//! The front for an agent that started the gateway itself and speaks to it on stdin and stdout.
//!
//! Before a program that speaks the agent's era, lines are passed on as they are: [`program`]. Before an endpoint, and before
//! a program of the other era, each line is an exchange of its own, as it would be over HTTP: [`exchange`].

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use upstream::child::{Exit, StderrSink};
use upstream::http::Client;

use self::lines::Lines;
use crate::caller::Caller;
use crate::gateway::Gateway;
use crate::grant::Grant;
use crate::http_front::Front;
use crate::seal::SessionNumber;
use crate::server::Reach;

mod exchange;
mod lines;
mod program;

/// Messages for the agent that may wait for stdout.
const PENDING: usize = 256;

/// How a run ended.
#[derive(Debug)]
pub enum RunEnd {
    /// The agent closed stdin; the child, if there was one, has ended so.
    AgentLeft(Option<Exit>),
    /// The child ended first.
    ChildEnded(Option<Exit>),
}

/// Serves one agent until its stdin ends or its child does.
///
/// # Errors
/// When stdin cannot be read, or no randomness is to be had for a session.
pub async fn run(
    gateway: &Arc<Gateway>,
    grant: Arc<Grant>,
    client: Client,
    stderr: StderrSink,
    input: impl AsyncRead + Unpin + Send,
    output: impl AsyncWrite + Unpin + Send + 'static,
) -> io::Result<RunEnd> {
    let number = SessionNumber::random().ok_or_else(|| io::Error::other("the system gives no random numbers"))?;
    let caller = Caller {
        grant,
        token: None,
        session: Some(number),
        stack: None,
        revision: None,
        client_ip: None,
        trace: None,
        continues: false,
    };
    let front =
        Front::alone(Arc::clone(gateway), client).ok_or_else(|| io::Error::other("there is no place to serve"))?;
    let (to_agent, messages) = mpsc::channel::<String>(PENDING);
    let writer = tokio::spawn(lines::write(output, messages));
    let mut lines = Lines::new(input);
    let end = match &caller.grant.server().config.reach {
        Reach::Http(_) | Reach::Sse(_) => exchange::serve(front, caller, None, &mut lines, to_agent.clone()).await?,
        Reach::Child(_) => {
            gateway.programs_say_to(Arc::clone(&stderr));
            match program::serve(gateway, caller.clone(), stderr, &mut lines, &to_agent).await? {
                program::End::Over(end) => end,
                program::End::OtherEra(first) => {
                    exchange::serve(front, caller, Some(first), &mut lines, to_agent.clone()).await?
                }
            }
        }
    };
    drop(to_agent);
    let _ = writer.await;
    Ok(end)
}

/// Tells the agent that its tools have changed when the policy was replaced, for as long as it is served.
async fn announce_changes(caller: Caller, to_agent: mpsc::WeakSender<String>) {
    let Some(cell) = &caller.grant.binding.policy else { return };
    let mut changes = cell.changes();
    while changes.changed().await.is_ok() {
        let Some(to_agent) = to_agent.upgrade() else { return };
        if to_agent.send(crate::http_front::TOOLS_CHANGED.to_owned()).await.is_err() {
            return;
        }
    }
}
