//! The figures as tables, and their places in docs/performance.md.

use anyhow::{Context, Result};

use super::ratios::Measured;
use super::scale::Row;
use crate::system::root;

/// Where a table stands in the documentation.
pub struct Place {
    begin: &'static str,
    end: &'static str,
}

/// The table of ratios.
pub const RATIOS: Place =
    Place { begin: "<!-- figures: cargo xtask bench --write -->\n", end: "<!-- end of figures -->\n" };

/// The table of budgets.
pub const SCALE: Place = Place { begin: "<!-- scale: cargo xtask bench --write -->\n", end: "<!-- end of scale -->\n" };

/// The table of the catalogue at scale.
pub const CATALOGUE: Place =
    Place { begin: "<!-- catalogue: cargo xtask catalogue --write -->\n", end: "<!-- end of catalogue -->\n" };

/// Puts tables into docs/performance.md.
pub fn write(tables: &[(&Place, &str)]) -> Result<()> {
    let path = root().join("docs/performance.md");
    let mut text = std::fs::read_to_string(&path)?;
    for (place, table) in tables {
        text = place.fill(&text, table)?;
    }
    std::fs::write(&path, text)?;
    Ok(())
}

impl Place {
    fn fill(&self, text: &str, table: &str) -> Result<String> {
        let missing =
            || format!("docs/performance.md has no place between {} and {}", self.begin.trim(), self.end.trim());
        let (before, rest) = text.split_once(self.begin).with_context(missing)?;
        let (_, after) = rest.split_once(self.end).with_context(missing)?;
        Ok(format!("{before}{}{table}{}{after}", self.begin, self.end))
    }
}

/// What a call costs.
pub fn ratios(all: &[Measured]) -> String {
    let floor =
        all.iter().find(|measured| measured.name == "nginx proxy_pass").map_or(1.0, |measured| measured.cpu_us_a_call);
    let direct = all.first().map_or(0.0, |measured| measured.p50_us);
    let mut table = String::from(
        "| in front of the upstream | calls | CPU a call | ratio to nginx | p50 added | p99 | resident |\n\
         | --- | --: | --: | --: | --: | --: | --: |\n",
    );
    for measured in all {
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let resident = measured.resident_kib as f64 / 1024.0;
        table.push_str(&format!(
            "| {} | {} | {:.1} µs | {:.2} | {:.0} µs | {:.0} µs | {resident:.1} MiB |\n",
            measured.name,
            measured.calls,
            measured.cpu_us_a_call,
            measured.cpu_us_a_call / floor,
            measured.p50_us - direct,
            measured.p99_us,
        ));
    }
    table
}

/// The budgets.
pub fn scale(rows: &[Row]) -> String {
    let mut table = String::from("| what | measured | goal | reached |\n| --- | --: | --: | --- |\n");
    for Row { what, measured, goal } in rows {
        let (goal, reached) = match goal {
            Some((goal, true)) => (*goal, "yes"),
            Some((goal, false)) => (*goal, "no"),
            None => ("", ""),
        };
        table.push_str(&format!("| {what} | {measured} | {goal} | {reached} |\n"));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_place() {
        let text = std::fs::read_to_string(root().join("docs/performance.md")).unwrap();
        let filled = SCALE.fill(&RATIOS.fill(&text, "one\n").unwrap(), "two\n").unwrap();
        let filled = CATALOGUE.fill(&filled, "three\n").unwrap();
        assert!(filled.contains("three\n<!-- end of catalogue -->"));
        assert!(filled.contains("one\n<!-- end of figures -->"));
        assert!(filled.contains("two\n<!-- end of scale -->"));
        assert!(SCALE.fill("nothing", "two\n").is_err());
    }
}
