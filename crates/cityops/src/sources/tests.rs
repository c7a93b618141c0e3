//! Records through both workers to the metric: what is compared, what it takes, and that a mended source is cleared.

use city_grid::Crs;
use city_grid::crs::from_wgs84;
use city_grid::suspicion::Witness;
use city_model::{EventTime, Source};
use serde_json::{Value, json};
use stream_worker::{Correlate, Enrich, InputRecord, Outbox, Processor};
use wire_format::Topic;

use super::*;
use crate::assemble;
use crate::config::Loaded;

/// 2026-09-06 15:59:59.123 UTC.
const NOW: i64 = 1_788_739_199_123;
const CONFIG: &str = "[registry]\ndevices = \"devices.csv\"\n\
    [sources.maps]\ncrs = \"WGS84\"\n[sources.gauges]\ncrs = \"GCJ02\"\n[sources.police]\n[sources.inspectors]\n[sources.default]\n";

/// Keeps what it is told.
#[derive(Default)]
struct Kept(Mutex<Vec<Comparison>>);

impl PlaceObserver for Kept {
    fn compared(&self, comparisons: Vec<Comparison>) {
        self.0.lock().unwrap().extend(comparisons);
    }
}

impl Kept {
    fn take(&self) -> Vec<Comparison> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Both workers over one configuration, listened to.
struct Line {
    _folder: tempfile::TempDir,
    setup: Arc<Setup>,
    enrich: Vec<(Source, Enrich)>,
    correlate: Correlate,
    events: i64,
}

impl Line {
    fn new(observer: &dyn Fn(&Setup) -> Arc<dyn PlaceObserver>) -> Line {
        let folder = tempfile::tempdir().unwrap();
        let mut devices = "device_id,lon,lat\n".to_owned();
        for at in 0..60 {
            let (lon, lat) = spot(at);
            devices.push_str(&format!("g{at},{lon},{lat}\n"));
        }
        std::fs::write(folder.path().join("devices.csv"), devices).unwrap();
        let config = folder.path().join("cityops.toml");
        std::fs::write(&config, CONFIG).unwrap();
        let loaded = Loaded::read_with(&config, std::iter::empty()).unwrap();
        let setup = Arc::new(assemble::setup(&loaded, 1).unwrap());
        let activation = Arc::new(setup.activation(&["test".into()]));
        let observer = observer(&setup);
        let enrich = [Source::Sensor, Source::Report].map(|source| {
            let enrich = Enrich::new(setup.clone(), source, activation.clone());
            (source, enrich.comparing(observer.clone()))
        });
        let mut line = Line {
            _folder: folder,
            correlate: Correlate::new().comparing(setup.clone(), observer),
            enrich: enrich.into(),
            setup,
            events: 0,
        };
        line.correlate
            .take(&city_model::Input::Activation(Box::new((*activation).clone())));
        line
    }

    fn send(&mut self, source: Source, mut record: Value, at_ms: i64) {
        self.events += 1;
        record["event_id"] = json!(format!("e{}", self.events));
        record["observed_at"] = json!(at_ms);
        let value = record.to_string();
        let mut out = Outbox::default();
        let input = InputRecord {
            topic: Topic::of(source),
            partition: 0,
            offset: self.events,
            timestamp: EventTime::from_millis(at_ms),
            key: None,
            value: Some(value.as_bytes()),
            headers: &[],
        };
        let enrich = self.enrich.iter_mut().find(|(own, _)| *own == source);
        enrich.unwrap().1.process(&input, &mut out);
        assert_eq!(out.records, [], "{value}");
        for input in out.inputs.into_values().flatten() {
            self.correlate.take(&input);
        }
    }

    /// A report of garbage, or what `with` says, at a place written as `truth`.
    fn report(&mut self, system: &str, truth: Crs, (lon, lat): (f64, f64), at_ms: i64, with: Value) {
        let (x, y) = from_wgs84(truth, lon, lat);
        let mut record = json!({"source_system": system, "channel": "inspector", "report_id": format!("r{}", self.events), "content": "路边一堆垃圾",
            "location": {"x": x, "y": y, "quality": "GNSS"}});
        for (field, value) in with.as_object().unwrap() {
            record[field] = value.clone();
        }
        self.send(Source::Report, record, at_ms);
    }
}

/// Places all over the district, each in a neighbourhood of its own.
fn spot(at: u32) -> (f64, f64) {
    (
        121.05 + 0.03 * f64::from(at % 10),
        30.95 + 0.03 * f64::from(at / 10),
    )
}

#[test]
fn a_suspect_is_a_series_until_it_is_mended() {
    let metrics = Arc::new(Metrics::register(&prometheus::Registry::new()).unwrap());
    let told = metrics.clone();
    let mut line = Line::new(&|setup| Arc::new(SourceWatch::new(setup, Some(told.clone()))));
    let series = || {
        let text = metrics.text(EventTime::default()).unwrap();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("cityops_source_crs_suspect"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    for at in 0..40 {
        let witness = ["police", "inspectors"][at as usize % 2];
        line.report(witness, Crs::Wgs84, spot(at), NOW, json!({}));
        line.report("maps", Crs::Gcj02, spot(at), NOW + 60_000, json!({}));
        assert_eq!(series().len(), usize::from(at >= 19), "{at}");
    }
    let name = "cityops_source_crs_suspect{declared=\"WGS84\",looks_like=\"GCJ02\",source_system=\"maps\"} 1";
    assert_eq!(series(), [name]);
    for at in 0..40 {
        line.report("maps", Crs::Wgs84, spot(at), NOW + 120_000, json!({}));
    }
    assert_eq!(series(), [] as [String; 0]);
}

#[test]
fn a_record_s_own_system_neither_clears_nor_accuses_what_is_configured() {
    let kept = Arc::new(Kept::default());
    let own = kept.clone();
    let mut line = Line::new(&|_| own.clone());
    let watch = SourceWatch::new(&line.setup, None);
    let mut meet = |system: &str, truth: Crs, place: (f64, f64), at_ms: i64, names: Option<Crs>| {
        let (x, y) = from_wgs84(truth, place.0, place.1);
        let with = json!({"location": {"x": x, "y": y, "quality": "GNSS", "crs": names.map(Crs::name)}});
        line.report(system, truth, place, at_ms, with);
        watch.compared(kept.take());
        watch.suspects()
    };
    for at in 0..40 {
        let witness = ["police", "inspectors"][at as usize % 2];
        meet(witness, Crs::Wgs84, spot(at), NOW, None);
        // Map picks that say what they are are no case, however many there are,
        let told = meet("maps", Crs::Gcj02, spot(at), NOW + 60_000, Some(Crs::Gcj02));
        assert_eq!(told, [], "{at}");
    }
    for at in 0..40 {
        let told = meet("maps", Crs::Gcj02, spot(at), NOW + 120_000, None);
        assert_eq!(
            told.len(),
            usize::from(at >= 19),
            "those that say nothing are: {at}"
        );
    }
    for at in 0..40 {
        let told = meet("maps", Crs::Gcj02, spot(at), NOW + 180_000, Some(Crs::Gcj02));
        assert_eq!(told.len(), 1, "and the right ones do not clear them: {at}");
        assert_eq!((told[0].declared, told[0].as_declared), (Crs::Wgs84, 0));
    }
}

#[test]
fn the_registry_alone_tells_and_a_device_that_stands_still_is_compared_once() {
    let kept = Arc::new(Kept::default());
    let own = kept.clone();
    let mut line = Line::new(&|_| own.clone());
    let watch = SourceWatch::new(&line.setup, None);
    for at in 0..20 {
        for again in 0..5 {
            let (lon, lat) = spot(at);
            // Plain degrees, declared as a map's.
            let reading = json!({"source_system": "gauges", "device_id": format!("g{at}"), "metric": "ponding_depth", "value": 1.0,
                "location": {"x": lon, "y": lat}});
            line.send(Source::Sensor, reading, NOW + again * 60_000);
        }
        let told = kept.take();
        assert_eq!(told.len(), 1, "five times the same");
        watch.compared(told);
        assert_eq!(watch.suspects().len(), usize::from(at == 19), "{at}");
    }
    let suspects = watch.suspects();
    assert_eq!(
        (&*suspects[0].source_system, suspects[0].looks_like),
        ("gauges", "WGS84")
    );
    assert_eq!(suspects[0].declared, Crs::Gcj02);
}

#[test]
fn who_is_compared_with_whom() {
    let kept = Arc::new(Kept::default());
    let own = kept.clone();
    let mut line = Line::new(&|_| own.clone());
    let (here, far) = (spot(0), spot(5));
    let mut check = |what: &str,
                     first: (&str, (f64, f64), Value),
                     second: (&str, (f64, f64), Value),
                     gap_ms: i64,
                     witnesses: &[&str]| {
        let at_ms = NOW + 40 * 86_400_000 * (1 + line.events);
        line.report(first.0, Crs::Wgs84, first.1, at_ms, first.2);
        kept.take();
        line.report(second.0, Crs::Wgs84, second.1, at_ms + gap_ms, second.2);
        let told: Vec<String> = kept
            .take()
            .into_iter()
            .map(|comparison| match comparison.witness {
                Witness::System(name) => name.to_string(),
                Witness::Registry => "registry".to_owned(),
            })
            .collect();
        assert_eq!(told, witnesses, "{what}");
    };
    let plain = || json!({});
    check(
        "two systems",
        ("police", here, plain()),
        ("maps", here, plain()),
        0,
        &["police"],
    );
    check(
        "one system",
        ("maps", here, plain()),
        ("maps", here, plain()),
        0,
        &[],
    );
    check(
        "out of reach",
        ("police", far, plain()),
        ("maps", here, plain()),
        0,
        &[],
    );
    check(
        "out of time",
        ("police", here, plain()),
        ("maps", here, plain()),
        30 * 86_400_000,
        &[],
    );
    let vague = || json!({"location": {"x": here.0, "y": here.1, "quality": "POI"}});
    check(
        "too vague",
        ("police", here, plain()),
        ("maps", here, vague()),
        0,
        &[],
    );
    check(
        "too vague a witness",
        ("police", here, vague()),
        ("maps", here, plain()),
        0,
        &[],
    );
    let other = || json!({"content": "大树倒了"});
    check(
        "another kind",
        ("police", here, other()),
        ("maps", here, plain()),
        0,
        &[],
    );
    // The same component or address is the same thing, wherever it is put.
    let part = || json!({"component_id": "c-1"});
    check(
        "one component",
        ("police", far, part()),
        ("maps", here, part()),
        0,
        &["police"],
    );
    let door = || json!({"address": "谷阳北路1500弄23号", "town_code": "310117001"});
    check(
        "one address",
        ("inspectors", far, door()),
        ("maps", here, door()),
        0,
        &["inspectors"],
    );
}
