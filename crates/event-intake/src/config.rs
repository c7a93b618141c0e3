//! What intake is told once: rules, grid, sources, registries, and the key that hides reporters.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_grid::crs::Systems;
use city_grid::{Crs, Timeline};
use city_registry::Registry;
use city_rules::Rules;
use jiff::tz::TimeZone;

/// What is configured for one source system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// The coordinate system of its locations that name none.
    pub crs: Crs,
    /// The standard or list that its codes belong to, where the record names none.
    pub code_system: Option<String>,
    /// A device's time that is off by the eight hours of the zone is mended, instead of flagged alone.
    pub fix_zone: bool,
}

/// All that intake is told once.
#[derive(Debug, Clone)]
pub struct IntakeConfig {
    /// What the city has decided.
    pub rules: Arc<Rules>,
    /// The grid's layers; the first owns incidents. An event gets the cells of its own time.
    pub layers: Vec<Timeline>,
    /// The source systems that are listed.
    pub sources: BTreeMap<String, SourceConfig>,
    /// For every other source system; without it those are unknown.
    pub default_source: Option<SourceConfig>,
    /// The coordinate systems as this city has them.
    pub systems: Systems,
    /// Devices, components, facilities, addresses.
    pub registry: Arc<Registry>,
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
    pub fn new(rules: Arc<Rules>, layers: Vec<Timeline>, timezone: TimeZone) -> IntakeConfig {
        IntakeConfig {
            rules,
            layers,
            sources: BTreeMap::new(),
            default_source: Some(SourceConfig {
                crs: Crs::Wgs84,
                code_system: None,
                fix_zone: false,
            }),
            systems: Systems::default(),
            registry: Arc::default(),
            timezone,
            reporter_key: Vec::new(),
            previous_reporter_key: None,
            max_late_ms: 24 * city_model::HOUR_MS,
            sensors_max_late_ms: 72 * city_model::HOUR_MS,
            bbox_margin_m: 50_000.0,
        }
    }
}
