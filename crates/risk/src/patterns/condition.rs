//! What a tool must be able to do for a pattern to concern it.

use policy::Class;

use crate::assess::Assessment;
use crate::definition::Definition;
use crate::facet::Facet;
use crate::findings::{Level, findings};
use crate::recommend::meaning::{takes_address, takes_path};

/// A condition on one tool.
#[derive(Debug)]
pub enum Condition {
    /// It is of this class.
    Class(Class),
    /// It has this facet.
    Facet(Facet),
    /// It takes an argument of this kind.
    Takes(Argument),
    /// A text of its definition gives orders to the model or hides something.
    Poisoned,
    /// One of these holds.
    Any(&'static [Condition]),
    /// All of these hold.
    All(&'static [Condition]),
}

/// A kind of argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// The path of a file or folder.
    Path,
    /// An address on the web.
    Address,
}

/// What of a condition held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The tool's class.
    Class(Class),
    /// A facet.
    Facet(Facet),
    /// An argument of this kind, by its name.
    Takes(Argument, String),
    /// The words of the definition that give an order or hide something.
    Poisoned(String),
}

/// Findings that are no orders to the model, and nothing hidden from people.
const NO_POISON: [&str; 3] = ["secret-in-schema", "remote-reference", "hint-contradicts-text"];

impl Condition {
    /// What of the condition holds for a tool; nothing where it does not hold.
    #[must_use]
    pub fn holds(&self, definition: &Definition<'_>, assessment: &Assessment) -> Option<Vec<Ground>> {
        match self {
            Condition::Class(class) => (assessment.class == *class).then(|| vec![Ground::Class(*class)]),
            Condition::Facet(facet) => assessment.facets.contains(facet).then(|| vec![Ground::Facet(*facet)]),
            Condition::Takes(argument) => {
                let schema = definition.schema?;
                let name = match argument {
                    Argument::Path => takes_path(definition)?,
                    Argument::Address => takes_address(schema)?,
                };
                Some(vec![Ground::Takes(*argument, name.to_owned())])
            }
            Condition::Poisoned => {
                let found = findings(definition).into_iter();
                let mut grave = found.filter(|one| one.level > Level::Note && !NO_POISON.contains(&one.rule));
                grave.next().map(|one| vec![Ground::Poisoned(one.text)])
            }
            Condition::Any(any) => any.iter().find_map(|one| one.holds(definition, assessment)),
            Condition::All(all) => {
                let mut grounds = Vec::new();
                for one in *all {
                    grounds.extend(one.holds(definition, assessment)?);
                }
                Some(grounds)
            }
        }
    }

    /// The condition in words that follow *a tool that*.
    ///
    /// ```
    /// use risk::{Facet, patterns::Condition};
    ///
    /// assert_eq!(Condition::Facet(Facet::RunsCode).words(), "runs code, commands or free queries (`runs_code`)");
    /// ```
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Condition::Class(Class::Unclassified) => "does something that its definition does not say".to_owned(),
            Condition::Class(class) => format!("is {}", class_name(*class)),
            Condition::Facet(facet) => facet_words(*facet),
            Condition::Takes(argument) => format!("takes {}", argument.words()),
            Condition::Poisoned => "has a text that gives orders to the model or hides something".to_owned(),
            Condition::Any(any) => any.iter().map(Condition::words).collect::<Vec<_>>().join(", or "),
            Condition::All(all) => all.iter().map(Condition::words).collect::<Vec<_>>().join(" and also "),
        }
    }
}

impl Argument {
    /// The kind in words.
    ///
    /// ```
    /// assert_eq!(risk::patterns::Argument::Path.words(), "the path of a file or folder");
    /// ```
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Argument::Path => "the path of a file or folder",
            Argument::Address => "an address on the web",
        }
    }
}

/// The class as people write it.
pub(super) fn class_name(class: Class) -> &'static str {
    match class {
        Class::Read => "Read",
        Class::Write => "Write",
        Class::Execute => "Execute",
        Class::Destructive => "Destructive",
        Class::Financial => "Financial",
        Class::Unclassified => "Unclassified",
    }
}

/// What a tool with this facet does.
pub(super) fn facet_words(facet: Facet) -> String {
    let words = match facet {
        Facet::ReadsPrivate => "can return what not everybody may see",
        Facet::IngestsUntrusted => "can return text that outsiders wrote",
        Facet::SendsExternal => "can carry data to somebody outside",
        Facet::RunsCode => "runs code, commands or free queries",
        Facet::TouchesCredentials => "touches keys, passwords, logins or rights",
        Facet::Irreversible => "cannot be taken back",
        Facet::Bulk => "changes, sends or exports many things in one call",
        Facet::SpendsMoney => "moves or commits money",
    };
    format!("{words} (`{}`)", facet.as_str())
}
