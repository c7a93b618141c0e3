//! The text that Prometheus reads: families told once, and nothing that nobody measured.

use std::collections::BTreeSet;

use city_model::{LedgerCell, Outcome};

use super::*;

/// Every sample belongs to a family with HELP and TYPE, told once and before it; the families' names.
fn families(text: &str) -> BTreeSet<String> {
    let (mut helped, mut typed, mut samples) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(helped.insert(name.to_owned()) && help.ends_with('.'), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let name = rest.split_once(' ').unwrap().0;
            assert!(helped.contains(name) && typed.insert(name.to_owned()), "{line}");
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            value.parse::<f64>().unwrap();
            assert!(samples.insert(series.to_owned()), "{line}");
            let name = series.split('{').next().unwrap();
            let base = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end));
            assert!(
                typed.contains(name) || base.is_some_and(|base| typed.contains(base)),
                "{line}"
            );
        }
    }
    typed
}

#[test]
fn shows_only_what_was_fed_and_each_family_once() {
    let registry = Registry::new();
    let metrics = Metrics::register(&registry).unwrap();
    let now = EventTime::from_millis(1_000);
    let names = families(&metrics.text(now).unwrap());
    assert!(
        names.contains("cityops_build_info") && names.contains("process_resident_memory_bytes"),
        "{names:?}"
    );
    assert_eq!(
        names.iter().filter(|name| name.starts_with("cityops_")).count(),
        1,
        "{names:?}"
    );
    assert!(Metrics::register(&registry).is_err());

    metrics.dead_letters(Source::Hotline, DeadLetterReason::BadJson, 1);
    metrics.located(Source::Report, Quality::Door, 3);
    metrics.incident_unreadable();
    metrics.set_config("old");
    metrics.set_config("c1");
    metrics.set_grid([("duty", "7"), ("police", "2")]);
    metrics.placed("duty", Placed::Snapped, 2);
    let components = "component_id,class,lon,lat\n1,bin,1,1\n2,bin,1,1\n".as_bytes();
    metrics.set_registry(&city_registry::Registry {
        components: city_registry::read_components(
            components,
            city_grid::Frame::anywhere(&Default::default()),
        )
        .unwrap()
        .entries,
        ..Default::default()
    });
    let text = metrics.text(now).unwrap();
    families(&text);
    for line in [
        "cityops_deadletters_total{reason=\"bad_json\",source=\"hotline\"} 1",
        "cityops_location_quality_total{quality=\"DOOR\",source=\"report\"} 3",
        "cityops_incidents_unreadable_total 1",
        "cityops_config_info{version=\"c1\"} 1",
        "cityops_grid_located_total{layer=\"duty\",status=\"snapped\"} 2",
        "cityops_grid_version_info{layer=\"police\",version=\"2\"} 1",
        "cityops_registry_entries{registry=\"components\"} 2",
        "cityops_registry_entries{registry=\"devices\"} 0",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
    assert!(!text.contains("version=\"old\""));
}

#[test]
fn shows_the_ledger_as_it_stands() {
    let metrics = Metrics::register(&Registry::new()).unwrap();
    let mut ledger = Ledger::default();
    ledger.set(LedgerCell::Consumed(Source::Video), 5);
    ledger.set(LedgerCell::Outcome(Source::Video, Outcome::Pending), 4);
    metrics.set_ledger(&ledger);
    ledger.set(LedgerCell::Outcome(Source::Video, Outcome::Pending), 1);
    ledger.set(LedgerCell::Outcome(Source::Video, Outcome::Opened), 3);
    metrics.set_ledger(&ledger);
    let text = metrics.text(EventTime::default()).unwrap();
    families(&text);
    for line in [
        "# TYPE cityops_events_consumed_total counter",
        "# TYPE cityops_events_outcome_total untyped",
        "cityops_events_consumed_total{source=\"video\"} 5",
        "cityops_events_outcome_total{outcome=\"opened\",source=\"video\"} 3",
        "cityops_events_outcome_total{outcome=\"pending\",source=\"video\"} 1",
        "cityops_unaccounted_events 1",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
}
