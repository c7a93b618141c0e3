//! Who gets an answer: tokens, TLS, and what is said to whom.

use std::sync::Arc as StdArc;

use city_model::sha256_hex;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::*;

const TLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/schema-registry/tests/tls");

/// The door of a configuration in a folder with these files.
fn door(config: &str, files: &[(&str, &str)]) -> anyhow::Result<(tempfile::TempDir, Door)> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let file = dir.path().join("cityops.toml");
    std::fs::write(&file, config).unwrap();
    let loaded = Loaded::read_with(&file, std::iter::empty())?;
    let door = Door::of(&loaded)?;
    Ok((dir, door))
}

fn token_line(name: &str, token: &str) -> String {
    format!("{name} sha256:{}\n", sha256_hex(token.as_bytes()))
}

#[test]
fn everything_but_health_wants_a_token() {
    let (dir, door) = door(
        "[http]\ntokens_file = \"tokens\"\n",
        &[("tokens", &token_line("desk", "river-42"))],
    )
    .unwrap();
    let renewed = door.clone();
    let told = Metrics::register(&Registry::new()).unwrap();
    with_door(door, &serving(), |address| {
        for (target, open) in [
            ("/livez", true),
            ("/readyz", true),
            ("/metrics", false),
            ("/", false),
            ("/map/main.js", false),
            ("/api/incidents", false),
            ("/api/events", false),
            ("/api/grid", false),
            ("/api/vitals", false),
            ("/nothing", false),
            ("/livez/", false),
            ("//livez", false),
        ] {
            let refused = ask(address, "GET", target);
            assert_eq!(refused.status != 401, open, "{target}");
            if !open {
                assert!(
                    refused.head.contains("www-authenticate: bearer realm"),
                    "{}",
                    refused.head
                );
                assert!(
                    refused.head.contains("www-authenticate: basic realm"),
                    "{}",
                    refused.head
                );
            }
            let wrong = ask_with(address, "GET", target, "authorization: Bearer river-43\r\n");
            assert_eq!(wrong.status != 401, open, "{target}");
            assert!(!wrong.body.contains("river-43"), "{}", wrong.body);
            let right = ask_with(address, "GET", target, "authorization: Bearer river-42\r\n");
            assert_ne!(right.status, 401, "{target}");
        }
        assert_eq!(
            ask(address, "POST", "/api/incidents").status,
            401,
            "who may not read may not guess"
        );
        let answer = ask_with(
            address,
            "POST",
            "/api/incidents",
            "authorization: Bearer river-42\r\n",
        );
        assert_eq!(answer.status, 405);

        let metrics = ask_with(address, "GET", "/metrics", "authorization: Bearer river-42\r\n").body;
        assert!(
            metrics.contains("cityops_http_refused_total{reason=\"token\"} 21"),
            "{metrics}"
        );
        assert!(!metrics.contains("desk") && !metrics.contains("river"));

        // The next token comes beside the old one, then the old one goes.
        let with = |lines: &str| {
            std::fs::write(dir.path().join("tokens"), lines).unwrap();
            renewed.look(told.reloads());
        };
        let status = |token: &str| {
            ask_with(
                address,
                "GET",
                "/metrics",
                &format!("authorization: Bearer {token}\r\n"),
            )
            .status
        };
        with(&(token_line("desk", "river-42") + &token_line("desk-2", "hill-7")));
        assert_eq!((status("river-42"), status("hill-7")), (200, 200));
        with(&token_line("desk-2", "hill-7"));
        assert_eq!((status("river-42"), status("hill-7")), (401, 200));
        with("desk-2 hill-8\n");
        assert_eq!(
            (status("hill-8"), status("hill-7")),
            (401, 200),
            "a bad file changes nothing"
        );
    });
}

#[test]
fn what_is_printed_of_the_configuration_holds_no_token() {
    let line = token_line("desk", "river-42");
    let (dir, _door) = door("[http]\ntokens_file = \"tokens\"\n", &[("tokens", &line)]).unwrap();
    let loaded = Loaded::read_with(&dir.path().join("cityops.toml"), std::iter::empty()).unwrap();
    let printed = loaded.masked().unwrap();
    assert!(printed.contains("tokens_file = \"tokens\""), "{printed}");
    assert!(!printed.contains(&line[12..40]), "{printed}");
}

#[test]
fn only_reading_is_answered() {
    with_server(&serving(), |address| {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "MERGE"] {
            for target in ["/", "/api/incidents", "/api/events", "/metrics", "/livez"] {
                assert_eq!(ask(address, method, target).status, 405, "{method} {target}");
            }
        }
    });
}

fn trusting(ca: &str) -> StdArc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let pem = std::fs::read(format!("{TLS}/{ca}")).unwrap();
    roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(StdArc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    StdArc::new(config.with_root_certificates(roots).with_no_client_auth())
}

fn ask_by_tls(address: &str, ca: &str, target: &str) -> std::io::Result<Answer> {
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(trusting(ca), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address)?);
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )?;
    Ok(answer_of(&mut stream))
}

#[test]
fn speaks_tls_and_nothing_else_where_there_is_a_certificate() {
    let read = |name: &str| std::fs::read_to_string(format!("{TLS}/{name}")).unwrap();
    let config = "[http]\ntls_certificate = \"cert.pem\"\ntls_key = \"key.pem\"\n[http.limits]\nheader_time = \"1s\"\n";
    let files = [
        ("cert.pem", &*read("server.pem")),
        ("key.pem", &*read("server.key")),
    ];
    let (dir, door) = door(config, &files).unwrap();
    let renewed = door.clone();
    let told = Metrics::register(&Registry::new()).unwrap();
    with_door(door, &serving(), |address| {
        let answer = ask_by_tls(address, "ca.pem", "/livez").unwrap();
        assert_eq!(answer.status, 200);
        assert!(
            ask_by_tls(address, "another-ca.pem", "/livez").is_err(),
            "nobody's signature but the city's"
        );
        let mut plain = TcpStream::connect(address).unwrap();
        write!(plain, "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        let _ = plain.read_to_end(&mut bytes);
        assert!(!bytes.starts_with(b"HTTP"), "{bytes:?}");
        let mut silent = TcpStream::connect(address).unwrap();
        silent.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        assert_eq!(
            silent.read_to_end(&mut bytes).unwrap(),
            0,
            "closed, for it says nothing"
        );
        assert_eq!(ask_by_tls(address, "ca.pem", "/readyz").unwrap().status, 503);
        // Renewed while it runs: what is not a pair is not taken.
        let place = |name: &str| dir.path().join(name);
        std::fs::write(place("cert.pem"), read("another-ca.pem")).unwrap();
        renewed.look(told.reloads());
        assert!(ask_by_tls(address, "ca.pem", "/livez").is_ok());
        let text = told.text(wall_clock()).unwrap();
        assert!(
            text.contains("cityops_reload_refused{what=\"certificate\"} 1"),
            "{text}"
        );
    });
}

#[test]
fn a_page_whose_name_was_made_to_lead_here_is_told_nothing() {
    let (_dir, by_name) = door("[http]\nhosts = [\"city.example\"]\n", &[]).unwrap();
    let (_other, here) = door("", &[]).unwrap();
    for (door, city) in [(here, 421), (by_name, 200)] {
        let serving = serving();
        with_door(door, &serving, |address| {
            let status = |host: &str, target: &str| {
                let mut stream = TcpStream::connect(address).unwrap();
                let head = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
                stream.write_all(head.as_bytes()).unwrap();
                answer_of(&mut stream).status
            };
            for target in ["/", "/api/incidents", "/api/events?x", "/metrics", "/livez"] {
                assert_eq!(status("evil.example", target), 421, "{target}");
            }
            assert_eq!(status(address, "/api/incidents"), 200);
            assert_eq!(status("localhost", "/api/incidents"), 200);
            assert_eq!(status("city.example:80", "/api/incidents"), city);
            let twice = ask_with(address, "GET", "/api/incidents", "host: localhost\r\n");
            assert!(twice.status >= 400, "{}", twice.status);
            let metrics = ask(address, "GET", "/metrics").body;
            assert!(
                !metrics.contains("cityops_http_refused_total{reason=\"host\"} 0"),
                "{metrics}"
            );
        });
    }
    let error = door("[http]\nhosts = [\"https://city.example\"]\n", &[])
        .err()
        .unwrap();
    assert!(
        format!("{error:#}").contains(":2:") && format!("{error:#}").contains("http.hosts"),
        "{error:#}"
    );
}

#[test]
fn a_bad_door_stops_the_start_with_its_key() {
    let check = |config: &str, files: &[(&str, &str)], parts: &[&str]| {
        let error = door(config, files).err().unwrap();
        assert_eq!(crate::exit::of_error(&error), crate::exit::Exit::BadConfiguration);
        let error = format!("{error:#}");
        for part in parts {
            assert!(error.contains(part), "{part} is not in {error}");
        }
        assert!(!error.contains("letmein"), "{error}");
    };
    let key = std::fs::read_to_string(format!("{TLS}/server.key")).unwrap();
    let tokens = token_line("desk", "x");
    let tls = "[http]\ntls_certificate = \"cert.pem\"\ntls_key = \"key.pem\"\n";
    check(
        "[http]\ntokens_file = \"tokens\"\n",
        &[],
        &[":2:", "http.tokens_file", "cannot read"],
    );
    check(
        "[http]\ntokens_file = \"tokens\"\n",
        &[("tokens", "desk letmein\n")],
        &[":2:", "http.tokens_file", "line 1", "sha256"],
    );
    check(
        "[http]\ntokens_file = \"t\"\n",
        &[("t", "desk letmein\n")],
        &["cityops.toml:2:", "http.tokens_file"],
    );
    check(tls, &[("key.pem", &key)], &[":2:", "http.tls_certificate"]);
    check(
        tls,
        &[("cert.pem", &key), ("key.pem", &key)],
        &["holds no certificate"],
    );
    check(
        "[http]\ntls_key = \"key.pem\"\n",
        &[],
        &[":2:", "http.tls_key", "tls_certificate"],
    );
    check(
        "[http]\ntls_certificate = \"c\"\n",
        &[],
        &[":2:", "http.tls_certificate", "tls_key"],
    );
    check(
        "[http]\nlisten = \"0.0.0.0:80\"\n",
        &[],
        &[":2:", "http.listen", "tokens_file", "allow_anonymous"],
    );
    check(
        "[http]\nallow_anonymous = true\ntokens_file = \"tokens\"\n",
        &[("tokens", &tokens)],
        &[":2:", "http.allow_anonymous"],
    );
    for (limit, key) in [
        ("streams = 300", "streams"),
        ("connections = 0", "connections"),
        ("header_time = \"1ms\"", "header_time"),
        ("behind = 0", "behind"),
        ("page = 20000", "page"),
        ("request_kib = 0", "request_kib"),
    ] {
        check(
            &format!("[http.limits]\n{limit}\n"),
            &[],
            &[":2:", &format!("http.limits.{key}")],
        );
    }
    for good in [
        "[http]\nlisten = \"0.0.0.0:80\"\nallow_anonymous = true\n",
        "[http]\nlisten = \"0.0.0.0:80\"\ntokens_file = \"tokens\"\n",
    ] {
        assert!(door(good, &[("tokens", &tokens)]).is_ok(), "{good}");
    }
}
