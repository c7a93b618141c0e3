//! What a decision says: the keyed rows that change the state, and what readers are told.

use std::fmt;
use std::sync::Arc;

use city_model::{
    Activation, Band, Event, EventKey, EventTime, Incident, IncidentId, LedgerCell, Name, Outcome, PlacedBy,
    Silence, Source, Warning, Why,
};
use serde::{Deserialize, Serialize};

use crate::Setting;
use crate::record::IncidentRecord;

/// What the engine remembers of an event: its identity was seen, and where it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ToldRow")]
pub struct EventRow {
    /// Its identity.
    #[serde(flatten)]
    pub key: EventKey,
    /// Its stream.
    pub source: Source,
    /// What became of it.
    pub outcome: Outcome,
    /// The incident that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// When its append time says that it came; it is forgotten a fixed time later.
    pub ingested_at: EventTime,
    /// The ticket that it is: a later one may cite it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Name>,
    /// Its place in the order of decisions, where it is a ticket: the first event of a ticket is the one that is cited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<EventTime>,
    /// What it said, as long as an event may come whose turn is before its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Arc<Held>>,
}

/// How a row is read back: the parts of the identity among the other fields, without serde's `flatten`, which is slow to read.
#[derive(Deserialize)]
struct ToldRow {
    source_system: Name,
    event_id: Name,
    source: Source,
    outcome: Outcome,
    #[serde(default)]
    incident: Option<IncidentId>,
    ingested_at: EventTime,
    #[serde(default)]
    ticket: Option<Name>,
    #[serde(default)]
    order: Option<EventTime>,
    #[serde(default)]
    held: Option<Arc<Held>>,
}

impl From<ToldRow> for EventRow {
    fn from(told: ToldRow) -> EventRow {
        // What it said has the same identity in it, and memory is kept once.
        let key = match &told.held {
            Some(held) if is_of(&held.event.key, &told) => held.event.key.clone(),
            _ => EventKey {
                source_system: told.source_system,
                event_id: told.event_id,
            },
        };
        EventRow {
            key,
            source: told.source,
            outcome: told.outcome,
            incident: told.incident,
            ingested_at: told.ingested_at,
            ticket: told.ticket,
            order: told.order,
            held: told.held,
        }
    }
}

fn is_of(key: &EventKey, told: &ToldRow) -> bool {
    key.source_system == told.source_system && key.event_id == told.event_id
}

impl EventRow {
    /// What is remembered of a command, warning or silence: nothing of it is decided again.
    pub(crate) fn of_order(
        key: EventKey,
        source: Source,
        outcome: Outcome,
        incident: Option<IncidentId>,
        ingested_at: EventTime,
    ) -> EventRow {
        EventRow {
            key,
            source,
            outcome,
            incident,
            ingested_at,
            ticket: None,
            order: None,
            held: None,
        }
    }

    /// What is remembered of an event; `held` is what it said, where it may be decided again.
    pub fn of(
        event: &Event,
        reorder_ms: i64,
        outcome: Outcome,
        incident: Option<IncidentId>,
        held: Option<Arc<Held>>,
    ) -> EventRow {
        let order = || event.order_time(reorder_ms);
        EventRow {
            key: event.key.clone(),
            source: event.source,
            outcome,
            incident,
            ingested_at: event.ingested_at,
            ticket: event.ticket.clone(),
            order: event.ticket.is_some().then(order),
            held,
        }
    }

    /// What is remembered of a member that may be decided again.
    pub(crate) fn of_member(
        setting: &Setting,
        held: &Arc<Held>,
        outcome: Outcome,
        incident: &IncidentId,
    ) -> EventRow {
        let (incident, kept) = (Some(incident.clone()), Some(Arc::clone(held)));
        EventRow::of(
            &held.event,
            setting.activation.reorder_ms,
            outcome,
            incident,
            kept,
        )
    }
}

/// An event that may be decided again, and what was compared when it was decided last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What it said.
    pub event: Arc<Event>,
    /// The evidence that decided.
    pub why: Why,
    /// The distance to the incident's position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_mm: Option<i64>,
    /// The effective radius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius_mm: Option<i64>,
    /// The gap in event time to the incident's span.
    pub gap_ms: i64,
    /// It lies where something lay that the centre merged into the incident.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
    /// The silence that had announced it when it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Name>,
}

impl Held {
    /// An event as it was decided by `evidence`.
    pub fn new(event: Arc<Event>, evidence: &Evidence) -> Held {
        Held {
            event,
            why: evidence.why,
            distance_mm: evidence.distance_mm,
            radius_mm: evidence.radius_mm,
            gap_ms: evidence.gap_ms,
            elsewhere: evidence.elsewhere,
            silence: None,
        }
    }

    /// The same event as it is decided by other evidence.
    pub fn decided_by(&self, evidence: &Evidence) -> Held {
        Held {
            silence: self.silence.clone(),
            ..Held::new(self.event.clone(), evidence)
        }
    }

    /// What decided it, without the incidents that it did not join.
    pub fn evidence(&self) -> Evidence {
        Evidence {
            distance_mm: self.distance_mm,
            radius_mm: self.radius_mm,
            elsewhere: self.elsewhere,
            placed_by: self.event.placed_by.clone(),
            ..Evidence::bare(self.why, self.gap_ms)
        }
    }
}

/// A keyed row of state. A later row of the same key replaces the earlier one, so a compacted log of them restores the
/// same engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The rules that hold now.
    Activate(Arc<Activation>),
    /// The highest append time of an input partition.
    Clock(Name, EventTime),
    /// The second up to which changed incidents were published.
    Flushed(EventTime),
    /// The time before which no event's turn counts any more. It is a row of its own: while rows are restored one after
    /// another, and where a partition is first heard of late, the clock says less than it said when events were settled.
    Settled(EventTime),
    /// An incident as it is now.
    PutIncident(Arc<Incident>),
    /// Nothing can refer to it any more.
    RemoveIncident(IncidentId),
    /// An event was decided.
    PutEvent(EventRow),
    /// Its identity need not be remembered any longer.
    ForgetEvent(EventKey),
    /// A cell of the ledger as it is now.
    Count(LedgerCell, i64),
    /// A warning as it is now, where the clock stood when it was heard, and what it said before.
    PutWarning(
        Warning,
        EventTime,
        #[serde(default)] Vec<Warning>,
        #[serde(default)] Counted,
    ),
    /// A warning is over.
    RemoveWarning(Name),
    /// A silence as it is now.
    PutSilence(Silence),
    /// A silence is over.
    RemoveSilence(Name),
    /// What the centre's word made of a device or an algorithm.
    PutTrust(Witness, Trust),
}

/// Which revision of a warning was counted last. Loops that read the warnings ahead of everything else tell of them before the
/// one does that counts them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// The one that holds; rows of before there was anything else.
    #[default]
    This,
    /// An earlier one.
    Earlier(Box<Warning>),
    /// None yet.
    None,
}

/// Who told of incidents, as the centre's word about them counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// A sensor or camera.
    Device(Name),
    /// A video algorithm: vendor, name and version.
    Algorithm(Name),
}

/// How often the centre judged incidents that a witness had told of. Both counts fade as `priority.trust.window` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Trust {
    /// Resolved, or called a false alarm.
    pub judged: u32,
    /// Called a false alarm.
    pub false_alarms: u32,
}

/// How rows are written. Both are read for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowForm {
    /// JSON, as versions wrote it that know no other.
    Json,
    /// Some bytes a field: `state-rows`.
    #[default]
    Compact,
}

/// A changelog row that cannot be read.
#[derive(Debug)]
pub struct RowError(String);

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unreadable state row: {}", self.0)
    }
}

impl std::error::Error for RowError {}

impl Change {
    /// The key of the row.
    pub fn key(&self) -> String {
        match self {
            Change::Activate(_) => "activation".to_owned(),
            Change::Clock(partition, _) => format!("clock/{partition}"),
            Change::Flushed(_) => "flushed".to_owned(),
            Change::Settled(_) => "settled".to_owned(),
            Change::PutIncident(incident) => format!("incident/{}", incident.id),
            Change::RemoveIncident(id) => format!("incident/{id}"),
            Change::PutEvent(row) => event_row_key(&row.key),
            Change::ForgetEvent(key) => event_row_key(key),
            Change::Count(LedgerCell::Consumed(source), _) => format!("ledger/{source}"),
            Change::Count(LedgerCell::Outcome(source, outcome), _) => format!("ledger/{source}/{outcome}"),
            Change::PutWarning(warning, ..) => format!("warning/{}", warning.warning_id),
            Change::RemoveWarning(id) => format!("warning/{id}"),
            Change::PutSilence(silence) => format!("silence/{}", silence.silence_id),
            Change::RemoveSilence(id) => format!("silence/{id}"),
            Change::PutTrust(Witness::Device(name), _) => format!("trust/device/{name}"),
            Change::PutTrust(Witness::Algorithm(name), _) => format!("trust/algorithm/{name}"),
        }
    }

    /// The value of the row, in the compact form; `None` deletes it.
    pub fn value(&self) -> Option<Vec<u8>> {
        self.value_as(RowForm::Compact)
    }

    /// The value of the row; `None` deletes it.
    pub fn value_as(&self, form: RowForm) -> Option<Vec<u8>> {
        match self {
            Change::RemoveIncident(_)
            | Change::ForgetEvent(_)
            | Change::RemoveWarning(_)
            | Change::RemoveSilence(_) => None,
            // Serialising these types to memory cannot fail: they hold no maps with other than text keys, and no number of more
            // than 64 bits.
            other => Some(match form {
                RowForm::Json => serde_json::to_vec(other).unwrap_or_default(),
                RowForm::Compact => state_rows::to_row(other).unwrap_or_default(),
            }),
        }
    }

    /// A row as it was read back, in whichever form it was written.
    ///
    /// # Errors
    /// When it is a row of a later version, or none at all.
    pub fn from_row(value: &[u8]) -> Result<Change, RowError> {
        if state_rows::is_packed(value) {
            return state_rows::from_row(value).map_err(|error| RowError(error.to_string()));
        }
        serde_json::from_slice(value).map_err(|error| RowError(error.to_string()))
    }
}

/// Each part's length leads, so that no two identities share a key whatever characters they hold.
fn event_row_key(key: &EventKey) -> String {
    format!(
        "event/{}/{}/{}",
        key.source_system.len(),
        key.source_system,
        key.event_id
    )
}

/// The nearest incident that an event did not join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    /// Which.
    pub incident: IncidentId,
    /// How far.
    pub distance_mm: i64,
    /// The radius that it would have had to lie in.
    pub radius_mm: i64,
    /// The gap in time.
    pub gap_ms: i64,
    /// What spoke against it in all, in thousandths, where its kind says how much doubt it bears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt_milli: Option<i64>,
    /// Why not: `farther`, `gap`, `life`, `extent`, `component`, `doubt`, `rivals`; by a learned table `points` or `never`; by the
    /// centre's word `closed` or `false_alarm`.
    pub because: Name,
}

/// What was compared when an event was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The evidence that decided.
    pub why: Why,
    /// The distance to the incident's position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_mm: Option<i64>,
    /// The effective radius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius_mm: Option<i64>,
    /// The gap in event time to what was told of the incident; what the centre opened again may take what comes after a longer one.
    pub gap_ms: i64,
    /// What spoke against it in all, in thousandths, where its kind says how much doubt it bears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt_milli: Option<i64>,
    /// It lies where something lay that the centre merged into the incident: it says nothing about where that is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
    /// The address that took part in where the event is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed_by: Option<Box<PlacedBy>>,
    /// The second best incident in reach; where it joined none because of rivals, the one that would do nearly as well as the
    /// nearest miss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<Miss>,
    /// The nearest incident out of reach; before it one that the event would have joined, had the centre not closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest_miss: Option<Miss>,
}

impl Evidence {
    /// How much doubt its nearest miss's kind would have to bear, in thousandths, for it to join that one in spite of its rival.
    pub fn doubt_with_rival(&self) -> Option<i64> {
        let doubt = |miss: &Option<Miss>| miss.as_ref()?.doubt_milli;
        let (own, rival) = (doubt(&self.nearest_miss)?, doubt(&self.runner_up)?);
        Some(own + crate::doubt::rivals(own, [rival].into_iter()))
    }

    /// Evidence that compares no distances.
    pub fn bare(why: Why, gap_ms: i64) -> Evidence {
        Evidence {
            why,
            distance_mm: None,
            radius_mm: None,
            gap_ms,
            doubt_milli: None,
            elsewhere: false,
            placed_by: None,
            runner_up: None,
            nearest_miss: None,
        }
    }
}

/// Why something was not decided again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Withheld {
    /// The centre gave a command about the incident.
    Commanded,
    /// Too many events would have had to be decided again.
    TooMany,
}

impl Withheld {
    /// Every reason.
    pub const ALL: [Withheld; 2] = [Withheld::Commanded, Withheld::TooMany];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Withheld::Commanded => "commanded",
            Withheld::TooMany => "too_many",
        }
    }
}

/// What readers are told.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A new revision of an incident.
    Revision {
        /// The incident as readers see it.
        record: Box<IncidentRecord>,
        /// The band topic that it leaves with this revision.
        leaves: Option<Band>,
        /// The band topic that shows it from now on.
        shown_in: Option<Band>,
        /// What told of it, beyond what readers see.
        told_by: ToldBy,
    },
    /// Nothing can refer to this incident any more.
    Removed(IncidentId),
    /// What became of an event; `moved` when it was something else before.
    Outcome {
        /// The row, with the outcome in it.
        row: EventRow,
        /// Why, when that needs saying.
        reason: Option<Name>,
        /// What was compared.
        evidence: Option<Box<Evidence>>,
    },
    /// An event that came too late.
    Late(Arc<Event>),
    /// Something was not decided again although another order of reading would have decided it otherwise.
    Withheld(Withheld),
}

/// What told of an incident and how its unit took it, for whoever evaluates it. It is no part of the record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldBy {
    /// Video algorithms as vendor/name/version; an empty text is one that was not named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<Name>,
    /// Types of devices: the metrics that were measured, and `camera`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub device_types: Vec<Name>,
    /// How often it was to be done again after it was said to be mended (返工).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reworked: u32,
    /// How often its unit rejected it (退单).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rejected: u32,
}

const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl ToldBy {
    /// What told of an incident so far.
    pub fn of(incident: &Incident) -> ToldBy {
        let mut device_types: Vec<Name> = incident.peaks.keys().cloned().collect();
        if incident.devices.values().any(|watcher| !watcher.measures) {
            device_types.push("camera".into());
        }
        ToldBy {
            algorithms: incident.algorithms.iter().cloned().collect(),
            device_types,
            reworked: incident.handling.reworked_count,
            rejected: incident.handling.rejected_count,
        }
    }
}

/// The answer to one input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// Rows that change the state, in order.
    pub changes: Vec<Change>,
    /// What readers are told, in order.
    pub outputs: Vec<Output>,
}
