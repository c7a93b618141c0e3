//! What an engine holds after a storm: allocated bytes an event, as it decided them and as it is restored from its rows, and the
//! rows' bytes in both forms.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::collections::BTreeMap;
use std::time::Instant;

use city_model::Input;
use incident_engine::{Change, Engine, RowForm};
use peak_alloc::PeakAlloc;

#[path = "restore/shifted.rs"]
mod shifted;
#[path = "restore/storm.rs"]
#[allow(dead_code, reason = "this bench uses its part")]
mod storm;
use storm::storm;

/// Counts what is held.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

fn held() -> usize {
    MEMORY.current_usage()
}

fn main() {
    // `cargo test --benches` only asks whether it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let copies: i64 = std::env::var("CITYOPS_BENCH_COPIES").map_or(16, |copies| copies.parse().unwrap());
    let (setting, inputs) = storm(40_000);
    let inputs = &inputs[..inputs.len() / 2];
    let mut rows: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let before = held();
    let begun = Instant::now();
    let mut engine = Engine::with_setting(setting.clone());
    let mut row_bytes = 0;
    for input in inputs {
        let times = if matches!(input, Input::Event(_)) {
            copies
        } else {
            1
        };
        for copy in 0..times {
            let shifted = match input {
                Input::Event(event) => Input::Event(std::sync::Arc::new(shifted::shifted(event, copy))),
                other => other.clone(),
            };
            for change in engine.decide(&shifted).changes {
                engine.apply(&change).unwrap();
                let at = held();
                match change.value() {
                    Some(row) => rows.insert(change.key(), row),
                    None => rows.remove(&change.key()),
                };
                row_bytes += held() as isize - at as isize;
            }
        }
    }
    let took = begun.elapsed();
    let (events, unsettled) = engine.remembered();
    let (kept, open) = engine.sizes();
    println!(
        "{events} events, {unsettled} unsettled; {open} open of {kept}; decided in {:.1} s",
        took.as_secs_f64()
    );
    let an_event = |bytes: usize| bytes as f64 / events as f64;
    let own = held() - before - row_bytes as usize;
    println!("  as it decided: {:.0} bytes an event", an_event(own));
    engine.rest();
    let own = held() - before - row_bytes as usize;
    println!("  all at rest: {:.0} bytes an event", an_event(own));
    tell_parts(engine, events);
    let family = |key: &str| key.split('/').next().unwrap_or_default().to_owned();
    let mut sizes: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    for (key, row) in &rows {
        let json = Change::from_row(row)
            .unwrap()
            .value_as(RowForm::Json)
            .unwrap()
            .len();
        let (count, compact, text) = sizes.entry(family(key)).or_default();
        (*count, *compact, *text) = (*count + 1, *compact + row.len(), *text + json);
    }
    for (family, (count, compact, json)) in sizes {
        println!(
            "  {count} rows {family}: {} bytes each, {} as JSON",
            compact / count,
            json / count
        );
    }
    let before = held();
    let begun = Instant::now();
    let mut engine = Engine::with_setting(setting);
    let settled = rows.get("settled").cloned();
    for row in settled.iter().chain(rows.values()) {
        engine.apply(&Change::from_row(row).unwrap()).unwrap();
    }
    let took = begun.elapsed();
    println!(
        "  restored: {:.0} bytes an event, in {:.2} s: {:.2} µs a row",
        an_event(held() - before),
        took.as_secs_f64(),
        took.as_secs_f64() * 1e6 / rows.len() as f64
    );
    engine.rest();
    tell_parts(engine, events);
}

/// What lies where.
fn tell_parts(engine: Engine, events: usize) {
    let mut before = held();
    engine.take_apart(|part| {
        let freed = before - held();
        println!("    {part}: {:.1} bytes an event", freed as f64 / events as f64);
        before = held();
    });
}
