//! The P1 incidents of a span as an operator saw them: when each became P1 and why, for how long, and how it ended; and how many by
//! the hour.
//!
//! It is told every revision in its order. What a time is follows from the revisions themselves, so that a log that is decided again
//! and the files of a replay tell the same.

use std::collections::{BTreeMap, BTreeSet};

use city_model::{Band, EventTime, IncidentId, UtcTime};
use incident_engine::IncidentRecord;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use serde::Serialize;

use super::Span;
use super::tally::last_known;

/// A time in which an incident was open as P1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spell {
    /// Which.
    pub incident_id: IncidentId,
    /// Its kind.
    pub kind: String,
    /// What the kind is called.
    pub name_zh: String,
    /// Who is in charge, by name.
    pub place: String,
    /// When it became P1.
    pub since: UtcTime,
    /// From which band; none where it was P1 when it was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Band>,
    /// Seconds from its first event until then.
    pub delay_s: i64,
    /// The score then.
    pub score: u32,
    /// The overrides that held then.
    pub overrides: Vec<String>,
    /// Why, in Chinese.
    pub reasons_zh: Vec<String>,
    /// The same in English.
    pub reasons_en: Vec<String>,
    /// Reports then.
    pub member_count: u64,
    /// When it was P1 no longer; none while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<UtcTime>,
    /// Seconds as P1, so far.
    pub lasted_s: i64,
    /// `open`, `lowered`, `merged`, or the reason why it was closed.
    pub ended: String,
}

/// An hour of the city's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hour {
    /// When it begins, as the city's clocks show it.
    pub hour: String,
    /// Incidents that became P1.
    pub became: u64,
    /// Incidents that were P1 at some time in it.
    pub shown: u64,
}

/// The P1 incidents of a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Urgent {
    /// How many incidents were P1.
    pub incidents: u64,
    /// The most that were so at one time.
    pub at_once: u64,
    /// Hour by hour, from the first to the last one with any.
    pub hours: Vec<Hour>,
    /// One by one, by when they became P1.
    pub spells: Vec<Spell>,
}

/// Gathers spells from revisions.
#[derive(Debug, Default)]
pub struct UrgentWatch {
    open: BTreeMap<IncidentId, Spell>,
    over: Vec<Spell>,
    /// When an incident was last known to be something else, for those that come back.
    left: BTreeMap<IncidentId, EventTime>,
    known: Option<EventTime>,
}

impl UrgentWatch {
    /// Sees a revision; those of one incident come in their order.
    pub fn see(&mut self, record: &IncidentRecord) {
        self.known = self.known.max(Some(last_known(record)));
        let is_p1 = record.status == "OPEN" && record.priority.band == Band::P1;
        match (is_p1, self.open.contains_key(&record.incident_id)) {
            (true, false) => self.begin(record),
            (false, true) => self.end(record),
            _ => {}
        }
    }

    fn begin(&mut self, record: &IncidentRecord) {
        let raised = record.priority.previous.as_ref();
        let (since, from) = match (self.left.get(&record.incident_id), raised) {
            // It was opened again, or came out of a merge, after which nothing raised it: what was heard last brought it back.
            (Some(left), raised) if raised.is_none_or(|raised| raised.changed_at.0 < *left) => {
                (record.last_event_at.0.max(*left), None)
            }
            (_, Some(raised)) => (raised.changed_at.0, Some(raised.band)),
            (_, None) => (record.opened_at.0, None),
        };
        let in_charge = record.responsible.as_ref();
        let spell = Spell {
            incident_id: record.incident_id.clone(),
            kind: record.kind.clone(),
            name_zh: record.name_zh.clone(),
            place: in_charge.map_or_else(String::new, |charge| match charge.name.is_empty() {
                true => charge.code.to_string(),
                false => charge.name.to_string(),
            }),
            since: UtcTime(since),
            from,
            delay_s: seconds(since - record.first_event_at.0),
            score: record.priority.score,
            overrides: record.priority.overrides.clone(),
            reasons_zh: record.priority.reasons_zh.clone(),
            reasons_en: record.priority.reasons_en.clone(),
            member_count: record.member_count,
            until: None,
            lasted_s: 0,
            ended: "open".to_owned(),
        };
        self.open.insert(record.incident_id.clone(), spell);
    }

    fn end(&mut self, record: &IncidentRecord) {
        let Some(mut spell) = self.open.remove(&record.incident_id) else {
            return;
        };
        let lowered = record
            .priority
            .previous
            .as_ref()
            .map(|lowered| lowered.changed_at);
        let (until, ended) = match record.status.as_str() {
            "OPEN" => (lowered, "lowered".to_owned()),
            "MERGED" => (record.closed_at, "merged".to_owned()),
            _ => (record.closed_at, record.close_reason.clone().unwrap_or_default()),
        };
        let until = until.map_or(record.last_event_at.0, |at| at.0).max(spell.since.0);
        self.left.insert(record.incident_id.clone(), until);
        spell.lasted_s = seconds(until - spell.since.0);
        (spell.until, spell.ended) = (Some(UtcTime(until)), ended);
        self.over.push(spell);
    }

    /// The spells that began within the span, and the hours of the city's time that they fill. What is still P1 is so until the
    /// end of what is known.
    pub fn finish(self, zone: &TimeZone, span: Span) -> Urgent {
        let known = self.known.unwrap_or(EventTime::MIN);
        let open = self.open.into_values().map(|spell| Spell {
            lasted_s: seconds(known.max(spell.since.0) - spell.since.0),
            ..spell
        });
        let mut spells: Vec<Spell> = self.over.into_iter().chain(open).collect();
        spells.retain(|spell| span.holds(spell.since.0));
        spells.sort_by(|a, b| (a.since.0, &a.incident_id).cmp(&(b.since.0, &b.incident_id)));
        let incidents: BTreeSet<&IncidentId> = spells.iter().map(|spell| &spell.incident_id).collect();
        Urgent {
            incidents: incidents.len() as u64,
            at_once: most_at_once(&spells),
            hours: hours(&spells, known, zone),
            spells,
        }
    }
}

fn seconds(ms: i64) -> i64 {
    ms.div_euclid(1_000)
}

/// One that ends at the moment in which another begins is not there with it.
fn most_at_once(spells: &[Spell]) -> u64 {
    let begins = spells.iter().map(|spell| (spell.since.0, 1));
    let ends = spells.iter().filter_map(|spell| Some((spell.until?.0, -1)));
    let mut steps: Vec<(EventTime, i64)> = begins.chain(ends).collect();
    steps.sort_unstable();
    let (mut now, mut most) = (0_i64, 0_i64);
    for (_, step) in steps {
        now += step;
        most = most.max(now);
    }
    most.unsigned_abs()
}

const HOUR_MS: i64 = 3_600_000;

/// Hours are counted from the city's midnight by its offset at the first spell; none is left out in between.
fn hours(spells: &[Spell], known: EventTime, zone: &TimeZone) -> Vec<Hour> {
    let Some(first) = spells.first() else {
        return Vec::new();
    };
    let offset_ms = Timestamp::from_millisecond(first.since.0.millis())
        .map_or(0, |at| i64::from(zone.to_offset(at).seconds()) * 1_000);
    let hour_of = |at: EventTime| (at.millis() + offset_ms).div_euclid(HOUR_MS);
    let end_of = |spell: &Spell| spell.until.map_or(known, |until| until.0).max(spell.since.0);
    let last = spells.iter().map(|spell| hour_of(end_of(spell))).max();
    let (from, to) = (hour_of(first.since.0), last.unwrap_or(i64::MIN));
    // A spell that nobody ended may last for months: then the hours of its end are not shown.
    let to = to.min(from + MOST_HOURS - 1);
    let mut counts: BTreeMap<i64, (BTreeSet<&IncidentId>, BTreeSet<&IncidentId>)> =
        (from..=to).map(|hour| (hour, Default::default())).collect();
    for spell in spells {
        let (began, ended) = (hour_of(spell.since.0), hour_of(end_of(spell)));
        if let Some((became, _)) = counts.get_mut(&began) {
            became.insert(&spell.incident_id);
        }
        for (_, (_, shown)) in counts.range_mut(began..=ended.max(began)) {
            shown.insert(&spell.incident_id);
        }
    }
    let shown_as = |hour: i64| {
        let at = Timestamp::from_millisecond(hour.saturating_mul(HOUR_MS) - offset_ms);
        at.map_or_else(
            |_| String::new(),
            |at| {
                let told = zone.to_datetime(at);
                format!("{} {:02}:{:02}", told.date(), told.hour(), told.minute())
            },
        )
    };
    counts
        .into_iter()
        .map(|(hour, (became, shown))| Hour {
            hour: shown_as(hour),
            became: became.len() as u64,
            shown: shown.len() as u64,
        })
        .collect()
}

/// Hours that are shown: a month of them.
const MOST_HOURS: i64 = 31 * 24;
