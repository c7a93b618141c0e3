//! A made history: its table, its JSON and its page.

use std::collections::BTreeMap;

use city_model::{Band, EventTime, IncidentId, UtcTime};
use incident_engine::{IncidentRecord, Previous, ToldBy};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3_600_000;

/// Opened at noon; sent out and resolved so many hours later, if at all.
fn incident(
    number: u8,
    dispatched: Option<i64>,
    resolved: Option<i64>,
    close: Option<&str>,
) -> IncidentRecord {
    let golden = include_str!("../../../stream-worker/tests/written/golden/city.incidents.v1.1.json");
    let mut record: IncidentRecord = serde_json::from_str(golden).unwrap();
    let noon = EventTime::from_millis(1_780_286_400_000);
    let after = |hours: i64| UtcTime(noon + hours * HOUR);
    record.incident_id = IncidentId::new(&number.to_string());
    record.status = if close.is_some() { "CLOSED" } else { "OPEN" }.into();
    (record.merged_into, record.recurrence_of) = (None, None);
    record.close_reason = close.map(str::to_owned);
    (record.opened_at, record.closed_at) = (after(0), close.map(|_| after(9)));
    record.priority.deadline.dispatch_by = after(1);
    record.priority.deadline.control_by = after(4);
    let handling = &mut record.handling;
    (
        handling.acknowledged_at,
        handling.arrived_at,
        handling.verified_at,
    ) = (None, None, None);
    (handling.dispatched_at, handling.resolved_at) = (dispatched.map(after), resolved.map(after));
    handling.returned_count = 0;
    record.kind = "road_ponding".into();
    record.name_zh = "道路积水".into();
    record
}

fn of(records: &[IncidentRecord]) -> Evaluation {
    Evaluation::of(records.iter(), &BTreeMap::new(), Span::default())
}

#[test]
fn each_rate_counts_what_its_words_say() {
    let mut returned = incident(3, Some(2), None, None);
    returned.handling.returned_count = 2;
    let mut merged = incident(6, None, None, None);
    merged.status = "MERGED".into();
    let records = [
        incident(1, Some(1), Some(4), Some("resolved")), // both on time, to the minute
        incident(2, Some(1), Some(5), Some("resolved")), // control too late
        returned,                                        // sent out late, overdue
        incident(4, None, None, None),                   // never sent out, overdue
        incident(5, None, None, Some("quiet")),          // nobody said anything
        merged,
        incident(7, None, None, Some("false_alarm")),
    ];
    let all = of(&records).all;
    let rate = |rate: Rate| (rate.hits, rate.of);
    assert_eq!((all.incidents, all.open, all.handled), (6, 2, 3));
    assert_eq!(rate(all.dispatch_on_time), (2, 4));
    assert_eq!(rate(all.control_on_time), (1, 3));
    assert_eq!((rate(all.rework), rate(all.rejection)), ((0, 3), (1, 3)));
    assert_eq!(rate(all.repeat), (0, 6));
    assert_eq!(rate(all.false_alarm), (1, 3));
    // Acknowledged, its limits over: late is late. Given back and not sent out again: it was given back.
    let mut lying = incident(8, None, None, None);
    lying.handling.acknowledged_at = Some(lying.opened_at);
    lying.handling.returned_count = 1;
    let all = of(&[lying, incident(1, Some(1), Some(4), Some("resolved"))]).all;
    assert_eq!(
        [
            rate(all.dispatch_on_time),
            rate(all.control_on_time),
            rate(all.rejection)
        ],
        [(1, 2); 3]
    );
    let untold = of(&[
        incident(4, None, None, None),
        incident(5, None, None, Some("quiet")),
    ])
    .all;
    assert_eq!(
        [untold.dispatch_on_time, untold.rework, untold.false_alarm].map(|rate| rate.shown()),
        ["—"; 3]
    );
}

#[test]
fn rework_and_rejection_are_two_numbers() {
    let sent_back = |number: u8, times: u32| {
        let mut record = incident(number, Some(1), Some(4), Some("resolved"));
        record.handling.returned_count = times;
        record
    };
    let told = |reworked: u32, rejected: u32| ToldBy {
        reworked,
        rejected,
        ..ToldBy::default()
    };
    let mut lying = incident(5, None, None, None); // rejected, and not sent out again
    lying.handling.returned_count = 1;
    let records = [
        sent_back(1, 1),
        sent_back(2, 1),
        sent_back(3, 3),
        sent_back(4, 0),
        lying,
    ];
    let told_by: BTreeMap<IncidentId, ToldBy> = [
        (1, told(0, 1)),
        (2, told(1, 0)),
        (3, told(2, 1)),
        (4, told(1, 0)), // sent out once more although it was said to be mended
        (5, told(0, 1)),
    ]
    .map(|(number, told)| (IncidentId::new(&number.to_string()), told))
    .into();
    let all = Evaluation::of(records.iter(), &told_by, Span::default()).all;
    let rate = |rate: Rate| (rate.hits, rate.of);
    assert_eq!((rate(all.rework), rate(all.rejection)), ((3, 5), (3, 5)));
}

#[test]
fn what_was_acknowledged_and_never_mended_is_late_when_its_limit_is_over() {
    let mut lying = incident(8, None, None, None);
    lying.handling.acknowledged_at = Some(lying.opened_at);
    let untouched = incident(9, None, None, None);
    let all = of(&[lying, untouched, incident(1, Some(1), Some(4), Some("resolved"))]).all;
    assert_eq!((all.control_on_time.hits, all.control_on_time.of), (1, 2));
}

#[test]
fn the_json_is_as_it_always_was() {
    let mut evaluation = of(&[
        incident(1, Some(1), Some(4), Some("resolved")),
        incident(7, None, None, Some("false_alarm")),
    ]);
    (evaluation.towns, evaluation.units, evaluation.witnesses) = (Vec::new(), Vec::new(), Vec::new());
    let all = r#""incidents":2,"open":0,"handled":1,"dispatch_on_time":{"hits":1,"of":1,"share":1.0,"interval_95":[0.2065,1.0],"small":true},"control_on_time":{"hits":1,"of":1,"share":1.0,"interval_95":[0.2065,1.0],"small":true},"rework":{"hits":0,"of":1,"share":0.0,"interval_95":[0.0,0.7935],"small":true},"rejection":{"hits":0,"of":1,"share":0.0,"interval_95":[0.0,0.7935],"small":true},"repeat":{"hits":0,"of":2,"share":0.0,"interval_95":[0.0,0.6576],"small":true},"false_alarm":{"hits":1,"of":2,"share":0.5,"interval_95":[0.0945,0.9055],"small":true}"#;
    let expected = format!(
        r#"{{"from":"2026-06-01T04:00:00.000Z","to":"2026-06-01T13:00:00.000Z","all":{{{all}}},"kinds":[{{"code":"road_ponding","name":"道路积水",{all}}}],"towns":[],"units":[],"witnesses":[],"algorithms":[],"device_types":[]}}"#
    );
    assert_eq!(serde_json::to_string(&evaluation).unwrap(), expected);
}

#[test]
fn algorithms_and_types_of_devices_are_judged_by_what_told_of_each_incident() {
    let close = |number: u8, how: &str| incident(number, Some(1), Some(4), Some(how));
    let records = [
        close(1, "resolved"),
        close(2, "false_alarm"),
        close(3, "false_alarm"),
        incident(4, None, None, None),
        incident(5, None, None, Some("quiet")),
    ];
    let told = |algorithms: &[&str], types: &[&str]| ToldBy {
        algorithms: algorithms.iter().map(|name| (*name).into()).collect(),
        device_types: types.iter().map(|name| (*name).into()).collect(),
        ..ToldBy::default()
    };
    let told_by: BTreeMap<IncidentId, ToldBy> = [
        (1, told(&["ACME/flood/1.0"], &["camera", "ponding_depth"])),
        (2, told(&["ACME/flood/1.0", "ACME/flood/2.0"], &["camera"])),
        (3, told(&[""], &["camera", "smoke"])),
        (4, told(&["ACME/flood/1.0"], &["camera"])),
    ]
    .map(|(number, told)| (IncidentId::new(&number.to_string()), told))
    .into();
    let evaluation = Evaluation::of(records.iter(), &told_by, Span::default());
    let rate = |rate: Rate| (rate.hits, rate.of);
    let algorithms: Vec<_> = evaluation
        .algorithms
        .iter()
        .map(|one| {
            (
                [&*one.vendor, &*one.name, &*one.version],
                one.incidents,
                rate(one.precision),
            )
        })
        .collect();
    assert_eq!(
        algorithms,
        [
            (["", "", ""], 1, (0, 1)),
            (["ACME", "flood", "1.0"], 3, (1, 2)),
            (["ACME", "flood", "2.0"], 1, (0, 1)),
        ]
    );
    let types: Vec<_> = evaluation
        .device_types
        .iter()
        .map(|one| (&*one.device_type, one.incidents, rate(one.precision)))
        .collect();
    assert_eq!(
        types,
        [
            ("camera", 4, (1, 3)),
            ("ponding_depth", 1, (1, 1)),
            ("smoke", 1, (0, 1))
        ]
    );
    let (table, page) = (table(&evaluation), page(&evaluation));
    for told in [
        "按算法",
        "ACME flood 2.0",
        "未注明",
        "按设备类型",
        "ponding_depth",
    ] {
        assert!(table.contains(told), "{told}: {table}");
    }
    assert!(is_well_formed(&page) && page.contains("By algorithm") && page.contains("smoke"));
}

/// A revision: minutes after noon of the first event; of a band, with what it was before and since when.
fn revised(
    number: u8,
    band: Band,
    before: Option<(Band, i64)>,
    closed: Option<(&str, i64)>,
) -> IncidentRecord {
    let mut record = incident(number, None, None, closed.map(|(how, _)| how));
    let minute = |minutes: i64| UtcTime(record.opened_at.0 + minutes * 60_000);
    record.priority.previous = before.map(|(band, at)| Previous {
        band,
        changed_at: minute(at),
        because: "".into(),
    });
    record.first_event_at = minute(-2);
    record.last_event_at = minute(1);
    record.closed_at = closed.map(|(_, at)| minute(at));
    record.priority.band = band;
    record
}

#[test]
fn the_p1_incidents_are_told_as_an_operator_saw_them() {
    use Band::{P1, P2};
    let mut merged = revised(4, P1, None, Some(("merged", 90)));
    merged.status = "MERGED".into();
    let mut reopened = revised(3, P1, None, None);
    reopened.last_event_at = UtcTime(reopened.opened_at.0 + 130 * 60_000);
    let revisions = [
        revised(1, P1, None, None),
        revised(1, P1, None, None),
        revised(2, P2, None, None),
        revised(5, P2, None, None), // never P1
        revised(2, P1, Some((P2, 10)), None),
        revised(2, P2, Some((P1, 70)), None),
        revised(3, P1, None, None),
        revised(3, P1, None, Some(("resolved", 30))),
        revised(4, P1, None, None),
        merged,
        revised(2, P1, Some((P2, 80)), None),
        reopened,
        revised(5, P2, None, Some(("quiet", 140))),
    ];
    let told = |span: Span| {
        let mut watch = UrgentWatch::default();
        revisions.iter().for_each(|record| watch.see(record));
        watch.finish(&TimeZone::get("Asia/Shanghai").unwrap(), span)
    };
    let all = told(Span::default());
    let spells: Vec<String> = all
        .spells
        .iter()
        .map(|spell| {
            let from = spell.from.map_or("new".to_owned(), |band| band.to_string());
            let since = &spell.since.0.to_string()[11..16];
            format!(
                "{} {since} {from} +{} for {} {}",
                spell.incident_id,
                spell.delay_s / 60,
                spell.lasted_s / 60,
                spell.ended
            )
        })
        .collect();
    assert_eq!(
        spells,
        [
            "1 04:00 new +2 for 140 open",
            "3 04:00 new +2 for 30 resolved",
            "4 04:00 new +2 for 90 merged",
            "2 04:10 P2 +12 for 60 lowered",
            "2 05:20 P2 +82 for 60 open",
            "3 06:10 new +132 for 10 open",
        ]
    );
    assert_eq!((all.incidents, all.at_once), (4, 4));
    let hours: Vec<(&str, u64, u64)> = all
        .hours
        .iter()
        .map(|hour| (&hour.hour[11..], hour.became, hour.shown))
        .collect();
    assert_eq!(hours, [("12:00", 4, 4), ("13:00", 1, 3), ("14:00", 1, 3)]);
    let from = all.spells[3].since.0;
    let later = told(Span {
        from: Some(from),
        to: None,
    });
    assert_eq!((later.spells.len(), later.incidents), (3, 2));
    let nothing = told(Span {
        from: None,
        to: Some(EventTime::from_millis(0)),
    });
    assert_eq!(
        (nothing.incidents, nothing.at_once, nothing.hours.len()),
        (0, 0, 0)
    );

    let mut evaluation = of(&revisions[..1]);
    evaluation.p1 = Some(all);
    if let Some(p1) = &mut evaluation.p1 {
        // A night in which nothing changes, and an hour in which one ended.
        p1.hours.extend([3, 3, 3, 2].map(|shown| Hour {
            hour: format!("later {shown}"),
            became: 0,
            shown,
        }));
    }
    let (table, page) = (table(&evaluation), page(&evaluation));
    assert!(
        table.contains("2026-06-01 13:00  新增 new    1  在办 shown    3"),
        "{table}"
    );
    assert_eq!(table.matches("  …\n").count(), 1, "{table}");
    let shown = |hour: &str| table.matches(hour).count();
    assert_eq!((shown("later 3"), shown("later 2")), (0, 1));
    assert!(
        table.contains("降级 lowered") && table.contains("P2→P1"),
        "{table}"
    );
    assert!(
        is_well_formed(&page) && page.contains("特急事件") && page.contains("2 h 12 min"),
        "{page}"
    );
}

/// Every element ends where it should, as XML has it.
fn is_well_formed(html: &str) -> bool {
    let mut open = Vec::new();
    for part in html.split('<').skip(1) {
        let Some((tag, _)) = part.split_once('>') else {
            return false;
        };
        if tag.starts_with('!') || tag.ends_with('/') {
            continue;
        }
        match tag.strip_prefix('/') {
            Some(name) if open.pop() != Some(name) => return false,
            Some(_) => {}
            None => open.push(tag.split(' ').next().unwrap_or_default()),
        }
    }
    open.is_empty()
}

#[test]
fn the_page_is_whole_and_tells_nothing_about_persons() {
    let mut record = incident(1, Some(1), Some(4), Some("resolved"));
    record.name_zh = "<script>alert(1)</script>&\u{0}".to_owned();
    record.explanation = "13812345678".to_owned();
    let html = page(&of(&[record]));
    assert!(is_well_formed(&html), "{html}");
    assert!(
        !html.contains("<script") && !html.contains("13812345678"),
        "{html}"
    );
    assert!(html.contains("size:A4") && html.contains("误报") && html.contains("False"));
}

proptest! {
    #[test]
    fn rates_are_shares_and_groups_sum_up(
        made in proptest::collection::vec((0..6_u8, proptest::option::of(0..9_i64), proptest::option::of(0..9_i64), 0..5_usize), 0..40),
    ) {
        let closes = [None, Some("quiet"), Some("resolved"), Some("closed"), Some("false_alarm")];
        let records: Vec<IncidentRecord> = made
            .iter()
            .enumerate()
            .map(|(number, (kind, dispatched, resolved, close))| {
                let mut record = incident(number as u8, *dispatched, *resolved, closes[*close]);
                record.kind = kind.to_string();
                record
            })
            .collect();
        let told = of(&records);
        prop_assert_eq!(told.all.incidents, records.len() as u64);
        for groups in [&told.kinds, &told.towns, &told.units] {
            for of in [|t: &Tally| t.incidents, |t: &Tally| t.dispatch_on_time.hits, |t: &Tally| t.control_on_time.of,
                |t: &Tally| t.rework.of, |t: &Tally| t.repeat.hits, |t: &Tally| t.false_alarm.hits] {
                prop_assert_eq!(groups.iter().map(|group| of(&group.tally)).sum::<u64>(), of(&told.all));
            }
        }
        for rate in [told.all.dispatch_on_time, told.all.control_on_time, told.all.rework, told.all.false_alarm] {
            prop_assert!(rate.hits <= rate.of && rate.share().is_none_or(|share| (0.0..=1.0).contains(&share)));
        }
        prop_assert!(is_well_formed(&page(&told)) && table(&told).lines().count() > 10);
    }
}
