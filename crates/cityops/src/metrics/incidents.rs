//! What committed incidents tell: how many are open, what each revision changed, how long it took.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use city_model::{EventTime, Name, Status};
use incident_engine::Withheld;
use stream_worker::DecisionObserver;

use super::Metrics;
use crate::board::{Entry, Taken};
use crate::workers::Role;

/// What a revision changed, the weightiest first: the label of `incident_revisions_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevisionReason {
    /// The first revision.
    Opened,
    /// It was closed.
    Closed,
    /// It became part of another.
    Merged,
    /// It was closed or merged, and is open again.
    Reopened,
    /// A more urgent band.
    BandRaised,
    /// A less urgent band.
    BandLowered,
    /// The centre's feedback.
    Handling,
    /// More members.
    Joined,
    /// Fewer members: they were decided again, moved or split off.
    Regrouped,
    /// Anything else.
    Details,
}

impl RevisionReason {
    /// Every reason.
    pub const ALL: [RevisionReason; 10] = [
        RevisionReason::Opened,
        RevisionReason::Closed,
        RevisionReason::Merged,
        RevisionReason::Reopened,
        RevisionReason::BandRaised,
        RevisionReason::BandLowered,
        RevisionReason::Handling,
        RevisionReason::Joined,
        RevisionReason::Regrouped,
        RevisionReason::Details,
    ];

    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            RevisionReason::Opened => "opened",
            RevisionReason::Closed => "closed",
            RevisionReason::Merged => "merged",
            RevisionReason::Reopened => "reopened",
            RevisionReason::BandRaised => "band_raised",
            RevisionReason::BandLowered => "band_lowered",
            RevisionReason::Handling => "handling",
            RevisionReason::Joined => "joined",
            RevisionReason::Regrouped => "regrouped",
            RevisionReason::Details => "details",
        }
    }

    /// What the step from one revision to the next changed.
    pub fn of(before: Option<&Entry>, after: &Entry) -> RevisionReason {
        let Some(before) = before else {
            return if after.revision == 1 {
                RevisionReason::Opened
            } else {
                RevisionReason::Details
            };
        };
        if before.status != after.status {
            return match after.status {
                Status::Open => RevisionReason::Reopened,
                Status::Closed => RevisionReason::Closed,
                Status::Merged => RevisionReason::Merged,
            };
        }
        if after.band < before.band {
            RevisionReason::BandRaised
        } else if after.band > before.band {
            RevisionReason::BandLowered
        } else if after.handling_steps != before.handling_steps {
            RevisionReason::Handling
        } else if after.member_count > before.member_count {
            RevisionReason::Joined
        } else if after.member_count < before.member_count {
            RevisionReason::Regrouped
        } else {
            RevisionReason::Details
        }
    }
}

/// When a record of an incident was appended.
#[derive(Debug, Clone, Copy)]
pub struct Appended {
    /// By the clock that ingests events, too.
    pub at: EventTime,
    /// Incidents that were opened before are of another clock.
    pub from: EventTime,
}

impl Metrics {
    /// An incident was appended at this time, by the broker's clock.
    pub fn output_at(&self, appended_at: EventTime) {
        self.newest_output_ms
            .fetch_max(appended_at.millis(), Ordering::Relaxed);
    }

    /// Counts what a committed record of an incident did to the board. Without the time of its append no latency is told.
    pub fn incident_published(&self, taken: &Taken, appended: Option<Appended>) {
        let (before, after) = (taken.before.as_deref(), taken.after.as_deref());
        for (entry, step) in [(before, -1), (after, 1)] {
            if let Some(entry) = entry.filter(|entry| entry.status == Status::Open) {
                self.open_incidents
                    .with_label_values(&[&*entry.kind, entry.band.as_str()])
                    .add(step);
                let members = i64::try_from(entry.member_count).unwrap_or(i64::MAX);
                self.open_members
                    .with_label_values(&[&*entry.kind])
                    .add(step * members);
            }
        }
        let Some(after) = after else { return };
        // History that is read again at a start was counted by the process that saw it happen.
        if !taken.live {
            return;
        }
        self.revisions
            .with_label_values(&[RevisionReason::of(before, after).as_str()])
            .inc();
        let held: BTreeSet<&Name> = before
            .map(|before| before.overrides.iter().collect())
            .unwrap_or_default();
        for id in after.overrides.iter().filter(|id| !held.contains(id)) {
            self.overrides.with_label_values(&[&**id]).inc();
        }
        if let Some(appended) = appended
            && let Some(caused_at) = caused_at(before, after)
            && caused_at >= appended.from
        {
            let latency_ms = appended.at - caused_at;
            self.end_to_end
                .with_label_values(&[after.band.as_str()])
                .observe(latency_ms.max(0) as f64 / 1_000.0);
        }
    }
}

/// When the event was appended that opened an incident with this revision, or raised it to its band; `None` where nobody waited
/// for this revision so. What a silence held back is shown with all its members long after the first; and what the clock, a
/// warning or the centre raised has no new member, and no append of an event to count from.
fn caused_at(before: Option<&Entry>, after: &Entry) -> Option<EventTime> {
    match RevisionReason::of(before, after) {
        RevisionReason::Opened if after.member_count <= 1 => Some(after.opened_at),
        RevisionReason::BandRaised => before
            .filter(|before| after.member_count > before.member_count)
            .filter(|before| after.band_changed_at != before.band_changed_at)
            .and(after.band_changed_at),
        _ => None,
    }
}

impl DecisionObserver for Metrics {
    fn withheld(&self, because: Withheld, times: u64) {
        self.withheld.with_label_values(&[because.as_str()]).inc_by(times);
    }

    fn unbalanced(&self, records: u64) {
        Metrics::unbalanced(self, Role::Correlate, records);
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;

    use super::*;
    use crate::board::Board;
    use crate::board::tests::{put, record};

    const AT: &str = "2026-07-25T08:00:00Z";

    #[test]
    fn counts_open_incidents_and_news() {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let board = Board::default();
        let opened = EventTime::from_millis(AT.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let take = |json: &str, after_ms: i64| {
            let appended = Appended {
                at: opened + after_ms,
                from: opened - 1,
            };
            metrics.output_at(appended.at);
            metrics.incident_published(&put(&board, json).unwrap(), Some(appended));
        };
        take(&record("old", 1, "P3", "OPEN", AT), 100);
        board.set_caught_up();
        let alone = |json: String| json.replace("\"member_count\":3", "\"member_count\":1");
        take(&alone(record("new", 1, "P2", "OPEN", AT)), 250);
        take(&alone(record("new", 2, "P1", "OPEN", AT)), 1_000);
        take(&record("old", 2, "P3", "CLOSED", AT), 2_000);
        metrics.withheld(Withheld::TooMany, 2);
        let removed = board.take(Default::default(), b"new", None).unwrap().unwrap();
        metrics.incident_published(&removed, None);
        let text = metrics.text(opened + 5_000).unwrap();
        for line in [
            "cityops_open_incidents{band=\"P1\",kind=\"road_ponding\"} 0",
            "cityops_open_incidents{band=\"P2\",kind=\"road_ponding\"} 0",
            "cityops_open_incidents{band=\"P3\",kind=\"road_ponding\"} 0",
            "cityops_open_incident_members{kind=\"road_ponding\"} 0",
            "cityops_incident_revisions_total{reason=\"opened\"} 1",
            "cityops_incident_revisions_total{reason=\"band_raised\"} 1",
            "cityops_incident_revisions_total{reason=\"closed\"} 1",
            "cityops_priority_override_total{override=\"O7.base_P2\"} 1",
            "cityops_end_to_end_latency_seconds_sum{band=\"P2\"} 0.25",
            "cityops_end_to_end_latency_seconds_count{band=\"P2\"} 1",
            "cityops_newest_output_age_seconds 3",
            "cityops_decisions_withheld_total{reason=\"too_many\"} 2",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
    }

    #[test]
    fn who_waits_for_a_band_waits_from_the_event_that_raised_it() {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let board = Board::default();
        board.set_caught_up();
        let opened = EventTime::from_millis(AT.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let take = |json: String, after_s: i64| {
            let at = opened + 1_000 * after_s;
            let appended = Appended { at, from: opened - 1 };
            metrics.incident_published(&put(&board, &json).unwrap(), Some(appended));
        };
        let of = |id: &str, revision: u64, band: &str, members: u64, raised: &str| {
            let members = format!("\"member_count\":{members}");
            let previous = format!(
                "\"previous\":{{\"band\":\"P3\",\"changed_at\":\"{raised}\",\"because\":\"W\"}},\"overrides\""
            );
            let json = record(id, revision, band, "OPEN", AT).replace("\"member_count\":3", &members);
            match raised {
                "" => json,
                _ => json.replace("\"overrides\"", &previous),
            }
        };
        let p1 = |sum: &str, count: u64| {
            let text = metrics.text(opened).unwrap();
            for line in [
                format!("cityops_end_to_end_latency_seconds_sum{{band=\"P1\"}} {sum}"),
                format!("cityops_end_to_end_latency_seconds_count{{band=\"P1\"}} {count}"),
            ] {
                assert!(
                    text.lines().any(|found| found == line),
                    "{line} is not in\n{text}"
                );
            }
        };
        take(of("a", 1, "P3", 1, ""), 1);
        // An hour later a third report makes it a P1, which is published seven seconds after it was appended.
        take(of("a", 2, "P1", 3, "2026-07-25T09:00:00Z"), 3_607);
        p1("7", 1);
        // More reports, and a fall, which nobody waits for.
        take(of("a", 3, "P1", 4, "2026-07-25T09:00:00Z"), 3_700);
        take(of("a", 4, "P2", 5, "2026-07-25T09:10:00Z"), 4_300);
        // Its time ran out: no event raised it.
        take(of("a", 5, "P1", 5, "2026-07-25T10:00:00Z"), 9_000);
        // What a silence held back for hours shows with what came meanwhile.
        take(of("b", 1, "P1", 6, ""), 9_000);
        p1("7", 1);
        take(of("c", 1, "P1", 1, ""), 2);
        p1("9", 2);
    }

    #[test]
    fn names_the_weightiest_change() {
        let board = Board::default();
        let base = record("a", 1, "P2", "OPEN", AT);
        let before = put(&board, &base).unwrap().after.unwrap();
        let mut revision = 1;
        let mut check = |from: &str, to: &str, reason: &str| {
            revision += 1;
            let next = base
                .replace("\"revision\":1", &format!("\"revision\":{revision}"))
                .replace(from, to);
            let after = put(&board, &next).unwrap().after.unwrap();
            assert_eq!(RevisionReason::of(Some(&before), &after).as_str(), reason);
        };
        check("", "", "details");
        check("\"member_count\":3", "\"member_count\":4", "joined");
        check("\"member_count\":3", "\"member_count\":2", "regrouped");
        check("\"returned_count\":0", "\"returned_count\":1", "handling");
        check(
            "\"returned_count\":0",
            "\"arrived_at\":\"x\",\"returned_count\":0",
            "handling",
        );
        check("\"P2\"", "\"P3\"", "band_lowered");
        check("\"P2\"", "\"P1\"", "band_raised");
        check("OPEN", "MERGED", "merged");
    }
}
