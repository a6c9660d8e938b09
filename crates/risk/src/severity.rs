//! How bad it is when a call goes wrong.

use policy::Class;

/// From low to critical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing changes.
    Low,
    /// Data changes, and can be changed back.
    Medium,
    /// Something happens whose effect lies in the arguments.
    High,
    /// Something is gone, or paid.
    Critical,
}

impl Severity {
    /// The severity of a class. A tool that nobody could class is taken for one that executes.
    #[must_use]
    pub fn of(class: Class) -> Severity {
        match class {
            Class::Read => Severity::Low,
            Class::Write => Severity::Medium,
            Class::Execute | Class::Unclassified => Severity::High,
            Class::Destructive | Class::Financial => Severity::Critical,
        }
    }

    /// One step up.
    #[must_use]
    pub fn raised(self) -> Severity {
        match self {
            Severity::Low => Severity::Medium,
            Severity::Medium => Severity::High,
            Severity::High | Severity::Critical => Severity::Critical,
        }
    }

    /// The name, in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}
