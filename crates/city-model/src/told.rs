//! How events and members are read back: with the two parts of their identity among the other fields.
//!
//! Serde could put them there by itself (`flatten`), and does when they are written. Reading so it keeps every field of a record
//! in memory of its own before it looks at the first, which was most of the time of restoring and of reading the enriched log.

use std::sync::Arc;

use serde::Deserialize;

use crate::{
    CellRef, Channel, Crs, Event, EventKey, EventTime, Facility, Flag, Group, Hint, Kind, Located,
    Measurement, Member, Name, OtherCell, PlacedBy, Quality, Responsible, Signal, Source, Why,
};

#[derive(Deserialize)]
pub(crate) struct ToldEvent {
    #[serde(deserialize_with = "crate::shared::name")]
    source_system: Name,
    event_id: Name,
    source: Source,
    channel: Channel,
    kind: Kind,
    #[serde(default)]
    alternatives: Vec<Kind>,
    group: Group,
    signal: Signal,
    event_time: EventTime,
    #[serde(default)]
    reported_at: Option<EventTime>,
    ingested_at: EventTime,
    #[serde(default)]
    waits_ms: i64,
    #[serde(default)]
    located: Option<Located>,
    #[serde(default)]
    placed_by: Option<Box<PlacedBy>>,
    #[serde(default)]
    declared_crs: Option<Crs>,
    quality: Quality,
    #[serde(default, deserialize_with = "crate::shared::optional")]
    town: Option<Name>,
    #[serde(default)]
    address_key: Option<Name>,
    #[serde(default, deserialize_with = "crate::shared::path")]
    cells: Arc<[CellRef]>,
    #[serde(default)]
    responsible: Option<Responsible>,
    #[serde(default)]
    other_cells: Vec<OtherCell>,
    #[serde(default)]
    also_affects: Vec<Name>,
    #[serde(default)]
    device: Option<Name>,
    #[serde(default)]
    component: Option<Name>,
    #[serde(default)]
    ticket: Option<Name>,
    #[serde(default)]
    cites: Option<Name>,
    #[serde(default, deserialize_with = "crate::event::bits::deserialize")]
    reporter: Option<u64>,
    #[serde(default, deserialize_with = "crate::event::bits::deserialize")]
    reporter_before: Option<u64>,
    #[serde(default)]
    measurement: Option<Measurement>,
    #[serde(default)]
    algorithm: Option<Name>,
    credibility: u8,
    #[serde(default)]
    facilities: Vec<Facility>,
    #[serde(default)]
    hints: Vec<Hint>,
    #[serde(default)]
    flags: Vec<Flag>,
    #[serde(default)]
    code_gb2013: Option<Name>,
    #[serde(default)]
    code_gb2026: Option<Name>,
}

impl From<ToldEvent> for Event {
    fn from(told: ToldEvent) -> Event {
        Event {
            key: EventKey {
                source_system: told.source_system,
                event_id: told.event_id,
            },
            source: told.source,
            channel: told.channel,
            kind: told.kind,
            alternatives: told.alternatives,
            group: told.group,
            signal: told.signal,
            event_time: told.event_time,
            reported_at: told.reported_at,
            ingested_at: told.ingested_at,
            waits_ms: told.waits_ms,
            located: told.located,
            placed_by: told.placed_by,
            declared_crs: told.declared_crs,
            quality: told.quality,
            town: told.town,
            address_key: told.address_key,
            cells: told.cells,
            responsible: told.responsible,
            other_cells: told.other_cells,
            also_affects: told.also_affects,
            device: told.device,
            component: told.component,
            ticket: told.ticket,
            cites: told.cites,
            reporter: told.reporter,
            reporter_before: told.reporter_before,
            measurement: told.measurement,
            algorithm: told.algorithm,
            credibility: told.credibility,
            facilities: told.facilities,
            hints: told.hints,
            flags: told.flags,
            code_gb2013: told.code_gb2013,
            code_gb2026: told.code_gb2026,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct ToldMember {
    #[serde(deserialize_with = "crate::shared::name")]
    source_system: Name,
    event_id: Name,
    channel: Channel,
    event_time: EventTime,
    #[serde(default)]
    distance_mm: Option<i64>,
    #[serde(default)]
    radius_mm: Option<i64>,
    gap_ms: i64,
    why: Why,
}

impl From<ToldMember> for Member {
    fn from(told: ToldMember) -> Member {
        Member {
            key: EventKey {
                source_system: told.source_system,
                event_id: told.event_id,
            },
            channel: told.channel,
            event_time: told.event_time,
            distance_mm: told.distance_mm,
            radius_mm: told.radius_mm,
            gap_ms: told.gap_ms,
            why: told.why,
        }
    }
}
