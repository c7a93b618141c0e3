//! The whole pipeline over files, from bytes to incidents: records per second on one core, for both scenarios.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::sync::Arc;

use city_simulator::Scenario;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use file_log::ReplayOptions;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS: usize = 50_000;

fn replay(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pipeline over files");
    group.sample_size(10);
    group.throughput(Throughput::Elements(RECORDS as u64));
    for scenario in [Scenario::Normal, Scenario::Typhoon] {
        let input = tempfile::tempdir().unwrap();
        let output = tempfile::tempdir().unwrap();
        cityops::commands::simulate_into(input.path(), scenario, 5, RECORDS).unwrap();
        let loaded = cityops::config::Loaded::read(&input.path().join("cityops.toml")).unwrap();
        let setup = Arc::new(cityops::assemble::setup(&loaded, 1).unwrap());
        group.bench_function(scenario.name(), |bench| {
            bench.iter(|| {
                let options = ReplayOptions::default();
                let ledger = file_log::replay(setup.clone(), input.path(), output.path(), options).unwrap();
                assert_eq!((ledger.consumed, ledger.unaccounted), (RECORDS as i64, 0));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
