//! What an activation means once it is read: rules, calendar and plane.

use std::fmt;
use std::sync::Arc;

use city_model::{Activation, Event, Incident, Plane, Source};
use city_rules::{Calendar, KindId, KindRule, Rules};

/// The rules that hold, ready for use.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The activation that they came by.
    pub activation: Arc<Activation>,
    /// The rules.
    pub rules: Arc<Rules>,
    /// The city's calendar.
    pub calendar: Arc<Calendar>,
    /// The city's plane.
    pub plane: Plane,
}

/// An activation whose rules cannot be read.
#[derive(Debug)]
pub struct SettingError(String);

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unreadable activation: {}", self.0)
    }
}

impl std::error::Error for SettingError {}

impl Setting {
    /// Reads an activation.
    pub fn read(activation: &Arc<Activation>) -> Result<Setting, SettingError> {
        let rules = Rules::from_text(&activation.rules).map_err(|error| SettingError(error.to_string()))?;
        Setting::with_rules(activation.clone(), Arc::new(rules))
    }

    /// The setting of an activation whose rules were read already.
    pub fn with_rules(activation: Arc<Activation>, rules: Arc<Rules>) -> Result<Setting, SettingError> {
        let calendar =
            Calendar::new(&rules, &activation.timezone).map_err(|error| SettingError(error.to_string()))?;
        Ok(Setting {
            plane: Plane::at(activation.origin),
            activation,
            rules,
            calendar: Arc::new(calendar),
        })
    }

    /// The kind of an incident and its rules; `None` when these rules do not know it.
    pub(crate) fn kind_of(&self, incident: &Incident) -> Option<(KindId, &KindRule)> {
        let id = self.rules.kind_id(incident.kind.as_str())?;
        Some((id, self.rules.kind(id)))
    }

    /// Whether an event came later than its source may. It follows from the record alone.
    pub fn is_late(&self, event: &Event) -> bool {
        let limit = match event.source {
            Source::Sensor | Source::Video => self.activation.sensors_max_late_ms,
            _ => self.activation.max_late_ms,
        };
        event.ingested_at - event.event_time > limit
    }
}
