//! The text that Prometheus reads, format 0.0.4.

use std::fmt::{Display, Write as _};

use super::Histogram;

/// What a family of numbers is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They only grow while the process lives.
    Counter,
    /// They go up and down.
    Gauge,
    /// Counts by bounds.
    Histogram,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A name and a value of a label.
pub type Label<'a> = (&'a str, &'a str);

/// A text, family by family.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
    name: &'static str,
}

impl Exposition {
    /// What its `Content-Type` is.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Begins a family. Its samples follow.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> &mut Self {
        self.name = name;
        // Writing into a `String` cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {}\n# TYPE {name} {}", escaped(help, false), kind.as_str());
        self
    }

    /// A number of the family.
    pub fn sample(&mut self, labels: &[Label<'_>], value: impl Display) -> &mut Self {
        self.line("", labels, value)
    }

    /// A family of one number without labels.
    pub fn single(&mut self, name: &'static str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help).sample(&[], value);
    }

    /// The numbers of a histogram.
    pub fn histogram(&mut self, labels: &[Label<'_>], histogram: &Histogram) -> &mut Self {
        let (buckets, total, sum) = histogram.read();
        for (bound, count) in &buckets {
            let labels: Vec<Label<'_>> = labels.iter().copied().chain([("le", bound.as_str())]).collect();
            self.line("_bucket", &labels, count);
        }
        self.line("_sum", labels, sum).line("_count", labels, total)
    }

    fn line(&mut self, suffix: &str, labels: &[Label<'_>], value: impl Display) -> &mut Self {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (place, (name, value)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{name}=\"{}\"", escaped(value, true));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{after} {value}");
        self
    }

    /// The whole text.
    pub fn into_text(self) -> String {
        self.text
    }
}

fn escaped(text: &str, quotes: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quotes { text.replace('"', "\\\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_label_holds_cannot_end_it() {
        let mut text = Exposition::default();
        text.family("x_total", Kind::Counter, "Lines\nand \\.").sample(&[("a", "q\"\n\\"), ("b", "")], 3);
        text.single("y", Kind::Gauge, "One.", -0.5);
        let expected = "# HELP x_total Lines\\nand \\\\.\n# TYPE x_total counter\nx_total{a=\"q\\\"\\n\\\\\",b=\"\"} 3\n# HELP y One.\n# TYPE y gauge\ny -0.5\n";
        assert_eq!(text.into_text(), expected);
    }
}
