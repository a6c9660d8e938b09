//! How well the compiled classifier does, on sets that it was not trained on.
#![expect(clippy::indexing_slicing, reason = "tables of fixed sizes, and numbers below these")]

use std::fmt::Write as _;
use std::io::{Seek, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use policy::Class;
use risk::{Assessment, CLASSES, Definition, Facet, assess, assess_by};
use serde_json::Value;

use super::corpus::{files, lines, public, shared};
use super::examples::{Label, Part, held_out, load, own};
use super::logistic;
use crate::bench::release;
use crate::system::{root, run};

const HELP: &str = "\
cargo xtask eval [--errors | --write]

  --errors   name every definition that is called otherwise than its label says
  --write    put the figures into docs/classifier.md
";

/// What `eval_dev` must reach, in percent: strict, sure, lenient.
const GOALS: [usize; 3] = [88, 96, 95];

/// Where the figures stand in the documentation.
const BEGIN: &str = "<!-- figures: cargo xtask eval --write -->\n";
const END: &str = "<!-- end of figures -->";

/// Prints every set, and fails where a goal is missed.
pub fn print(arguments: &[String]) -> Result<()> {
    let (errors, write) = match arguments {
        [] => (false, false),
        [option] if option == "--errors" => (true, false),
        [option] if option == "--write" => (false, true),
        _ => {
            print!("{HELP}");
            return Ok(());
        }
    };
    let mut out = String::new();
    let (english, others): (Vec<Value>, Vec<Value>) = own("test")?.into_iter().partition(is_english);
    set("definitions of our own in eight languages, never trained on", &others, errors, &mut out, assess)?;
    set("the same verbs with other objects, in English, never trained on", &english, errors, &mut out, assess)?;
    let Some(shared) = shared() else {
        print!("{out}");
        println!("the public definitions are not at hand (../shared/data); their sets are left out");
        return Ok(());
    };
    let dev = set("eval_dev", &lines(&shared.join("eval_dev.jsonl"))?, errors, &mut out, assess)?;
    set("eval_extra_dev", &lines(&shared.join("eval_extra_dev.jsonl"))?, errors, &mut out, assess)?;
    let kept = logistic::train(&load(Part::Kept)?);
    let judge = |definition: &Definition<'_>| assess_by(&kept, definition);
    let held_out = labels_held_out(&shared)?;
    set("one in ten of the labels, by weights trained without these", &held_out, errors, &mut out, judge)?;
    speed(&shared, &mut out)?;
    print!("{out}");
    if write {
        let path = root().join("docs/classifier.md");
        let text = std::fs::read_to_string(&path)?;
        let (before, rest) = text.split_once(BEGIN).context("docs/classifier.md has no place for figures")?;
        let (_, after) = rest.split_once(END).context("docs/classifier.md: the place for figures has no end")?;
        std::fs::write(&path, format!("{before}{BEGIN}{out}\n{END}{after}"))?;
    }
    let reached = [(dev.right, dev.all), dev.sure, (dev.lenient, dev.all)];
    for ((right, all), goal) in reached.into_iter().zip(GOALS) {
        ensure!(right * 100 >= all * goal, "eval_dev: {right} of {all} are right, and {goal} % should be");
    }
    ensure!(dev.harmless.0 == 0, "eval_dev: {} that delete or pay are called harmless", dev.harmless.0);
    Ok(())
}

/// The labelled public definitions that measure.
fn labels_held_out(shared: &Path) -> Result<Vec<Value>> {
    let public = public(shared)?;
    let mut all = Vec::new();
    for file in files("labels")? {
        for mut label in lines(&file)? {
            let id = label.get("id").and_then(Value::as_str).context("a label without id")?.to_owned();
            if held_out(&id) {
                let tool = public.get(&id).with_context(|| format!("{id} is not among the definitions"))?;
                for key in ["name", "description", "input_schema", "annotations"] {
                    label[key] = tool.get(key).cloned().unwrap_or_default();
                }
                all.push(label);
            }
        }
    }
    Ok(all)
}

#[derive(Default)]
struct Tally {
    all: usize,
    confusion: [[usize; 6]; 5],
    right: usize,
    lenient: usize,
    sure: (usize, usize),
    /// Destructive or financial, and called read or write, though that is not acceptable.
    harmless: (usize, usize),
    /// Anything called less than it is.
    under: usize,
    bins: [(usize, usize); 10],
    facets: [(usize, usize, usize); Facet::ALL.len()],
    with_facets: usize,
}

fn set(
    name: &str,
    all: &[Value],
    errors: bool,
    out: &mut String,
    judge: impl Fn(&Definition<'_>) -> Assessment,
) -> Result<Tally> {
    let mut tally = Tally { all: all.len(), ..Tally::default() };
    writeln!(
        out,
        "
### {name}: {} definitions
",
        all.len()
    )?;
    for line in all {
        let label = Label::of(line)?;
        let found = judge(&Definition::of(line));
        let called = CLASSES.iter().position(|class| *class == found.class).unwrap_or(CLASSES.len());
        let acceptable = called == label.class || label.also.contains(&called);
        tally.confusion[label.class][called] += 1;
        tally.right += usize::from(called == label.class);
        tally.lenient += usize::from(acceptable);
        if label.sure {
            tally.sure.0 += usize::from(called == label.class);
            tally.sure.1 += 1;
        }
        if label.class >= 3 {
            tally.harmless.0 += usize::from(called < 2 && !acceptable);
            tally.harmless.1 += 1;
        }
        tally.under += usize::from(called < label.class && !acceptable);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9")]
        let bin = ((found.confidence * 10.0) as usize).min(9);
        tally.bins[bin].0 += usize::from(called == label.class);
        tally.bins[bin].1 += 1;
        if let Some(holds) = label.facets {
            tally.with_facets += 1;
            for (index, (facet, holds)) in Facet::ALL.into_iter().zip(holds).enumerate() {
                let said = found.facets.contains(&facet);
                tally.facets[index].0 += usize::from(said && holds);
                tally.facets[index].1 += usize::from(said);
                tally.facets[index].2 += usize::from(holds);
            }
        }
        if errors && called != label.class {
            let words: Vec<String> =
                found.evidence.iter().map(|one| format!("{}={}", one.place.path(), one.text)).collect();
            let text = Definition::of(line).description.chars().take(140).collect::<String>().replace('\n', " ");
            println!(
                "{}{}: {} is {:?}, called {:?} {:.2}: {text} {words:?}",
                if acceptable { "(" } else { "" },
                line.get("id").and_then(Value::as_str).unwrap_or("?"),
                Definition::of(line).name,
                label.class(),
                found.class,
                found.confidence,
            );
        }
    }
    tally.write(out)?;
    Ok(tally)
}

impl Tally {
    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "| is \\ called | read | write | execute | destructive | financial | unclassified |")?;
        writeln!(out, "| --- | --: | --: | --: | --: | --: | --: |")?;
        for (class, row) in CLASSES.iter().zip(&self.confusion) {
            let cells: Vec<String> = row.iter().map(ToString::to_string).collect();
            writeln!(out, "| {} | {} |", class.as_str(), cells.join(" | "))?;
        }
        writeln!(
            out,
            "\nstrict {} · sure {} · lenient {}",
            share(self.right, self.all),
            share(self.sure.0, self.sure.1),
            share(self.lenient, self.all)
        )?;
        writeln!(
            out,
            "\ndestructive or financial called read or write: {} of {} · called less than it is, not acceptably: {}",
            self.harmless.0, self.harmless.1, self.under
        )?;
        let bins: Vec<String> = self
            .bins
            .iter()
            .enumerate()
            .filter(|(_, (_, all))| *all > 0)
            .map(|(bin, (right, all))| {
                format!("{:.1}: {}", f64::from(u32::try_from(bin).unwrap_or_default()) / 10.0, share(*right, *all))
            })
            .collect();
        writeln!(out, "\nright by confidence, from {}", bins.join(", "))?;
        if self.with_facets > 0 {
            writeln!(out, "\n| facet | holds | precision | recall |\n| --- | --: | --: | --: |")?;
            for (facet, (both, said, holds)) in Facet::ALL.iter().zip(self.facets) {
                writeln!(out, "| {} | {holds} | {} | {} |", facet.as_str(), share(both, said), share(both, holds))?;
            }
        }
        Ok(())
    }
}

fn is_english(line: &Value) -> bool {
    line.get("id").and_then(Value::as_str).is_some_and(|id| id.starts_with("en-"))
}

fn share(part: usize, all: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let percent = part as f64 * 100.0 / all.max(1) as f64;
    format!("{percent:.1} % ({part}/{all})")
}

/// How the classes are spread, and definitions a second as a release judges them: on one core, parsed beforehand,
/// and by `toolgate classify` from text to text.
fn speed(shared: &Path, out: &mut String) -> Result<()> {
    let lines = lines(&shared.join("tools.jsonl.gz"))?;
    let mut counts = [0_usize; 6];
    let mut text = Vec::new();
    for line in &lines {
        let class = assess(&Definition::of(line)).class;
        counts[Class::ALL.iter().position(|known| *known == class).unwrap_or(5)] += 1;
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    let named: Vec<String> = Class::ALL
        .iter()
        .zip(counts)
        .map(|(class, count)| format!("{} {}", class.as_str(), share(count, lines.len())))
        .collect();
    writeln!(out, "\n### All {} public definitions\n\n{}\n", lines.len(), named.join(" · "))?;
    let mut input = tempfile::tempfile()?;
    input.write_all(&text)?;
    run("cargo", &["build", "--release", "--locked", "-p", "risk", "--example", "assess_cost"])?;
    run("cargo", &["build", "--release", "--locked", "-p", "toolgate"])?;
    input.rewind()?;
    let judged = Command::new(release()?.join("examples/assess_cost")).stdin(input.try_clone()?).output()?;
    ensure!(judged.status.success(), "assess_cost ended with {}", judged.status);
    let fastest: f64 = String::from_utf8(judged.stdout)?
        .split_whitespace()
        .next()
        .and_then(|rate| rate.parse().ok())
        .context("assess_cost printed no rate")?;
    writeln!(out, "Parsed, evidence included, one core: {} definitions a second.", digits(fastest))?;
    let mut best = Duration::MAX;
    for _ in 0..3 {
        input.rewind()?;
        let begin = Instant::now();
        let mut classify = Command::new(release()?.join("toolgate"));
        let status = classify.arg("classify").stdin(input.try_clone()?).stdout(Stdio::null()).status()?;
        ensure!(status.success(), "toolgate classify ended with {status}");
        best = best.min(begin.elapsed());
    }
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let rate = lines.len() as f64 / best.as_secs_f64();
    writeln!(out, "`toolgate classify`, from text to text: {} definitions a second.", digits(rate))?;
    Ok(())
}

/// A rate in thousands.
fn digits(rate: f64) -> String {
    format!("{:.0},000", (rate / 1000.0).round())
}
