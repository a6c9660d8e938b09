//! One `{ "path", "op", "value" }`, checked and compiled.

use regex::{Regex, RegexBuilder};

use super::check::{Check, Known, Order, TypeName, Web};
use super::compare::Small;
use super::context::WEEKDAYS;
use super::op::Op;
use crate::operand::{Operand, OwnedValue};
use crate::path::{ContextKey, Path, Root};
use crate::text::cidr::{self, Block};
use crate::text::host::Hosts;
use crate::text::within::Prefix;
use crate::text::{fold, time, url};

/// The longest regular expression, in bytes.
const MAX_REGEX: usize = 4096;
/// What a compiled regular expression may take, in bytes.
const REGEX_SIZE: usize = 1 << 20;
/// How deep a regular expression may nest.
const REGEX_NEST: u32 = 64;

/// A compiled test.
#[derive(Debug, Clone)]
pub struct Test {
    /// What is judged.
    pub path: Path,
    /// How.
    pub op: Op,
    /// What it is compared with.
    pub value: Operand,
    /// The rest of the condition.
    pub options: TestOptions,
    pub(super) check: Check,
    /// `neq` and `not_in`: exactly the negation of `check`.
    pub(super) negated: bool,
}

/// The fields of a test beside `path`, `op` and `value`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestOptions {
    /// Folds letter case (Unicode simple case folding).
    pub ignore_case: bool,
    /// What an absent value means. `None`: undecidable.
    pub missing: Option<bool>,
    /// `"undecidable": "ask"`: where it cannot be judged a person is asked (`require_approval_if` only).
    pub undecidable_asks: bool,
    /// The ports that `url_host_in` and `url_public` accept. Empty: any.
    pub ports: Vec<u16>,
    /// The schemes that `url_host_in` and `url_public` accept. Empty: `http` and `https`.
    pub schemes: Vec<String>,
}

/// Why a condition does not compile. About the value, save where the message names something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TestError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl TestError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl Test {
    /// Compiles a test: expressions, hosts, blocks and prefixes are read here, and only here.
    ///
    /// # Errors
    /// When the value does not suit the operator, an option has no meaning for it, or the comparison could never be
    /// decided.
    pub fn new(path: Path, op: Op, value: Operand, options: TestOptions) -> Result<Self, TestError> {
        check_options(op, &options)?;
        if let Operand::Path(other) = &value {
            check_value_path(op, other)?;
        }
        if let Root::Context(key) = path.root() {
            check_fact(&path, key, op, &value, options.ignore_case)?;
        }
        let check = compile(op, &value, &options)?;
        Ok(Self { path, op, value, options, check, negated: matches!(op, Op::Neq | Op::NotIn) })
    }
}

fn check_options(op: Op, options: &TestOptions) -> Result<(), TestError> {
    let meaningless = |name: &str| TestError::new(format!("`{name}` has no meaning for `{op}`"));
    if options.ignore_case && !op.folds_case() {
        return Err(meaningless("ignore_case").help(match op {
            Op::Regex | Op::Matches => "begin the expression with `(?i)` in its place",
            Op::UrlHostIn | Op::UrlPublic | Op::EmailDomainIn => {
                "remove it: hosts are compared without regard to case already"
            }
            _ => "it is for eq, neq, in, not_in, contains, starts_with and ends_with",
        }));
    }
    if options.missing.is_some() && op == Op::Exists {
        return Err(meaningless("missing").help("`exists` already says whether the value is there"));
    }
    let reads_url = matches!(op, Op::UrlHostIn | Op::UrlPublic);
    for (name, given) in [("ports", !options.ports.is_empty()), ("schemes", !options.schemes.is_empty())] {
        if given && !reads_url {
            return Err(meaningless(name).help("it is for url_host_in and url_public"));
        }
    }
    Ok(())
}

fn check_value_path(op: Op, other: &Path) -> Result<(), TestError> {
    if !op.takes_path() {
        return Err(TestError::new(format!("the value of `{op}` must stand in the policy, not in the call"))
            .help("it is compiled when the policy is saved; write the value itself, or a list by its name"));
    }
    if other.has_wildcard() {
        return Err(TestError::new(format!("`{other}` may be several values, where one is needed"))
            .help("without `[*]` the path is the whole array, which suits `in` and `not_in`"));
    }
    Ok(())
}

/// Facts have known types: a comparison with another type could never be decided.
fn check_fact(path: &Path, key: &ContextKey, op: Op, value: &Operand, ignore_case: bool) -> Result<(), TestError> {
    use Op::{Cidr, Eq, Exists, Gt, Gte, In, Lt, Lte, Neq, NotIn};
    let literals: Vec<&OwnedValue> = match (value, op) {
        (Operand::Path(_), _) => Vec::new(),
        (Operand::Literal(OwnedValue::Array(items)), In | NotIn) => items.iter().collect(),
        (Operand::Literal(literal), Eq | Neq | Lt | Lte | Gt | Gte) => vec![literal],
        _ => Vec::new(),
    };
    let (fits, wanted): (&dyn Fn(&OwnedValue) -> bool, &str) = match key {
        ContextKey::TimeNow => {
            (&|value| value.as_str().and_then(time::instant).is_some(), "an RFC 3339 time with an offset")
        }
        ContextKey::TimeHour => (&|value| matches!(value, OwnedValue::Number(_)), "a number from 0 to 23"),
        ContextKey::TimeWeekday => (
            &|value| value.as_str().is_some_and(|day| WEEKDAYS.iter().any(|known| fits_word(day, known, ignore_case))),
            "one of mon, tue, wed, thu, fri, sat, sun",
        ),
        ContextKey::ClientIp => {
            (&|value| value.as_str().is_some_and(|text| cidr::address(text).is_ok()), "an IP address")
        }
        _ => (&|value| matches!(value, OwnedValue::String(_)), "a string"),
    };
    let suits = match key {
        ContextKey::TimeNow => matches!(op, Lt | Lte | Gt | Gte | Exists),
        ContextKey::TimeHour => matches!(op, Eq | Neq | In | NotIn | Lt | Lte | Gt | Gte | Exists),
        ContextKey::TimeWeekday => matches!(op, Eq | Neq | In | NotIn | Exists),
        ContextKey::ClientIp => matches!(op, Eq | Neq | In | NotIn | Cidr | Exists),
        _ => !matches!(op, Lt | Lte | Gt | Gte),
    };
    if !suits {
        let help = match key {
            ContextKey::TimeNow => "compare it by lt, lte, gt or gte",
            ContextKey::TimeHour => "it is a number from 0 to 23",
            ContextKey::TimeWeekday => "compare it by eq, neq, in or not_in",
            ContextKey::ClientIp => "compare it by eq, neq, in, not_in or cidr",
            _ => "it is a string",
        };
        return Err(TestError::new(format!("`{op}` cannot judge `{path}`")).help(help));
    }
    // A null is meant: it stands for nothing that such a fact can be.
    match literals.into_iter().find(|literal| !fits(literal) && **literal != OwnedValue::Null) {
        Some(literal) => {
            let error = TestError::new(format!("`{path}` can only be compared with {wanted}"));
            Err(match (key, literal) {
                (ContextKey::TimeWeekday, OwnedValue::String(day)) => match weekday(day) {
                    Some(known) => error.help(format!("write `{known}`")),
                    None => error,
                },
                _ => error,
            })
        }
        None => Ok(()),
    }
}

/// Whether a policy could have the text as a number, which is less than what programs read as one.
fn is_plain_number(text: &str) -> bool {
    text.len() <= 64 && !text.contains(['e', 'E']) && matches!(OwnedValue::parse(text), Ok(OwnedValue::Number(_)))
}

/// Whether a text can be equal to a word that a fact has.
fn fits_word(text: &str, word: &str, ignore_case: bool) -> bool {
    text == word || (ignore_case && fold::equal(text, word))
}

/// The weekday that is meant, in whatever case and however much of its name was written.
fn weekday(written: &str) -> Option<&'static str> {
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let written = written.to_ascii_lowercase();
    let named = NAMES.iter().find(|name| written.len() >= 3 && name.starts_with(&written))?;
    WEEKDAYS.into_iter().find(|known| named.starts_with(known))
}

fn compile(op: Op, value: &Operand, options: &TestOptions) -> Result<Check, TestError> {
    let literal = match value {
        Operand::Literal(literal) => Some(literal),
        Operand::Path(_) => None,
    };
    let number = match literal {
        Some(OwnedValue::Number(number)) => Small::of(number),
        _ => None,
    };
    let wrong = |wanted: &str| {
        let found = literal.map_or("path", OwnedValue::type_name);
        TestError::new(format!("the value of `{op}` must be {wanted}, not {}", article(found)))
    };
    let strings = |wanted: &str| -> Result<Vec<&str>, TestError> {
        let items = literal.and_then(OwnedValue::as_array).ok_or_else(|| wrong(wanted))?;
        items.iter().map(|item| item.as_str().ok_or_else(|| wrong(wanted))).collect()
    };
    let truth = || match literal {
        Some(OwnedValue::Bool(truth)) => Ok(*truth),
        _ => Err(wrong("true or false")),
    };
    Ok(match op {
        Op::Eq | Op::Neq => Check::Equal,
        Op::In | Op::NotIn => match literal {
            None | Some(OwnedValue::Array(_)) => Check::In,
            Some(_) => {
                let one = if op == Op::In { "for one value write `eq`" } else { "for one value write `neq`" };
                return Err(wrong("an array").help(one));
            }
        },
        Op::Lt | Op::Lte | Op::Gt | Op::Gte => {
            let instant = literal.and_then(OwnedValue::as_str).and_then(time::instant);
            if instant.is_none() && !matches!(literal, None | Some(OwnedValue::Number(_))) {
                return Err(wrong("a number or an RFC 3339 time with an offset").help(match literal {
                    // What policies take for a number, which is less than what programs do.
                    Some(OwnedValue::String(text)) if is_plain_number(text) => "write the number without quotes",
                    _ => "write `100` or `\"2026-01-05T12:00:00Z\"`",
                }));
            }
            Check::Order { order: order(op), limit: instant.map(Known::Time).or(number.map(Known::Number)) }
        }
        Op::Regex | Op::Matches => {
            let text = literal.and_then(OwnedValue::as_str).ok_or_else(|| wrong("a string"))?;
            Check::Regex(expression(text, op == Op::Matches)?)
        }
        Op::Contains => Check::Contains,
        Op::Exists => Check::Exists(truth()?),
        Op::StartsWith | Op::EndsWith => match literal {
            None | Some(OwnedValue::String(_) | OwnedValue::Array(_)) if op == Op::StartsWith => Check::StartsWith,
            None | Some(OwnedValue::String(_) | OwnedValue::Array(_)) => Check::EndsWith,
            Some(_) => return Err(wrong("a string or an array")),
        },
        Op::LengthLt | Op::LengthLte | Op::LengthGt | Op::LengthGte => match literal {
            Some(OwnedValue::Number(number)) if !number.is_integer() || number.is_negative() => {
                return Err(TestError::new(format!("the value of `{op}` must be a whole number from 0 on")));
            }
            None | Some(OwnedValue::Number(_)) => Check::Length { order: order(op), limit: number },
            Some(_) => return Err(wrong("a whole number")),
        },
        Op::Type => {
            let name = literal.and_then(OwnedValue::as_str).ok_or_else(|| wrong("the name of a type"))?;
            let name = TypeName::parse(name).ok_or_else(|| {
                TestError::new(format!("there is no type `{name}`"))
                    .help(format!("the types are {}", TypeName::ALL.join(", ")))
            })?;
            Check::Type(name)
        }
        Op::Within => match literal {
            None => Check::Within(None),
            Some(literal) => {
                let text = literal.as_str().ok_or_else(|| wrong("an absolute path"))?;
                let prefix = Prefix::parse(text).map_err(|doubt| {
                    TestError::new(format!("`{text}` {}", doubt.0))
                        .help("write a plain absolute path, such as `/srv/data`")
                })?;
                Check::Within(Some(prefix))
            }
        },
        Op::UrlHostIn => {
            let hosts = Hosts::new(strings("an array of hosts")?).map_err(TestError::new)?;
            Check::UrlHostIn { hosts, web: web(options)? }
        }
        Op::UrlPublic => Check::UrlPublic { public: truth()?, web: web(options)? },
        Op::PathSecret => Check::PathSecret(truth()?),
        Op::EmailDomainIn => Check::EmailDomainIn(Hosts::new(strings("an array of domains")?).map_err(TestError::new)?),
        Op::Cidr => {
            let blocks = strings("an array of blocks")?.into_iter().map(Block::parse);
            Check::Cidr(blocks.collect::<Result<_, _>>().map_err(TestError::new)?)
        }
        Op::SqlReads => Check::SqlReads(truth()?),
    })
}

fn web(options: &TestOptions) -> Result<Web, TestError> {
    let scheme = |text: &String| {
        url::scheme(text).ok_or_else(|| {
            TestError::new(format!("`{text}` in `schemes` is no scheme")).help("write `https`, without `:`")
        })
    };
    let schemes = match options.schemes.as_slice() {
        [] => ["http".into(), "https".into()].into(),
        some => some.iter().map(scheme).collect::<Result<_, _>>()?,
    };
    Ok(Web { ports: options.ports.as_slice().into(), schemes })
}

fn order(op: Op) -> Order {
    match op {
        Op::Lt | Op::LengthLt => Order::Lt,
        Op::Lte | Op::LengthLte => Order::Lte,
        Op::Gt | Op::LengthGt => Order::Gt,
        _ => Order::Gte,
    }
}

/// Compiles an expression; `whole` anchors it at both ends, whatever alternatives and flags it holds.
pub(crate) fn expression(text: &str, whole: bool) -> Result<Regex, TestError> {
    if text.len() > MAX_REGEX {
        return Err(TestError::new(format!(
            "a regular expression has at most {MAX_REGEX} bytes, this one has {}",
            text.len()
        )));
    }
    // On its own first: `a)|(b` is no expression, though it would be one inside of a group.
    let alone = build(text)?;
    if !whole {
        return Ok(alone);
    }
    // With `(?x)` the last line may be a comment, which must not swallow the end of the group.
    build(&format!(r"\A(?:{text})\z")).or_else(|error| build(&format!("\\A(?:{text}\n)\\z")).map_err(|_| error))
}

fn build(text: &str) -> Result<Regex, TestError> {
    let built = RegexBuilder::new(text).size_limit(REGEX_SIZE).nest_limit(REGEX_NEST).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => TestError::new("this regular expression takes too much memory")
            .help(format!("at most {REGEX_SIZE} bytes when compiled; write smaller repetitions")),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            let what = last.strip_prefix("error: ").unwrap_or(last).trim();
            TestError::new(format!("this regular expression does not compile: {what}"))
                .help("the dialect is that of the Rust crate `regex`: without look-around and back-references")
        }
    })
}

fn article(type_name: &str) -> String {
    match type_name {
        "null" => "null".to_owned(),
        name if name.starts_with(['a', 'o']) => format!("an {name}"),
        name => format!("a {name}"),
    }
}
