//! The page of a tool as Markdown.

use std::fmt::Write;

use catalogue::pages::tool::ToolPage;
use risk::prose::VariantKind;
use serde_json::Value;

use super::control;
use crate::json;
use crate::text::{code, markdown as plain, shown};

pub(super) fn markdown(page: &ToolPage) -> String {
    let tool = &page.tool;
    let facets: Vec<&str> = tool.facets.iter().map(|facet| facet.as_str()).collect();
    let mut text = format!(
        "# {}\n\n{}\n\n- Severity: {}\n- Class: {} ({})\n- Facets: {}\n- Server: [{}]({}index.md)\n- Definition: sha256:{}, since {}\n",
        code(&tool.name),
        page.text.lead,
        tool.severity.as_str(),
        tool.class.as_str(),
        super::confidence(page.confidence),
        if facets.is_empty() { "none".to_owned() } else { facets.join(", ") },
        plain(&page.server_name),
        page.server_path,
        page.digest,
        page.changed.strftime("%Y-%m-%d"),
    );
    if !tool.description.trim().is_empty() {
        let _ = write!(
            text,
            "\nThe server says of it (text from outside):\n\n> {}\n",
            plain(&shown(&tool.description, 2_000))
        );
    }
    let _ = write!(text, "\n## What it does\n\n{}\n", page.text.what);
    if !page.text.arguments.is_empty() {
        text.push_str("\n| argument | takes | what to watch |\n| --- | --- | --- |\n");
        for argument in &page.text.arguments {
            let required = if argument.required { ", required" } else { "" };
            let note = argument.note.as_deref().unwrap_or_default().replace('|', "\\|");
            let _ = writeln!(text, "| {} | {}{required} | {note} |", code(&argument.path), argument.takes);
        }
    }
    let _ = write!(text, "\n## Why it needs a policy\n\n{}\n", page.text.why);
    if !page.text.evidence.is_empty() {
        text.push_str("\n## From the tool's definition\n\n");
        for piece in &page.text.evidence {
            let _ = writeln!(text, "- “{}” ({}): {}", plain(&piece.quote), piece.place, piece.counts);
        }
    }
    if !page.text.attacks.is_empty() {
        text.push_str("\n## Attacks that fit\n\n");
        for attack in &page.text.attacks {
            let _ = writeln!(text, "- [{}](/attacks/{}/index.md): {}", attack.title, attack.id, attack.why);
        }
    }
    text.push_str("\n## How to control it\n");
    for variant in &page.text.variants {
        let _ =
            write!(text, "\n### {}\n\n{}\n\n{}", control::name(variant.kind), variant.note, fenced(&variant.document));
        if variant.kind == VariantKind::Patch && !page.text.samples.is_empty() {
            text.push_str("\n| call | verdict |\n| --- | --- |\n");
            for sample in &page.text.samples {
                let _ = writeln!(text, "| {} | {} |", sample.shows.replace('|', "\\|"), sample.verdict);
            }
        }
    }
    if !page.related.is_empty() {
        text.push_str("\n## Related tools\n\n");
        for other in &page.related {
            let _ = writeln!(text, "- [{}]({}index.md): {}", code(&other.tool.name), other.tool.path, other.why);
        }
    }
    for (index, one) in page.text.questions.iter().enumerate() {
        if index == 0 {
            text.push_str("\n## Questions\n");
        }
        let _ = write!(text, "\n### {}\n\n{}\n", one.question, one.answer);
        if let Some(policy) = &one.policy {
            let _ = write!(text, "\n{}", fenced(policy));
        }
    }
    text
}

fn fenced(policy: &Value) -> String {
    format!("```json\n{}\n```\n", json::lines(policy))
}
