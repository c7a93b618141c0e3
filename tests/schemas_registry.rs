//! `cityops schemas` against a real registry: what is new, the same, compatible or refused, and that registering twice changes nothing.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use city::folder::Folder;
use city::registry::LocalRegistry;
use serde_json::Value;
use wire_format::Topic;

/// The subjects with their standings.
fn standings(told: &str) -> Vec<(String, String)> {
    let told: Value = serde_json::from_str(told).unwrap();
    let subjects = told["subjects"].as_array().unwrap().iter();
    subjects
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap().to_owned();
            (text("subject"), text("standing"))
        })
        .collect()
}

#[test]
fn schemas_are_compared_and_registered() {
    let folder = Folder::new("[kafka]\ntopic_prefix = \"town.\"\n[schemas]\ntimeout = \"5s\"\n");
    let schemas = |args: &[&str]| folder.run(&[&["--json", "schemas"], args].concat(), &[]);
    let (code, _, err) = schemas(&["check"]);
    assert_eq!(code, Some(78), "{err}");
    assert!(err.contains("schemas.registry"), "{err}");

    let registry = LocalRegistry::start("schemas");
    folder.write(
        "cityops.toml",
        format!(
            "[kafka]\ntopic_prefix = \"town.\"\n[schemas]\nregistry = \"{}\"\n",
            registry.address()
        ),
    );
    let (code, _, err) = schemas(&["register"]);
    assert_eq!(code, Some(69), "it is away: {err}");
    assert!(err.contains(&registry.listen), "{err}");
    registry.open_gate();

    let subjects: Vec<String> = Topic::ALL
        .iter()
        .filter_map(|topic| topic.subject())
        .map(|subject| format!("town.{subject}"))
        .collect();
    let all = |word: &str| -> Vec<(String, String)> {
        subjects
            .iter()
            .map(|subject| (subject.clone(), word.to_owned()))
            .collect()
    };
    for args in [&["check"][..], &["register", "--dry-run"], &["check"]] {
        let (code, out, err) = schemas(args);
        assert_eq!((code, standings(&out)), (Some(0), all("new")), "{err}");
    }

    // One that the subject's mode refuses keeps all others out.
    let reports = "town.city.reports.v1-value";
    let older = r#"{"type":"record","name":"Report","namespace":"cityops.v1","fields":[{"name":"event_id","type":"string"}]}"#;
    registry.register(reports, older);
    registry.set_mode(reports, "BACKWARD");
    let mut expected = all("new");
    for row in &mut expected {
        if row.0 == reports {
            row.1 = "incompatible".to_owned();
        }
    }
    for args in ["register", "check"] {
        let (code, out, err) = schemas(&[args]);
        assert_eq!((code, standings(&out)), (Some(3), expected.clone()), "{err}");
        assert!(
            out.contains("report_id") && out.contains("\"mode\":\"BACKWARD\""),
            "it says why: {out}"
        );
    }
    let (code, out, _) = folder.run(&["schemas", "check"], &[]);
    assert_eq!(code, Some(3));
    assert!(out.contains("incompatible  town.city.reports.v1-value"), "{out}");

    registry.set_mode(reports, "NONE");
    let (code, out, err) = schemas(&["register"]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out.matches("\"registered\":").count(), subjects.len(), "{out}");
    for args in ["register", "check"] {
        let (code, out, err) = schemas(&[args]);
        assert_eq!((code, standings(&out)), (Some(0), all("same")), "{err}");
        assert!(!out.contains("\"registered\":"), "a second time changes nothing");
    }
}
