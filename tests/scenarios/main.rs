//! The fifteen acceptance scenarios of the domain, each through the whole program: records in, incidents out.
//!
//! | scenario | tried by |
//! |---|---|
//! | 1 ponding told by three sources escalates and clears | `one_trouble::ponding_told_by_three_sources_…` |
//! | 2 two manholes 25 m apart | `one_trouble::two_manholes_…`, `one_trouble::callers_alone_…` |
//! | 3 ponding on a border | `places::eight_metres_from_the_border_…` |
//! | 4 one point in four coordinate systems | `places::one_point_in_four_systems_…`, `places::a_wrongly_declared_system_…` |
//! | 5 the same address in two spellings, without coordinates | `one_trouble::an_address_in_two_spellings_…` |
//! | 6 garbage on five days | `in_time::garbage_of_five_days_…` |
//! | 7 a camera that repeats itself for two hours | `a_camera_that_repeats_itself_for_two_hours_is_one_event` in `tests/devices.rs` |
//! | 8 smoke at two in the morning | `in_time::smoke_at_night_…` |
//! | 9 wrong clocks | `wrong_clocks_are_flagged_told_and_move_nothing` in `tests/devices.rs` |
//! | 10 an orange warning for one district | `places::a_warning_weighs_…` |
//! | 11 one day over 1, 3 and 12 partitions; the same bytes again | `partitions::a_day_over_…`; `a_second_run_is_the_same_…` in `tests/replay.rs` |
//! | 12 "0401" in two standards | `places::a_code_means_what_its_standard_says` |
//! | 13 another grid while incidents are open | `a_new_grid_comes_into_force_without_a_pause_…` in `tests/reload_kafka.rs` |
//! | 14 no phone number in anything that is written | `no_person_is_in_anything_that_is_written` in `tests/laws.rs`; headers and logs in `tests/privacy_kafka.rs` |
//! | 15 a ticket that urges another on | `one_trouble::a_ticket_that_urges_…` |
#![allow(clippy::unwrap_used)]

#[path = "../city/mod.rs"]
mod city;

mod stage;

mod in_time;
mod one_trouble;
mod partitions;
mod places;
