//! `toolgate server held|accept` where something is not as it should be.

use anyhow::Context;
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;

use super::{read, said};
use crate::setup::{open, toolgate};

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
