//! The data directory, the audit log, counts, the catalogue, certificates, a configuration.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use quota::Counters as _;
use store::counts::Ledger;

use super::Finding;
use super::repair::{Fix, private};
use crate::commands::catalogue::settle::behind;
use crate::commands::counted;
use crate::commands::status::shell_word;
use crate::config::Config;
use crate::environment::existing_data;

const GROUP: &str = "Installation";

/// Looks.
pub fn findings(data: &Path, config: Option<&Path>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut say = |what, good, text: String| {
        found.push(if good { Finding::good(GROUP, what, text) } else { Finding::bad(GROUP, what, text) });
    };
    if data.exists() {
        in_data(data, &mut say);
    } else {
        say("data directory", true, format!("{} does not exist yet; the first run makes it", data.display()));
    }
    match upstream::http::Client::new(Duration::from_secs(5)) {
        Ok(_) => say("certificates", true, "the system's certificate authorities can be used".to_owned()),
        Err(error) => say("certificates", false, format!("{error}: install ca-certificates")),
    }
    if let Some(path) = config {
        match Config::read(path).and_then(|config| config.check()) {
            Ok(()) => say("configuration", true, path.display().to_string()),
            Err(failure) => say("configuration", false, failure.to_string()),
        }
    }
    found.extend(permissions(data));
    found
}

fn in_data(path: &Path, say: &mut impl FnMut(&'static str, bool, String)) {
    let data = match existing_data(Some(path)) {
        Ok(data) => data,
        Err(failure) => return say("data directory", false, failure.to_string()),
    };
    say("data directory", true, path.display().to_string());
    match store::log::verify(&data.audit(), None) {
        Ok(report) if report.is_intact() => {
            let (records, chains) = (counted(report.records, "record"), counted(report.chains.len(), "chain"));
            say("audit log", true, format!("{records} in {chains}, intact"));
        }
        Ok(_) => say("audit log", false, "does not verify: `toolgate audit verify` says where".to_owned()),
        Err(error) => say("audit log", false, format!("cannot be read: {error}")),
    }
    let uses = Ledger::open(&data).map_err(|error| error.to_string());
    match uses.and_then(|ledger| ledger.snapshot(Timestamp::now()).map_err(|error| error.to_string())) {
        Ok(uses) => say("counts", true, format!("{} in use", counted(uses.len(), "limit"))),
        Err(error) => say("counts", false, error),
    }
    match (data.path().join("toolgate.db").exists(), behind(&data)) {
        (false, _) => say("catalogue", true, "nothing is in it yet".to_owned()),
        (true, None) => say("catalogue", true, "all of it is found by searches".to_owned()),
        (true, Some((says, ends))) => say("catalogue", ends, says),
    }
}

/// What others could read: the directory itself, and the journal of changes with what files of clients held.
fn permissions(data: &Path) -> Vec<Finding> {
    let open = private(data).into_iter().filter_map(|(path, wanted)| {
        let mode = std::fs::symlink_metadata(&path).ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then(|| {
            let text = format!("others can read {} (mode {mode:o})", path.display());
            let remedy = format!("chmod {wanted:o} {}", shell_word(&path));
            Finding::bad(GROUP, "permissions", text).remedy(remedy).fixed_by(Fix::Mode { path, mode: wanted })
        })
    });
    open.collect()
}
