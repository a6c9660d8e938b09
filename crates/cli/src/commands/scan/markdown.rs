//! The report as Markdown, for summaries of builds and for pull requests.

use std::fmt::Write;

use super::report::{LEVELS, Report, category, involved};
use super::table::{DOUBTFUL, evidence, place_name, since};

/// Prints a report.
pub fn document(report: &Report) -> String {
    let mut out = String::from("## What these tools can do\n");
    for server in &report.servers {
        let name = server.server.as_deref().unwrap_or(&server.name);
        let title = if report.several() { format!("{} ({})", code(&server.name), code(name)) } else { code(name) };
        let _ = write!(out, "\n### {title}: {}\n\n", crate::commands::counted(server.tools.len(), "tool"));
        let _ = writeln!(out, "Source: {}\n", code(&server.source.text));
        if server.unreadable > 0 {
            let _ = writeln!(out, "Entries that could not be read as tools: {}\n", server.unreadable);
        }
        if server.tools.is_empty() {
            continue;
        }
        out.push_str(
            "| severity | class | tool | decided by | facets | attacks |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        for one in &server.tools {
            let doubt = if one.can.confidence < DOUBTFUL { "?" } else { "" };
            let facets: Vec<String> = one.can.facets.iter().map(|facet| code(facet.as_str())).collect();
            let attacks: Vec<String> = one.attacks.iter().map(|found| code(found.pattern.id)).collect();
            let decided = evidence(&one.can.evidence);
            let _ = writeln!(
                out,
                "| {} | {}{doubt} | {} | {} | {} | {} |",
                one.can.severity_fine.as_str(),
                category(one.can.class),
                code(&one.tool.name),
                if decided.is_empty() { String::new() } else { escaped(&decided) },
                facets.join(", "),
                attacks.join(", "),
            );
        }
    }
    findings(report, &mut out);
    chains(report, &mut out);
    wide(report, &mut out);
    changes(report, &mut out);
    for failed in &report.failed {
        let _ = write!(out, "\n**Not scanned:** {}: {}\n", code(&failed.name), code(&failed.why));
    }
    out
}

fn findings(report: &Report, out: &mut String) {
    if LEVELS.into_iter().all(|level| report.count(level) == 0) {
        return;
    }
    out.push_str(
        "\n### Findings\n\n| level | rule | tool | where | words | why |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for wanted in LEVELS {
        let mut line = |rule: &str, tools: &str, place: &str, text: &str, why: &str| {
            let (rule, place, text, why) = (code(rule), code(place), code(text), escaped(why));
            let _ = writeln!(out, "| {} | {rule} | {tools} | {place} | {text} | {why} |", wanted.as_str());
        };
        for (server, one, found) in report.findings().filter(|(_, _, found)| found.level == wanted) {
            let tool = named(report, &server.name, &one.tool.name);
            line(found.rule, &tool, &place_name(&found.place), &found.text, found.why);
        }
        for found in report.stack.iter().filter(|found| found.level == wanted) {
            let tools: Vec<String> =
                involved(found).into_iter().map(|(server, tool)| named(report, server, tool)).collect();
            line(found.rule, &tools.join(", "), "", &found.text, found.why);
        }
    }
}

fn chains(report: &Report, out: &mut String) {
    let chains = report.chains();
    if chains.is_empty() {
        return;
    }
    out.push_str("\n### What they could do together\n");
    for chain in chains {
        let _ = write!(out, "\n**{}** {}: {}\n\n", chain.severity.as_str(), code(chain.rule), chain.says);
        for link in &chain.links {
            let tools: Vec<String> = link.tools.iter().map(|(server, tool)| named(report, server, tool)).collect();
            let _ = writeln!(out, "- {}: {}", code(link.role), tools.join(", "));
        }
        let _ = write!(out, "\n{} {}\n", sentence(&chain.why), chain.remedy);
    }
}

fn wide(report: &Report, out: &mut String) {
    let found = report.wide();
    if found.is_empty() {
        return;
    }
    out.push_str("\n### What concerns the servers as a whole\n\n| severity | attack | why here | what helps |\n| --- | --- | --- | --- |\n");
    for one in found {
        let (severity, pattern) = (one.severity.as_str(), code(one.pattern));
        let _ = writeln!(out, "| {severity} | {pattern} | {} | {} |", sentence(&one.why), sentence(one.remedy));
    }
}

fn changes(report: &Report, out: &mut String) {
    for server in &report.servers {
        let Some(changes) = server.changes.as_ref().filter(|changes| !changes.tools.is_empty()) else { continue };
        let whose = if report.several() { format!(" of {}", code(&server.name)) } else { String::new() };
        let _ = write!(out, "\n### Changes{whose} since {}\n\n", since(changes));
        out.push_str("| tool | what | class before | class now |\n| --- | --- | --- | --- |\n");
        for change in &changes.tools {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                code(&change.tool),
                change.kind.as_str(),
                escaped(change.before.as_deref().unwrap_or_default()),
                escaped(change.after.as_deref().unwrap_or_default()),
            );
        }
    }
}

fn named(report: &Report, server: &str, tool: &str) -> String {
    match (report.several(), tool.is_empty()) {
        (_, true) => code(server),
        (true, false) => code(&format!("{server}/{tool}")),
        (false, false) => code(tool),
    }
}

/// Text of a server as code: a plain span where it holds nothing that Markdown reads, else HTML in
/// which every such character is an entity. Neither can end the cell, be a link or call somebody.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | ' ' | ',' | '[' | ']');
    let text = audit::visible::shown(text);
    match text.chars().all(plain) && !text.starts_with(' ') && !text.ends_with(' ') {
        true => format!("`{text}`"),
        false => format!("<code>{}</code>", escaped(&text)),
    }
}

/// A sentence of ours, in which names of tools and arguments stand between backticks, and nowhere
/// else is one.
fn sentence(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces.map(|(number, piece)| if number % 2 == 1 { code(piece) } else { escaped(piece) }).collect()
}

/// Text in which nothing is Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' ' | ',' | ';' | ':' | '.' | '/' | '(' | ')' => out.push(character),
            letter if letter.is_alphanumeric() => out.push(letter),
            // An address or a heading begins with one of these; an entity is only ever text.
            other => {
                let _ = write!(out, "&#{};", u32::from(other));
            }
        }
    }
    // Addresses are made links without any mark.
    out.replace("://", "&#58;//").replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_sentence_are_code() {
        assert_eq!(sentence("`run` runs: “a|b”."), "`run` runs: &#8220;a&#124;b&#8221;.");
        assert_eq!(sentence("`<b>` is."), "<code>&#60;b&#62;</code> is.");
    }

    #[test]
    fn no_text_leaves_its_cell() {
        assert_eq!(code("read_file"), "`read_file`");
        assert_eq!(code(""), "");
        for text in
            ["a|b", "`x`", "<img src=x>", "[a](http://e.test)", "@ann", "a\nb", "\u{202e}x", "![x](y)", "&lt;", "**b**"]
        {
            let shown = code(text);
            let inner = shown.trim_start_matches("<code>").trim_end_matches("</code>");
            assert_ne!(shown, inner, "{text}");
            for mark in ['|', '`', '<', '>', '[', ']', '@', '*', '!', '\n', '\u{202e}', '\\'] {
                assert!(!inner.contains(mark), "{text} {shown}");
            }
            assert!(!inner.contains("://"), "{shown}");
        }
    }
}
