//! Headers for the server that stand in a file.

use std::path::PathBuf;

use serde_json::json;
use testkit::message::call;
use testkit::script::{Script, Tool};
use testkit::toolgate::{Setup, TOKEN};
use testkit::upstream::Upstream;
use testkit::wait::PATIENCE;

use crate::setup::{allow, open, recording, toolgate};

const SECRET: &str = "upstream-secret-0123456789";

fn with_file(setup: Setup, text: impl AsRef<[u8]>) -> anyhow::Result<(Setup, PathBuf)> {
    let file = setup.folder().join("headers");
    std::fs::write(&file, text)?;
    let words = ["--header-file".into(), file.clone().into_os_string()];
    Ok((setup.options(words), file))
}

/// Every request so far carried these values of this header, and no other.
fn carried(upstream: &Upstream, name: &str, values: &[&str]) {
    for request in upstream.requests() {
        assert_eq!(request.headers.all(name).collect::<Vec<_>>(), values, "{request:?}");
    }
}

#[test]
fn every_request_has_them_and_no_answer() -> anyhow::Result<()> {
    let text = format!("# for the mail server\n\n  Authorization:  Bearer {SECRET} \r\nX-Tenant: ${{TENANT}}\n");
    for script in [Script::default(), Script::default().sse(), Script::default().modern()] {
        let modern = script.is_modern();
        let upstream = Upstream::start(script)?;
        let setup = toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url());
        let (setup, _) = with_file(setup.variable("TENANT", "blue"), &text)?;
        let mut toolgate = setup.serve()?;
        let client = if modern { toolgate.modern()? } else { toolgate.legacy()? };
        assert_eq!(client.tools()?, ["echo"]);
        assert!(client.call("echo", json!({}))?.is_done());
        assert!(client.call("delete_file", json!({}))?.is_denied());
        let mut answers = String::new();
        if !modern {
            // The agent's own are not copied.
            let body = call(100, "echo", json!({})).to_string();
            let answer = client.post_with(&[("X-Tenant", "red")], body.as_bytes())?;
            answers.push_str(&format!("{answer:?}{}", answer.text()));
            let mut stream = client.listen(None)?;
            answers.push_str(&format!("{:?}", stream.head(PATIENCE)?));
            upstream.wait_for("the stream", |request| request.method == "GET")?;
            answers.push_str(&format!("{:?}", client.delete()?));
            upstream.wait_for("the session's end", |request| request.method == "DELETE")?;
        }
        carried(&upstream, "authorization", &[&format!("Bearer {SECRET}")]);
        carried(&upstream, "x-tenant", &["blue"]);
        toolgate.stop()?;
        let said = format!("{answers}{}{:?}", toolgate.stderr(), toolgate.setup.audit()?);
        assert!(!said.contains(SECRET), "{said}");
        assert!(!toolgate.stderr().contains("warning"), "a file is where a secret belongs: {}", toolgate.stderr());
    }
    Ok(())
}

#[test]
fn agents_on_stdio_have_them_too() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let setup = toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url());
    let (setup, _) = with_file(setup, format!("Authorization: Bearer {SECRET}"))?;
    let mut run = setup.run()?;
    run.client.initialize()?;
    assert_eq!(run.client.tools()?, ["echo"]);
    assert!(run.client.call("echo", json!({}))?.is_done());
    run.client.close();
    assert!(run.client.wait()?.success());
    assert_eq!(upstream.requests().iter().filter(|request| request.method == "DELETE").count(), 1);
    carried(&upstream, "authorization", &[&format!("Bearer {SECRET}")]);
    assert!(!format!("{}{:?}", run.client.stderr(), run.client.aside).contains(SECRET));
    Ok(())
}

#[test]
fn several_files_and_options_add_up() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let setup = toolgate()?.policy(&open())?.upstream(&upstream.url());
    let more = setup.file("more", "X-Role: reader\n")?;
    let (setup, _) = with_file(setup, "X-Role: writer\n")?;
    let words = ["--header-file".into(), more.into_os_string(), "--header".into(), "X-Role: guest".into()];
    let toolgate = setup.options(words).serve()?;
    assert!(toolgate.legacy()?.call("echo", json!({}))?.is_done());
    carried(&upstream, "x-role", &["guest", "writer", "reader"]);
    Ok(())
}

#[test]
fn a_configuration_names_a_file_beside_it() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let setup = toolgate()?;
    setup.file("policy.json", &allow(&["echo"]).to_string())?;
    setup.file("token", TOKEN)?;
    setup.file("mail.headers", &format!("Authorization: Bearer {SECRET}\n"))?;
    let config = format!(
        "listen = \"127.0.0.1:0\"\n[servers.mail]\nurl = \"{}\"\npolicy = \"policy.json\"\nheader_file = \"mail.headers\"\n[[grants]]\nlabel = \"agent\"\nserver = \"mail\"\ntoken_file = \"token\"\n",
        upstream.url()
    );
    let toolgate = setup.config(&config)?.serve()?;
    let client = testkit::client::McpHttp::legacy(toolgate.url(), Some(TOKEN))?;
    assert!(client.call("echo", json!({}))?.is_done());
    carried(&upstream, "authorization", &[&format!("Bearer {SECRET}")]);
    Ok(())
}

#[test]
fn a_file_is_read_once() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("echo")]))?;
    let start = |text: &str| {
        let setup = toolgate()?.policy(&open())?.upstream(&upstream.url());
        let (setup, file) = with_file(setup, text)?;
        anyhow::Ok((setup.serve()?, file))
    };
    let (toolgate, file) = start("X-Key: first")?;
    let client = toolgate.legacy()?;
    std::fs::write(&file, "no header any more")?;
    assert!(client.call("echo", json!({}))?.is_done());
    std::fs::remove_file(&file)?;
    assert!(client.call("echo", json!({}))?.is_done());
    carried(&upstream, "x-key", &["first"]);
    drop((client, toolgate));
    let before = upstream.requests().len();
    let (toolgate, _) = start("X-Key: second")?;
    assert!(toolgate.legacy()?.call("echo", json!({}))?.is_done());
    for request in upstream.requests().split_off(before) {
        assert_eq!(request.headers.get("x-key"), Some("second"), "{request:?}");
    }
    Ok(())
}

#[test]
fn a_file_that_cannot_be_used_stops_the_start() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let good = format!("X-Good: {SECRET}\n# note\n");
    let cases: [(&[u8], &str); 8] = [
        (b"Authorization Bearer upstream-secret-0123456789", "headers:3: a header is written NAME: VALUE"),
        (b"X-Key: ${NOT_SET_ANYWHERE}", "headers:3: header X-Key: the environment variable `NOT_SET_ANYWHERE`"),
        (b"X-Key: ${OPEN", "headers:3: header X-Key: `${` is not closed"),
        (b"Host: upstream-secret-0123456789", "`Host` is not a header that can be sent"),
        (b"X Key: upstream-secret-0123456789", "headers:3: a header is written NAME: VALUE"),
        (b"Authorization=upstream-secret-0123456789:", "headers:3: a header is written NAME: VALUE"),
        (b"X-Key: upstream-secret-0123456789\x01", "the value holds a control character"),
        (b"X-Key: \xff", "headers: stream did not contain valid UTF-8"),
    ];
    for (line, expected) in cases {
        let setup = toolgate()?.policy(&open())?.upstream(&upstream.url());
        let (setup, _) = with_file(setup, [good.as_bytes(), line].concat())?;
        let (status, said) = setup.refused()?;
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains(expected) && !said.contains(SECRET), "{expected}: {said}");
    }
    let (setup, file) = with_file(toolgate()?.policy(&open())?.upstream(&upstream.url()), "")?;
    std::fs::remove_file(&file)?;
    let (status, said) = setup.refused()?;
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains(&file.display().to_string()) && said.contains("No such file"), "{said}");
    assert_eq!(upstream.requests().len(), 0);
    Ok(())
}

#[test]
fn a_program_takes_none() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&open())?;
    let (words, _) = recording(&setup, &Script::default())?;
    let (setup, _) = with_file(setup.program(words), format!("X-Key: {SECRET}"))?;
    let (status, said) = setup.refused()?;
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains("--header-file are for --upstream") && !said.contains(SECRET), "{said}");

    for header in ["header_file = \"headers\"", "headers = { X-Key = \"plain\" }"] {
        let setup = toolgate()?;
        setup.file("policy.json", &open().to_string())?;
        setup.file("headers", "X-Key: plain")?;
        let config = format!(
            "listen = \"127.0.0.1:0\"\n[servers.files]\ncommand = [\"true\"]\npolicy = \"policy.json\"\n{header}\n[[grants]]\nlabel = \"agent\"\nserver = \"files\"\nanonymous = true\n"
        );
        let (status, said) = setup.config(&config)?.refused()?;
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains("are for a `url`"), "{said}");
    }
    Ok(())
}

#[test]
fn credentials_do_not_cross_the_internet_in_the_clear() -> anyhow::Result<()> {
    let setup = toolgate()?;
    setup.file("policy.json", &open().to_string())?;
    let config = "listen = \"127.0.0.1:0\"\n[servers.files]\nurl = \"http://mcp.acme.com/mcp\"\npolicy = \"policy.json\"\n[[grants]]\nlabel = \"agent\"\nserver = \"files\"\nanonymous = true\n";
    let (status, said) = setup.config(config)?.refused()?;
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains("write https://") && said.contains("plain_http"), "{said}");
    // Where that is meant, it is served; nobody is asked before an agent asks.
    let meant = config.replace("[[grants]]", "plain_http = true\n[[grants]]");
    let setup = toolgate()?;
    setup.file("policy.json", &open().to_string())?;
    setup.config(&meant)?.serve()?.stop()
}

#[test]
fn a_variable_alone_is_a_header() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let setup = toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url());
    let setup = setup.options(["--header-from", "X-Key=THE_KEY"]).variable("THE_KEY", SECRET);
    let mut toolgate = setup.serve()?;
    assert_eq!(toolgate.legacy()?.tools()?, ["echo"]);
    carried(&upstream, "x-key", &[SECRET]);
    toolgate.stop()?;
    assert!(!toolgate.stderr().contains("warning") && !toolgate.stderr().contains(SECRET), "{}", toolgate.stderr());
    for (pair, value, wanted) in [
        ("X-Key=THE_KEY", "", "`THE_KEY` is not set, or empty"),
        ("X-Key: upstream-secret-0123456789", "x", "--header-from is written NAME=VARIABLE"),
        ("X-Key=", "x", "--header-from is written NAME=VARIABLE"),
        ("X-Key=${THE_KEY}", "x", "--header-from is written NAME=VARIABLE"),
    ] {
        let setup = toolgate_with(&upstream)?.options(["--header-from", pair]).variable("THE_KEY", value);
        let (status, said) = setup.refused()?;
        assert_eq!(status.code(), Some(2), "{pair}: {said}");
        assert!(said.contains(wanted) && !said.contains(SECRET), "{pair}: {said}");
    }
    Ok(())
}

fn toolgate_with(upstream: &Upstream) -> anyhow::Result<Setup> {
    Ok(toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url()))
}
