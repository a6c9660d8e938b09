//! Who has called a tool while it was held, from the audit log.

use std::collections::{BTreeMap, HashMap};

use audit::{Effect, Filter, Wanted};
use jiff::Timestamp;
use policy::rule_id::DEFINITION_CHANGED;
use store::log::{Begin, Cursor};

use super::Waiting;
use crate::args::DataOptions;
use crate::environment::audit_log;

/// Calls of one grant that were denied because the tool was held.
#[derive(Default)]
pub struct Calls {
    /// How many.
    pub times: usize,
    /// The last.
    pub last: Timestamp,
}

/// The calls of each waiting tool, by grant. A log that is not there holds none.
pub fn meanwhile(waiting: &[Waiting], data: &DataOptions) -> Vec<BTreeMap<String, Calls>> {
    let mut all: Vec<BTreeMap<String, Calls>> = waiting.iter().map(|_| BTreeMap::new()).collect();
    let Ok(audit) = audit_log(data.dir.as_deref()) else { return all };
    let Ok(mut cursor) = Cursor::open(&audit, Begin::Oldest) else { return all };
    let mut places: HashMap<(&str, &str), (usize, Timestamp)> = HashMap::new();
    for (index, one) in waiting.iter().enumerate() {
        let since = one.now.accepted.parse().unwrap_or(Timestamp::MIN);
        places.insert((&one.server, &one.tool), (index, since));
    }
    let mut filter = Filter::new(Wanted { effect: Some(Effect::Deny), ..Wanted::default() });
    while let Ok(Some(entry)) = cursor.next() {
        let record = &entry.record;
        if !filter.matches(record) || record.rule.as_deref() != Some(DEFINITION_CHANGED) {
            continue;
        }
        let (Some(server), Some(tool)) = (&record.server, &record.tool) else { continue };
        let found = places.get(&(&**server, &**tool)).filter(|(_, since)| record.time >= *since);
        if let Some(calls) = found.and_then(|(index, _)| all.get_mut(*index)) {
            let calls = calls.entry(record.grant.clone().unwrap_or_default()).or_default();
            calls.times += 1;
            calls.last = calls.last.max(record.time);
        }
    }
    all
}
