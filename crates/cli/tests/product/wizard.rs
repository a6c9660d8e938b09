//! `toolgate init` on a terminal: keys are pressed, and the screen is read. The terminal is tmux's.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::wait;

use crate::home::Home;
use crate::setup::EXE;

/// A terminal in which a command runs. It ends when this is dropped.
struct Screen {
    socket: PathBuf,
}

/// A terminal of so many columns, or `None` (after saying so) where there is no tmux.
fn screen(home: &Home, columns: u16, words: &str) -> anyhow::Result<Option<Screen>> {
    if Command::new("tmux").arg("-V").output().is_err() {
        eprintln!(
            "skipped: no tmux; run `cargo xtask test` as root, which installs it, or install Debian's package tmux"
        );
        return Ok(None);
    }
    let screen = Screen { socket: home.folder.path().join("tmux") };
    let path = "/usr/local/bin:/usr/bin:/bin";
    let line = format!(
        "trap : INT; cd '{}' && env -i HOME='{}' PATH={path} TERM=\"$TERM\" LANG=C.UTF-8 '{EXE}' {words}; echo \"ended with $?\"; exec cat",
        home.project().display(),
        home.path().display()
    );
    let columns = columns.to_string();
    let start = ["new-session", "-d", "-s", "w", "-x", &columns, "-y", "60", "/bin/sh", "-c", &line];
    screen.tmux(&start)?;
    Ok(Some(screen))
}

impl Screen {
    fn tmux(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new("tmux");
        command.args(["-u", "-f", "/dev/null", "-S"]).arg(&self.socket).args(words).env_remove("TMUX");
        let output = command.output()?;
        ensure!(output.status.success(), "tmux {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Everything that was written, with what has left the screen at the top.
    fn text(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-t", "w", "-S", "-500"]).unwrap_or_default()
    }

    fn shows(&self, text: &str) -> anyhow::Result<String> {
        let shown = wait::for_it(text, || self.text().contains(text));
        shown.with_context(|| self.text())?;
        Ok(self.text())
    }

    fn types(&self, text: &str) -> anyhow::Result<()> {
        self.tmux(&["send-keys", "-t", "w", "-l", text])?;
        self.tmux(&["send-keys", "-t", "w", "Enter"]).map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
    }
}

#[test]
fn questions_are_answered_and_the_file_is_wrapped() -> anyhow::Result<()> {
    for columns in [80, 120] {
        let home = Home::new()?;
        let (file, before) = home.cursor(&json!({
            "files": home.server("files", &["read_file", "delete_file", "send_email"])?,
        }))?;
        let Some(screen) = screen(&home, columns, "init")? else { return Ok(()) };
        let text = screen.shows("Start and ask them? [y/N]")?;
        ensure!(text.contains("recording-server") && !home.record("files").exists(), "{text}");
        screen.types("y")?;
        let text = screen.shows("Which policies? [observe]")?;
        ensure!(text.contains("Destructive") && text.contains("Cannot be undone"), "{text}");
        screen.types("everything")?;
        screen.shows("Type observe, balanced or locked-down")?;
        screen.types("balanced")?;
        let text = screen.shows("Write 1 file? [y/N]")?;
        ensure!(text.contains("+++ ~/.cursor/mcp.json") && std::fs::read(&file)? == before, "{text}");
        screen.types("y")?;
        let text = screen.shows("ended with 0")?;
        ensure!(text.contains("tools through the gateway") && text.contains("toolgate undo"), "{text}");
        let policy = std::fs::read(home.path().join(".config/toolgate/policies/files.json"))?;
        let policy: Value = serde_json::from_slice(&policy)?;
        ensure!(policy.get("mode") != Some(&json!("observe")), "{policy}");
        home.does(&["undo"])?;
        ensure!(std::fs::read(&file)? == before);
    }
    Ok(())
}

#[test]
fn a_no_changes_nothing() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({ "files": home.server("files", &["look"])? }))?;
    let Some(screen) = screen(&home, 80, "init")? else { return Ok(()) };
    screen.shows("Start and ask them? [y/N]")?;
    screen.types("n")?;
    // Unknown tools leave no policies to choose from; wrapping is offered all the same.
    screen.shows("Write 1 file? [y/N]")?;
    screen.types("")?;
    let text = screen.shows("ended with 1")?;
    ensure!(text.contains("nothing was changed") && !home.record("files").exists(), "{text}");
    ensure!(std::fs::read(&file)? == before);
    Ok(())
}

#[test]
fn ctrl_c_at_a_question_ends_it() -> anyhow::Result<()> {
    let home = Home::new()?;
    let (file, before) = home.cursor(&json!({ "files": home.server("files", &["look"])? }))?;
    let Some(screen) = screen(&home, 80, "init")? else { return Ok(()) };
    screen.shows("Start and ask them? [y/N]")?;
    screen.types("y")?;
    // By now signals have been listened for, and nothing waits for them any more.
    screen.shows("Which policies? [observe]")?;
    screen.tmux(&["send-keys", "-t", "w", "C-c"])?;
    screen.shows("ended with 130")?;
    ensure!(std::fs::read(&file)? == before && !home.journal().exists());
    Ok(())
}
