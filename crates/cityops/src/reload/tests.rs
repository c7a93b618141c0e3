//! Reloading without a broker: what comes into force, and what a partition makes of it.

use std::fs;

use city_model::{EventTime, Input, Source};
use stream_worker::{Enrich, InputRecord, Outbox, Processor};
use wire_format::Topic;

use super::*;
use crate::assemble;

#[test]
fn good_files_come_into_force_and_others_leave_what_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cityops.toml");
    let rules = |text: &str| fs::write(dir.path().join("rules.toml"), text).unwrap();
    fs::write(
        &path,
        "[rules]\nfiles = [\"rules.toml\"]\n[reload]\nwatch = \"off\"\n",
    )
    .unwrap();
    rules("");
    let loaded = Loaded::read_with(&path, std::iter::empty()).unwrap();
    let setup = Arc::new(assemble::setup(&loaded, 2).unwrap());
    let in_force = Arc::new(InForce::new(Standing::of(setup.clone(), &["in".into()])));
    let metrics = Arc::new(Metrics::register(&prometheus::Registry::new()).unwrap());
    let mut reloading = Reloading::new(ReloadStart {
        path,
        loaded,
        in_force: in_force.clone(),
        metrics: metrics.clone(),
    });
    let version = || in_force.standing().1.activation.version.clone();
    let first = version();
    assert_eq!(reloading.reload(true), Some(ReloadResult::Unchanged));
    rules("[kinds.road_ponding]\nradius = ");
    assert_eq!(reloading.reload(true), Some(ReloadResult::Refused));
    assert_eq!((version(), in_force.standing().0), (first.clone(), 0));
    rules("[kinds.road_ponding]\nradius = 77\n");
    assert_eq!(reloading.reload(true), Some(ReloadResult::Applied));
    let (generation, standing) = in_force.standing();
    assert_eq!((generation, standing.activation.partitions.len()), (1, 1));
    assert_ne!(standing.activation.version, first);
    assert_eq!(reloading.reload(true), Some(ReloadResult::Unchanged));
    assert!(Arc::ptr_eq(&reloading.retired[0], &setup), "freed by this thread");
    let text = metrics.text(wall_clock()).unwrap();
    for line in [
        "cityops_reloads_total{result=\"applied\"} 1".to_owned(),
        "cityops_reloads_total{result=\"refused\"} 1".to_owned(),
        "cityops_reloads_total{result=\"unchanged\"} 2".to_owned(),
        "cityops_reload_refused{what=\"city\"} 0".to_owned(),
        format!(
            "cityops_config_info{{version=\"{}\"}} 1",
            standing.activation.version
        ),
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
}

fn standing(rules: &str) -> Standing {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cityops.toml");
    fs::write(&path, "[rules]\nfiles = [\"rules.toml\"]\n").unwrap();
    fs::write(dir.path().join("rules.toml"), rules).unwrap();
    let loaded = Loaded::read_with(&path, std::iter::empty()).unwrap();
    Standing::of(Arc::new(assemble::setup(&loaded, 2).unwrap()), &["in".into()])
}

/// The enriched log's inputs by partition, as words.
fn words(out: &mut Outbox) -> Vec<Vec<String>> {
    let word = |input: Input| match input {
        Input::Activation(activation) => activation.version.to_string(),
        Input::Event(event) => event.key.event_id.to_string(),
        other => format!("{other:?}"),
    };
    let partitions = std::mem::take(&mut out.inputs).into_values();
    partitions
        .map(|inputs| inputs.into_iter().map(word).collect())
        .collect()
}

#[test]
fn a_partition_announces_what_it_takes_before_what_it_judges_by_it() {
    let first = standing("");
    // A threshold that tells by which rules a reading was judged.
    let second = standing("[metrics.ponding_depth]\nalarm = 50\nclear = 40\n");
    let (old, new) = (
        first.activation.version.to_string(),
        second.activation.version.to_string(),
    );
    let in_force = Arc::new(InForce::new(first.clone()));
    let mut enrich = Enrich::following(in_force.clone(), Source::Sensor);
    let mut neighbour = Enrich::following(in_force.clone(), Source::Report);
    let mut out = Outbox::default();
    enrich.begin(&mut out);
    neighbour.begin(&mut out);
    assert_eq!(
        words(&mut out),
        [[old.as_str()], [old.as_str()]],
        "told once for both"
    );

    let judge = |enrich: &mut Enrich, id: &str, out: &mut Outbox| {
        let value = format!(
            r#"{{"event_id":"{id}","source_system":"iot","device_id":"{id}","metric":"ponding_depth","value":30,"unit":"cm",
            "observed_at":1790000000000,"location":{{"x":121.2277,"y":31.0322}}}}"#
        );
        let record = InputRecord {
            topic: Topic::Sensor,
            partition: 0,
            offset: 0,
            timestamp: EventTime::from_millis(1_790_000_000_000),
            key: None,
            value: Some(value.as_bytes()),
            headers: &[],
        };
        enrich.process(&record, out);
    };
    enrich.refresh(&mut out);
    assert!(out.is_empty(), "nothing new, nothing said");
    judge(&mut enrich, "a", &mut out);
    in_force.replace(second.clone());
    judge(&mut enrich, "b", &mut out);
    let told = words(&mut out).concat();
    assert_eq!(told, ["a", "b"], "a batch is judged by what it began with");

    enrich.refresh(&mut out);
    neighbour.refresh(&mut out);
    judge(&mut enrich, "c", &mut out);
    assert_eq!(
        words(&mut out),
        [[new.as_str()], [new.as_str()]],
        "30 cm are no alarm any more"
    );
    enrich.refresh(&mut out);
    assert!(out.inputs.is_empty(), "announced once");

    // Replaced while a partition is restored: it begins with what is in force then.
    let mut late = Enrich::following(in_force.clone(), Source::Video);
    in_force.replace(first);
    late.begin(&mut out);
    late.refresh(&mut out);
    assert_eq!(words(&mut out), [[old.as_str()], [old.as_str()]]);
}
