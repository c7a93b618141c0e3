//! TLS: what a certificate and its key make. Nothing older than TLS 1.2, nobody but the server shows a certificate.

use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error, InconsistentKeys, ServerConfig};

/// Reads a chain of certificates and the key of the first, both in PEM.
///
/// Errors are sentences that tell nothing of the key.
pub(super) fn config(certificate: &str, key: &str) -> Result<ServerConfig, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
    let chain = chain.map_err(|error| format!("http.tls_certificate is no PEM: {error}"))?;
    if chain.is_empty() {
        return Err(
            "http.tls_certificate holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned(),
        );
    }
    // The reader's own error may quote what it found.
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| {
        "http.tls_key holds no key in PEM (-----BEGIN PRIVATE KEY-----, without a passphrase)".to_owned()
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = builder
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                "http.tls_key is not the key of http.tls_certificate".to_owned()
            }
            error => format!("certificate and key cannot be used: {error}"),
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = include_str!("../../../schema-registry/tests/tls/server.pem");
    const KEY: &str = include_str!("../../../schema-registry/tests/tls/server.key");

    #[test]
    fn says_what_is_wrong_and_nothing_of_the_key() {
        assert!(config(CERTIFICATE, KEY).is_ok());
        let check = |certificate: &str, key: &str, part: &str| {
            let why = config(certificate, key).unwrap_err();
            assert!(why.contains(part), "{why}");
            let body = KEY.lines().nth(1).unwrap();
            assert!(!why.contains(body), "{why}");
        };
        let other = include_str!("../../../schema-registry/tests/tls/ca.pem");
        check("", KEY, "holds no certificate");
        check(KEY, KEY, "holds no certificate");
        check(
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
            KEY,
            "no PEM",
        );
        check(CERTIFICATE, CERTIFICATE, "holds no key");
        check(CERTIFICATE, &KEY.replace("PRIVATE", "SECRET"), "holds no key");
        check(other, KEY, "is not the key of");
    }
}
