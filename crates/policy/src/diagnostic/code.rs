//! The stable codes of findings. A code never changes its meaning; a retired one is never used again.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Severity;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $severity:ident;)+) => {
        /// The kind of a finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The text, such as `P0101`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }

            /// How bad a finding of this kind is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity,)+ }
            }

            /// What the code means, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// The text is not JSON.
    Syntax = "P0001", Error;
    /// A comment or trailing comma stands where only plain JSON is accepted.
    Comments = "P0002", Error;
    /// A key occurs twice in one object.
    DuplicateKey = "P0003", Error;
    /// The document is nested too deeply or is too large.
    TooLarge = "P0004", Error;
    /// A number has more than 64 digits, an exponent beyond ±400, or no finite binary64 value.
    Number = "P0005", Error;

    /// A field that the language does not have.
    UnknownField = "P0101", Error;
    /// A field that must be there is missing.
    MissingField = "P0102", Error;
    /// A value has the wrong JSON type.
    WrongType = "P0103", Error;
    /// A text is none of those that the field takes.
    UnknownValue = "P0104", Error;
    /// A value is outside of what the field takes.
    OutOfRange = "P0105", Error;
    /// Fields that cannot stand together, or one that needs another.
    Combination = "P0106", Error;
    /// Part of the language that this build does not obey.
    NotObeyed = "P0107", Error;
    /// A format that the text does not have: a time, an address, a time zone.
    Format = "P0108", Error;

    /// A pattern that cannot be used.
    Pattern = "P0201", Error;
    /// A pattern under `tools` without a literal character.
    BarePattern = "P0202", Error;

    /// A path that cannot be read.
    Path = "P0301", Error;
    /// `item` outside of `each`.
    ItemOutsideEach = "P0302", Error;
    /// An operator that the language does not have.
    UnknownOperator = "P0303", Error;
    /// A value that its operator cannot use.
    Operand = "P0304", Error;
    /// A list that `lists` does not have.
    UnknownList = "P0305", Error;

    /// A rule that no call can reach.
    Unreachable = "P1001", Warning;
    /// A rule that can never match.
    NeverMatches = "P1002", Warning;
    /// A path that the tool's schema does not have.
    PathNotInSchema = "P1003", Warning;
    /// A tool that no rule matches.
    UnmatchedTool = "P1004", Warning;
    /// A pattern that matches no tool.
    UnmatchedPattern = "P1005", Warning;
    /// A list of spellings to deny, which another spelling passes.
    DenyList = "P1006", Warning;
    /// An unanchored `regex` in `require`, which text around the match passes.
    Unanchored = "P1007", Warning;
    /// A refund on error for a tool that may have acted before it failed.
    RefundOnError = "P1008", Warning;
    /// A rule reads an optional argument and does not say what its absence means.
    Missing = "P1009", Warning;
    /// Undeclared arguments pass although a rule reads arguments.
    Undeclared = "P1010", Warning;
    /// A field that has no effect where it stands.
    NoEffect = "P1011", Warning;
    /// A list that nothing uses.
    UnusedList = "P1012", Warning;
    /// A rule that asks for approval, which this build answers with a refusal.
    ApprovalRefused = "P1013", Warning;
    /// An entry that has ended.
    Ended = "P1014", Warning;
    /// A name of a stack in a policy that names no servers.
    Qualified = "P1015", Warning;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_different_and_say_their_severity() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{code} twice");
            assert_eq!(code.severity() == Severity::Warning, code.as_str().starts_with("P1"), "{code}");
            assert!(code.meaning().ends_with('.'), "{code}");
        }
    }
}
