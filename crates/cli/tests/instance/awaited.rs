//! A replica whose database is not there yet: signals do not end it, and it speaks TLS as it will later.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rcgen::{CertificateParams, KeyPair};
use testkit::postgres::Postgres;
use testkit::toolgate::{Setup, Signal};
use testkit::wait::{self, PATIENCE};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::desk::{Desk, instance};
use crate::replicas::KEYS;
use crate::troubles::free;

fn replica(folder: &Path, database: &str) -> anyhow::Result<Setup> {
    let setup = instance(&folder.join("one"))?.variable("TOOLGATE_DATABASE", database).variable("TOOLGATE_KEYS", KEYS);
    Ok(setup.options(["--limits-per-replica"]))
}

#[test]
fn a_signal_to_read_the_keys_again_ends_no_replica_that_waits() -> anyhow::Result<()> {
    let postgres = Postgres::start()?;
    let (folder, database) = (testkit::toolgate::folder()?, postgres.database()?);
    postgres.freeze()?;
    let mut replica = replica(folder.path(), &database)?.begin()?;
    replica.wait_stderr("nothing is forwarded until it is there")?;
    replica.signal(Signal::HUP)?;
    postgres.thaw()?;
    replica.listens()?;
    replica.wait_stderr("the master keys were read again")?;
    Desk::set_up(&replica)?;
    Ok(())
}

/// What is answered over TLS to a question about readiness.
fn asked(address: SocketAddr, trusted: &CertificateDer<'static>) -> anyhow::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone())?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost")?)?;
    let mut encrypted = StreamOwned::new(client, stream);
    encrypted.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    // Whether it says good-bye is nobody's concern here.
    let _ = encrypted.read_to_end(&mut answer);
    Ok(String::from_utf8(answer)?)
}

#[test]
fn whoever_waits_with_it_waits_over_tls() -> anyhow::Result<()> {
    let mut postgres = Postgres::start()?;
    let (folder, database) = (testkit::toolgate::folder()?, postgres.database()?);
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(["localhost".to_owned()])?.self_signed(&key)?;
    let (chain, secret) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, certificate.pem())?;
    std::fs::write(&secret, key.serialize_pem())?;
    postgres.stop()?;
    let listen = free()?;
    let files = [chain, secret].map(|file| file.to_string_lossy().into_owned());
    let tls = ["--tls-cert", &files[0], "--tls-key", &files[1]];
    let mut replica = replica(folder.path(), &database)?.options(tls).listen(listen).begin()?;
    let answer = |status: &str| {
        let status = format!("HTTP/1.1 {status}");
        let asked = || asked(listen, certificate.der()).ok().filter(|answer| answer.starts_with(&status));
        wait::until("an answer over TLS", PATIENCE, asked)
    };
    let waits = answer("503").with_context(|| replica.stderr())?;
    assert!(waits.contains("waits for its control plane's database"), "{waits}");
    postgres.restart()?;
    replica.listens()?;
    answer("200").with_context(|| replica.stderr())?;
    Ok(())
}
