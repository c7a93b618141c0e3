//! The parts of the program that `peers` runs. Cargo builds an example to be run or to be tested, not both, so they are tested here.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    reason = "tests of a program's parts"
)]

#[path = "../../../benches/peers/main.rs"]
mod program;
