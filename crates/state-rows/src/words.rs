//! The names that rows are written with, each by its number.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// Of the words, so many are written as numbers; the rest is only read so. **Words are only ever appended**, and a version that
/// appends some leaves this number as it is: the version after it raises it. So of two versions side by side each reads what the
/// other wrote.
const WRITTEN: usize = WORDS.len() - 2;

/// The names of fields, of members of closed sets, and of what the built-in rules name; by their places. The first 128 take one byte.
#[rustfmt::skip]
pub const WORDS: &[&str] = &[
    "source_system", "event_id", "source", "outcome", "incident", "ingested_at", "ticket", "order", "held",
    "event", "why", "distance_mm", "radius_mm", "gap_ms", "put_event", "put_incident", "key", "rank",
    "channel", "kind", "group", "signal", "event_time", "reported_at", "located", "position", "lon_e9",
    "lat_e9", "u_mm", "quality", "town", "address_key", "cells", "layer", "level", "code", "name",
    "version", "confidence", "responsible", "unit", "border_mm", "also_affects", "device", "component",
    "cites", "reporter", "measurement", "metric", "milli", "algorithm", "credibility", "facilities",
    "hints", "flags", "id", "founding", "status", "revision", "dirty", "revised_at", "revised_in",
    "shown_in", "opened_at", "first_event_at", "last_event_at", "last_heard_at", "fused", "w", "wx", "wy",
    "extent", "min", "max", "x", "y", "best", "members", "member_count", "devices", "measures", "alarming",
    "components", "reporters", "callers", "unnamed", "witnesses", "peaks", "rush", "night", "sound",
    "all_suspect", "code_gb2013", "code_gb2026", "storm_id", "band", "previous", "changed_at", "because",
    "dispatch_by", "control_by", "handling", "returned_count", "algorithms", "related", "config_version",
    "tail", "base", "time_points", "also_at", "care", "limits_from", "other_cells", "weight",
    "alternatives", "sensor", "hotline", "video", "report", "opened", "joined", "continued", "OPEN", "near",
    "founded", "P1", "P2", "P3",
    // From here on a name takes two bytes.
    "P4", "COMPONENT", "GNSS", "DOOR", "INTERSECTION", "POI", "ROAD", "TOWN", "NONE", "clear", "duty",
    "district", "village", "duty_cell", "unit_cell", "cited_ticket", "same_component", "same_device",
    "same_address", "same_lane", "same_road", "operator", "elsewhere", "silence", "placed_by", "reported",
    "address", "declared_crs", "reporter_before", "named_after", "close_reason", "merged_into", "closed_at",
    "cleared_at", "inferred_components", "reporters_before", "lower_since", "pinned", "recurrence_of",
    "silences", "inhibited_by", "commanded", "place_of", "last_command", "acknowledged_at", "dispatched_at",
    "arrived_at", "resolved_at", "verified_at", "reworked_count", "rejected_count", "begun_at",
    "reopened_at", "extended_to", "overdue", "was_false", "dispatch", "control", "command_id", "action",
    "other", "events", "homes", "without", "of_handling", "CLOSED", "MERGED", "quiet", "cleared",
    "resolved", "closed", "false_alarm", "stale", "pending", "below_threshold", "duplicate_id",
    "not_actionable", "silenced", "late", "device_fault", "deadletter", "applied", "refused", "inspector",
    "app", "web", "petition", "media", "upstream", "police", "weather", "command", "school", "hospital",
    "nursing", "metro", "underpass", "arterial", "gas_site", "trapped", "conflict", "live_power",
    "blocks_road", "clock_future", "clock_unset", "zone_suspected", "backfill", "category_contradicted",
    "code_derived", "outside_grid", "snapped", "location_unusable", "suspect", "component_inferred",
    "activate", "clock", "flushed", "settled", "remove_incident", "forget_event", "count", "put_warning",
    "remove_warning", "put_silence", "remove_silence", "put_trust", "this", "earlier", "none", "judged",
    "false_alarms", "Consumed", "Outcome", "warning_id", "severity", "region_codes", "issued_at",
    "effective_at", "expires_at", "ISSUED", "CANCELLED", "BLUE", "YELLOW", "ORANGE", "RED", "silence_id",
    "kinds", "area", "rings", "starts_at", "ends_at", "reason", "created_by", "created_at", "city", "rules",
    "timezone", "origin", "reorder_ms", "max_late_ms", "sensors_max_late_ms", "partitions", "hold_idle",
    "grid", "acknowledge", "return", "arrive", "resolve", "verify", "extend", "close", "reopen", "merge",
    "split", "move", "undo", "pin_priority", "unpin_priority", "WGS84", "CGCS2000", "GCJ02", "BD09",
    "SH2000", "road_ponding", "underpass_flood", "manhole_missing", "sewage_overflow", "road_collapse",
    "road_damage", "gas_leak", "fire_smoke", "elec_hazard", "water_burst", "hydrant_fault", "tree_fallen",
    "falling_object", "cable_down", "power_outage", "traffic_signal", "street_light", "garbage_exposed",
    "bin_overflow", "rubble_pile", "muck_truck", "vendor", "shop_spill", "parking_motor", "parking_bike",
    "fire_lane_blocked", "ebike_charging", "crowd", "fight", "illegal_build", "noise", "dust", "fume",
    "odor_water", "ads_illegal", "billboard_risk", "elevator_trap", "bridge_anomaly", "elderly_alert",
    "facility_damage", "abandoned_vehicle", "begging", "hanging", "open_bbq", "illegal_taxi", "dead_animal",
    "livestock", "green_damage", "snow_ice", "road_works", "bank_damage", "site_disorder", "water_order",
    "person_down", "person_danger", "ponding_depth", "ch4", "cover_tilt", "crowd_density", "bridge_tilt",
    "waits_ms", "clear_told",
];

static NUMBERS: LazyLock<FxHashMap<&'static str, u16>> =
    LazyLock::new(|| WORDS[..WRITTEN].iter().copied().zip(0..).collect());

/// The number of a name; `None` where it is written as text.
pub(crate) fn number(name: &str) -> Option<usize> {
    NUMBERS.get(name).copied().map(usize::from)
}
