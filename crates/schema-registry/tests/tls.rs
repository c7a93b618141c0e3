//! A registry behind TLS: trusted by the authority that is configured, by no other, and told who asks.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use schema_registry::{Address, Authorities, Client, Credentials, Registry, RegistryConfig};
use wire_format::SchemaAnswer;

const PATIENCE: Duration = Duration::from_secs(60);
const CA: &[u8] = include_bytes!("tls/ca.pem");
const ANOTHER: &[u8] = include_bytes!("tls/another-ca.pem");

/// A registry of one schema that wants to see this header; gives its port.
fn server(authorization: &'static str) -> u16 {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Ends with the tests.
    std::thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            // Whoever does not trust it hangs up.
            let _ = answer(config.clone(), caller, authorization);
        }
    });
    port
}

fn answer(config: Arc<ServerConfig>, caller: TcpStream, authorization: &str) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, caller);
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let wanted = format!("authorization: {}\r\n", authorization.to_ascii_lowercase());
    let (status, body) = match request.contains(&wanted) {
        true => ("200 OK", r#"{"schema":"\"int\""}"#),
        false => ("401 Unauthorized", "{}"),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.flush()
}

fn registry(port: u16, ca: &[u8], credentials: Credentials) -> Registry {
    Registry::new(RegistryConfig {
        address: Address::parse(&format!("https://localhost:{port}")).unwrap(),
        credentials: Some(credentials),
        authorities: Some(Authorities::parse(ca).unwrap()),
        timeout: Duration::from_secs(20),
    })
}

fn bearer() -> Credentials {
    Credentials::bearer("a-token\n").unwrap()
}

#[test]
fn the_configured_authority_is_trusted_and_told_who_asks() {
    let basic = registry(server("Basic dTpw"), CA, Credentials::parse("u:p").unwrap());
    assert!(matches!(basic.wait_for(1, PATIENCE), SchemaAnswer::Known(_)));
    let token = registry(server("Bearer a-token"), &[ANOTHER, CA].concat(), bearer());
    assert!(matches!(token.wait_for(1, PATIENCE), SchemaAnswer::Known(_)));
}

#[test]
fn another_authority_is_not_trusted_nor_told_anything() {
    let config = registry(server("Bearer a-token"), ANOTHER, bearer())
        .config()
        .clone();
    let why = Client::new(&config).register("x-value", "\"int\"").unwrap_err();
    assert!(why.contains("certificate"), "{why}");
}

#[test]
fn a_name_that_the_certificate_does_not_have_is_not_trusted() {
    let port = server("Bearer a-token");
    let mut config = registry(port, CA, bearer()).config().clone();
    config.address = Address::parse(&format!("https://127.0.0.2:{port}")).unwrap();
    // Only localhost and 127.0.0.1 are in it; where 127.0.0.2 is no address of the machine nobody answers at all.
    assert!(Client::new(&config).register("x-value", "\"int\"").is_err());
    config.address = Address::parse(&format!("http://localhost:{port}")).unwrap();
    assert!(
        Client::new(&config).register("x-value", "\"int\"").is_err(),
        "no TLS, no answer"
    );
}
