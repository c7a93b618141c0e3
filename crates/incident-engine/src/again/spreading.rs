//! Which events a changed incident may be held against: they have their turns again.

use std::sync::Arc;

use city_model::{Incident, IncidentId, Name, Point, Turn};
use city_rules::KindId;

use super::Retelling;
use crate::scene::Mark;
use crate::street;

impl Retelling<'_> {
    /// What lies within reach of an incident whose members lie in a box may be held against it.
    pub(super) fn spread(&mut self, id: &IncidentId, kind: KindId, (min, max): (Point, Point)) {
        let known = self.regions.get(&(id.clone(), kind)).copied();
        let within = |(a, b): (Point, Point)| a.x <= min.x && a.y <= min.y && b.x >= max.x && b.y >= max.y;
        if known.is_some_and(within) {
            return;
        }
        let (low, high) = known.unwrap_or((min, max));
        let region = (
            Point {
                x: low.x.min(min.x),
                y: low.y.min(min.y),
            },
            Point {
                x: high.x.max(max.x),
                y: high.y.max(max.y),
            },
        );
        self.regions.insert((id.clone(), kind), region);
        let mut turns = Vec::new();
        self.engine
            .unsettled
            .around(&self.setting.rules, kind, region, |turn| {
                if *turn > self.turn {
                    turns.push(turn.clone());
                }
            });
        turns.iter().for_each(|turn| self.enqueue(turn));
    }

    pub(super) fn spread_device(&mut self, device: &Name) {
        let engine = self.engine;
        let bearing = engine.ids_bearing(Mark::Device(device));
        let tails = bearing.filter_map(|id| Some(&engine.incidents.get(id)?.tail));
        let says = |turn: &&Turn| {
            let held = engine.held(&turn.key);
            held.is_some_and(|held| held.event.device.as_ref() == Some(device))
        };
        tails.flatten().filter(says).for_each(|turn| self.enqueue(turn));
    }

    pub(super) fn spread_component(&mut self, component: &Name) {
        let turns: Vec<Turn> = self.engine.unsettled.of_component(component).cloned().collect();
        turns.iter().for_each(|turn| self.enqueue(turn));
    }

    /// Events without a place may be held against an incident by its streets; those with one only if it has none, which it
    /// had at no time unless a member gave it its own address.
    pub(super) fn spread_address(&mut self, incident: &Incident, town: &Name, address: &Name) {
        let (engine, setting) = (self.engine, self.setting);
        let Some((kind, _)) = setting.kind_of(incident) else {
            return;
        };
        for name in street::names(address).map(Name::from) {
            for is_placed in [false, true] {
                if is_placed && incident.address_key.is_none() {
                    continue;
                }
                let turns = engine
                    .unsettled
                    .at_street(&setting.rules, kind, (town, &name), is_placed);
                turns.for_each(|turn| self.enqueue(turn));
            }
        }
    }

    /// An event has its turn again, unless it is past, settled, or the centre gave a command about its incident.
    pub(super) fn enqueue(&mut self, turn: &Turn) {
        let id = self
            .engine
            .events
            .get(&turn.key)
            .and_then(|row| row.incident.as_ref());
        let incident = id.and_then(|id| self.engine.incidents.get(id));
        let may_move =
            |incident: &Arc<Incident>| !incident.commanded && incident.tail.binary_search(turn).is_ok();
        if *turn > self.turn && incident.is_some_and(may_move) {
            self.queue.insert(turn.clone());
        }
    }
}
