//! The input records that steer rather than report: weather warnings, silences and the centre's commands.

use serde::{Deserialize, Serialize};

use crate::area::WireArea;
use crate::{Text, WireTime};

/// One revision of a weather warning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeatherWarning<'a> {
    /// The warning's id.
    #[serde(borrow)]
    pub warning_id: Text<'a>,
    /// Its revision.
    pub revision: i64,
    /// What is warned of: `RAINSTORM TYPHOON` …
    pub signal: Text<'a>,
    /// `BLUE YELLOW ORANGE RED`.
    pub severity: Text<'a>,
    /// Codes of the regions (GB/T 2260).
    pub region_codes: Vec<Text<'a>>,
    /// `ISSUED CANCELLED`.
    pub status: Text<'a>,
    /// When it was issued.
    pub issued_at: WireTime<'a>,
    /// From when it holds.
    pub effective_at: WireTime<'a>,
    /// Until when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<WireTime<'a>>,
}

/// Planned works and the like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence<'a> {
    /// The silence's id.
    #[serde(borrow)]
    pub silence_id: Text<'a>,
    /// The kinds that it holds back.
    pub kinds: Vec<Text<'a>>,
    /// Where.
    pub area: WireArea<'a>,
    /// From when.
    pub starts_at: WireTime<'a>,
    /// Until when.
    pub ends_at: WireTime<'a>,
    /// Why. Personal data may be in it.
    pub reason: Text<'a>,
    /// Who created it.
    pub created_by: Text<'a>,
    /// When it was created.
    pub created_at: WireTime<'a>,
}

/// The centre's word about an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentCommand<'a> {
    /// The command's id, unique per operator.
    #[serde(borrow)]
    pub command_id: Text<'a>,
    /// The incident.
    pub incident_id: Text<'a>,
    /// What to do with it.
    pub action: Text<'a>,
    /// Why. Personal data may be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<'a>>,
    /// The other incident of a merge or move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_incident_id: Option<Text<'a>>,
    /// The events of a split or move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<Text<'a>>>,
    /// The band of a pin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Text<'a>>,
    /// The new deadline of an extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<WireTime<'a>>,
    /// Who.
    pub operator: Text<'a>,
    /// When.
    pub issued_at: WireTime<'a>,
}
