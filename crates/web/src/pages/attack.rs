//! `/attacks/<id>/`: one pattern, who is exposed to it, and what breaks it.

use std::fmt::Write;

use catalogue::pages::census::Census;
use maud::{Markup, html};
use risk::patterns::{Call, Condition, Control, Exposure, Pattern, Rule, patterns};
use serde::Serialize;
use serde_json::{Value, json};
use store::catalogue::Shelf;

use super::attacks::path;
use crate::head::{Crumb, Head};
use crate::layout;
use crate::page::Page;
use crate::text::{linked, many, sentence, shown};

/// The page of a pattern.
#[derive(Debug, Serialize)]
pub(crate) struct AttackPage {
    id: &'static str,
    title: &'static str,
    group: &'static str,
    severity: &'static str,
    status: &'static str,
    summary: &'static str,
    steps: &'static [&'static str],
    /// Who is exposed, in sentences.
    exposed: Vec<String>,
    /// Tools of the catalogue that bring what the pattern needs.
    tools: Vec<Tools>,
    incidents: Vec<Value>,
    controls: Vec<Value>,
    remains: &'static str,
    #[serde(skip)]
    pattern: &'static Pattern,
}

/// Tools that bring something.
#[derive(Debug, Serialize)]
struct Tools {
    /// What they do: the end of a sentence that begins with `a tool that`.
    that: String,
    /// Where they are listed.
    path: String,
    /// How many there are.
    count: u32,
}

impl AttackPage {
    /// The page of a pattern over a catalogue.
    pub(crate) fn of(pattern: &'static Pattern, census: &Census) -> Self {
        let mut conditions = Vec::new();
        match &pattern.exposure {
            Exposure::Tool(condition) | Exposure::Many(_, condition) => leaves(condition, &mut conditions),
            Exposure::Together(roles) => roles.iter().for_each(|role| leaves(&role.condition, &mut conditions)),
            Exposure::SeveralServers | Exposure::Server(_) => {}
        }
        let mut tools: Vec<Tools> = Vec::new();
        for (condition, shelf) in conditions {
            let path = match shelf {
                Shelf::Class(class) => format!("/class/{}/", class.as_str()),
                Shelf::Severity(severity) => format!("/severity/{}/", severity.as_str()),
                Shelf::Facet(facet) => format!("/facet/{}/", facet.as_str()),
            };
            if tools.iter().all(|known| known.path != path) {
                tools.push(Tools { that: condition.words(), path, count: census.count(shelf) });
            }
        }
        let incident = |one: &risk::patterns::Incident| json!({ "date": one.date, "kind": one.kind.as_str(), "what": one.what, "source": one.source_url });
        let control = |control: &Control| match control {
            Control::Rule(rule) => json!({ "kind": control.kind(), "says": control.says(),
                "policy": serde_json::from_str::<Value>(rule.policy).unwrap_or_default() }),
            _ => json!({ "kind": control.kind(), "says": control.says() }),
        };
        Self {
            id: pattern.id,
            title: pattern.title,
            group: pattern.group.title(),
            severity: pattern.severity.as_str(),
            status: pattern.status().as_str(),
            summary: pattern.summary,
            steps: pattern.steps,
            exposed: exposed(&pattern.exposure),
            tools,
            incidents: pattern.incidents.iter().map(incident).collect(),
            controls: pattern.controls.iter().map(control).collect(),
            remains: pattern.remains,
            pattern,
        }
    }
}

/// What a condition needs that the catalogue has lists of.
fn leaves(condition: &'static Condition, found: &mut Vec<(&'static Condition, Shelf)>) {
    match condition {
        Condition::Class(class) => found.push((condition, Shelf::Class(*class))),
        Condition::Facet(facet) => found.push((condition, Shelf::Facet(*facet))),
        Condition::Any(all) | Condition::All(all) => all.iter().for_each(|one| leaves(one, found)),
        Condition::Takes(_) | Condition::Poisoned => {}
    }
}

fn exposed(exposure: &Exposure) -> Vec<String> {
    match exposure {
        Exposure::Tool(condition) => vec![format!("Every tool that {}.", condition.words())],
        Exposure::Together(roles) => roles
            .iter()
            .map(|role| format!("{}: a tool that {}.", sentence(role.name), role.condition.words()))
            .collect(),
        Exposure::Many(least, condition) => {
            vec![format!("An agent with {least} or more tools, each of which {}.", condition.words())]
        }
        Exposure::SeveralServers => vec!["An agent with two or more servers.".to_owned()],
        Exposure::Server(words) => vec![format!("{}.", sentence(words))],
    }
}

fn call(call: &Call) -> String {
    match call.repeat {
        0 | 1 => format!("{} {}", call.tool, call.arguments),
        times => format!("{} {}, {times} times", call.tool, call.arguments),
    }
}

fn outcome(rule: &Rule) -> &'static str {
    match rule.stops.expect.as_str() {
        "hide" => "does not exist for the agent",
        "limit" => "refused, the limit is full",
        "approval" => "waits for a person",
        _ => "denied",
    }
}

/// How a control that is no rule is shown.
fn kind(control: &Control) -> &'static str {
    match control {
        Control::Rule(_) => "Rule",
        Control::Pin(_) => "Pinned definitions",
        Control::Grant(_) => "A grant of its own",
        Control::Identity(_) => "Identity",
        Control::Always(_) => "Always on",
    }
}

impl Page for AttackPage {
    fn head(&self) -> Head {
        let latest = self.pattern.incidents.iter().map(|incident| incident.date).max();
        Head {
            title: match self.title.len() {
                0..=32 => format!("{}: what stops it", self.title),
                _ => shown(self.title, 48),
            },
            description: shown(self.summary, 150),
            path: path(self.pattern),
            crumbs: vec![Crumb::new("Catalogue", "/"), Crumb::new("Attacks", "/attacks/")],
            graph: vec![json!({
                "@type": "TechArticle",
                "headline": self.title,
                "description": self.summary,
                "dateModified": latest,
                "articleSection": self.group,
                "citation": self.pattern.incidents.iter().map(|one| one.source_url).collect::<Vec<_>>(),
            })],
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        let pattern = self.pattern;
        html! {
            h1 { (self.title) }
            p { (layout::severity(pattern.severity)) " " span class="chip" { (self.status) } " " span class="chip" { (self.group) } }
            p class="lead" { (layout::prose(self.summary)) }
            section {
                h2 id="steps" { "How it works" }
                ol { @for step in self.steps { li { (layout::prose(step)) } } }
            }
            section {
                h2 id="exposed" { "Who is exposed" }
                @if let [one] = self.exposed.as_slice() { p { (layout::prose(one)) } }
                @else {
                    p { "Tools that together play these parts, on one server or several:" }
                    ul { @for one in &self.exposed { li { (layout::prose(one)) } } }
                }
                p { "They are exposed because " (layout::prose(pattern.because)) "." }
                @if !self.tools.is_empty() {
                    h3 { "Tools of the catalogue" }
                    ul { @for one in &self.tools { li { a href=(one.path) { (many(one.count, "tool", "tools")) } ": each " (layout::prose(&one.that)) } } }
                }
                p { a href="/stack/" { "See whether the servers that you run are exposed together" } "." }
            }
            @if !pattern.incidents.is_empty() {
                section {
                    h2 id="incidents" { "What has happened" }
                    ul {
                        @for one in pattern.incidents {
                            li { time datetime=(one.date) { (one.date) } ", " (one.kind.as_str()) ": " (layout::prose(one.what)) " " span class="small" { "Source: " (linked(one.source_url)) } }
                        }
                    }
                }
            }
            section {
                h2 id="controls" { "What breaks or bounds it" }
                @for (at, control) in pattern.controls.iter().enumerate() {
                    h3 { (kind(control)) }
                    p { (layout::prose(control.says())) }
                    @if let Control::Rule(rule) = control {
                        (layout::snippet(&format!("policy-{}", at + 1), rule.policy))
                        ul class="small" {
                            li { "The attack, " code { (call(&rule.stops)) } ": " (outcome(rule)) }
                            li { "Honest work, " code { (call(&rule.allows)) } ": forwarded" }
                        }
                    }
                }
            }
            section {
                h2 id="remains" { "What remains" }
                p { (layout::prose(self.remains)) }
            }
            section {
                h2 id="others" { "Of the same kind" }
                ul { @for other in patterns().filter(|other| other.group == pattern.group && other.id != pattern.id) { li { a href=(path(other)) { (other.title) } } } }
            }
        }
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "# {}\n\n{}, {}, {}\n\n{}\n\n## How it works\n\n",
            self.title, self.severity, self.status, self.group, self.summary
        );
        for (at, step) in self.steps.iter().enumerate() {
            let _ = writeln!(text, "{}. {step}", at + 1);
        }
        text.push_str("\n## Who is exposed\n\n");
        for one in &self.exposed {
            let _ = writeln!(text, "- {one}");
        }
        for one in &self.tools {
            let _ = writeln!(text, "- [{}]({}index.md): each {}", many(one.count, "tool", "tools"), one.path, one.that);
        }
        if !self.pattern.incidents.is_empty() {
            text.push_str("\n## What has happened\n\n");
            for one in self.pattern.incidents {
                let _ = writeln!(text, "- {}, {}: {} ({})", one.date, one.kind.as_str(), one.what, one.source_url);
            }
        }
        text.push_str("\n## What breaks or bounds it\n");
        for control in self.pattern.controls {
            let _ = write!(text, "\n**{}.** {}\n", kind(control), control.says());
            if let Control::Rule(rule) = control {
                let _ = write!(text, "\n```json\n{}\n```\n", rule.policy);
            }
        }
        let _ = write!(text, "\n## What remains\n\n{}\n", self.remains);
        text
    }
}
