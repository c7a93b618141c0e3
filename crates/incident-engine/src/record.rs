//! The incident as readers see it: the public record, with its reasons.

use city_model::{
    Band, BandFact, Flag, Incident, IncidentId, Member, Name, Outcome, Plane, UtcTime, fingerprint, hex,
};
use serde::{Deserialize, Serialize};

use crate::Setting;
use crate::priority::{Assessment, Parts};

/// What became of an event, for `city.events.outcomes.v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeRecord {
    /// The outcome.
    pub outcome: Outcome,
    /// The incident that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_id: Option<IncidentId>,
    /// Why, where that needs saying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Name>,
}

/// A revision of an incident. Times are RFC 3339 in UTC (in Avro milliseconds), distances metres, positions WGS-84 degrees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the fields are the contract's; schemas/city.incidents.v1.avsc documents each"
)]
pub struct IncidentRecord {
    pub incident_id: IncidentId,
    pub revision: u64,
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<IncidentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_reason: Option<String>,
    pub kind: String,
    pub name_zh: String,
    pub codes: Codes,
    pub priority: Priority,
    pub opened_at: UtcTime,
    pub first_event_at: UtcTime,
    pub last_event_at: UtcTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<UtcTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Place>,
    pub cells: Vec<Cell>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<InCharge>,
    pub also_affects: Vec<Name>,
    pub handling: HandlingRecord,
    pub member_count: u64,
    pub reporter_count: u64,
    pub source_types: Vec<String>,
    pub members: Vec<MemberRecord>,
    pub related: Vec<IncidentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence_of: Option<IncidentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storm_id: Option<Name>,
    /// True in the last record that a band's topic gets of an incident which leaves it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub superseded: bool,
    pub explanation: String,
    pub config_version: Name,
    pub decision_digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the contract's")]
pub struct Codes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gb2013: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gb2026: Option<Name>,
    /// One of them follows by rule from the other, and no list says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub derived: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the contract's")]
pub struct Priority {
    pub band: Band,
    pub score: u32,
    pub parts: Parts,
    pub overrides: Vec<String>,
    pub reasons_zh: Vec<String>,
    pub reasons_en: Vec<String>,
    pub deadline: Deadline,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    pub rules_version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the contract's")]
pub struct Deadline {
    pub dispatch_by: UtcTime,
    pub control_by: UtcTime,
    pub clock: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the contract's")]
pub struct Previous {
    pub band: Band,
    pub changed_at: UtcTime,
    pub because: Name,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the contract's")]
pub struct Place {
    pub lon: f64,
    pub lat: f64,
    pub accuracy_m: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the contract's")]
pub struct Cell {
    pub layer: Name,
    pub level: Name,
    pub code: Name,
    pub name: Name,
    pub version: Name,
    pub confidence: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the contract's")]
pub struct InCharge {
    pub layer: Name,
    pub code: Name,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Name>,
    pub border_distance_m: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the contract's")]
pub struct HandlingRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<UtcTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispatched_at: Option<UtcTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived_at: Option<UtcTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<UtcTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<UtcTime>,
    pub returned_count: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the contract's")]
pub struct MemberRecord {
    pub source_system: Name,
    pub event_id: Name,
    pub source: String,
    pub event_time: UtcTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<f64>,
    pub gap_s: i64,
    pub why: String,
}

impl IncidentRecord {
    /// The public record of an incident at its present revision.
    pub fn of(setting: &Setting, incident: &Incident, assessment: &Assessment) -> IncidentRecord {
        let rules = &setting.rules;
        let rule = setting.kind_of(incident).map(|(_, rule)| rule);
        let responsible_code = incident.responsible.as_ref().map(|responsible| &responsible.code);
        let (reasons_zh, reasons_en) = assessment.reasons(setting, incident);
        let mut record = IncidentRecord {
            incident_id: incident.id.clone(),
            revision: incident.revision,
            status: incident.status.as_str().to_owned(),
            merged_into: incident.merged_into.clone(),
            close_reason: incident.close_reason.map(|reason| reason.as_str().to_owned()),
            kind: incident.kind.to_string(),
            name_zh: rule.map_or_else(|| incident.kind.to_string(), |rule| rule.name_zh.to_string()),
            codes: Codes {
                // Intake gives an event its kind's codes unless it was filed under an item; one that a list lacks has none.
                gb2013: incident.code_gb2013.clone(),
                gb2026: incident.code_gb2026.clone(),
                derived: incident.flags.contains(&Flag::CodeDerived),
            },
            priority: Priority {
                band: incident.band,
                score: assessment.score,
                parts: assessment.parts,
                overrides: assessment.overrides(setting, incident),
                reasons_zh,
                reasons_en,
                deadline: Deadline {
                    dispatch_by: incident.dispatch_by.into(),
                    control_by: incident.control_by.into(),
                    clock: assessment.clock_name(setting, incident).to_owned(),
                },
                previous: incident.previous.as_ref().map(Previous::of),
                rules_version: rules.version().to_owned(),
            },
            opened_at: incident.opened_at.into(),
            first_event_at: incident.first_event_at.into(),
            last_event_at: incident.last_event_at.into(),
            closed_at: incident.closed_at.map(UtcTime),
            location: place(&setting.plane, incident),
            cells: incident.cells.iter().map(Cell::of).collect(),
            responsible: Some(in_charge(setting, incident)),
            also_affects: incident
                .also_affects
                .iter()
                .filter(|code| Some(*code) != responsible_code)
                .cloned()
                .collect(),
            handling: HandlingRecord {
                acknowledged_at: incident.handling.acknowledged_at.map(UtcTime),
                dispatched_at: incident.handling.dispatched_at.map(UtcTime),
                arrived_at: incident.handling.arrived_at.map(UtcTime),
                resolved_at: incident.handling.resolved_at.map(UtcTime),
                verified_at: incident.handling.verified_at.map(UtcTime),
                returned_count: incident.handling.returned_count,
            },
            member_count: incident.member_count,
            reporter_count: incident.reporters.len() as u64,
            source_types: incident
                .witnesses
                .keys()
                .map(|channel| channel.as_str().to_owned())
                .collect(),
            members: incident
                .members
                .iter()
                .map(|member| MemberRecord::of(member))
                .collect(),
            related: incident.related.iter().cloned().collect(),
            recurrence_of: incident.recurrence_of.clone(),
            storm_id: incident.storm_id.clone(),
            superseded: false,
            explanation: String::new(),
            config_version: incident.config_version.clone(),
            decision_digest: String::new(),
        };
        record.explanation = explanation(&record);
        record.decision_digest = record.digest();
        record
    }

    /// The last record that a band's topic gets of it.
    pub fn superseded(&self) -> IncidentRecord {
        IncidentRecord {
            superseded: true,
            ..self.clone()
        }
    }

    /// The first half of the SHA-256 of the record with this field empty: two records are the same decision if it agrees.
    fn digest(&self) -> String {
        // Serialising to memory cannot fail: every key is text.
        let mut bytes = Vec::with_capacity(4_096); // more than most take
        if serde_json::to_writer(&mut bytes, self).is_err() {
            bytes.clear();
        }
        hex(&fingerprint(&bytes))
    }
}

impl Previous {
    fn of(fact: &BandFact) -> Previous {
        Previous {
            band: fact.band,
            changed_at: fact.changed_at.into(),
            because: fact.because.clone(),
        }
    }
}

impl Cell {
    fn of(cell: &city_model::CellRef) -> Cell {
        Cell {
            layer: cell.layer.clone(),
            level: cell.level.clone(),
            code: cell.code.clone(),
            name: cell.name.clone(),
            version: cell.version.clone(),
            confidence: f64::from(cell.confidence) / 1_000.0,
        }
    }
}

impl MemberRecord {
    fn of(member: &Member) -> MemberRecord {
        MemberRecord {
            source_system: member.key.source_system.clone(),
            event_id: member.key.event_id.clone(),
            source: member.channel.as_str().to_owned(),
            event_time: member.event_time.into(),
            distance_m: member.distance_mm.map(metres),
            gap_s: member.gap_ms / 1_000,
            why: member.why.as_str().to_owned(),
        }
    }
}

/// One sentence for a person: what, how many told it, and what decided the band.
fn explanation(record: &IncidentRecord) -> String {
    let place = record
        .responsible
        .as_ref()
        .map_or_else(|| "位置待核实".to_owned(), |r| r.name.to_string());
    format!(
        "{}：{}，{}条上报、{}类来源，{}（{}）",
        record.priority.band,
        record.name_zh,
        record.member_count,
        record.source_types.len(),
        place,
        record.priority.reasons_zh.join("；")
    )
}

/// The cell in charge; where no cell is known the town, and where no town is known the city's centre: somebody must look.
fn in_charge(setting: &Setting, incident: &Incident) -> InCharge {
    if let Some(responsible) = &incident.responsible {
        return InCharge {
            layer: responsible.layer.clone(),
            code: responsible.code.clone(),
            name: responsible.name.clone(),
            unit: responsible.unit.clone(),
            border_distance_m: metres(responsible.border_mm),
        };
    }
    let (code, name) = match &incident.town {
        Some(town) => (town.clone(), "街镇城运中心（位置待核实）"),
        None => (setting.activation.city.clone(), "城运中心（位置待核实）"),
    };
    InCharge {
        layer: "city".into(),
        code,
        name: name.into(),
        unit: None,
        border_distance_m: 0.0,
    }
}

fn place(plane: &Plane, incident: &Incident) -> Option<Place> {
    let position = plane.unproject(incident.fused.point()?);
    let sigma_mm = (incident.fused.variance_mm2() as u128).isqrt() as i64;
    // Seven decimals are a centimetre; more would pretend.
    let round = |e9: i64| (e9 as f64 / 100.0).round() / 1e7;
    Some(Place {
        lon: round(position.lon_e9),
        lat: round(position.lat_e9),
        accuracy_m: metres(sigma_mm),
    })
}

/// Metres with one decimal.
fn metres(mm: i64) -> f64 {
    (mm as f64 / 100.0).round() / 10.0
}

impl Priority {
    /// The parts and the score in one line, such as `S40 E11 C13 R2 W7 T0 = 73`.
    pub fn parts_text(&self) -> String {
        let p = &self.parts;
        format!(
            "S{} E{} C{} R{} W{} T{} = {}",
            p.safety, p.exposure, p.credibility, p.repetition, p.weather, p.time, self.score
        )
    }
}
