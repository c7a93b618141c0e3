//! `cityops backtest`: correlates a labelled history and scores the grouping; labels are read for scoring alone.
//!
//! The history is decided by the engine that decides the live stream, one event after the other in the order of event
//! times (equal times by event id), with the clock at every second at which something is due, so that quiet closing runs
//! as it does in the city. What a history does not tell is assumed:
//!
//! * every event is a report that came when it happened (nothing is late, nothing waits to be put in order);
//! * a position without `accuracy_m` is known to 15 m, about a geocoded door; `(0,0)` is no position, as on the wire;
//! * events without a position meet by equal address alone: all of them are in one town;
//! * the plane of distances touches the earth at the mean of all positions.

mod clusters;
mod grouping;
mod history;
mod report;
mod table;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use city_rules::Rules;
use flate2::bufread::MultiGzDecoder;
use jiff::tz::TimeZone;

pub(crate) use clusters::rounded;
pub use clusters::{Clustering, Score};
pub(crate) use grouping::middle;
pub use grouping::{Place, group};
pub use history::{Columns, History, Row, Skipped};
pub(crate) use report::is_link;
pub use report::{KindReport, Report};
pub(crate) use table::percent;

/// Correlates and scores a history whose times without a zone are UTC.
///
/// # Errors
/// When the history cannot be read or lacks a mandatory column; never for what a row holds.
pub fn backtest(rules: Rules, csv: impl Read) -> anyhow::Result<Report> {
    backtest_in("UTC", rules, csv)
}

/// The same for a city: its time zone, by IANA name, is that of times without a zone.
///
/// # Errors
/// As [`backtest`], and when there is no such time zone.
pub fn backtest_in(timezone: &str, rules: Rules, csv: impl Read) -> anyhow::Result<Report> {
    let started = Instant::now();
    let zone = TimeZone::get(timezone).with_context(|| format!("find the time zone {timezone:?}"))?;
    let history = History::read(csv, &zone)?;
    let places = group(rules, timezone, &history.rows)?;
    let mut report = Report::of(&history, &places);
    report.seconds = started.elapsed().as_millis() as f64 / 1_000.0;
    Ok(report)
}

/// Opens a history; gzip is told by its first two bytes (RFC 1952), whatever the file is called.
///
/// # Errors
/// When the file cannot be opened or read.
pub fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let head = reader
        .fill_buf()
        .with_context(|| format!("read {}", path.display()))?;
    if head.starts_with(&[0x1f, 0x8b]) {
        Ok(Box::new(MultiGzDecoder::new(reader)))
    } else {
        Ok(Box::new(reader))
    }
}

#[cfg(test)]
mod tests;
