//! What the wizard shows, for the terminal that it goes to.

use std::fmt::Write as _;
use std::path::Path;

use audit::visible::word;
use policy::Class;
use risk::Facet;

use super::document::CLASSES;
use super::servers::Server;
use super::verify::Checks;
use crate::args::TemperWord;
use crate::client_files::change::Planned;
use crate::client_files::outcome::{self, Outcome};
use crate::client_files::survey::Survey;
use crate::client_files::{shown as path_shown, visible};
use crate::commands::counted;
use crate::commands::scan::client_config::Way;
use crate::commands::scan::consent::line;
use crate::commands::scan::layout::{pad, paragraph, row, width, wrap};
use crate::commands::scan::report::{Report, Scanned, category};
use crate::terminal::Look;

/// The most names of one kind that are shown.
const MOST_NAMES: usize = 8;

/// The most combinations that are shown.
const MOST_CHAINS: usize = 4;

/// The widest column of names.
const WIDEST: usize = 28;

/// Nothing is to be wrapped.
pub fn nothing(survey: &Survey, home: &Path, look: Look) -> String {
    let mut out = match survey.wrapped.len() {
        0 if survey.servers == 0 && survey.broken.is_empty() => survey.nothing(true, home),
        0 => "No server was found that the gateway can stand before. `toolgate clients` lists what is here, and \
              `toolgate connect` adds a server to a client.\n"
            .to_owned(),
        1 => "The 1 server that can go through toolgate does so already: nothing to do.\n".to_owned(),
        number => format!("All {number} servers that can go through toolgate do so already: nothing to do.\n"),
    };
    out = paragraph(out.trim_end(), 0, look.columns);
    if !survey.plans.is_empty() {
        let moves = "Secrets can leave their files all the same: toolgate wrap --secrets-to-file";
        out.push_str(&paragraph(moves, 0, look.columns));
    }
    out + &not_covered(survey, home, look, survey.wrapped.is_empty())
}

/// How much there is.
pub fn headline(servers: &[Server], survey: &Survey, look: Look) -> String {
    let mut clients: Vec<&str> = servers.iter().flat_map(|one| &one.clients).map(String::as_str).collect();
    clients.sort_unstable();
    clients.dedup();
    let mut said = format!(
        "{} of {} ({})",
        counted(servers.len(), "server"),
        counted(clients.len(), "client"),
        clients.join(", ")
    );
    if !survey.wrapped.is_empty() {
        let _ = write!(said, "; {} more through toolgate already", survey.wrapped.len());
    }
    look.bold(paragraph(&said, 0, look.columns).trim_end()) + "\n"
}

/// Every command that is started, or would be where somebody is asked first, with the names of its variables.
pub fn commands(servers: &[Server], agreed: bool, look: Look) -> String {
    let used: Vec<&Server> = servers.iter().filter(|server| server.enabled).collect();
    let names = column(used.iter().map(|server| word(&server.name)));
    let rest = look.columns.saturating_sub(names + 4);
    let are = if agreed { "are" } else { "would be" };
    let said =
        format!("To list their tools, these programs {are} started and these addresses asked; no tool is called:");
    let mut out = paragraph(&said, 0, look.columns);
    for server in used {
        rows(
            &mut out,
            2,
            &[(&word(&server.name), names), (&line(&Way::of(&server.launch, server.cwd.as_deref())), rest)],
        );
    }
    out
}

/// What each server can do, and what stands out.
pub fn servers(servers: &[Server], report: &Report, survey: &Survey, home: &Path, look: Look) -> String {
    let mut out = String::from("\n");
    for server in servers {
        let scanned = server.scanned(report);
        let tools = scanned.map_or(String::new(), |scanned| format!("  {}", counted(scanned.tools.len(), "tool")));
        let _ = writeln!(
            out,
            "{}{tools}  {}",
            look.bold(&word(&server.name)),
            look.faint(&format!("({})", server.clients.join(", ")))
        );
        match scanned {
            Some(scanned) => by_class(scanned, look, &mut out),
            None => {
                let why = server.why_not(report).replace('\n', " ");
                out.push_str(&paragraph(&format!("No list of its tools: {why}."), 2, look.columns));
                if report.failed.iter().any(|failed| failed.name == server.name) {
                    out.push_str(&paragraph("It can be wrapped all the same.", 2, look.columns));
                }
            }
        }
        if let Some(line) = plain_secrets(&server.launch.plain_secrets()) {
            out.push_str(&paragraph(&format!("! {line}"), 2, look.columns));
        }
    }
    out.push_str(&not_covered(survey, home, look, true));
    stands_out(report, look, &mut out);
    out
}

/// Which secrets stand in a file as they are, in one line.
pub fn plain_secrets(names: &[String]) -> Option<String> {
    let shown: Vec<String> = names.iter().map(|name| visible(name)).collect();
    match shown.as_slice() {
        [] => None,
        [one] => Some(format!("{one} stands in the file in plain text")),
        several => Some(format!("{} stand in the file in plain text", several.join(", "))),
    }
}

fn by_class(scanned: &Scanned, look: Look, out: &mut String) {
    let widest = CLASSES.iter().map(|class| width(category(*class))).max().unwrap_or_default();
    for class in CLASSES {
        let tools: Vec<&str> =
            scanned.tools.iter().filter(|one| one.can.class == class).map(|one| one.tool.name.as_str()).collect();
        if tools.is_empty() {
            continue;
        }
        let label = format!("  {:>3} {}", tools.len(), pad(category(class), widest));
        beside(out, &label, &names(&tools), look);
    }
}

/// A label, and a text beside it on as many lines as it takes.
fn beside(out: &mut String, label: &str, text: &str, look: Look) {
    let indent = width(label) + 2;
    for (number, line) in wrap(text, look.columns.saturating_sub(indent)).iter().enumerate() {
        let before = if number == 0 { format!("{label}  ") } else { " ".repeat(indent) };
        let _ = writeln!(out, "{before}{line}");
    }
}

/// The first names, and how many more there are.
fn names(names: &[&str]) -> String {
    let mut shown: Vec<String> = names.iter().take(MOST_NAMES).map(|name| word(name)).collect();
    if names.len() > MOST_NAMES {
        shown.push(format!("and {} more", names.len() - MOST_NAMES));
    }
    shown.join(", ")
}

/// The names of the tools with a facet: of those that were judged, or of those of which nobody can say what they do.
fn with(scanned: &Scanned, facet: Facet, judged: bool) -> Vec<&str> {
    let meant = |class: Class| (class != Class::Unclassified) == judged;
    let has = scanned.tools.iter().filter(|one| one.can.facets.contains(&facet) && meant(one.can.class));
    has.map(|one| one.tool.name.as_str()).collect()
}

fn stands_out(report: &Report, look: Look, out: &mut String) {
    let named = |facet: Facet, judged: bool| {
        let of = |scanned: &Scanned| {
            let tools = with(scanned, facet, judged);
            (!tools.is_empty()).then(|| format!("{}: {}", word(&scanned.name), names(&tools)))
        };
        report.servers.iter().filter_map(of).collect::<Vec<_>>().join("; ")
    };
    // Of what cannot be judged nothing is claimed.
    let kinds = [
        ("Cannot be undone", named(Facet::Irreversible, true)),
        ("Spends money", named(Facet::SpendsMoney, true)),
        ("May be lasting", named(Facet::Irreversible, false)),
        ("May spend money", named(Facet::SpendsMoney, false)),
    ];
    let chains = report.chains();
    if report.servers.is_empty() {
        return;
    }
    out.push('\n');
    for (what, tools) in kinds.iter().filter(|(_, tools)| !tools.is_empty()) {
        let text = said(what, tools, look);
        out.push_str(&text.replacen(what, &look.painted("1;31", what), 1));
    }
    for chain in chains.iter().take(MOST_CHAINS) {
        let links: Vec<String> = chain.links.iter().map(|link| link_names(&link.tools)).collect();
        let text = said("Together", &format!("{}: {}", chain.title, links.join(" → ")), look);
        out.push_str(&text.replacen("Together", &look.painted("1;33", "Together"), 1));
    }
    if chains.len() > MOST_CHAINS {
        out.push_str(&said(
            "",
            &format!("and {} more such combinations; --json has all", chains.len() - MOST_CHAINS),
            look,
        ));
    }
    if kinds.iter().all(|(_, tools)| tools.is_empty()) && chains.is_empty() {
        out.push_str("Nothing here is known to be irreversible, to spend money or to leak in combination.\n");
    }
}

fn said(what: &str, text: &str, look: Look) -> String {
    let mut out = String::new();
    beside(&mut out, &pad(what, 16), text, look);
    out
}

/// The tools of one role, the first of them by name.
fn link_names(tools: &[(&str, &str)]) -> String {
    let shown: Vec<String> =
        tools.iter().take(2).map(|(server, tool)| format!("{}/{}", word(server), word(tool))).collect();
    let more = if tools.len() > 2 { " and more" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// The tempers to choose from.
pub fn tempers(look: Look) -> String {
    let mut out = String::from("\n");
    for (temper, what) in TEMPERS {
        rows(&mut out, 2, &[(temper, 11), (what, look.columns.saturating_sub(16))]);
    }
    out
}

const TEMPERS: [(&str, &str); 3] = [
    ("observe", "nothing is stopped; what the balanced rules would stop is recorded"),
    ("balanced", "reading is free, changes are limited, deletions and payments need a person (for now: refused)"),
    ("locked-down", "reading within bounds, changes need a person (for now: refused), what is worse does not exist"),
];

fn temper_name(temper: TemperWord) -> (&'static str, &'static str) {
    let [observe, balanced, locked_down] = TEMPERS;
    match temper {
        TemperWord::Observe => observe,
        TemperWord::Balanced => balanced,
        TemperWord::LockedDown => locked_down,
    }
}

/// The policy that each server gets.
pub fn policies(servers: &[Server], report: &Report, temper: TemperWord, home: &Path, look: Look) -> String {
    let (name, what) = temper_name(temper);
    let mut out =
        format!("\n{}\n", look.bold(paragraph(&format!("Policies: {name}, {what}"), 0, look.columns).trim_end()));
    let names = column(servers.iter().map(|server| word(&server.id)));
    let rest = look.columns.saturating_sub(names + 4);
    let mut shown = std::collections::BTreeSet::new();
    for server in servers.iter().filter(|server| shown.insert(&server.policy.path)) {
        let file = path_shown(&server.policy.path, home);
        let said = match server.policy.temper {
            None => format!(
                "{file} (there already, from an earlier server of that name: kept as it is; --new-policy makes another)"
            ),
            Some(of_it) if of_it != temper => format!("{file} (observe, as nothing is known of its tools)"),
            Some(_) if server.scanned(report).is_none() => {
                format!("{file} (no rules, as nothing is known of its tools)")
            }
            Some(_) => file,
        };
        rows(&mut out, 2, &[(&word(&server.id), names), (&said, rest)]);
    }
    out.push('\n');
    out
}

/// What was done, how it is taken back, and what comes next.
pub fn done(servers: &[Server], outcomes: &[Outcome<'_>], checks: &Checks, home: &Path, look: Look) -> String {
    let mut out = String::from("\n");
    // By the names that were said before.
    let name = |planned: &Planned| {
        let server = servers.iter().find(|server| server.is(planned));
        word(server.map_or(&planned.key, |server| &server.name))
    };
    for (number, outcome) in outcomes.iter().enumerate() {
        let head = format!("{}, {}", outcome.plan.client.name, path_shown(&outcome.plan.file.path, home));
        match &outcome.written {
            Some(Ok(true)) => {
                let _ = writeln!(out, "{}", look.bold(&head));
                let names = column(outcome.plan.planned.iter().map(name));
                for (planned, check) in checks.of(number, outcome) {
                    let rest = look.columns.saturating_sub(names + 4);
                    rows(&mut out, 2, &[(&name(planned), names), (&check.says().replace('\n', " "), rest)]);
                }
            }
            Some(Ok(false)) => {
                let _ = writeln!(out, "{head}: it is so already");
            }
            Some(Err(why)) => out.push_str(&paragraph(&format!("{head}: {}", visible(why)), 0, look.columns)),
            None => {}
        }
    }
    for line in outcome::secrets_moved(outcomes, home) {
        out.push_str(&paragraph(&line, 0, look.columns));
    }
    if outcomes.iter().any(Outcome::is_written) {
        for line in outcome::reloads(outcomes) {
            out.push_str(&paragraph(&line, 0, look.columns));
        }
        out.push('\n');
        for (what, command, says) in [
            ("Undo:", "toolgate undo", "everything as before, byte for byte"),
            ("Next:", "toolgate status", "what is called, by which policy, and what would be stopped"),
            ("", "toolgate promote", "from watching to stopping, shown before it is done"),
        ] {
            let _ = writeln!(out, "{what:<6}{}  {says}", look.bold(&format!("{command:<16}")));
        }
    }
    out
}

/// What is left alone: whole, or by number where it was said before.
fn not_covered(survey: &Survey, home: &Path, look: Look, whole: bool) -> String {
    let mut out = String::new();
    for (file, why) in &survey.broken {
        out.push_str(&paragraph(&format!("Left alone: {}: {}", path_shown(file, home), visible(why)), 0, look.columns));
    }
    for left in &survey.unmoved {
        out.push_str(&paragraph(&format!("Not moved: {}", outcome::left(left, home)), 0, look.columns));
    }
    match (survey.left.len(), whole) {
        (0, _) => {}
        (_, true) => {
            for left in &survey.left {
                out.push_str(&paragraph(&format!("Not covered: {}", outcome::left(left, home)), 0, look.columns));
            }
        }
        (number, false) => {
            let _ = writeln!(out, "Not covered: {number}; `toolgate clients` says why.");
        }
    }
    out
}

/// The width of a column of names.
fn column(names: impl Iterator<Item = String>) -> usize {
    names.map(|name| width(&name)).max().unwrap_or_default().min(WIDEST)
}

fn rows(out: &mut String, indent: usize, cells: &[(&str, usize)]) {
    for line in row(indent, cells) {
        out.push_str(&line);
        out.push('\n');
    }
}
