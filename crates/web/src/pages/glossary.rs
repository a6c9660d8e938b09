//! `/glossary/` and `/glossary/<term>/`: what words mean here.

use std::fmt::Write;

use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;

use crate::head::{Crumb, Head};
use crate::layout;
use crate::page::Page;
use crate::texts::{TERMS, Term};

/// The list of words.
#[derive(Debug, Serialize)]
pub(crate) struct Glossary {
    terms: Vec<&'static Term>,
}

/// One word.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct TermPage(pub(crate) &'static Term);

impl Glossary {
    /// All of them, by their titles.
    pub(crate) fn all() -> Self {
        let mut terms: Vec<&'static Term> = TERMS.iter().collect();
        terms.sort_by_key(|term| term.title.to_lowercase());
        Self { terms }
    }
}

fn path(term: &Term) -> String {
    format!("/glossary/{}/", term.word)
}

impl Page for Glossary {
    fn head(&self) -> Head {
        Head {
            title: "Glossary of agent and tool security".to_owned(),
            description: "What words mean here: risk class, severity, facet, evidence, policy, grant, pinning, tool poisoning, prompt injection and more.".to_owned(),
            path: "/glossary/".to_owned(),
            crumbs: vec![Crumb::new("Catalogue", "/")],
            graph: vec![json!({
                "@type": "DefinedTermSet",
                "name": "Glossary",
                "hasDefinedTerm": self.terms.iter().map(|term|
                    json!({ "@type": "DefinedTerm", "name": term.title, "description": term.gist, "url": path(term) }))
                    .collect::<Vec<_>>(),
            })],
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            h1 { "Glossary" }
            p class="lead" { "What words mean on these pages, why they matter, and what Toolgate does about them." }
            dl class="terms" {
                @for term in &self.terms {
                    div {
                        dt { a href=(path(term)) { (term.title) } }
                        dd { (layout::prose(&term.gist)) }
                    }
                }
            }
        }
    }

    fn markdown(&self) -> String {
        let mut text = "# Glossary\n\n".to_owned();
        for term in &self.terms {
            let _ = writeln!(text, "- [{}]({}index.md): {}", term.title, path(term), term.gist);
        }
        text
    }
}

impl TermPage {
    fn see(&self) -> impl Iterator<Item = &'static Term> {
        let term = self.0;
        term.see.iter().filter_map(|word| TERMS.iter().find(|other| other.word == *word))
    }
}

impl Page for TermPage {
    fn head(&self) -> Head {
        let term = self.0;
        Head {
            title: format!("What is {}?", term.title),
            description: term.gist.clone(),
            path: path(term),
            crumbs: vec![Crumb::new("Catalogue", "/"), Crumb::new("Glossary", "/glossary/")],
            graph: vec![
                json!({ "@type": "DefinedTerm", "name": term.title, "description": term.gist, "inDefinedTermSet": "/glossary/" }),
            ],
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        let term = self.0;
        html! {
            h1 { (term.title) }
            p class="lead" { (layout::prose(&term.means)) }
            section { h2 id="matters" { "Why it matters" } p { (layout::prose(&term.matters)) } }
            section { h2 id="here" { "How Toolgate treats it" } p { (layout::prose(&term.here)) } }
            section {
                h2 id="see" { "See also" }
                ul {
                    @for (path, name) in &term.links { li { a href=(path) { (name) } } }
                    @for other in self.see() { li { a href=(path(other)) { (other.title) } ": " (layout::prose(&other.gist)) } }
                }
            }
        }
    }

    fn markdown(&self) -> String {
        let term = self.0;
        let mut text = format!(
            "# {}\n\n{}\n\n## Why it matters\n\n{}\n\n## How Toolgate treats it\n\n{}\n\n## See also\n\n",
            term.title, term.means, term.matters, term.here
        );
        for (path, name) in &term.links {
            let _ = writeln!(text, "- [{name}]({path}index.md)");
        }
        for other in self.see() {
            let _ = writeln!(text, "- [{}]({}index.md): {}", other.title, path(other), other.gist);
        }
        text
    }
}
