//! Lists that are long, too long, or without an end.

use anyhow::ensure;
use serde_json::{Value, json};
use testkit::message::Outcome;
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;

use crate::setup::{before, legacy, open, recording, shell, toolgate};

/// What is set for a server whose lists are too long.
const MOST: usize = 100_000;

/// Tools whose list has some bytes more, or less, than so many.
fn tools(count: usize, bytes: usize) -> Vec<Tool> {
    (0..count).map(|number| Tool::named(&format!("tool_{number}")).padded(bytes / count)).collect()
}

fn said(answer: &Value) -> &str {
    answer.pointer("/error/message").and_then(Value::as_str).unwrap_or_default()
}

/// Whether a text names how many bytes there are and which setting says how many there may be.
fn names_the_limit(text: &str) -> bool {
    text.contains(" bytes, of which this gateway reads 100000") && text.contains("`list_bytes`")
}

#[test]
fn more_than_a_server_may_list_is_refused_with_the_size_and_the_setting() -> anyhow::Result<()> {
    // All in one page, and as pages of which each would be short enough.
    for (page, sse) in [(0, false), (0, true), (1, false)] {
        let upstream = Upstream::start(Script { sse, ..Script::with(tools(3, 2 * MOST)).paged(page) })?;
        let reach = format!("url = \"{}\"\nlist_bytes = {MOST}", upstream.url());
        let toolgate = before(toolgate()?, &open(), &reach)?.serve()?;
        let client = legacy(&toolgate)?;
        let listed = client.request("tools/list", json!({}))?;
        match page {
            0 => ensure!(names_the_limit(said(&listed)), "{listed}"),
            _ => ensure!(listed.pointer("/result/tools") == Some(&json!([])), "{listed}"),
        }
        let Outcome::Denied { text, .. } = client.call("tool_0", json!({}))? else { anyhow::bail!("not denied") };
        ensure!(names_the_limit(&text), "{text}");
        // What fits is served, without a word from anybody.
        upstream.set_tools(tools(3, MOST / 2));
        ensure!(client.tools()? == ["tool_0", "tool_1", "tool_2"]);
        ensure!(client.call("tool_2", json!({}))?.is_done());
    }
    Ok(())
}

#[test]
fn so_are_lists_of_prompts_and_resources_and_those_of_a_program() -> anyhow::Result<()> {
    let long =
        |kind: &str| (0..4).map(|number| (format!("{kind}{number}{}", "x".repeat(MOST / 3)), "text".into())).collect();
    let script = Script { resources: long("file:///"), prompts: long("p"), ..Script::with(tools(3, 2 * MOST)) };
    let mut policy = open();
    policy["resources"] = json!({ "default": "allow" });
    policy["prompts"] = json!({ "default": "allow" });
    let upstream = Upstream::start(script.clone())?;
    let setup = toolgate()?;
    let (child, _) = recording(&setup, &script)?;
    let endpoint = (toolgate()?, format!("url = \"{}\"", upstream.url()));
    for (setup, reach) in [endpoint, (setup, child)] {
        let toolgate = before(setup, &policy, &format!("{reach}\nlist_bytes = {MOST}"))?.serve()?;
        let client = legacy(&toolgate)?;
        for kind in ["tools", "resources", "prompts"] {
            let listed = client.request(&format!("{kind}/list"), json!({}))?;
            ensure!(names_the_limit(said(&listed)), "{kind}: {}", said(&listed));
        }
    }
    Ok(())
}

#[test]
fn a_list_of_more_than_eight_megabytes_takes_the_setting() -> anyhow::Result<()> {
    let nine = 9 << 20;
    let upstream = Upstream::start(Script::with(tools(90, nine)))?;
    for (setting, served) in [("", false), ("list_bytes = 16777216", true)] {
        let toolgate = before(toolgate()?, &open(), &format!("url = \"{}\"\n{setting}", upstream.url()))?.serve()?;
        let client = legacy(&toolgate)?;
        let listed = client.request("tools/list", json!({}))?;
        let count = listed.pointer("/result/tools").and_then(Value::as_array).map(Vec::len);
        ensure!(count == served.then_some(90), "{setting}: {}", said(&listed));
        ensure!(served || said(&listed).contains("of which this gateway reads 8388608"), "{}", said(&listed));
        ensure!(client.call("tool_89", json!({}))?.is_done() == served);
    }
    Ok(())
}

#[test]
fn a_length_that_cannot_be_set_stops_the_start() -> anyhow::Result<()> {
    for wrong in ["0", "33554433"] {
        let reach = format!("url = \"http://127.0.0.1:9/\"\nlist_bytes = {wrong}");
        let (status, stderr) = before(toolgate()?, &open(), &reach)?.refused()?;
        ensure!(!status.success() && stderr.contains("list_bytes is from 1 to 33554432"), "{stderr}");
    }
    Ok(())
}

/// A program whose list goes on: each page is empty, and leads to the next.
fn endless(cursor: &str) -> String {
    let script = r#"
page=0
while read -r line; do
    page=$((page + 1))
    id=${line#*'"id":'}
    id=${id%%,*}
    case $line in
    *'"initialize"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}' ;;
    *'"tools/list"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"tools":[],"nextCursor":"CURSOR"}}' ;;
    esac
done"#;
    shell(&script.replace("CURSOR", cursor))
}

#[test]
fn pages_without_an_end_and_pages_in_a_circle_are_refused() -> anyhow::Result<()> {
    for (cursor, why) in [("'$page'", "more than 1000 pages"), ("again", "has no end: it names the page `again` twice")]
    {
        let toolgate = before(toolgate()?, &open(), &endless(cursor))?.serve()?;
        let Outcome::Denied { text, .. } = legacy(&toolgate)?.call("echo", json!({}))? else {
            anyhow::bail!("not denied")
        };
        ensure!(text.contains(why), "{text}");
    }
    Ok(())
}
