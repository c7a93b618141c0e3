//! The worked examples of prioritisation and every override, from raw records through the real entrance and the engine, as tables.
//!
//! Times are of Monday 2026-09-21 in Shanghai; places lie along a parallel in Songjiang.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use city_grid::{Crs, Timeline};
use city_model::{Activation, EventTime, Facility, IncidentId, Input, Position, Source, Tick};
use city_registry::{Facilities, FacilityPlace, Registry};
use city_rules::Rules;
use event_intake::{Decision, Intake, IntakeConfig, IntakeState, Released, SourceConfig};
use incident_engine::{Engine, IncidentRecord, Output, Setting};
use serde_json::{Value, json};
use wire_format::{Decoder, SchemaStore};

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(Rules::builtin()));
static LAYERS: LazyLock<Vec<Timeline>> = LazyLock::new(|| vec![city_grid::builtin().into()]);
static DECODER: LazyLock<Decoder> = LazyLock::new(|| Decoder::new(SchemaStore::builtin().unwrap()));

/// Far from everything; at an underpass; at a school; at an arterial road.
const NOWHERE: f64 = 121.22;
const UNDERPASS: f64 = 121.24;
const SCHOOL: f64 = 121.26;
const ARTERIAL: f64 = 121.28;
const LAT: f64 = 31.03;

fn intake() -> Intake {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let source = |code_system: &str| SourceConfig {
        crs: Crs::Wgs84,
        code_system: Some(code_system.to_owned()),
        fix_zone: false,
    };
    let place = |id: &str, class: Facility, lon: f64| FacilityPlace {
        facility_id: id.into(),
        class,
        name: id.into(),
        position: Position::from_degrees(lon, LAT).unwrap(),
    };
    Intake::new(IntakeConfig {
        sources: [("s".to_owned(), source("EVENTSORT"))].into(),
        registry: Arc::new(Registry {
            facilities: Facilities::new([
                place("u", Facility::Underpass, UNDERPASS),
                place("s", Facility::School, SCHOOL),
                place("a", Facility::Arterial, ARTERIAL),
            ]),
            ..Registry::default()
        }),
        reporter_key: b"a secret".to_vec(),
        ..IntakeConfig::new(RULES.clone(), LAYERS.clone(), zone)
    })
}

/// An entrance, an engine, and what readers were told.
struct Town {
    intake: Intake,
    state: IntakeState,
    engine: Engine,
    now: String,
    number: usize,
    revisions: Vec<IncidentRecord>,
    outcomes: Vec<String>,
}

impl Town {
    fn new() -> Town {
        let activation = Activation {
            version: "test".into(),
            city: "310117".into(),
            rules: RULES.to_text().into(),
            timezone: "Asia/Shanghai".into(),
            origin: Position::from_degrees(NOWHERE, LAT).unwrap(),
            reorder_ms: 15 * 60_000,
            max_late_ms: 24 * 3_600_000,
            sensors_max_late_ms: 72 * 3_600_000,
            partitions: vec!["test".into()],
            hold_idle: false,
            grid: Vec::new(),
        };
        let setting = Setting::with_rules(Arc::new(activation), RULES.clone()).unwrap();
        Town {
            intake: intake(),
            state: IntakeState::default(),
            engine: Engine::with_setting(setting),
            now: "2026-09-21T00:00:00+08:00".to_owned(),
            number: 0,
            revisions: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    fn clock(&self) -> EventTime {
        let now: jiff::Timestamp = self.now.parse().unwrap();
        EventTime::from_millis(now.as_millisecond())
    }

    /// From here on it is this time of the day.
    fn at(&mut self, time: &str) -> &mut Town {
        self.on(&format!("2026-09-21T{time}:00+08:00"))
    }

    fn on(&mut self, time: &str) -> &mut Town {
        self.now = time.to_owned();
        self.tick(0)
    }

    fn tick(&mut self, seconds: i64) -> &mut Town {
        let clocks = vec![("test".into(), self.clock() + seconds * 1_000)];
        self.input(&Input::Tick(Tick { clocks }));
        self
    }

    fn input(&mut self, input: &Input) {
        let decision = self.engine.decide(input);
        for change in &decision.changes {
            self.engine.apply(change).unwrap();
        }
        for output in decision.outputs {
            match output {
                Output::Revision { record, .. } => self.revisions.push(*record),
                Output::Outcome { row, .. } => self.outcomes.push(row.outcome.to_string()),
                _ => {}
            }
        }
    }

    /// A record as it comes, with an id, a source and the present time.
    fn tell(&mut self, source: Source, mut record: Value) -> &mut Town {
        self.number += 1;
        let fields = record.as_object_mut().unwrap();
        let mut or = |field: &str, value: Value| {
            fields.entry(field).or_insert(value);
        };
        or("event_id", json!(format!("e{}", self.number)));
        or("source_system", json!("s"));
        for time in ["observed_at", "called_at", "captured_at"] {
            or(time, json!(self.now));
        }
        let bytes = record.to_string();
        let record = DECODER.decode(source, bytes.as_bytes()).unwrap();
        let verdict = self.intake.judge(&self.state, &record, self.clock());
        verdict.rows.iter().for_each(|row| self.state.apply(row));
        for released in verdict.released {
            if let Released::Event(event) = released {
                self.input(&Input::Event(Arc::from(event)));
            }
        }
        match verdict.result {
            Decision::Event(event) => self.input(&Input::Event(Arc::from(event))),
            Decision::Warning(warning) => self.input(&Input::Warning {
                warning,
                counts: true,
                note: None,
            }),
            Decision::Command(command) => self.input(&Input::Command(command)),
            Decision::Settled { outcome, .. } => self.outcomes.push(outcome.to_string()),
            other => panic!("{other:?}"),
        }
        self.tick(self.number as i64)
    }

    fn sensor(&mut self, device: &str, metric: &str, value: f64, lon: f64) -> &mut Town {
        self.tell(
            Source::Sensor,
            json!({"device_id": device, "metric": metric, "value": value, "location": place(lon)}),
        )
    }

    fn video(&mut self, camera: &str, code: &str, confidence: f64, lon: f64) -> &mut Town {
        self.tell(
            Source::Video,
            json!({"camera_id": camera, "alert_code": code, "confidence": confidence, "target_location": place(lon)}),
        )
    }

    /// A caller who gives a house number on the spot.
    fn call(&mut self, phone: u64, text: &str, lon: f64) -> &mut Town {
        self.tell(
            Source::Hotline,
            json!({"ticket_id": format!("T{}", self.number), "title": text, "reporter_phone": format!("1390000{phone:04}"),
                "address": "谷阳北路1500弄12号",
                "location": {"x": lon, "y": LAT, "quality": "DOOR"}}),
        )
    }

    fn inspector(&mut self, text: &str, lon: f64) -> &mut Town {
        self.tell(
            Source::Report,
            json!({"channel": "inspector", "report_id": format!("R{}", self.number), "content": text, "location": place(lon)}),
        )
    }

    fn warn(&mut self, severity: &str) -> &mut Town {
        let now = self.now.clone();
        self.tell(
            Source::Weather,
            json!({"warning_id": "w1", "revision": 1, "signal": "RAINSTORM", "severity": severity,
                "region_codes": ["310117"], "status": "ISSUED", "issued_at": now, "effective_at": now}),
        )
    }

    fn command(&mut self, id: &IncidentId, action: &str, with: &Value) -> &mut Town {
        let mut record = json!({"command_id": format!("{action}{}", self.number), "incident_id": id.as_str(),
            "action": action, "operator": "duty-1", "issued_at": self.now});
        record
            .as_object_mut()
            .unwrap()
            .extend(with.as_object().unwrap().clone());
        self.tell(Source::Command, record)
    }

    fn last(&self) -> &IncidentRecord {
        self.revisions.last().unwrap()
    }
}

fn place(lon: f64) -> Value {
    json!({"x": lon, "y": LAT, "quality": "GNSS"})
}

/// One line a case: parts, band, overrides; and the reasons below.
fn line(table: &mut String, name: &str, town: &mut Town) {
    town.tick(town.number as i64 + 1);
    let record = town.last();
    let priority = &record.priority;
    let previous = priority
        .previous
        .as_ref()
        .map(|previous| format!(" (was {} until {})", previous.band, previous.because));
    writeln!(
        table,
        "{name}: {} {} → {}{} [{}]\n    {}\n    {}",
        record.kind,
        priority.parts_text(),
        priority.band,
        previous.unwrap_or_default(),
        priority.overrides.join(" "),
        priority.reasons_zh.join("；"),
        priority.reasons_en.join("; "),
    )
    .unwrap();
}

#[test]
fn the_worked_examples_come_out_as_published() {
    let mut table = String::new();
    let mut one = Town::new();
    one.at("07:30").warn("ORANGE").at("08:00");
    one.sensor("gauge", "ponding_depth", 32.0, UNDERPASS);
    one.video("cam", "696", 0.86, UNDERPASS);
    one.call(1, "下立交积水，车辆熄火", UNDERPASS);
    one.call(2, "下立交积水很深", UNDERPASS);
    line(&mut table, "1 underpass", &mut one);

    let mut two = Town::new();
    two.at("02:00").sensor("smoke", "smoke", 1.0, NOWHERE);
    line(&mut table, "2 smoke", &mut two);

    let mut three = Town::new();
    three.at("12:00").video("cam", "640", 0.72, NOWHERE);
    line(&mut table, "3 garbage", &mut three);

    let mut four = Town::new();
    for time in ["19T18:00", "20T13:00"] {
        four.on(&format!("2026-09-{time}:00+08:00"));
        four.inspector("路边垃圾成堆", SCHOOL);
        let id = four.last().incident_id.clone();
        four.command(&id, "close", &json!({}));
    }
    four.at("12:00").inspector("路边垃圾成堆", SCHOOL);
    for phone in 1..=12 {
        four.call(phone, "垃圾成堆没人清理", SCHOOL);
    }
    line(&mut table, "4 garbage again", &mut four);

    let mut five = Town::new();
    five.at("23:00").call(1, "井盖缺失", ARTERIAL);
    line(&mut table, "5 manhole", &mut five);
    five.sensor("tilt", "cover_tilt", 75.0, ARTERIAL);
    line(&mut table, "5 and its tilt", &mut five);
    insta::assert_snapshot!(table);
}

#[test]
fn every_override_is_told_by_its_id_and_reason() {
    let mut table = String::new();
    let mut case = |name: &str, tell: &dyn Fn(&mut Town)| {
        let mut town = Town::new();
        town.at("12:00");
        tell(&mut town);
        line(&mut table, name, &mut town);
    };
    case("O0 storm", &|town| {
        town.warn("BLUE").inspector("有人占道经营摆摊", SCHOOL);
    });
    case("O1 trapped", &|town| {
        town.call(1, "下立交积水，有人被困", UNDERPASS);
    });
    case("O1 fire by two", &|town| {
        town.sensor("smoke", "smoke", 1.0, NOWHERE)
            .call(1, "居民楼着火了", NOWHERE);
    });
    case("O1 gas", &|town| {
        town.sensor("gas", "ch4", 22.0, NOWHERE);
    });
    case("O1 collapse", &|town| {
        town.call(1, "路面塌陷", NOWHERE);
    });
    case("O1 manhole by two", &|town| {
        town.call(1, "井盖缺失", NOWHERE).inspector("井盖缺失", NOWHERE);
    });
    case("O1 lift", &|town| {
        town.call(1, "电梯困人", NOWHERE);
    });
    case("O2 fire", &|town| {
        town.call(1, "居民楼着火了", NOWHERE);
    });
    case("O2 arc", &|town| {
        town.sensor("arc", "arc_fault", 1.0, NOWHERE);
    });
    case("O2 crowd", &|town| {
        town.call(1, "工人聚集讨薪", NOWHERE);
    });
    case("O2 fire lane", &|town| {
        town.call(1, "消防通道被堵", NOWHERE);
    });
    case("O3 video of fire", &|town| {
        town.video("cam", "619", 0.99, NOWHERE);
    });
    case("O3 video of order", &|town| {
        town.video("cam", "640", 0.99, SCHOOL);
    });
    case("O6 ponding", &|town| {
        town.sensor("gauge", "ponding_depth", 25.0, NOWHERE);
    });
    case("O7 ponding 18 cm", &|town| {
        town.sensor("gauge", "ponding_depth", 18.0, NOWHERE);
    });
    case("O7 cable", &|town| {
        town.call(1, "高压线断了掉在路上，带电", NOWHERE);
    });
    case("O8 overdue, O5 pinned", &|town| {
        town.inspector("路边垃圾成堆", NOWHERE);
        let id = town.last().incident_id.clone();
        town.command(&id, "dispatch", &json!({})).at("16:30");
        assert_eq!(town.last().priority.overrides, ["O8.overdue"]);
        town.command(&id, "pin_priority", &json!({"band": "P1"}));
    });
    insta::assert_snapshot!(table);
}
