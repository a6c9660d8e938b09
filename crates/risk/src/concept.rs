//! What words mean, independent of their language.

/// A meaning that the lexicon knows. Actions come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Concept {
    Read,
    Compute,
    Create,
    Update,
    Delete,
    Cancel,
    Execute,
    Send,
    Pay,
    Browser,
    Connect,
    Generate,
    Dispatch,
    Money,
    Asset,
    Code,
    Sql,
    Message,
    Secret,
    Access,
    Web,
    File,
    Status,
    Cache,
    Readonly,
    Not,
    Final,
    Many,
    Market,
    Anew,
    Disk,
}

impl Concept {
    pub(crate) const ALL: [(&'static str, Concept); 31] = [
        ("read", Concept::Read),
        ("compute", Concept::Compute),
        ("create", Concept::Create),
        ("update", Concept::Update),
        ("delete", Concept::Delete),
        ("cancel", Concept::Cancel),
        ("execute", Concept::Execute),
        ("send", Concept::Send),
        ("pay", Concept::Pay),
        ("browser", Concept::Browser),
        ("connect", Concept::Connect),
        ("generate", Concept::Generate),
        ("dispatch", Concept::Dispatch),
        ("money", Concept::Money),
        ("asset", Concept::Asset),
        ("code", Concept::Code),
        ("sql", Concept::Sql),
        ("message", Concept::Message),
        ("secret", Concept::Secret),
        ("access", Concept::Access),
        ("web", Concept::Web),
        ("file", Concept::File),
        ("status", Concept::Status),
        ("cache", Concept::Cache),
        ("readonly", Concept::Readonly),
        ("not", Concept::Not),
        ("final", Concept::Final),
        ("many", Concept::Many),
        ("market", Concept::Market),
        ("anew", Concept::Anew),
        ("disk", Concept::Disk),
    ];
}

/// A set of meanings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Concepts(u32);

impl Concepts {
    /// No meaning.
    pub(crate) const NONE: Concepts = Concepts(0);
    /// The meanings that are actions.
    const ACTIONS: u32 = (1 << (Concept::Dispatch as u8 + 1)) - 1;

    pub(crate) fn add(&mut self, other: Concepts) {
        self.0 |= other.0;
    }

    pub(crate) fn has(self, concept: Concept) -> bool {
        self.0 & Concepts::from(concept).0 != 0
    }

    /// Those that are not in `known`.
    pub(crate) fn beyond(self, known: Concepts) -> Concepts {
        Concepts(self.0 & !known.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn actions(self) -> Concepts {
        Concepts(self.0 & Self::ACTIONS)
    }

    pub(crate) fn others(self) -> Concepts {
        Concepts(self.0 & !Self::ACTIONS)
    }

    /// The number of each member, rising.
    pub(crate) fn iter(self) -> impl Iterator<Item = u32> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            (rest != 0).then(|| {
                let lowest = rest.trailing_zeros();
                rest &= rest - 1;
                lowest
            })
        })
    }
}

impl From<Concept> for Concepts {
    fn from(concept: Concept) -> Concepts {
        Concepts(1 << concept as u8)
    }
}
