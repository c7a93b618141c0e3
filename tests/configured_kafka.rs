//! The client's properties in the configuration, secrets among them, and a broker that does not answer.
#![allow(clippy::unwrap_used)]

mod city;

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
        &[("CITYOPS__KAFKA__PROPERTIES__SSL_CA_LOCATION", "ca.pem")],
    );
    assert_eq!(code, Some(0), "{err}");
    for line in [
        "\"linger.ms\" = \"5\"",
        "\"socket.keepalive.enable\" = \"true\"",
        "\"ssl.ca.location\" = \"ca.pem\"",
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
    for (property, value) in [
        ("sasl.pasword", "opensesame"),
        ("fetch.wait.max.ms", "opensesame"),
    ] {
        let config = format!("[kafka.properties]\n\"client.id\" = \"x\"\n\"{property}\" = \"{value}\"\n");
        for command in ["run", "ledger"] {
            let told = Folder::new(&config).run(&[command], &[]);
            assert!(!told.2.contains("opensesame"), "{}", told.2);
            expect.bad(property, told, &["cityops.toml:3:", property]);
        }
    }
}

#[test]
fn check_prints_the_effective_configuration_without_secrets() {
    let mut expect = Expect::default();
    let folder = Folder::new(
        "[kafka.properties]\n\"sasl.password\" = \"opensesame\"\n\"ssl.key.password\" = \"opensesame\"\n\
         \"ssl.keystore.password\" = \"opensesame\"\n\"ssl.key.pem\" = \"opensesame\"\n\
         \"sasl.oauthbearer.client.secret\" = \"opensesame\"\n\"sasl.oauthbearer.config\" = \"opensesame\"\n\
         \"sasl.oauthbearer.assertion.private.key.passphrase\" = \"opensesame\"\n\"client.id\" = \"seen\"\n\
         \"sasl.pasword\" = \"opensesame\"\n\"sasl.oauthbearer.extensions\" = \"ticket=opensesame\"\n",
    );
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
