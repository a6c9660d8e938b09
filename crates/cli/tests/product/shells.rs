//! Completions as real shells load and use them, and the manual pages as `man` reads them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, ensure};

use crate::setup::EXE;

/// What the binary prints.
fn printed(words: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(EXE).args(words).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a program of the system, or gives `None`, after saying so, where it is not installed.
fn system(program: &str, arguments: &[&str], folder: &Path) -> anyhow::Result<Option<Output>> {
    let mut command = Command::new(program);
    // No person's own settings, and a terminal of known width.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
    command.env("LC_ALL", "C.UTF-8").env("TERM", "dumb").env("MANWIDTH", "100");
    match command.args(arguments).current_dir(folder).stdin(Stdio::null()).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: {program} is not installed; `cargo xtask test` as root installs it");
            Ok(None)
        }
        output => output.map(Some).context(program.to_owned()),
    }
}

/// What a program says, which must go well and say nothing on stderr.
fn said(output: &Output) -> anyhow::Result<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() && stderr.is_empty(), "{}: {stderr}", output.status);
    Ok(String::from_utf8(output.stdout.clone())?)
}

/// The words that bash offers for a command line whose last word is under the cursor.
fn bash(folder: &Path, line: &[&str]) -> anyhow::Result<Option<Vec<String>>> {
    let words: Vec<String> = line.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source ./toolgate.bash && complete -p toolgate > registered && COMP_WORDS=({}) COMP_CWORD={} && \
         _toolgate toolgate \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\" && printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        line.len() - 1,
    );
    let output = system("bash", &["--norc", "--noprofile", "-c", &script], folder)?;
    let text = output.map(|output| said(&output)).transpose()?;
    Ok(text.map(|text| text.lines().map(str::to_owned).collect()))
}

#[test]
fn bash_completes_commands_options_and_clients() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    fs::write(folder.path().join("toolgate.bash"), printed(&["completions", "bash"])?)?;
    let Some(checked) = system("bash", &["-n", "toolgate.bash"], folder.path())? else { return Ok(()) };
    assert_eq!(said(&checked)?, "");

    let offered = |line: &[&str]| anyhow::Ok(bash(folder.path(), line)?.unwrap_or_default());
    assert_eq!(offered(&["toolgate", "wr"])?, ["wrap"]);
    let registered = fs::read_to_string(folder.path().join("registered"))?;
    assert!(registered.contains("-F _toolgate") && registered.trim_end().ends_with("toolgate"), "{registered}");
    assert_eq!(offered(&["toolgate", "policy", "ex"])?, ["explain"]);
    assert_eq!(offered(&["toolgate", "completions", "fi"])?, ["fish"]);
    assert_eq!(offered(&["toolgate", "wrap", "--dry"])?, ["--dry-run"]);
    assert_eq!(offered(&["toolgate", "wrap", "curs"])?, ["cursor"]);
    Ok(())
}

#[test]
fn zsh_loads_its_script() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    fs::write(folder.path().join("_toolgate"), printed(&["completions", "zsh"])?)?;
    let script = "zcompile _toolgate && fpath=($PWD $fpath) && autoload -Uz compinit && compinit -u -d ./dump && \
                  print -- $_comps[toolgate] && autoload +X _toolgate && (( $+functions[_toolgate] )) && print loaded";
    let Some(output) = system("zsh", &["-f", "-c", script], folder.path())? else { return Ok(()) };
    assert_eq!(said(&output)?, "_toolgate\nloaded\n");
    Ok(())
}

#[test]
fn fish_completes_commands_and_clients() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    fs::write(folder.path().join("toolgate.fish"), printed(&["completions", "fish"])?)?;
    let script = "source toolgate.fish; complete -C 'toolgate wr'; complete -C 'toolgate wrap curs'; complete -C 'toolgate completions fi'";
    let Some(output) = system("fish", &["--no-config", "-c", script], folder.path())? else { return Ok(()) };
    let text = said(&output)?;
    let words: Vec<_> = text.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(words, ["wrap", "cursor", "fish"], "{text}");
    Ok(())
}

#[test]
fn powershell_gets_a_script_of_its_own() -> anyhow::Result<()> {
    let script = printed(&["completions", "powershell"])?;
    assert!(script.contains("Register-ArgumentCompleter -Native -CommandName 'toolgate'"), "{script}");
    assert!(script.contains("'toolgate;wrap'"));
    Ok(())
}

#[test]
fn every_command_has_a_manual_page_that_man_reads() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    let pages = folder.path().join("man1");
    printed(&["man", pages.to_str().context("the folder is no text")?])?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&pages)? {
        names.push(entry?.file_name().into_string().map_err(|name| anyhow::anyhow!("{name:?}"))?);
    }
    for name in ["toolgate.1", "toolgate-wrap.1", "toolgate-policy-check.1", "toolgate-catalogue-mcp.1"] {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("sandbox") || name.contains("help")), "{names:?}");

    for name in &names {
        let page = pages.join(name);
        let arguments = ["--warnings=w", "-l", page.to_str().unwrap_or_default()];
        let Some(output) = system("man", &arguments, folder.path())? else { return Ok(()) };
        let text = said(&output).with_context(|| name.clone())?;
        assert!(text.contains("EXAMPLES"), "{name}: {text}");
    }
    let page = system("man", &["-l", "man1/toolgate-policy-explain.1"], folder.path())?.context("man")?;
    let text = said(&page)?;
    // Hyphens and quotes can be copied into a shell.
    assert!(text.contains(r#"toolgate policy explain policy.json write_file '{"path": "/etc/passwd"}'"#), "{text}");
    assert!(text.contains("--class destructive --json"), "{text}");
    Ok(())
}
