//! What the centre's word about incidents teaches of their witnesses: a device or a video algorithm whose incidents keep turning out
//! to be false alarms is believed less, and more again once they do not.
//!
//! The counts are rows of state. They move the points of a witness when an incident is judged, not what was told.

use city_model::{Channel, Incident, Name};

use crate::draft::Draft;
use crate::engine::Engine;
use crate::{Change, Setting, Trust, Witness};

/// What is believed of a channel's word about an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Belief {
    pub(crate) channel: Channel,
    /// Points more or fewer.
    pub(crate) points: i32,
    /// Of the witness that decided it.
    pub(crate) trust: Trust,
}

impl Engine {
    /// How often the centre judged what a witness told.
    pub fn trust_of(&self, witness: &Witness) -> Trust {
        self.trust.get(witness).copied().unwrap_or_default()
    }

    /// What feedback makes of the word of sensors, and of that of cameras with their algorithms. The best of several devices
    /// counts, so that one more never lowers it; of camera and algorithm the worse.
    pub(crate) fn beliefs(&self, setting: &Setting, incident: &Incident) -> Vec<Belief> {
        if self.trust.is_empty() {
            return Vec::new();
        }
        let best = |channel: Channel, witnesses: &mut dyn Iterator<Item = Witness>| {
            let rules = &setting.rules.priority().trust;
            let weighed = witnesses.map(|witness| {
                let trust = self.trust_of(&witness);
                Belief {
                    channel,
                    points: rules.adjustment(trust.judged, trust.false_alarms),
                    trust,
                }
            });
            weighed.max_by_key(|belief| belief.points)
        };
        let devices = |measures: bool| {
            let own = incident
                .devices
                .as_slice()
                .iter()
                .filter(move |(_, watcher)| watcher.measures == measures);
            own.map(|(device, _)| Witness::Device(device.clone()))
        };
        let sensor = best(Channel::Sensor, &mut devices(true));
        let camera = best(Channel::Video, &mut devices(false));
        let mut algorithms = incident
            .algorithms
            .iter()
            .map(|name| Witness::Algorithm(name.clone()));
        let algorithm = best(Channel::Video, &mut algorithms);
        let video = camera
            .into_iter()
            .chain(algorithm)
            .min_by_key(|belief| belief.points);
        let beliefs = sensor.into_iter().chain(video);
        beliefs.filter(|belief| belief.points != 0).collect()
    }

    /// Counts what the centre's word makes of an incident's witnesses, in the place of what was counted for it before.
    pub(crate) fn learn(
        &self,
        draft: &mut Draft<'_>,
        incident: &Incident,
        before: Option<bool>,
        now: Option<bool>,
    ) {
        if before == now {
            return;
        }
        let rules = &draft.setting().rules.priority().trust;
        for witness in witnesses(incident) {
            let mut trust = self.trust_of(&witness);
            if let Some(was_false) = before {
                trust.judged = trust.judged.saturating_sub(1);
                trust.false_alarms = trust
                    .false_alarms
                    .saturating_sub(u32::from(was_false))
                    .min(trust.judged);
            }
            if let Some(is_false) = now {
                let (judged, false_alarms) = rules.counted(trust.judged, trust.false_alarms, is_false);
                trust = Trust { judged, false_alarms };
            }
            draft.change(Change::PutTrust(witness, trust));
        }
    }
}

/// Those that can be judged: an unnamed algorithm is nobody.
fn witnesses(incident: &Incident) -> impl Iterator<Item = Witness> + '_ {
    let devices = incident
        .devices
        .keys()
        .map(|name: &Name| Witness::Device(name.clone()));
    let named = incident.algorithms.iter().filter(|name| !name.is_empty());
    devices.chain(named.map(|name| Witness::Algorithm(name.clone())))
}
