//! What one decision costs with many incidents open: events that join, events that open, and the ticks between.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::sync::Arc;

use city_model::{Activation, Input, Tick};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use file_log::{INPUT_FILES, enriched_inputs};
use incident_engine::{Engine, Setting};

#[path = "measured/cpu_time.rs"]
mod cpu_time;
#[path = "restore/shifted.rs"]
mod shifted;
use cpu_time::CpuTime;
use shifted::shifted;

/// The enriched inputs of a simulated storm, and the activation that they are decided under.
fn storm(events: usize) -> (Setting, Vec<Input>) {
    let dir = tempfile::tempdir().unwrap();
    cityops::commands::simulate_into(dir.path(), city_simulator::Scenario::Typhoon, 3, events).unwrap();
    assert!(INPUT_FILES.iter().all(|(_, name)| dir.path().join(name).exists()));
    let loaded = cityops::config::Loaded::read(&dir.path().join("cityops.toml")).unwrap();
    let setup = Arc::new(cityops::assemble::setup(&loaded, 1).unwrap());
    let activation: Arc<Activation> = Arc::new(setup.activation(&["replay".into()]));
    let setting = Setting::with_rules(activation, setup.rules.clone()).unwrap();
    (setting, enriched_inputs(setup, dir.path()).unwrap())
}

fn engine_of(setting: &Setting, inputs: &[Input], copies: i64) -> Engine {
    let mut engine = Engine::with_setting(setting.clone());
    for input in inputs {
        match input {
            Input::Event(event) => {
                (0..copies).for_each(|copy| step(&mut engine, &Input::Event(Arc::new(shifted(event, copy)))));
            }
            other => step(&mut engine, other),
        }
    }
    engine
}

/// What the system says that this process holds.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .trim()
            .strip_suffix(" kB")?
            .parse::<u64>()
            .ok()
    });
    kilobytes.unwrap_or_default() * 1_024
}

fn step(engine: &mut Engine, input: &Input) {
    for change in engine.decide(input).changes {
        engine.apply(&change).unwrap();
    }
}

fn decide(criterion: &mut Criterion<CpuTime>) {
    let (setting, inputs) = storm(40_000);
    let half = inputs.len() / 2;
    let next: Vec<Input> = inputs[half..]
        .iter()
        .filter(|i| matches!(i, Input::Event(_)))
        .take(1_000)
        .cloned()
        .collect();
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(next.len() as u64));
    group.sample_size(10);
    for copies in [1, 8, 48] {
        let before = resident_bytes();
        let engine = engine_of(&setting, &inputs[..half], copies);
        let (kept, open) = engine.sizes();
        let events = inputs[..half]
            .iter()
            .filter(|input| matches!(input, Input::Event(_)));
        let events = events.count() as u64 * copies as u64;
        println!(
            "{open} open of {kept} kept: {} bytes of memory an event of {events}",
            resident_bytes().saturating_sub(before) / events
        );
        group.bench_function(format!("look only, {open} open of {kept} kept"), |bench| {
            bench.iter(|| {
                next.iter()
                    .map(|input| engine.decide(input).changes.len())
                    .sum::<usize>()
            });
        });
    }
    let first = &inputs[..2_000.min(half)];
    group.throughput(Throughput::Elements(first.len() as u64));
    group.bench_function(
        "decide and apply inputs, ticks among them, from an empty engine",
        |bench| {
            bench.iter_batched(
                || Engine::with_setting(setting.clone()),
                |mut engine| {
                    for input in first {
                        step(&mut engine, input);
                    }
                    engine
                },
                BatchSize::LargeInput,
            );
        },
    );
    group.throughput(Throughput::Elements(1));
    group.bench_function("a tick in which nothing is due", |bench| {
        let engine = engine_of(&setting, &inputs[..half], 1);
        let at = engine.clock().unwrap();
        let tick = Input::Tick(Tick {
            clocks: vec![("replay".into(), at)],
        });
        bench.iter(|| engine.decide(&tick));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = decide
}
criterion_main!(benches);
