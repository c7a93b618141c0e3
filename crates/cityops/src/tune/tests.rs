//! A small made history through the whole command, and the engine held against the tuner's own grouping.

use std::fmt::Write;

use super::*;

/// Three months of a made city: lamps under two names are reported again now and then, crews enter batches.
fn history() -> String {
    let mut csv = "event_id,event_time,source,kind,lon,lat,channel,duplicate_of,is_duplicate\n".to_owned();
    let mut state = 7_u64;
    let mut below = |bound: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 20) % bound
    };
    let start = 1_767_225_600_000_u64; // 2026-01-01
    for lamp in 0..360 {
        let (x, y, time) = (
            below(200_000) as f64 / 1e6,
            below(200_000) as f64 / 1e6,
            start + below(85 * 86_400_000),
        );
        let mut row = |id: &str, time: u64, kind: &str, east: f64, channel: &str, parent: &str| {
            let (lon, lat, marked) = (121.0 + x + east, 31.0 + y, u8::from(!parent.is_empty()));
            let _ = writeln!(
                csv,
                "{id},{time},hotline,{kind},{lon:.6},{lat:.6},{channel},{parent},{marked}"
            );
        };
        let id = format!("lamp{lamp}");
        row(&id, time, "Lamp", 0.0, "Constituent Call", "");
        if lamp % 3 == 0 {
            let kind = if lamp % 2 == 0 { "Lamp, \"out\"" } else { "Lamp" };
            let kind = format!("\"{}\"", kind.replace('"', "\"\""));
            let east = below(300) as f64 / 1e6;
            row(
                &format!("again{lamp}"),
                time + below(100_000_000),
                &kind,
                east,
                "Self Service",
                &id,
            );
        }
        if lamp % 9 == 0 {
            for job in 0..5 {
                row(
                    &format!("crew{lamp}-{job}"),
                    time + job * 1_000,
                    "Crew work",
                    0.001,
                    "Employee Generated",
                    "",
                );
            }
        }
    }
    csv
}

#[test]
fn the_engine_does_what_the_tuner_reckoned() {
    let tuned = tune("UTC", Rules::builtin(), history().as_bytes(), 0.3).unwrap();
    let rules = Rules::load(&[("learned.toml".to_owned(), tuned.rules.clone())]).unwrap();
    let report = backtest::backtest(rules, history().as_bytes()).unwrap();
    let learned = &tuned.report.learned;
    assert_eq!(report.links, tuned.report.links);
    assert_eq!(report.merge_share, Some(learned.merge_share));
    assert_eq!(report.link_recall, Some(learned.link_recall));
    assert!(
        learned.link_recall > 0.9,
        "{}\n{}",
        tuned.report.to_text(),
        tuned.rules
    );
    let crews = tuned.report.never.iter().find(|kind| kind.kind == "Crew work");
    assert_eq!(crews.map(|crews| crews.links), Some(0));
    assert_eq!(tuned.report.pairs[0].kinds, ["Lamp", "Lamp, \"out\""]);
}

#[test]
fn a_budget_below_what_staff_marked_is_named_as_the_reason() {
    let text = |budget| {
        let tuned = tune("UTC", Rules::builtin(), history().as_bytes(), budget).unwrap();
        (tuned.report.to_text(), tuned.report)
    };
    let (ample, _) = text(0.9);
    assert!(!ample.contains("left out by the budget"), "{ample}");
    let (scant, report) = text(0.01);
    assert!(scant.contains("left out by the budget"), "{scant}");
    let threshold = report.learned.threshold.unwrap();
    let marked: Vec<_> = report.never.iter().filter(|kind| kind.links > 0).collect();
    assert!(!marked.is_empty(), "{scant}");
    for kind in marked {
        let from = kind.merges_from.unwrap();
        assert!(from < threshold, "{scant}");
        assert!(
            scant.contains(&format!(
                "{} links, would merge from threshold {from} on",
                kind.links
            )),
            "{scant}"
        );
    }
}

#[test]
fn a_kind_that_the_rules_describe_is_decided_by_its_points_alone() {
    // So little doubt that it would part what the points join.
    let described = ("city.toml".to_owned(), "[kinds.Lamp]\ndoubt = 1\n".to_owned());
    let before = Rules::load(std::slice::from_ref(&described)).unwrap();
    let tuned = tune("UTC", before, history().as_bytes(), 0.3).unwrap();
    let rules = Rules::load(&[described, ("learned.toml".to_owned(), tuned.rules.clone())]).unwrap();
    let report = backtest::backtest(rules, history().as_bytes()).unwrap();
    let learned = &tuned.report.learned;
    assert!(learned.link_recall > 0.9, "{}", tuned.report.to_text());
    assert_eq!(report.merge_share, Some(learned.merge_share), "{}", tuned.rules);
    assert_eq!(report.link_recall, Some(learned.link_recall));
}

#[test]
fn months_are_judged_by_their_past_and_the_present_rules_beside() {
    let report = tune("UTC", Rules::builtin(), history().as_bytes(), 0.3)
        .unwrap()
        .report;
    let whole: Vec<(&str, &str)> = report
        .folds
        .iter()
        .filter(|fold| fold.is_whole_past)
        .map(|fold| (fold.learned_from.as_str(), fold.judged_on.as_str()))
        .collect();
    assert_eq!(whole, [("2026-01", "2026-02"), ("2026-01 to 2026-02", "2026-03")]);
    assert_eq!(
        report.folds.len(),
        6,
        "two by the past, one by the first month alone, three by halves"
    );
    let expected = report.expected.as_ref().unwrap();
    assert!(
        expected.merge_share < expected.present_merge_share,
        "crews are left alone"
    );
    let (low, high) = expected.interval.unwrap();
    assert!(low < expected.link_recall && expected.link_recall < high);
}

#[test]
fn the_same_history_gives_the_same_bytes() {
    let of = || tune("UTC", Rules::builtin(), history().as_bytes(), 0.1).unwrap();
    let (one, two) = (of(), of());
    assert_eq!(one.rules, two.rules);
    assert_eq!(one.report.to_text(), two.report.to_text());
}

#[test]
fn a_history_without_labels_says_so() {
    let csv = "event_id,event_time,source,kind,lon,lat\na,2026-03-01T08:00:00Z,hotline,Lamp,121,31\n";
    let error = tune("UTC", Rules::builtin(), csv.as_bytes(), 0.1).err().unwrap();
    assert!(error.to_string().contains("no labels"), "{error}");
}
