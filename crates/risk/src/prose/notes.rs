//! The sentence beside an argument that chooses something that matters.

use policy::Class;

use super::arguments::ArgumentText;
use super::role::Role;
use super::told::Told;
use crate::facet::Facet;

/// What is risky about an argument.
pub(super) fn note(told: &Told<'_>, argument: &ArgumentText) -> Option<String> {
    let name = &argument.said;
    let reads = told.class() == Class::Read;
    let thing = &told.gist.thing;
    let one = if thing.unknown { "record".to_owned() } else { thing.one.clone() };
    let listed = !argument.values.is_empty();
    Some(match argument.role {
        Role::Command => format!("{name} is run as it stands: whoever writes it decides what happens."),
        Role::Sql => format!("{name} takes any statement: to the schema a DROP is a text like a SELECT."),
        Role::Recipient if listed => format!("{name} chooses who receives it, from the values that the schema lists."),
        Role::Recipient => format!("{name} chooses who receives it; nothing keeps it inside your own organisation."),
        Role::Amount => match argument.maximum {
            Some(most) => format!("{name} says how much; the schema stops it at {most}."),
            None => format!("{name} says how much, and the schema sets no upper bound."),
        },
        Role::Path if listed => return None,
        Role::Path => match reads {
            true => format!("{name} chooses what is read: a key file or `.env` as well as a document."),
            false => format!(
                "{name} chooses which file is touched: `..` or an absolute path leads out of the folder that you had in mind."
            ),
        },
        Role::Address
            if ["callback", "redirect", "success", "cancel", "return", "webhook", "notify", "hook"]
                .iter()
                .any(|word| argument.path.to_lowercase().contains(word)) =>
        {
            format!("{name} chooses where people or data are sent afterwards; nothing keeps it on a site of your own.")
        }
        Role::Address => format!(
            "{name} chooses where the request goes, which may be your own network, and can carry data out in itself."
        ),
        Role::Host => format!("{name} chooses the machine that is connected to, inside your network or outside."),
        Role::Credential => format!("{name} is a secret: in a call it stands in the agent's context in clear text."),
        Role::Wide => format!("{name} set to true takes a safeguard away, or widens the call to more than one {one}."),
        Role::Harmless => format!("{name} makes the call a rehearsal; left out, the call may be real."),
        Role::Access if listed => {
            format!("{name} decides what somebody may do or see; look for the most powerful of its listed values.")
        }
        Role::Access => format!("{name} decides what somebody may do or see, and takes any value."),
        Role::Targets if reads => return None,
        Role::Targets => {
            let many =
                told.id_of(argument).unwrap_or_else(|| if thing.unknown { "records".to_owned() } else { thing.them() });
            format!("{name} takes a list: one call reaches as many {many} as it holds.")
        }
        Role::Target if reads && told.has(Facet::ReadsPrivate) => {
            format!("{name} chooses whose data comes back; a guessed one may work.")
        }
        Role::Target if reads => return None,
        Role::Target => match told.id_of(argument) {
            Some(of) => format!("{name} chooses the {of}; a wrong one is somebody else's."),
            None => format!("{name} chooses which {one} is hit; a wrong one is somebody else's."),
        },
        Role::Content if told.has(Facet::SendsExternal) && !reads => {
            format!("{name} leaves with the call: whatever the agent has read can stand in it.")
        }
        _ => return None,
    })
}
