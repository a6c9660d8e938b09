//! Told to stop, by the keys of the terminal or by the system, while something is under way that has to end in order.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::failure::{Failure, Trying};

/// How somebody said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Stop {
    /// The exit code, as a shell gives it for a program that the signal ended.
    pub fn code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Interrupt => "interrupted",
            Self::Terminate => "told to stop",
        })
    }
}

/// While one of these is there, a signal does not end the process: whoever holds it looks, and ends in order.
#[derive(Debug)]
pub struct Hold(watch::Receiver<Option<Stop>>);

/// What signals came, and how many holds there are. The handlers of signals stay once they are there, so the end that
/// they would have been has to be made here where nobody holds it.
struct Watch {
    holds: Mutex<usize>,
    told: watch::Sender<Option<Stop>>,
}

static WATCH: OnceLock<Watch> = OnceLock::new();

impl Hold {
    /// Holds.
    ///
    /// # Errors
    /// When the system lets nobody wait for signals.
    pub fn new() -> Result<Self, Failure> {
        let watch = match WATCH.get() {
            Some(watch) => watch,
            None => {
                listen()?;
                WATCH.get_or_init(|| Watch { holds: Mutex::new(0), told: watch::Sender::new(None) })
            }
        };
        *watch.holds.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Ok(Self(watch.told.subscribe()))
    }

    /// Whether somebody has said so.
    pub fn told(&self) -> Option<Stop> {
        *self.0.borrow()
    }

    /// Waits until somebody says so.
    pub async fn wait(&mut self) -> Stop {
        loop {
            let told = *self.0.borrow_and_update();
            if let Some(stop) = told {
                return stop;
            }
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(watch) = WATCH.get() {
            let mut holds = watch.holds.lock().unwrap_or_else(PoisonError::into_inner);
            *holds = holds.saturating_sub(1);
        }
    }
}

/// Starts to listen for signals, on a thread that stays.
fn listen() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().trying("signals")?;
    let (mut interrupt, mut terminate) = {
        let _here = runtime.enter();
        (signal(SignalKind::interrupt()).trying("signals")?, signal(SignalKind::terminate()).trying("signals")?)
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            loop {
                let stop = tokio::select! {
                    _ = interrupt.recv() => Stop::Interrupt,
                    _ = terminate.recv() => Stop::Terminate,
                };
                let Some(watch) = WATCH.get() else { std::process::exit(i32::from(stop.code())) };
                // Whoever lets go meanwhile has looked, or sees it here.
                let holds = watch.holds.lock().unwrap_or_else(PoisonError::into_inner);
                if *holds == 0 {
                    std::process::exit(i32::from(stop.code()));
                }
                watch.told.send_replace(Some(stop));
            }
        });
    });
    Ok(())
}
