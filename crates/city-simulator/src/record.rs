//! The records on the wire, field by field as the input contract names them, and what the simulation hands out.

use city_grid::Crs;
use city_model::Source;
use serde::{Serialize, Serializer};

/// Whose report an event is, by the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// The incident; `false-…` for a false alarm, which is alone or with its own repetitions.
    pub incident: String,
    /// Its kind.
    pub kind: &'static str,
}

/// One record of the simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedRecord {
    /// The file and topic it belongs to.
    pub source: Source,
    /// The key in its topic.
    pub key: String,
    /// When it arrives, in epoch milliseconds; records come in this order.
    pub arrival_ms: i64,
    /// The record as one line of JSON, without the line end.
    pub line: String,
    /// Its identity within its source; for a warning `warning_id/revision`.
    pub event_id: String,
    /// What it reports; `None` for quiet and clear readings, contacts that report nothing, announced works, resends.
    pub truth: Option<Truth>,
}

/// A record before it is written.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) arrival_ms: i64,
    pub(crate) key: String,
    pub(crate) event_id: String,
    pub(crate) truth: Option<Truth>,
    pub(crate) body: Body,
}

impl Draft {
    pub(crate) fn source(&self) -> Source {
        match self.body {
            Body::Sensor(_) => Source::Sensor,
            Body::Hotline(_) => Source::Hotline,
            Body::Video(_) => Source::Video,
            Body::Report(_) => Source::Report,
            Body::Weather(_) => Source::Weather,
            Body::Silence(_) => Source::Silence,
        }
    }

    pub(crate) fn record(self) -> SimulatedRecord {
        SimulatedRecord {
            source: self.source(),
            // Bodies are structs of strings and finite numbers: they always serialise.
            line: serde_json::to_string(&self.body).unwrap_or_default(),
            key: self.key,
            arrival_ms: self.arrival_ms,
            event_id: self.event_id,
            truth: self.truth,
        }
    }
}

/// The body of a record, by stream.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Body {
    Sensor(Box<SensorReading>),
    Hotline(Box<HotlineTicket>),
    Video(Box<VideoAlert>),
    Report(Box<Report>),
    Weather(Box<WeatherWarning>),
    Silence(Box<Silence>),
}

/// A position as a source sends it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) crs: Option<Crs>,
    pub(crate) x: f64,
    pub(crate) y: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accuracy_m: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quality: Option<&'static str>,
}

/// `city.sensor.readings.v1`
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SensorReading {
    pub(crate) event_id: String,
    pub(crate) source_system: &'static str,
    pub(crate) device_id: String,
    pub(crate) metric: &'static str,
    pub(crate) value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alarm: Option<bool>,
    pub(crate) observed_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reported_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) component_id: Option<String>,
}

/// `city.hotline.tickets.v1`
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HotlineTicket {
    pub(crate) event_id: String,
    pub(crate) source_system: &'static str,
    pub(crate) ticket_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_ticket_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) appeal_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) urgency: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) category: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) category_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) standard_ref: Option<&'static str>,
    pub(crate) title: String,
    pub(crate) content: String,
    #[serde(serialize_with = "shanghai")]
    pub(crate) called_at: i64,
    #[serde(serialize_with = "shanghai")]
    pub(crate) reported_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) town_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reporter_phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reporter_name: Option<String>,
}

/// Who computed an alert.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Algorithm {
    pub(crate) vendor: &'static str,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

/// `city.video.alerts.v1`
#[derive(Debug, Clone, Serialize)]
pub(crate) struct VideoAlert {
    pub(crate) event_id: String,
    pub(crate) source_system: &'static str,
    pub(crate) camera_id: String,
    pub(crate) alert_code: &'static str,
    pub(crate) code_system: &'static str,
    pub(crate) confidence: f64,
    pub(crate) phase: &'static str,
    pub(crate) captured_at: i64,
    pub(crate) reported_at: i64,
    pub(crate) location: Location,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_location: Option<Location>,
    pub(crate) snapshot_url: String,
    pub(crate) algorithm: Algorithm,
}

/// `city.reports.v1`
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) event_id: String,
    pub(crate) source_system: &'static str,
    pub(crate) channel: &'static str,
    pub(crate) report_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) category_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) standard_ref: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) category: &'static [&'static str],
    pub(crate) title: String,
    pub(crate) content: String,
    pub(crate) observed_at: i64,
    pub(crate) reported_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) town_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) component_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reporter_phone: Option<String>,
}

/// `city.weather.warnings.v1`
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WeatherWarning {
    pub(crate) warning_id: String,
    pub(crate) revision: u32,
    pub(crate) signal: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) region_codes: [&'static str; 1],
    pub(crate) status: &'static str,
    pub(crate) issued_at: i64,
    pub(crate) effective_at: i64,
    pub(crate) expires_at: i64,
}

/// A polygon of GeoJSON.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Polygon {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) coordinates: [[[f64; 2]; 5]; 1],
}

/// `city.silences.v1`
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Silence {
    pub(crate) silence_id: String,
    pub(crate) kinds: &'static [&'static str],
    pub(crate) area: Polygon,
    pub(crate) starts_at: i64,
    pub(crate) ends_at: i64,
    pub(crate) reason: &'static str,
    pub(crate) created_by: &'static str,
    pub(crate) created_at: i64,
}

/// `2026-07-10T08:12:03+08:00`: the hotline's systems write the wall clock, whole seconds, with the zone.
fn shanghai<S: Serializer>(ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&wall_clock(*ms))
}

/// Days to a date after Howard Hinnant's `civil_from_days`, for the years in which simulations play.
pub(crate) fn wall_clock(ms: i64) -> String {
    let seconds = (ms + crate::parameters::ZONE_MS).div_euclid(1_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}+08:00",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_clock_is_that_of_shanghai() {
        use crate::parameters::{NORMAL_START_MS, TYPHOON_START_MS};
        assert_eq!(wall_clock(NORMAL_START_MS), "2026-07-10T07:00:00+08:00");
        assert_eq!(wall_clock(TYPHOON_START_MS), "2026-08-25T06:00:00+08:00");
        assert_eq!(wall_clock(0), "1970-01-01T08:00:00+08:00");
        assert_eq!(wall_clock(1_709_136_000_000), "2024-02-29T00:00:00+08:00");
    }
}
