//! `toolgate server held|accept` where something is not as it should be.

use std::process::Command;

use anyhow::Context;
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;

use super::{in_front_of, read, said, server};
use crate::setup::{EXE, open, toolgate};

#[test]
fn a_server_that_is_down_holds_up_no_other() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("echo")]))?;
    let setup = toolgate()?;
    let policy = setup.file("policy.json", &open().to_string())?;
    let server = |id: &str, way: String| format!("[servers.{id}]\n{way}\npolicy = {policy:?}\n\n");
    let config = server("a-dead", "command = [\"/nonexistent/server\"]".to_owned())
        + &server("b-dead", "url = \"http://127.0.0.1:1/mcp\"".to_owned())
        + &server("one", format!("url = {:?}", upstream.url()));
    let file = setup.file("toolgate.toml", &config)?;
    let file = file.to_str().context("text")?;
    let accepted = setup.ask(&["server", "accept", "--all", "--config", file])?;
    let text = said(&accepted);
    assert_eq!(accepted.status.code(), Some(2), "{text}");
    for words in
        ["server a-dead could not be asked: ", "server b-dead could not be asked: ", "accepted 1 definition in "]
    {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(text.contains("2 servers could not be asked"), "{text}");
    let lock = read(&setup.data_folder().join("toolgate.lock"))?;
    assert!(lock.contains("[servers.one]\n\"echo\"") && !lock.contains("dead"), "{lock}");
    // A server that is named is what the command is about.
    let named = setup.ask(&["server", "accept", "b-dead", "--all", "--config", file])?;
    assert_eq!(named.status.code(), Some(2), "{}", said(&named));
    assert!(said(&named).contains("server b-dead: "), "{}", said(&named));
    Ok(())
}

/// The directory of data may be named from where the configuration lies, and be made by the first word.
#[test]
fn what_is_accepted_first_stands_in_one_place() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("echo")]))?;
    let setup = toolgate()?;
    setup.file("policy.json", &open().to_string())?;
    let server = |id: &str| format!("[servers.{id}]\nurl = {:?}\npolicy = \"policy.json\"\n", upstream.url());
    setup.file("toolgate.toml", &format!("data = \"kept\"\n{}{}", server("one"), server("two")))?;
    let ask = |words: &[&str]| {
        let mut command = Command::new(EXE);
        command
            .args(words)
            .args(["--config", "toolgate.toml"])
            .current_dir(setup.folder())
            .env_remove("TOOLGATE_DATA_DIR");
        command.output()
    };
    let nothing = said(&ask(&["server", "held"])?);
    assert!(nothing.contains("nothing was accepted yet"), "{nothing}");
    let accepted = ask(&["server", "accept", "--all"])?;
    let text = said(&accepted);
    assert!(accepted.status.success() && text.contains("accepted 2 definitions in "), "{text}");
    for other in ["cannot be written", "in the data directory", "before stands in", "kept/pins"] {
        assert!(!text.contains(other), "{other} in {text}");
    }
    let lock = read(&setup.folder().join("kept/toolgate.lock"))?;
    assert!(lock.contains("[servers.one]") && lock.contains("[servers.two]"), "{lock}");
    assert!(said(&ask(&["server", "held"])?).contains("nothing is held; accepted definitions stand in "));
    Ok(())
}

#[test]
fn a_misspelt_place_is_no_place_where_nothing_is_held() -> anyhow::Result<()> {
    let setup = toolgate()?;
    let lock = setup.folder().join("toolgat.lock");
    let policy = setup.folder().join("polcy.json");
    for (option, path) in [("--lock", &lock), ("--policy", &policy)] {
        let path = path.to_str().context("text")?;
        for command in ["held", "accept"] {
            let output = setup.ask(&["server", command, option, path])?;
            assert_eq!(output.status.code(), Some(2), "{}", said(&output));
            assert!(said(&output).contains(path), "{}", said(&output));
        }
    }
    Ok(())
}

#[test]
fn a_lock_file_that_cannot_be_read_is_an_error_though_nothing_waits() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&open())?;
    setup.file("toolgate.lock", "<<<<<<< HEAD\n[servers.local]\n=======\n>>>>>>> other\n")?;
    for words in [["held"].as_slice(), &["accept", "--all"], &["accept", "local", "charge"]] {
        let output = server(&setup, words)?;
        assert_eq!(output.status.code(), Some(2), "{words:?}: {}", said(&output));
        assert!(said(&output).contains("toolgate.lock"), "{words:?}: {}", said(&output));
    }
    Ok(())
}

#[test]
fn what_is_named_is_shown_and_accepted_by_name() -> anyhow::Result<()> {
    let tools = ["charge", "read_note", "a", "b", "c", "d", "e"].map(Tool::named);
    let upstream = Upstream::start(Script::with(tools))?;
    let setup = in_front_of(&upstream)?;
    let url = upstream.url();
    let one = server(&setup, &["accept", "local", "read_note", "--upstream", &url])?;
    let text = said(&one);
    assert!(one.status.success() && text.contains("read_note@") && !text.contains("charge"), "{text}");
    assert!(text.contains("accepted 1 definition in ") && text.contains(": read_note; running"), "{text}");
    let rest = server(&setup, &["accept", "local", "--all", "--upstream", &url])?;
    let text = said(&rest);
    assert!(text.contains("accepted 6 definitions in ") && text.contains(" and 1 more; running"), "{text}");
    Ok(())
}
