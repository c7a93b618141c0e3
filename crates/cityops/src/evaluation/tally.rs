//! Counts incidents by kind, town, unit and witness. What counts for each rate is said at its field.

use std::collections::BTreeMap;

use city_model::{EventTime, IncidentId, Name};
use incident_engine::{IncidentRecord, ToldBy};
use serde::Serialize;

use super::{Rate, Urgent};

/// Which incidents count: those opened from one instant on and before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// From then on.
    pub from: Option<EventTime>,
    /// Before then.
    pub to: Option<EventTime>,
}

impl Span {
    pub(super) fn holds(&self, at: EventTime) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

/// What is counted of one group of incidents.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Incidents; what was merged into another counts there.
    pub incidents: u64,
    /// Open at the end.
    pub open: u64,
    /// Handled: acknowledged or sent out by the centre.
    pub handled: u64,
    /// Sent out in time, of those that were sent out, or are open and should have been; the latter only where the centre
    /// tells at all.
    pub dispatch_on_time: Rate,
    /// Under control in time, of those that were resolved, or were acknowledged or sent out, are open and should have been.
    pub control_on_time: Rate,
    /// To be done again at least once after it was said to be mended (返工), of those that were sent out.
    pub rework: Rate,
    /// Rejected by the unit at least once before that (退单), of those that were sent out.
    pub rejection: Rate,
    /// Repeats a closed one of the same place (复发), of all.
    pub repeat: Rate,
    /// False alarms (误报), of those that the centre judged: resolved, verified, closed by it, or false.
    pub false_alarm: Rate,
}

impl Tally {
    fn count(&mut self, record: &IncidentRecord, told: Option<&ToldBy>, until: Option<EventTime>) {
        let (handling, deadline) = (&record.handling, &record.priority.deadline);
        let is_open = record.status == "OPEN";
        self.incidents += 1;
        self.open += u64::from(is_open);
        self.handled += u64::from(is_handled(record));
        match handling.dispatched_at {
            Some(at) => self.dispatch_on_time.count(at <= deadline.dispatch_by),
            None if is_open && until.is_some_and(|until| deadline.dispatch_by.0 < until) => {
                self.dispatch_on_time.count(false)
            }
            None => {}
        }
        match handling.resolved_at {
            Some(at) => self.control_on_time.count(at <= deadline.control_by),
            None if is_open
                && is_handled(record)
                && until.is_some_and(|until| deadline.control_by.0 < until) =>
            {
                self.control_on_time.count(false);
            }
            None => {}
        }
        let (reworked, rejected) = told.map_or((0, 0), |told| (told.reworked, told.rejected));
        // What was given back was sent out. Where nobody kept when it was given back it was not mended yet, as most are.
        if handling.dispatched_at.is_some() || handling.returned_count > 0 {
            self.rework.count(reworked > 0);
            self.rejection
                .count(rejected > 0 || handling.returned_count > 0 && reworked == 0);
        }
        self.repeat.count(record.recurrence_of.is_some());
        if let Some(is_false) = judged(record) {
            self.false_alarm.count(is_false);
        }
    }
}

/// Whether the centre has begun to handle it, as far as it told.
fn is_handled(record: &IncidentRecord) -> bool {
    let handling = &record.handling;
    handling.acknowledged_at.or(handling.dispatched_at).is_some()
}

/// What the centre found: whether it was a false alarm; `None` where it did not say.
fn judged(record: &IncidentRecord) -> Option<bool> {
    match record.close_reason.as_deref() {
        Some("false_alarm") => Some(true),
        Some("resolved" | "closed") => Some(false),
        _ => {
            let found = record.handling.resolved_at.or(record.handling.verified_at);
            found.map(|_| false)
        }
    }
}

/// The counts of one kind, town, unit or witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its code or id; empty where there is none.
    pub code: String,
    /// What it is called.
    pub name: String,
    /// The counts.
    #[serde(flatten)]
    pub tally: Tally,
}

/// How right those are who report, by the kind of witness and its system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// The kind of witness: sensor, video, hotline …
    pub channel: String,
    /// The system: each algorithm's platform, each maker of devices has its own.
    pub source_system: String,
    /// Incidents that it reported.
    pub incidents: u64,
    /// Not false, of those that the centre judged.
    pub precision: Rate,
}

/// How right a video algorithm is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Algorithm {
    /// Who makes it; empty where the records did not say, as are the others.
    pub vendor: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Incidents that it told of.
    pub incidents: u64,
    /// Not false, of those that the centre judged.
    pub precision: Rate,
}

/// How right a type of device is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceType {
    /// The metric that it measures; `camera`.
    pub device_type: String,
    /// Incidents that such devices told of.
    pub incidents: u64,
    /// Not false, of those that the centre judged.
    pub precision: Rate,
}

/// Incidents and how many of the judged were none, by what told of them.
#[derive(Default)]
struct Judged(BTreeMap<Name, (u64, Rate)>);

impl Judged {
    fn count(&mut self, told: &[Name], is_false: Option<bool>) {
        for name in told {
            let (incidents, precision) = self.0.entry(name.clone()).or_default();
            *incidents += 1;
            if let Some(is_false) = is_false {
                precision.count(!is_false);
            }
        }
    }
}

/// All that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evaluation {
    /// The earliest opening that counts, as it was asked for; else that of the first incident.
    pub from: Option<String>,
    /// Openings before it count; else the last thing that is known of.
    pub to: Option<String>,
    /// Everything together.
    pub all: Tally,
    /// By kind.
    pub kinds: Vec<Group>,
    /// By town.
    pub towns: Vec<Group>,
    /// By the unit in charge.
    pub units: Vec<Group>,
    /// By witness.
    pub witnesses: Vec<Witness>,
    /// By video algorithm, as far as what told of an incident was kept.
    pub algorithms: Vec<Algorithm>,
    /// By type of device, likewise.
    pub device_types: Vec<DeviceType>,
    /// The P1 incidents one by one, where they are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p1: Option<Urgent>,
}

impl Evaluation {
    /// Counts the last revision of each incident, and by what told of it, as far as that is known.
    pub fn of<'a>(
        records: impl Iterator<Item = &'a IncidentRecord> + Clone,
        told_by: &BTreeMap<IncidentId, ToldBy>,
        span: Span,
    ) -> Evaluation {
        let known = records.clone().map(last_known).max();
        // Deadlines are held against the end of what is known, which the same files always have.
        let until = known;
        // A centre that tells nothing is not late: nothing is known of it.
        let until = until.filter(|_| records.clone().any(is_handled));
        let mut all = Tally::default();
        let mut kinds: BTreeMap<(String, String), Tally> = BTreeMap::new();
        let (mut towns, mut units) = (kinds.clone(), kinds.clone());
        let mut witnesses: BTreeMap<(String, String), (u64, Rate)> = BTreeMap::new();
        let (mut algorithms, mut device_types) = (Judged::default(), Judged::default());
        let mut first: Option<EventTime> = None;
        for record in records.filter(|record| record.status != "MERGED" && span.holds(record.opened_at.0)) {
            let opened = record.opened_at.0;
            first = Some(first.map_or(opened, |first| first.min(opened)));
            let told_by = told_by.get(&record.incident_id);
            all.count(record, told_by, until);
            let kind = (record.kind.clone(), record.name_zh.clone());
            let by = |tally: &mut Tally| tally.count(record, told_by, until);
            by(kinds.entry(kind).or_default());
            by(towns.entry(town(record)).or_default());
            by(units.entry(unit(record)).or_default());
            let mut told: Vec<(String, String)> = record
                .members
                .iter()
                .map(|member| (member.source.clone(), member.source_system.to_string()))
                .collect();
            told.sort_unstable();
            told.dedup();
            if let Some(told_by) = told_by {
                algorithms.count(&told_by.algorithms, judged(record));
                device_types.count(&told_by.device_types, judged(record));
            }
            for witness in told {
                let (incidents, precision) = witnesses.entry(witness).or_default();
                *incidents += 1;
                if let Some(is_false) = judged(record) {
                    precision.count(!is_false);
                }
            }
        }
        let groups = |counted: BTreeMap<(String, String), Tally>| {
            let groups = counted.into_iter();
            let mut groups: Vec<Group> = groups
                .map(|((code, name), tally)| Group { code, name, tally })
                .collect();
            // Stable, so equals stay in order of code.
            groups.sort_by_key(|group| std::cmp::Reverse(group.tally.incidents));
            groups
        };
        let witnesses = witnesses.into_iter();
        Evaluation {
            from: span.from.or(first).map(|at| at.to_string()),
            to: span.to.or(known).map(|at| at.to_string()),
            all,
            kinds: groups(kinds),
            towns: groups(towns),
            units: groups(units),
            witnesses: witnesses
                .map(|((channel, source_system), (incidents, precision))| Witness {
                    channel,
                    source_system,
                    incidents,
                    precision,
                })
                .collect(),
            algorithms: algorithms.0.into_iter().map(algorithm).collect(),
            device_types: device_types
                .0
                .into_iter()
                .map(|(device_type, (incidents, precision))| DeviceType {
                    device_type: device_type.to_string(),
                    incidents,
                    precision,
                })
                .collect(),
            p1: None,
        }
    }
}

/// Intake joins vendor, name and version by strokes, and lets none into a part.
fn algorithm((told, (incidents, precision)): (Name, (u64, Rate))) -> Algorithm {
    let mut parts = told.splitn(3, '/').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    Algorithm {
        vendor: part(),
        name: part(),
        version: part(),
        incidents,
        precision,
    }
}

/// The last instant that an incident tells of.
pub(super) fn last_known(record: &IncidentRecord) -> EventTime {
    let handling = &record.handling;
    let steps = [
        record.closed_at,
        handling.acknowledged_at,
        handling.dispatched_at,
        handling.arrived_at,
        handling.resolved_at,
        handling.verified_at,
    ];
    let last = steps.into_iter().flatten().map(|at| at.0).max();
    record.opened_at.0.max(last.unwrap_or(EventTime::MIN))
}

fn town(record: &IncidentRecord) -> (String, String) {
    let found = record.cells.iter().find(|cell| &*cell.level == "town");
    named(found.map(|cell| (&cell.code, &cell.name)))
}

fn unit(record: &IncidentRecord) -> (String, String) {
    let charge = record.responsible.as_ref();
    match charge.and_then(|charge| charge.unit.as_ref()) {
        Some(unit) => (String::new(), unit.to_string()),
        None => named(charge.map(|charge| (&charge.code, &charge.name))),
    }
}

fn named(cell: Option<(&Name, &Name)>) -> (String, String) {
    match cell {
        Some((code, name)) if name.is_empty() => (code.to_string(), code.to_string()),
        Some((code, name)) => (code.to_string(), name.to_string()),
        None => (String::new(), "未定位 / no place".to_owned()),
    }
}
