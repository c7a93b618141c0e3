//! The vital signs of one cell and minute, as `city.vitals.v1` carries them.

use std::collections::BTreeMap;

use city_model::{Band, Name, UtcTime};
use serde::{Deserialize, Serialize};

/// Open incidents by band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(non_snake_case, missing_docs, reason = "the bands' own names")]
pub struct OpenByBand {
    pub P1: i64,
    pub P2: i64,
    pub P3: i64,
    pub P4: i64,
}

impl OpenByBand {
    pub(crate) fn add(&mut self, band: Band, by: i64) {
        let count = match band {
            Band::P1 => &mut self.P1,
            Band::P2 => &mut self.P2,
            Band::P3 => &mut self.P3,
            Band::P4 => &mut self.P4,
        };
        *count += by;
    }

    /// All of them.
    pub fn all(&self) -> i64 {
        self.P1 + self.P2 + self.P3 + self.P4
    }
}

/// Something that is not usual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// `rise`: more than usual in the last hour; `recurrence`: the same trouble came back again and again (未诉先办).
    pub what: String,
    /// The kind; none is all kinds together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Name>,
    /// From which minute on.
    pub since: UtcTime,
    /// How many: in the last hour, or recurrences within the kind's `recur`.
    pub count: i64,
    /// What is usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<f64>,
    /// The least number that is above the usual, or the number of recurrences that is a notice.
    pub limit: i64,
    /// In Chinese.
    pub text_zh: String,
    /// In English.
    pub text_en: String,
}

/// The vital signs of a cell at the end of a minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "schemas/city.vitals.v1.avsc documents each field")]
pub struct VitalsRecord {
    pub layer: Name,
    pub level: Name,
    pub code: Name,
    pub name: Name,
    pub minute: UtcTime,
    pub events: i64,
    pub opened: i64,
    pub closed: i64,
    pub open: OpenByBand,
    pub by_source: BTreeMap<Name, i64>,
    pub by_kind: BTreeMap<Name, i64>,
    pub escalated: i64,
    pub reopened: i64,
    pub merged: i64,
    pub overdue: i64,
    pub opened_60m: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_60m: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_60m: Option<i64>,
    pub usual_of: i64,
    pub notices: Vec<Notice>,
}

impl VitalsRecord {
    /// The record's key: layer and code.
    pub fn key(&self) -> String {
        format!("{}/{}", self.layer, self.code)
    }
}
