//! What is dangerous about a tool beside its class.

/// A property that several classes share. One tool has any number of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Facet {
    /// The result can hold what not everybody may see.
    ReadsPrivate,
    /// The result can hold text that outsiders wrote.
    IngestsUntrusted,
    /// Arguments can carry data to somebody outside.
    SendsExternal,
    /// Runs code, commands or free queries.
    RunsCode,
    /// Reads, makes or changes keys, passwords, logins or rights.
    TouchesCredentials,
    /// The effect cannot be taken back.
    Irreversible,
    /// One call changes, sends or exports many things.
    Bulk,
    /// Moves or commits money.
    SpendsMoney,
}

impl Facet {
    /// Every facet.
    pub const ALL: [Facet; 8] = [
        Facet::ReadsPrivate,
        Facet::IngestsUntrusted,
        Facet::SendsExternal,
        Facet::RunsCode,
        Facet::TouchesCredentials,
        Facet::Irreversible,
        Facet::Bulk,
        Facet::SpendsMoney,
    ];

    /// The name as policies write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Facet::ReadsPrivate => "reads_private",
            Facet::IngestsUntrusted => "ingests_untrusted",
            Facet::SendsExternal => "sends_external",
            Facet::RunsCode => "runs_code",
            Facet::TouchesCredentials => "touches_credentials",
            Facet::Irreversible => "irreversible",
            Facet::Bulk => "bulk",
            Facet::SpendsMoney => "spends_money",
        }
    }
}
