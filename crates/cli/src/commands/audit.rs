//! `toolgate audit verify`: is the log what was written?

use std::collections::BTreeSet;
use std::process::ExitCode;

use audit::{ChainReport, Fingerprint, Head, PublicKey};
use store::log::{self, State};

use crate::args::{AuditCommand, AuditVerify};
use crate::environment::audit_log;
use crate::failure::{Failure, Trying};
use crate::output::{say, tell};

/// Runs a command about the audit log.
pub fn audit(command: &AuditCommand) -> Result<ExitCode, Failure> {
    let AuditCommand::Verify(options) = command;
    verify(options)
}

fn verify(options: &AuditVerify) -> Result<ExitCode, Failure> {
    let audit = audit_log(options.data.dir.as_deref())?;
    let asked: Option<Head> = options.head.as_deref().map(|text| text.parse().trying("--head")).transpose()?;
    let trusted = options.key.iter().map(|text| fingerprint(text)).collect::<Result<BTreeSet<_>, _>>()?;
    let trusted = (!trusted.is_empty()).then_some(trusted);
    let report = log::verify_signed(&audit, asked, trusted.as_ref()).trying("the audit log")?;
    let code = if report.is_intact() { ExitCode::SUCCESS } else { ExitCode::from(1) };
    if options.json {
        say!("{}", serde_json::to_string_pretty(&report).trying("the report")?)?;
        return Ok(code);
    }
    for chain in &report.chains {
        let state = match chain.state {
            State::Running => "running",
            State::Stopped => "stopped",
            State::Crashed => "ended by a crash",
            State::Removed => "removed",
        };
        say!("chain {}  {}, {state}", chain.report.chain, super::counted(chain.report.kept(), "record"))?;
        signatures(&chain.report)?;
        if let Some(crash) = &chain.report.crash {
            say!(
                "  the last record was torn by the crash: segment {}, line {}, {}",
                crash.segment,
                crash.line,
                super::counted(crash.bytes, "byte")
            )?;
        }
        let unfinished = chain.report.unfinished.len();
        if unfinished > 0 && chain.state != State::Running {
            let (calls, has) =
                (super::counted(unfinished, "forwarded call"), if unfinished == 1 { "has" } else { "have" });
            say!("  {calls} {has} no outcome: what became of it is not known")?;
        }
        if let Some(finding) = &chain.report.finding {
            say!("  TAMPERED WITH: {finding}")?;
        }
    }
    if trusted.is_none() {
        keys(&report.chains)?;
    }
    if let Some(line) = report.heads_broken {
        say!("TAMPERED WITH: line {line} of the file of kept heads does not fit the lines before it")?;
    }
    if let Some(asked) = &report.asked {
        match asked.reached {
            true => say!("the log holds everything up to {}", asked.head)?,
            false => say!(
                "TAMPERED WITH: the log does not hold the head {}: its end was cut off, or it is another log",
                asked.head
            )?,
        }
    }
    say!("{} in {}", super::counted(report.records, "record"), super::counted(report.chains.len(), "chain"))?;
    let mut head = report.head;
    if report.is_intact() && asked.is_none() && !report.chains.is_empty() {
        // A chain of hashes cannot show that its end is missing; a head that was kept can. A copy
        // that may only be read keeps none, and its head is good as long as nothing is written.
        head = log::keep_head(&audit, &report).unwrap_or(head);
        tell!("Keep the head elsewhere; `toolgate audit verify --head HEAD` then shows that nothing was cut off.");
    }
    say!("head {head}")?;
    Ok(code)
}

/// A fingerprint, or that of the key in a file.
fn fingerprint(text: &str) -> Result<Fingerprint, Failure> {
    if let Ok(fingerprint) = text.parse() {
        return Ok(fingerprint);
    }
    let key = std::fs::read_to_string(text).trying(format!("--key {text}: it is no fingerprint (sha256:…)"))?;
    Ok(PublicKey::read(&key).trying(format!("--key {text}"))?.fingerprint())
}

/// How far a chain is signed, and from where on it is there.
fn signatures(report: &ChainReport) -> Result<(), Failure> {
    if let Some(beginning) = &report.beginning {
        let at = beginning.removed_at.strftime("%Y-%m-%d");
        say!("  begins with record {}: what came before was removed on {at}, which is signed", beginning.seq)?;
    }
    match &report.signed {
        Some(signed) => say!("  signed up to record {}, at {}", signed.through, signed.time),
        None if report.kept() > 0 => say!("  not signed"),
        None => Ok(()),
    }
}

/// Without a key that is known from elsewhere, a signature says no more than who claims to have signed.
fn keys(chains: &[log::ChainState]) -> Result<(), Failure> {
    let signed = chains.iter().filter_map(|chain| Some(chain.report.signed.as_ref()?.key));
    let begun = chains.iter().filter_map(|chain| Some(chain.report.beginning.as_ref()?.key.fingerprint()));
    for key in signed.chain(begun).collect::<BTreeSet<_>>() {
        say!("signed by {key}")?;
    }
    Ok(())
}
