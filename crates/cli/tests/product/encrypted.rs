//! Servers that are asked over TLS, with a certificate that the operator's machine trusts or not.
//!
//! On Apple's systems trust is the keychain's, which no test should write to.
#![cfg(not(target_vendor = "apple"))]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use testkit::message::{Outcome, call, hello, request};
use testkit::script::Script;
use testkit::toolgate::Setup;
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::setup::{allow, limited, toolgate, word};

/// Who signs certificates.
type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> anyhow::Result<Authority> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

/// What a server shows of itself, and its key.
#[derive(Clone)]
struct Certificate {
    chain: CertificateDer<'static>,
    key: Arc<KeyPair>,
}

impl Certificate {
    fn new(authority: &Authority, names: &[&str], until: i32) -> anyhow::Result<Self> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.not_after = date_time_ymd(until, 1, 1);
        let key = Arc::new(KeyPair::generate()?);
        Ok(Self { chain: params.signed_by(&*key, authority)?.into(), key })
    }

    fn good(authority: &Authority) -> anyhow::Result<Self> {
        Self::new(authority, &["localhost", "127.0.0.1"], 4000)
    }
}

/// The TLS end of a server: what it deciphers goes to the server as it is. It ends, with all of its
/// connections, when it is dropped.
struct Tls {
    address: SocketAddr,
    _runtime: Runtime,
}

impl Tls {
    fn start(at: &str, certificate: &Certificate, server: SocketAddr) -> anyhow::Result<Self> {
        let key = PrivateKeyDer::try_from(certificate.key.serialize_der()).map_err(anyhow::Error::msg)?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.chain.clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(at))?;
        let address = listener.local_addr()?;
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut agent = acceptor.accept(stream).await?;
                    let mut server = TcpStream::connect(server).await?;
                    tokio::io::copy_bidirectional(&mut agent, &mut server).await
                });
            }
        });
        Ok(Self { address, _runtime: runtime })
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/mcp", self.address.port())
    }
}

/// A gateway that trusts this authority and no other.
fn trusting(authority: &Authority, url: &str, policy: &Value) -> anyhow::Result<Setup> {
    let setup = toolgate()?.policy(policy)?.upstream(url);
    let file: PathBuf = setup.file("authorities.pem", &authority.pem())?;
    Ok(setup.variable("SSL_CERT_FILE", &file.to_string_lossy()).variable("SSL_CERT_DIR", ""))
}

#[test]
fn a_server_that_is_trusted() -> anyhow::Result<()> {
    let ours = authority("ours")?;
    for (script, host) in [
        (Script::default(), "localhost"),
        (Script::default().sse(), "127.0.0.1"),
        (Script::default().modern(), "localhost"),
    ] {
        let modern = script.is_modern();
        let upstream = Upstream::start(script)?;
        let tls = Tls::start("127.0.0.1:0", &Certificate::good(&ours)?, upstream.address())?;
        let toolgate = trusting(&ours, &tls.url(host), &allow(&["echo"]))?.serve()?;
        let client = if modern { toolgate.modern()? } else { toolgate.legacy()? };
        assert_eq!(client.tools()?, ["echo"]);
        let Outcome::Done(text) = client.call("echo", json!({ "a": [1, "b"] }))? else { anyhow::bail!("not done") };
        assert_eq!(serde_json::from_str::<Value>(&text)?, json!({ "name": "echo", "arguments": { "a": [1, "b"] } }));
        assert!(client.call("delete_file", json!({}))?.is_denied());
        assert_eq!(upstream.called(), ["echo"]);
        let authority = format!("{host}:{}", tls.address.port());
        assert!(upstream.requests().iter().all(|request| request.headers.get("host") == Some(&authority)));
    }
    Ok(())
}

#[test]
fn an_agent_on_stdio_in_front_of_one() -> anyhow::Result<()> {
    let ours = authority("ours")?;
    let upstream = Upstream::start(Script::default())?;
    let tls = Tls::start("127.0.0.1:0", &Certificate::good(&ours)?, upstream.address())?;
    let mut run = trusting(&ours, &tls.url("localhost"), &allow(&["echo"]))?.run()?;
    run.client.initialize()?;
    assert!(run.client.call("echo", json!({}))?.is_done());
    assert!(run.client.call("delete_file", json!({}))?.is_denied());
    assert_eq!(upstream.called(), ["echo"]);
    Ok(())
}

#[test]
fn a_server_that_is_not_trusted_sees_nothing() -> anyhow::Result<()> {
    let (ours, foreign) = (authority("ours")?, authority("foreign")?);
    let cases = [
        (Certificate::good(&foreign)?, "no authority that is trusted here has signed it", "$SSL_CERT_FILE"),
        (Certificate::new(&ours, &["elsewhere.example"], 4000)?, "it is for another name", "elsewhere.example"),
        (Certificate::new(&ours, &["localhost"], 2001)?, "it has expired", "renew it at the server"),
    ];
    for (certificate, expected, advice) in cases {
        let upstream = Upstream::start(Script::default().both_eras())?;
        let tls = Tls::start("127.0.0.1:0", &certificate, upstream.address())?;
        let setup = || trusting(&ours, &tls.url("localhost"), &allow(&["echo"]));
        let readable = |text: &str| {
            let said = format!("the server's certificate cannot be trusted: {expected}");
            assert!(text.contains(&said), "{said}: {text}");
            assert!(!text.contains(advice), "what agents need not know: {text}");
        };
        let toolgate = setup()?.serve()?;
        let hello = request(1, "initialize", hello(testkit::message::LEGACY));
        let answer = toolgate.client()?.post_message(&hello)?;
        assert_eq!(answer.status(), 502, "{}", answer.text());
        readable(&answer.message()?.to_string());
        let outcome = toolgate.modern()?.call("echo", json!({}))?;
        assert!(outcome.is_denied(), "{outcome:?}");
        readable(&format!("{outcome:?}"));
        toolgate.wait_stderr(advice)?;

        let mut run = setup()?.run()?;
        readable(&run.client.request("initialize", hello["params"].clone())?.to_string());
        run.client.wait_stderr(advice)?;
        assert!(upstream.raw().concat().is_empty(), "{:?}", upstream.requests());
    }
    Ok(())
}

#[test]
fn a_server_that_is_trusted_no_longer() -> anyhow::Result<()> {
    let (ours, foreign) = (authority("ours")?, authority("foreign")?);
    let upstream = Upstream::start(Script::default().sessionless())?;
    let tls = Tls::start("127.0.0.1:0", &Certificate::good(&ours)?, upstream.address())?;
    let address = tls.address.to_string();
    let toolgate = trusting(&ours, &tls.url("localhost"), &limited("echo", 1))?.serve()?;
    let client = toolgate.legacy()?;
    assert_eq!(client.tools()?, ["echo"]);
    let before = upstream.requests().len();

    drop(tls);
    let start = |certificate: &Certificate| {
        wait::until("the port", PATIENCE, || Tls::start(&address, certificate, upstream.address()).ok())
    };
    let tls = start(&Certificate::good(&foreign)?)?;
    let answer = client.post_message(&call(7, "echo", json!({})))?.message()?;
    let Outcome::Error(_, text) = Outcome::of(&answer) else { anyhow::bail!("{answer}") };
    assert!(text.starts_with("The call was not made") && text.contains("certificate"), "{text}");
    assert_eq!(upstream.requests().len(), before);
    let ended = wait::until("the outcome", PATIENCE, || {
        toolgate.setup.audit().ok()?.into_iter().find(|record| word(record, "kind") == "outcome")
    })?;
    assert_eq!(word(&ended, "outcome"), "not_sent");

    drop(tls);
    let _tls = start(&Certificate::good(&ours)?)?;
    assert!(client.call("echo", json!({}))?.is_done(), "what was not sent was given back");
    assert!(client.call("echo", json!({}))?.is_limited());
    Ok(())
}
