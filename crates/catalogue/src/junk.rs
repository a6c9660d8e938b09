//! What stands where a tool's name belongs and is none.
//!
//! Lists of tools are made by programs that read source code and READMEs, and those take headings,
//! parameters and lines of code along. Only what is certainly no tool is refused: a name in prose
//! (`Get a test case by ID`) is how some servers name theirs.

use std::fmt;

use audit::visible::is_plain;

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Junk {
    /// There is none, or it is longer than any client takes.
    Length,
    /// Characters that no reader sees.
    Invisible,
    /// One dot or two: in an address they lead elsewhere.
    Dots,
    /// A placeholder that a program was to fill.
    Template,
    /// A line of source code.
    Code,
    /// A heading or markup of a document.
    Heading,
    /// An option of a command line.
    Option,
    /// A whole sentence.
    Sentence,
    /// An argument of a tool or prompt.
    Parameter,
}

impl Junk {
    /// The reason, as people read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Length => "no name, or one of more than 128 characters",
            Self::Invisible => "invisible characters in the name",
            Self::Dots => "a name of dots, which no address can hold",
            Self::Template => "template text",
            Self::Code => "a line of code",
            Self::Heading => "a heading",
            Self::Option => "an option of a command line",
            Self::Sentence => "a sentence",
            Self::Parameter => "a parameter",
        }
    }
}

impl fmt::Display for Junk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of a candidate.
#[derive(Debug, Clone, Copy, Default)]
pub struct Candidate<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is said of it.
    pub description: &'a str,
    /// Whether it has arguments of its own: then it is a tool, whatever it is called.
    pub has_schema: bool,
    /// The source file in which it was found.
    pub path: Option<&'a str>,
}

/// Headings of documents about servers.
const HEADINGS: [&str; 26] = [
    "arguments",
    "available tools",
    "configuration",
    "environment variables",
    "example",
    "examples",
    "features",
    "getting started",
    "installation",
    "license",
    "licence",
    "note",
    "notes",
    "optional parameters",
    "optional settings",
    "overview",
    "parameters",
    "prerequisites",
    "quick start",
    "required parameters",
    "required settings",
    "requirements",
    "returns",
    "setup",
    "tools",
    "usage",
];

/// The longest name that the protocol's own recommendation allows.
const LONGEST: usize = 128;

/// Words from which on a name is a sentence.
const SENTENCE: usize = 10;

/// Why a candidate is no tool; `None` when it may be one.
#[must_use]
pub fn junk(candidate: &Candidate<'_>) -> Option<Junk> {
    let name = candidate.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST {
        return Some(Junk::Length);
    }
    if !candidate.name.chars().all(is_plain) {
        return Some(Junk::Invisible);
    }
    if matches!(name, "." | "..") {
        return Some(Junk::Dots);
    }
    if ["${", "{{", "}}", "<%", "%>", "#{", "%s", "$("].iter().any(|mark| name.contains(mark)) || braced(name) {
        return Some(Junk::Template);
    }
    if name.starts_with("--") || name.starts_with('!') {
        return Some(Junk::Option);
    }
    if name.starts_with(['#', '*', '|', '<', '>']) || name.starts_with("- ") || name.ends_with(':') {
        return Some(Junk::Heading);
    }
    if code(name) {
        return Some(Junk::Code);
    }
    let words = name.split_whitespace().count();
    if words >= SENTENCE || (words >= 3 && name.ends_with(['.', '!', '?', '。'])) {
        return Some(Junk::Sentence);
    }
    if !candidate.has_schema {
        let path = candidate.path.unwrap_or_default();
        if path.split('/').any(|folder| folder == "prompts") || parameter(candidate.description) {
            return Some(Junk::Parameter);
        }
        // With a word before or behind it, or with a description of what it does, it may be a name.
        let heading = HEADINGS.contains(&name.to_lowercase().as_str());
        if heading && (words > 1 || candidate.description.trim().is_empty()) {
            return Some(Junk::Heading);
        }
    }
    None
}

/// `{name}`, as templates of several languages write it.
fn braced(name: &str) -> bool {
    name.split_once('{').is_some_and(|(_, rest)| rest.contains('}'))
}

fn code(name: &str) -> bool {
    let marks = ["=>", "->", "==", "();", "::<", "//", "/*", "\\n", "`", ";", "\"", "="];
    let words = ["import ", "const ", "let ", "var ", "def ", "function ", "return ", "async ", "export ", "class "];
    // A bracket in prose stands behind a space: `Search (beta)`.
    let call = name.find(['(', '[']).is_some_and(|at| at > 0 && !name.get(..at).unwrap_or_default().ends_with(' '));
    marks.iter().any(|mark| name.contains(mark)) || words.iter().any(|word| name.starts_with(word)) || call
}

/// Whether a description is one of an argument: a type, a default, a list of values.
fn parameter(description: &str) -> bool {
    let text = description.trim();
    let lower = text.to_lowercase();
    let types = ["string", "number", "integer", "boolean", "array", "object", "int", "float", "bool"];
    let typed = |text: &str| {
        let inner = text.trim_start_matches(['(', '*', '`', '[']);
        let Some(word) = types.iter().find(|word| inner.starts_with(**word)) else { return false };
        let rest = inner.get(word.len()..).unwrap_or_default();
        (inner.len() < text.len() || rest.starts_with([',', ')', ':'])) && rest.starts_with([',', ')', ':', '`', ']'])
    };
    let optional =
        ["optional ", "optional:", "(optional)", "(required)", "default "].iter().any(|start| lower.starts_with(start));
    let last = lower.rsplit_once("(default ").is_some_and(|(_, rest)| rest.ends_with(')') && !rest.contains(". "));
    let values = || {
        let values: Vec<&str> = lower.split('|').map(str::trim).collect();
        values.len() >= 2 && values.iter().all(|value| !value.is_empty() && !value.contains(' '))
    };
    typed(&lower) || optional || (last && text.len() < 80) || values()
}
