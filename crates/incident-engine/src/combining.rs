//! Two incidents as one: sums add up, maxima and sets join, as if every event had been told of the one.

use std::sync::Arc;

use city_model::{Fused, Incident, Watcher};

use crate::joining::{ADDRESSES_KEPT, MEMBERS_SHOWN};

/// Takes into an incident all that was told about another, and keeps of both what is not settled. What was done about either, and
/// how readers know it, stays its own.
pub(crate) fn combine(incident: &mut Incident, other: &Incident) {
    let is_placed = incident.fused.point().is_some();
    let base = match (base_of(incident), base_of(other)) {
        (base, None) => base,
        (None, Some(mut others)) => {
            if is_placed {
                others.fused = Fused::default();
                others.extent = None;
            }
            Some(others)
        }
        (Some(mut base), Some(mut others)) => {
            if is_placed {
                others.fused = Fused::default();
                others.extent = None;
            }
            add(&mut base, &others);
            Some(base)
        }
    };
    let mut tail = std::mem::take(&mut incident.tail);
    tail.extend(other.tail.iter().cloned());
    tail.sort_unstable();
    tail.dedup();
    add(incident, other);
    incident.base = base.filter(|_| !tail.is_empty()).map(Arc::new);
    incident.tail = tail;
}

/// What is settled of an incident.
fn base_of(incident: &Incident) -> Option<Incident> {
    match &incident.base {
        Some(base) => Some((**base).clone()),
        None if incident.tail.is_empty() && incident.member_count > 0 => Some(incident.as_base()),
        None => None,
    }
}

fn add(incident: &mut Incident, other: &Incident) {
    if other.founding < incident.founding {
        let namer = incident.namer().clone();
        incident.named_after = Some(namer);
        incident.founding = other.founding.clone();
    }
    incident.first_event_at = incident.first_event_at.min(other.first_event_at);
    incident.last_event_at = incident.last_event_at.max(other.last_event_at);
    incident.last_heard_at = incident.last_heard_at.max(other.last_heard_at);
    // Each stands for its own place: the mean of two is where neither is.
    if incident.fused.point().is_none() && other.fused.point().is_some() {
        incident.place_of = other.place_of.clone().or_else(|| Some(other.id.clone()));
        incident.fused = other.fused;
        incident.extent = other.extent;
    }
    let is_better = match (incident.best, other.best) {
        (Some(own), Some(others)) => others < own,
        (None, Some(_)) => true,
        _ => false,
    };
    let codes = |incident: &Incident| {
        incident
            .responsible
            .as_ref()
            .map(|responsible| responsible.code.clone())
    };
    let (ours, theirs) = (codes(incident), codes(other));
    incident.also_affects.extend(ours.into_iter().chain(theirs));
    incident.also_affects.extend(other.also_affects.iter().cloned());
    if is_better {
        incident.best = other.best;
        incident.cells = other.cells.clone();
        incident.responsible = other.responsible.clone();
    }
    incident.town = incident.town.take().or_else(|| other.town.clone());
    incident.also_at.extend(other.also_at.iter().cloned());
    match (&incident.address_key, &other.address_key) {
        (None, Some(_)) => incident.address_key = other.address_key.clone(),
        // Found by both: the other's is one more address of it.
        (Some(_), Some(address)) => {
            let place = other.town.clone().map(|town| (town, address.clone()));
            incident.also_at.extend(place);
        }
        _ => {}
    }
    while incident.also_at.len() > ADDRESSES_KEPT {
        incident.also_at.pop_last();
    }
    combine_members(incident, other);
    combine_witnesses(incident, other);
}

fn combine_members(incident: &mut Incident, other: &Incident) {
    incident.member_count += other.member_count;
    incident.members.extend(other.members.iter().cloned());
    incident
        .members
        .sort_by(|a, b| (b.event_time, &b.key).cmp(&(a.event_time, &a.key)));
    incident.members.truncate(MEMBERS_SHOWN);
    for (device, watcher) in &other.devices {
        let known = incident.devices.get(device).copied().unwrap_or(*watcher);
        let alarming = known.alarming || watcher.alarming;
        incident
            .devices
            .insert(device.clone(), Watcher { alarming, ..known });
    }
    incident.components.extend(other.components.iter().cloned());
    incident
        .inferred_components
        .extend(other.inferred_components.iter().cloned());
    incident.reporters.extend(other.reporters.iter().copied());
    incident
        .reporters_before
        .extend(other.reporters_before.iter().copied());
    let before = &incident.reporters_before;
    incident.reporters.retain(|reporter| !before.contains(reporter));
    incident.hear_all_of(other);
    let cleared = incident.cleared_at.max(other.cleared_at);
    incident.cleared_at = cleared.filter(|_| incident.is_cleared());
}

fn combine_witnesses(incident: &mut Incident, other: &Incident) {
    for (channel, points) in &other.witnesses {
        incident.witnesses.raise(channel, *points);
    }
    for (metric, value) in &other.peaks {
        incident.peaks.raise(metric, *value);
    }
    incident.facilities.extend(other.facilities.iter().copied());
    incident.hints.extend(other.hints.iter().copied());
    incident.flags.extend(other.flags.iter().copied());
    incident.algorithms.extend(other.algorithms.iter().cloned());
    incident.rush |= other.rush;
    incident.night |= other.night;
    incident.sound |= other.sound;
    incident.all_suspect &= other.all_suspect;
    incident.code_gb2013 = incident.code_gb2013.take().or_else(|| other.code_gb2013.clone());
    incident.code_gb2026 = incident.code_gb2026.take().or_else(|| other.code_gb2026.clone());
    incident.related.extend(other.related.iter().cloned());
    let (own, others) = (incident.id.clone(), other.id.clone());
    incident.related.retain(|id| *id != own && *id != others);
}
