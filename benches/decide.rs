//! What one decision costs with many incidents open: events that join, events that open, and the ticks between.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use city_model::{Input, Tick};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use incident_engine::Engine;

#[path = "measured/cpu_time.rs"]
mod cpu_time;
#[path = "restore/shifted.rs"]
mod shifted;
#[path = "restore/storm.rs"]
mod storm;
use cpu_time::CpuTime;
use storm::{engine_of, step, storm};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
