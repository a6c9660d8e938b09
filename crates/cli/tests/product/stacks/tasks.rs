//! Tasks on a stack: each is one server's, and the list of all is of all pages.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::message::Outcome;
use testkit::script::{Behaviour, Script, Tool};

use super::Stacked;
use crate::setup::open;

fn script(done: &str, tools: &[&str]) -> Script {
    let done = json!({ "content": [{ "type": "text", "text": done }] });
    let working = tools.iter().map(|name| Tool::named(name).does(Behaviour::Task(done.clone())));
    Script::with(working.chain([Tool::named("echo")])).paged(1)
}

fn ids(answer: &Value, pointer: &str) -> Vec<String> {
    let tasks = answer.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    tasks.iter().filter_map(|task| task["taskId"].as_str().map(str::to_owned)).collect()
}

#[test]
fn the_list_has_every_page_of_every_server() -> anyhow::Result<()> {
    let stacked = Stacked::of(script("a file", &["one", "two"]), script("a mail", &["one"]))?;
    let serving = stacked.policy("files.json", open()).policy("mail.json", open()).serve()?;
    let client = serving.legacy()?;
    let mut created = Vec::new();
    for (tool, done) in [("files__one", "a file"), ("files__two", "a file"), ("mail__one", "a mail")] {
        let asked = json!({ "name": tool, "arguments": {}, "task": { "ttl": 60_000 } });
        let answer = client.request("tools/call", asked)?;
        let id = answer.pointer("/result/task/taskId").and_then(Value::as_str).with_context(|| answer.to_string())?;
        let got = client.request("tasks/result", json!({ "taskId": id }))?;
        assert_eq!(Outcome::of(&got), Outcome::Done(done.into()));
        created.push(id.to_owned());
    }
    let listed = client.request("tasks/list", json!({}))?;
    assert_eq!(ids(&listed, "/result/tasks"), created, "{listed}");
    assert_eq!(listed.pointer("/result/nextCursor"), None);
    let on = client.request("tasks/list", json!({ "cursor": "page-1" }))?;
    assert_eq!(on.pointer("/error/code"), Some(&json!(-32602)), "{on}");
    assert_eq!((serving.files.count("tasks/list"), serving.mail.count("tasks/list")), (3, 2));
    Ok(())
}
