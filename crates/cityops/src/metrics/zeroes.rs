//! Counters whose labels are all known begin at zero: a rate needs a value before the first count, and a panel must tell
//! "none yet" from "not measured".
//!
//! What is measured by the second, such as lag, is not there until somebody measured it.

use city_model::{Band, DeadLetterReason, Flag, Quality, Source};
use city_rules::Rules;
use incident_engine::Withheld;

use super::{Metrics, RevisionReason};
use crate::workers::Role;

/// The sources whose records are events.
pub(super) const EVENTS: [Source; 4] = [Source::Sensor, Source::Hotline, Source::Video, Source::Report];

/// What a record's time can be flagged as.
const CLOCK_FLAGS: [Flag; 4] = [
    Flag::ClockFuture,
    Flag::ClockUnset,
    Flag::ZoneSuspected,
    Flag::Backfill,
];

impl Metrics {
    /// Shows every series of the closed sets, with the kinds and overrides of these rules and these layers of the grid.
    pub fn begin<'a>(&self, rules: &Rules, layers: impl IntoIterator<Item = &'a str>) {
        for source in Source::ALL {
            for reason in DeadLetterReason::ALL {
                let labels = [source.as_str(), reason.as_str()];
                self.dead_letters.with_label_values(&labels);
            }
        }
        for source in EVENTS {
            for quality in Quality::ALL {
                let labels = [source.as_str(), quality.as_str()];
                self.location_quality.with_label_values(&labels);
            }
            self.codes_unmapped.with_label_values(&[source.as_str()]);
            for flag in CLOCK_FLAGS {
                self.clocks.flagged(source, flag, 0);
            }
        }
        for source in [Source::Weather, Source::Silence] {
            self.nowhere(source, 0);
        }
        for layer in layers {
            for status in event_intake::Placed::ALL {
                self.placed(layer, status, 0);
            }
        }
        for role in [Role::Enrich, Role::Correlate] {
            self.unbalanced(role, 0);
        }
        for because in Withheld::ALL {
            self.withheld.with_label_values(&[because.as_str()]);
        }
        for reason in RevisionReason::ALL {
            self.revisions.with_label_values(&[reason.as_str()]);
        }
        for band in Band::ALL {
            self.end_to_end.with_label_values(&[band.as_str()]);
        }
        for rule in &rules.priority().overrides {
            self.overrides.with_label_values(&[&rule.id]);
        }
        self.overrides.with_label_values(&["O5.operator_pin"]);
        self.http.begin();
        for band in Band::ALL {
            self.overrides.with_label_values(&[&*format!("O7.base_{band}")]);
        }
        for (_, kind) in rules.kinds() {
            for band in Band::ALL {
                self.open_incidents
                    .with_label_values(&[kind.name.as_str(), band.as_str()]);
            }
            self.open_members.with_label_values(&[kind.name.as_str()]);
        }
        self.unreadable.with_label_values::<&str>(&[]);
        self.senders.begin();
        super::traces::begin(&self.trace_contexts);
        self.ledger.begin();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use city_model::{EventTime, Ledger};
    use prometheus::Registry;

    use super::*;
    use crate::metrics::ReloadResult;

    /// What series may be told apart by; never by cell, device or event. `le` is a histogram's own.
    const LABELS: [&str; 24] = [
        "answer",
        "band",
        "declared",
        "fault",
        "flag",
        "kind",
        "layer",
        "le",
        "looks_like",
        "outcome",
        "override",
        "partition",
        "quality",
        "reason",
        "registry",
        "result",
        "route",
        "source",
        "source_system",
        "status",
        "topic",
        "version",
        "what",
        "worker",
    ];

    fn series(text: &str) -> BTreeMap<&str, f64> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.rsplit_once(' ').unwrap())
            .map(|(series, value)| (series, value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_series_of_closed_sets_are_there_at_zero_and_they_are_few() {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let rules = Rules::builtin();
        let layers = ["duty", "police"];
        metrics.begin(&rules, layers);
        metrics.set_ledger(&Ledger::default());
        metrics.reloads().begin(EventTime::from_millis(0));
        let text = metrics.text(EventTime::from_millis(0)).unwrap();
        let begun = series(&text);
        for name in [
            "cityops_deadletters_total{reason=\"bad_json\",source=\"video\"}",
            "cityops_events_consumed_total{source=\"command\"}",
            "cityops_events_outcome_total{outcome=\"opened\",source=\"hotline\"}",
            "cityops_unaccounted_events",
            "cityops_location_quality_total{quality=\"NONE\",source=\"hotline\"}",
            "cityops_grid_located_total{layer=\"police\",status=\"outside\"}",
            "cityops_decisions_withheld_total{reason=\"too_many\"}",
            "cityops_incident_revisions_total{reason=\"opened\"}",
            "cityops_end_to_end_latency_seconds_count{band=\"P1\"}",
            "cityops_open_incidents{band=\"P1\",kind=\"road_ponding\"}",
            "cityops_priority_override_total{override=\"O7.base_P2\"}",
            "cityops_device_faults_total{fault=\"flat_line\"}",
            "cityops_clock_flags_total{flag=\"clock_future\",source=\"sensor\"}",
            "cityops_reloads_total{result=\"refused\"}",
            "cityops_reload_refused{what=\"city\"}",
            "cityops_unbalanced_records_total{worker=\"enrich\"}",
            "cityops_unbalanced_records_total{worker=\"correlate\"}",
        ] {
            assert_eq!(begun.get(name), Some(&0.0), "{name}");
        }
        let labels: BTreeSet<&str> = begun
            .keys()
            .filter_map(|name| name.split_once('{'))
            .flat_map(|(_, labels)| labels.trim_end_matches('}').split("\","))
            .map(|label| label.split('=').next().unwrap())
            .collect();
        let unknown: Vec<&&str> = labels.iter().filter(|label| !LABELS.contains(label)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        // Two kinds more would be ten series more: what grows is the rules, not the city.
        let per_kind = rules.kinds().len() * (Band::ALL.len() + 1);
        assert!(begun.len() < 550 + per_kind, "{} series", begun.len());
    }

    #[test]
    fn all_that_was_counted_stays_as_it_is() {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        metrics.withheld.with_label_values(&["too_many"]).inc();
        metrics
            .reloads()
            .count(ReloadResult::Applied, EventTime::from_millis(0));
        metrics.begin(&Rules::builtin(), []);
        let text = metrics.text(EventTime::from_millis(0)).unwrap();
        assert_eq!(
            series(&text)["cityops_decisions_withheld_total{reason=\"too_many\"}"],
            1.0
        );
    }
}
