//! What is wrong with the certificate that a server shows.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::CertificateError;

/// Why a server is not believed to be the one that is meant. Shown, it is for whoever asks; what follows for whoever runs
/// this is [`remedy`](Self::remedy).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadCertificate {
    fault: Fault,
    /// What the library says: times, names.
    detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Expired,
    NotYetValid,
    UnknownIssuer,
    OtherName,
    Revoked,
    Other,
}

impl BadCertificate {
    /// What of a failed connection is the certificate's fault.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            // The cause of an I/O error is what it wraps, and is passed over by `source`.
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            let tls = error.downcast_ref().or_else(|| inner?.downcast_ref());
            if let Some(rustls::Error::InvalidCertificate(bad)) = tls {
                return Some(Self { fault: Fault::of(bad), detail: bad.to_string() });
            }
            next = inner.map(|inner| -> &(dyn Error + 'static) { inner }).or_else(|| error.source());
        }
        None
    }

    /// What is wrong, with times and names.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What somebody who runs this can do about it.
    pub fn remedy(&self) -> &'static str {
        match self.fault {
            Fault::Expired => "renew it at the server; if it is newer than that, set this machine's clock",
            Fault::NotYetValid => "look at this machine's clock, and at the server's certificate",
            Fault::UnknownIssuer => {
                "add its authority to those that this machine trusts, or name a file of authorities in $SSL_CERT_FILE; then start again"
            }
            Fault::OtherName => "name the server as its certificate does, or give it one for this name",
            Fault::Revoked => "give the server a new one; its key may be in other hands",
            Fault::Other => "give the server another one",
        }
    }
}

impl Fault {
    fn of(bad: &CertificateError) -> Self {
        match bad {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::OtherName,
            CertificateError::Revoked => Self::Revoked,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for BadCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.fault {
            Fault::Expired => "it has expired",
            Fault::NotYetValid => "it is not valid yet",
            Fault::UnknownIssuer => "no authority that is trusted here has signed it",
            Fault::OtherName => "it is for another name",
            Fault::Revoked => "it was revoked",
            Fault::Other => "it is not in order",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_apart_wherever_they_are_wrapped() {
        let cases = [
            (CertificateError::Expired, "it has expired", "renew"),
            (CertificateError::NotValidYet, "it is not valid yet", "clock"),
            (CertificateError::UnknownIssuer, "no authority", "$SSL_CERT_FILE"),
            (CertificateError::NotValidForName, "it is for another name", "name the server"),
            (CertificateError::Revoked, "it was revoked", "new one"),
            (CertificateError::BadEncoding, "it is not in order", "another one"),
        ];
        for (bad, shown, advice) in cases {
            let plain = rustls::Error::InvalidCertificate(bad);
            let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, plain.clone()));
            for error in [&plain as &(dyn Error + 'static), &wrapped] {
                let found = BadCertificate::of(error).unwrap();
                assert!(found.to_string().starts_with(shown), "{found}");
                assert!(found.remedy().contains(advice), "{}", found.remedy());
            }
        }
        assert_eq!(BadCertificate::of(&rustls::Error::DecryptError), None);
        assert_eq!(BadCertificate::of(&io::Error::other("nobody there")), None);
    }
}
