//! Findings as text in the form of rustc, and as data.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use serde::Serialize;

use super::position::{Lines, Position};
use super::{Code, Diagnostic, Severity};

/// How text is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rendering {
    /// Plain text, for files and pipes.
    #[default]
    Plain,
    /// With colours, for a terminal.
    Coloured,
}

/// Renders findings one below the other. `source_name` is shown as the file's name, `text` is what was loaded.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], source_name: &str, text: &str, rendering: Rendering) -> String {
    let renderer = match rendering {
        Rendering::Plain => Renderer::plain(),
        Rendering::Coloured => Renderer::styled(),
    }
    .decor_style(DecorStyle::Ascii);
    let mut rendered = String::new();
    for diagnostic in diagnostics {
        if !rendered.is_empty() {
            rendered.push('\n');
        }
        rendered.push_str(&renderer.render(&groups(diagnostic, source_name, text)));
        rendered.push('\n');
    }
    rendered
}

fn groups<'a>(diagnostic: &'a Diagnostic, source_name: &'a str, text: &'a str) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut snippet = Snippet::source(text).path(source_name);
    for (index, label) in diagnostic.labels.iter().enumerate() {
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(within(text, &label.range));
        snippet = snippet.annotation(if label.text.is_empty() { annotation } else { annotation.label(&*label.text) });
    }
    let mut main = level.primary_title(&*diagnostic.message).id(diagnostic.code.as_str()).element(snippet);
    for help in &diagnostic.help {
        main = main.element(Level::HELP.message(&**help));
    }
    let mut groups = vec![main];
    if let Some(fix) = &diagnostic.fix {
        groups.push(Level::HELP.secondary_title(&*fix.message).element(
            Snippet::source(text).path(source_name).patch(Patch::new(within(text, &fix.range), &*fix.replacement)),
        ));
    }
    groups
}

/// The range cut to the text and to whole characters, so that no finding can fail to be shown.
fn within(text: &str, range: &Range<usize>) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at = at.saturating_sub(1);
        }
        at
    };
    let start = floor(range.start);
    start..floor(range.end).max(start)
}

/// A place of a finding, as data.
#[derive(Debug, Serialize)]
struct Place<'a> {
    start: usize,
    end: usize,
    from: Position,
    to: Position,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
}

#[derive(Debug, Serialize)]
struct Change<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    replacement: &'a str,
    message: &'a str,
}

#[derive(Debug, Serialize)]
struct Finding<'a> {
    code: Code,
    severity: Severity,
    message: &'a str,
    places: Vec<Place<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    help: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Change<'a>>,
}

/// The same findings as data: code, severity, message, and each place with its bytes, line and column.
#[must_use]
pub fn to_json(diagnostics: &[Diagnostic], text: &str) -> serde_json::Value {
    let lines = Lines::new(text);
    let place = |range: &Range<usize>, text| {
        let (from, to) = (lines.position(range.start), lines.position(range.end));
        Place { start: range.start, end: range.end, from, to, text }
    };
    let findings: Vec<Finding<'_>> = diagnostics
        .iter()
        .map(|diagnostic| Finding {
            code: diagnostic.code,
            severity: diagnostic.severity,
            message: &diagnostic.message,
            places: diagnostic.labels.iter().map(|label| place(&label.range, &label.text)).collect(),
            help: &diagnostic.help,
            fix: diagnostic.fix.as_ref().map(|fix| Change {
                place: place(&fix.range, ""),
                replacement: &fix.replacement,
                message: &fix.message,
            }),
        })
        .collect();
    // Strings, numbers and arrays only: this cannot fail, and an empty list would be seen at once.
    serde_json::to_value(findings).unwrap_or_default()
}
