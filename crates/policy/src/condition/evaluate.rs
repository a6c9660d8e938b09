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
                let each = |reached: &'f Value<'f>| match reached {
                    Value::Array(items) => {
                        over(items, polarity, |item| Scope { item: Some(item), ..self }.all(conditions, polarity))
                    }
                    other => undecidable(Cause::Enters { found: other.type_name(), wanted: "array" }),
                };
                walk(start, path.steps(), polarity, &each, &undecidable)
            }
        }
    }

    #[inline]
    fn test(self, test: &Test, polarity: Polarity) -> Truth {
        if test.negated { !self.positive(test, polarity.flipped()) } else { self.positive(test, polarity) }
    }

    /// The test as it would be without the `n` of `neq` or the `not` of `not_in`.
    fn positive(self, test: &Test, polarity: Polarity) -> Truth {
        match test.path.root() {
            Root::Context(key) => match self.facts.context.read(key) {
                Some(found) => self.judge(test, &found),
                None => not_found(test, Cause::Missing),
            },
            Root::Args | Root::Item => match self.start(&test.path) {
                Some(start) => {
                    let judge = |reached: &'f Value<'f>| self.judge(test, &View::from(reached));
                    walk(start, test.path.steps(), polarity, &judge, &|cause| not_found(test, cause))
                }
                None => not_found(test, Cause::Missing),
            },
        }
    }

    /// Judges the value that the path of the test leads to.
    #[inline]
    fn judge(self, test: &Test, found: &View<'_>) -> Truth {
        let compare = |literal| Compare { ignore_case: test.options.ignore_case, numbers: self.facts.numbers, literal };
        let outcome = match &test.value {
            Operand::Literal(literal) => test.check.judge(compare(true), found, &View::from(literal)),
            Operand::Path(other) => match self.read(other) {
                Ok(wanted) => match compare(false).number(&wanted) {
                    Ok(_) => test.check.judge(compare(false), found, &wanted),
                    Err(cause) => return doubt(test, other, cause),
                },
                Err(cause) => return doubt(test, other, cause),
            },
        };
        match outcome {
            Ok(holds) => Truth::from(holds),
            Err(cause) => doubt(test, &test.path, cause),
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
            value = step.enter(value).ok_or_else(|| lost(step, value))?;
        }
        Ok(View::from(value))
    }
}

/// What a value that cannot be judged makes of a test.
#[cold]
fn doubt(test: &Test, path: &Path, cause: Cause) -> Truth {
    Truth::Undecidable(Box::new(Why::new(path, cause, test.options.undecidable_asks)))
}

/// What a path that leads nowhere makes of a test.
fn not_found(test: &Test, cause: Cause) -> Truth {
    let said = if cause == Cause::Missing { absent(test) } else { None };
    said.unwrap_or_else(|| doubt(test, &test.path, cause))
}

/// What the absence of its value makes of a test, where that is said.
fn absent(test: &Test) -> Option<Truth> {
    if let super::check::Check::Exists(exists) = test.check {
        return Some(Truth::from(!exists));
    }
    // `missing` speaks of the condition as written, `neq` and `not_in` included.
    test.options.missing.map(|missing| Truth::from(missing != test.negated))
}

/// Goes down from `value` and judges what is reached, every element of an array where the path says `[*]`; `nowhere`
/// judges where nothing is.
#[inline]
fn walk<'f>(
    value: &'f Value<'f>,
    steps: &[Step],
    polarity: Polarity,
    judge: &impl Fn(&'f Value<'f>) -> Truth,
    nowhere: &impl Fn(Cause) -> Truth,
) -> Truth {
    let mut value = value;
    let mut rest = steps.iter();
    while let Some(step) = rest.next() {
        match step.enter(value) {
            Some(inner) => value = inner,
            None if *step == Step::Every => return walk_every(value, rest.as_slice(), polarity, judge, nowhere),
            None => return nowhere(lost(step, value)),
        }
    }
    judge(value)
}

/// Goes on with every element.
fn walk_every<'f>(
    value: &'f Value<'f>,
    steps: &[Step],
    polarity: Polarity,
    judge: &impl Fn(&'f Value<'f>) -> Truth,
    nowhere: &impl Fn(Cause) -> Truth,
) -> Truth {
    match value {
        Value::Array(items) => over(items, polarity, |item| walk(item, steps, polarity, judge, nowhere)),
        other => nowhere(Cause::Enters { found: other.type_name(), wanted: "array" }),
    }
}

/// Every element, or one, by what a true condition does.
fn over<'f>(items: &'f [Value<'f>], polarity: Polarity, judge: impl Fn(&'f Value<'f>) -> Truth) -> Truth {
    match polarity {
        Polarity::Allows => Truth::all(items.iter().map(judge)),
        Polarity::Denies => Truth::any(items.iter().map(judge)),
    }
}

/// Why a step leads nowhere.
#[cold]
fn lost(step: &Step, value: &Value<'_>) -> Cause {
    match step.no_entry(value) {
        NoEntry::Absent => Cause::Missing,
        NoEntry::Type { found, wanted } => Cause::Enters { found, wanted },
    }
}
