//! A labelled history as rows: read by column name; a row that cannot be read is counted with its reason and left out.

use std::collections::HashSet;
use std::io::Read;

use anyhow::{Context, bail};
use city_model::{Channel, EventTime, Name, Position};
use csv::{ByteRecord, ReaderBuilder};
use jiff::tz::TimeZone;
use serde::Serialize;
use wire_format::WireTime;

/// One sigma of a position that does not say how good it is, in metres: that of a geocoded door.
const ACCURACY_M: f64 = 15.0;
/// A position known no better than this is none that could be compared; it is taken for a mistake.
const ACCURACY_M_MAX: f64 = 100_000.0;
/// The years that a history may tell of, in milliseconds: 1900-01-01 to 2200-01-01. Anything else is a mistaken unit.
const TIMES_MS: std::ops::Range<i64> = -2_208_988_800_000..7_258_118_400_000;
/// So many skipped rows are shown with their reasons.
const REASONS_SHOWN: usize = 10;
/// Longest address that is compared, in characters.
const ADDRESS_CHARS: usize = 160;

/// An event of a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its id, unique in the history.
    pub event_id: Name,
    /// When it happened.
    pub event_time: EventTime,
    /// What it reports, as the history calls it.
    pub kind: Name,
    /// The kind of witness: `channel`, else `source`, where one names a channel of the program or is known by a word of it,
    /// such as "Constituent Call" or "Employee Generated"; else other.
    pub channel: Channel,
    /// Where, with one sigma in millimetres.
    pub located: Option<(Position, i64)>,
    /// The address in one spelling.
    pub address: Option<Name>,
    /// Label: the incident that it belongs to.
    pub truth: Option<Name>,
    /// Label: the event that it duplicates.
    pub duplicate_of: Option<Name>,
    /// Label: whether it is a duplicate of something.
    pub is_duplicate: bool,
}

/// A history in the order in which it is decided: by event time, equal times by event id.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The events.
    pub rows: Vec<Row>,
    /// The rows that could not be read.
    pub skipped: Skipped,
}

/// Rows that were left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// How many.
    pub rows: usize,
    /// The first of them: line and reason.
    pub first: Vec<String>,
}

impl Skipped {
    fn add(&mut self, line: u64, reason: &str) {
        self.rows += 1;
        if self.first.len() < REASONS_SHOWN {
            self.first.push(format!("line {line}: {reason}"));
        }
    }
}

impl History {
    /// Reads a history; `zone` is that of times without one.
    ///
    /// # Errors
    /// When reading fails or a mandatory column is missing.
    pub fn read(csv: impl Read, zone: &TimeZone) -> anyhow::Result<History> {
        let mut reader = ReaderBuilder::new()
            .has_headers(true)
            .flexible(true)
            .from_reader(csv);
        let columns = Columns::find(reader.byte_headers().context("read the history's header")?)?;
        let mut history = History::default();
        let mut seen: HashSet<Name> = HashSet::new();
        let mut record = ByteRecord::new();
        // Reading bytes with lines of any length fails for nothing but the file itself.
        while reader.read_byte_record(&mut record).context("read the history")? {
            let line = record.position().map_or(0, csv::Position::line);
            match columns.row(&record, zone) {
                Ok(row) if !seen.insert(row.event_id.clone()) => {
                    history
                        .skipped
                        .add(line, &format!("event_id {:?} was seen before", row.event_id));
                }
                Ok(row) => history.rows.push(row),
                Err(reason) => history.skipped.add(line, &reason),
            }
        }
        history
            .rows
            .sort_unstable_by(|a, b| (a.event_time, &a.event_id).cmp(&(b.event_time, &b.event_id)));
        Ok(history)
    }
}

/// Where each column stands in a row.
#[derive(Debug, Clone)]
pub struct Columns {
    event_id: usize,
    event_time: usize,
    source: usize,
    kind: usize,
    lon: usize,
    lat: usize,
    accuracy_m: Option<usize>,
    channel: Option<usize>,
    address: Option<usize>,
    truth: Option<usize>,
    duplicate_of: Option<usize>,
    is_duplicate: Option<usize>,
}

impl Columns {
    /// Finds the columns by their names; of two with one name the first counts.
    ///
    /// # Errors
    /// When mandatory ones are missing: it names them.
    pub fn find(header: &ByteRecord) -> anyhow::Result<Columns> {
        let names: Vec<String> = header
            .iter()
            .map(|name| {
                String::from_utf8_lossy(name)
                    .trim_matches(['\u{feff}', ' '])
                    .to_owned()
            })
            .collect();
        let optional = |wanted: &str| names.iter().position(|name| name == wanted);
        let mut missing = Vec::new();
        let mut mandatory = |wanted: &'static str| {
            optional(wanted).unwrap_or_else(|| {
                missing.push(wanted);
                usize::MAX
            })
        };
        let columns = Columns {
            event_id: mandatory("event_id"),
            event_time: mandatory("event_time"),
            source: mandatory("source"),
            kind: mandatory("kind"),
            lon: mandatory("lon"),
            lat: mandatory("lat"),
            accuracy_m: optional("accuracy_m"),
            channel: optional("channel"),
            address: optional("address"),
            truth: optional("truth"),
            duplicate_of: optional("duplicate_of"),
            is_duplicate: optional("is_duplicate"),
        };
        if !missing.is_empty() {
            bail!(
                "the history has no column {}; its columns are: {}",
                missing.join(", "),
                names.join(", ")
            );
        }
        Ok(columns)
    }

    /// The event of a row, or why there is none.
    fn row(&self, record: &ByteRecord, zone: &TimeZone) -> Result<Row, String> {
        let name = |column: Option<usize>, title: &str| -> Result<Option<Name>, String> {
            let text = column.map_or(Ok(""), |column| field(record, column, title))?;
            Ok((!text.is_empty()).then(|| text.into()))
        };
        let must = |column: usize, title: &str| name(Some(column), title)?.ok_or(format!("{title} is empty"));
        let source = field(record, self.source, "source")?;
        let channel = self
            .channel
            .map_or(Ok(""), |column| field(record, column, "channel"))?;
        let flag = self
            .is_duplicate
            .map_or(Ok(""), |column| field(record, column, "is_duplicate"))?;
        Ok(Row {
            event_id: must(self.event_id, "event_id")?,
            event_time: time(&must(self.event_time, "event_time")?, zone)?,
            kind: must(self.kind, "kind")?,
            channel: [channel, source]
                .iter()
                .find_map(|text| channel_of(text))
                .unwrap_or(Channel::Other),
            located: self.located(record)?,
            address: name(self.address, "address")?.and_then(|address| one_spelling(&address)),
            truth: name(self.truth, "truth")?,
            duplicate_of: name(self.duplicate_of, "duplicate_of")?,
            is_duplicate: flag == "1" || flag.eq_ignore_ascii_case("true"),
        })
    }

    fn located(&self, record: &ByteRecord) -> Result<Option<(Position, i64)>, String> {
        let (lon, lat) = match (number(record, self.lon, "lon")?, number(record, self.lat, "lat")?) {
            (None, None) => return Ok(None),
            (Some(lon), Some(lat)) => (lon, lat),
            _ => return Err("only one of lon and lat is given".to_owned()),
        };
        if lon == 0.0 && lat == 0.0 {
            return Ok(None);
        }
        let accuracy_m = self
            .accuracy_m
            .map_or(Ok(None), |column| number(record, column, "accuracy_m"))?;
        let accuracy_m = accuracy_m.unwrap_or(ACCURACY_M);
        if !(0.0..=ACCURACY_M_MAX).contains(&accuracy_m) {
            return Err(format!("accuracy_m {accuracy_m} is no accuracy in metres"));
        }
        let position =
            Position::from_degrees(lon, lat).ok_or(format!("lon {lon}, lat {lat} is no place on earth"))?;
        // One sigma is never below a metre.
        Ok(Some((
            position,
            ((accuracy_m * 1_000.0).round() as i64).max(1_000),
        )))
    }
}

/// Words by which cities call their channels, the most telling first: a worker's app is a worker's.
const CHANNEL_WORDS: [(Channel, &[&str]); 7] = [
    (
        Channel::Inspector,
        &["employee", "staff", "worker", "crew", "inspector", "internal"],
    ),
    (Channel::Police, &["police", "110", "911"]),
    (
        Channel::Media,
        &["twitter", "facebook", "weibo", "media", "press"],
    ),
    (Channel::App, &["app", "mobile", "wechat"]),
    (
        Channel::Web,
        &["web", "website", "online", "internet", "portal", "self", "email"],
    ),
    (
        Channel::Hotline,
        &["call", "phone", "telephone", "hotline", "311", "12345"],
    ),
    (Channel::Upstream, &["integration", "interface", "agency"]),
];

/// The channel that a text names, by the program's name or by a word of it.
fn channel_of(text: &str) -> Option<Channel> {
    let text = text.to_lowercase();
    let by_word = || {
        let has = |word: &&str| text.split(|c: char| !c.is_alphanumeric()).any(|own| own == *word);
        let found = CHANNEL_WORDS.iter().find(|(_, words)| words.iter().any(has));
        found.map(|(channel, _)| *channel)
    };
    text.parse().ok().or_else(by_word)
}

/// A field as trimmed text.
fn field<'a>(record: &'a ByteRecord, column: usize, title: &str) -> Result<&'a str, String> {
    let bytes = record
        .get(column)
        .ok_or_else(|| format!("{title} is missing: the row has {} fields", record.len()))?;
    std::str::from_utf8(bytes)
        .map(str::trim)
        .map_err(|_| format!("{title} is not UTF-8"))
}

fn number(record: &ByteRecord, column: usize, title: &str) -> Result<Option<f64>, String> {
    let text = field(record, column, title)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| format!("{title} {text:?} is no number"))
}

fn time(text: &str, zone: &TimeZone) -> Result<EventTime, String> {
    let time = WireTime::Text(text.into()).resolve(zone);
    time.filter(|time| TIMES_MS.contains(&time.millis()))
        .ok_or_else(|| format!("event_time {text:?} is no time"))
}

/// An address without case, punctuation and double spaces: letters and digits in words.
fn one_spelling(address: &str) -> Option<Name> {
    let words = address
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let text: String = words
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
        .chars()
        .take(ADDRESS_CHARS)
        .collect();
    (!text.is_empty()).then(|| text.into())
}
