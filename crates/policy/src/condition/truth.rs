//! Three values, and why something could not be judged.

use std::fmt;
use std::sync::Arc;

use crate::path::Path;

/// The outcome of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It cannot be judged.
    // Boxed, since what decides should cost little: doubts end calls.
    Undecidable(Box<Why>),
}

impl Truth {
    /// Whether the condition holds.
    #[must_use]
    pub fn is_true(&self) -> bool {
        matches!(self, Self::True)
    }

    /// Whether the condition does not hold.
    #[must_use]
    pub fn is_false(&self) -> bool {
        matches!(self, Self::False)
    }

    /// Why it cannot be judged, if so.
    #[must_use]
    pub fn why(&self) -> Option<&Why> {
        if let Self::Undecidable(why) = self { Some(why) } else { None }
    }

    /// `false AND u` is false, `true AND u` is `u`. True for none. Stops at the first false.
    pub fn all(outcomes: impl IntoIterator<Item = Self>) -> Self {
        Self::decided(outcomes, Self::False).unwrap_or_else(|doubt| doubt.map_or(Self::True, Self::Undecidable))
    }

    /// `true OR u` is true, `false OR u` is `u`. False for none. Stops at the first true.
    pub fn any(outcomes: impl IntoIterator<Item = Self>) -> Self {
        Self::decided(outcomes, Self::True).unwrap_or_else(|doubt| doubt.map_or(Self::False, Self::Undecidable))
    }

    /// The first outcome that decides all, else the doubts of the others as one.
    fn decided(outcomes: impl IntoIterator<Item = Self>, decides: Self) -> Result<Self, Option<Box<Why>>> {
        let mut doubt: Option<Box<Why>> = None;
        for outcome in outcomes {
            match outcome {
                Self::Undecidable(why) => {
                    doubt = Some(match doubt.take() {
                        Some(first) => Box::new(first.and(&why)),
                        None => why,
                    })
                }
                outcome if outcome == decides => return Ok(outcome),
                _ => {}
            }
        }
        Err(doubt)
    }
}

/// `not u` is `u`.
impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            undecidable => undecidable,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// Why a condition cannot be judged. Its text is made only when somebody reads it: "`args.amount` is a string where a
/// number is needed".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    path: Arc<str>,
    cause: Cause,
    asks: bool,
}

impl Why {
    pub(super) fn new(path: &Path, cause: Cause, asks: bool) -> Self {
        Self { path: path.shared(), cause, asks }
    }

    /// The path of the value that cannot be judged, as written.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is the matter with it.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// Whether every condition in doubt says `"undecidable": "ask"`.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// Two doubts as one: the first is told, and a person is asked only where both say so.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self { asks: self.asks && other.asks, ..self }
    }
}

/// What is the matter with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// There is none.
    Missing,
    /// The path would enter a value of this type, which has no such parts.
    Enters {
        /// The type that is there.
        found: &'static str,
        /// What the path needs: `object` or `array`.
        wanted: &'static str,
    },
    /// The value has this type and not the one that is compared with.
    Type {
        /// The type that is there.
        found: &'static str,
        /// What the operator or the value needs.
        wanted: &'static str,
    },
    /// A number that a reader with binary64 numbers sees as another one.
    Number,
    /// A string that is no RFC 3339 time with an offset.
    Time,
    /// A string that different systems read differently; the end of a sentence.
    Doubtful(&'static str),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match self.cause {
            Cause::Missing => write!(f, "`{path}` is missing"),
            Cause::Enters { found, wanted } => {
                write!(f, "`{path}` leads into {}, where {} is needed", article(found), article(wanted))
            }
            Cause::Type { found, wanted } => {
                write!(f, "`{path}` is {} where {} is needed", article(found), article(wanted))
            }
            Cause::Number => write!(f, "`{path}` is a number that does not survive binary64"),
            Cause::Time => write!(f, "`{path}` is no RFC 3339 time with an offset"),
            Cause::Doubtful(what) => write!(f, "`{path}` {what}"),
        }
    }
}

/// The name of a type in a sentence.
fn article(type_name: &'static str) -> String {
    match type_name {
        "null" => "null".to_owned(),
        name if name.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {name}"),
        name => format!("a {name}"),
    }
}
