//! Warnings, silences and commands: read strictly, scrubbed, and handed on; what they do is the engine's business.

use std::str::FromStr;

use city_model::{
    Action, Band, Command, DeadLetterReason, EventTime, IncidentId, Kind, Name, Position, Severity, Silence,
    SilenceArea, Warning, WarningStatus,
};
use serde_json::Value;
use wire_format::{IncidentCommand, Refusal, Text, WeatherWarning, WireArea, WireTime};

use crate::intake::Intake;
use crate::privacy::scrub;
use crate::{Decision, Verdict};

/// Most corners of a silence's area.
const MAX_CORNERS: usize = 10_000;
/// Most codes or ids in a list.
const MAX_LISTED: usize = 10_000;
/// Longest code in a list, in bytes.
const MAX_CODE_BYTES: usize = 256;
/// Longest free text that is handed on, in characters.
const MAX_TEXT: usize = 500;

impl Intake {
    pub(crate) fn warning(&self, warning: &WeatherWarning) -> Result<Verdict, Refusal> {
        Ok(Verdict::of(Decision::Warning(Warning {
            warning_id: warning.warning_id.as_str().into(),
            revision: warning.revision,
            signal: warning.signal.trim().to_ascii_uppercase().into(),
            severity: one_of::<Severity>("severity", &warning.severity.to_ascii_uppercase())?,
            region_codes: listed("region_codes", &warning.region_codes)?
                .iter()
                .map(|region| within(region).into())
                .collect(),
            status: one_of::<WarningStatus>("status", &warning.status.to_ascii_uppercase())?,
            issued_at: self.time("issued_at", &warning.issued_at)?,
            effective_at: self.time("effective_at", &warning.effective_at)?,
            expires_at: warning
                .expires_at
                .as_ref()
                .map(|time| self.time("expires_at", time))
                .transpose()?,
        })))
    }

    pub(crate) fn silence(&self, silence: &wire_format::Silence) -> Result<Verdict, Refusal> {
        use DeadLetterReason::{BadValue, CodeUnknown};
        let (starts_at, ends_at) = (
            self.time("starts_at", &silence.starts_at)?,
            self.time("ends_at", &silence.ends_at)?,
        );
        self.time("created_at", &silence.created_at)?;
        if ends_at <= starts_at {
            return Err(Refusal::new(BadValue, "ends_at: not after starts_at"));
        }
        let mut kinds = Vec::new();
        for (at, kind) in silence.kinds.iter().enumerate() {
            let known = self.rules().kind_id(kind.trim());
            // A silence that names what does not exist would silently hold back nothing.
            let id = known.ok_or_else(|| Refusal::new(CodeUnknown, format!("kinds[{at}]: no such kind")))?;
            kinds.push(self.rules().kind(id).name.clone());
        }
        kinds.sort_unstable_by(|a: &Kind, b| a.as_str().cmp(b.as_str()));
        kinds.dedup();
        let area = match &silence.area {
            WireArea::Cells(codes) if codes.is_empty() => return Err(Refusal::new(BadValue, "area: empty")),
            WireArea::Cells(codes) => SilenceArea::Cells(listed("area", codes)?),
            WireArea::Geometry(geometry) => {
                let rings = rings(geometry).ok_or_else(|| {
                    Refusal::new(
                        BadValue,
                        "area: not a Polygon or MultiPolygon in degrees, of at most 10000 corners",
                    )
                })?;
                SilenceArea::Rings(rings)
            }
        };
        Ok(Verdict::of(Decision::Silence(Silence {
            silence_id: silence.silence_id.as_str().into(),
            kinds,
            area,
            starts_at,
            ends_at,
            reason: text(&silence.reason),
        })))
    }

    pub(crate) fn command(&self, command: &IncidentCommand) -> Result<Verdict, Refusal> {
        let band = command
            .band
            .as_deref()
            .map(|band| one_of::<Band>("band", &band.trim().to_ascii_uppercase()));
        let deadline = command.deadline.as_ref().map(|time| self.time("deadline", time));
        Ok(Verdict::of(Decision::Command(Command {
            command_id: command.command_id.as_str().into(),
            incident_id: IncidentId::new(&command.incident_id),
            action: one_of::<Action>("action", &command.action.trim().to_ascii_lowercase())?,
            reason: command.reason.as_deref().map(text),
            other_incident_id: command.other_incident_id.as_deref().map(IncidentId::new),
            event_ids: listed("event_ids", command.event_ids.as_deref().unwrap_or_default())?,
            band: band.transpose()?,
            deadline: deadline.transpose()?,
            operator: text(&command.operator),
            issued_at: self.time("issued_at", &command.issued_at)?,
        })))
    }

    /// What is to be said of a warning of which no region holds a cell of the grid.
    pub fn note_of_warning(&self, warning: &Warning) -> Option<Name> {
        let is_here = |code: &Name| self.layers().iter().any(|layer| layer.reaches(code));
        if self.layers().is_empty() || warning.region_codes.iter().any(is_here) {
            return None;
        }
        Some(unknown(
            "no cell of the grid lies in",
            warning.region_codes.iter(),
        ))
    }

    /// What is to be said of a silence that names cells which the grid does not have.
    pub fn note_of_silence(&self, silence: &Silence) -> Option<Name> {
        let SilenceArea::Cells(codes) = &silence.area else {
            return None;
        };
        let is_unknown = |code: &&Name| !self.layers().iter().any(|layer| layer.knows(code));
        let mut strangers = codes.iter().filter(is_unknown).peekable();
        if self.layers().is_empty() || strangers.peek().is_none() {
            return None;
        }
        Some(unknown("the grid has no cell", strangers))
    }

    fn time(&self, field: &str, time: &WireTime) -> Result<EventTime, Refusal> {
        let resolved = time.resolve(self.timezone());
        resolved.ok_or_else(|| Refusal::new(DeadLetterReason::NoTime, format!("{field}: not a time")))
    }
}

/// What the codes of all that lies in a region begin with. In codes of 6, 9 or 12 digits (GB/T 2260, GB/T 10114, the statistical code)
/// a level that is all zeros is none: 310000 is the province 31, 310117000000 the district 310117.
fn within(region: &str) -> &str {
    /// Where a level of an administrative code ends, the widest last.
    const LEVELS: [usize; 4] = [9, 6, 4, 2];
    if !matches!(region.len(), 6 | 9 | 12) || !region.bytes().all(|digit| digit.is_ascii_digit()) {
        return region;
    }
    let is_none = |level: &str| level.bytes().all(|digit| digit == b'0');
    let mut prefix = region;
    for end in LEVELS {
        match prefix.split_at_checked(end) {
            Some((wider, rest)) if is_none(rest) => prefix = wider,
            Some(_) => break,
            None => {}
        }
    }
    prefix
}

/// What is said of codes: the first few.
fn unknown<'a>(what: &str, codes: impl Iterator<Item = &'a Name>) -> Name {
    /// So many are named.
    const NAMED: usize = 5;
    let codes: Vec<&Name> = codes.collect();
    let named: Vec<&str> = codes.iter().take(NAMED).map(|code| &***code).collect();
    let more = match codes.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{what} {}{more}", named.join(", ")).into()
}

fn one_of<T: FromStr>(field: &str, text: &str) -> Result<T, Refusal> {
    let unknown = |_| {
        Refusal::new(
            DeadLetterReason::BadValue,
            format!("{field}: not one of the contract's"),
        )
    };
    T::from_str(text.trim()).map_err(unknown)
}

/// Free text, scrubbed and cut.
fn text(text: &str) -> Name {
    scrub(text).chars().take(MAX_TEXT).collect::<String>().into()
}

fn listed(field: &str, items: &[Text<'_>]) -> Result<Vec<Name>, Refusal> {
    let bad = |what: &str| Refusal::new(DeadLetterReason::BadValue, format!("{field}: {what}"));
    if items.len() > MAX_LISTED {
        return Err(bad("too many"));
    }
    if items
        .iter()
        .any(|item| item.trim().is_empty() || item.len() > MAX_CODE_BYTES)
    {
        return Err(bad("an empty or endless entry"));
    }
    Ok(items.iter().map(|item| item.trim().into()).collect())
}

/// All rings of a GeoJSON polygon, multipolygon, or feature of one, without the closing corner.
fn rings(geometry: &Value) -> Option<Vec<Vec<Position>>> {
    let coordinates = || geometry.get("coordinates")?.as_array();
    let lists: Vec<&Value> = match geometry.get("type")?.as_str()? {
        "Feature" => return rings_of_feature(geometry),
        "Polygon" => coordinates()?.iter().collect(),
        "MultiPolygon" => coordinates()?
            .iter()
            .map(Value::as_array)
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect(),
        _ => return None,
    };
    let mut corners = 0;
    let mut rings = Vec::new();
    for list in lists {
        let list = list.as_array()?;
        corners += list.len();
        if corners > MAX_CORNERS {
            return None;
        }
        let mut ring = list.iter().map(corner).collect::<Option<Vec<Position>>>()?;
        if ring.len() > 1 && ring.first() == ring.last() {
            ring.pop();
        }
        if ring.len() < 3 {
            return None;
        }
        rings.push(ring);
    }
    (!rings.is_empty()).then_some(rings)
}

/// The one step inside a feature; a feature in a feature is none.
fn rings_of_feature(feature: &Value) -> Option<Vec<Vec<Position>>> {
    let geometry = feature.get("geometry")?;
    let is_feature = geometry.get("type").is_some_and(|kind| kind == "Feature");
    if is_feature { None } else { rings(geometry) }
}

fn corner(corner: &Value) -> Option<Position> {
    let number = |at: usize| corner.get(at)?.as_f64();
    Position::from_degrees(number(0)?, number(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_ends_in_empty_levels_is_of_all_beneath_it() {
        for (code, region) in [
            ("310000", "31"),
            ("310100", "3101"),
            ("310117", "310117"),
            ("310110", "310110"),
            ("310117000", "310117"),
            ("310117000000", "310117"),
            ("310117001000", "310117001"),
            ("310000000000", "31"),
            ("310117001001000", "310117001001000"),
            ("000000", "00"),
            ("1000", "1000"),
            ("街镇00", "街镇00"),
        ] {
            assert_eq!(within(code), region, "{code}");
        }
    }

    #[test]
    fn reads_the_areas_of_geojson() {
        let count = |json: &str| {
            let rings = rings(&json.parse().unwrap())?;
            Some(rings.iter().map(Vec::len).collect::<Vec<_>>())
        };
        let ring = "[[121.0,31.0],[121.1,31.0],[121.1,31.1],[121.0,31.0]]";
        let polygon = format!(r#"{{"type":"Polygon","coordinates":[{ring},{ring}]}}"#);
        assert_eq!(count(&polygon), Some(vec![3, 3]));
        assert_eq!(
            count(&format!(
                r#"{{"type":"MultiPolygon","coordinates":[[{ring}],[{ring}]]}}"#
            )),
            Some(vec![3, 3])
        );
        assert_eq!(
            count(&format!(r#"{{"type":"Feature","geometry":{polygon}}}"#)),
            Some(vec![3, 3])
        );
        for wrong in [
            r#"{"type":"Point","coordinates":[121.0,31.0]}"#.to_owned(),
            r#"{"type":"Polygon","coordinates":[]}"#.to_owned(),
            r#"{"type":"Polygon","coordinates":[[[121.0,31.0],[121.1,31.0]]]}"#.to_owned(),
            r#"{"type":"Polygon","coordinates":[[[181.0,31.0],[121.1,31.0],[1,1]]]}"#.to_owned(),
            r#"{"type":"Polygon"}"#.to_owned(),
            r#"{}"#.to_owned(),
        ] {
            assert_eq!(count(&wrong), None, "{wrong}");
        }
    }
}
