//! The input records that steer rather than report: weather warnings, silences and the centre's commands.

use serde::{Deserialize, Serialize};

use crate::WireTime;
use crate::area::WireArea;

/// One revision of a weather warning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeatherWarning {
    /// The warning's id.
    pub warning_id: String,
    /// Its revision.
    pub revision: i64,
    /// What is warned of: `RAINSTORM TYPHOON` …
    pub signal: String,
    /// `BLUE YELLOW ORANGE RED`.
    pub severity: String,
    /// Codes of the regions (GB/T 2260).
    pub region_codes: Vec<String>,
    /// `ISSUED CANCELLED`.
    pub status: String,
    /// When it was issued.
    pub issued_at: WireTime,
    /// From when it holds.
    pub effective_at: WireTime,
    /// Until when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<WireTime>,
}

/// Planned works and the like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// The silence's id.
    pub silence_id: String,
    /// The kinds that it holds back.
    pub kinds: Vec<String>,
    /// Where.
    pub area: WireArea,
    /// From when.
    pub starts_at: WireTime,
    /// Until when.
    pub ends_at: WireTime,
    /// Why. Personal data may be in it.
    pub reason: String,
    /// Who created it.
    pub created_by: String,
    /// When it was created.
    pub created_at: WireTime,
}

/// The centre's word about an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentCommand {
    /// The command's id, unique per operator.
    pub command_id: String,
    /// The incident.
    pub incident_id: String,
    /// What to do with it.
    pub action: String,
    /// Why. Personal data may be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The other incident of a merge or move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_incident_id: Option<String>,
    /// The events of a split or move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<String>>,
    /// The band of a pin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<String>,
    /// The new deadline of an extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<WireTime>,
    /// Who.
    pub operator: String,
    /// When.
    pub issued_at: WireTime,
}
