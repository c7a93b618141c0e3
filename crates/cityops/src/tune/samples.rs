//! The located rows of a history as samples, and its labels as links between them.

use std::collections::HashMap;

use city_model::Plane;
use city_rules::Rules;
use jiff::tz::TimeZone;
use rule_tuner::{History, Sample};

use crate::backtest::{Row, is_link, middle};

/// The samples and links of rows in the order of a history; a month of the time zone is a period.
pub fn samples(rules: &Rules, zone: &TimeZone, rows: &[Row]) -> History {
    let plane = Plane::at(middle(rows));
    let mut samples = Vec::new();
    let mut by_id: HashMap<&str, (usize, &Row)> = HashMap::new();
    for row in rows {
        let (Some((position, u_mm)), Some(kind)) = (row.located, rules.kind_id(&row.kind)) else {
            continue;
        };
        by_id.insert(&row.event_id, (samples.len(), row));
        samples.push(Sample {
            time_ms: row.event_time.millis(),
            point: plane.project(position),
            u_mm,
            kind,
            channel: row.channel,
            period: month(zone, row),
        });
    }
    let parent_of = |row: &Row| {
        row.duplicate_of
            .as_deref()
            .and_then(|parent| by_id.get(parent))
            .copied()
    };
    let mut links: Vec<(usize, usize)> = rows
        .iter()
        .filter_map(|row| {
            let (child, _) = by_id.get(&*row.event_id)?;
            let (parent, parents_row) = parent_of(row)?;
            is_link(row, parents_row).then_some((*child, parent))
        })
        .collect();
    if links.is_empty() {
        let mut last: HashMap<&str, usize> = HashMap::new();
        for row in rows {
            if let (Some(truth), Some((at, _))) = (row.truth.as_deref(), by_id.get(&*row.event_id)) {
                links.extend(last.insert(truth, *at).map(|before| (*at, before)));
            }
        }
    }
    History::new(samples, links)
}

/// Months since the year 0; a time that the calendar does not know belongs to month 0.
fn month(zone: &TimeZone, row: &Row) -> u32 {
    let Ok(at) = jiff::Timestamp::from_millisecond(row.event_time.millis()) else {
        return 0;
    };
    let local = zone.to_datetime(at);
    u32::try_from(i32::from(local.year()) * 12 + i32::from(local.month()) - 1).unwrap_or(0)
}
