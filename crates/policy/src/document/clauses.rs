//! Reading clauses and their conditions.

use std::ops::Range;
use std::sync::Arc;

use crate::condition::{Condition, Op, Test, TestOptions};
use crate::diagnostic::{Code, Diagnostic};
use crate::entry::{Clause, ClauseKind, Leaf};
use crate::operand::{Operand, OwnedValue};
use crate::path::{Path, Root};
use crate::rule_id::{Names, RuleId, child};
use crate::source::{Node, Value, shown};
use crate::suggest::nearest;

use super::reader::{Fields, Reader, listed};

const CLAUSE_FIELDS: &[&str] = &["id", "conditions", "on_deny"];
const CONDITION_FIELDS: &[&str] =
    &["path", "op", "value", "ignore_case", "missing", "undecidable", "ports", "schemes", "any_of", "not", "each"];

/// Reading the conditions of one clause.
struct Inside {
    kind: ClauseKind,
    leaves: Vec<Leaf>,
    /// The arrays of the `each` around this place, innermost last.
    each: Vec<Path>,
    negated: bool,
}

impl Reader {
    /// Reads `require`, `deny_if` or `require_approval_if` of the entry `parent`.
    pub(super) fn clauses(&mut self, node: &Node, kind: ClauseKind, parent: &RuleId) -> Vec<Arc<Clause>> {
        let field = kind.field();
        let Some(items) = self.array(node, &format!("`{field}`")) else { return Vec::new() };
        let pointer = child(&parent.pointer, field);
        let rule = child(&parent.rule, field);
        let mut names = Names::default();
        let mut clauses = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let Some((name, mut clause)) = self.clause(item, kind) else { continue };
            let id = RuleId::new(child(&pointer, &index.to_string()), format!("{rule}/{}", names.unique(&name)));
            clause.rule = Arc::new(id);
            clauses.push(Arc::new(clause));
        }
        clauses
    }

    fn clause(&mut self, node: &Node, kind: ClauseKind) -> Option<(String, Clause)> {
        if let Some(member) = node.as_object().and_then(|members| members.iter().find(|member| member.key == "path"))
            && node.get("conditions").is_none()
        {
            self.report(
                Diagnostic::new(
                    Code::UnknownField,
                    member.key_range.clone(),
                    "a condition stands where a clause belongs",
                )
                .help("wrap it: `{ \"conditions\": [ { \"path\": …, \"op\": …, \"value\": … } ] }`"),
            );
            return None;
        }
        let fields = self.fields(node, "a clause", CLAUSE_FIELDS, &[])?;
        let id = fields.get("id").and_then(|node| self.name(node, "`id`"));
        let on_deny = self.text(fields.get("on_deny"), "`on_deny`");
        let conditions = self.required(fields, "conditions", "a clause", "[]");
        let mut inside = Inside { kind, leaves: Vec::new(), each: Vec::new(), negated: false };
        let conditions = self.conditions(conditions?, &mut inside);
        let leaves = inside.leaves;
        let name = id.unwrap_or_else(|| match leaves.first() {
            Some(leaf) => format!("{}-{}", leaf.path, leaf.op),
            None => "always".to_owned(),
        });
        let reads_arguments = conditions.iter().any(reads_arguments);
        Some((
            name,
            Clause {
                rule: Arc::new(RuleId::new("", "")),
                conditions,
                on_deny: on_deny.map(Arc::from),
                reads_arguments,
                leaves,
                range: node.range.clone(),
            },
        ))
    }

    fn conditions(&mut self, node: &Node, inside: &mut Inside) -> Vec<Condition> {
        let Some(items) = self.array(node, "`conditions`") else { return Vec::new() };
        items.iter().filter_map(|item| self.condition(item, inside)).collect()
    }

    fn condition(&mut self, node: &Node, inside: &mut Inside) -> Option<Condition> {
        if node.get("any_of").is_some() {
            let fields = self.fields(node, "a condition with `any_of`", &["any_of"], &[])?;
            let items = fields.get("any_of").and_then(|node| self.array(node, "`any_of`"))?;
            if items.is_empty() {
                self.report(
                    Diagnostic::new(Code::OutOfRange, node.range.clone(), "`any_of` needs at least one condition")
                        .help("an empty `any_of` would never be true"),
                );
                return None;
            }
            return Some(Condition::AnyOf(items.iter().filter_map(|item| self.condition(item, inside)).collect()));
        }
        if node.get("not").is_some() {
            let fields = self.fields(node, "a condition with `not`", &["not"], &[])?;
            inside.negated = !inside.negated;
            let inner = fields.get("not").and_then(|node| self.condition(node, inside));
            inside.negated = !inside.negated;
            return Some(Condition::Not(Box::new(inner?)));
        }
        if node.get("each").is_some() {
            return self.each(node, inside);
        }
        self.test(node, inside)
    }

    fn each(&mut self, node: &Node, inside: &mut Inside) -> Option<Condition> {
        let fields = self.fields(node, "a condition with `each`", &["each", "conditions"], &[])?;
        let path = fields.get("each").and_then(|node| {
            let path = self.path(node, "`each`")?;
            self.check_item(&path, &node.range, inside);
            if !matches!(path.root(), Root::Args | Root::Item) {
                self.report(
                    Diagnostic::new(Code::Path, node.range.clone(), "`each` must be the path of an argument")
                        .help("write the path of an array, such as `args.items`"),
                );
                return None;
            }
            Some(path)
        });
        let inner = self.required(fields, "conditions", "a condition with `each`", "[]");
        let mut conditions = Vec::new();
        if let Some(inner) = inner {
            // Where the path is wrong its conditions are read all the same, for their findings.
            let stand_in = path.clone().or_else(|| Path::parse("args.items").ok());
            inside.each.extend(stand_in);
            conditions = self.conditions(inner, inside);
            inside.each.pop();
        }
        Some(Condition::Each { path: path?, conditions })
    }

    fn test(&mut self, node: &Node, inside: &mut Inside) -> Option<Condition> {
        let fields = self.fields(node, "a condition", CONDITION_FIELDS, &[])?;
        let path_node = self.required(fields, "path", "a condition", "\"args.amount\"");
        let path = path_node.and_then(|node| {
            let path = self.path(node, "`path`")?;
            self.check_item(&path, &node.range, inside);
            Some(path)
        });
        let op_node = self.required(fields, "op", "a condition", "\"eq\"");
        let op = op_node.and_then(|node| self.op(node));
        let value_node = self.required(fields, "value", "a condition", "…");
        let options = self.options(fields, inside);
        let (path, op, value_node, options) = (path?, op?, value_node?, options?);
        let operand = self.operand(value_node, inside)?;
        let missing = options.missing;
        let literal = match &operand {
            Literal::Path(_) => None,
            Literal::Value(node) => Some(node),
        };
        inside.leaves.push(Leaf {
            path: path.clone(),
            path_range: path_node.map_or(0..0, |node| node.range.clone()),
            op,
            op_range: op_node.map_or(0..0, |node| node.range.clone()),
            value_range: value_node.range.clone(),
            strings: literal.map(strings).unwrap_or_default(),
            empty: literal.is_some_and(|node| matches!(&node.value, Value::Array(items) if items.is_empty())),
            missing,
            negated: inside.negated,
            each: inside.each.last().cloned(),
            range: node.range.clone(),
        });
        let operand = match operand {
            Literal::Path(path) => Operand::Path(path),
            Literal::Value(node) => Operand::Literal(owned(&node)?),
        };
        match Test::new(path, op, operand, options) {
            Ok(test) => Some(Condition::Test(test)),
            Err(error) => {
                // The value is what is wrong, unless the message begins with the name of an option.
                let options = ["ignore_case", "missing", "ports", "schemes"].into_iter();
                let option = options.filter_map(|name| fields.member(name));
                let option = option.into_iter().find(|member| error.message.starts_with(&format!("`{}` ", member.key)));
                let range = option.map_or(&value_node.range, |member| &member.key_range);
                let mut found = Diagnostic::new(Code::Operand, range.clone(), error.message);
                if let Some(node) = op_node {
                    found = found.also(node.range.clone(), "for this operator");
                }
                if let Some(help) = error.help {
                    found = found.help(help);
                }
                self.report(found);
                None
            }
        }
    }

    fn op(&mut self, node: &Node) -> Option<Op> {
        let text = self.string(node, "`op`")?;
        if let Ok(op) = text.parse::<Op>() {
            return Some(op);
        }
        let names: Vec<&str> = Op::ALL.iter().map(|op| op.as_str()).collect();
        // Spellings of other languages.
        let near = match text {
            "==" | "=" | "===" | "equals" | "equal" | "is" => Some("eq"),
            "!=" | "<>" | "ne" | "not_eq" | "not_equals" => Some("neq"),
            "<" | "less_than" => Some("lt"),
            "<=" | "le" => Some("lte"),
            ">" | "greater_than" => Some("gt"),
            ">=" | "ge" => Some("gte"),
            "one_of" | "any" => Some("in"),
            "nin" | "none_of" => Some("not_in"),
            "includes" => Some("contains"),
            "prefix" => Some("starts_with"),
            "suffix" => Some("ends_with"),
            "regexp" | "=~" | "~" => Some("regex"),
            "match" => Some("matches"),
            other => nearest(other, names.iter().copied()),
        };
        let message = format!("there is no operator `{}`", shown(text));
        let found = Diagnostic::new(Code::UnknownOperator, node.range.clone(), message).label("unknown operator");
        self.report(match near {
            Some(near) => {
                found.fix(node.range.clone(), format!("\"{near}\""), "an operator with a similar meaning exists")
            }
            None => found.help(format!("the operators are {}", listed(names))),
        });
        None
    }

    fn options(&mut self, fields: Fields<'_>, inside: &Inside) -> Option<TestOptions> {
        let mut fine = true;
        let mut options = TestOptions::default();
        if let Some(node) = fields.get("ignore_case") {
            match self.boolean(node, "`ignore_case`") {
                Some(value) => options.ignore_case = value,
                None => fine = false,
            }
        }
        if let Some(node) = fields.get("missing") {
            match self.boolean(node, "`missing`") {
                Some(value) => options.missing = Some(value),
                None => fine = false,
            }
        }
        if let Some(member) = fields.member("undecidable") {
            match self.choice(&member.value, "`undecidable`", &[("ask", ())]) {
                Some(()) => options.undecidable_asks = true,
                None => fine = false,
            }
            if inside.kind != ClauseKind::ApprovalIf {
                let message = format!("`undecidable` has no meaning in `{}`", inside.kind.field());
                self.report(Diagnostic::new(Code::Combination, member.key_range.clone(), message).help(
                    "only a rule of `require_approval_if` can ask a person; elsewhere what cannot be judged is denied",
                ));
            }
        }
        if let Some(node) = fields.get("ports") {
            for item in self.array(node, "`ports`").unwrap_or_else(|| {
                fine = false;
                &[]
            }) {
                match self.integer(item, "a port", 1, 65535).and_then(|port| u16::try_from(port).ok()) {
                    Some(port) => options.ports.push(port),
                    None => fine = false,
                }
            }
        }
        if let Some(node) = fields.get("schemes") {
            for item in self.array(node, "`schemes`").unwrap_or_else(|| {
                fine = false;
                &[]
            }) {
                match self.string(item, "a scheme") {
                    Some(scheme) => options.schemes.push(scheme.to_owned()),
                    None => fine = false,
                }
            }
        }
        fine.then_some(options)
    }

    /// The value of a condition, with a named list put in its place.
    fn operand(&mut self, node: &Node, inside: &Inside) -> Option<Literal> {
        let Some([only]) = node.as_object() else { return Some(Literal::Value(node.clone())) };
        match only.key.as_str() {
            "path" => {
                let path = self.path(&only.value, "`path`")?;
                self.check_item(&path, &only.value.range, inside);
                Some(Literal::Path(path))
            }
            "list" => {
                let name = self.string(&only.value, "`list`")?;
                match self.lists.get(name) {
                    Some(list) => {
                        self.lists_used.insert(name.to_owned());
                        list.clone().map(Literal::Value)
                    }
                    None => {
                        self.unknown_list(&only.value.range, name);
                        None
                    }
                }
            }
            _ => Some(Literal::Value(node.clone())),
        }
    }

    fn unknown_list(&mut self, range: &Range<usize>, name: &str) {
        let names: Vec<&str> = self.lists.keys().map(String::as_str).collect();
        let found = Diagnostic::new(Code::UnknownList, range.clone(), format!("there is no list `{}`", shown(name)));
        let found = match nearest(name, names.iter().copied()) {
            Some(near) => {
                let replacement = serde_json::Value::from(near).to_string();
                found.fix(range.clone(), replacement, "a list with a similar name exists")
            }
            None if names.is_empty() => found.help("add it to `lists`, which this document does not have"),
            None => found.help(format!("the lists of this document are {}", listed(names))),
        };
        self.report(found);
    }

    /// Reads a path; says what is wrong with it, if something is.
    pub(super) fn path(&mut self, node: &Node, what: &str) -> Option<Path> {
        let text = self.string(node, what)?;
        if text == "inputs" || text.starts_with("inputs.") || text.starts_with("inputs[") {
            self.not_obeyed(&node.range, "inputs", "read the answers that an agent gives in a multi-round call");
            return None;
        }
        match Path::parse(text) {
            Ok(path) => Some(path),
            Err(error) => {
                let mut found = Diagnostic::new(Code::Path, node.range.clone(), error.message);
                if let Some(help) = error.help {
                    found = found.help(help);
                }
                if let Some(suggestion) = error.suggestion {
                    let replacement = serde_json::Value::from(suggestion).to_string();
                    found = found.fix(node.range.clone(), replacement, "a path with a similar name exists");
                }
                self.report(found);
                None
            }
        }
    }

    fn check_item(&mut self, path: &Path, range: &Range<usize>, inside: &Inside) {
        if matches!(path.root(), Root::Item) && inside.each.is_empty() {
            self.report(
                Diagnostic::new(Code::ItemOutsideEach, range.clone(), "`item` stands for nothing here")
                    .help("`item` is one element inside of `{ \"each\": \"args.items\", \"conditions\": [ … ] }`"),
            );
        }
    }
}

/// The value of a condition as written.
enum Literal {
    Path(Path),
    Value(Node),
}

fn owned(node: &Node) -> Option<OwnedValue> {
    OwnedValue::parse(&node.to_json()).ok()
}

fn strings(node: &Node) -> Vec<String> {
    match &node.value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

/// Whether a condition reads `args`, itself or through `item`.
fn reads_arguments(condition: &Condition) -> bool {
    let is_argument = |path: &Path| matches!(path.root(), Root::Args | Root::Item);
    match condition {
        Condition::Test(test) => {
            is_argument(&test.path) || matches!(&test.value, Operand::Path(path) if is_argument(path))
        }
        Condition::AnyOf(conditions) => conditions.iter().any(reads_arguments),
        Condition::Not(inner) => reads_arguments(inner),
        Condition::Each { .. } => true,
    }
}
