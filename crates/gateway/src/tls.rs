//! TLS where the product listens: a certificate and its key, from two files that are looked at again while they serve.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretSlice};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::bounded::Bounded;

/// How long a client may take until the connection is encrypted.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// Handshakes under way of one address. Whoever has more of them is no agent, and takes no others' places.
const OF_AN_ADDRESS: usize = 256;

/// Handshakes under way.
const IN_ALL: usize = 2048;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The longest certificate or key file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// A certificate and its key, and what is in force of them.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    in_force: ArcSwap<Pair>,
    handshakes: Arc<Bounded<IpAddr>>,
}

/// What was read, and what follows from it.
struct Pair {
    certificate: Vec<u8>,
    key: SecretSlice<u8>,
    config: Arc<ServerConfig>,
}

/// Why a certificate and a key cannot be listened with.
#[derive(Debug, thiserror::Error)]
pub enum BadTls {
    /// A file cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, #[source] io::Error),
    /// There is no certificate in its file.
    #[error("{0} holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)")]
    NoCertificate(PathBuf),
    /// There is no key in its file.
    #[error("{0} holds no private key in PEM form (`-----BEGIN PRIVATE KEY-----`) without a password")]
    NoKey(PathBuf),
    /// They are not of one pair, or are of a kind that is not spoken.
    #[error("the certificate in {0} and the key in {1} cannot be used together: {2}")]
    Unfit(PathBuf, PathBuf, #[source] rustls::Error),
}

/// What a look at the files has shown.
#[derive(Debug)]
enum Looked {
    Same,
    New,
    Bad(BadTls),
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).field("key", &self.key).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads a certificate, followed by those that lead from it to a root, and its key.
    ///
    /// # Errors
    /// [`BadTls`].
    pub fn read(certificate: &Path, key: &Path) -> Result<Arc<Self>, BadTls> {
        let (certificate, key) = (certificate.to_path_buf(), key.to_path_buf());
        let pair = Pair::read(&certificate, &key)?;
        let handshakes = Bounded::new(OF_AN_ADDRESS, IN_ALL);
        Ok(Arc::new(Self { certificate, key, in_force: ArcSwap::from_pointee(pair), handshakes }))
    }

    /// Looks at the files for as long as it is polled. A new pair is for connections that begin after that; what cannot be
    /// used leaves the one before in force, and is told.
    pub async fn follow(self: Arc<Self>, tell: impl Fn(&str)) {
        let mut look = tokio::time::interval(LOOK);
        let mut before: Option<String> = None;
        let mut told = false;
        loop {
            look.tick().await;
            let this = Arc::clone(&self);
            // The disk may take its time.
            let Ok(looked) = tokio::task::spawn_blocking(move || this.look()).await else { continue };
            let bad = match looked {
                Looked::Same => None,
                Looked::New => {
                    tell(&format!("the certificate in {} is in force", self.certificate.display()));
                    None
                }
                Looked::Bad(why) => Some(why.to_string()),
            };
            told &= bad == before;
            // Two files are not replaced in one step: what is wrong at one look only is on its way to be right.
            if let Some(why) = &bad
                && bad == before
                && !told
            {
                tell(&format!("{why}; the certificate that was read before stays in force"));
                told = true;
            }
            before = bad;
        }
    }

    fn look(&self) -> Looked {
        match Pair::read(&self.certificate, &self.key) {
            Ok(pair) if pair.is(&self.in_force.load()) => Looked::Same,
            Ok(pair) => {
                self.in_force.store(Arc::new(pair));
                Looked::New
            }
            Err(why) => Looked::Bad(why),
        }
    }

    /// The encrypted connection, if the client makes one in time and there are not too many that try.
    pub(crate) async fn handshake(&self, stream: TcpStream, from: IpAddr) -> Option<TlsStream<TcpStream>> {
        let _place = self.handshakes.take(from.to_canonical()).ok()?;
        let acceptor = TlsAcceptor::from(Arc::clone(&self.in_force.load().config));
        tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await.ok()?.ok()
    }
}

impl Pair {
    fn read(certificate: &Path, key: &Path) -> Result<Self, BadTls> {
        let chain = read(certificate)?;
        let secret = SecretSlice::from(read(key)?);
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&chain).collect::<Result<_, _>>().unwrap_or_default();
        if certificates.is_empty() {
            return Err(BadTls::NoCertificate(certificate.to_path_buf()));
        }
        let private = PrivateKeyDer::from_pem_slice(secret.expose_secret());
        let private = private.map_err(|_| BadTls::NoKey(key.to_path_buf()))?;
        let unfit = |error| BadTls::Unfit(certificate.to_path_buf(), key.to_path_buf(), error);
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unfit)?
            .with_no_client_auth()
            .with_single_cert(certificates, private)
            .map_err(unfit)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { certificate: chain, key: secret, config: Arc::new(config) })
    }

    fn is(&self, other: &Self) -> bool {
        self.certificate == other.certificate && self.key.expose_secret() == other.key.expose_secret()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, BadTls> {
    use io::Read;
    let unreadable = |error| BadTls::Unreadable(path.to_path_buf(), error);
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    /// A certificate and its key, in PEM form.
    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn what_cannot_be_used_leaves_the_pair_before_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        let write = |path: &Path, text: &str| std::fs::write(path, text).unwrap();
        let read = || Tls::read(&certificate, &key).map(|_| ()).unwrap_err().to_string();
        let ((good, good_key), (other, other_key)) = (pair(), pair());
        assert!(read().contains("cert.pem cannot be read"));
        write(&certificate, &good);
        write(&key, "-----BEGIN PRIVATE KEY-----\n");
        assert!(read().contains("key.pem holds no private key"));
        write(&key, &other_key);
        assert!(read().contains("cannot be used together"));
        write(&certificate, &good_key);
        assert!(read().contains("cert.pem holds no certificate"));

        write(&certificate, &good);
        write(&key, &good_key);
        let tls = Tls::read(&certificate, &key).unwrap();
        let in_force = || Arc::as_ptr(&tls.in_force.load().config);
        let first = in_force();
        assert!(matches!(tls.look(), Looked::Same));
        for (half_certificate, half_key) in [(&other, &good_key), (&good, &other_key), (&String::new(), &good_key)] {
            write(&certificate, half_certificate);
            write(&key, half_key);
            assert!(matches!(tls.look(), Looked::Bad(_)));
            assert_eq!(in_force(), first);
        }
        write(&certificate, &other);
        write(&key, &other_key);
        assert!(matches!(tls.look(), Looked::New));
        assert_ne!(in_force(), first);
        assert!(!format!("{tls:?}").contains("PRIVATE"));
    }
}
