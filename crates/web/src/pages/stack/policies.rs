//! Policies for a stack, how they are put to use, and what else can be taken away.

use catalogue::pages::stack::{ServerRow, StackPage, Way};
use maud::{Markup, html};

use super::super::server::TEMPERS;
use super::tempered;
use crate::layout;
use crate::text::shown;

/// The policy of each server and of the whole.
pub(super) fn policies(stack: &StackPage) -> Markup {
    let does = TEMPERS.iter().find(|(temper, ..)| *temper == stack.temper).map_or("", |(.., does)| does);
    let file = |name: &str| format!("/stack/{}/{name}?s={}", stack.temper, stack.query);
    html! {
        section {
            h2 id="policy" { "Policies for all of it" }
            ul class="chips" {
                @for (temper, name, _) in TEMPERS {
                    li {
                        @if temper == stack.temper { span class="chip" aria-current="true" { (name) } }
                        @else { a class="chip" href={ (tempered(stack, temper)) "#policy" } { (name) } }
                    }
                }
            }
            p { (does) " What no rule names is denied, tools that a server gains later too." }
            ol {
                li {
                    "Save these files in one folder:"
                    ul {
                        li { a href=(file("toolgate.toml")) download="toolgate.toml" { "toolgate.toml" } ", the whole stack" }
                        @for row in &stack.servers {
                            @let name = format!("{}.json", row.id);
                            li { a href=(file(&name)) download=(name) { (name) } ", the policy for " (shown(&row.name, 60)) (unreached(row)) }
                        }
                    }
                }
                li { "Look at the definitions and accept them; nothing is callable before:" (layout::snippet("accept", "toolgate server accept --config toolgate.toml")) }
                li { "Serve the stack:" (layout::snippet("serve", "toolgate serve --config toolgate.toml")) }
                li { "In your agents' configuration, replace each server by " code { "http://127.0.0.1:8040/mcp/NAME/" } ". See every decision: " code { "toolgate logs" } }
            }
            details { summary { "toolgate.toml" } (layout::snippet("config-file", &stack.config)) }
        }
    }
}

/// What is to be filled in before a server can be used.
fn unreached(row: &ServerRow) -> Markup {
    html! {
        @if let Way::Unknown { why } = &row.way { span class="small" { " – " (why) " Say in toolgate.toml how it is reached." } }
    }
}

/// The stack as files.
pub(super) fn exports(stack: &StackPage) -> Markup {
    let of = |name: &str| format!("/stack/{name}?s={}", stack.query);
    html! {
        section {
            h2 id="export" { "Take it with you" }
            ul {
                li { a href={ (of("report.md")) "&policy=" (stack.temper) } { "Report" } ", Markdown: all of this page, with every tool" }
                li { a href=(of("sbom.cdx.json")) { "Inventory" } ", CycloneDX 1.6: servers as services, packages as components" }
                li { a href=(of("findings.sarif")) { "Findings" } ", SARIF 2.1.0, for code scanning" }
            }
        }
    }
}
