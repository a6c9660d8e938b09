//! Who may call: grants, tokens, and what never crosses the gateway.

use anyhow::Context;
use serde_json::json;
use testkit::client::{Answer, McpHttp};
use testkit::message::{LEGACY, hello, request};
use testkit::script::{Behaviour, Script, Tool};
use testkit::toolgate::{TOKEN, Toolgate};
use testkit::upstream::Upstream;
use testkit::wait;

use crate::setup::{allow, toolgate, word};

fn knock(toolgate: &Toolgate, token: Option<&str>) -> anyhow::Result<Answer> {
    let client = McpHttp::new(toolgate.url(), token)?;
    client.post_message(&request(1, "initialize", hello(LEGACY)))
}

#[test]
fn without_a_valid_token_there_is_one_answer() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    assert_eq!(knock(&toolgate, Some(TOKEN))?.status(), 200);
    let before = upstream.requests().len();
    let none = knock(&toolgate, None)?;
    assert_eq!(none.status(), 401);
    assert!(none.head.headers.get("www-authenticate").is_some_and(|said| said.starts_with("Bearer")));
    let longer = format!("{TOKEN}x");
    let shorter = TOKEN.get(1..).context("a token")?;
    for wrong in ["wrong", "", longer.as_str(), shorter] {
        let answer = knock(&toolgate, Some(wrong))?;
        assert_eq!((answer.status(), answer.text()), (401, none.text()), "{wrong}");
    }
    let client = toolgate.client()?;
    for scheme in [format!("Basic {TOKEN}"), TOKEN.to_owned(), format!("Bearer {TOKEN}, Bearer {TOKEN}")] {
        let body = request(1, "initialize", hello(LEGACY)).to_string();
        assert_eq!(client.post_with(&[("Authorization", &scheme)], body.as_bytes())?.status(), 401, "{scheme}");
    }
    assert_eq!(upstream.requests().len(), before, "nothing was forwarded");
    Ok(())
}

#[test]
fn a_grant_of_another_server_is_no_grant() -> anyhow::Result<()> {
    let (one, other) = (Upstream::start(Script::default())?, Upstream::start(Script::default())?);
    let setup = toolgate()?;
    setup.file("policy.json", &allow(&["read_file"]).to_string())?;
    let tokens = [TOKEN.to_owned(), TOKEN.replace("test", "rest")];
    let mut config = "listen = \"127.0.0.1:0\"\n".to_owned();
    for ((id, upstream), token) in [("one", &one), ("other", &other)].into_iter().zip(&tokens) {
        setup.file(&format!("{id}.token"), token)?;
        config.push_str(&format!("[servers.{id}]\nurl = \"{}\"\npolicy = \"policy.json\"\n", upstream.url()));
        config.push_str(&format!("[[grants]]\nlabel = \"agent\"\nserver = \"{id}\"\ntoken_file = \"{id}.token\"\n"));
    }
    let toolgate = setup.config(&config)?.serve()?;
    let url = toolgate.url_of("one")?;
    assert!(McpHttp::legacy(url, Some(&tokens[0]))?.call("read_file", json!({}))?.is_done());
    let knock = |token: &str| {
        McpHttp::new(url, Some(token)).and_then(|client| client.post_message(&request(1, "initialize", hello(LEGACY))))
    };
    let (foreign, wrong) = (knock(&tokens[1])?, knock("wrong")?);
    assert_eq!((foreign.status(), foreign.text()), (401, wrong.text()));
    assert_eq!(other.requests().len(), 0);
    Ok(())
}

#[test]
fn a_session_belongs_to_its_grant() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let setup = toolgate()?;
    setup.file("policy.json", &allow(&["read_file"]).to_string())?;
    let tokens = [TOKEN.to_owned(), TOKEN.replace("test", "rest")];
    let mut config =
        format!("listen = \"127.0.0.1:0\"\n[servers.files]\nurl = \"{}\"\npolicy = \"policy.json\"\n", upstream.url());
    for (label, token) in ["first", "second"].iter().zip(&tokens) {
        setup.file(&format!("{label}.token"), token)?;
        config.push_str(&format!(
            "[[grants]]\nlabel = \"{label}\"\nserver = \"files\"\ntoken_file = \"{label}.token\"\n"
        ));
    }
    let toolgate = setup.config(&config)?.serve()?;
    let mut client = McpHttp::legacy(toolgate.url(), Some(&tokens[0]))?;
    assert!(client.call("read_file", json!({}))?.is_done());
    let before = upstream.requests().len();
    client.token = Some(tokens[1].clone());
    let answer = client.post_message(&testkit::message::call(5, "read_file", json!({})))?;
    assert_eq!(answer.status(), 404, "{}", answer.text());
    assert_eq!(upstream.requests().len(), before);
    Ok(())
}

#[test]
fn anonymous_needs_no_token_and_forgives_no_wrong_one() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let setup = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url());
    let toolgate = setup.token(None).options(["--anonymous=tester"]).serve()?;
    assert!(McpHttp::legacy(toolgate.url(), None)?.call("read_file", json!({}))?.is_done());
    assert_eq!(knock(&toolgate, Some("wrong"))?.status(), 401);
    let grants: Vec<_> = toolgate.setup.decisions()?.iter().map(|record| word(record, "grant").to_owned()).collect();
    assert_eq!(grants, ["tester"]);
    Ok(())
}

#[test]
fn a_fresh_token_is_said_once_and_works() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let setup = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url());
    let toolgate = setup.token(None).serve()?;
    toolgate.wait_stderr("token tg_")?;
    let said = toolgate.stderr();
    let token = said.lines().find_map(|line| line.strip_prefix("token ")).context("no token on stderr")?;
    assert_eq!(said.matches(token).count(), 1);
    assert!(McpHttp::legacy(toolgate.url(), Some(token))?.call("read_file", json!({}))?.is_done());
    Ok(())
}

#[test]
fn tokens_come_from_the_environment_and_short_ones_are_refused() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let setup = || anyhow::Ok(toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()));
    let toolgate = setup()?.token(None).variable("TOOLGATE_TOKEN", TOKEN).serve()?;
    assert_eq!(knock(&toolgate, Some(TOKEN))?.status(), 200);
    let (status, said) = setup()?.token(Some("short")).refused()?;
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains("32"), "{said}");
    Ok(())
}

#[test]
fn credentials_do_not_cross() -> anyhow::Result<()> {
    const SECRET: &str = "upstream-secret-0123456789";
    let upstream = Upstream::start(Script::with([Tool::named("read_file").does(Behaviour::Text("fine".into()))]))?;
    let setup = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url());
    let setup =
        setup.options(["--header", "Authorization: Bearer ${UPSTREAM_TOKEN}"]).variable("UPSTREAM_TOKEN", SECRET);
    let toolgate = setup.serve()?;
    let client = toolgate.legacy()?;
    let answer = client.post_message(&testkit::message::call(1, "read_file", json!({})))?;
    assert_eq!(answer.status(), 200);
    assert!(!format!("{:?}{}", answer.head, answer.text()).contains(SECRET));
    for request in upstream.requests() {
        assert_eq!(request.headers.get("authorization"), Some(format!("Bearer {SECRET}").as_str()), "{request:?}");
    }
    let raw = upstream.raw().concat();
    assert!(!String::from_utf8_lossy(&raw).contains(TOKEN), "the agent's token went upstream");
    let log = format!("{:?}{}", toolgate.setup.audit()?, toolgate.stderr());
    assert!(!log.contains(SECRET) && !log.contains(TOKEN), "a secret was logged");
    Ok(())
}

#[test]
fn an_upstream_that_refuses_the_gateway_is_no_401_for_the_agent() -> anyhow::Result<()> {
    let script =
        Script::with([Tool::named("read_file").does(Behaviour::Http(401, "text/plain".into(), "who are you?".into()))]);
    let upstream = Upstream::start(script)?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let answer = client.post_message(&testkit::message::call(1, "read_file", json!({})))?;
    assert!(!matches!(answer.status(), 401 | 403 | 404), "{}", answer.status());
    let message = answer.message()?;
    assert!(message.get("error").is_some() || message.pointer("/result/isError") == Some(&json!(true)), "{message}");
    Ok(())
}

#[test]
fn wrong_tokens_are_counted_in_the_log() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let mut toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    for _ in 0..3 {
        knock(&toolgate, Some("wrong"))?;
    }
    // They are written once a minute, and when it stops.
    toolgate.stop()?;
    let refused = wait::until("the count", wait::PATIENCE, || {
        let records = toolgate.setup.audit().ok()?;
        records.into_iter().find(|record| word(record, "kind") == "refused" && word(record, "reason") == "wrong token")
    })?;
    assert_eq!(refused.get("times"), Some(&json!(3)));
    Ok(())
}
