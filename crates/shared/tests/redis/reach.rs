//! Who is let in, and over what.

use std::fs;
use std::net::TcpListener;

use quota::Taken;
use testkit::redis::Redis;
use testkit::wait;

use crate::{hourly, open, options, runtime, until_up};

#[test]
fn a_server_with_a_certificate_is_reached_and_a_stranger_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("certificate"), folder.path().join("key"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let port_text = port.to_string();
    let tls = [
        ["--tls-port", port_text.as_str()],
        ["--tls-cert-file", certificate.as_str()],
        ["--tls-key-file", key.as_str()],
        ["--tls-ca-cert-file", certificate.as_str()],
        ["--tls-auth-clients", "no"],
    ];
    let _redis = Redis::start_with(&tls.concat()).unwrap();
    let runtime = runtime();
    let url = format!("rediss://localhost:{port}");
    let trusting = shared::Options { authority: Some(made.cert.pem().into_bytes()), ..options(&url) };
    let counts = open(trusting, &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    assert!(matches!(runtime.block_on(counts.take(&[hourly("tls", 1)])), Ok(Taken::Granted(_))));

    let stranger = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let wary = shared::Options { authority: Some(stranger.cert.pem().into_bytes()), ..options(&url) };
    let counts = open(wary, &runtime);
    let told = wait::until("the reason", wait::PATIENCE, || {
        let told = counts.reachable().unwrap_err().to_string();
        (!told.contains("is being connected to")).then_some(told)
    });
    let told = told.unwrap();
    assert!(told.contains("certificate"), "{told}");
}

/// The commands that `docs/redis.md` names are enough, and a wrong password is told without being repeated.
#[test]
fn a_user_with_few_commands_is_enough_and_a_wrong_password_is_not() {
    let redis = Redis::start().unwrap();
    let page = fs::read_to_string(testkit::place::repository().join("docs/redis.md")).unwrap();
    let line = page.lines().find_map(|line| line.strip_prefix("ACL SETUSER toolgate ")).unwrap();
    let words: Vec<&str> = ["ACL", "SETUSER", "toolgate"].into_iter().chain(line.split(' ')).collect();
    let words: Vec<&str> = words.into_iter().map(|word| if word.starts_with('>') { ">s3cret" } else { word }).collect();
    redis.command(&words).unwrap();
    let url = |password: &str| format!("redis://toolgate:{password}@127.0.0.1:{}", redis.port());
    let runtime = runtime();
    let counts = open(options(&url("s3cret")), &runtime);
    until_up(&counts);
    runtime.block_on(counts.begin("local")).unwrap();
    let one = [hourly("user", 2)];
    let Ok(Taken::Granted(receipt)) = runtime.block_on(counts.take(&one)) else { panic!("it is empty") };
    runtime.block_on(counts.give_back(receipt)).unwrap();
    runtime.block_on(counts.heartbeat());
    assert!(runtime.block_on(counts.snapshot()).unwrap().is_empty());
    runtime.block_on(counts.reset(one[0].id.text())).unwrap();
    let news = shared::News::open(options(&url("s3cret")), runtime.handle()).unwrap();
    wait::for_it("Redis to be reached", || news.reachable().is_ok()).unwrap();
    let mut hearing = news.listen();
    assert_eq!(runtime.block_on(hearing.next()), Some(shared::Heard::MayHaveMissed));
    runtime.block_on(news.publish("topic", 1)).unwrap();

    let counts = open(options(&url("wr0ng")), &runtime);
    let told = wait::until("the reason", wait::PATIENCE, || {
        let told = counts.reachable().unwrap_err().to_string();
        (!told.contains("is being connected to")).then_some(told)
    });
    let told = told.unwrap();
    assert!(told.contains("refuses the user or the password") && !told.contains("wr0ng"), "{told}");
}
