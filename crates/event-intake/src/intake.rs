//! The entrance: one record, the partition's memory and the append time in, one verdict out.

use std::sync::Arc;

use city_grid::crs::Systems;
use city_grid::{Bounds, Crs, Frame, Timeline};
use city_model::{DeadLetterReason, EventKey, EventTime, Name, Position, Source};
use city_registry::{Component, Device, Registry};
use city_rules::{KindId, Rules};
use jiff::tz::TimeZone;
use wire_format::{Record, Refusal};

use crate::config::{IntakeConfig, SourceConfig};
use crate::covered::Covered;
use crate::inferred::ClassNames;
use crate::place::Place;
use crate::privacy::{PrivacyKeys, is_incident_of_ours};
use crate::{ClockSeen, Decision, IntakeState, Verdict};

/// Judges records. It holds only what it was told at the start, so every thread may share it.
#[derive(Debug, Clone)]
pub struct Intake {
    config: IntakeConfig,
    class_names: ClassNames,
    covered: Covered,
    bounds: Option<Bounds>,
    keys: PrivacyKeys,
    /// Ponding, and what it is at an underpass.
    underpass: Option<(KindId, KindId)>,
}

impl Intake {
    /// An intake of this configuration.
    pub fn new(mut config: IntakeConfig) -> Intake {
        let keys = PrivacyKeys::new(&config.reporter_key, config.previous_reporter_key.as_deref());
        // What is known by a name that must not be seen is looked for by what stands for it.
        config.sources = std::mem::take(&mut config.sources)
            .into_iter()
            .map(|(name, source)| {
                (
                    keys.cover_event(&name).map_or(name, |shown| shown.to_string()),
                    source,
                )
            })
            .collect();
        let bounds = config
            .layers
            .first()
            .map(|layer| Bounds::around(layer.bbox(), config.bbox_margin_m));
        let ponding = config
            .rules
            .kind_id("road_ponding")
            .zip(config.rules.kind_id("underpass_flood"));
        Intake {
            class_names: ClassNames::new(&config.rules, &config.registry.components),
            covered: Covered::new(&config.registry, &keys),
            bounds,
            keys,
            underpass: ponding,
            config,
        }
    }

    /// What becomes of a record that was appended at `ingested_at`. The rows of the verdict are to be applied to `state`.
    pub fn judge(&self, state: &IntakeState, record: &Record, ingested_at: EventTime) -> Verdict {
        let is_group = |group: &str| {
            self.rules()
                .groups()
                .iter()
                .any(|(known, _)| known.as_str() == group)
        };
        let is_place = |code: &str| self.layers().iter().any(|layer| layer.knows(code));
        let record = &*self
            .keys
            .cover_record(record, |id| is_incident_of_ours(id, is_group), is_place);
        let judged = match record {
            Record::Sensor(reading) => self.sensor(state, reading, ingested_at),
            Record::Hotline(ticket) => self.hotline(state, ticket, ingested_at),
            Record::Video(alert) => self.video(state, alert, ingested_at),
            Record::Report(report) => self.report(report, ingested_at),
            Record::Weather(warning) => self.warning(warning),
            Record::Silence(silence) => self.silence(silence),
            Record::Command(command) => self.command(command),
        };
        let mut verdict = judged.unwrap_or_else(|refusal| Verdict::from(refusal.of(record.key())));
        if let (None, Decision::Event(event)) = (verdict.clock, &verdict.result) {
            verdict.clock = Some(ClockSeen::of(event));
        }
        verdict
    }

    /// The identity of a refused record as it may be published: what is personal in it is covered, as in an event's.
    pub fn public_identity(&self, source: Source, key: EventKey) -> EventKey {
        self.keys.cover_key(source, key)
    }

    /// The identity of a record that was read, as it may be published: its own reporter is known, too.
    pub fn published_key(&self, record: &Record) -> Option<EventKey> {
        self.keys.cover_record(record, |_| true, |_| true).key()
    }

    /// The same intake under other rules.
    pub fn with_rules(mut self, rules: Arc<Rules>) -> Intake {
        self.underpass = rules
            .kind_id("road_ponding")
            .zip(rules.kind_id("underpass_flood"));
        self.class_names = ClassNames::new(&rules, &self.config.registry.components);
        self.config.rules = rules;
        self
    }

    /// Where a device, camera or component of the registry stands.
    pub fn surveyed(&self, id: &str) -> Option<Position> {
        let hidden = self.keys.cover(id);
        let id = hidden.as_deref().unwrap_or(id);
        let device = self.device(id).and_then(|device| device.position);
        device.or_else(|| self.component(id).map(|component| component.position()))
    }

    /// The rules in force.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.config.rules
    }

    /// The grid's layers.
    pub fn layers(&self) -> &[Timeline] {
        &self.config.layers
    }

    pub(crate) fn config(&self) -> &IntakeConfig {
        &self.config
    }

    pub(crate) fn timezone(&self) -> &TimeZone {
        &self.config.timezone
    }

    /// The coordinate systems as this city has them.
    pub fn systems(&self) -> &Systems {
        &self.config.systems
    }

    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame {
            systems: &self.config.systems,
            bounds: self.bounds.as_ref(),
        }
    }

    /// What stands where.
    pub fn registry(&self) -> &Registry {
        &self.config.registry
    }

    /// The rules' class that a class of the registry's components stands for: by its name, or as a national code of a
    /// kind that has one.
    pub fn component_class(&self, listed: &str) -> Option<&str> {
        self.class_names.meant_by(listed)
    }

    pub(crate) fn class_names(&self) -> &ClassNames {
        &self.class_names
    }

    pub(crate) fn keys(&self) -> &PrivacyKeys {
        &self.keys
    }

    /// What is configured for a source system.
    pub(crate) fn source(&self, system: &str) -> Result<&SourceConfig, Refusal> {
        let source = self
            .config
            .sources
            .get(system)
            .or(self.config.default_source.as_ref());
        source.ok_or_else(|| Refusal::new(DeadLetterReason::UnknownSource, "source_system: not configured"))
    }

    /// The coordinate system that is configured for a source system; `None` for one that is unknown.
    pub fn declared(&self, system: &str) -> Option<Crs> {
        self.source(system).ok().map(|source| source.crs)
    }

    /// The source systems that the configuration lists.
    pub fn listed(&self) -> impl Iterator<Item = Name> {
        self.config.sources.keys().map(|name| Name::from(name.as_str()))
    }

    /// Whether the configuration lists a source system.
    pub fn lists(&self, system: &str) -> bool {
        self.config.sources.contains_key(system)
    }

    pub(crate) fn device(&self, id: &str) -> Option<&Device> {
        let covered = self.covered.device(id);
        covered.or_else(|| self.config.registry.devices.get(id))
    }

    pub(crate) fn component(&self, id: &str) -> Option<Component<'_>> {
        self.config.registry.components.get(self.covered.listed(id))
    }

    /// The surveyed place of a component.
    pub(crate) fn component_place(&self, id: Option<&str>) -> Option<Place> {
        let component = self.component(id?)?;
        Some(Place::surveyed(component.position(), component.u_mm()))
    }

    /// The kind of a report inside an underpass's reach: a ponding there is the underpass's flood (DOMAIN 2.8).
    pub(crate) fn in_underpass(&self, kind: KindId) -> KindId {
        match self.underpass {
            Some((ponding, flood)) if kind == ponding => flood,
            _ => kind,
        }
    }
}

/// A record's identity as the events carry it.
pub(crate) fn key(source_system: &str, event_id: &str) -> EventKey {
    EventKey::new(source_system, event_id)
}

/// An optional identifier; an empty one is none.
pub(crate) fn name(text: Option<&str>) -> Option<Name> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(Name::from)
}
