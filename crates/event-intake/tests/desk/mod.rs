//! A desk that judges records one after the other and says in a line what became of each.
#![allow(dead_code)] // each test file uses a part of it

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use city_grid::{Crs, Timeline};
use city_model::{Event, EventTime, Facility, Flag, Hint, Position, Source, Warning};
use city_registry::{ComponentsBuilder, Device, Facilities, FacilityPlace, Registry};
use city_rules::Rules;
use event_intake::{Decision, Intake, IntakeConfig, IntakeRow, IntakeState, Released, SourceConfig, Verdict};
use serde_json::{Value, json};
use wire_format::{Decoder, SchemaStore};

/// 2026-09-06 23:59:59.123 UTC.
pub(crate) const NOW: i64 = 1_788_739_199_123;

pub(crate) static DECODER: LazyLock<Decoder> =
    LazyLock::new(|| Decoder::new(SchemaStore::builtin().unwrap()));
static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(Rules::builtin()));
static LAYERS: LazyLock<Vec<Timeline>> = LazyLock::new(|| vec![city_grid::builtin().into()]);

pub(crate) fn position(lon: f64, lat: f64) -> Position {
    Position::from_degrees(lon, lat).unwrap()
}

pub(crate) fn config() -> IntakeConfig {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let source = |crs: Crs, system: Option<&str>| SourceConfig {
        crs,
        code_system: system.map(str::to_owned),
        fix_zone: false,
    };
    let device = |id: &str, lon: f64, component: Option<&str>| Device {
        device_id: id.into(),
        position: Some(position(lon, 31.03)),
        u_mm: None,
        component_id: component.map(Into::into),
    };
    let mut components = ComponentsBuilder::default();
    for (id, class, lon) in [
        ("c-2", "manhole", 121.25),
        // 25 m apart, as in a street, and one by itself.
        ("cover-1", "manhole_cover", 121.27),
        ("cover-2", "manhole_cover", 121.270_262),
        ("cover-3", "01-03", 121.28),
        ("hydrant-1", "hydrant", 121.270_1),
    ] {
        let place = position(lon, 31.03);
        components.add(id, class, place, Some(500)).unwrap();
    }
    IntakeConfig {
        sources: BTreeMap::from([
            ("s".to_owned(), source(Crs::Wgs84, Some("EVENTSORT"))),
            ("gcj".to_owned(), source(Crs::Gcj02, Some("GB30428_2013"))),
        ]),
        default_source: None,
        registry: Arc::new(Registry {
            devices: [
                device("pole", 121.23, None),
                device("gauge", 121.24, Some("c-1")),
                Device {
                    position: None,
                    ..device("loose", 0.0, Some("c-2"))
                },
            ]
            .into_iter()
            .collect(),
            components: components.finish(),
            facilities: Facilities::new([
                FacilityPlace {
                    facility_id: "f-1".into(),
                    class: Facility::School,
                    name: "school".into(),
                    position: position(121.2401, 31.03),
                },
                FacilityPlace {
                    facility_id: "f-2".into(),
                    class: Facility::Underpass,
                    name: "underpass".into(),
                    position: position(121.26, 31.03),
                },
            ]),
            ..Registry::default()
        }),
        reporter_key: b"a secret".to_vec(),
        ..IntakeConfig::new(Arc::clone(&RULES), LAYERS.clone(), zone)
    }
}

/// An intake with its memory, which is restored from its rows before every record.
pub(crate) struct Desk {
    pub(crate) intake: Intake,
    pub(crate) state: IntakeState,
    /// The compacted changelog.
    pub(crate) log: BTreeMap<String, Option<String>>,
    pub(crate) now: i64,
    /// The warnings that it was told, and when they were appended.
    pub(crate) warnings: Vec<(EventTime, Warning)>,
}

impl Desk {
    pub(crate) fn new() -> Desk {
        Desk {
            intake: Intake::new(config()),
            state: IntakeState::default(),
            log: BTreeMap::new(),
            now: NOW,
            warnings: Vec::new(),
        }
    }

    pub(crate) fn judge(&mut self, source: Source, record: &Value) -> Verdict {
        self.judge_bytes(source, record.to_string().as_bytes())
    }

    pub(crate) fn judge_bytes(&mut self, source: Source, bytes: &[u8]) -> Verdict {
        let record = match DECODER.decode(source, bytes) {
            Ok(record) => record,
            Err(refusal) => {
                return Verdict {
                    result: Decision::Refused(refusal),
                    rows: vec![],
                    faults: vec![],
                    released: vec![],
                    clock: None,
                    placed: vec![],
                    is_unread: false,
                };
            }
        };
        let now = EventTime::from_millis(self.now);
        let verdict = self.intake.judge(&self.state, &record, now);
        let restored = self.intake.judge(&self.restored(), &record, now);
        assert_eq!(
            restored.result, verdict.result,
            "a restored memory decides the same"
        );
        assert_eq!(
            restored.faults, verdict.faults,
            "a restored memory tells the same"
        );
        assert_eq!(
            restored.released, verdict.released,
            "a restored memory releases the same"
        );
        for row in &verdict.rows {
            assert_eq!(
                IntakeRow::restore(&row.key(), row.value().as_deref()).as_ref(),
                Ok(row)
            );
            self.state.apply(row);
            self.log.insert(row.key(), row.value());
        }
        if let Decision::Warning(warning) = &verdict.result {
            self.state.hear_warning(warning, now);
            self.warnings.push((now, warning.clone()));
        }
        verdict
    }

    /// The memory as the compacted changelog restores it.
    fn restored(&self) -> IntakeState {
        let mut state = IntakeState::default();
        for (key, value) in self.log.iter().filter(|(_, value)| value.is_some()) {
            state.apply(&IntakeRow::restore(key, value.as_deref()).unwrap());
        }
        // All of them, the last ones first: only when they were appended counts.
        for (at, warning) in self.warnings.iter().rev() {
            state.hear_warning(warning, *at);
        }
        state
    }

    pub(crate) fn tell(&mut self, source: Source, record: &Value) -> String {
        let verdict = self.judge(source, record);
        let mut fault = String::new();
        for told in &verdict.faults {
            let of = Some(&*told.device_id).filter(|_| told.event_id.is_none());
            let of = of.map_or(String::new(), |device| format!(" of {device}"));
            fault += &format!(" fault={}{of}", told.fault);
        }
        for released in &verdict.released {
            fault += &match released {
                Released::Event(event) => format!(" and {} {}", event.key.event_id, event.signal),
                Released::Settled { outcome, key } => format!(" and {} {outcome}", key.event_id),
            };
        }
        match verdict.result {
            Decision::Late(event) => format!("late {}{fault}", line(&event)),
            Decision::Event(event) => format!("{}{fault}", line(&event)),
            Decision::Settled { outcome, .. } => format!("{outcome}{fault}"),
            Decision::Warning(warning) => format!("warning {} {}", warning.signal, warning.severity),
            Decision::Silence(silence) => format!("silence {:?} {:?}", silence.area, silence.reason),
            Decision::Command(command) => format!("command {} by {}", command.action, command.operator),
            Decision::Refused(refusal) => refusal.to_string(),
        }
    }
}

fn line(event: &Event) -> String {
    let mut words = vec![format!("{} {}", event.signal, event.kind)];
    if event.channel.as_str() != event.source.as_str() {
        words.push(format!("by {}", event.channel));
    }
    if !event.alternatives.is_empty() {
        let names: Vec<&str> = event.alternatives.iter().map(|kind| kind.as_str()).collect();
        words.push(format!("or {}", names.join(",")));
    }
    match &event.located {
        Some(located) => words.push(format!("{}±{}m", located.quality, located.u_mm / 1_000)),
        None => words.push(format!("{}", event.quality)),
    }
    words.push(format!("c{}", event.credibility));
    if let Some(measured) = &event.measurement {
        words.push(format!("{}", measured.milli));
    }
    words.extend(event.component.iter().map(|component| format!("on {component}")));
    words.extend(event.cites.iter().map(|ticket| format!("cites {ticket}")));
    words.extend(event.facilities.iter().map(|facility| format!("near {facility}")));
    words.extend(event.hints.iter().map(|hint: &Hint| format!("!{hint}")));
    words.extend(event.flags.iter().map(|flag: &Flag| format!("#{flag}")));
    words.join(" ")
}

/// `base` with the fields of `with`; null takes a field away.
pub(crate) fn with(base: &Value, with: Value) -> Value {
    let mut merged = base.clone();
    for (field, value) in with.as_object().unwrap() {
        match value {
            Value::Null => merged.as_object_mut().unwrap().remove(field),
            value => merged
                .as_object_mut()
                .unwrap()
                .insert(field.clone(), value.clone()),
        };
    }
    merged
}

pub(crate) fn sensor() -> Value {
    json!({"event_id": "e", "source_system": "s", "device_id": "gauge", "metric": "ponding_depth", "value": 1.0, "observed_at": NOW})
}

pub(crate) fn hotline() -> Value {
    json!({"event_id": "e", "source_system": "s", "ticket_id": "T1", "called_at": NOW, "title": "路上有积水",
        "address": "金地褐石苑"})
}

pub(crate) fn video() -> Value {
    json!({"event_id": "e", "source_system": "s", "camera_id": "cam", "alert_code": "696", "confidence": 0.8, "captured_at": NOW,
        "location": {"x": 121.22, "y": 31.03}})
}

pub(crate) fn report() -> Value {
    json!({"event_id": "e", "source_system": "s", "channel": "inspector", "report_id": "R1", "observed_at": NOW,
        "content": "路边一堆垃圾", "location": {"x": 121.22, "y": 31.03}})
}
