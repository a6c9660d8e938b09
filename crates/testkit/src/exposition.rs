//! The text that Prometheus reads, checked strictly: what a scraper would refuse or a linter would complain of is an error.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};

/// One number.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its name, suffix included.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// All numbers of a text.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    /// Families by name, each with its type.
    pub families: BTreeMap<String, String>,
    /// The numbers in their order.
    pub samples: Vec<Sample>,
}

impl Numbers {
    /// Reads a text in format 0.0.4.
    ///
    /// # Errors
    /// What is wrong with it, with the line.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        ensure!(text.ends_with('\n'), "the last line does not end");
        let mut numbers = Self::default();
        let mut helped: Option<String> = None;
        let mut current: Option<(String, String)> = None;
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            (|| -> anyhow::Result<()> {
                if let Some(help) = line.strip_prefix("# HELP ") {
                    let (name, help) = help.split_once(' ').context("a HELP without text")?;
                    ensure!(!help.trim().is_empty() && !help.contains('\r'), "an empty HELP");
                    helped = Some(name.to_owned());
                } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                    let (name, kind) = kind.split_once(' ').context("a TYPE without a type")?;
                    ensure!(helped.as_deref() == Some(name), "a TYPE without its HELP before it");
                    ensure!(["counter", "gauge", "histogram"].contains(&kind), "no type: {kind}");
                    conventions(name, kind)?;
                    let first = numbers.families.insert(name.to_owned(), kind.to_owned()).is_none();
                    ensure!(first, "the family stands twice");
                    current = Some((name.to_owned(), kind.to_owned()));
                } else {
                    let (family, kind) = current.as_ref().context("a number without a family")?;
                    let sample = sample(line)?;
                    let suffix = sample.name.strip_prefix(family.as_str()).context("a number of another family")?;
                    let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
                    ensure!(suffixes.contains(&suffix), "the suffix {suffix:?}");
                    ensure!(sample.labels.contains_key("le") == (suffix == "_bucket"), "le is for buckets");
                    ensure!(kind == "gauge" || sample.value >= 0.0, "a negative count");
                    ensure!(seen.insert((sample.name.clone(), sample.labels.clone())), "the number stands twice");
                    numbers.samples.push(sample);
                }
                Ok(())
            })()
            .with_context(|| line.to_owned())?;
        }
        numbers.histograms()?;
        Ok(numbers)
    }

    /// The value of the one number of a name whose labels include these.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> anyhow::Result<f64> {
        let fits = |sample: &&Sample| {
            let has = |(label, value): &(&str, &str)| sample.labels.get(*label).is_some_and(|had| had == value);
            sample.name == name && labels.iter().all(has)
        };
        let mut found = self.samples.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one.value),
            (None, _) => bail!("no {name} with {labels:?}"),
            _ => bail!("several {name} with {labels:?}"),
        }
    }

    /// Buckets rise, the last has no bound and is the count.
    fn histograms(&self) -> anyhow::Result<()> {
        for family in self.families.iter().filter(|(_, kind)| *kind == "histogram").map(|(name, _)| name) {
            let mut series: BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> = BTreeMap::new();
            for sample in self.samples.iter().filter(|sample| sample.name == format!("{family}_bucket")) {
                let mut labels = sample.labels.clone();
                let bound = labels.remove("le").context("a bucket without le")?;
                let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse()? };
                series.entry(labels).or_default().push((bound, sample.value));
            }
            for (labels, buckets) in series {
                let rising = buckets.windows(2).all(|pair| match pair {
                    [(low, few), (high, many)] => low < high && few <= many,
                    _ => true,
                });
                ensure!(rising, "{family}: buckets do not rise: {buckets:?}");
                let labels: Vec<(&str, &str)> =
                    labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let count = self.value(&format!("{family}_count"), &labels)?;
                let last = buckets.last().context("no buckets")?;
                ensure!(last.0.is_infinite() && same(last.1, count), "{family}: {last:?} and {count}");
                self.value(&format!("{family}_sum"), &labels)?;
            }
        }
        Ok(())
    }
}

fn same(one: f64, other: f64) -> bool {
    one.total_cmp(&other).is_eq()
}

/// What Prometheus asks of names.
fn conventions(name: &str, kind: &str) -> anyhow::Result<()> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    ensure!(name.bytes().all(plain) && !name.contains("__"), "the name is not in snake case");
    ensure!((kind == "counter") == name.ends_with("_total"), "_total is for counters, and all counters have it");
    ensure!(
        kind != "histogram" || name.ends_with("_seconds") || name.ends_with("_bytes"),
        "a histogram without a unit"
    );
    for bad in ["_count", "_sum", "_bucket", "_milliseconds", "_micros", "_ms", "_kb", "_percent"] {
        ensure!(!name.ends_with(bad), "the name ends with {bad}");
    }
    Ok(())
}

fn sample(line: &str) -> anyhow::Result<Sample> {
    let end = line.find(['{', ' ']).context("no value")?;
    let (name, rest) = line.split_at_checked(end).context("no name")?;
    let mut labels = BTreeMap::new();
    let value = match rest.strip_prefix('{') {
        None => rest.strip_prefix(' ').context("no value")?,
        Some(mut rest) => loop {
            let (label, after) = rest.split_once("=\"").context("a label without a value")?;
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            ensure!(!label.is_empty() && label.bytes().all(plain), "the label {label:?}");
            let (value, after) = quoted(after)?;
            ensure!(labels.insert(label.to_owned(), value).is_none(), "the label {label} stands twice");
            if let Some(value) = after.strip_prefix("} ") {
                break value;
            }
            rest = after.strip_prefix(',').context("what follows a label")?;
        },
    };
    let value = value.parse().with_context(|| format!("the value {value:?}"))?;
    Ok(Sample { name: name.to_owned(), labels, value })
}

/// A value up to its quote, and what follows.
fn quoted(text: &str) -> anyhow::Result<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return Ok((value, text.get(place + 1..).unwrap_or_default())),
            '\\' => value.push(match characters.next().context("a label that does not end")?.1 {
                'n' => '\n',
                same @ ('\\' | '"') => same,
                other => bail!("the escape \\{other}"),
            }),
            other => value.push(other),
        }
    }
    bail!("a label that does not end")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that is wrong about its own input should fail")]
mod tests {
    use super::*;

    const GOOD: &str = "# HELP a_total All.\n# TYPE a_total counter\na_total{b=\"c\\\"\",d=\"\"} 2\n# HELP t_seconds Time.\n# TYPE t_seconds histogram\nt_seconds_bucket{le=\"0.1\"} 1\nt_seconds_bucket{le=\"+Inf\"} 3\nt_seconds_sum 4.5\nt_seconds_count 3\n";

    #[test]
    fn what_is_right_is_read() {
        let numbers = Numbers::read(GOOD).unwrap();
        assert_eq!(numbers.value("a_total", &[("b", "c\"")]).unwrap(), 2.0);
        assert_eq!(numbers.value("t_seconds_sum", &[]).unwrap(), 4.5);
        assert!(numbers.value("a_total", &[("b", "x")]).is_err());
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for (from, to) in [
            ("a_total counter", "a_total gauge"),
            ("# HELP a_total All.\n", ""),
            ("a_total{b=\"c\\\"\",d=\"\"} 2\n", "a_total{b=\"c\\\"\",d=\"\"} 2\na_total{b=\"c\\\"\",d=\"\"} 3\n"),
            ("a_total{b=\"c\\\"\",d=\"\"} 2\n", "a_total{b=\"c\\x\"} 2\n"),
            ("a_total{b=\"c\\\"\",d=\"\"} 2\n", "other 2\n"),
            ("} 2\n", "} -2\n"),
            ("} 2\n", "} two\n"),
            ("le=\"+Inf\"} 3", "le=\"+Inf\"} 2"),
            ("le=\"0.1\"} 1", "le=\"0.1\"} 4"),
            ("t_seconds_sum 4.5\n", ""),
            ("t_seconds_count 3\n", "t_seconds_count 3"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            assert!(Numbers::read(&GOOD.replace(from, to)).is_err(), "{from} as {to}");
        }
    }
}
