//! How well the compiled classifier does, on sets that it was not trained on.
#![expect(clippy::indexing_slicing, reason = "tables of fixed sizes, and numbers below these")]

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use policy::Class;
use risk::{Assessment, CLASSES, Definition, Facet, assess, assess_by};
use serde_json::Value;

use super::corpus::{files, lines, public, shared};
use super::examples::{Label, Part, held_out, load, own};
use super::logistic;

const HELP: &str = "\
cargo xtask eval [--errors]

  --errors   name every definition that is called otherwise than its label says
";

/// Prints every set.
pub fn print(arguments: &[String]) -> Result<()> {
    let errors = match arguments {
        [] => false,
        [option] if option == "--errors" => true,
        _ => {
            print!("{HELP}");
            return Ok(());
        }
    };
    set("definitions of our own in eight languages, test half", &own("test")?, errors, assess)?;
    let Some(shared) = shared() else {
        println!("the public definitions are not at hand (../shared/data); their sets are left out");
        return Ok(());
    };
    set("eval_dev", &lines(&shared.join("eval_dev.jsonl"))?, errors, assess)?;
    set("eval_extra_dev", &lines(&shared.join("eval_extra_dev.jsonl"))?, errors, assess)?;
    let kept = logistic::train(&load(Part::Kept)?);
    let judge = |definition: &Definition<'_>| assess_by(&kept, definition);
    set("one in ten of the labels, by weights trained without these", &labels_held_out(&shared)?, errors, judge)?;
    speed(&shared)
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

fn set(name: &str, all: &[Value], errors: bool, judge: impl Fn(&Definition<'_>) -> Assessment) -> Result<()> {
    let mut tally = Tally::default();
    println!("\n## {name}: {} definitions\n", all.len());
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
    tally.print(all.len());
    Ok(())
}

impl Tally {
    fn print(&self, all: usize) {
        println!("| is \\ called | read | write | execute | destructive | financial | unclassified |");
        println!("| --- | --: | --: | --: | --: | --: | --: |");
        for (class, row) in CLASSES.iter().zip(&self.confusion) {
            let cells: Vec<String> = row.iter().map(ToString::to_string).collect();
            println!("| {} | {} |", class.as_str(), cells.join(" | "));
        }
        println!(
            "\nstrict {} · sure {} · lenient {}",
            share(self.right, all),
            share(self.sure.0, self.sure.1),
            share(self.lenient, all)
        );
        println!(
            "destructive or financial called read or write: {} of {} · called less than it is, not acceptably: {}",
            self.harmless.0, self.harmless.1, self.under
        );
        let bins: Vec<String> = self
            .bins
            .iter()
            .enumerate()
            .filter(|(_, (_, all))| *all > 0)
            .map(|(bin, (right, all))| {
                format!("{:.1}: {}", f64::from(u32::try_from(bin).unwrap_or_default()) / 10.0, share(*right, *all))
            })
            .collect();
        println!("right by confidence, from {}", bins.join(", "));
        if self.with_facets > 0 {
            println!("\n| facet | holds | precision | recall |\n| --- | --: | --: | --: |");
            for (facet, (both, said, holds)) in Facet::ALL.iter().zip(self.facets) {
                println!("| {} | {holds} | {} | {} |", facet.as_str(), share(both, said), share(both, holds));
            }
        }
    }
}

fn share(part: usize, all: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let percent = part as f64 * 100.0 / all.max(1) as f64;
    format!("{percent:.1} % ({part}/{all})")
}

/// Definitions a second on one core, parsed beforehand and from text.
fn speed(shared: &Path) -> Result<()> {
    let lines = lines(&shared.join("tools.jsonl.gz"))?;
    let all: Vec<Definition<'_>> = lines.iter().map(Definition::of).collect();
    let mut seconds = Vec::new();
    let mut counts = [0_usize; 6];
    for round in 0..3 {
        let begin = Instant::now();
        for definition in &all {
            let class = assess(definition).class;
            if round == 0 {
                counts[Class::ALL.iter().position(|known| *known == class).unwrap_or(5)] += 1;
            }
        }
        seconds.push(begin.elapsed().as_secs_f64());
    }
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let rate = all.len() as f64 / seconds.iter().copied().fold(f64::MAX, f64::min);
    println!("\n{rate:.0} parsed definitions a second on one core, evidence included");
    let named: Vec<String> = Class::ALL
        .iter()
        .zip(counts)
        .map(|(class, count)| format!("{} {}", class.as_str(), share(count, all.len())))
        .collect();
    println!("all public definitions: {}", named.join(" · "));
    Ok(())
}
