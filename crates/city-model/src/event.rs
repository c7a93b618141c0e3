//! An event as the correlator is told it: decoded, mapped to a kind, placed in the grid, free of personal data.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::outcome::UnknownName;
use crate::outcome::closed_set;
use crate::{Channel, Crs, EventTime, Group, Kind, Name, PlacedBy, Position, Source, Turn};

/// The identity of an event: unique in the whole city.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventKey {
    /// The system that sent it.
    #[serde(deserialize_with = "crate::shared::name")]
    pub source_system: Name,
    /// Its id there.
    pub event_id: Name,
}

impl EventKey {
    /// The key of an event.
    pub fn new(source_system: &str, event_id: &str) -> EventKey {
        EventKey {
            source_system: source_system.into(),
            event_id: event_id.into(),
        }
    }
}

impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.source_system, self.event_id)
    }
}

closed_set! {
    /// How good a location is, best first.
    Quality {
        /// A surveyed component or device.
        Component = "COMPONENT",
        /// A satellite fix.
        Gnss = "GNSS",
        /// Geocoded to a door number (门牌).
        Door = "DOOR",
        /// Geocoded to a crossing (路口).
        Intersection = "INTERSECTION",
        /// Geocoded to a compound or point of interest (小区).
        Poi = "POI",
        /// A road name alone: no place to compare.
        Road = "ROAD",
        /// A town's centre: no place to compare.
        Town = "TOWN",
        /// No place.
        None = "NONE",
    }
}

impl Quality {
    /// Whether coordinates of this quality may be compared in space.
    pub const fn is_place(self) -> bool {
        !matches!(self, Quality::Road | Quality::Town | Quality::None)
    }
}

/// Where an event is, with its one-sigma uncertainty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    /// The position.
    pub position: Position,
    /// One sigma, in millimetres; never below 1 m.
    pub u_mm: i64,
    /// How it was found.
    pub quality: Quality,
}

/// A cell of one layer's hierarchy that the event lies in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CellRef {
    /// The layer's name.
    #[serde(deserialize_with = "crate::shared::name")]
    pub layer: Name,
    /// The level's name in that layer.
    #[serde(deserialize_with = "crate::shared::name")]
    pub level: Name,
    /// The cell's code.
    #[serde(deserialize_with = "crate::shared::name")]
    pub code: Name,
    /// The cell's name.
    #[serde(deserialize_with = "crate::shared::name")]
    pub name: Name,
    /// The layer's version.
    #[serde(deserialize_with = "crate::shared::name")]
    pub version: Name,
    /// How sure the cell is, in thousandths.
    pub confidence: u16,
}

/// Another cell that the event may lie in: its uncertainty crosses the border.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherCell {
    /// The layer's name.
    #[serde(deserialize_with = "crate::shared::name")]
    pub layer: Name,
    /// The cell's code.
    #[serde(deserialize_with = "crate::shared::name")]
    pub code: Name,
    /// How likely the true place lies in it, in thousandths.
    pub weight: u16,
}

/// The cell of the owning layer, its head and how far its border is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responsible {
    /// The owning layer.
    #[serde(deserialize_with = "crate::shared::name")]
    pub layer: Name,
    /// The cell's code.
    #[serde(deserialize_with = "crate::shared::name")]
    pub code: Name,
    /// The cell's name.
    #[serde(deserialize_with = "crate::shared::name")]
    pub name: Name,
    /// The unit or grid head in charge, where the grid's file names one.
    #[serde(
        default,
        deserialize_with = "crate::shared::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub unit: Option<Name>,
    /// The distance to the cell's border, in millimetres.
    pub border_mm: i64,
}

/// A value that a device measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    /// What was measured, in the rules' names.
    pub metric: Name,
    /// Thousandths of the metric's canonical unit.
    pub milli: i64,
}

closed_set! {
    /// What an event says about the trouble.
    Signal {
        /// It is there.
        Report = "report",
        /// It is over, as far as this device can tell.
        Clear = "clear",
    }
}

closed_set! {
    /// A facility whose neighbourhood raises the exposure of an incident.
    Facility {
        /// A school (学校).
        School = "school",
        /// A hospital (医院).
        Hospital = "hospital",
        /// A nursing home (养老院).
        Nursing = "nursing",
        /// A metro entrance (地铁口).
        Metro = "metro",
        /// An underpass (下立交).
        Underpass = "underpass",
        /// An arterial road (主干道).
        Arterial = "arterial",
        /// A gas or chemical site (燃气、化工场所).
        GasSite = "gas_site",
    }
}

closed_set! {
    /// What a report's words or measurements say beyond its kind.
    Hint {
        /// Somebody is trapped (被困), or in danger of life.
        Trapped = "trapped",
        /// A conflict over wages or otherwise (讨薪、冲突).
        Conflict = "conflict",
        /// Live power (带电).
        LivePower = "live_power",
        /// A road is blocked (阻断道路).
        BlocksRoad = "blocks_road",
    }
}

closed_set! {
    /// What intake noticed about a record that it accepted all the same.
    Flag {
        /// The event's time lies in the future; the ingestion time stands for it.
        ClockFuture = "clock_future",
        /// The device's clock was never set.
        ClockUnset = "clock_unset",
        /// The time is off by whole hours: a zone error is suspected.
        ZoneSuspected = "zone_suspected",
        /// Sent long after it was measured.
        Backfill = "backfill",
        /// The category and the words disagree.
        CategoryContradicted = "category_contradicted",
        /// The 2026 code was derived from the 2013 one.
        CodeDerived = "code_derived",
        /// Outside every cell of the owning layer.
        OutsideGrid = "outside_grid",
        /// Snapped to the nearest cell.
        Snapped = "snapped",
        /// The coordinates were unusable and were left out.
        LocationUnusable = "location_unusable",
        /// The sensor's health is suspect: flat line, wrong clock, maintenance.
        Suspect = "suspect",
        /// It named no component; the only one of its class within three sigmas of its place stands for it.
        ComponentInferred = "component_inferred",
    }
}

/// An event of the one log that the correlator reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "crate::told::ToldEvent")]
pub struct Event {
    /// Its identity.
    #[serde(flatten)]
    pub key: EventKey,
    /// The stream that it came by.
    pub source: Source,
    /// The kind of witness.
    pub channel: Channel,
    /// What it reports.
    pub kind: Kind,
    /// Other readings that intake left open, most likely first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Kind>,
    /// The group of kinds that decides it.
    pub group: Group,
    /// Whether it reports trouble or its end.
    pub signal: Signal,
    /// The best estimate of when it happened.
    pub event_time: EventTime,
    /// When the source says that it sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<EventTime>,
    /// When it was appended to its topic.
    pub ingested_at: EventTime,
    /// By how many milliseconds its turn in the order of decisions comes later, for those that know better where it was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waits_ms: i64,
    /// Where, if it can be compared in space: as its source said, as its address says, or by both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub located: Option<Located>,
    /// The address that took part in that place, and what the source itself said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed_by: Option<Box<PlacedBy>>,
    /// The coordinate system that the record itself named for that place, where it is not the one that is configured for
    /// its source. The position is converted already; this says only whose word it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_crs: Option<Crs>,
    /// How good the source's location was, also when it is no place to compare.
    pub quality: Quality,
    /// The town's code, given or found.
    #[serde(
        default,
        deserialize_with = "crate::shared::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub town: Option<Name>,
    /// The normalised address without its flat number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_key: Option<Name>,
    /// One cell per layer and level, widest first.
    #[serde(
        default,
        deserialize_with = "crate::shared::path",
        skip_serializing_if = "is_nowhere"
    )]
    pub cells: Arc<[CellRef]>,
    /// Who is responsible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<Responsible>,
    /// The likeliest other cells of each layer, where the uncertainty crosses a border, layer by layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_cells: Vec<OtherCell>,
    /// Other finest cells of the owning layer within the uncertainty, and the towns that they are in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_affects: Vec<Name>,
    /// The device or camera; its repetitions continue what it reported first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Name>,
    /// The component (部件) in question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<Name>,
    /// The hotline ticket that this event is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Name>,
    /// The first ticket that this one cites (催办、补充).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cites: Option<Name>,
    /// The reporter, as a keyed hash.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "bits")]
    pub reporter: Option<u64>,
    /// The same reporter under the key before the present one, while both are configured.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "bits")]
    pub reporter_before: Option<u64>,
    /// What was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement: Option<Measurement>,
    /// The video algorithm that told of it: vendor, name and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Name>,
    /// Credibility points of this witness alone, 0 to 8.
    pub credibility: u8,
    /// Facilities within 200 m.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facilities: Vec<Facility>,
    /// What the words or values say beyond the kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Hint>,
    /// What intake noticed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// The four- or ten-digit code of GB/T 30428.2-2013, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_gb2013: Option<Name>,
    /// The five-digit code of GB/T 47678.5-2026, given or derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_gb2026: Option<Name>,
}

/// 64 bits that are no amount: a whole number in JSON, the same bits in Avro, whose numbers have a sign.
pub(crate) mod bits {
    use std::fmt;

    use serde::de::{self, Deserializer, Visitor};
    use serde::ser::Serializer;

    pub(crate) fn serialize<S: Serializer>(bits: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        match bits {
            None => serializer.serialize_none(),
            Some(bits) if serializer.is_human_readable() => serializer.serialize_some(bits),
            Some(bits) => serializer.serialize_some(&bits.cast_signed()),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        deserializer.deserialize_option(Bits)
    }

    struct Bits;

    impl<'de> Visitor<'de> for Bits {
        type Value = Option<u64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("64 bits as a whole number")
        }

        fn visit_none<E: de::Error>(self) -> Result<Option<u64>, E> {
            Ok(None)
        }

        fn visit_unit<E: de::Error>(self) -> Result<Option<u64>, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u64>, D::Error> {
            deserializer.deserialize_any(Bits)
        }

        fn visit_u64<E: de::Error>(self, bits: u64) -> Result<Option<u64>, E> {
            Ok(Some(bits))
        }

        fn visit_i64<E: de::Error>(self, bits: i64) -> Result<Option<u64>, E> {
            Ok(Some(bits.cast_unsigned()))
        }
    }
}

/// Serde asks with what the field is.
fn is_zero(ms: &i64) -> bool {
    *ms == 0
}

/// Serde asks with what the field is.
fn is_nowhere(cells: &Arc<[CellRef]>) -> bool {
    cells.is_empty()
}

impl Event {
    /// The event's own place in the order of decisions: where it happened if it came within `reorder_ms`, else where it
    /// could still have been waited for; later by what it waits for those that know better. It follows from the record
    /// alone, not from where a clock stood.
    pub fn order_time(&self, reorder_ms: i64) -> EventTime {
        self.event_time.max(self.ingested_at - reorder_ms) + self.waits_ms
    }

    /// Its turn in the order of decisions.
    pub fn turn(&self, reorder_ms: i64) -> Turn {
        Turn {
            order: self.order_time(reorder_ms),
            rank: self.source,
            key: self.key.clone(),
        }
    }
}
