//! The bill of materials: every crate of others whose code is in the program is in it, with the lock's hash, and the same lock gives the same
//! bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::deploy;

/// The features that the program was built with here.
const FEATURES: &str = if cfg!(feature = "kafka-tls") {
    "kafka-tls"
} else {
    ""
};

fn bill(features: &str) -> Vec<u8> {
    let mut sbom = Command::new(deploy("sbom"));
    let output = sbom.args(["--features", features]).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    output.stdout
}

/// The crates that the program's own debug information names, as `name-version`.
fn in_the_program() -> BTreeSet<String> {
    let pattern = "/registry/src/[^/]+-[0-9a-f]{16}/[A-Za-z0-9_.+-]+/";
    let mut grep = Command::new("grep");
    grep.args(["-a", "-o", "-E", pattern, env!("CARGO_BIN_EXE_cityops")]);
    let found = String::from_utf8(grep.env("LC_ALL", "C").output().unwrap().stdout).unwrap();
    let crates = found.lines().map(|path| path.trim_end_matches('/'));
    crates
        .filter_map(|path| Some(path.rsplit_once('/')?.1.to_owned()))
        .collect()
}

/// Hashes of the lock file, by `name-version`.
fn locked() -> BTreeMap<String, Option<String>> {
    let lock: toml::Table = std::fs::read_to_string("Cargo.lock").unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let text = |name: &str| package.get(name).and_then(toml::Value::as_str).map(str::to_owned);
            let name = format!("{}-{}", text("name").unwrap(), text("version").unwrap());
            (name, text("checksum"))
        })
        .collect()
}

#[test]
fn the_bill_of_materials_has_all_that_is_in_the_program() {
    let bytes = bill(FEATURES);
    assert!(bytes == bill(FEATURES), "the same lock gives other bytes");
    let told: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        (&told["bomFormat"], &told["specVersion"]),
        (&"CycloneDX".into(), &"1.5".into())
    );
    assert_eq!(told["metadata"]["component"]["name"], "cityops");

    let locked = locked();
    let mut required = BTreeSet::new();
    let mut refs = BTreeSet::from([told["metadata"]["component"]["bom-ref"].as_str().unwrap()]);
    for part in told["components"].as_array().unwrap() {
        let name = format!(
            "{}-{}",
            part["name"].as_str().unwrap(),
            part["version"].as_str().unwrap()
        );
        assert!(refs.insert(part["bom-ref"].as_str().unwrap()), "{name} twice");
        assert_eq!(part["bom-ref"], part["purl"], "{name}");
        assert!(part["purl"].as_str().unwrap().starts_with("pkg:cargo/"), "{name}");
        assert_eq!(
            part["hashes"][0]["content"].as_str(),
            locked[&name].as_deref(),
            "{name}"
        );
        let licence = part["licenses"][0]["expression"].as_str();
        assert!(licence.is_some_and(|licence| !licence.is_empty()), "{name}");
        if part["scope"] == "required" {
            required.insert(name);
        }
    }
    let linked = in_the_program();
    assert!(linked.len() > 100, "{linked:?}");
    let missing: Vec<_> = linked.difference(&required).collect();
    assert!(
        missing.is_empty(),
        "in the program and not in the bill: {missing:?}"
    );
    // The C library that talks to Kafka, by its own version.
    let kafka = told["components"].as_array().unwrap().iter();
    let kafka = kafka.clone().find(|part| part["name"] == "rdkafka-sys").unwrap();
    let (_, version) = kafka["version"].as_str().unwrap().split_once('+').unwrap();
    assert_eq!(kafka["components"][0]["version"], version);
    let brought: BTreeSet<&str> = (told["components"].as_array().unwrap().iter())
        .filter_map(|part| part["components"][0]["name"].as_str())
        .collect();
    assert_eq!(
        brought,
        BTreeSet::from(["librdkafka", "mimalloc", "zlib", "zstd"])
    );
    for node in told["dependencies"].as_array().unwrap() {
        for on in node["dependsOn"].as_array().unwrap() {
            assert!(refs.contains(on.as_str().unwrap()), "{on}");
        }
    }
}

/// Of an OpenSSL that is compiled along the bill says the version; one of the system's is the system's.
#[test]
fn the_bill_of_the_image_has_its_openssl() {
    let versions = |features: &str| -> Vec<String> {
        let told: Value = serde_json::from_slice(&bill(features)).unwrap();
        let parts = told["components"].as_array().unwrap().iter();
        let inner = parts.flat_map(|part| part["components"].as_array().cloned().unwrap_or_default());
        let openssl = inner.filter(|part| part["name"] == "openssl");
        openssl
            .map(|part| part["version"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(versions("kafka-tls"), [""; 0]);
    let own = versions("kafka-tls-vendored");
    assert!(own.len() == 1 && own[0].starts_with("3."), "{own:?}");
}
