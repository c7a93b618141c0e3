//! Records that say where a thing is that the registry has surveyed: what a source's coordinates can be held against. It
//! decides nothing about the record.

use std::hash::{Hash, Hasher};

use city_grid::Crs;
use city_grid::suspicion::{Comparison, Witness};
use city_model::{Event, Name, Position};
use rustc_hash::FxHasher;
use wire_format::{Record, WireLocation};

use crate::intake::Intake;
use crate::place::system_of;

/// How far a source's word of a surveyed thing may be from it, in millimetres: a phone in a street canyon with a tail, a
/// target in front of its camera. Far less than any offset.
const TOLERANCE_MM: i64 = 120_000;

/// A record's own location of a surveyed thing, not yet converted.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    system: &'a str,
    location: &'a WireLocation<'a>,
    crs: Crs,
    reference: Position,
    /// The source system and the thing: what is compared once until it moves.
    pub place: u64,
}

impl Claim<'_> {
    /// Changes when the source says something else about the place.
    pub fn said(&self) -> u64 {
        let (x, y) = (self.location.x.to_bits(), self.location.y.to_bits());
        hash(&(x, y, self.location.crs.as_deref()))
    }
}

impl Intake {
    /// What a record says of a surveyed device's or component's place; `None` when it says nothing of one.
    pub fn claim<'a>(&self, record: &'a Record<'_>) -> Option<Claim<'a>> {
        let (system, thing, location, reference) = match record {
            Record::Sensor(reading) => {
                let location = reading.location.as_ref()?;
                let (thing, reference) = match self.device_position(&reading.device_id) {
                    Some(position) => (reading.device_id.as_str(), position),
                    None => self.surveyed_component(reading.component_id.as_deref())?,
                };
                (&reading.source_system, thing, location, reference)
            }
            Record::Video(alert) => {
                let registered = self.device_position(&alert.camera_id);
                let (thing, location, reference) = match (&alert.location, registered) {
                    (Some(pole), Some(position)) => (alert.camera_id.as_str(), pole, position),
                    _ => {
                        let (thing, position) = self.surveyed_component(alert.component_id.as_deref())?;
                        (thing, alert.target_location.as_ref()?, position)
                    }
                };
                (&alert.source_system, thing, location, reference)
            }
            Record::Report(report) => {
                let location = report.location.as_ref()?;
                let (thing, reference) = self.surveyed_component(report.component_id.as_deref())?;
                (&report.source_system, thing, location, reference)
            }
            Record::Hotline(_) | Record::Weather(_) | Record::Silence(_) | Record::Command(_) => return None,
        };
        Some(Claim {
            system,
            location,
            crs: self.source(system).ok()?.crs,
            reference,
            place: hash(&(system, thing)),
        })
    }

    /// The claim held against the registry; `None` when it is no place.
    pub fn compare(&self, claim: &Claim<'_>) -> Option<Comparison> {
        let location = claim.location;
        if location.x == 0.0 && location.y == 0.0 {
            return None;
        }
        let declared = system_of("location", location, claim.crs).ok()?;
        let (lon, lat) = self.systems().to_wgs84(declared, location.x, location.y)?;
        Some(Comparison {
            system: Name::from(claim.system),
            declared,
            position: Position::from_degrees(lon, lat)?,
            references: vec![claim.reference],
            tolerance_mm: TOLERANCE_MM,
            witness: Witness::Registry,
            place: claim.place,
        })
    }

    /// Whether an event's place is a surveyed one, to the digit: then it came from the registry, not from the source, and
    /// says nothing about the source's coordinates.
    pub fn is_surveyed(&self, event: &Event) -> bool {
        let Some(located) = event.reported() else {
            return false;
        };
        let device = event.device.as_deref().and_then(|id| self.device_position(id));
        let component = event.component.as_deref().and_then(|id| self.component(id));
        device == Some(located.position)
            || component.is_some_and(|component| component.position() == located.position)
    }

    fn device_position(&self, id: &str) -> Option<Position> {
        self.device(id)?.position
    }

    fn surveyed_component<'a>(&self, id: Option<&'a str>) -> Option<(&'a str, Position)> {
        let id = id?.trim();
        Some((id, self.component(id)?.position()))
    }
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    what.hash(&mut hasher);
    hasher.finish()
}
