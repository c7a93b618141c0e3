//! What every worker of a process shares: rules, intake, and how groups lie on partitions.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use city_model::{Activation, Group, Name, Position, fingerprint, hex};
use city_rules::Rules;
use event_intake::Intake;
use wire_format::{Decoder, Topic};

/// What a setup is made of besides its layout.
pub struct SetupParts {
    /// The city's code (GB/T 2260).
    pub city: Name,
    /// The city's time zone.
    pub timezone: Name,
    /// The rules.
    pub rules: Arc<Rules>,
    /// Intake, with grid, registry and sources.
    pub intake: Intake,
    /// Reads records.
    pub decoder: Decoder,
    /// Where the local plane touches the earth.
    pub origin: Position,
    /// How long an event keeps its own place in time.
    pub reorder_ms: i64,
    /// How late a ticket or report may come.
    pub max_late_ms: i64,
    /// How late a reading may come.
    pub sensors_max_late_ms: i64,
    /// A partition at its end does not move the clock.
    pub hold_idle: bool,
}

/// The shared, read-only part of a process: its parts, and how groups lie on partitions.
pub struct Setup {
    parts: SetupParts,
    layout: BTreeMap<Group, u32>,
    partitions: u32,
}

impl Deref for Setup {
    type Target = SetupParts;

    fn deref(&self) -> &SetupParts {
        &self.parts
    }
}

impl Setup {
    /// Lays the groups on the partitions of the enriched log, of which there is at least one.
    pub fn new(parts: SetupParts, partitions: u32) -> Setup {
        let partitions = partitions.max(1);
        Setup {
            layout: parts.rules.layout(partitions),
            partitions,
            parts,
        }
    }

    /// The number of partitions of the enriched log.
    pub fn partitions(&self) -> i32 {
        self.partitions as i32
    }

    /// The partition of the enriched log that decides a group. A group that the rules do not know, as a command may name,
    /// goes to the first: there it is refused.
    pub fn partition_of(&self, group: &Group) -> i32 {
        self.layout.get(group).map_or(0, |partition| *partition as i32)
    }

    /// The layers of the grid with their versions.
    pub fn grid(&self) -> Vec<(Name, Name)> {
        let layers = self.intake.layers().iter();
        layers
            .map(|layer| (layer.name().clone(), layer.version()))
            .collect()
    }

    /// How groups lie on the partitions of the enriched log.
    pub fn layout(&self) -> &BTreeMap<Group, u32> {
        &self.layout
    }

    /// The activation of this configuration for a clock over these input partitions.
    pub fn activation(&self, inputs: &[Name]) -> Activation {
        let mut activation = Activation {
            version: Name::from(""),
            city: self.city.clone(),
            rules: self.rules.to_text().into(),
            timezone: self.timezone.clone(),
            origin: self.origin,
            reorder_ms: self.reorder_ms,
            max_late_ms: self.max_late_ms,
            sensors_max_late_ms: self.sensors_max_late_ms,
            partitions: inputs.to_vec(),
            hold_idle: self.hold_idle,
            grid: self.grid(),
        };
        // Serialising to memory cannot fail: the type holds text and numbers.
        let mut whole = serde_json::to_vec(&activation).unwrap_or_default();
        // A fitted plane moves positions as rules move decisions. Without one nothing is added: the version stays.
        whole.extend(self.intake.systems().to_bytes());
        activation.version = hex(&fingerprint(&whole)[..6]).into();
        activation
    }
}

/// The name of an input partition in ticks and activations.
pub fn input_partition_name(topic: Topic, partition: i32) -> Name {
    format!("{topic}-{partition}").into()
}
