//! A change in words, and its properties by name.

use std::fmt;

use city_model::Name;
use serde_json::{Map, Value, json};

use super::{Change, Share, What};

impl What {
    /// The stable name.
    pub fn name(&self) -> &'static str {
        match self {
            What::Added { .. } => "added",
            What::Removed { .. } => "removed",
            What::Recoded { .. } => "recoded",
            What::Split { .. } => "split",
            What::Merged { .. } => "merged",
            What::Moved { .. } => "moved",
            What::Renamed { .. } => "renamed",
            What::Reassigned { .. } => "reassigned",
            What::Reparented { .. } => "reparented",
        }
    }

    /// The order of the changes of one cell.
    pub(super) fn rank(&self) -> u8 {
        match self {
            What::Added { .. } => 0,
            What::Removed { .. } => 1,
            What::Recoded { .. } => 2,
            What::Split { .. } => 3,
            What::Merged { .. } => 4,
            What::Moved { .. } => 5,
            What::Renamed { .. } => 6,
            What::Reassigned { .. } => 7,
            What::Reparented { .. } => 8,
        }
    }
}

impl Change {
    /// What it says, by name: of a line of JSON and of a feature's properties alike.
    pub fn properties(&self) -> Map<String, Value> {
        // a change is texts and numbers, so it can always be told
        let mut told = match serde_json::to_value(self) {
            Ok(Value::Object(told)) => told,
            _ => Map::new(),
        };
        if let Some(position) = self.position {
            told.insert("lon".to_owned(), json!(position.lon()));
            told.insert("lat".to_owned(), json!(position.lat()));
        }
        told
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |code: &Option<Name>| code.as_deref().unwrap_or("none").to_owned();
        write!(f, "{} {}: ", self.level, self.code)?;
        match &self.what {
            What::Added { area_m2 } => write!(f, "added, {area_m2:.0} m²"),
            What::Removed { area_m2 } => write!(f, "removed, {area_m2:.0} m²"),
            What::Recoded { from, area_m2, share } => {
                write!(f, "recoded from {from}, {area_m2:.0} m² ({:.1} %)", share * 100.0)
            }
            What::Split { into } => write!(f, "split into {}", shares(into)),
            What::Merged { from } => write!(f, "merged from {}", shares(from)),
            What::Moved { gained_m2, lost_m2 } => write!(f, "moved, {}", moved(*gained_m2, *lost_m2)),
            What::Renamed { from, to } => write!(f, "renamed from {from} to {to}"),
            What::Reassigned { from, to } => {
                write!(f, "in charge: {} instead of {}", or_none(to), or_none(from))
            }
            What::Reparented { from, to } => write!(f, "now in {} instead of {}", or_none(to), or_none(from)),
        }
    }
}

/// What a border won and lost, without what rounds to nothing.
fn moved(gained_m2: f64, lost_m2: f64) -> String {
    let signed = |sign: char, area_m2: f64| {
        let whole = libm::round(area_m2);
        (whole > 0.0).then(|| format!("{sign}{whole:.0} m²"))
    };
    let both: Vec<String> = [signed('+', gained_m2), signed('-', lost_m2)]
        .into_iter()
        .flatten()
        .collect();
    if both.is_empty() {
        "less than 1 m²".to_owned()
    } else {
        both.join(" ")
    }
}

fn shares(shares: &[Share]) -> String {
    let one = |share: &Share| {
        format!(
            "{} ({:.1} %, {:.0} m²)",
            share.code,
            share.share * 100.0,
            share.area_m2
        )
    };
    let all: Vec<String> = shares.iter().map(one).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_tells_what_is_not_nothing() {
        for (gained_m2, lost_m2, want) in [
            (12.4, 0.0, "+12 m²"),
            (0.0, 529_397.2, "-529397 m²"),
            (-0.0, 7.0, "-7 m²"),
            (3.0, 0.49, "+3 m²"),
            (0.6, 0.5, "+1 m² -1 m²"),
            (0.2, 0.2, "less than 1 m²"),
        ] {
            assert_eq!(moved(gained_m2, lost_m2), want);
        }
    }
}
