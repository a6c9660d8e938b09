//! Sessions that nobody ends: they keep nobody out.

use anyhow::ensure;
use serde_json::json;
use testkit::client::McpHttp;
use testkit::message::{LEGACY, call};
use testkit::toolgate::{TOKEN, Toolgate};
use testkit::wait::{self, PATIENCE};

use crate::setup::{before, open, program, shell, toolgate};

/// Programs that one grant may have.
const PROGRAMS: usize = 64;

/// A session of its own program.
fn session(toolgate: &Toolgate) -> anyhow::Result<McpHttp> {
    let client = McpHttp::new(toolgate.url(), Some(TOKEN))?;
    client.initialize(LEGACY)?;
    Ok(client)
}

#[test]
fn the_session_that_nobody_has_used_for_longest_gives_way() -> anyhow::Result<()> {
    let script = program(&["echo", "hang"], r#"*'"hang"'*) ;;"#);
    let toolgate = before(toolgate()?, &open(), &shell(&script))?.serve()?;
    // The three oldest: one with a stream, one with a call under way, one that nobody uses.
    let (listening, calling, unused) = (session(&toolgate)?, session(&toolgate)?, session(&toolgate)?);
    let mut stream = listening.listen(None)?;
    ensure!(stream.head(PATIENCE)?.status() == Some(200));
    let hanging = calling.open(&call(7, "hang", json!({})))?;
    let mut others = (3..PROGRAMS).map(|_| session(&toolgate)).collect::<anyhow::Result<Vec<_>>>()?;
    // Nobody makes room before it was unused for ten seconds.
    let newest = wait::until("a place for one more", 10 * PATIENCE, || session(&toolgate).ok())?;
    ensure!(newest.call("echo", json!({}))?.is_done());
    let gone = unused.post(call(8, "echo", json!({})).to_string().as_bytes())?;
    ensure!(
        gone.status() == 404 && gone.text().contains("start again with initialize"),
        "{} {}",
        gone.status(),
        gone.text()
    );
    ensure!(listening.call("echo", json!({}))?.is_done(), "one that is listened to stays");
    ensure!(others.pop().is_some_and(|other| other.call("echo", json!({})).is_ok_and(|done| done.is_done())));
    drop(hanging);
    ensure!(calling.call("echo", json!({}))?.is_done(), "and one that works");
    // Its agent begins another one.
    wait::until("a place for the one that gave way", 10 * PATIENCE, || unused.initialize(LEGACY).ok())?;
    ensure!(unused.call("echo", json!({}))?.is_done());
    Ok(())
}
