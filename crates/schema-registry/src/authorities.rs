//! Whose signature a registry's certificate must bear: told by the city, for a registry inside it is signed inside it.

use std::fmt;
use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

/// Certificates of authorities.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorities {
    /// In DER.
    certificates: Vec<Vec<u8>>,
}

impl Authorities {
    /// Reads a PEM file's bytes; what it holds besides certificates is passed over.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(pem: &[u8]) -> Result<Authorities, String> {
        let mut certificates = Vec::new();
        for item in parse_pem(pem) {
            if let PemItem::Certificate(certificate) = item.map_err(|error| format!("no PEM: {error}"))? {
                certificates.push(certificate.der().to_vec());
            }
        }
        if certificates.is_empty() {
            return Err("it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned());
        }
        Ok(Authorities { certificates })
    }

    /// TLS that trusts these alone.
    pub fn tls(&self) -> TlsConfig {
        let certificates = self.certificates.iter();
        let certificates: Vec<_> = certificates
            .map(|der| Certificate::from_der(der).to_owned())
            .collect();
        TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::Specific(Arc::new(certificates)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build()
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.certificates.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_none() {
        let refused = |pem: &[u8], part: &str| {
            let why = Authorities::parse(pem).unwrap_err();
            assert!(why.contains(part), "{why}");
        };
        refused(b"", "no certificate");
        refused(include_bytes!("../tests/tls/server.key"), "no certificate");
        refused(
            b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
            "no PEM",
        );
        let two = [
            include_bytes!("../tests/tls/ca.pem").as_slice(),
            include_bytes!("../tests/tls/another-ca.pem"),
        ];
        assert_eq!(
            format!("{:?}", Authorities::parse(&two.concat()).unwrap()),
            "Authorities(2)"
        );
    }
}
