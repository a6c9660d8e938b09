//! `/badge/<server>.svg`: what was found of a server, for its readme. Never a bare grade.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::routing::get;
use maud::html;
use risk::Severity;

use super::{Shared, known};
use crate::asked::Path;
use crate::failure::Failure;
use crate::form::Form;
use crate::page::tagged;
use crate::site::Site;

/// The width of a letter of the badge, in tenths of a pixel: about that of the fonts that readers have.
const LETTER: usize = 66;

/// The address.
pub(super) fn routes(router: Router<Arc<Site>>) -> Router<Arc<Site>> {
    router.route("/badge/{file}", get(badge))
}

async fn badge(State(site): Shared, headers: HeaderMap, Path(file): Path<String>) -> Response<Body> {
    let made = async {
        let server = known(&site, file.strip_suffix(".svg").ok_or(Failure::NotFound)?).await?;
        let tools = site.catalogue.tools_of(server.id).await?;
        let of = |severity| tools.iter().filter(|tool| tool.judged.severity_fine == severity).count();
        let said = match (tools.len(), of(Severity::Critical), of(Severity::High)) {
            (0, ..) => "no tools known".to_owned(),
            (1, 0, 0) => "1 tool, not critical".to_owned(),
            (all, 0, 0) => format!("{all} tools, none critical"),
            (_, 0, high) => format!("{high} high-risk {}", tools_word(high)),
            (_, critical, _) => format!("{critical} critical {}", tools_word(critical)),
        };
        let colour = match (of(Severity::Critical), of(Severity::High)) {
            (0, 0) => "#3d6b52",
            (0, _) => "#a8440b",
            _ => "#a3122f",
        };
        Ok::<_, Failure>(svg(&format!("assessed {}", server.last_seen.strftime("%Y-%m-%d")), &said, colour))
    };
    match made.await {
        Ok(text) => tagged(&headers, "image/svg+xml", text),
        Err(failure) => failure.answer(&site, Form::Html),
    }
}

fn tools_word(count: usize) -> &'static str {
    if count == 1 { "tool" } else { "tools" }
}

/// Two fields, with the text of both for those who cannot see them.
fn svg(left: &str, right: &str, colour: &str) -> String {
    let width = |text: &str| (text.chars().count() * LETTER).div_ceil(10) + 14;
    let (first, second) = (width(left), width(right));
    let label = format!("{left}: {right}");
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(first + second) height="20" role="img" aria-label=(label) {
            title { (label) }
            rect width=(first + second) height="20" rx="4" fill="#37403c" {}
            path d={ "M" (first) " 0h" (second - 4) "a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4H" (first) "z" } fill=(colour) {}
            g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle" {
                text x=(first / 2) y="14" { (left) }
                text x=(first + second / 2) y="14" { (right) }
            }
        }
    }
    .into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badge_says_in_words_what_it_shows() {
        let badge = svg("assessed 2026-11-21", "3 critical tools", "#a3122f");
        assert!(badge.starts_with("<svg ") && badge.ends_with("</svg>"));
        assert!(badge.contains("<title>assessed 2026-11-21: 3 critical tools</title>"));
    }
}
