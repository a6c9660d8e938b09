//! `toolgate limits show`: how much of each limit is used, and when it frees.

use std::process::ExitCode;

use jiff::Timestamp;
use quota::Counters;
use store::counts::Ledger;

use crate::args::LimitsCommand;
use crate::environment::existing_data;
use crate::failure::{Failure, Trying};
use crate::output::say;

/// Shows every count that is not zero.
pub fn limits(command: &LimitsCommand) -> Result<ExitCode, Failure> {
    let LimitsCommand::Show { data, json } = command;
    let data = existing_data(data.dir.as_deref())?;
    let ledger = Ledger::open(&data).trying("the counts of limits")?;
    let uses = ledger.snapshot(Timestamp::now()).trying("the counts of limits")?;
    if *json {
        let lines: Vec<_> = uses
            .iter()
            .map(|used| {
                serde_json::json!({
                    "count": used.id, "used": used.used.to_string(), "max": used.max.to_string(),
                    "frees_at": used.frees_at.map(|at| at.to_string()),
                })
            })
            .collect();
        say!("{}", serde_json::Value::Array(lines))?;
        return Ok(ExitCode::SUCCESS);
    }
    if uses.is_empty() {
        say!("No limit is in use.")?;
    }
    for used in &uses {
        let frees = used.frees_at.map(|at| format!("  frees at {at:.0}")).unwrap_or_default();
        // What was counted again from the log has no maximum until the next call.
        let max = if used.max.is_zero() { "?".to_owned() } else { used.max.to_string() };
        say!("{:>10} of {max:<10} {}{frees}", used.used.to_string(), audit::visible::word(&used.id))?;
    }
    Ok(ExitCode::SUCCESS)
}
