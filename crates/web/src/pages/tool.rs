//! `/s/<publisher>/<server>/<tool>/`: what a tool does, why it needs a policy, and which.

mod control;
mod markdown;

use catalogue::pages::kin::Standing;
use catalogue::pages::tool::ToolPage;
use catalogue::start::shell;
use maud::{Markup, html};
use serde_json::json;

use crate::head::{Crumb, Head, Robots};
use crate::layout::{self, prose};
use crate::page::Page;
use crate::text::shown;

/// The most characters of a foreign description on the page; the definition has the rest.
const DESCRIPTION: usize = 2_000;

/// The most characters that are shown of what a server says of one argument.
const MEANING: usize = 240;

impl Page for ToolPage {
    fn head(&self) -> Head {
        let copy = self.kin.as_ref().is_some_and(|kin| kin.is == Standing::Copy);
        Head {
            title: shown(
                &format!("{}: {} {}", self.tool.name, self.tool.severity.as_str(), self.tool.class.as_str()),
                60,
            ),
            description: shown(&format!("{} {}", self.text.lead, self.server_name), 155),
            path: self.tool.path.clone(),
            robots: if self.is_thin() || copy { Robots::Follow } else { Robots::Index },
            crumbs: vec![
                Crumb::new("Catalogue", "/"),
                Crumb::new("Servers", "/servers/"),
                Crumb::new(shown(&self.server_name, 60), &self.server_path),
            ],
            graph: vec![
                json!({
                    "@type": "TechArticle",
                    "headline": shown(&self.tool.name, 100),
                    "description": self.text.lead,
                    "datePublished": self.first_seen.to_string(),
                    "dateModified": self.changed.to_string(),
                    "about": { "@type": "SoftwareSourceCode", "name": shown(&self.tool.name, 100), "version": self.digest },
                }),
                json!({
                    "@type": "FAQPage",
                    "mainEntity": self.text.questions.iter().map(|one| json!({
                        "@type": "Question",
                        "name": one.question.replace('`', ""),
                        "acceptedAnswer": { "@type": "Answer", "text": one.answer.replace('`', "") },
                    })).collect::<Vec<_>>(),
                }),
            ],
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            h1 { (layout::name(&self.tool.name)) }
            p class="lead" { (prose(&self.text.lead)) }
            ul class="chips" {
                li { (layout::severity(self.tool.severity)) }
                li { (layout::class(self.tool.class)) }
                @for facet in &self.tool.facets { li { (layout::facet(*facet)) } }
                li { span class="chip" { (confidence(self.confidence)) } }
            }
            @if let Some(own) = &self.own {
                p class="note" {
                    "A person says that this tool is " (self.tool.class.as_str()) ". By its definition alone we would say "
                    (own.class.as_str()) ", " (own.severity.as_str()) "."
                }
            }
            p class="by" {
                "A tool of " a href=(self.server_path) { (shown(&self.server_name, 80)) }
                @if let Some(publisher) = &self.publisher { " by " (shown(publisher, 60)) }
                " · definition of " (layout::day(self.changed)) " · last seen " (layout::day(self.checked))
            }
            @if !self.tool.description.trim().is_empty() {
                figure {
                    blockquote lang=[self.language] { p { (shown(&self.tool.description, DESCRIPTION)) } }
                    figcaption {
                        "What the server says of it"
                        @if let Some(language) = self.language.filter(|language| *language != "en") { ", in " (layout::language(language)) "; the rest of this page is ours" }
                        ". " a href=(self.definition_path()) { "The whole definition" }
                    }
                }
            }
            section {
                h2 id="does" { "What it does" }
                p { (prose(&self.text.what)) }
                @if !self.text.arguments.is_empty() { (self.arguments()) }
            }
            section {
                h2 id="why" { "Why it needs a policy" }
                p { (prose(&self.text.why)) }
            }
            section {
                h2 id="evidence" { "From the tool's definition" }
                @if self.text.evidence.is_empty() {
                    p { "Nothing in the definition says what the tool does, so it is unclassified: treat it as if it could do anything." }
                } @else {
                    ul class="evidence" {
                        @for piece in &self.text.evidence {
                            li { q { (piece.quote) } " " span class="small" { (prose(&piece.counts)) } }
                        }
                    }
                }
                p class="small" {
                    "Judged by the words and arguments of the definition alone, by the same program for every tool; the server's own hints may raise a class, never lower it. "
                    a href="/glossary/tool-risk-class/" { "How we decide" }
                }
            }
            @if !self.text.attacks.is_empty() {
                section {
                    h2 id="attacks" { "Attacks that fit" }
                    ul {
                        @for attack in &self.text.attacks {
                            li { a href={ "/attacks/" (attack.id) "/" } { (attack.title) } ": " (prose(&attack.why)) }
                        }
                    }
                }
            }
            (control::control(self))
            (self.related())
            @if !self.text.questions.is_empty() {
                section {
                    h2 id="questions" { "Questions" }
                    @for (number, one) in self.text.questions.iter().enumerate() {
                        details {
                            summary { (prose(&one.question)) }
                            p { (prose(&one.answer)) }
                            @if let Some(policy) = &one.policy { (control::document(&format!("answer-{number}"), policy)) }
                        }
                    }
                }
            }
            (self.past())
        }
    }

    fn markdown(&self) -> String {
        markdown::markdown(self)
    }
}

/// Sections of the page.
trait Sections {
    fn arguments(&self) -> Markup;
    fn related(&self) -> Markup;
    fn past(&self) -> Markup;
}

impl Sections for ToolPage {
    fn arguments(&self) -> Markup {
        html! {
            div class="wide" tabindex="0" role="region" aria-label="Arguments" {
                table {
                    caption { "Arguments" @if self.text.more_arguments > 0 { ", without " (self.text.more_arguments) " more that the definition has" } }
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Takes" } th scope="col" { "What to watch" } } }
                    tbody {
                        @for argument in &self.text.arguments {
                            tr class=[argument.note.as_ref().map(|_| "risky")] {
                                th scope="row" { (layout::name(&argument.path)) }
                                td {
                                    (argument.takes) @if argument.required { span class="small" { ", required" } }
                                    @if !argument.values.is_empty() {
                                        p class="small" {
                                            @for (index, value) in argument.values.iter().enumerate() { @if index > 0 { ", " } code { (shown(value, 40)) } }
                                            @if argument.more_values > 0 { " and " (argument.more_values) " more" }
                                        }
                                    }
                                    @if !argument.foreign.is_empty() { p class="small" lang=[self.language] { q { (shown(&argument.foreign, MEANING)) } } }
                                }
                                td { @if let Some(note) = &argument.note { span aria-hidden="true" { "▲ " } (prose(note)) } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn related(&self) -> Markup {
        html! {
            @if !self.related.is_empty() {
                section {
                    h2 id="related" { "Related tools" }
                    ul {
                        @for other in &self.related {
                            li { a href=(other.tool.path) { code { (shown(&other.tool.name, 80)) } } " " (layout::severity(other.tool.severity)) " " (prose(&other.why)) }
                        }
                    }
                    p { a href=(self.server_path) { "All " (self.siblings) " tools of " (shown(&self.server_name, 80)) } " · " a href={ "/stack/?s=" (self.slug) } { "Add the rest of your stack" } }
                }
            }
        }
    }

    fn past(&self) -> Markup {
        html! {
            section {
                h2 id="history" { "History" }
                dl class="facts" {
                    dt { "First seen" } dd { (layout::day(self.first_seen)) }
                    dt { "Definition" } dd { code { "sha256:" (self.digest.get(..16).unwrap_or_default()) "…" } " since " (layout::day(self.changed)) }
                    @for before in &self.history {
                        dt { "Until " (layout::day(before.until)) } dd { code { "sha256:" (before.digest.get(..16).unwrap_or_default()) "…" } ", " (before.class.as_str()) }
                    }
                }
                p class="small" {
                    "Something wrong? "
                    code { "toolgate catalogue override " (shell(&format!("{}/{}", self.slug, self.tool.name))) " class CLASS --reason TEXT" }
                    " says otherwise, with your name and your reason beside it."
                }
            }
        }
    }
}

/// A confidence in a word and a number.
fn confidence(confidence: f64) -> String {
    let word = match confidence {
        sure if sure >= 0.95 => "sure",
        likely if likely >= 0.8 => "fairly sure",
        _ => "unsure",
    };
    // Nobody is wholly sure.
    format!("{word}, {:.0} %", (confidence * 100.0).floor().min(99.0))
}
