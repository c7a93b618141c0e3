//! The log over files: replay input in, the outside topics out as files, with the ledger and the two digests.
//!
//! Records are merged by (arrival, source, line). The clock ticks at every second of arrival and stops at the last record:
//! nothing is flushed at the end. The same input, rules and grid give the same bytes.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arrival;
mod lines;
mod merge;
mod outputs;
mod replay;
mod verify;
mod vitals;

pub use arrival::Arrivals;
pub use outputs::{Outputs, ReplayLedger, TOLD_BY, ToldByLine, UnmappedCode, UnmappedSource};
pub use replay::{ReplayOptions, decide_inputs, enriched_inputs, replay, replay_watched, setting_with};
pub use verify::{Difference, verify};

/// The input files in the order in which equal arrivals are read.
pub const INPUT_FILES: [(city_model::Source, &str); 7] = [
    (city_model::Source::Sensor, "sensor.ndjson"),
    (city_model::Source::Hotline, "hotline.ndjson"),
    (city_model::Source::Video, "video.ndjson"),
    (city_model::Source::Report, "report.ndjson"),
    (city_model::Source::Weather, "weather.ndjson"),
    (city_model::Source::Silence, "silence.ndjson"),
    (city_model::Source::Command, "command.ndjson"),
];
