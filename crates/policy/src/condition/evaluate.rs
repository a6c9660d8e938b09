//! Walking and judging.

use mcp::json::Value;

use super::compare::Compare;
use super::context::Facts;
use super::truth::{Cause, Truth, Why};
use super::view::View;
use super::{Condition, Polarity, Test};
use crate::operand::Operand;
use crate::path::{NoEntry, Path, Root, Step};

/// Judges conditions that are joined by AND.
///
/// `polarity` is what a true outcome does: it decides whether `[*]` and `each` mean every element or one.
#[must_use]
pub fn evaluate(conditions: &[Condition], facts: &Facts<'_>, polarity: Polarity) -> Truth {
    Scope { facts, item: None }.all(conditions, polarity)
}

/// What paths are read from.
#[derive(Clone, Copy)]
pub(super) struct Scope<'f> {
    pub(super) facts: &'f Facts<'f>,
    /// The element of the innermost `each`.
    pub(super) item: Option<&'f Value<'f>>,
}

impl<'f> Scope<'f> {
    fn all(self, conditions: &[Condition], polarity: Polarity) -> Truth {
        // Most clauses have one condition.
        if let [only] = conditions {
            return self.condition(only, polarity);
        }
        Truth::all(conditions.iter().map(|condition| self.condition(condition, polarity)))
    }

    pub(super) fn condition(self, condition: &Condition, polarity: Polarity) -> Truth {
        match condition {
            Condition::Test(test) => self.test(test, polarity),
            Condition::AnyOf(conditions) => {
                Truth::any(conditions.iter().map(|condition| self.condition(condition, polarity)))
            }
            Condition::Not(inner) => !self.condition(inner, polarity.flipped()),
            Condition::Each { path, conditions } => {
                let undecidable = |cause| Truth::Undecidable(Box::new(Why::new(path, cause, false)));
                let Some(start) = self.start(path) else { return undecidable(Cause::Missing) };
                walk(start, path.steps(), polarity, &|reached| match reached {
                    Ok(Value::Array(items)) => {
                        over(items, polarity, |item| Scope { item: Some(item), ..self }.all(conditions, polarity))
                    }
                    Ok(other) => undecidable(Cause::Enters { found: other.type_name(), wanted: "array" }),
                    Err(cause) => undecidable(cause),
                })
            }
        }
    }

    fn test(self, test: &Test, polarity: Polarity) -> Truth {
        if test.negated { !self.positive(test, polarity.flipped()) } else { self.positive(test, polarity) }
    }

    /// The test as it would be without the `n` of `neq` or the `not` of `not_in`.
    fn positive(self, test: &Test, polarity: Polarity) -> Truth {
        let asks = test.options.undecidable_asks;
        let doubt = |path: &Path, cause| Truth::Undecidable(Box::new(Why::new(path, cause, asks)));
        let judge = |found: Result<View<'_>, Cause>| -> Truth {
            let found = match found {
                Ok(found) => found,
                Err(Cause::Missing) => return absent(test).unwrap_or_else(|| doubt(&test.path, Cause::Missing)),
                Err(cause) => return doubt(&test.path, cause),
            };
            let compare =
                |literal| Compare { ignore_case: test.options.ignore_case, numbers: self.facts.numbers, literal };
            let outcome = match &test.value {
                Operand::Literal(literal) => test.check.judge(compare(true), found, View::from(literal)),
                Operand::Path(other) => match self.read(other) {
                    Ok(wanted) => match compare(false).number(&wanted) {
                        Ok(_) => test.check.judge(compare(false), found, wanted),
                        Err(cause) => return doubt(other, cause),
                    },
                    Err(cause) => return doubt(other, cause),
                },
            };
            outcome.map_or_else(|cause| doubt(&test.path, cause), Truth::from)
        };
        match test.path.root() {
            Root::Context(key) => judge(self.facts.context.read(key).ok_or(Cause::Missing)),
            Root::Args | Root::Item => match self.start(&test.path) {
                Some(start) => walk(start, test.path.steps(), polarity, &|reached| judge(reached.map(View::from))),
                None => judge(Err(Cause::Missing)),
            },
        }
    }

    /// Where a path into JSON begins.
    fn start(self, path: &Path) -> Option<&'f Value<'f>> {
        match path.root() {
            Root::Args => Some(self.facts.args),
            Root::Item => self.item,
            Root::Context(_) => None,
        }
    }

    /// The one value of a path without `[*]`.
    pub(super) fn read(self, path: &Path) -> Result<View<'f>, Cause> {
        if let Root::Context(key) = path.root() {
            return self.facts.context.read(key).ok_or(Cause::Missing);
        }
        let mut value = self.start(path).ok_or(Cause::Missing)?;
        for step in path.steps() {
            value = enter(value, step)?;
        }
        Ok(View::from(value))
    }
}

/// What the absence of its value makes of a test, where that is said.
fn absent(test: &Test) -> Option<Truth> {
    if let super::check::Check::Exists(exists) = test.check {
        return Some(Truth::from(!exists));
    }
    // `missing` speaks of the condition as written, `neq` and `not_in` included.
    test.options.missing.map(|missing| Truth::from(missing != test.negated))
}

/// Goes down from `value` and judges what is reached, every element of an array where the path says `[*]`.
fn walk<'f>(
    value: &'f Value<'f>,
    steps: &[Step],
    polarity: Polarity,
    judge: &impl Fn(Result<&'f Value<'f>, Cause>) -> Truth,
) -> Truth {
    let mut value = value;
    let mut rest = steps;
    while let Some((step, after)) = rest.split_first() {
        if *step == Step::Every {
            return match value {
                Value::Array(items) => over(items, polarity, |item| walk(item, after, polarity, judge)),
                other => judge(Err(Cause::Enters { found: other.type_name(), wanted: "array" })),
            };
        }
        match enter(value, step) {
            Ok(inner) => value = inner,
            Err(cause) => return judge(Err(cause)),
        }
        rest = after;
    }
    judge(Ok(value))
}

/// Every element, or one, by what a true condition does.
fn over<'f>(items: &'f [Value<'f>], polarity: Polarity, judge: impl Fn(&'f Value<'f>) -> Truth) -> Truth {
    match polarity {
        Polarity::Allows => Truth::all(items.iter().map(judge)),
        Polarity::Denies => Truth::any(items.iter().map(judge)),
    }
}

/// One step that leads to one value.
fn enter<'f>(value: &'f Value<'f>, step: &Step) -> Result<&'f Value<'f>, Cause> {
    step.enter(value).map_err(|no_entry| match no_entry {
        NoEntry::Absent => Cause::Missing,
        NoEntry::Type { found, wanted } => Cause::Enters { found, wanted },
    })
}
