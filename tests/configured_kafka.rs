//! The client's properties in the configuration, secrets among them, and a broker that does not answer.
#![allow(clippy::unwrap_used)]

mod city;

use std::path::Path;
use std::time::{Duration, Instant};

use city::folder::{Expect, Folder};

#[test]
fn kafka_properties_pass_through_but_for_our_own() {
    let mut expect = Expect::default();
    for own in [
        "group.id",
        "transactional.id",
        "isolation.level",
        "enable.auto.commit",
        "enable.idempotence",
    ] {
        let config = format!("[kafka.properties]\n\"client.id\" = \"x\"\n\"{own}\" = \"x\"\n");
        let folder = Folder::new(&config);
        expect.bad(own, folder.check(), &["cityops.toml:3:", own]);
        expect.bad(own, folder.run(&["run"], &[]), &["cityops.toml:3:", own]);
    }
    let folder = Folder::new(
        "[kafka.properties]\n\"linger.ms\" = 5\n\"client.id\" = \"x\"\n\"socket.keepalive.enable\" = true\n",
    );
    let (code, out, err) = folder.run(
        &["check", "--print"],
        &[("CITYOPS__KAFKA__PROPERTIES__STATISTICS_INTERVAL_MS", "60000")],
    );
    assert_eq!(code, Some(0), "{err}");
    for line in [
        "\"linger.ms\" = \"5\"",
        "\"socket.keepalive.enable\" = \"true\"",
        "\"statistics.interval.ms\" = \"60000\"",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    let config = "[kafka.properties]\n\"bootstrap.servers\" = \"x:1\"\n";
    expect.bad(
        config,
        Folder::new(config).check(),
        &["cityops.toml:2:", "bootstrap.servers", "bootstrap_servers"],
    );
}

#[test]
fn a_property_that_the_client_does_not_take_is_told_without_its_value() {
    let mut expect = Expect::default();
    for (property, value, said) in [
        ("sasl.pasword", "opensesame", "\"sasl.password\""),
        ("fetch.wait.max.ms", "opensesame", "0 .. 300000"),
        (
            "security.protocol",
            "plaintex",
            "the nearest valid one is \"plaintext\"",
        ),
        ("sasl.mechanism", "PLAIM", "GSSAPI, PLAIN"),
    ] {
        let protocol = match property {
            "sasl.mechanism" => "\"security.protocol\" = \"SASL_PLAINTEXT\"",
            _ => "\"client.id\" = \"x\"",
        };
        let config = format!("[kafka.properties]\n{protocol}\n\"{property}\" = \"{value}\"\n");
        for command in ["check", "run", "ledger"] {
            let told = Folder::new(&config).run(&[command], &[]);
            assert!(!told.2.contains("opensesame"), "{}", told.2);
            expect.bad(property, told, &["cityops.toml:3:", property, said]);
        }
    }
    // Each is good by itself.
    let config = "[kafka.properties]\n\"receive.message.max.bytes\" = 1000\n\"fetch.max.bytes\" = 2000000\n";
    for command in ["check", "run"] {
        let told = Folder::new(config).run(&[command], &[]);
        expect.bad(config, told, &["cityops.toml:2:", "receive.message.max.bytes"]);
    }
}

#[test]
fn what_needs_tls_is_taken_or_refused_as_it_was_built() {
    let mut expect = Expect::default();
    let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/schema-registry/tests/tls/ca.pem");
    let folder = Folder::new(
        "[kafka.properties]\n\"ssl.ca.location\" = \"tls/ca.pem\"\n\"security.protocol\" = \"SASL_SSL\"\n\
         \"sasl.mechanism\" = \"SCRAM-SHA-512\"\n\"sasl.username\" = \"x\"\n\"sasl.password\" = \"opensesame\"\n",
    );
    let without_file = folder.check();
    folder.write("tls/ca.pem", std::fs::read(ca).unwrap());
    if kafka_log::client::has_tls() {
        expect.bad(
            "no file",
            without_file,
            &["cityops.toml:2:", "ssl.ca.location", "tls/ca.pem"],
        );
        assert_eq!(folder.check().0, Some(0), "{:?}", folder.check());
    } else {
        for command in ["check", "run", "audit"] {
            let told = folder.run(&[command], &[]);
            expect.bad(
                command,
                told,
                &[
                    "cityops.toml:3:",
                    "security.protocol",
                    "--features kafka-tls",
                    "构建",
                ],
            );
        }
    }
}

#[test]
fn check_prints_the_effective_configuration_without_secrets() {
    let mut expect = Expect::default();
    let of_tls = match kafka_log::client::has_tls() {
        true => "\"ssl.key.password\" = \"opensesame\"\n\"ssl.keystore.password\" = \"opensesame\"\n",
        false => "",
    };
    let folder = Folder::new(&format!(
        "[kafka.properties]\n\"sasl.password\" = \"opensesame\"\n\"sasl.oauthbearer.config\" = \"opensesame\"\n\
         \"client.id\" = \"seen\"\n{of_tls}"
    ));
    for command in [
        &["check", "--print"][..],
        &["check"],
        &["--json", "check"],
        &["--log", "trace", "check", "--print"],
    ] {
        let (code, out, err) = folder.run(command, &[]);
        assert_eq!(code, Some(0), "{err}");
        assert!(
            !out.contains("opensesame") && !err.contains("opensesame"),
            "{out}\n{err}"
        );
    }
    let (_, out, _) = folder.run(&["check", "--print"], &[]);
    assert!(
        out.contains("client.id") && out.contains("seen") && out.contains("***"),
        "{out}"
    );
    // What is printed is a configuration that says the same.
    let printed = Folder::new(&out.replace("***", "opensesame"));
    assert_eq!(printed.run(&["check", "--print"], &[]).1, out);
    // A secret may stand in a file of its own.
    let folder = Folder::new("[kafka.properties]\n\"sasl.password_file\" = \"secret/password\"\n");
    expect.bad(
        "no file",
        folder.check(),
        &["cityops.toml:2:", "sasl.password_file", "secret/password"],
    );
    folder.write("secret/password", "opensesame\n");
    let (code, out, err) = folder.run(&["check", "--print"], &[]);
    assert_eq!(code, Some(0), "{err}");
    assert!(!out.contains("opensesame"), "{out}");
}

#[test]
fn beyond_this_machine_reporters_need_a_key_of_the_citys_own() {
    let mut expect = Expect::default();
    let text = "[kafka]\nbootstrap_servers = \"kafka.invalid:9092\"\n";
    for command in ["check", "run"] {
        let told = Folder::new(text).run(&[command], &[]);
        expect.bad(
            command,
            told,
            &[
                "cityops.toml:2:",
                "privacy.reporter_key_file",
                "allow_known_key",
                "密钥",
            ],
        );
    }
    let meant = Folder::new(&format!("{text}[privacy]\nallow_known_key = true\n"));
    let with_key = Folder::new(&format!("{text}[privacy]\nreporter_key_file = \"key\"\n"));
    with_key.write("key", "0123456789abcdef");
    let here = Folder::new("[kafka]\nbootstrap_servers = \"127.0.0.1:9092\"\n");
    for good in [meant, with_key, here] {
        let (code, _, err) = good.check();
        assert_eq!(code, Some(0), "{err}");
    }
}

#[test]
fn a_broker_that_does_not_answer_is_told() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let folder = Folder::new(&format!(
        "[kafka]\nbootstrap_servers = \"127.0.0.1:{port}\"\n[http]\nlisten = \"127.0.0.1:0\"\n"
    ));
    std::thread::scope(|scope| {
        for command in [&["run"][..], &["ledger"], &["audit"], &["topics", "apply"]] {
            let folder = &folder;
            scope.spawn(move || {
                let started = Instant::now();
                let (code, _, err) = folder.run(command, &[]);
                assert_eq!(code, Some(69), "{command:?}: {err}");
                assert!(err.contains(&format!("127.0.0.1:{port}")), "{command:?}: {err}");
                assert!(
                    started.elapsed() < Duration::from_secs(35),
                    "{command:?}: {:?}",
                    started.elapsed()
                );
            });
        }
    });
}
