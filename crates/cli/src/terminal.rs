//! What commands may do for a person at a terminal: colours, its width, a question.

use std::io::{BufRead as _, IsTerminal as _};

use clients::Secret;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use crate::environment::text_variable;
use crate::failure::{Failure, Trying};
use crate::output;
use crate::stop::Stop;

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

/// What Ctrl-C types.
const INTERRUPT: u8 = 3;

/// Asks for a secret, which is not shown while it is typed.
///
/// # Errors
/// When nobody is there, or nothing is typed.
pub fn secret(question: &str, otherwise: &str) -> Result<Secret, Failure> {
    if !can_ask() {
        return Err(Failure::Usage(format!("there is nobody at a terminal to be asked for {question}: {otherwise}")));
    }
    output::prompt(&format!("{question}: "));
    let mut line = String::new();
    let read = {
        let _silent = Silent::begin()?;
        std::io::stdin().lock().read_line(&mut line)
    };
    output::prompt("\n");
    read.trying(question)?;
    if line.contains(char::from(INTERRUPT)) {
        return Err(Failure::Stopped(Stop::Interrupt, "nothing was done".to_owned()));
    }
    match line.trim_end_matches(['\r', '\n']) {
        "" => Err(Failure::Usage(format!("{question} is empty: nothing was done"))),
        text => Ok(Secret::new(text)),
    }
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Silent(Termios);

impl Silent {
    fn begin() -> Result<Self, Failure> {
        let before = tcgetattr(std::io::stdin()).trying("the terminal")?;
        let mut silent = before.clone();
        // Ctrl-C ends the line and not the process, which would leave the terminal as it is now.
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent).trying("the terminal")?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}
