//! A program that prints the ring of master keys: the way to a key management service or a password manager.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use crate::ring::{BadRing, KeyRing, MAX_TEXT};

/// How long a command may take where nothing else was said.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How much of standard error is looked at, in bytes.
const MAX_STDERR: usize = 16 * 1024;

/// How much of it is repeated in messages, in characters.
const SHOWN_STDERR: usize = 500;

/// The longest word that messages repeat, in characters: keys and access tokens are longer.
const LONGEST_WORD: usize = 31;

/// The shortest word of standard output that is looked for in standard error.
const SHORTEST_SECRET: usize = 8;

/// A program, its arguments and its time limit. No shell reads them; the program is looked up in `PATH`, and inherits
/// the environment of this process.
#[derive(Clone)]
pub struct KeyCommand {
    program: OsString,
    args: Vec<OsString>,
    limit: Duration,
}

impl fmt::Debug for KeyCommand {
    // Arguments are often credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyCommand({:?}, {} arguments, {:?})", self.program, self.args.len(), self.limit)
    }
}

impl fmt::Display for KeyCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key command {:?}", self.program)
    }
}

/// Why a command gave no keys. Arguments and standard output are never repeated.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be started.
    #[error("{command} cannot be started: {error}")]
    NotStarted {
        /// The command.
        command: String,
        /// The operating system's reason.
        error: io::Error,
    },
    /// It took too long.
    #[error(
        "{command} has not ended within {} s, and was killed: it must print the keys without asking anybody{stderr}", limit.as_secs_f64()
    )]
    Late {
        /// The command.
        command: String,
        /// Its time limit.
        limit: Duration,
        /// What it said.
        stderr: Said,
    },
    /// It printed too much.
    #[error(
        "{command} has printed more than {MAX_TEXT} bytes, and was killed: it must print the keys and nothing else{stderr}"
    )]
    TooMuch {
        /// The command.
        command: String,
        /// What it said.
        stderr: Said,
    },
    /// It failed.
    #[error("{command} has failed ({status}); what it printed was not used{stderr}")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        stderr: Said,
    },
    /// What it printed is no ring.
    #[error("what {command} has printed are no keys: {why}{stderr}")]
    Ring {
        /// The command.
        command: String,
        /// What is wrong with it.
        why: BadRing,
        /// What it said.
        stderr: Said,
    },
    /// It could not be listened to.
    #[error("{command} could not be listened to: {error}")]
    Io {
        /// The command.
        command: String,
        /// The operating system's reason.
        error: io::Error,
    },
}

/// What a command wrote to standard error, without anything that may be a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said(String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("; it said nothing") } else { write!(f, "; it said: {}", self.0) }
    }
}

impl KeyCommand {
    /// A command from program and arguments; `None` where there is no program.
    pub fn new(argv: impl IntoIterator<Item = OsString>, limit: Duration) -> Option<Self> {
        let mut argv = argv.into_iter();
        let program = argv.next().filter(|program| !program.is_empty())?;
        Some(Self { program, args: argv.collect(), limit })
    }

    /// Runs it, and reads what it prints. It gets no input. It and whatever it started in its process group are killed
    /// when it is late, prints too much, or when nobody waits for it any more.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn run(&self) -> Result<KeyRing, CommandError> {
        let command = || self.to_string();
        let lost = |error| CommandError::Io { command: command(), error };
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| CommandError::NotStarted { command: command(), error })?;
        let group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
        let no_pipe = || lost(io::Error::other("it has no pipes"));
        let stdout = child.stdout.take().ok_or_else(no_pipe)?;
        let stderr = child.stderr.take().ok_or_else(no_pipe)?;

        let (mut output, mut errors) = (Captured::new(MAX_TEXT), Captured::new(MAX_STDERR));
        let ended = tokio::time::timeout(self.limit, listen(&mut child, (stdout, &mut output), (stderr, &mut errors)));
        let ended = ended.await;
        let said = said(&errors, output.bytes());
        match ended {
            Ok(Ok(status)) => {
                // Reaped: the number of the group may belong to somebody else by now.
                group.forget();
                if !status.success() {
                    return Err(CommandError::Failed { command: command(), status, stderr: said });
                }
                KeyRing::parse(output.bytes(), command()).map_err(|why| CommandError::Ring {
                    command: command(),
                    why,
                    stderr: said,
                })
            }
            Ok(Err(Deaf::TooMuch)) => Err(CommandError::TooMuch { command: command(), stderr: said }),
            Ok(Err(Deaf::Io(error))) => Err(lost(error)),
            Err(_) => Err(CommandError::Late { command: command(), limit: self.limit, stderr: said }),
        }
    }
}

/// Why listening ended before the program did.
enum Deaf {
    TooMuch,
    Io(io::Error),
}

impl From<io::Error> for Deaf {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Hears both pipes until they end, and waits for the program.
async fn listen(
    child: &mut Child,
    (stdout, output): (impl AsyncRead + Unpin, &mut Captured),
    (stderr, errors): (impl AsyncRead + Unpin, &mut Captured),
) -> Result<ExitStatus, Deaf> {
    tokio::try_join!(output.hear(stdout, Beyond::Refuse), errors.hear(stderr, Beyond::Forget))?;
    Ok(child.wait().await?)
}

/// The process group of the command. Dropped, it is killed.
struct Group(Option<Pid>);

impl Group {
    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// The beginning of what a pipe brought, in a buffer that does not grow and is wiped.
struct Captured {
    buffer: Zeroizing<Vec<u8>>,
    length: usize,
    cut: bool,
}

impl Captured {
    fn new(limit: usize) -> Self {
        Self { buffer: Zeroizing::new(vec![0; limit]), length: 0, cut: false }
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    /// Reads until the pipe ends.
    async fn hear(&mut self, mut pipe: impl AsyncRead + Unpin, beyond: Beyond) -> Result<(), Deaf> {
        let mut thrown_away = Zeroizing::new([0; 4096]);
        loop {
            let rest = self.buffer.get_mut(self.length..).unwrap_or_default();
            let full = rest.is_empty();
            let read = pipe.read(if full { thrown_away.as_mut() } else { rest }).await?;
            if read == 0 {
                return Ok(());
            }
            if !full {
                self.length += read;
                continue;
            }
            self.cut = true;
            if matches!(beyond, Beyond::Refuse) {
                return Err(Deaf::TooMuch);
            }
        }
    }
}

/// What becomes of that for which there is no room.
#[derive(Clone, Copy)]
enum Beyond {
    Refuse,
    Forget,
}

/// Standard error as it may be repeated: printable, on one line, its end, and without keys.
fn said(errors: &Captured, output: &[u8]) -> Said {
    let text = Zeroizing::new(String::from_utf8_lossy(errors.bytes()).into_owned());
    let output = Zeroizing::new(String::from_utf8_lossy(output).into_owned());
    let count = text.split_whitespace().count();
    let mut shown: Vec<&str> = Vec::with_capacity(count);
    for (index, word) in text.split_whitespace().enumerate() {
        // Where the text was cut, the last word may be the beginning of a key.
        let cut = errors.cut && index + 1 == count;
        shown.push(if cut || may_be_secret(word, &output) { "[…]" } else { word });
    }
    let shown: String = shown.join(" ").chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let beyond = shown.chars().count().saturating_sub(SHOWN_STDERR);
    Said(shown.chars().skip(beyond).collect())
}

/// Programs print what they were given or found when they fail. So words of standard output go, and long words: keys
/// and access tokens are long. Paths are long too, but a key without a digit or capital letter does not happen.
fn may_be_secret(word: &str, output: &str) -> bool {
    let path = word.contains('/') && !word.contains(|c: char| c.is_ascii_digit() || c.is_uppercase());
    let long = word.chars().count() > LONGEST_WORD && !path;
    let printed = |secret: &str| {
        (secret.len() >= SHORTEST_SECRET && word.contains(secret))
            || (word.len() >= SHORTEST_SECRET && secret.contains(word))
    };
    long || output.split_whitespace().any(printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(text: &str, cut: bool) -> Captured {
        Captured { buffer: Zeroizing::new(text.as_bytes().to_vec()), length: text.len(), cut }
    }

    #[test]
    fn what_may_be_repeated() {
        let key = "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=";
        let hex = "deadbeef000102030405060708090a0b0c0d0e0f101112131415161718191a1b";
        for (stderr, stdout, cut, shown) in [
            ("", "", false, ""),
            ("Access  denied\n", "", false, "Access denied"),
            (
                "cat: /run/credentials/toolgate.service/master: denied",
                "",
                false,
                "cat: /run/credentials/toolgate.service/master: denied",
            ),
            (&format!("+ KEY={key} run"), "", false, "+ […] run"),
            (&format!("it is \"{hex}\", ok?"), "", false, "it is […] ok?"),
            ("the pass is hunter22", "hunter22\n", false, "the pass is […]"),
            ("got <hunter22>", "id hunter22", false, "got […]"),
            ("half of it: 3q2+7wABAgME", key, false, "half of it: […]"),
            ("a no", "a no", false, "a no"),
            ("more: 3q2+7w", "", true, "more: […]"),
            ("bell\u{7} \u{1b}[31m", "", false, "bell\u{fffd} \u{fffd}[31m"),
        ] {
            assert_eq!(said(&captured(stderr, cut), stdout.as_bytes()).0, shown, "{stderr:?}");
        }
        let long = said(&captured(&"so ".repeat(1000), false), b"").0;
        assert!(long.len() <= SHOWN_STDERR && long.ends_with("so"), "{long}");
    }
}
