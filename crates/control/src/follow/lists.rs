//! Lists of tools that servers show, compared with what is accepted of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use audit::Id;
use gateway::pins::Pinning;
use gateway::server::Server;
use gateway::tools::ToolList;
use risk::pins::Section;
use serde_json::{Value, json};

use super::state::State;

/// A list that has not been compared yet.
pub(super) struct Fresh {
    pub(super) id: Id,
    pub(super) organisation: Id,
    pub(super) server: Arc<Server>,
    pub(super) list: Arc<ToolList>,
    may_be_first: bool,
}

impl Fresh {
    /// What may be accepted without a person, if this is the first list and the operator wants that.
    pub(super) fn first_list(&self) -> Option<BTreeMap<String, Value>> {
        // A list without tools is no first list: some servers have none before a login.
        let first = self.may_be_first && self.list.iter().next().is_some();
        first.then(|| kept(&Pinning::first_list(&self.list)))
    }

    /// What waits until somebody accepts it.
    pub(super) fn waiting(&self) -> BTreeMap<String, Value> {
        kept(&self.server.pins.waiting(&self.list))
    }
}

impl State {
    /// The lists that are known and have not been compared.
    pub(super) fn fresh_lists(&self) -> Vec<Fresh> {
        let servers = self.servers.iter().filter_map(|(id, reached)| {
            let server = reached.server.as_ref()?;
            let list = server.tools.current().filter(|list| !server.pins.has_compared(list))?;
            let form = &reached.form.server;
            let may_be_first = form.settings.accept_first && server.pins.nothing_accepted();
            Some(Fresh { id: *id, organisation: form.organisation, server: Arc::clone(server), list, may_be_first })
        });
        servers.collect()
    }

    /// Tells agents of a server that its list is another one.
    pub(super) fn tell_lists(&self, server: Id) {
        for policy in self.policies_of(server) {
            policy.touch();
        }
    }
}

/// Pins as the tables keep them.
fn kept(section: &Section) -> BTreeMap<String, Value> {
    let pin = |(tool, pin): (&String, &risk::pins::Pin)| {
        let mut value = json!({
            "digest": pin.digest,
            "class": pin.class.as_str(),
            "accepted": pin.accepted,
            "by": pin.by,
            "definition": pin.definition,
        });
        if let (Some(set), Some(fields)) = (pin.set, value.as_object_mut()) {
            fields.insert("set".to_owned(), set.as_str().into());
        }
        (tool.clone(), value)
    };
    section.iter().map(pin).collect()
}
