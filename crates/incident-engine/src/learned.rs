//! What the learned table of the rules says of an event and an incident that space and time let meet.

use city_model::{Event, Incident};
use city_rules::{KindId, Rules, Verdict};

/// The points with which an event of kind `kind` may join an incident of kind `other`, or why it may not. Without a table,
/// or where the table does not know these kinds, there are no points and nothing stands against it.
pub(crate) fn weigh(
    rules: &Rules,
    (kind, other): (KindId, KindId),
    incident: &Incident,
    event: &Event,
    distance_mm: i64,
    gap_ms: i64,
) -> Result<Option<i32>, &'static str> {
    let witnesses = incident.witnesses.keys().copied();
    let verdict = rules
        .learned()
        .and_then(|table| table.weigh((kind, other), distance_mm, gap_ms, event.channel, witnesses));
    match verdict {
        None => Ok(None),
        Some(Verdict::Joins(points)) => Ok(Some(points)),
        Some(Verdict::TooFew) => Err("points"),
        Some(Verdict::Never) => Err("never"),
    }
}
