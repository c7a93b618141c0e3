//! An event in the making: what the sources' readings have in common is worked out here, once.

use city_model::{
    Channel, Event, EventKey, EventTime, Facility, Flag, Hint, Located, Measurement, Name, Signal, Source,
};
use wire_format::WireTime;

use crate::intake::Intake;
use crate::kinds::Reading;
use crate::place::Place;
use crate::privacy::Reporter;
use crate::verdict::Placed;
use crate::when::When;
use crate::{address, cells, facilities, inferred, waiting};

/// What a source's own reading found out. The texts are still personal; none of them gets into the event as it is.
pub(crate) struct Draft<'a> {
    pub(crate) key: EventKey,
    pub(crate) source: Source,
    pub(crate) channel: Channel,
    pub(crate) signal: Signal,
    pub(crate) reading: Reading,
    pub(crate) when: When,
    pub(crate) reported_at: Option<&'a WireTime<'a>>,
    pub(crate) ingested_at: EventTime,
    pub(crate) place: Place,
    pub(crate) town_code: Option<&'a str>,
    pub(crate) address: Option<&'a str>,
    pub(crate) device: Option<Name>,
    pub(crate) component: Option<Name>,
    pub(crate) ticket: Option<Name>,
    pub(crate) cites: Option<Name>,
    pub(crate) reporter_name: Option<&'a str>,
    pub(crate) reporter_phone: Option<&'a str>,
    pub(crate) measurement: Option<Measurement>,
    pub(crate) algorithm: Option<Name>,
    pub(crate) credibility: u8,
    pub(crate) hints: Vec<Hint>,
    pub(crate) flags: Vec<Flag>,
}

impl Draft<'_> {
    /// The event, and where each layer of the grid has it.
    pub(crate) fn finish(self, intake: &Intake) -> (Event, Vec<Placed>) {
        let rules = intake.rules();
        let reported = match (self.place.position, self.place.is_located()) {
            (Some(position), true) => Some(Located {
                position,
                u_mm: self.place.u_mm,
                quality: self.place.quality,
            }),
            _ => None,
        };
        let address_key = self.address.and_then(|text| {
            let reporter = Reporter::new(self.reporter_name, self.reporter_phone);
            address::key(text, reporter.as_ref())
        });
        let town_code = self.town_code.map(str::trim).filter(|code| !code.is_empty());
        // Late or not, an event belongs to the cells of its own day.
        let moment = self.when.event_time;
        let by_address = intake.placed(moment, reported.as_ref(), address_key.as_ref(), town_code);
        let (located, placed_by) = match by_address {
            Some((located, placed_by)) => (Some(located), Some(Box::new(placed_by))),
            None => (reported.clone(), None),
        };
        let grid = match (&located, self.place.position, town_code) {
            (Some(located), _, _) => cells::at(intake.layers(), moment, located.position, located.u_mm, true),
            // A point that is no place to compare does not outweigh a town that is stated.
            (None, Some(_), Some(code)) if cells::is_known(intake.layers(), moment, code) => {
                cells::of_town(intake.layers(), moment, code)
            }
            (None, Some(position), _) => cells::at(intake.layers(), moment, position, self.place.u_mm, false),
            (None, None, Some(code)) => cells::of_town(intake.layers(), moment, code),
            (None, None, None) => cells::GridPlace::default(),
        };
        let placed = if grid.statuses.is_empty() {
            vec![Placed::Unlocated; intake.layers().len()]
        } else {
            grid.statuses.iter().map(|status| Placed::from(*status)).collect()
        };
        let nearby = located
            .as_ref()
            .map(|located| facilities::near(&intake.registry().facilities, located.position))
            .unwrap_or_default();
        let mut kind = self.reading.kind;
        if nearby.in_underpass {
            kind = intake.in_underpass(kind);
        }
        let rule = rules.kind(kind);
        let mapped = self.reading.mapped.filter(|mapped| mapped.kind == kind);
        let (gb2013, gb2026, is_derived) = match mapped {
            Some(mapped) => (mapped.gb2013, mapped.gb2026, mapped.derived),
            None => (rule.gb2013.clone(), rule.gb2026.clone(), false),
        };
        let mut flags = self.flags;
        flags.extend(self.when.flags);
        flags.extend(grid.flags);
        if self.place.is_unusable {
            flags.push(Flag::LocationUnusable);
        }
        if self.reading.is_contradicted {
            flags.push(Flag::CategoryContradicted);
        }
        if is_derived {
            flags.push(Flag::CodeDerived);
        }
        let mut component = self.component;
        // What an address says is no evidence of one thing among its neighbours.
        if let (None, Some(located)) = (&component, &reported) {
            component = inferred::component(intake, kind, located);
            flags.extend(component.as_ref().map(|_| Flag::ComponentInferred));
        }
        let mut hints = self.hints;
        let mut facilities: Vec<Facility> = nearby.classes;
        sort_set(&mut flags);
        sort_set(&mut hints);
        sort_set(&mut facilities);
        let alternatives = self.reading.alternatives.iter().filter(|other| **other != kind);
        let alternatives = alternatives
            .map(|other| rules.kind(*other).name.clone())
            .collect();
        let waits_ms = waiting::waits_ms(
            rule,
            located.as_ref(),
            self.device.is_some(),
            self.cites.is_some(),
        );
        let event = Event {
            key: self.key,
            source: self.source,
            channel: self.channel,
            kind: rule.name.clone(),
            alternatives,
            group: rules.group(kind).clone(),
            signal: self.signal,
            event_time: self.when.event_time,
            reported_at: self.reported_at.and_then(|time| time.resolve(intake.timezone())),
            ingested_at: self.ingested_at,
            waits_ms,
            declared_crs: reported.as_ref().and(self.place.declared_crs),
            located,
            placed_by,
            quality: self.place.quality,
            town: grid.town.or_else(|| town_code.map(Name::from)),
            address_key,
            cells: grid.cells.into(),
            responsible: grid.responsible,
            other_cells: grid.other_cells,
            also_affects: grid.also_affects,
            device: self.device,
            component,
            ticket: self.ticket,
            cites: self.cites,
            reporter: self.reporter_phone.and_then(|phone| intake.keys().hash(phone)),
            reporter_before: self
                .reporter_phone
                .and_then(|phone| intake.keys().hash_before(phone)),
            measurement: self.measurement,
            algorithm: self.algorithm,
            credibility: self.credibility,
            facilities,
            hints,
            flags,
            code_gb2013: gb2013.map(Name::from),
            code_gb2026: gb2026.map(Name::from),
        };
        (event, placed)
    }
}

fn sort_set<T: Ord>(items: &mut Vec<T>) {
    items.sort_unstable();
    items.dedup();
}
