//! One input file as a stream of records, each decoded once and with its arrival.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;
use city_model::{EventTime, Source};
use jiff::tz::TimeZone;
use serde::Deserialize;
use wire_format::{Decoder, Record, Refusal};

use crate::Arrivals;

/// A line of an input file.
pub(crate) struct Line {
    /// Its arrival.
    pub(crate) arrival: EventTime,
    /// Its number, from 1, blank lines included.
    pub(crate) number: i64,
    /// Its bytes, without the line feed.
    pub(crate) bytes: Vec<u8>,
    /// The record that it holds. It may wait, so it lends nothing.
    pub(crate) record: Result<Record<'static>, Refusal>,
}

/// The lines of one file.
pub(crate) struct Lines {
    source: Source,
    reader: BufReader<File>,
    name: String,
    number: i64,
    arrivals: Arrivals,
    /// Lines that were read but not handed out: those that wait for the first plausible arrival.
    waiting: VecDeque<Line>,
    at_end: bool,
}

impl Lines {
    /// Opens a file.
    pub(crate) fn open(source: Source, path: &Path) -> anyhow::Result<Lines> {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("open {name}"))?;
        Ok(Lines {
            source,
            reader: BufReader::with_capacity(1 << 20, file),
            name,
            number: 0,
            arrivals: Arrivals::default(),
            waiting: VecDeque::new(),
            at_end: false,
        })
    }

    /// The next line, blank ones left out.
    pub(crate) fn next(&mut self, decoder: &Decoder, timezone: &TimeZone) -> anyhow::Result<Option<Line>> {
        if let Some(line) = self.waiting.pop_front() {
            return Ok(Some(line));
        }
        while !self.at_end {
            let Some(bytes) = self.read()? else { break };
            let record = decoder.decode(self.source, &bytes).map(Record::into_owned);
            let told = told_arrival(&record, &bytes, timezone);
            let arrival = self.arrivals.next(told);
            let line = Line {
                arrival: arrival.unwrap_or(EventTime::MIN),
                number: self.number,
                bytes,
                record,
            };
            let Some(arrival) = arrival else {
                self.waiting.push_back(line);
                continue;
            };
            if self.waiting.is_empty() {
                return Ok(Some(line));
            }
            self.waiting
                .iter_mut()
                .for_each(|waiting| waiting.arrival = arrival);
            self.waiting.push_back(line);
            break;
        }
        // A file in which no line tells a plausible time is read as if it all came at the epoch.
        self.waiting
            .iter_mut()
            .filter(|l| l.arrival == EventTime::MIN)
            .for_each(|l| l.arrival = EventTime::default());
        Ok(self.waiting.pop_front())
    }

    fn read(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        loop {
            let mut bytes = Vec::new();
            let read = self
                .reader
                .read_until(b'\n', &mut bytes)
                .with_context(|| format!("read {}", self.name))?;
            if read == 0 {
                self.at_end = true;
                return Ok(None);
            }
            self.number += 1;
            while matches!(bytes.last(), Some(b'\n' | b'\r')) {
                bytes.pop();
            }
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(bytes));
            }
        }
    }
}

/// `reported_at` if the record has one, else the event's own time; read from the bare JSON where the record was refused.
fn told_arrival(
    record: &Result<Record<'_>, Refusal>,
    bytes: &[u8],
    timezone: &TimeZone,
) -> Option<EventTime> {
    match record {
        Ok(record) => {
            let (reported, own) = match record {
                Record::Sensor(r) => (r.reported_at.as_ref(), &r.observed_at),
                Record::Hotline(r) => (r.reported_at.as_ref(), &r.called_at),
                Record::Video(r) => (r.reported_at.as_ref(), &r.captured_at),
                Record::Report(r) => (r.reported_at.as_ref(), &r.observed_at),
                Record::Weather(r) => (None, &r.issued_at),
                Record::Silence(r) => (None, &r.created_at),
                Record::Command(r) => (None, &r.issued_at),
            };
            reported.unwrap_or(own).resolve(timezone)
        }
        Err(_) => {
            let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
            let names = [
                "reported_at",
                "observed_at",
                "called_at",
                "captured_at",
                "issued_at",
                "created_at",
            ];
            let told = names
                .iter()
                .find_map(|name| value.get(name).filter(|told| !told.is_null()))?;
            let time = wire_format::WireTime::deserialize(told).ok()?;
            time.resolve(timezone)
        }
    }
}
