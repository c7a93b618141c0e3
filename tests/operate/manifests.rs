//! What a city is deployed by: files that parse, name what exists, and ask for no more rights than they need. No engine and no
//! cluster is asked; what only those can tell is said in `deploy/README.md`.

use std::path::{Path, PathBuf};

use yaml_rust2::Yaml;

use crate::alerts::yaml;
use crate::city::openssl::openssl;
use crate::city::{cityops, expect, succeed};
use crate::deploy;

/// The program is content with a configuration, whose secrets lie elsewhere here.
fn check_config(text: &str) {
    let dir = tempfile::tempdir().unwrap();
    let (config, key) = (dir.path().join("cityops.toml"), dir.path().join("reporter.key"));
    let tokens = dir.path().join("tokens");
    std::fs::write(&config, text).unwrap();
    std::fs::write(&key, "sixteen bytes or more").unwrap();
    std::fs::write(&tokens, format!("desk sha256:{}\n", "0".repeat(64))).unwrap();
    let mut check = cityops(&["check", "--config", &config.display().to_string()]);
    check.env("CITYOPS__PRIVACY__REPORTER_KEY_FILE", &key);
    if text.contains("tokens_file") {
        check.env("CITYOPS__HTTP__TOKENS_FILE", &tokens);
    }
    if text.contains("sasl.password_file") {
        check.env("CITYOPS__KAFKA__PROPERTIES__SASL_PASSWORD_FILE", &key);
        check.env(
            "CITYOPS__KAFKA__PROPERTIES__SSL_CA_LOCATION",
            authority(dir.path()),
        );
    }
    succeed(&mut check);
}

/// An authority's certificate, for the client library reads it.
fn authority(dir: &Path) -> PathBuf {
    openssl(
        dir,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=authority -keyout kafka-ca.key -out kafka-ca.pem",
    );
    dir.join("kafka-ca.pem")
}

/// `name:tag`, from wherever the site has its images.
fn check_image(image: &str) {
    let (name, tag) = image
        .rsplit_once(':')
        .unwrap_or_else(|| panic!("{image} has no tag"));
    assert!(tag != "latest" && !tag.contains('/'), "{image}");
    let host = name.split('/').next().unwrap();
    assert!(!host.contains(['.', ':']), "{image} names a host");
}

pub(crate) fn list<'a>(node: &'a Yaml, what: &str) -> &'a [Yaml] {
    node.as_vec().unwrap_or_else(|| panic!("{what} is no list"))
}

fn texts(node: &Yaml) -> Vec<&str> {
    node.as_vec()
        .into_iter()
        .flatten()
        .filter_map(Yaml::as_str)
        .collect()
}

#[test]
fn every_yaml_file_parses() {
    let mut folders = vec![deploy("")];
    let mut parsed = 0;
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
                assert!(
                    yaml(&path).iter().all(|document| document.as_hash().is_some()),
                    "{}",
                    path.display()
                );
                parsed += 1;
            }
        }
    }
    assert!(parsed > 20, "{parsed} files");
}

#[test]
fn the_image_is_built_by_tag_and_runs_as_nobody() {
    let text = std::fs::read_to_string(deploy("container/Dockerfile")).unwrap();
    let stages: Vec<&str> = text.split("\nFROM ").skip(1).collect();
    assert_eq!(stages.len(), 2, "a stage that builds and one that runs");
    for stage in &stages {
        check_image(stage.split_whitespace().next().unwrap());
    }
    for step in ["cargo build ", "deploy/sbom "] {
        let line = stages[0]
            .lines()
            .find(|line| line.starts_with("RUN") && line.contains(step));
        assert!(
            line.unwrap().contains(" --features kafka-tls-vendored "),
            "{step}: TLS to Kafka"
        );
    }
    let last = stages[1];
    assert!(
        last.contains("\nUSER 10001:10001\n") && last.contains("--from=build"),
        "{last}"
    );
    assert!(!last.contains("\nRUN "), "the stage that runs installs nothing");
    let arguments = last.split("\nCMD ").nth(1).unwrap();
    assert_eq!(
        arguments.trim(),
        r#"["run", "--config", "/etc/cityops/cityops.toml"]"#
    );
    // What the build reads is what the ignore file lets through.
    let through = std::fs::read_to_string(deploy("container/Dockerfile.dockerignore")).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for kept in through.lines().filter_map(|line| line.strip_prefix('!')) {
        assert!(root.join(kept).exists(), "{kept}");
    }
}

#[test]
fn the_compose_file_names_what_exists() {
    let file = deploy("compose/compose.yaml");
    let compose = yaml(&file).remove(0);
    let services = compose["services"].as_hash().unwrap();
    for (name, service) in services {
        let name = name.as_str().unwrap();
        let base = merged(service);
        check_image(
            base("image")
                .as_str()
                .unwrap_or_else(|| panic!("{name} has no image")),
        );
        for volume in texts(&base("volumes")) {
            let source = volume.split(':').next().unwrap();
            let found = if source.starts_with('.') {
                file.parent().unwrap().join(source).exists()
            } else {
                !compose["volumes"][source].is_badvalue()
            };
            assert!(found, "{name}: {volume}");
        }
        for (needed, _) in service["depends_on"].as_hash().into_iter().flatten() {
            assert!(services.contains_key(needed), "{name} needs {needed:?}");
        }
        if base("image").as_str().unwrap().starts_with("cityops:") {
            assert_eq!(base("read_only").as_bool(), Some(true), "{name}");
            assert_eq!(base("user").as_str(), Some("10001:10001"), "{name}");
            assert_eq!(texts(&base("cap_drop")), ["ALL"], "{name}");
            assert_eq!(texts(&base("security_opt")), ["no-new-privileges:true"], "{name}");
            let build = base("build");
            let context = file.parent().unwrap().join(build["context"].as_str().unwrap());
            assert!(
                context.join(build["dockerfile"].as_str().unwrap()).exists(),
                "{name}"
            );
        }
    }
    check_config(&std::fs::read_to_string(deploy("compose/cityops.toml")).unwrap());
}

/// A key of a service, or of what it is merged with.
fn merged(service: &Yaml) -> impl Fn(&str) -> Yaml + '_ {
    move |key| {
        let own = &service[key];
        let found = if own.is_badvalue() {
            &service["<<"][key]
        } else {
            own
        };
        found.clone()
    }
}

/// The manifests of the cluster, by their kind.
pub(crate) fn manifests() -> Vec<(String, Yaml)> {
    let files = [
        "cityops",
        "autoscaling",
        "network",
        "monitoring",
        "secrets.example",
    ];
    let documents = files
        .iter()
        .flat_map(|file| yaml(&deploy(&format!("kubernetes/{file}.yaml"))));
    let named = documents.map(|document| (document["kind"].as_str().unwrap().to_owned(), document));
    let named: Vec<(String, Yaml)> = named.collect();
    for (kind, document) in &named {
        let name = if kind == "Secret" {
            "cityops-secrets"
        } else {
            "cityops"
        };
        assert_eq!(document["metadata"]["name"].as_str(), Some(name), "{kind}");
        assert!(document["apiVersion"].as_str().is_some(), "{kind}");
    }
    named
}

#[test]
fn the_cluster_runs_it_without_rights_and_asks_how_it_is() {
    let manifests = manifests();
    let of = |kind: &str| &manifests.iter().find(|(found, _)| found == kind).unwrap().1;
    let deployment = of("Deployment");
    let pod = &deployment["spec"]["template"];
    let spec = &pod["spec"];
    let labels = &pod["metadata"]["labels"];
    for selector in [
        &deployment["spec"]["selector"]["matchLabels"],
        &of("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        &of("Service")["spec"]["selector"],
    ] {
        assert_eq!(selector, labels);
    }
    assert_eq!(spec["securityContext"]["runAsNonRoot"].as_bool(), Some(true));
    assert_eq!(spec["automountServiceAccountToken"].as_bool(), Some(false));
    let container = &list(&spec["containers"], "containers")[0];
    check_image(container["image"].as_str().unwrap());
    let rights = &container["securityContext"];
    assert_eq!(rights["readOnlyRootFilesystem"].as_bool(), Some(true));
    assert_eq!(rights["allowPrivilegeEscalation"].as_bool(), Some(false));
    assert_eq!(texts(&rights["capabilities"]["drop"]), ["ALL"]);
    for (probe, path) in [
        ("startupProbe", "/livez"),
        ("livenessProbe", "/livez"),
        ("readinessProbe", "/readyz"),
    ] {
        assert_eq!(container[probe]["httpGet"]["path"].as_str(), Some(path));
    }
    for what in ["requests", "limits"] {
        assert!(
            container["resources"][what]["memory"].as_str().is_some(),
            "{what}"
        );
    }
    let config = of("ConfigMap")["data"]["cityops.toml"].as_str().unwrap();
    check_config(config);
    let parsed: toml::Table = config.parse().unwrap();
    let number = |section: &str, key: &str| parsed[section][key].as_integer().unwrap();
    let port = list(&container["ports"], "ports")[0]["containerPort"]
        .as_i64()
        .unwrap();
    assert_eq!(
        parsed["http"]["listen"].as_str(),
        Some(&*format!("0.0.0.0:{port}"))
    );
    let timeout: i64 = parsed["kafka"]["shutdown_timeout"]
        .as_str()
        .unwrap()
        .trim_end_matches('s')
        .parse()
        .unwrap();
    let waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        .as_i64()
        .unwrap();
    assert!(spec["terminationGracePeriodSeconds"].as_i64().unwrap() >= waits + timeout + 5);
    let scaling = &of("HorizontalPodAutoscaler")["spec"];
    assert_eq!(scaling["scaleTargetRef"]["kind"].as_str(), Some("Deployment"));
    let loops = scaling["maxReplicas"].as_i64().unwrap() * number("kafka", "loops");
    assert_eq!(
        loops,
        number("topics", "source_partitions"),
        "a loop for each partition, and none more"
    );
    assert_eq!(scaling["minReplicas"], deployment["spec"]["replicas"]);
    check_mounts(container, spec);
}

/// Every mount has its volume, and what the configuration names lies in one.
fn check_mounts(container: &Yaml, spec: &Yaml) {
    let volumes: Vec<&str> = list(&spec["volumes"], "volumes")
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    let mounts = list(&container["volumeMounts"], "volumeMounts");
    for mount in mounts {
        assert!(volumes.contains(&mount["name"].as_str().unwrap()), "{mount:?}");
        assert_eq!(mount["readOnly"].as_bool(), Some(true), "{mount:?}");
    }
    let arguments = texts(&container["args"]);
    let paths: Vec<&str> = mounts.iter().filter_map(|it| it["mountPath"].as_str()).collect();
    for named in [
        arguments[2],
        "/etc/cityops-secret/reporter.key",
        "/etc/cityops-secret/tokens",
        "/etc/cityops-secret/kafka.password",
        "/etc/cityops-secret/kafka-ca.pem",
    ] {
        let parent = PathBuf::from(named);
        let parent = parent.parent().unwrap().display().to_string();
        assert!(paths.contains(&&*parent), "{named} is mounted nowhere");
    }
}

#[test]
fn the_unit_runs_the_program_and_gives_it_nothing_more() {
    let text = std::fs::read_to_string(deploy("systemd/cityops.service")).unwrap();
    let value = |key: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("there is no {key}"))
    };
    assert_eq!(
        value("ExecStart"),
        "/usr/local/bin/cityops run --config /etc/cityops/cityops.toml"
    );
    assert_eq!(value("ExecReload"), "/bin/kill -HUP $MAINPID");
    for (key, wanted) in [
        ("DynamicUser", "yes"),
        ("ProtectSystem", "strict"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("PrivateTmp", "yes"),
        ("RestartPreventExitStatus", "2 78"),
    ] {
        assert_eq!(value(key), wanted, "{key}");
    }
    let stop: u64 = value("TimeoutStopSec").trim_end_matches('s').parse().unwrap();
    let shown = expect(
        0,
        &[
            "check",
            "--print",
            "--config",
            &minimal().path().join("cityops.toml").display().to_string(),
        ],
    );
    assert!(
        shown.contains("shutdown_timeout = \"30s\"") && stop > 30,
        "{shown}"
    );
}

fn minimal() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("cityops.toml"), "").unwrap();
    dir
}
