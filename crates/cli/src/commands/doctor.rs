//! `toolgate doctor`: what is wrong with this installation, and what to do about it.

use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;

use jiff::Timestamp;
use quota::Counters;
use store::counts::Ledger;

use super::catalogue::settle::behind;
use crate::args::DoctorOptions;
use crate::config::Config;
use crate::environment::{data_dir, existing_data};
use crate::failure::Failure;
use crate::output::say;

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    good: bool,
    text: String,
}

/// Looks at everything that can be wrong.
pub fn doctor(options: &DoctorOptions) -> Result<ExitCode, Failure> {
    let mut findings = Vec::new();
    let mut note = |what, good, text: String| findings.push(Finding { what, good, text });
    let path = data_dir(options.data.dir.as_deref())?;
    if !path.exists() {
        note("data directory", true, format!("{} does not exist yet; the first run makes it", path.display()));
    } else {
        match existing_data(options.data.dir.as_deref()) {
            Err(failure) => note("data directory", false, failure.to_string()),
            Ok(data) => {
                note("data directory", true, path.display().to_string());
                let mode = std::fs::metadata(&path).map(|metadata| metadata.permissions().mode() & 0o777).unwrap_or(0);
                if mode & 0o077 != 0 {
                    note(
                        "permissions",
                        false,
                        format!("others can enter {} (mode {mode:o}): run chmod 700", path.display()),
                    );
                }
                match store::log::verify(&data.audit(), None) {
                    Ok(report) if report.is_intact() => {
                        note(
                            "audit log",
                            true,
                            format!(
                                "{} in {}, intact",
                                super::counted(report.records, "record"),
                                super::counted(report.chains.len(), "chain")
                            ),
                        );
                    }
                    Ok(_) => note("audit log", false, "does not verify: `toolgate audit verify` says where".to_owned()),
                    Err(error) => note("audit log", false, format!("cannot be read: {error}")),
                }
                match Ledger::open(&data)
                    .map_err(|error| error.to_string())
                    .and_then(|ledger| ledger.snapshot(Timestamp::now()).map_err(|error| error.to_string()))
                {
                    Ok(uses) => note("counts", true, format!("{} in use", super::counted(uses.len(), "limit"))),
                    Err(error) => note("counts", false, error),
                }
                match (data.path().join("toolgate.db").exists(), behind(&data)) {
                    (false, _) => note("catalogue", true, "nothing is in it yet".to_owned()),
                    (true, None) => note("catalogue", true, "all of it is found by searches".to_owned()),
                    (true, Some((says, ends))) => note("catalogue", ends, says),
                }
            }
        }
    }
    match upstream::http::Client::new(std::time::Duration::from_secs(5)) {
        Ok(_) => note("certificates", true, "the system's certificate authorities can be used".to_owned()),
        Err(error) => note("certificates", false, format!("{error}: install ca-certificates")),
    }
    if let Some(path) = &options.config {
        match Config::read(path).and_then(|config| config.check()) {
            Ok(()) => note("configuration", true, path.display().to_string()),
            Err(failure) => note("configuration", false, failure.to_string()),
        }
    }
    let sound = findings.iter().all(|finding| finding.good);
    if options.json {
        let lines: Vec<_> = findings
            .iter()
            .map(|finding| serde_json::json!({ "check": finding.what, "ok": finding.good, "text": finding.text }))
            .collect();
        say!("{}", serde_json::json!({ "ok": sound, "checks": lines }))?;
    } else {
        for finding in &findings {
            say!("{}  {:<15} {}", if finding.good { "ok " } else { "BAD" }, finding.what, finding.text)?;
        }
    }
    Ok(ExitCode::from(u8::from(!sound)))
}
