//! Processes, network and brokers fail in every way that is listed; then nothing is lost and nothing doubled.
//!
//! A short run on one broker by default. `CITYOPS_FAULTS=200` makes it a long one with 200 faults on three brokers;
//! `CITYOPS_FAULTS_MINUTES=20` ends that after so many minutes and judges what was done, and `CITYOPS_FAULTS_PATIENCE=600` waits so
//! many seconds, instead of 180, for anything on a machine that has much else to do.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests"
)]

mod acting;
mod beside;
#[path = "../city/mod.rs"]
mod city;
mod cluster;
mod cutting;
mod faults;
mod feed;
mod processes;
mod stage;
mod verdict;

use std::sync::{Mutex, PoisonError};

use city_simulator::Scenario;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use faults::Fault;
use processes::Build;
use stage::{Script, Stage, say};

/// One run at a time: brokers and processes of two would only wait for each other.
static ALONE: Mutex<()> = Mutex::new(());

/// Records of the short run, and of the long one for each fault.
const RECORDS: usize = 2_600;
const RECORDS_PER_FAULT: usize = 120;

#[test]
fn whatever_fails_nothing_is_lost_and_nothing_doubled() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = city::seed();
    let asked = std::env::var("CITYOPS_FAULTS").ok();
    let count = asked.map(|count| count.parse().expect("CITYOPS_FAULTS is a number"));
    let script = Script {
        scenario: Scenario::Typhoon,
        seed,
        records: count.map_or(RECORDS, |count: usize| count * RECORDS_PER_FAULT),
        brokers: if count.is_some() { 3 } else { 1 },
        processes: if count.is_some() { 3 } else { 2 },
        build: Build::AsItIs,
        lonely: false,
        warned: false,
    };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut stage = Stage::start(script);
    let plan = match count {
        Some(count) => faults::long(&mut random, count, |fault| stage.can(fault)),
        None => faults::short(&mut random),
    };
    stage.suffer(&plan);
    let complaints = stage.judge();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    say("nothing was lost and nothing doubled");
}

/// With weather warnings and announced works, which reach every partition and hold back, show and cause incidents.
#[test]
fn what_is_warned_of_and_announced_is_not_lost_either() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = city::seed();
    let mut stage = Stage::start(Script {
        scenario: Scenario::Typhoon,
        seed,
        records: 1_200,
        brokers: 1,
        processes: 2,
        build: Build::AsItIs,
        lonely: false,
        warned: true,
    });
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let plan = faults::short(&mut random);
    stage.suffer(&plan[..5]);
    let complaints = stage.judge();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The same checks must find it when a position is committed outside its transaction.
#[test]
fn a_position_beside_its_transaction_is_found() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = city::seed();
    let mut stage = Stage::start(Script {
        scenario: Scenario::Typhoon,
        seed,
        records: 600,
        brokers: 1,
        processes: 1,
        build: Build::BrokenOnPurpose,
        lonely: false,
        warned: false,
    });
    stage.suffer(&[Fault::KillBeforePosition; 3]);
    let complaints = stage.judge();
    say(&complaints.join("\n"));
    assert!(
        complaints.iter().any(|it| it.contains("records were sent")),
        "nobody noticed: {complaints:?}"
    );
}

/// A partition that nobody leads is not read until somebody does; nothing else waits for it, whoever starts or ends meanwhile.
#[test]
fn a_partition_without_a_leader_holds_up_nothing_else() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stage = Stage::start(Script {
        scenario: Scenario::Typhoon,
        seed: city::seed(),
        records: 1_200,
        brokers: 3,
        processes: 2,
        build: Build::AsItIs,
        lonely: true,
        warned: false,
    });
    stage.feed.send(300);
    stage.wait_for_all("all brokers are there");
    stage.cluster.kill(2);
    stage.feed.send(300);
    stage.wait_for_all("what has leaders is read");
    stage.apply(Fault::Kill, 300);
    stage.wait_for_all("others take over and start");
    stage.cluster.restart(2);
    stage.suffer(&[]);
    let complaints = stage.judge();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
