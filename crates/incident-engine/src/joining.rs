//! What an event adds to an incident: sums, maxima and sets, so that the order of events does not show.

use std::sync::Arc;

use city_model::{
    Band, CellRef, Channel, Event, EventTime, Extent, Flag, Fused, Handling, Incident, IncidentId, Member,
    SmallMap, SmallSet, Status, Watcher,
};

use crate::{Evidence, Held, Setting};

/// How many members an incident shows; `member_count` is exact, and every member has its outcome record.
pub(crate) const MEMBERS_SHOWN: usize = 20;
/// How many addresses of its members an incident is found by.
pub(crate) const ADDRESSES_KEPT: usize = 8;

/// A new incident, founded by `event` but without anything of it absorbed yet.
pub(crate) fn found(setting: &Setting, event: &Event) -> Incident {
    let id = IncidentId::found(&setting.activation.city, &event.group, &event.key);
    found_as(setting, event, id)
}

/// The same where its id is known: an id costs a hash.
pub(crate) fn found_as(setting: &Setting, event: &Event, id: IncidentId) -> Incident {
    Incident {
        id,
        group: event.group.clone(),
        kind: event.kind.clone(),
        founding: event.turn(setting.activation.reorder_ms),
        named_after: None,
        status: Status::Open,
        close_reason: None,
        merged_into: None,
        revision: 0,
        dirty: false,
        revised_at: event.ingested_at,
        revised_in: None,
        shown_in: None,
        opened_at: event.ingested_at,
        first_event_at: event.event_time,
        last_event_at: event.event_time,
        last_heard_at: event.ingested_at,
        closed_at: None,
        cleared_at: None,
        fused: Fused::default(),
        extent: None,
        best: None,
        cells: Arc::default(),
        responsible: None,
        also_affects: SmallSet::default(),
        town: None,
        address_key: None,
        also_at: SmallSet::default(),
        members: Vec::new(),
        member_count: 0,
        devices: SmallMap::default(),
        components: SmallSet::default(),
        inferred_components: SmallSet::default(),
        reporters: SmallSet::default(),
        reporters_before: SmallSet::default(),
        callers: SmallSet::default(),
        unnamed: SmallSet::default(),
        witnesses: SmallMap::default(),
        peaks: SmallMap::default(),
        facilities: SmallSet::default(),
        hints: SmallSet::default(),
        flags: SmallSet::default(),
        rush: false,
        night: false,
        sound: false,
        all_suspect: true,
        code_gb2013: None,
        code_gb2026: None,
        storm_id: None,
        band: Band::P4,
        previous: None,
        lower_since: None,
        pinned: None,
        time_points: 0,
        dispatch_by: event.ingested_at,
        control_by: event.ingested_at,
        handling: Handling::default(),
        care: None,
        algorithms: SmallSet::default(),
        related: SmallSet::default(),
        recurrence_of: None,
        silences: Some(SmallSet::default()),
        inhibited_by: None,
        config_version: setting.activation.version.clone(),
        tail: Vec::new(),
        base: None,
        commanded: false,
        place_of: None,
        last_command: None,
    }
}

/// Enters an event into an incident. `counts` is false for what merely continues: the same device or camera goes on, so
/// it is heard, measured, timed and believed, but is no further witness.
fn absorb(setting: &Setting, incident: &mut Incident, event: &Event, evidence: &Evidence, counts: bool) {
    let turn = event.turn(setting.activation.reorder_ms);
    if turn < incident.founding {
        if incident.named_after.is_none() {
            incident.named_after = Some(incident.founding.key.clone());
        }
        incident.founding = turn;
    }
    incident.first_event_at = incident.first_event_at.min(event.event_time);
    incident.last_event_at = incident.last_event_at.max(event.event_time);
    incident.last_heard_at = incident.last_heard_at.max(event.ingested_at);
    if let Some(device) = &event.device {
        let watcher = Watcher {
            measures: event.channel == Channel::Sensor,
            alarming: true,
        };
        incident.devices.insert(device.clone(), watcher);
        if !incident.is_cleared() {
            incident.cleared_at = None;
        }
    }
    if let Some(measurement) = &event.measurement {
        incident.peaks.raise(&measurement.metric, measurement.milli);
    }
    believe(incident, event);
    if !counts {
        return;
    }
    // Somebody sees it after the devices said that it is over: it is not.
    if incident.over_at().is_some_and(|over| event.event_time > over) {
        incident.cleared_at = None;
    }
    if let Some(located) = event.located.as_ref().filter(|_| !evidence.elsewhere) {
        let point = setting.plane.project(located.position);
        incident.fused.add(point, located.u_mm);
        incident.extent = Some(
            incident
                .extent
                .map_or(Extent::of(point), |extent| extent.with(point)),
        );
    }
    take_cells(incident, event, setting.activation.reorder_ms);
    if event.located.is_none() {
        incident.town = incident.town.take().or_else(|| event.town.clone());
        incident.address_key = incident.address_key.take().or_else(|| event.address_key.clone());
    }
    // Of those without a place the first address is its own; another house in the same lane keeps further ones apart.
    if let (Some(town), Some(address)) = (&event.town, &event.address_key)
        && !is_bare_road(address)
        && (event.located.is_some() || incident.address_key.as_ref() != Some(address))
    {
        incident.also_at.insert((town.clone(), address.clone()));
        if incident.also_at.len() > ADDRESSES_KEPT {
            incident.also_at.pop_last(); // the least stay, so that order does not show
        }
    }
    witness(setting, incident, event);
    if event.flags.contains(&Flag::ComponentInferred) {
        incident.inferred_components.extend(event.component.clone());
    } else {
        incident.components.extend(event.component.clone());
    }
    count_reporter(incident, event);
    incident.hear_by(event.channel, event.reporter_before.or(event.reporter));
    incident.member_count += 1;
    show(incident, event, evidence);
}

/// Takes in all that an event says: what it adds to the incident, and by which silence it was announced.
pub(crate) fn hear(setting: &Setting, incident: &mut Incident, held: &Held, counts: bool) {
    absorb(setting, incident, &held.event, &held.evidence(), counts);
    crate::silence::announce(incident, held);
}

/// Enters an event that was just decided, and keeps what the incident was without those that may be decided again. What comes
/// after its turn was settled goes to what is settled.
pub(crate) fn enter(
    setting: &Setting,
    incident: &mut Incident,
    held: &Held,
    counts: bool,
    settled_before: EventTime,
) {
    let turn = held.event.turn(setting.activation.reorder_ms);
    if turn.order < settled_before {
        if let Some(base) = &mut incident.base {
            hear(setting, Arc::make_mut(base), held, counts);
        } else if !incident.tail.is_empty() {
            let mut base = found(setting, &held.event);
            hear(setting, &mut base, held, counts);
            incident.base = Some(Arc::new(base));
        }
    } else {
        if incident.tail.is_empty() && incident.member_count > 0 {
            incident.base = Some(Arc::new(incident.as_base()));
        }
        let at = incident.tail.partition_point(|other| *other < turn);
        incident.tail.insert(at, turn);
    }
    hear(setting, incident, held, counts);
    if let Some(last) = &mut incident.last_command {
        // Should the command be taken back, what was heard since stays.
        crate::undoing::hear(setting, last, held, settled_before);
    }
}

/// Counts a reporter once, also where the key changed in between: processes take a new key one after the other, so either
/// name may come first, and the earlier one also after the later one.
fn count_reporter(incident: &mut Incident, event: &Event) {
    let Some(reporter) = event.reporter else { return };
    if let Some(before) = event.reporter_before {
        incident.reporters.remove(&before);
        incident.reporters_before.insert(before);
    }
    if !incident.reporters_before.contains(&reporter) {
        incident.reporters.insert(reporter);
    }
}

/// Whether an address names a road and no place on it: kilometres of it are no evidence beside a position.
fn is_bare_road(address: &str) -> bool {
    let road = ["路", "街", "大道", "公路", "巷"]
        .iter()
        .any(|class| address.ends_with(class));
    road && !address.contains('×')
}

/// The cell in charge is that of the best position; the others are affected too. An incident keeps the version of the grid
/// that it was opened with: in another one its code may mean other ground.
fn take_cells(incident: &mut Incident, event: &Event, reorder_ms: i64) {
    if !is_same_grid(&incident.cells, &event.cells) {
        return;
    }
    incident.also_affects.extend(event.also_affects.iter().cloned());
    incident.also_affects.extend(
        event
            .responsible
            .iter()
            .map(|responsible| responsible.code.clone()),
    );
    let rank = (event.quality, event.order_time(reorder_ms));
    if incident.best.is_none_or(|best| rank < best) && !event.cells.is_empty() {
        incident.best = Some(rank);
        incident.cells = event.cells.clone();
        incident.responsible = event.responsible.clone();
    }
    if incident.cells.is_empty() && incident.town.is_none() {
        incident.town = event.town.clone();
    }
}

/// Whether no layer shows in two versions.
fn is_same_grid(ours: &[CellRef], theirs: &[CellRef]) -> bool {
    ours.iter().all(|one| {
        theirs
            .iter()
            .all(|other| one.layer != other.layer || one.version == other.version)
    })
}

/// How far what an event says is to be believed. A device that was suspect at first, as one whose clock began at nothing, may
/// have come to its senses since.
fn believe(incident: &mut Incident, event: &Event) {
    let suspect = event.flags.contains(&Flag::Suspect);
    incident.witnesses.raise(&event.channel, event.credibility);
    incident.all_suspect &= suspect;
    incident.sound |= !suspect && event.channel != Channel::Video && event.located.is_some();
}

fn witness(setting: &Setting, incident: &mut Incident, event: &Event) {
    if event.channel == Channel::Video {
        incident
            .algorithms
            .insert(event.algorithm.clone().unwrap_or_default());
    }
    incident.facilities.extend(event.facilities.iter().copied());
    incident.hints.extend(event.hints.iter().copied());
    let others = event
        .flags
        .iter()
        .filter(|flag| **flag != Flag::CodeDerived)
        .copied();
    incident.flags.extend(others);
    incident.rush |= setting.calendar.is_rush(event.event_time);
    incident.night |= setting.calendar.is_night(event.event_time);
    // Both of one event: two members may be filed under different items of one kind.
    if incident.code_gb2013.is_none() && incident.code_gb2026.is_none() {
        incident.code_gb2013.clone_from(&event.code_gb2013);
        incident.code_gb2026.clone_from(&event.code_gb2026);
        let derived = event
            .flags
            .iter()
            .filter(|flag| **flag == Flag::CodeDerived)
            .copied();
        incident.flags.extend(derived);
    }
}

/// Keeps the newest members by event time; equal times by identity, so that order does not show.
fn show(incident: &mut Incident, event: &Event, evidence: &Evidence) {
    let member = Member {
        key: event.key.clone(),
        channel: event.channel,
        event_time: event.event_time,
        distance_mm: evidence.distance_mm,
        radius_mm: evidence.radius_mm,
        gap_ms: evidence.gap_ms,
        why: evidence.why,
    };
    let newer = |m: &Arc<Member>| (m.event_time, &m.key) > (member.event_time, &member.key);
    let at = incident
        .members
        .iter()
        .position(|m| !newer(m))
        .unwrap_or(incident.members.len());
    if at < MEMBERS_SHOWN {
        incident.members.insert(at, Arc::new(member));
        incident.members.truncate(MEMBERS_SHOWN);
    }
}
