//! What commands may do for a person at a terminal: colours, its width, a question.

use std::io::{BufRead as _, IsTerminal as _};

use crate::environment::text_variable;
use crate::failure::{Failure, Trying};
use crate::output;

/// The columns where nothing says how many there are.
const COLUMNS: usize = 100;

/// How what is printed on standard output may look.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The columns.
    pub columns: usize,
    /// Whether colours are shown. What they say, words say too.
    pub colours: bool,
}

impl Look {
    /// For whatever standard output is.
    pub fn of_output() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let asked = text_variable("COLUMNS").and_then(|columns| columns.parse().ok());
        let own = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)).filter(|_| terminal);
        let dumb = text_variable("TERM").is_some_and(|term| term == "dumb");
        let colours = terminal && !dumb && text_variable("NO_COLOR").is_none();
        Self { columns: own.or(asked).unwrap_or(COLUMNS).clamp(60, 180), colours }
    }

    /// The text in bold letters.
    pub fn bold(self, text: &str) -> String {
        self.painted("1", text)
    }

    /// The text in faint letters.
    pub fn faint(self, text: &str) -> String {
        self.painted("2", text)
    }

    /// The text in a colour, by its number.
    pub fn painted(self, code: &str, text: &str) -> String {
        if self.colours && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A difference, with what goes in red and what comes in green.
    pub fn diff(self, diff: &str) -> String {
        let line = |line: &str| match line.chars().next() {
            Some('-') => self.painted("31", line),
            Some('+') => self.painted("32", line),
            Some('@') => self.painted("36", line),
            _ => line.to_owned(),
        };
        diff.lines().map(|text| line(text) + "\n").collect()
    }
}

/// Whether somebody can be asked.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks, and says whether the answer is yes; no answer is what `by_default` says.
///
/// # Errors
/// When the answer cannot be read.
pub fn agreed(question: &str, by_default: bool) -> Result<bool, Failure> {
    output::prompt(&format!("{question} {} ", if by_default { "[Y/n]" } else { "[y/N]" }));
    let mut answer = String::new();
    // The end of the input is no answer, and agrees to nothing.
    if std::io::stdin().lock().read_line(&mut answer).trying("the answer")? == 0 {
        return Ok(false);
    }
    Ok(match answer.trim().to_ascii_lowercase().as_str() {
        "" => by_default,
        word => matches!(word, "y" | "yes"),
    })
}
