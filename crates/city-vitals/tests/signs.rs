//! Weeks of a made-up city: what is told of its cells, told again after a restart, and in another order.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use city_model::{EventTime, HOUR_MS, IncidentId, MINUTE_MS, Name, UtcTime};
use city_rules::{Calendar, Rules};
use city_vitals::{Fact, Incidents, VitalSigns, VitalsRecord};
use incident_engine::IncidentRecord;
use proptest::prelude::*;

/// Monday 2026-06-01 00:00 in Shanghai; no holidays of 2026 fall on the days after it that matter here.
const START: i64 = 1_780_243_200_000;
const DAY: i64 = 24 * HOUR_MS;

fn at(ms: i64) -> EventTime {
    EventTime::from_millis(START + ms)
}

/// An open incident of a town's cell.
fn incident(id: &str, kind: &str, (town, cell): (u8, u8), opened: i64) -> IncidentRecord {
    let golden = include_str!("../../stream-worker/tests/written/golden/city.incidents.v1.1.json");
    let mut record: IncidentRecord = serde_json::from_str(golden).unwrap();
    record.incident_id = IncidentId::new(id);
    (record.status, record.merged_into, record.close_reason) = ("OPEN".into(), None, None);
    (record.kind, record.recurrence_of) = (kind.into(), None);
    record.opened_at = UtcTime(at(opened));
    record.closed_at = None;
    record.priority.previous = None;
    let mut named = record.cells[0].clone();
    record.cells = Vec::new();
    for (level, code) in [
        ("town", format!("T{town}")),
        ("duty_cell", format!("T{town}C{cell}")),
    ] {
        (named.layer, named.level) = ("duty".into(), level.into());
        (named.code, named.name) = (code.as_str().into(), code.as_str().into());
        record.cells.push(named.clone());
    }
    let deadline = &mut record.priority.deadline;
    deadline.dispatch_by = UtcTime(at(opened + HOUR_MS));
    deadline.control_by = UtcTime(at(opened + 4 * HOUR_MS));
    let handling = &mut record.handling;
    (handling.dispatched_at, handling.resolved_at) = (None, None);
    record
}

fn closed(mut record: IncidentRecord, after: i64) -> IncidentRecord {
    record.status = "CLOSED".into();
    record.closed_at = Some(UtcTime(record.opened_at.0 + after));
    record
}

/// A city that is told records and clocks.
struct City {
    incidents: Incidents,
    signs: VitalSigns,
    told: Vec<VitalsRecord>,
    rows: BTreeMap<String, Vec<u8>>,
    incident_rows: BTreeMap<String, Vec<u8>>,
    /// Too long a life to keep everything of it.
    long: bool,
}

/// Reading the rules takes longest.
static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(Rules::builtin()));

fn signs() -> VitalSigns {
    let calendar = Calendar::new(&RULES, "Asia/Shanghai").unwrap();
    VitalSigns::new(RULES.clone(), calendar)
}

impl City {
    fn new() -> City {
        City {
            incidents: Incidents::of_city("310117".into()),
            signs: signs(),
            told: Vec::new(),
            rows: BTreeMap::new(),
            incident_rows: BTreeMap::new(),
            long: false,
        }
    }

    fn tell(&mut self, record: &IncidentRecord) {
        for (_, fact) in self.incidents.take(record.incident_id.as_str(), Some(record)) {
            self.signs.take(&fact);
        }
    }

    fn clock(&mut self, ms: i64) {
        self.signs.take(&Fact::Clock {
            partition: 0,
            of: 1,
            at: at(ms),
        });
        self.told.extend(self.signs.tell());
        if !self.long {
            self.rows.extend(self.signs.rows());
        }
    }

    /// The state dropped and restored from its rows.
    fn restart(&mut self) {
        self.rows.extend(self.signs.rows());
        self.signs = signs();
        for (key, row) in &self.rows {
            self.signs.restore(key, row).unwrap();
        }
        let rows = self.incidents.rows();
        self.incident_rows
            .extend(rows.into_iter().filter_map(|(key, row)| Some((key, row?))));
        self.incidents = Incidents::of_city("310117".into());
        for (key, row) in &self.incident_rows {
            self.incidents.restore(key, Some(row)).unwrap();
        }
    }

    fn last(&self, code: &str) -> &VitalsRecord {
        self.told.iter().rev().find(|told| &*told.code == code).unwrap()
    }
}

fn dice(seed: &mut u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[test]
fn each_incident_counts_once_however_often_it_is_told() {
    let mut city = City::new();
    city.clock(0);
    let record = incident("a", "road_ponding", (1, 1), 61_000);
    for revision in 1..5 {
        city.tell(&IncidentRecord {
            revision,
            member_count: revision,
            ..record.clone()
        });
    }
    city.clock(200_000);
    for code in ["310117", "T1", "T1C1"] {
        let told = city.last(code);
        assert_eq!(
            (told.opened_60m, told.open.all(), told.by_kind["road_ponding"]),
            (1, 1, 1),
            "{code}"
        );
        assert_eq!(
            city.told
                .iter()
                .filter(|told| &*told.code == code)
                .map(|told| told.opened)
                .sum::<i64>(),
            1
        );
    }
    // Told at the minute in which it was opened, not in which it was read.
    let first = city.told.iter().find(|told| told.opened == 1).unwrap();
    assert_eq!(first.minute, UtcTime(at(60_000)));
    city.tell(&closed(record.clone(), 5 * MINUTE_MS));
    city.clock(10 * MINUTE_MS);
    assert_eq!((city.last("T1").open.all(), city.last("T1").opened_60m), (0, 1));
    city.tell(&record);
    city.clock(12 * MINUTE_MS);
    let reopened: i64 = city
        .told
        .iter()
        .filter(|told| &*told.code == "T1")
        .map(|told| told.reopened)
        .sum();
    assert_eq!((reopened, city.last("T1").open.all()), (1, 1));
}

#[test]
fn a_merged_one_is_taken_back_and_a_moved_one_counts_where_it_is() {
    let mut city = City::new();
    city.clock(0);
    let record = incident("a", "road_ponding", (1, 1), 61_000);
    city.tell(&record);
    city.tell(&incident("b", "road_ponding", (1, 2), 62_000));
    city.clock(3 * MINUTE_MS);
    city.tell(&IncidentRecord {
        status: "MERGED".into(),
        merged_into: Some(IncidentId::new("b")),
        ..record
    });
    city.clock(5 * MINUTE_MS);
    let town = city
        .told
        .iter()
        .rev()
        .find(|told| &*told.code == "T1" && told.merged > 0)
        .unwrap();
    assert_eq!((town.opened_60m, town.open.all(), town.merged), (1, 1, 1));
    assert_eq!(
        (city.last("T1C1").opened_60m, city.last("T1C1").open.all()),
        (0, 0)
    );
    city.tell(&incident("b", "road_ponding", (2, 7), 62_000));
    city.clock(7 * MINUTE_MS);
    let counts = |code: &str| (city.last(code).opened_60m, city.last(code).open.all());
    assert_eq!(
        [
            counts("T1"),
            counts("T1C2"),
            counts("T2"),
            counts("T2C7"),
            counts("310117")
        ],
        [(0, 0), (0, 0), (1, 1), (1, 1), (1, 1)]
    );
    let opened: i64 = city
        .told
        .iter()
        .filter(|told| &*told.code == "310117")
        .map(|told| told.opened)
        .sum();
    assert_eq!(opened, 2, "a minute that was told stays as it was told");
}

#[test]
fn what_is_overdue_is_counted_until_it_is_done() {
    let mut city = City::new();
    city.clock(0);
    let mut record = incident("a", "road_ponding", (1, 1), 0);
    city.tell(&record);
    city.clock(59 * MINUTE_MS);
    assert_eq!(city.last("T1").overdue, 0);
    city.clock(63 * MINUTE_MS);
    assert_eq!(city.last("T1").overdue, 1);
    record.handling.dispatched_at = Some(UtcTime(at(64 * MINUTE_MS)));
    city.tell(&record);
    city.clock(66 * MINUTE_MS);
    assert_eq!(city.last("T1").overdue, 0);
    city.clock(5 * HOUR_MS);
    assert_eq!(city.last("T1").overdue, 1, "not under control in time");
    city.tell(&closed(record, 5 * HOUR_MS));
    city.clock(5 * HOUR_MS + 2 * MINUTE_MS);
    assert_eq!(city.last("T1").overdue, 0);
}

#[test]
fn the_third_time_within_recur_is_a_notice_before_the_next_call() {
    let rules = Rules::builtin();
    let recur = rules
        .kind(rules.kind_id("manhole_missing").unwrap())
        .recur_ms
        .unwrap();
    let mut city = City::new();
    city.clock(0);
    for (id, opened) in [("a", 0), ("b", DAY), ("c", 2 * DAY)] {
        let mut record = incident(id, "manhole_missing", (1, 1), opened);
        record.recurrence_of = (id != "a").then(|| IncidentId::new("a"));
        city.clock(opened + 30_000);
        city.tell(&closed(record, HOUR_MS));
        city.clock(opened + 3 * MINUTE_MS);
        let notices = &city.last("T1C1").notices;
        assert_eq!(notices.len(), usize::from(id == "c"), "{id}: {notices:?}");
    }
    let notice = city.last("T1C1").notices[0].clone();
    assert_eq!((notice.what.as_str(), notice.count), ("recurrence", 2));
    assert_eq!(notice.text_zh, "井盖缺失7天内在本格复发2次，宜未诉先办");
    assert!(
        notice
            .text_en
            .ends_with("came back 2 times within 7 days; act before the next call")
    );
    assert!(city.last("T1").notices.is_empty(), "the cell, not the town");
    city.clock(DAY + recur + 3 * MINUTE_MS);
    assert!(
        city.last("T1C1").notices.is_empty(),
        "one of them is too long ago"
    );
}

/// Weeks of a city of six towns; `planted` burst hydrants in half an hour of the last Thursday, in town 1.
fn weeks(seed: u64, planted: i64) -> City {
    let mut city = City::new();
    city.long = true;
    let mut seed = seed;
    let mut id = 0;
    city.clock(0);
    let burst = 10 * DAY + 10 * HOUR_MS;
    for minute in 0..11 * 24 * 60 {
        let hour = minute / 60 % 24;
        let busy = if (7..22).contains(&hour) { 3 } else { 1 };
        for town in 0..6_u8 {
            // One in 40 minutes by day, in two kinds.
            if dice(&mut seed) % 120 < busy {
                let kind = if dice(&mut seed).is_multiple_of(2) {
                    "road_ponding"
                } else {
                    "street_lamp_out"
                };
                id += 1;
                let cell = (dice(&mut seed) % 3) as u8;
                let record = incident(&id.to_string(), kind, (town, cell), minute * MINUTE_MS);
                city.tell(&closed(record, HOUR_MS));
            }
        }
        let since = minute * MINUTE_MS - burst;
        if (0..30 * MINUTE_MS).contains(&since)
            && since / MINUTE_MS * planted / 30 != (since / MINUTE_MS + 1) * planted / 30
        {
            id += 1;
            city.tell(&closed(
                incident(&id.to_string(), "road_ponding", (1, 0), minute * MINUTE_MS),
                HOUR_MS,
            ));
        }
        city.clock((minute + 1) * MINUTE_MS);
        if minute % 1_000 == 999 {
            city.told.retain(|told| !told.notices.is_empty());
        }
    }
    city
}

fn rises(city: &City) -> BTreeMap<(Name, Option<Name>, UtcTime), UtcTime> {
    let mut rises = BTreeMap::new();
    for told in &city.told {
        for notice in told.notices.iter().filter(|notice| notice.what == "rise") {
            let key = (told.code.clone(), notice.kind.clone(), notice.since);
            rises.entry(key).or_insert(told.minute);
        }
    }
    rises
}

#[test]
fn a_planted_rise_is_noticed_within_half_an_hour_and_calm_weeks_are_calm() {
    // Two times eleven days, seven places that are watched, three numbers each.
    let calm: usize = (1..=2).map(|seed| rises(&weeks(seed, 0)).len()).sum();
    assert!(calm <= 1, "{calm} false notices: {:?}", rises(&weeks(1, 0)));
    let city = weeks(3, 14);
    let burst = at(10 * DAY + 10 * HOUR_MS);
    let found: Vec<_> = rises(&city)
        .into_keys()
        .filter(|(code, kind, since)| {
            &**code == "T1" && kind.as_deref() == Some("road_ponding") && since.0 >= burst
        })
        .collect();
    assert_eq!(found.len(), 1, "one notice that does not flicker: {found:?}");
    assert!(found[0].2.0 - burst <= 30 * MINUTE_MS, "{}", found[0].2);
    let last = city.last("T1");
    assert!(last.notices.is_empty(), "over by the evening");
    assert_eq!(last.usual_of, 8, "work days before the second Thursday");
}

/// What stands in each minute, as it is told of the whole city: opened, closed, open and overdue.
fn stock(city: &City) -> Vec<(i64, [i64; 4])> {
    let whole = city.told.iter().filter(|told| &*told.code == "310117");
    whole
        .map(|told| {
            let minute = (told.minute.0 - at(0)) / MINUTE_MS;
            (minute, [told.opened, told.closed, told.open.all(), told.overdue])
        })
        .collect()
}

#[test]
fn what_stands_is_told_as_of_the_minutes_end() {
    let mut city = City::new();
    city.clock(58 * MINUTE_MS);
    // Opened as minute 60 began, and read before the minute before it was told.
    let minor = |id: &str, opened: i64| {
        let mut record = incident(id, "road_ponding", (1, 1), opened);
        record.priority.band = city_model::Band::P3;
        record
    };
    let one = minor("1", 60 * MINUTE_MS);
    city.tell(&minor("0", 59 * MINUTE_MS + 30_000));
    city.tell(&one);
    city.clock(60 * MINUTE_MS + 20_000);
    assert_eq!(stock(&city), [(59, [1, 0, 1, 0])]);
    // It rises at minute 62, and is closed as minute 65 begins; the clock comes only then.
    let mut risen = one.clone();
    risen.priority.band = city_model::Band::P1;
    risen.priority.previous = Some(incident_engine::Previous {
        band: one.priority.band,
        changed_at: UtcTime(at(62 * MINUTE_MS)),
        because: "O1".into(),
    });
    city.tell(&risen);
    city.tell(&closed(risen, 5 * MINUTE_MS));
    city.clock(66 * MINUTE_MS + 20_000);
    // A quiet minute behind a busy one is told, too.
    let stood = [
        (60, [1, 0, 2, 0]),
        (61, [0, 0, 2, 0]),
        (62, [0, 0, 2, 0]),
        (63, [0, 0, 2, 0]),
        (65, [0, 1, 1, 0]),
    ];
    assert_eq!(stock(&city)[1..], stood);
    let whole = city.told.iter().filter(|told| &*told.code == "310117");
    let urgent: Vec<i64> = whole.map(|told| told.open.P1).collect();
    assert_eq!(urgent[1..], [0, 0, 1, 1, 0]);
}

#[derive(Debug, Clone)]
struct Step {
    id: u8,
    town: u8,
    cell: u8,
    state: u8,
    kind: bool,
    minutes: i64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..12_u8, 0..3_u8, 0..3_u8, 0..4_u8, any::<bool>(), 0..90_i64);
    let step = step.prop_map(|(id, town, cell, state, kind, minutes)| Step {
        id,
        town,
        cell,
        state,
        kind,
        minutes,
    });
    proptest::collection::vec(step, 1..60)
}

fn record_of(step: &Step) -> IncidentRecord {
    let kind = if step.kind {
        "road_ponding"
    } else {
        "manhole_missing"
    };
    let mut record = incident(
        &step.id.to_string(),
        kind,
        (step.town, step.cell),
        i64::from(step.id) * 5 * MINUTE_MS,
    );
    record.recurrence_of = step.kind.then(|| IncidentId::new("before"));
    match step.state {
        0 => closed(record, 5 * MINUTE_MS),
        1 => IncidentRecord {
            status: "MERGED".into(),
            ..record
        },
        _ => record,
    }
}

fn live(steps: &[Step], restarts: bool) -> City {
    let mut city = City::new();
    let mut now = 60 * MINUTE_MS;
    city.clock(now);
    for step in steps {
        city.tell(&record_of(step));
        now += step.minutes * MINUTE_MS;
        city.clock(now);
        if restarts {
            city.restart();
        }
    }
    city.clock(now + 3 * MINUTE_MS);
    city
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Open now is what the last revisions say, at each level, and the levels sum up.
    #[test]
    fn sums_are_those_of_the_last_revisions(steps in steps()) {
        let city = live(&steps, false);
        let last: BTreeMap<u8, &Step> = steps.iter().map(|step| (step.id, step)).collect();
        let open = |wanted: &dyn Fn(&Step) -> bool| last.values().filter(|step| step.state > 1 && wanted(step)).count() as i64;
        let told = |code: &str| city.told.iter().rev().find(|told| &*told.code == code).map_or(0, |told| told.open.all());
        prop_assert_eq!(told("310117"), open(&|_| true));
        for town in 0..3 {
            prop_assert_eq!(told(&format!("T{town}")), open(&|step| step.town == town));
            let cells: i64 = (0..3).map(|cell| told(&format!("T{town}C{cell}"))).sum();
            prop_assert_eq!(told(&format!("T{town}")), cells);
        }
        for told in &city.told {
            prop_assert_eq!(told.open.all(), told.by_kind.values().sum::<i64>());
            prop_assert!(told.opened >= 0 && told.opened_60m >= 0 && told.overdue >= 0 && told.overdue <= told.open.all());
        }
    }

    #[test]
    fn a_restart_after_every_step_changes_nothing(steps in steps()) {
        prop_assert_eq!(live(&steps, true).told, live(&steps, false).told);
    }

    /// Whatever the order of different incidents within a minute, the same is told at its end.
    #[test]
    fn order_within_a_minute_does_not_show(steps in steps(), turn in 0..60_usize) {
        let of_each: BTreeMap<u8, &Step> = steps.iter().map(|step| (step.id, step)).collect();
        let mut turned: Vec<&Step> = of_each.into_values().collect();
        let told = |steps: &[&Step]| {
            let mut city = City::new();
            city.clock(60 * MINUTE_MS);
            steps.iter().for_each(|step| city.tell(&record_of(step)));
            city.clock(64 * MINUTE_MS);
            (city.told, city.rows)
        };
        let first = told(&turned);
        let count = turned.len();
        turned.rotate_left(turn % count);
        prop_assert_eq!(told(&turned), first);
    }
}
