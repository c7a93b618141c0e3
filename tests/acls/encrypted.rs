//! Kafka by TLS: with passwords (SCRAM) and with certificates, the authorizer on; and what is said where a secret or a certificate
//! is not the right one.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::acl_requests::{Granting, Right};
use crate::city::folder::Folder;
use crate::city::openssl::openssl;
use crate::city::town::{SOUTH_WEST, Town, report, two_cells};
use crate::city::web;
use crate::{PREFIX, script, started};
use kafka_log::Properties;
use kafka_log::produce::Sender;

/// A password that stands in no message by chance.
const PASSWORD: &str = "opensesame-4711";

/// Authorities, and certificates that they have signed, in a folder.
struct Authority {
    dir: tempfile::TempDir,
}

impl Authority {
    fn new() -> Authority {
        let it = Authority {
            dir: tempfile::tempdir().unwrap(),
        };
        for name in ["ca", "other"] {
            openssl(
                it.dir.path(),
                &format!(
                    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN={name} -keyout {name}.key -out {name}.pem"
                ),
            );
        }
        std::fs::write(it.path("san"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        it.sign("server", "broker", "ca", "30 -extfile san");
        let parts = ["server.key", "server.crt", "ca.pem"]
            .map(|name| std::fs::read_to_string(it.path(name)).unwrap());
        std::fs::write(it.path("server.pem"), parts.concat()).unwrap();
        it.sign("worker", "worker", "ca", "30");
        it.sign("sre", "sre", "ca", "30");
        it.sign("expired", "worker", "ca", "-1");
        it.sign("stranger", "worker", "other", "30");
        it
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A key and a certificate `NAME.crt` that is good for so many days.
    fn sign(&self, name: &str, common: &str, authority: &str, days: &str) {
        openssl(
            self.dir.path(),
            &format!(
                "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={common} -keyout {name}.key -out {name}.csr"
            ),
        );
        openssl(
            self.dir.path(),
            &format!(
                "x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}.key -CAcreateserial -out {name}.crt -days {days}"
            ),
        );
    }

    /// The properties of who comes with a password.
    fn by_password(&self, user: &str) -> Vec<(&'static str, String)> {
        vec![
            ("security.protocol", "SASL_SSL".to_owned()),
            ("ssl.ca.location", self.text("ca.pem")),
            ("sasl.mechanism", "SCRAM-SHA-512".to_owned()),
            ("sasl.username", user.to_owned()),
            ("sasl.password", PASSWORD.to_owned()),
        ]
    }

    /// The properties of who comes with a certificate.
    fn by_certificate(&self, name: &str) -> Vec<(&'static str, String)> {
        vec![
            ("security.protocol", "SSL".to_owned()),
            ("ssl.ca.location", self.text("ca.pem")),
            ("ssl.certificate.location", self.text(&format!("{name}.crt"))),
            ("ssl.key.location", self.text(&format!("{name}.key"))),
        ]
    }
}

struct Broker {
    run: PathBuf,
    /// Where everyone may do everything.
    bootstrap: String,
}

impl Broker {
    fn start(authority: &Authority) -> Broker {
        let run = std::env::temp_dir().join(format!("cityops-tls-{}", std::process::id()));
        let users = ["worker", "sre"].map(|user| format!("{user}={PASSWORD}"));
        let tls = authority.dir.path().display().to_string();
        let bootstrap = started(&run, &["--tls", &tls, "--scram", &users[0], "--scram", &users[1]]);
        Broker { run, bootstrap }
    }

    fn at(&self, listener: &str) -> String {
        let address = std::fs::read_to_string(self.run.join(listener)).unwrap();
        address.trim().to_owned()
    }

    fn tell(&self, id: &str) {
        let properties = Properties::from([("bootstrap.servers".to_owned(), self.bootstrap.clone())]);
        let sender = Sender::new(&properties).unwrap();
        report(&sender, PREFIX, id, "暴露垃圾", SOUTH_WEST);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = script("stop").arg("--remove").arg(&self.run).status();
    }
}

fn folder(address: &str, properties: &[(&str, String)]) -> Folder {
    let lines: String = properties
        .iter()
        .map(|(name, value)| format!("\"{name}\" = \"{value}\"\n"))
        .collect();
    let folder = Folder::new(&format!(
        "[[grid.layers]]\nname = \"duty\"\n[[grid.layers.levels]]\nlevel = \"duty_cell\"\nfile = \"grid.geojson\"\n\
         [kafka]\nbootstrap_servers = \"{address}\"\ntopic_prefix = \"{PREFIX}\"\nsession_timeout = \"6s\"\n\
         [topics]\nsource_partitions = 1\nenriched_partitions = 1\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [reload]\nwatch = \"off\"\n[kafka.properties]\n{lines}"
    ));
    folder.write("grid.geojson", two_cells());
    folder
}

/// The rights of workers and those who run them, as they are printed.
fn grant(broker: &Broker, sre: &Folder) {
    let command = [
        "--json",
        "topics",
        "plan",
        "--acls",
        "--principal",
        "worker=User:worker",
        "--principal",
        "sre=User:sre",
    ];
    let (code, out, err) = sre.run(&command, &[]);
    assert_eq!(code, Some(0), "{err}");
    let mut rights = Right::of_printed(&out);
    rights.retain(|right| ["User:worker", "User:sre"].contains(&right.principal.as_str()));
    Granting::at(&broker.bootstrap).grant(&rights);
}

#[test]
fn with_passwords_and_with_certificates_the_city_works_and_what_is_wrong_is_named() {
    assert!(
        kafka_log::client::has_tls(),
        "run the tests by tests/run, which builds with kafka-tls"
    );
    let authority = Authority::new();
    let broker = Broker::start(&authority);
    let (scram, mtls) = (broker.at("bootstrap-scram"), broker.at("bootstrap-mtls"));
    let sre = folder(&scram, &authority.by_password("sre"));
    grant(&broker, &sre);
    // A right shows at the broker a moment after it was granted.
    web::wait("topics are there", Path::new("/dev/null"), || {
        sre.run(&["topics", "apply"], &[]).0 == Some(0)
    });
    for (id, who) in [
        ("by-password", folder(&scram, &authority.by_password("worker"))),
        (
            "by-certificate",
            folder(&mtls, &authority.by_certificate("worker")),
        ),
    ] {
        let (code, out, err) = who.check();
        assert_eq!(code, Some(0), "{out}{err}");
        let process = Town::run(&who);
        broker.tell(id);
        let log = who.dir.path().join("cityops.log");
        web::wait(id, &log, || {
            let address = web::address(&log).unwrap();
            web::incidents(&address)
                .iter()
                .any(|incident| incident.to_string().contains(id))
        });
        assert_eq!(process.terminate(), Some(0));
        let log = std::fs::read_to_string(&log).unwrap();
        assert!(!log.contains(PASSWORD), "{log}");
    }
    let by_certificate = folder(&mtls, &authority.by_certificate("sre"));
    for who in [&sre, &by_certificate] {
        let (code, out, err) = who.run(&["--json", "ledger"], &[]);
        assert_eq!(code, Some(0), "{err}");
        assert_eq!(
            serde_json::from_str::<Value>(&out).unwrap()["consumed"],
            2,
            "{out}"
        );
        assert_eq!(who.run(&["audit"], &[]).0, Some(0));
    }
    each_mistake_is_named(&authority, &broker);
}

fn each_mistake_is_named(authority: &Authority, broker: &Broker) {
    let (scram, mtls) = (broker.at("bootstrap-scram"), broker.at("bootstrap-mtls"));
    let but = |mut properties: Vec<(&'static str, String)>, name: &str, value: &str| {
        let found = properties.iter_mut().find(|(known, _)| *known == name);
        value.clone_into(&mut found.unwrap().1);
        properties
    };
    let by_name = |address: &str| address.replace("127.0.0.1", "localhost");
    let other = authority.text("other.pem");
    let (scram_as, certificate_of) = (
        |user| authority.by_password(user),
        |name| authority.by_certificate(name),
    );
    let without_certificate: Vec<_> = certificate_of("worker").into_iter().take(2).collect();
    let plain = vec![("client.id", "plain".to_owned())];
    let mistakes = [
        (
            "another authority",
            folder(&scram, &but(scram_as("worker"), "ssl.ca.location", &other)),
            "ssl.ca.location",
        ),
        (
            "another authority, by certificate",
            folder(&mtls, &but(certificate_of("worker"), "ssl.ca.location", &other)),
            "ssl.ca.location",
        ),
        (
            "another name",
            folder(&by_name(&scram), &scram_as("worker")),
            "the name in bootstrap_servers",
        ),
        (
            "a wrong password",
            folder(
                &scram,
                &but(scram_as("worker"), "sasl.password", "opensesame-4712"),
            ),
            "sasl.password",
        ),
        (
            "no such user",
            folder(&scram, &scram_as("nobody")),
            "sasl.username",
        ),
        (
            "no certificate",
            folder(&mtls, &without_certificate),
            "wants a certificate",
        ),
        (
            "an expired certificate",
            folder(&mtls, &certificate_of("expired")),
            "it has expired",
        ),
        (
            "a stranger's certificate",
            folder(&mtls, &certificate_of("stranger")),
            "signed by no authority",
        ),
        ("plain text to TLS", folder(&scram, &plain), "wants TLS"),
        (
            "TLS to plain text",
            folder(&broker.bootstrap, &scram_as("worker")),
            "speaks no TLS",
        ),
    ];
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let tries = mistakes.iter().map(|(what, folder, words)| {
            scope.spawn(move || {
                let (code, _, err) = folder.run(&["run"], &[]);
                println!("{what}: {}", err.trim_end());
                let last = err.trim_end().lines().last().unwrap_or_default();
                let good = code == Some(69)
                    && last.contains(words)
                    && !err.contains("opensesame")
                    && err.trim_end().lines().count() == 1;
                (!good).then(|| format!("{what}: exit {code:?}, no {words} in: {err}"))
            })
        });
        let tries: Vec<_> = tries.collect();
        tries
            .into_iter()
            .filter_map(|each| each.join().unwrap())
            .collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
