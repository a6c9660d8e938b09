//! TLS where the product listens: agents that speak it, files that change, clients that stall.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream as StdTcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use anyhow::Context;
use rcgen::{CertificateParams, KeyPair};
use serde_json::json;
use testkit::client::McpHttp;
use testkit::script::Script;
use testkit::stdio::McpStdio;
use testkit::toolgate::{Setup, TOKEN, Toolgate};
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use crate::setup::{EXE, allow, toolgate};

/// A certificate that is its own authority, with its key.
struct Certificate {
    der: CertificateDer<'static>,
    pem: String,
    key: String,
}

impl Certificate {
    fn new() -> anyhow::Result<Self> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(["localhost".to_owned()])?.self_signed(&key)?;
        Ok(Self { der: certificate.der().clone(), pem: certificate.pem(), key: key.serialize_pem() })
    }
}

/// The TLS end of a client that speaks plain HTTP: what it sends is encrypted for a server that shows one certificate.
struct Tunnel {
    address: SocketAddr,
    _runtime: Runtime,
}

impl Tunnel {
    fn start(
        server: SocketAddr,
        trusted: &Certificate,
        versions: &[&'static SupportedProtocolVersion],
    ) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.der.clone())?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let connector = TlsConnector::from(Arc::new(config));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        runtime.spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let connector = connector.clone();
                tokio::spawn(async move {
                    let stream = TcpStream::connect(server).await?;
                    let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
                    let mut encrypted = connector.connect(name, stream).await?;
                    if encrypted.get_ref().1.alpn_protocol() != Some(b"http/1.1") {
                        return Err(std::io::Error::other("another protocol than HTTP/1.1 was agreed on"));
                    }
                    tokio::io::copy_bidirectional(&mut client, &mut encrypted).await
                });
            }
        });
        Ok(Self { address, _runtime: runtime })
    }

    fn agent(&self) -> anyhow::Result<McpHttp> {
        McpHttp::modern(&format!("http://{}/mcp", self.address), Some(TOKEN))
    }

    fn works(&self) -> bool {
        self.agent().and_then(|agent| agent.call("echo", json!({}))).is_ok_and(|outcome| outcome.is_done())
    }
}

/// The files that a gateway is to listen with.
fn with_files(certificate: &Certificate, upstream: &Upstream) -> anyhow::Result<(Setup, [PathBuf; 2])> {
    let setup = toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url());
    let files = [setup.file("cert.pem", &certificate.pem)?, setup.file("key.pem", &certificate.key)?];
    let [chain, key] = files.each_ref().map(|file| file.to_string_lossy().into_owned());
    Ok((setup.options(["--tls-cert", &chain, "--tls-key", &key]), files))
}

fn address(toolgate: &Toolgate) -> anyhow::Result<SocketAddr> {
    let rest = toolgate.url().strip_prefix("https://").with_context(|| toolgate.url().to_owned())?;
    Ok(rest.trim_end_matches("/mcp").parse()?)
}

#[test]
fn agents_speak_tls_and_nothing_else_is_answered() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().modern())?;
    let ours = Certificate::new()?;
    let toolgate = with_files(&ours, &upstream)?.0.serve()?;
    let server = address(&toolgate)?;
    for versions in [&[&TLS12], &[&TLS13]] {
        let tunnel = Tunnel::start(server, &ours, versions)?;
        assert!(tunnel.works());
        assert!(tunnel.agent()?.call("delete_file", json!({}))?.is_denied());
    }
    assert_eq!(upstream.called(), ["echo", "echo"]);
    let mut plain = StdTcpStream::connect(server)?;
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&answer));
    // Another certificate than that of the file would be somebody else's.
    assert!(!Tunnel::start(server, &Certificate::new()?, &[&TLS13])?.works());
    Ok(())
}

#[test]
fn files_that_change_are_read_again_and_broken_ones_are_not_taken() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().modern())?;
    let (first, second) = (Certificate::new()?, Certificate::new()?);
    let (setup, [chain, key]) = with_files(&first, &upstream)?;
    let toolgate = setup.serve()?;
    let server = address(&toolgate)?;
    let [of_first, of_second] =
        [&first, &second].map(|certificate| Tunnel::start(server, certificate, &[&TLS12, &TLS13]));
    let (of_first, of_second) = (of_first?, of_second?);
    // A certificate without its key is half of a change.
    std::fs::write(&chain, &second.pem)?;
    toolgate.wait_stderr("cannot be used together")?;
    assert!(toolgate.stderr().contains("stays in force"));
    assert!(of_first.works() && !of_second.works());
    std::fs::write(&key, &second.key)?;
    toolgate.wait_stderr("cert.pem is in force")?;
    assert!(of_second.works() && !of_first.works());
    std::fs::remove_file(&key)?;
    toolgate.wait_stderr("key.pem cannot be read")?;
    assert!(of_second.works());
    assert!(!toolgate.stderr().contains("PRIVATE KEY"));
    Ok(())
}

#[test]
fn whoever_does_not_end_a_handshake_holds_up_nobody() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().modern())?;
    let ours = Certificate::new()?;
    let (setup, _) = with_files(&ours, &upstream)?;
    let toolgate = setup.options(["--workers", "1"]).serve()?;
    let server = address(&toolgate)?;
    let tunnel = Tunnel::start(server, &ours, &[&TLS13])?;
    let mut stalled = Vec::new();
    for number in 0..100 {
        let mut stream = StdTcpStream::connect(server)?;
        // Some say nothing at all, others a part of what they should.
        if number % 2 == 0 {
            stream.write_all(&[0x16, 3, 1])?;
        }
        stalled.push(stream);
    }
    assert!(tunnel.works());
    // They are not waited for for ever.
    for stream in &mut stalled {
        stream.set_read_timeout(Some(PATIENCE * 4))?;
        let read = stream.read(&mut [0; 64]);
        assert!(!read.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "{read:?}");
    }
    Ok(())
}

#[test]
fn beyond_loopback_a_certificate_is_enough() -> anyhow::Result<()> {
    let ours = Certificate::new()?;
    let setup = toolgate()?;
    setup.file("policy.json", &allow(&["echo"]).to_string())?;
    setup.file("cert.pem", &ours.pem)?;
    setup.file("key.pem", &ours.key)?;
    let text = "listen = \"0.0.0.0:0\"\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"\n\
        [servers.files]\nurl = \"http://127.0.0.1:1/mcp\"\npolicy = \"policy.json\"\n";
    let config = setup.file("listen.toml", text)?;
    let serve = |config: PathBuf| {
        let mut command = Command::new(EXE);
        command.args(["serve", "--config"]).arg(config).arg("--data").arg(setup.data_folder());
        command
    };
    let program = McpStdio::start(&mut serve(config))?;
    let said = wait::for_it("an endpoint", || program.stderr().contains("endpoint https://0.0.0.0:"));
    said.with_context(|| program.stderr())?;
    for (text, told) in [
        (text.replace("tls_key = \"key.pem\"\n", ""), "needs both a certificate and its key"),
        (text.replace("\"key.pem\"", "\"policy.json\""), "policy.json holds no private key"),
    ] {
        let output = serve(setup.file("broken.toml", &text)?).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(told), "{said}");
    }
    Ok(())
}

#[test]
fn an_instance_speaks_tls_and_opens_its_api_to_no_page() -> anyhow::Result<()> {
    let ours = Certificate::new()?;
    let setup = toolgate()?;
    let [chain, key] = [setup.file("cert.pem", &ours.pem)?, setup.file("key.pem", &ours.key)?];
    let mut command = Command::new(EXE);
    command.args(["serve", "--listen", "127.0.0.1:0", "--allow-origin", "https://inspector.example", "--tls-cert"]);
    command.arg(chain).arg("--tls-key").arg(key).arg("--data").arg(setup.data_folder());
    let program = McpStdio::start(&mut command)?;
    let server = wait::until("the address of the API", PATIENCE, || {
        let text = program.stderr();
        text.lines().find_map(|line| line.strip_prefix("api https://"))?.strip_suffix("/api/v1/")?.parse().ok()
    });
    let tunnel = Tunnel::start(server.with_context(|| program.stderr())?, &ours, &[&TLS13])?;
    let asked = |path: &str, origin: &str| -> anyhow::Result<u16> {
        let client = McpHttp::new(&format!("http://{}{path}", tunnel.address), None)?;
        let mut headers = vec![("Host".to_owned(), "localhost".to_owned())];
        headers.extend(Some(("Origin".to_owned(), origin.to_owned())).filter(|_| !origin.is_empty()));
        Ok(client.send("GET", &headers, b"")?.answer(PATIENCE)?.status())
    };
    assert_eq!(asked("/readyz", "")?, 200);
    // Nobody is signed in; for a page that may use MCP it is as if there was no API.
    assert_eq!([asked("/api/v1/servers", "")?, asked("/api/v1/servers", "https://inspector.example")?], [401, 403]);
    assert_eq!([asked("/mcp/files/", "")?, asked("/mcp/files/", "https://inspector.example")?], [401, 401]);
    Ok(())
}

#[test]
fn the_catalogue_alone_speaks_tls_too() -> anyhow::Result<()> {
    let ours = Certificate::new()?;
    let setup = toolgate()?;
    let [chain, key] = [setup.file("cert.pem", &ours.pem)?, setup.file("key.pem", &ours.key)?];
    let mut command = Command::new(EXE);
    command.args(["catalogue", "serve", "--listen", "127.0.0.1:0", "--tls-cert"]).arg(chain).arg("--tls-key").arg(key);
    let program = McpStdio::start(command.arg("--data").arg(setup.data_folder()))?;
    let server = wait::until("the address of the pages", PATIENCE, || {
        let text = program.stderr();
        text.lines().find_map(|line| line.strip_prefix("catalogue https://"))?.strip_suffix('/')?.parse().ok()
    });
    let server: SocketAddr = server.with_context(|| program.stderr())?;
    let tunnel = Tunnel::start(server, &ours, &[&TLS13])?;
    let _stalled = StdTcpStream::connect(server)?;
    let mut stream = StdTcpStream::connect(tunnel.address)?;
    write!(stream, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("<!DOCTYPE html>"), "{page}");
    Ok(())
}

#[test]
fn numbers_are_encrypted_where_agents_are() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().modern())?;
    let ours = Certificate::new()?;
    let toolgate = with_files(&ours, &upstream)?.0.options(["--metrics-listen", "127.0.0.1:0"]).serve()?;
    let said = toolgate.stderr();
    let metrics = said.lines().find_map(|line| line.strip_prefix("metrics https://")?.strip_suffix("/metrics"));
    let server: SocketAddr = metrics.with_context(|| said.clone())?.parse()?;
    let tunnel = Tunnel::start(server, &ours, &[&TLS13])?;
    let client = McpHttp::new(&format!("http://{}/metrics", tunnel.address), None)?;
    let host = ("Host".to_owned(), "localhost".to_owned());
    let answer = client.send("GET", &[host], b"")?.answer(PATIENCE)?;
    assert!(answer.text().contains("toolgate_build_info"), "{}", answer.text());
    let mut plain = StdTcpStream::connect(server)?;
    plain.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut refused = Vec::new();
    let _ = plain.read_to_end(&mut refused);
    assert!(!refused.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&refused));
    Ok(())
}
