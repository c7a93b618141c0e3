//! The input records as their sources send them, field by field; what the values mean is decided by intake. Texts are lent by
//! the bytes where they can be.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lenient::{names, ticket_location, value_or_flag, word};
use crate::{Text, WireTime};

/// A place as a source gives it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct WireLocation<'a> {
    /// The coordinate system's name; the source's configured one when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub crs: Option<Text<'a>>,
    /// Longitude in degrees, or metres east.
    pub x: f64,
    /// Latitude in degrees, or metres north.
    pub y: f64,
    /// One sigma in metres, as the source believes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_m: Option<f64>,
    /// How it was found: `COMPONENT GNSS DOOR INTERSECTION POI ROAD TOWN NONE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Text<'a>>,
}

/// A measured value: a number, or a contact's `true` (1) or `false` (0).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The number.
    pub number: f64,
    /// It was sent as a boolean, which only a contact may.
    pub is_flag: bool,
}

impl Serialize for Measured {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.number)
    }
}

impl<'de> Deserialize<'de> for Measured {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Measured, D::Error> {
        value_or_flag(deserializer)
    }
}

/// One reading of one metric of one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SensorReading<'a> {
    /// The reading's id, unique within its source system.
    #[serde(borrow)]
    pub event_id: Text<'a>,
    /// The system that sent it.
    pub source_system: Text<'a>,
    /// The device.
    pub device_id: Text<'a>,
    /// What was measured.
    pub metric: Text<'a>,
    /// The value, in `unit`.
    pub value: Measured,
    /// The unit as the source spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text<'a>>,
    /// The device's own verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<bool>,
    /// When it was measured, by the device's clock.
    pub observed_at: WireTime<'a>,
    /// When the source sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<WireTime<'a>>,
    /// Where the device is, if the source knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<WireLocation<'a>>,
    /// The component that the device watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_id: Option<Text<'a>>,
}

/// One ticket of the 12345 hotline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HotlineTicket<'a> {
    /// The record's id, unique within its source system.
    #[serde(borrow)]
    pub event_id: Text<'a>,
    /// The system that sent it.
    pub source_system: Text<'a>,
    /// The ticket's number.
    pub ticket_id: Text<'a>,
    /// The first ticket of the matter, when this one cites it (催办、补充).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_ticket_id: Option<Text<'a>>,
    /// What the caller wants (诉求类型): its name or its code.
    #[serde(default, deserialize_with = "word", skip_serializing_if = "Option::is_none")]
    pub appeal_type: Option<Text<'a>>,
    /// How urgent the caller says that it is.
    #[serde(default, deserialize_with = "word", skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Text<'a>>,
    /// The category's names, widest first.
    #[serde(default, deserialize_with = "names", skip_serializing_if = "Option::is_none")]
    pub category: Option<Vec<Text<'a>>>,
    /// The category's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_code: Option<Text<'a>>,
    /// The standard that the code belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_ref: Option<Text<'a>>,
    /// Title. Personal data may be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text<'a>>,
    /// Text. Personal data may be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Text<'a>>,
    /// When the citizen called.
    pub called_at: WireTime<'a>,
    /// When the source sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<WireTime<'a>>,
    /// Where. A ticket is never refused for it: what cannot be read arrives with coordinates that are no numbers.
    #[serde(
        default,
        deserialize_with = "ticket_location",
        skip_serializing_if = "Option::is_none"
    )]
    pub location: Option<WireLocation<'a>>,
    /// The address as typed. Personal data may be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Text<'a>>,
    /// The town's code (GB/T 10114).
    #[serde(default, deserialize_with = "word", skip_serializing_if = "Option::is_none")]
    pub town_code: Option<Text<'a>>,
    /// The caller's number. Personal data.
    #[serde(default, deserialize_with = "word", skip_serializing_if = "Option::is_none")]
    pub reporter_phone: Option<Text<'a>>,
    /// The caller's name. Personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reporter_name: Option<Text<'a>>,
}

/// The video algorithm that raised an alert.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Algorithm<'a> {
    /// Who made it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<Text<'a>>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<'a>>,
    /// Its version.
    #[serde(default, deserialize_with = "word", skip_serializing_if = "Option::is_none")]
    pub version: Option<Text<'a>>,
}

/// One alert of video analytics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoAlert<'a> {
    /// The alert's id, unique within its source system.
    #[serde(borrow)]
    pub event_id: Text<'a>,
    /// The system that sent it.
    pub source_system: Text<'a>,
    /// The camera.
    pub camera_id: Text<'a>,
    /// What the algorithm saw, in its code system.
    #[serde(deserialize_with = "crate::lenient::required_word")]
    pub alert_code: Text<'a>,
    /// The code system: `EVENTSORT DAHUA CLASS84` or the city's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_system: Option<Text<'a>>,
    /// How sure the algorithm is, 0 to 1.
    pub confidence: f64,
    /// `START ONGOING END`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Text<'a>>,
    /// When the picture was taken.
    pub captured_at: WireTime<'a>,
    /// When the source sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<WireTime<'a>>,
    /// Where the camera's pole stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<WireLocation<'a>>,
    /// Where the thing is that it saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_location: Option<WireLocation<'a>>,
    /// The picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_url: Option<Text<'a>>,
    /// The algorithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm<'a>>,
    /// The component that it saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_id: Option<Text<'a>>,
}

/// One report of any other channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report<'a> {
    /// The record's id, unique within its source system.
    #[serde(borrow)]
    pub event_id: Text<'a>,
    /// The system that sent it.
    pub source_system: Text<'a>,
    /// `inspector app web petition media upstream police`, or another.
    pub channel: Text<'a>,
    /// The report's number.
    pub report_id: Text<'a>,
    /// The category's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_code: Option<Text<'a>>,
    /// The standard that the code belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_ref: Option<Text<'a>>,
    /// The category's names, widest first.
    #[serde(default, deserialize_with = "names", skip_serializing_if = "Option::is_none")]
    pub category: Option<Vec<Text<'a>>>,
    /// Title. Personal data may be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text<'a>>,
    /// Text. Personal data may be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Text<'a>>,
    /// When it was seen.
    pub observed_at: WireTime<'a>,
    /// When the source sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<WireTime<'a>>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<WireLocation<'a>>,
    /// The address as typed. Personal data may be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Text<'a>>,
    /// The town's code (GB/T 10114).
    #[serde(default, deserialize_with = "word", skip_serializing_if = "Option::is_none")]
    pub town_code: Option<Text<'a>>,
    /// The component in question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_id: Option<Text<'a>>,
    /// The reporter's number. Personal data.
    #[serde(default, deserialize_with = "word", skip_serializing_if = "Option::is_none")]
    pub reporter_phone: Option<Text<'a>>,
    /// The reporter's name. Personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reporter_name: Option<Text<'a>>,
}
