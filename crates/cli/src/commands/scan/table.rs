//! The report as a person reads it in a terminal.

use std::collections::BTreeSet;
use std::fmt::Write;

use audit::visible::{shown, word};
use risk::findings::Level;
use risk::patterns::Chain;
use risk::{Evidence, Place, Severity};

use super::changes::Changes;
use super::layout::{pad, paragraph, row, width};
use super::report::{Judged, LEVELS, Report, Scanned, category, involved};
use crate::terminal::Look;

/// Below this the class is marked as doubtful.
pub const DOUBTFUL: f32 = 0.6;

/// Below so many columns facets have none of their own.
const NARROW: usize = 76;

/// The columns of `touches_credentials`.
const LONGEST_FACET: usize = 19;

/// The most places of one rule that are listed; the rest is counted.
const MOST_PLACES: usize = 6;

/// The most tools that are named for one role of a chain.
const MOST_TOOLS: usize = 4;

impl Look {
    /// A severity in capitals.
    pub fn severity(self, severity: Severity) -> String {
        let code = match severity {
            Severity::Critical => "1;31",
            Severity::High => "1;33",
            Severity::Medium => "1;36",
            Severity::Low => "1;32",
        };
        self.painted(code, &severity.as_str().to_uppercase())
    }

    /// A level.
    pub fn level(self, level: Level) -> String {
        let code = match level {
            Level::Error => "1;31",
            Level::Warning => "1;33",
            Level::Note => "1;36",
        };
        self.painted(code, level.as_str())
    }
}

/// Prints a report.
pub fn table(report: &Report, look: Look) -> String {
    let mut out = String::new();
    for server in &report.servers {
        server_table(server, report.several(), look, &mut out);
    }
    findings(report, look, &mut out);
    together(report, look, &mut out);
    changes(report, look, &mut out);
    not_scanned(report, look, &mut out);
    summary(report, look, &mut out);
    out
}

fn server_table(server: &Scanned, several: bool, look: Look, out: &mut String) {
    let mut head = match (&server.server, several) {
        (Some(own), true) => format!("{} ({})", word(&server.name), shown(own)),
        (Some(own), false) => shown(own),
        (None, true) => word(&server.name),
        (None, false) => shown(&server.source.text),
    };
    let _ = write!(head, ": {}", crate::commands::counted(server.tools.len(), "tool"));
    if let Some(revision) = server.revision {
        let _ = write!(head, ", protocol {revision}");
    }
    out.push_str(&look.bold(paragraph(&head, 0, look.columns).trim_end()));
    out.push('\n');
    if server.server.is_some() || several {
        out.push_str(&look.faint(paragraph(&shown(&server.source.text), 0, look.columns).trim_end()));
        out.push('\n');
    }
    if server.unreadable > 0 {
        let said = format!(
            "{} of the list could not be read as tools and are not below.",
            crate::commands::counted(server.unreadable, "entry").replace("entrys", "entries")
        );
        out.push_str(&paragraph(&said, 0, look.columns));
    }
    out.push('\n');
    let cells: Vec<Cells> = server.tools.iter().map(|judged| Cells::of(judged, look.columns)).collect();
    let widths = Widths::of(&cells, look.columns);
    if !cells.is_empty() {
        let else_what = if widths.facets == 0 { "" } else { "WHAT ELSE" };
        let heads = [
            ("CLASS", widths.class),
            ("TOOL", widths.tool),
            ("DECIDED BY", widths.evidence),
            (else_what, widths.facets),
        ];
        for line in row(2, &heads) {
            out.push_str(&look.faint(&line));
            out.push('\n');
        }
    }
    let mut severity = None;
    for (judged, cells) in server.tools.iter().zip(&cells) {
        if severity.replace(judged.can.severity_fine) != Some(judged.can.severity_fine) {
            if severity.is_some() && !out.ends_with("\n\n") {
                out.push('\n');
            }
            out.push_str(&look.severity(judged.can.severity_fine));
            out.push('\n');
        }
        let columns = [
            (cells.class.as_str(), widths.class),
            (cells.tool.as_str(), widths.tool),
            (cells.evidence.as_str(), widths.evidence),
            (cells.facets.as_str(), widths.facets),
        ];
        for line in row(2, &columns) {
            out.push_str(&line);
            out.push('\n');
        }
    }
    if server.tools.iter().any(|one| one.can.confidence < DOUBTFUL) {
        out.push('\n');
        out.push_str(&look.faint("  ? less than 60 % sure of the class"));
        out.push('\n');
    }
    out.push('\n');
}

/// The cells of one tool.
struct Cells {
    class: String,
    tool: String,
    evidence: String,
    facets: String,
}

impl Cells {
    fn of(judged: &Judged, columns: usize) -> Self {
        let doubt = if judged.can.confidence < DOUBTFUL { "?" } else { "" };
        let facets: Vec<&str> = judged.can.facets.iter().map(|facet| facet.as_str()).collect();
        let (mut evidence, mut facets) = (evidence(&judged.can.evidence), facets.join(", "));
        if columns < NARROW && !facets.is_empty() {
            evidence = format!("{evidence} [{}]", std::mem::take(&mut facets));
        }
        Self {
            class: format!("{}{doubt}", category(judged.can.class)),
            tool: word(&judged.tool.name),
            evidence,
            facets,
        }
    }
}

/// What decided, by place: `name: delete; text: cannot be undone`. A word is named once, in the place
/// where it weighed most.
pub fn evidence(all: &[Evidence]) -> String {
    let mut places: Vec<(String, Vec<String>)> = Vec::new();
    let mut named = BTreeSet::new();
    for one in all {
        let argument = matches!(one.place, Place::Parameter(_));
        // One or two letters are no word to a reader, though they may weigh; an argument is what it is.
        if !argument && (one.text.is_ascii() && one.text.len() < 3 || !named.insert(one.text.to_lowercase())) {
            continue;
        }
        let place = match &one.place {
            // The words are its name.
            Place::Parameter(_) => "argument".to_owned(),
            place => place_name(place),
        };
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, texts)) => texts.push(shown(&one.text)),
            None => places.push((place, vec![shown(&one.text)])),
        }
    }
    let places: Vec<String> =
        places.into_iter().map(|(place, texts)| format!("{place}: {}", texts.join(", "))).collect();
    places.join("; ")
}

/// A place in a definition, in a word or two.
pub fn place_name(place: &Place) -> String {
    match place {
        Place::Name(..) => "name".to_owned(),
        Place::Title(..) => "title".to_owned(),
        Place::Description(..) => "text".to_owned(),
        Place::Parameter(name) => format!("argument {}", word(name)),
        Place::Value(name) => format!("value of {}", word(name)),
        Place::Annotation(hint) => (*hint).to_owned(),
    }
}

struct Widths {
    class: usize,
    tool: usize,
    evidence: usize,
    facets: usize,
}

impl Widths {
    fn of(cells: &[Cells], columns: usize) -> Self {
        let widest = |text: fn(&Cells) -> &str| cells.iter().map(|cells| width(text(cells))).max().unwrap_or_default();
        let class = widest(|cells| &cells.class).max("CLASS".len());
        // Indent and gaps take eight.
        let left = columns.saturating_sub(class + 8);
        let tool = widest(|cells| &cells.tool).min((left / 2).max(16));
        let left = left.saturating_sub(tool);
        let evidence = widest(|cells| &cells.evidence).max("DECIDED BY".len());
        let facets = match widest(|cells| &cells.facets) {
            0 => return Self { class, tool, evidence: evidence.min(left), facets: 0 },
            facets => facets.max("WHAT ELSE".len()),
        };
        // Whoever needs less leaves the rest to the other.
        let facets = facets.min((left.saturating_sub(evidence)).max(left * 2 / 5).max(LONGEST_FACET));
        Self { class, tool, facets, evidence: evidence.min(left.saturating_sub(facets)).max(8) }
    }
}

/// Findings by rule: the reason once, then every place.
fn findings(report: &Report, look: Look, out: &mut String) {
    let mut headed = false;
    for level in LEVELS {
        let mut rules: Vec<(&str, &str, Vec<String>)> = Vec::new();
        for (rule, why, place) in placed(report, level) {
            match rules.iter_mut().find(|(known, reason, _)| (*known, *reason) == (rule, why)) {
                Some((_, _, places)) => places.push(place),
                None => rules.push((rule, why, vec![place])),
            }
        }
        for (rule, why, places) in rules {
            if !std::mem::replace(&mut headed, true) {
                out.push_str(&look.bold("FINDINGS"));
                out.push('\n');
            }
            let _ = writeln!(out, "  {}  {}", look.level(level), look.bold(rule));
            out.push_str(&paragraph(why, 4, look.columns));
            for place in places.iter().take(MOST_PLACES) {
                let lines = paragraph(place, 8, look.columns);
                let _ = writeln!(out, "      - {}", lines.trim());
            }
            if places.len() > MOST_PLACES {
                let _ = writeln!(out, "      and {} more; --json has all", places.len() - MOST_PLACES);
            }
            out.push('\n');
        }
    }
}

/// Rule, reason and place of every finding at a level.
fn placed(report: &Report, level: Level) -> Vec<(&'static str, &'static str, String)> {
    let words = |text: &str| if text.is_empty() { String::new() } else { format!(": “{}”", shown(text)) };
    let of_tools = report.findings().filter(|(_, _, found)| found.level == level).map(|(server, one, found)| {
        let tool = named(report, &server.name, &one.tool.name);
        (found.rule, found.why, format!("{tool}, {}{}", place_name(&found.place), words(&found.text)))
    });
    let of_stack = report.stack.iter().filter(|found| found.level == level).map(|found| {
        let tools: Vec<String> =
            involved(found).into_iter().map(|(server, tool)| named(report, server, tool)).collect();
        (found.rule, found.why, format!("{}{}", tools.join(" and "), words(&found.text)))
    });
    of_tools.chain(of_stack).collect()
}

/// A tool's name, with its server's where there are several.
fn named(report: &Report, server: &str, tool: &str) -> String {
    match (report.several(), tool.is_empty()) {
        (_, true) => word(server),
        (true, false) => format!("{}/{}", word(server), word(tool)),
        (false, false) => word(tool),
    }
}

fn together(report: &Report, look: Look, out: &mut String) {
    let chains = report.chains();
    if chains.is_empty() {
        return;
    }
    out.push_str(&look.bold("WHAT THEY COULD DO TOGETHER"));
    out.push('\n');
    for chain in &chains {
        let _ =
            writeln!(out, "  {}  {}{}", look.severity(chain.severity), look.bold(chain.rule), across(report, chain));
        out.push_str(&paragraph(chain.says, 4, look.columns));
        let roles = chain.links.iter().map(|link| width(link.role)).max().unwrap_or_default();
        for link in &chain.links {
            let mut tools: Vec<String> =
                link.tools.iter().take(MOST_TOOLS).map(|(server, tool)| named(report, server, tool)).collect();
            if link.tools.len() > MOST_TOOLS {
                tools.push(format!("{} more", link.tools.len() - MOST_TOOLS));
            }
            let columns = look.columns.saturating_sub(roles + 10);
            for line in row(6, &[(&pad(link.role, roles), roles), (&tools.join(", "), columns)]) {
                out.push_str(&line);
                out.push('\n');
            }
        }
        out.push_str(&paragraph(chain.remedy, 4, look.columns));
        out.push('\n');
    }
}

/// Whether a chain needs several servers.
fn across(report: &Report, chain: &Chain<'_>) -> &'static str {
    match (report.several(), chain.across) {
        (true, true) => ": only because these servers stand side by side",
        _ => "",
    }
}

fn changes(report: &Report, look: Look, out: &mut String) {
    let changed = report.servers.iter().filter_map(|server| Some((server, server.changes.as_ref()?)));
    for (server, changes) in changed.filter(|(_, changes)| !changes.tools.is_empty()) {
        let whose = if report.several() { format!(" of {}", word(&server.name)) } else { String::new() };
        out.push_str(&look.bold(&format!("CHANGES{whose} since {}", since(changes))));
        out.push('\n');
        let names = changes.tools.iter().map(|change| width(&word(&change.tool))).max().unwrap_or_default();
        for change in &changes.tools {
            let class = match (&change.before, &change.after) {
                (Some(before), Some(after)) if before == after => format!("still {after}"),
                (Some(before), Some(after)) => format!("was {before}, is {after}"),
                (None, Some(after)) => after.clone(),
                (Some(before), None) => format!("was {before}"),
                (None, None) => String::new(),
            };
            let names = names.min(look.columns / 2);
            let columns = look.columns.saturating_sub(names + 16);
            let cells = [(change.kind.as_str(), 8), (&word(&change.tool), names), (&shown(&class), columns)];
            for line in row(2, &cells) {
                out.push_str(&line);
                out.push('\n');
            }
        }
        out.push('\n');
    }
}

/// The day and minute of the last scan.
pub fn since(changes: &Changes) -> String {
    changes.since.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn not_scanned(report: &Report, look: Look, out: &mut String) {
    if report.failed.is_empty() {
        return;
    }
    out.push_str(&look.painted("1;31", "NOT SCANNED"));
    out.push('\n');
    for failed in &report.failed {
        let said = format!("{}: {}", word(&failed.name), failed.why.replace('\n', " "));
        out.push_str(&paragraph(&said, 2, look.columns));
    }
    out.push('\n');
}

/// The last line: what there is in all.
fn summary(report: &Report, look: Look, out: &mut String) {
    let tools = report.judged().count();
    let mut parts = vec![crate::commands::counted(tools, "tool")];
    if report.several() {
        parts.push(crate::commands::counted(report.servers.len(), "server"));
    }
    for level in LEVELS {
        match report.count(level) {
            0 => {}
            number => parts.push(crate::commands::counted(number, level.as_str())),
        }
    }
    if report.servers.iter().all(|server| server.changes.as_ref().is_some_and(|changes| changes.tools.is_empty()))
        && let Some(changes) = report.servers.first().and_then(|server| server.changes.as_ref())
    {
        parts.push(format!("nothing has changed since {}", since(changes)));
    }
    let _ = write!(out, "{}", look.bold(paragraph(&parts.join(", "), 0, look.columns).trim_end()));
    out.push('\n');
    out.push_str(&paragraph(
        "A policy for these tools: the same command with --policy balanced > policy.json",
        0,
        look.columns,
    ));
}
