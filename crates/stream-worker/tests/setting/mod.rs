//! A city for enrich to judge by: the built-in grid, one partition, nothing reordered.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

use std::sync::Arc;

use city_grid::Timeline;
use city_model::Position;
use city_rules::Rules;
use event_intake::{Intake, IntakeConfig};
use jiff::tz::TimeZone;
use stream_worker::{Setup, SetupParts};
use wire_format::{Decoder, SchemaStore};

/// When the records of these tests come, in epoch milliseconds.
pub const NOW: i64 = 1_788_739_199_123;

/// What intake judges by, with the built-in grid.
pub fn intake(rules: Rules) -> IntakeConfig {
    let layers: Vec<Timeline> = vec![city_grid::builtin().into()];
    IntakeConfig::new(Arc::new(rules), layers, TimeZone::UTC)
}

/// A setup of it.
pub fn setup(intake: IntakeConfig) -> Arc<Setup> {
    let parts = SetupParts {
        city: "310117".into(),
        timezone: "Asia/Shanghai".into(),
        rules: intake.rules.clone(),
        intake: Intake::new(intake),
        decoder: Decoder::new(SchemaStore::builtin().unwrap()),
        origin: Position::from_degrees(121.22, 31.03).unwrap(),
        reorder_ms: 0,
        max_late_ms: 86_400_000,
        sensors_max_late_ms: 86_400_000,
        hold_idle: false,
    };
    Arc::new(Setup::new(parts, 1))
}
