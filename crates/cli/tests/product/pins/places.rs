//! Where pins are kept when they cannot be kept beside the policy.

use anyhow::Context;
use serde_json::json;
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;
use testkit::wait;

use super::{charge, in_front_of, read, relist, said};

#[test]
fn what_was_put_aside_moves_when_it_can() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([charge("Charge a card.")]))?;
    let setup = in_front_of(&upstream)?;
    let place = setup.folder().join("later");
    let lock = place.join("toolgate.lock");
    let lock_word = lock.to_str().context("text")?.to_owned();
    let toolgate = setup.options(["--lock", &lock_word]).serve()?;
    let client = toolgate.legacy()?;
    assert_eq!(client.tools()?, ["charge"]);
    let aside = toolgate.setup.data_folder().join("pins");
    let aside = aside.to_str().context("text")?;
    // What was accepted is said to stand where it stands.
    toolgate.wait_stderr(&format!("its first list is accepted, 1 tool, in {aside}/"))?;
    assert_eq!(relist(&upstream, &client, [charge("Charge two cards.")])?, Vec::<String>::new());
    toolgate.wait_stderr("its definition has changed")?;
    let accept = || toolgate.setup.ask(&["server", "accept", "local", "--all", "--lock", &lock_word]);
    let accepted = accept()?;
    assert!(accepted.status.success(), "{}", said(&accepted));
    assert!(said(&accepted).contains(&format!("accepted 1 definition in {aside}/")), "{}", said(&accepted));
    wait::for_it("the tool to be callable", || {
        client.call("charge", json!({})).is_ok_and(|outcome| outcome.is_done())
    })?;
    // With the next word what was put aside moves beside the policy, also when nothing waits.
    std::fs::create_dir(&place)?;
    let accepted = accept()?;
    assert!(accepted.status.success(), "{}", said(&accepted));
    assert!(said(&accepted).contains(&format!("before stands in {lock_word} now")), "{}", said(&accepted));
    assert!(read(&lock)?.contains("Charge two cards."));
    assert_eq!(relist(&upstream, &client, [charge("Charge three cards.")])?, Vec::<String>::new());
    wait::for_it("the held definition to be known", || {
        toolgate.stderr().matches("its definition has changed").count() == 2
    })?;
    let accepted = accept()?;
    assert!(said(&accepted).contains(&format!("accepted 1 definition in {lock_word}: charge;")), "{}", said(&accepted));
    assert!(read(&lock)?.contains("Charge three cards."));
    for entry in std::fs::read_dir(aside)? {
        let text = read(&entry?.path())?;
        assert!(!text.contains("Charge"), "nothing is left aside: {text}");
    }
    wait::for_it("the tool to be callable", || client.call("charge", json!({})).is_ok_and(|outcome| outcome.is_done()))
}

#[test]
fn what_cannot_be_kept_anywhere_is_not_callable() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([charge("Charge a card."), Tool::named("echo")]))?;
    let setup = in_front_of(&upstream)?;
    let lock = setup.folder().join("none/toolgate.lock");
    std::fs::create_dir(setup.data_folder())?;
    let pins = setup.data_folder().join("pins");
    std::os::unix::fs::symlink(setup.folder().join("nowhere"), &pins)?;
    let toolgate = setup.options(["--lock", lock.to_str().context("text")?]).serve()?;
    let client = toolgate.legacy()?;
    assert_eq!(client.tools()?, Vec::<String>::new());
    toolgate.wait_stderr("nothing of it can be called until that is put right")?;
    for tool in ["charge", "echo", "charge"] {
        let outcome = client.call(tool, json!({}))?;
        assert!(outcome.is_denied(), "{outcome:?}");
    }
    assert_eq!(client.tools()?, Vec::<String>::new());
    assert_eq!(upstream.called(), Vec::<String>::new());
    let said = toolgate.stderr();
    assert_eq!(said.matches("until that is put right").count(), 1, "said once: {said}");
    assert!(said.contains("none/toolgate.lock") && said.contains("data/pins"), "{said}");
    // Who has listed nothing is told when there is something.
    let mut stream = client.listen(None)?;
    assert_eq!(stream.head(wait::PATIENCE)?.status(), Some(200));
    std::fs::remove_file(&pins)?;
    assert!(client.call("echo", json!({}))?.is_done());
    assert_eq!(stream.next(wait::PATIENCE)?["method"], "notifications/tools/list_changed");
    assert_eq!(client.tools()?, ["charge", "echo"]);
    Ok(())
}
