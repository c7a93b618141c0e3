//! What intake is told once: rules, grid, sources, registries, and the key that hides reporters.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_grid::{Crs, Layer};
use city_model::{Facility, Name, Position};
use city_rules::Rules;
use jiff::tz::TimeZone;

/// What is configured for one source system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// The coordinate system of its locations that name none.
    pub crs: Crs,
    /// The standard or list that its codes belong to, where the record names none.
    pub code_system: Option<String>,
}

/// A device with a surveyed place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub device_id: Name,
    /// Where it stands.
    pub position: Position,
    /// One sigma in millimetres; 5 m where nothing is known.
    pub u_mm: Option<i64>,
    /// The component that it watches.
    pub component_id: Option<Name>,
}

/// A component (部件) of the city's inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its id.
    pub component_id: Name,
    /// Its class.
    pub class: Name,
    /// Where it is.
    pub position: Position,
    /// One sigma in millimetres; 5 m where nothing is known.
    pub u_mm: Option<i64>,
}

/// A facility whose neighbourhood matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacilityPlace {
    /// Its id.
    pub facility_id: Name,
    /// What it is.
    pub class: Facility,
    /// Its name.
    pub name: Name,
    /// Where it is.
    pub position: Position,
}

/// What the city knows about its things.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// Devices and cameras.
    pub devices: Vec<Device>,
    /// Components.
    pub components: Vec<Component>,
    /// Facilities.
    pub facilities: Vec<FacilityPlace>,
}

/// All that intake is told once.
#[derive(Debug, Clone)]
pub struct IntakeConfig {
    /// What the city has decided.
    pub rules: Arc<Rules>,
    /// The grid's layers; the first owns incidents.
    pub layers: Vec<Arc<Layer>>,
    /// The source systems that are listed.
    pub sources: BTreeMap<String, SourceConfig>,
    /// For every other source system; without it those are unknown.
    pub default_source: Option<SourceConfig>,
    /// Devices, components, facilities.
    pub registry: Registry,
    /// The city's time zone, for times without one.
    pub timezone: TimeZone,
    /// The key under which reporters are hashed.
    pub reporter_key: Vec<u8>,
    /// The key before it, while events of both are about.
    pub previous_reporter_key: Option<Vec<u8>>,
    /// How late a ticket or report may come before it counts as a backfill, in milliseconds.
    pub max_late_ms: i64,
    /// The same for readings and alerts.
    pub sensors_max_late_ms: i64,
    /// How far outside the first layer's box coordinates may lie, in metres; CONTRACT 3 says 50 km.
    pub bbox_margin_m: f64,
}

impl IntakeConfig {
    /// The contract's defaults around these rules and layers: every source known, in WGS84.
    pub fn new(rules: Arc<Rules>, layers: Vec<Arc<Layer>>, timezone: TimeZone) -> IntakeConfig {
        IntakeConfig {
            rules,
            layers,
            sources: BTreeMap::new(),
            default_source: Some(SourceConfig {
                crs: Crs::Wgs84,
                code_system: None,
            }),
            registry: Registry::default(),
            timezone,
            reporter_key: Vec::new(),
            previous_reporter_key: None,
            max_late_ms: 24 * city_model::HOUR_MS,
            sensors_max_late_ms: 72 * city_model::HOUR_MS,
            bbox_margin_m: 50_000.0,
        }
    }
}
