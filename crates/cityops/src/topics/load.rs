//! How much the topics take on a broker's disks for a load: what was measured, times the load.

use wire_format::Topic;

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// Bytes for each input event, by topic: read as a backlog and compressed with lz4, and not compressed at all. Measured on the
/// simulator's normal city of 20,000 records (seed 1) through a broker of Kafka 4.1, JSON, before retention and compaction
/// take anything away; inputs in the simulator's mix of sources. Records that trickle lie between the two.
const BYTES_PER_EVENT: [(Topic, f64, f64); 13] = [
    (Topic::Sensor, 40.0, 108.0),
    (Topic::Hotline, 44.0, 108.0),
    (Topic::Video, 19.0, 74.0),
    (Topic::Report, 25.0, 49.0),
    (Topic::Enriched, 93.0, 683.0),
    (Topic::Incidents, 101.0, 547.0),
    (Topic::IncidentsP1, 5.6, 28.0),
    (Topic::IncidentsP2, 13.0, 68.0),
    (Topic::IncidentsP3, 8.5, 41.0),
    (Topic::IncidentsP4, 76.0, 436.0),
    (Topic::Outcomes, 17.0, 63.0),
    (Topic::EnrichChangelog, 20.0, 109.0),
    (Topic::CorrelateChangelog, 234.0, 1_298.0),
];

/// What a topic takes, of one replica: at least, and at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taken {
    /// Bytes a day, compressed as a backlog is.
    pub least_a_day: f64,
    /// Bytes a day, not compressed.
    pub most_a_day: f64,
    /// For how many days they are kept, where the topic forgets by age; `None` where it keeps the newest of each key, or for ever.
    pub days: Option<f64>,
}

/// What a topic takes at so many events a second; `None` where nothing was measured, for it holds a few records a day.
pub fn taken(topic: Topic, events_per_second: f64, retention_ms: Option<i64>) -> Option<Taken> {
    let (_, least, most) = BYTES_PER_EVENT.iter().find(|(known, ..)| *known == topic)?;
    let events_a_day = events_per_second * DAY_S;
    Some(Taken {
        least_a_day: least * events_a_day,
        most_a_day: most * events_a_day,
        days: retention_ms
            .filter(|ms| *ms >= 0)
            .map(|ms| ms as f64 / 1_000.0 / DAY_S),
    })
}

/// Bytes for people.
pub fn in_words(bytes: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1_000.0;
        unit += 1;
    }
    match value < 9.95 && unit > 0 {
        true => format!("{value:.1} {}", units[unit]),
        false => format!("{value:.0} {}", units[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_their_unit() {
        for (bytes, expected) in [
            (0.4, "0 B"),
            (999.0, "999 B"),
            (999.9, "1.0 kB"),
            (12_345.0, "12 kB"),
            (2_340_000_000.0, "2.3 GB"),
        ] {
            assert_eq!(in_words(bytes), expected);
        }
    }

    #[test]
    fn twice_the_load_takes_twice_as_much() {
        let of = |load| taken(Topic::Enriched, load, Some(7 * 86_400_000)).unwrap();
        let (one, two) = (of(10.0), of(20.0));
        assert_eq!(two.least_a_day, 2.0 * one.least_a_day);
        assert_eq!(one.most_a_day, 683.0 * 864_000.0);
        assert_eq!(one.days, Some(7.0));
        assert_eq!(taken(Topic::Incidents, 10.0, None).unwrap().days, None);
        assert_eq!(taken(Topic::Sensor, 10.0, Some(-1)).unwrap().days, None);
        assert_eq!(taken(Topic::Silence, 10.0, None), None);
    }
}
