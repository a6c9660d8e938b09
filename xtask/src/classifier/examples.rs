//! What the model learns from: features and labels.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use policy::Class;
use risk::{CLASSES, Definition, Facet};
use serde_json::Value;

use super::corpus::{files, lines, public, shared};
use super::training;

/// A labelled definition, as numbers.
#[derive(Clone)]
pub struct Example {
    /// Its features.
    pub buckets: Vec<u16>,
    /// What it is.
    pub label: Label,
}

/// What a careful reader says of a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The class, as a column of the model.
    pub class: usize,
    /// Classes that are acceptable as well.
    pub also: Vec<usize>,
    /// Whether two careful readers would agree.
    pub sure: bool,
    /// One for each facet; `None` where facets were not labelled.
    pub facets: Option<[bool; Facet::ALL.len()]>,
}

impl Label {
    /// Of a line with `category`, `also` or `also_acceptable`, `sure` or `confidence`, `facets`.
    pub fn of(line: &Value) -> Result<Label> {
        let column = |name: &Value| {
            let name = name.as_str().with_context(|| format!("a class is missing: {line}"))?;
            CLASSES
                .iter()
                .position(|class| class.as_str().eq_ignore_ascii_case(name))
                .with_context(|| format!("`{name}` is no class"))
        };
        let also = line.get("also").or_else(|| line.get("also_acceptable")).unwrap_or(&Value::Null);
        let also = match also {
            Value::Array(all) => all.iter().map(column).collect::<Result<_>>()?,
            Value::String(_) => vec![column(also)?],
            _ => Vec::new(),
        };
        let sure = match (line.get("sure"), line.get("confidence")) {
            (Some(sure), _) => sure.as_bool().unwrap_or_default(),
            (_, confidence) => confidence.and_then(Value::as_str) == Some("sure"),
        };
        let facets = line
            .get("facets")
            .and_then(Value::as_array)
            .map(|named| Facet::ALL.map(|facet| named.iter().any(|name| name.as_str() == Some(facet.as_str()))));
        Ok(Label { class: column(line.get("category").unwrap_or(&Value::Null))?, also, sure, facets })
    }

    /// The class as policies write it.
    pub fn class(&self) -> Class {
        CLASSES.get(self.class).copied().unwrap_or(Class::Unclassified)
    }
}

/// Makes `features.tsv` again from the definitions: a line each, of identifier, class, other
/// acceptable classes, facets, and the differences between the features' numbers.
pub fn extract() -> Result<()> {
    let shared = shared().context("the public definitions are not at hand: ../shared/data is missing")?;
    let public = public(&shared)?;
    let mut text =
        String::from("# Written by `cargo xtask train --extract`: features of labelled definitions, as numbers.\n");
    for file in files("labels")? {
        for line in lines(&file)? {
            let id = line.get("id").and_then(Value::as_str).context("a label without id")?;
            let tool = public.get(id).with_context(|| format!("{id} is labelled and not among the definitions"))?;
            write_example(&mut text, id, &Definition::of(tool), &Label::of(&line)?)?;
        }
    }
    for line in own("train")? {
        let id = line.get("id").and_then(Value::as_str).context("a definition without id")?;
        write_example(&mut text, id, &Definition::of(&line), &Label::of(&line)?)?;
    }
    std::fs::write(training().join("features.tsv"), text)?;
    Ok(())
}

/// Definitions of our own, of one part: `train` or `test`.
pub fn own(split: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for file in files("languages")? {
        all.extend(lines(&file)?.into_iter().filter(|line| line.get("split").and_then(Value::as_str) == Some(split)));
    }
    Ok(all)
}

fn write_example(text: &mut String, id: &str, definition: &Definition<'_>, label: &Label) -> Result<()> {
    let also: String = label.also.iter().map(ToString::to_string).collect();
    let facets: String = label.facets.iter().flatten().map(|holds| if *holds { '1' } else { '0' }).collect();
    write!(text, "{id}\t{}\t{also}\t{}\t{facets}\t", label.class, u8::from(label.sure))?;
    let mut last = 0;
    for (index, bucket) in risk::buckets(definition).into_iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        write!(text, "{space}{:x}", bucket - last)?;
        last = bucket;
    }
    text.push('\n');
    Ok(())
}

/// Whether a public definition measures: one in ten, by its identifier. `cargo xtask eval` trains
/// without these for that; the weights that are shipped learn from them too.
pub fn held_out(id: &str) -> bool {
    id.starts_with('t')
        && id.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 10 == 0
}

/// Which examples are trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All.
    Whole,
    /// All but those that are [`held_out`].
    Kept,
}

/// Reads examples from `features.tsv`.
pub fn load(part: Part) -> Result<Vec<Example>> {
    let path = training().join("features.tsv");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter(|line| part == Part::Whole || !held_out(line.split('\t').next().unwrap_or_default()))
        .map(|line| parse(line).with_context(|| line.to_owned()))
        .collect()
}

fn parse(line: &str) -> Result<Example> {
    let mut cells = line.split('\t');
    let mut cell = || cells.next().context("a cell is missing");
    let _id = cell()?;
    let class = cell()?.parse()?;
    let also = cell()?.bytes().map(|digit| usize::from(digit.wrapping_sub(b'0'))).collect();
    let sure = cell()? == "1";
    let facets: Vec<bool> = cell()?.bytes().map(|digit| digit == b'1').collect();
    let mut bucket = 0_u16;
    let mut buckets = Vec::new();
    for step in cell()?.split(' ') {
        bucket = bucket.checked_add(u16::from_str_radix(step, 16)?).context("features do not rise")?;
        buckets.push(bucket);
    }
    Ok(Example { buckets, label: Label { class, also, sure, facets: facets.try_into().ok() } })
}
