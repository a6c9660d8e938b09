//! Conditions: what a clause asks about a call.
//!
//! A condition is true, false or undecidable ([`Truth`], strong Kleene). Everything that costs is done when the policy
//! is compiled ([`Test::new`]); [`evaluate`] walks, compares, and allocates nothing for plain comparisons.

use crate::path::Path;

mod check;
mod compare;
mod context;
mod evaluate;
mod op;
mod shown;
mod test;
mod truth;
mod view;

pub use context::{Context, Facts};
pub use evaluate::evaluate;
pub use op::{NoSuchOp, Op};
pub(crate) use test::expression;
pub use test::{Test, TestError, TestOptions};
pub use truth::{Cause, Truth, Why};

/// One condition of a clause.
#[derive(Debug, Clone)]
pub enum Condition {
    /// `{ "path", "op", "value" }`
    Test(Test),
    /// `{ "any_of": [ … ] }`: at least one of them.
    AnyOf(Vec<Condition>),
    /// `{ "not": { … } }`
    Not(Box<Condition>),
    /// `{ "each": "args.items", "conditions": [ … ] }`: the conditions, joined by AND, about elements of an array.
    Each {
        /// Where the array is.
        path: Path,
        /// What its elements are asked; `item` is the element.
        conditions: Vec<Condition>,
    },
}

/// What a true condition does. It decides whether `[*]` and `each` mean every element or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polarity {
    /// True helps to allow (`require`): every element must satisfy the condition.
    Allows,
    /// True helps to deny (`deny_if`, `require_approval_if`): one element suffices.
    Denies,
}

impl Polarity {
    /// The polarity inside of a negation.
    #[must_use]
    pub fn flipped(self) -> Self {
        match self {
            Self::Allows => Self::Denies,
            Self::Denies => Self::Allows,
        }
    }
}
