//! A made history: its table, its JSON and its page.

use city_model::{EventTime, IncidentId, UtcTime};
use incident_engine::IncidentRecord;
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
    Evaluation::of(records.iter(), Span::default())
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
    assert_eq!(rate(all.rework), (1, 3));
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
            rate(all.rework)
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
fn the_json_is_as_it_always_was() {
    let mut evaluation = of(&[
        incident(1, Some(1), Some(4), Some("resolved")),
        incident(7, None, None, Some("false_alarm")),
    ]);
    (evaluation.towns, evaluation.units, evaluation.witnesses) = (Vec::new(), Vec::new(), Vec::new());
    let all = r#""incidents":2,"open":0,"handled":1,"dispatch_on_time":{"hits":1,"of":1,"share":1.0,"interval_95":[0.2065,1.0],"small":true},"control_on_time":{"hits":1,"of":1,"share":1.0,"interval_95":[0.2065,1.0],"small":true},"rework":{"hits":0,"of":1,"share":0.0,"interval_95":[0.0,0.7935],"small":true},"repeat":{"hits":0,"of":2,"share":0.0,"interval_95":[0.0,0.6576],"small":true},"false_alarm":{"hits":1,"of":2,"share":0.5,"interval_95":[0.0945,0.9055],"small":true}"#;
    let expected = format!(
        r#"{{"from":"2026-06-01T04:00:00.000Z","to":"2026-06-01T13:00:00.000Z","all":{{{all}}},"kinds":[{{"code":"road_ponding","name":"道路积水",{all}}}],"towns":[],"units":[],"witnesses":[]}}"#
    );
    assert_eq!(serde_json::to_string(&evaluation).unwrap(), expected);
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
