//! The shipped tables as a whole: a change of any number shows in review.
#![allow(clippy::unwrap_used)]

use std::fmt::Write;

use city_rules::{KindId, Rules, strict};

#[test]
fn kinds() {
    let rules = Rules::builtin();
    let mut table = String::new();
    for (_, kind) in rules.kinds() {
        let m = |mm: i64| mm / 1_000;
        let names = |ids: &[KindId]| {
            ids.iter()
                .map(|id| rules.kind(*id).name.to_string())
                .collect::<Vec<_>>()
                .join("+")
        };
        let mut marks = String::new();
        for (mark, set) in [
            ('D', kind.component_decides),
            ('M', kind.moving),
            ('r', kind.road),
            ('n', kind.night),
            ('w', kind.weather),
            ('x', kind.restricted),
            ('-', !kind.correlates),
        ] {
            if set {
                marks.push(mark);
            }
        }
        writeln!(
            table,
            "{:18} {:>3} {:>3} {:>4}m gap {:4} max {:4} recur {:5} {} {:5} {:8} {:6} related:{} confused:{}",
            kind.name.as_str(),
            m(kind.radius_mm),
            m(kind.cap_mm),
            m(kind.extent_mm),
            strict::duration_text(kind.gap_ms),
            strict::duration_text(kind.max_life_ms),
            kind.recur_ms.map_or("-".into(), strict::duration_text),
            kind.grade,
            kind.base_band.map_or("-", |band| band.as_str()),
            kind.safety_class,
            marks,
            names(&kind.related),
            names(&kind.confused_with),
        )
        .unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn groups() {
    let rules = Rules::builtin();
    let mut table = String::new();
    for (group, kinds) in rules.groups() {
        let names: Vec<&str> = kinds.iter().map(|id| rules.kind(*id).name.as_str()).collect();
        writeln!(
            table,
            "{group} ({}): {}",
            rules.group_weight(group),
            names.join(" ")
        )
        .unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn overrides() {
    let rules = Rules::builtin();
    let lines: Vec<String> = rules
        .priority()
        .overrides
        .iter()
        .map(|rule| format!("{} {:?}", rule.id, rule.effect))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn metrics() {
    let rules = Rules::builtin();
    let mut table = String::new();
    for metric in rules.metrics() {
        let limits = match metric.boolean {
            true => "contact".to_owned(),
            false => format!(
                "{} {} clear {}",
                metric.unit, metric.alarm_milli, metric.clear_milli
            ),
        };
        let mut watched = Vec::new();
        watched.extend(metric.confirm.map(|confirm| format!("{confirm:?}")));
        watched.extend(metric.rise.map(|rise| format!("{rise:?}")));
        watched.extend(
            metric
                .flap
                .map(|flap| format!("flap {} in {}", flap.times, strict::duration_text(flap.within_ms))),
        );
        watched.extend(metric.flat.map(|flat| {
            format!(
                "flat {} over {}",
                flat.readings,
                strict::duration_text(flat.over_ms)
            )
        }));
        watched.extend(
            metric
                .offline_ms
                .map(|ms| format!("offline {}", strict::duration_text(ms))),
        );
        watched.extend(metric.own_word.map(|word| format!("{word:?}")));
        if !metric.other_units.is_empty() {
            watched.push(format!("or {}", metric.other_units.join(" ")));
        }
        let line = format!("{:20} {limits:28} {}", metric.name, watched.join(", "));
        writeln!(table, "{}", line.trim_end()).unwrap();
    }
    insta::assert_snapshot!(table);
}
