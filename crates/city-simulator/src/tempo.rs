//! When things happen: an intensity over the simulated span, turned around into the moment of a given share of it.

use crate::Scenario;
use crate::parameters::ZONE_MS;

const HOUR_MS: f64 = 3_600_000.0;
const BINS: usize = 2_048;

/// Activity by hour of the day: callers peak at 9 to 11 and 14 to 16, vendors and parking in the evening.
const HOURS: [f64; 24] = [
    0.35, 0.25, 0.2, 0.2, 0.25, 0.4, 0.7, 1.1, 1.4, 1.7, 1.6, 1.3, 1.0, 1.1, 1.5, 1.5, 1.3, 1.3, 1.4, 1.3,
    1.1, 1.0, 0.8, 0.55,
];

/// The span of a simulation and its intensity.
#[derive(Debug, Clone)]
pub(crate) struct Tempo {
    start_ms: i64,
    span_ms: f64,
    /// Share of the activity before the end of each bin, rising to 1.
    cumulative: Vec<f64>,
}

impl Tempo {
    /// The span for this many records at `rate` records an hour.
    pub(crate) fn new(scenario: Scenario, events: usize, rate: f64, start_ms: i64) -> Tempo {
        let span_ms = (events as f64 / rate * HOUR_MS).max(60_000.0);
        let mut tempo = Tempo {
            start_ms,
            span_ms,
            cumulative: Vec::with_capacity(BINS),
        };
        let mut sum = 0.0;
        for bin in 0..BINS {
            let share = (bin as f64 + 0.5) / BINS as f64;
            sum += match scenario {
                Scenario::Normal => HOURS[tempo.hour_at(tempo.moment(share))],
                Scenario::Typhoon => storm(share),
            };
            tempo.cumulative.push(sum);
        }
        for value in &mut tempo.cumulative {
            *value /= sum;
        }
        tempo
    }

    /// The moment at a share of the span, by the clock.
    pub(crate) fn moment(&self, share: f64) -> i64 {
        self.start_ms + (share * self.span_ms) as i64
    }

    /// The moment at which this share of all activity has begun. Past 1 it goes on at the mean rate.
    pub(crate) fn busy_moment(&self, share: f64) -> i64 {
        if share >= 1.0 {
            return self.moment(share);
        }
        let bin = self.cumulative.partition_point(|&value| value <= share);
        let before = if bin == 0 {
            0.0
        } else {
            self.cumulative.get(bin - 1).copied().unwrap_or(0.0)
        };
        let width = self.cumulative.get(bin).copied().unwrap_or(1.0) - before;
        let part = if width > 0.0 {
            (share - before) / width
        } else {
            0.0
        };
        self.moment((bin as f64 + part) / BINS as f64)
    }

    /// The hour of the day in Shanghai.
    pub(crate) fn hour_at(&self, ms: i64) -> usize {
        ((ms + ZONE_MS).rem_euclid(24 * 3_600_000) / 3_600_000) as usize
    }
}

/// The storm: calm, a steep rise to landfall at 42 % of the span, a slower fall.
fn storm(share: f64) -> f64 {
    let width = if share < 0.42 { 0.12 } else { 0.22 };
    let z = (share - 0.42) / width;
    0.25 + 2.6 * libm::exp(-0.5 * z * z)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_rise_and_stay_in_the_span() {
        for scenario in [Scenario::Normal, Scenario::Typhoon] {
            let tempo = Tempo::new(scenario, 50_000, scenario.events_per_hour(), scenario.start_ms());
            let mut last = tempo.moment(0.0);
            for step in 0..1_000 {
                let moment = tempo.busy_moment(f64::from(step) / 1_000.0);
                assert!(moment >= last);
                last = moment;
            }
            assert!(last <= tempo.moment(1.0));
        }
    }

    #[test]
    fn the_storm_has_a_peak() {
        let tempo = Tempo::new(Scenario::Typhoon, 120_000, 6_000.0, Scenario::Typhoon.start_ms());
        let middle = tempo.busy_moment(0.75) - tempo.busy_moment(0.25);
        assert!((middle as f64) < 0.4 * tempo.span_ms);
    }

    #[test]
    fn hours_are_those_of_shanghai() {
        let tempo = Tempo::new(Scenario::Normal, 10_000, 1_500.0, Scenario::Normal.start_ms());
        assert_eq!(tempo.hour_at(Scenario::Normal.start_ms()), 7);
    }
}
