//! What a rule is. The rules stand in `table.rs`; what they look for in so many words stands in
//! `phrases/`.

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing; ordinary servers do it too.
    Note,
    /// Unusual, and of use to an attacker.
    Warning,
    /// A person must look before the first call.
    Error,
}

impl Level {
    /// The name: `note`, `warning`, `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }

    /// One level up; from the highest, the same.
    pub(crate) fn raised(self) -> Level {
        match self {
            Level::Note => Level::Warning,
            Level::Warning | Level::Error => Level::Error,
        }
    }
}

/// What a finding is about. Two kinds in one definition weigh more than two findings of one kind:
/// ordinary servers nearly never combine them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Orders to the model that lie outside the tool.
    Instruction,
    /// Keeping something from the user.
    Secrecy,
    /// Data that the task does not need.
    Data,
    /// Being chosen before others.
    Preference,
    /// Meddling with other tools.
    Shadowing,
    /// Text or names that people do not see as programs do.
    Hidden,
    /// Secrets in the open.
    Secret,
    /// The definition says two things.
    Contradiction,
}

/// The form of a text in which phrases are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As `folded.rs` makes it: lower case, no accents, nothing invisible, a sentence a line.
    Folded,
    /// As it came.
    Raw,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// The id, in kebab case.
    pub id: &'static str,
    /// The level of a finding that stands alone.
    pub level: Level,
    /// What a finding means, in one sentence for an operator.
    pub why: &'static str,
    pub(crate) kind: Kind,
    pub(crate) form: Form,
    /// The language of each phrase (`*` where it is in none), and the phrase, as `vocabulary.rs`
    /// spells it. Empty for rules that do not look for words.
    pub(crate) phrases: &'static [(&'static str, &'static str)],
    /// A sentence in which this is found too is taken for an ordinary one: the finding is a note.
    pub(crate) unless: &'static str,
}

impl Rule {
    /// A rule about the form of a definition, not its words.
    pub(crate) const fn of_form(id: &'static str, level: Level, kind: Kind, why: &'static str) -> Rule {
        Rule { id, level, why, kind, form: Form::Raw, phrases: &[], unless: "" }
    }

    /// The languages whose phrases the rule knows, each once; empty where language does not matter.
    #[must_use]
    pub fn languages(&self) -> Vec<&'static str> {
        let mut all: Vec<_> = self.phrases.iter().map(|(language, _)| *language).filter(|one| *one != "*").collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
