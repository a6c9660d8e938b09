//! How to control a tool: policies that our engine has checked, calls that each lets pass and stops, and what the
//! agent reads.

use catalogue::pages::tool::ToolPage;
use maud::{Markup, html};
use risk::prose::{Sample, Variant, VariantKind};
use serde_json::Value;

use crate::json;
use crate::layout::{self, prose};
use crate::text::shown;

/// The section.
pub(super) fn control(page: &ToolPage) -> Markup {
    html! {
        section {
            h2 id="control" { "How to control it" }
            @if page.text.variants.is_empty() {
                p { "No policy can name this tool: its name reads as a pattern. Under a policy that denies by default it stays denied." }
            }
            @for variant in &page.text.variants {
                @if variant.kind == VariantKind::Patch { (recommended(variant)) (samples(&page.text.samples)) }
                @else {
                    details {
                        summary { (name(variant.kind)) }
                        (clauses(variant))
                        (document(&format!("policy-{}", id(variant.kind)), &variant.document))
                    }
                }
            }
            p { "For all tools of the server at once: " a href={ (page.server_path) "#policy" } { "a policy in three tempers" } "." }
            @if !page.text.variants.is_empty() { (steps()) }
            @if !page.text.agent_sees.is_empty() {
                h3 id="agent" { "What the agent reads" }
                dl {
                    @for text in &page.text.agent_sees {
                        dt { (prose(&text.when)) }
                        dd { blockquote { p { (shown(&text.text, 600)) } } }
                    }
                }
            }
        }
    }
}

fn recommended(variant: &Variant) -> Markup {
    html! {
        p { (prose(&variant.note)) }
        (document("policy-patch", &variant.document))
        (clauses(variant))
        @if !variant.replace.is_empty() {
            div class="note" { @for value in &variant.replace { p { (prose(value)) } } }
        }
    }
}

fn clauses(variant: &Variant) -> Markup {
    html! {
        @if variant.kind != VariantKind::Patch { p { (prose(&variant.note)) } }
        @if !variant.clauses.is_empty() {
            ul { @for clause in &variant.clauses { li { (prose(&clause.why)) } } }
        }
    }
}

/// A policy, to be copied.
pub(super) fn document(id: &str, policy: &Value) -> Markup {
    layout::snippet(id, &json::lines(policy))
}

fn samples(samples: &[Sample]) -> Markup {
    html! {
        @if !samples.is_empty() {
            div class="wide" tabindex="0" role="region" aria-label="What the rule makes of calls" {
                table {
                    caption { "What this rule makes of calls, as our engine decided them" }
                    thead { tr { th scope="col" { "Call" } th scope="col" { "Arguments" } th scope="col" { "Verdict" } } }
                    tbody {
                        @for sample in samples {
                            tr {
                                th scope="row" { (prose(&sample.shows)) @if sample.calls > 1 { span class="small" { ", " (sample.calls) " times a minute" } } }
                                td { code { (shown(&sample.arguments.to_string(), 300)) } }
                                td { (verdict(sample.verdict)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A verdict: a sign and a word.
fn verdict(verdict: &str) -> Markup {
    let (sign, class, word) = match verdict {
        "allow" => ("✓", "chip low", "allowed"),
        "approval" => ("…", "chip medium", "waits for a person"),
        "limit" => ("✕", "chip high", "over the limit"),
        "hide" => ("✕", "chip critical", "does not exist"),
        _ => ("✕", "chip critical", "denied"),
    };
    html! { span class=(class) { span aria-hidden="true" { (sign) } " " (word) } }
}

fn steps() -> Markup {
    html! {
        h3 id="steps" { "Three steps" }
        ol {
            li { "Save the policy as " code { "policy.json" } " and check it: " code { "toolgate policy check policy.json" } }
            li { "Put the gateway before the server in your agent's configuration: " code { "toolgate run --policy policy.json -- COMMAND" } }
            li { "See every decision: " code { "toolgate logs" } }
        }
    }
}

/// The name of a variant.
pub(super) fn name(kind: VariantKind) -> &'static str {
    match kind {
        VariantKind::Patch => "The recommended rule",
        VariantKind::Approve => "A person agrees to each call",
        VariantKind::Block => "Block it",
        VariantKind::Hide => "Hide it",
    }
}

fn id(kind: VariantKind) -> &'static str {
    match kind {
        VariantKind::Patch => "patch",
        VariantKind::Approve => "approve",
        VariantKind::Block => "block",
        VariantKind::Hide => "hide",
    }
}
