//! Whether a server's certificate is trusted, as it was when the server was asked last: whoever runs the gateway is told
//! when it ceases to be, and when it is again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use upstream::http::{BadCertificate, SendError};

/// What connections to a server have shown.
#[derive(Debug, Default)]
pub struct Trust {
    /// Whether there is anything to look at; calls read nothing else.
    doubted: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    now: Option<BadCertificate>,
    told: Option<BadCertificate>,
}

impl Trust {
    /// Notes what became of a request.
    pub(crate) fn note<T>(&self, sent: &Result<T, SendError>) {
        match sent {
            Err(SendError::Certificate(bad)) => {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.now = Some(bad.clone());
                self.doubted.store(true, Ordering::Relaxed);
            }
            Ok(_) if self.doubted.load(Ordering::Relaxed) => {
                self.seen.lock().unwrap_or_else(PoisonError::into_inner).now = None;
            }
            // Whoever does not answer has shown nothing.
            _ => {}
        }
    }

    /// What is to be told since the last time, in lines.
    pub(crate) fn news(&self) -> Vec<String> {
        if !self.doubted.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.now == seen.told {
            return Vec::new();
        }
        seen.told = seen.now.clone();
        match &seen.now {
            Some(bad) => vec![
                format!("nothing is sent to this server, whose certificate cannot be trusted: {bad}"),
                bad.detail().to_owned(),
                bad.remedy().to_owned(),
            ],
            None => {
                self.doubted.store(false, Ordering::Relaxed);
                vec!["the server's certificate is trusted again".to_owned()]
            }
        }
    }
}
