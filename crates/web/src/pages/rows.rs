//! Tables of servers and tools, as several pages have them.

use std::fmt::Write;

use catalogue::pages::lists::ServerRow;
use catalogue::pages::summary::ToolLine;
use maud::{Markup, html};

use crate::layout;
use crate::text::{markdown, number, one_line, shown};

/// The most characters of a description in a row.
const GIST: usize = 90;

/// A table of servers.
pub(crate) fn servers(caption: &str, rows: &[ServerRow]) -> Markup {
    html! {
        div class="wide" tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { th scope="col" { "Server" } th scope="col" { "What it says of itself" } th scope="col" class="number" { "Tools" } th scope="col" { "Worst" } } }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" {
                                a href=(row.server.path) { (shown(&row.server.name, 60)) }
                                @if let Some(by) = &row.server.publisher { br; span class="by" { (shown(by, 40)) } }
                            }
                            td class="says" lang=[row.server.language.as_deref()] { (shown(row.server.description.as_deref().unwrap_or_default(), GIST)) }
                            td class="number" data-label="Tools:" title=(classes(row)) { (number(row.tools)) }
                            td { @if let Some(severity) = row.worst { (layout::level(severity)) } @else { "unknown" } }
                        }
                    }
                }
            }
        }
    }
}

/// How many tools of each class a server has, in words.
pub(crate) fn classes(row: &ServerRow) -> String {
    let words: Vec<String> = row.classes.iter().map(|(class, count)| format!("{count} {class}")).collect();
    words.join(", ")
}

/// Servers as a Markdown list.
pub(crate) fn servers_markdown(text: &mut String, rows: &[ServerRow]) {
    for row in rows {
        let counted = if row.tools == 0 { "no tools known".to_owned() } else { classes(row) };
        let _ = writeln!(
            text,
            "- [{}]({}index.md): {counted}",
            markdown(&one_line(&row.server.name, 100)),
            row.server.path
        );
    }
}

/// A table of tools.
pub(crate) fn tools(caption: &str, rows: &[ToolLine]) -> Markup {
    html! {
        div class="wide" tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { th scope="col" { "Tool" } th scope="col" { "Server" } th scope="col" { "What it says of itself" } th scope="col" { "Class" } th scope="col" { "Severity" } } }
                tbody {
                    @for tool in rows {
                        tr {
                            th scope="row" { a href=(tool.path) { (layout::name(&tool.name)) } }
                            td { (shown(&tool.server, 40)) }
                            td class="says" { (shown(&tool.description, GIST)) }
                            td { (tool.class.as_str()) }
                            td { (layout::level(tool.severity)) }
                        }
                    }
                }
            }
        }
    }
}

/// Tools as a Markdown list.
pub(crate) fn tools_markdown(text: &mut String, rows: &[ToolLine]) {
    for tool in rows {
        let _ = writeln!(
            text,
            "- [{}]({}index.md) of {}: {}, {}",
            markdown(&one_line(&tool.name, 100)),
            tool.path,
            markdown(&one_line(&tool.server, 60)),
            tool.class.as_str(),
            tool.severity.as_str()
        );
    }
}
