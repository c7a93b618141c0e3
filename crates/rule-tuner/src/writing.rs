//! The rules file: a table of whole points with the evidence beside each row, for a person to check and overrule.

use std::collections::BTreeSet;
use std::fmt::Write;

use city_rules::strict::duration_text;
use city_rules::{KindId, Learned, Row, Rules};

use crate::grouping::{LIFE_MS, extent_mm};
use crate::{Evidence, Judged, Lesson};

const HOW_TO_READ: &str = "\
# An event and an open incident get points by their distance, by the time between them, and by who reported; ten points
# more are twice the odds. The event joins the incident with most points, from the threshold on. A row has one number for
# each band of `distance` (metres) and of `gap`; a band ends at the number given. `never = true`: two of this kind are
# never one incident by nearness. Change any number, or raise the threshold to merge less. Delete a kind's lines, here and
# under [kinds], to give it the plain rule back.
";

/// Writes what was learned over `rules` as a rules file with this threshold. `head` stands above it as comments; `judged` is
/// what it does to the history that it was learned from. The same lesson gives the same bytes.
pub fn to_toml(rules: &Rules, lesson: &Lesson, threshold: i32, judged: &Judged, head: &[String]) -> String {
    let table = lesson.table.clone().with_threshold(threshold);
    let mut out = String::new();
    for line in head {
        put(&mut out, format!("# {}", line.replace(['\n', '\r'], " ")));
    }
    out.push_str("#\n");
    out.push_str(HOW_TO_READ);
    put(&mut out, String::from("\n[learned]"));
    put(&mut out, format!("threshold = {threshold}"));
    let metres: Vec<String> = table.distances_mm().iter().map(|mm| metres(*mm)).collect();
    put(&mut out, format!("distance = [{}]", metres.join(", ")));
    let gaps: Vec<String> = table
        .gaps_ms()
        .iter()
        .map(|ms| quoted(&duration_text(*ms)))
        .collect();
    put(&mut out, format!("gap = [{}]", gaps.join(", ")));

    put(&mut out, String::from("\n[learned.kinds]"));
    // The kinds that matter most stand first.
    let counts = |kind: &KindId| judged.kinds.get(kind).copied().unwrap_or_default();
    let mut own: Vec<KindId> = lesson
        .evidence
        .keys()
        .filter(|(one, two)| one == two)
        .map(|(kind, _)| *kind)
        .collect();
    own.sort_by_key(|kind| (std::cmp::Reverse(counts(kind)[0]), name(rules, *kind)));
    for kind in &own {
        let evidence = lesson.evidence.get(&(*kind, *kind)).copied().unwrap_or_default();
        let [events, merged, ..] = counts(kind);
        let comment = format!("{events} events, {merged} merged; {}", told(evidence));
        put_row(&mut out, &table, name(rules, *kind), (*kind, *kind), &comment);
    }
    let mut pairs: Vec<(&str, &str, KindId, KindId)> = lesson
        .pairs
        .iter()
        .map(|&(one, other)| (name(rules, one), name(rules, other), one, other))
        .collect();
    pairs.sort_unstable();
    let mut before = None;
    for (first, second, one, other) in pairs {
        if before != Some(first) {
            put(&mut out, format!("\n[learned.pairs.{}]", quoted(first)));
            before = Some(first);
        }
        let evidence = lesson.evidence.get(&(one, other)).copied().unwrap_or_default();
        put_row(&mut out, &table, second, (one, other), &told(evidence));
    }
    put_channels(&mut out, &table);
    put_kinds(&mut out, rules, lesson, &table, &own);
    out
}

fn put(out: &mut String, line: String) {
    out.push_str(&line);
    out.push('\n');
}

fn put_row(out: &mut String, table: &Learned, name: &str, (one, other): (KindId, KindId), comment: &str) {
    let name = quoted(name);
    match (table.row(one, other), table.reach(one, other)) {
        (Some(Row::Points { distance, gap }), Some(_)) => {
            let reach = stairs(table, distance, gap);
            put(
                out,
                format!("{name} = {{ distance = {distance:?}, gap = {gap:?} }}  # {reach}; {comment}"),
            );
        }
        _ => put(out, format!("{name} = {{ never = true }}  # {comment}")),
    }
}

/// How long after an incident's last event another may come at each distance, by the channels that have no points.
fn stairs(table: &Learned, distance: &[i32], gap: &[i32]) -> String {
    let mut stairs: Vec<(i64, i64)> = Vec::new();
    for (end_mm, by_distance) in table.distances_mm().iter().zip(distance) {
        let late = gap
            .iter()
            .rposition(|by_gap| by_distance + by_gap >= table.threshold());
        let Some(late_ms) = late.map(|at| table.gaps_ms()[at]) else {
            continue;
        };
        match stairs.last_mut() {
            Some(last) if last.1 == late_ms => last.0 = *end_mm,
            _ => stairs.push((*end_mm, late_ms)),
        }
    }
    if stairs.is_empty() {
        return "only by the channels below".to_owned();
    }
    let told: Vec<String> = stairs
        .into_iter()
        .map(|(mm, ms)| format!("{} m {}", metres(mm), duration_text(ms)))
        .collect();
    told.join(", ")
}

fn told(evidence: Evidence) -> String {
    let Evidence {
        candidates,
        found,
        links,
    } = evidence;
    format!("{candidates} had a candidate, {found} of these marked; {links} links")
}

fn put_channels(out: &mut String, table: &Learned) {
    for event in city_model::Channel::ALL {
        let mut is_first = true;
        for witness in city_model::Channel::ALL {
            let points = table.channel_points(*event, *witness);
            if points != 0 {
                if is_first {
                    put(
                        out,
                        format!("\n# an event by {event} at an incident that has a report by"),
                    );
                    put(out, format!("[learned.channels.{event}]"));
                    is_first = false;
                }
                put(out, format!("{witness} = {points}"));
            }
        }
    }
}

/// Radius, gap and life as the outer bounds of the points, so that quiet closing and the index know them.
fn put_kinds(out: &mut String, rules: &Rules, lesson: &Lesson, table: &Learned, own: &[KindId]) {
    put(
        out,
        String::from("\n# The outer bounds of the rows above; beyond them nothing joins."),
    );
    put(out, String::from("[kinds]"));
    for kind in own {
        let partners = lesson.partners(*kind);
        let reaches = partners.iter().filter_map(|other| table.reach(*kind, *other));
        let bounds = reaches.reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)));
        let mut fields = Vec::new();
        if let Some((far, late)) = bounds {
            fields.push(format!("radius = {0}, cap = {0}", metres(far)));
            fields.push(format!("extent = {}", metres(extent_mm(table))));
            // The points were learned with the radius alone; a doubt below would take away from them.
            fields.push("doubt = 0".to_owned());
            fields.push(format!("gap = {}", quoted(&duration_text(late))));
            fields.push(format!("max_life = {}", quoted(&duration_text(LIFE_MS))));
        }
        if partners.len() > 1 {
            // A list in this file stands for the one below it, so what the rules say already is said again.
            let before = rules.kind(*kind).merges_with.iter();
            let merged: BTreeSet<&str> = partners[1..]
                .iter()
                .chain(before)
                .map(|other| name(rules, *other))
                .collect();
            let merged: Vec<String> = merged.into_iter().map(quoted).collect();
            fields.push(format!("merges_with = [{}]", merged.join(", ")));
        }
        let named = quoted(name(rules, *kind));
        put(
            out,
            if fields.is_empty() {
                format!("{named} = {{}}") // the rows above need the kind to be known
            } else {
                format!("{named} = {{ {} }}", fields.join(", "))
            },
        );
    }
}

fn name(rules: &Rules, kind: KindId) -> &str {
    rules.kind(kind).name.as_str()
}

/// Metres without a fraction where there is none.
fn metres(mm: i64) -> String {
    if mm % 1_000 == 0 {
        (mm / 1_000).to_string()
    } else {
        format!("{}.{:03}", mm / 1_000, mm % 1_000)
    }
}

/// A basic string of TOML 1.0.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
