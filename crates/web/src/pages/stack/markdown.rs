//! A stack as Markdown: the twin of its page, and the report with every tool.

use std::fmt::Write;

use catalogue::pages::stack::{Named, Stack, StackPage, Way};
use risk::recommend::Temper;

use super::Adding;
use crate::text::{many, markdown, one_line};

/// The report: all of a stack.
pub(crate) fn whole(stack: &Stack, temper: Temper) -> String {
    page(&stack.whole(temper), 0, None)
}

/// A page of a stack.
pub(super) fn page(stack: &StackPage, unknown: usize, adding: Option<&Adding>) -> String {
    let mut text = format!("# Your stack\n\n{}\n", stack.verdict);
    if unknown > 0 {
        let _ = write!(
            text,
            "\n{} not in the catalogue.\n",
            many(unknown, "server that was named is", "servers that were named are")
        );
    }
    if stack.servers_left_out > 0 || stack.tools_left_out > 0 {
        let _ = write!(
            text,
            "\nLeft out: {} beyond 24 and {} beyond 2,000.\n",
            many(stack.servers_left_out, "server", "servers"),
            many(stack.tools_left_out, "tool", "tools")
        );
    }
    if let Some(adding) = adding {
        let _ = write!(text, "\n## Which one do you mean by “{}”?\n\n", markdown(&one_line(&adding.words, 60)));
        for server in &adding.servers {
            let _ = writeln!(text, "- [{}]({}index.md)", markdown(&server.name), server.path);
        }
    }
    if stack.servers.is_empty() {
        text.push_str(
            "\nAdd servers by their slugs: `/stack/index.md?s=SLUG,SLUG`, or by words: `/stack/index.md?add=WORDS`.\n",
        );
        return text;
    }
    text.push_str("\n## Servers\n\n| server | tools | worst | tokens (estimate) |\n| --- | --- | --- | --- |\n");
    for row in &stack.servers {
        let worst = row.worst.map_or("–", risk::Severity::as_str);
        let _ = writeln!(
            text,
            "| [{}]({}index.md) | {} | {worst} | {} |",
            markdown(&row.name),
            row.path,
            row.tools,
            row.tokens
        );
    }
    let _ = write!(
        text,
        "\nIn all: {}, about {} (four bytes of canonical JSON for one).\n",
        many(stack.total, "tool", "tools"),
        many(stack.tokens, "token", "tokens")
    );
    for (name, counts) in [("class", &stack.classes), ("severity", &stack.severities), ("facet", &stack.facets)] {
        let counted: Vec<String> = counts.iter().map(|(word, count)| format!("{word} {count}")).collect();
        if !counted.is_empty() {
            let _ = write!(text, "By {name}: {}. ", counted.join(", "));
        }
    }
    text.push_str("\n\n## From server to server\n\n");
    if stack.flows.is_empty() {
        text.push_str("No attack that we know needs tools of several of these servers.\n");
    }
    for flow in &stack.flows {
        let _ = write!(
            text,
            "### [{}](/attacks/{}/index.md) ({})\n\n{}\n\n",
            flow.title,
            flow.pattern,
            flow.severity.as_str(),
            flow.says
        );
        for (number, step) in (1..).zip(&flow.steps) {
            let _ = writeln!(text, "{number}. {}", step.does);
            for who in &step.servers {
                let tools: Vec<String> = who.tools.iter().map(named).collect();
                let more = if who.more > 0 { format!(" and {} more", who.more) } else { String::new() };
                let _ = writeln!(text, "   - {}: {}{more}", markdown(&who.server), tools.join(", "));
            }
        }
        let _ = write!(text, "\nWhat helps: {}\n\n", flow.remedy);
    }
    text.push_str("\n## Everything agents could call\n\n| tool | server | severity | class | rule |\n| --- | --- | --- | --- | --- |\n");
    for row in &stack.tools {
        let tool = &row.tool;
        let _ = writeln!(
            text,
            "| [{}]({}index.md) | {} | {} | {} | {} |",
            markdown(&tool.name),
            tool.path,
            markdown(&tool.server),
            tool.severity.as_str(),
            tool.class.as_str(),
            row.rule
        );
    }
    if stack.tools.len() < stack.total {
        let _ = write!(text, "\nPage {} of the tools; the report has all.\n", stack.page);
    }
    if !stack.alike.is_empty() {
        text.push_str("\n## Names and texts that get in each other's way\n\n");
        for one in &stack.alike {
            let tool = |tool: &Option<Named>| tool.as_ref().map(|tool| format!("/{}", named(tool))).unwrap_or_default();
            let _ = writeln!(
                text,
                "- {}: {}{} and {}{}. {}",
                one.level.as_str(),
                markdown(&one.server),
                tool(&one.tool),
                markdown(&one.other_server),
                tool(&one.other_tool),
                one.why
            );
        }
    }
    let _ = write!(
        text,
        "\n## Policies ({})\n\n- [toolgate.toml](/stack/{}/toolgate.toml?s={})\n",
        stack.temper, stack.temper, stack.query
    );
    for row in &stack.servers {
        let _ = write!(text, "- [{}.json](/stack/{}/{}.json?s={})", row.id, stack.temper, row.id, stack.query);
        if let Way::Unknown { why } = &row.way {
            let _ = write!(text, ": {why}");
        }
        text.push('\n');
    }
    // What foreign names may hold ends no fence: the file has them in comments alone, one line each.
    let _ = write!(
        text,
        "\n````toml\n{}````\n\n```\ntoolgate server accept --config toolgate.toml\ntoolgate serve --config toolgate.toml\n```\n",
        stack.config
    );
    text
}

fn named(tool: &Named) -> String {
    format!("[{}]({}index.md)", markdown(&tool.name), tool.path)
}
