//! After a loss of power: the file may lack uses that the audit log has.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use quota::{Amount, CountId, Folded, Kind, StoreDown};
use smallvec::SmallVec;

use super::Ledger;
use super::table::Table;

/// How much longer than the time of syncing is looked back, in milliseconds.
const MARGIN: i64 = 2_000;

impl Ledger {
    /// Counts again what the log below `audit` says was used since the file was last known to be on
    /// disk, if the machine was started since; `None` if it was not. A use of the last seconds may
    /// be counted twice, and none is forgotten that the log still has. Attempts that were not
    /// forwarded, and what limits only observe, are not in the log. To be called before the first
    /// call, by every process: the first one does it.
    ///
    /// Systems that do not name their boots (all but Linux) are taken to have had no loss of power.
    ///
    /// # Errors
    /// When the counts or the log cannot be read.
    pub fn recover(&self, audit: &Path) -> io::Result<Option<usize>> {
        self.recover_in(boot(), audit)
    }

    /// [`recover`](Self::recover), in a boot of the caller's choice.
    ///
    /// # Errors
    /// When the counts or the log cannot be read.
    #[doc(hidden)]
    pub fn recover_in(&self, boot: [u8; 16], audit: &Path) -> io::Result<Option<usize>> {
        let down = |down: StoreDown| io::Error::other(down.to_string());
        let header = self.exclusively(|table| Ok(table.header.clone())).map_err(down)?;
        if header.boot == boot {
            return Ok(None);
        }
        // The margin is for calls whose time was read before that of the sync, and which were counted
        // or recorded after it.
        let since = Timestamp::from_millisecond(header.synced.saturating_sub(MARGIN)).unwrap_or(Timestamp::UNIX_EPOCH);
        // Files of the first form do not say when they were synced.
        let uses = match header.synced {
            0 => audit::Uses::default(),
            _ => crate::log::uses_since(audit, since)?,
        };
        self.exclusively(|table| {
            if table.header.boot == boot {
                return Ok(None);
            }
            let mut added = 0;
            for (text, uses) in uses.iter() {
                let Some((id, window, zone)) = CountId::parse(text) else { continue };
                for used in uses {
                    let Some(amount) = Amount::from_micros(used.amount) else { continue };
                    let take = Folded {
                        id: &id,
                        indices: SmallVec::new(),
                        strictest: 0,
                        window: Some(window),
                        zone: &zone,
                        kind: Kind::Quota,
                        max: amount,
                        amount,
                    };
                    table.add_again(&take, used.time)?;
                    added += 1;
                }
            }
            table.header.boot = boot;
            table.header.write(table.file)?;
            Ok(Some(added))
        })
        .map_err(down)
    }
}

impl Table<'_> {
    /// The file, if it was written since it was synced.
    pub(super) fn unsynced(&mut self, synced: &mut u64) -> io::Result<Option<fs::File>> {
        if std::mem::replace(synced, self.header.changes) == self.header.changes {
            return Ok(None);
        }
        self.file.try_clone().map(Some)
    }

    /// Everything that was written before `at` (milliseconds since 1970) is on disk.
    pub(super) fn synced(&mut self, at: i64) -> io::Result<()> {
        self.header.synced = at;
        self.header.write(self.file)
    }
}

/// What Linux calls this run of the machine; zeros where there is no such name.
fn boot() -> [u8; 16] {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).unwrap_or(0).to_be_bytes()
}
