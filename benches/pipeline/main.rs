//! The whole program on a real broker: what its records cost in CPU, and how soon an incident is committed.
//!
//! `cargo bench --bench pipeline` starts a broker of its own, or uses `CITYOPS_KAFKA=host:port`. `CITYOPS_BENCH_EVENTS`
//! says how many records a run has (default 400,000). `-- stages latency processes district` runs these parts alone, and
//! `-- sensors typhoon reports` these mixes; `CITYOPS_BENCH_RATE` asks for the latency at so many records a second alone. CPU
//! is that of our processes, user plus system, from the first tenth of the records on; the broker's, the feed's and the
//! onlooker's are not in it.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

#[path = "../../tests/city/mod.rs"]
mod city;
mod latency;
mod mix;
mod process;
mod processes;
mod stage;

use mix::Mix;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--copy") {
        return stage::copy(&arguments[at + 1..]);
    }
    // `cargo test --benches` only asks whether it starts.
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    let broker = process::Broker::start();
    let events: usize = std::env::var("CITYOPS_BENCH_EVENTS")
        .ok()
        .and_then(|events| events.parse().ok())
        .unwrap_or(400_000);
    let asks = |word: &str| arguments.iter().any(|it| it == word);
    let parts = ["stages", "latency", "processes", "district"];
    let asked: Vec<&str> = parts.into_iter().filter(|part| asks(part)).collect();
    let wants = |part: &str| asked.is_empty() || asked.contains(&part);
    println!("records, CPU seconds a million, thousand a CPU second, thousand a second, peak memory in MB");
    if wants("stages") || wants("latency") {
        let mixes = Mix::ALL.into_iter().filter(|mix| asks(mix.word()));
        let mixes: Vec<Mix> = match Mix::ALL.iter().any(|mix| asks(mix.word())) {
            true => mixes.collect(),
            false => Mix::ALL.to_vec(),
        };
        let rate = std::env::var("CITYOPS_BENCH_RATE").ok();
        match rate.map(|rate| rate.parse().unwrap()) {
            Some(rate) => mixes
                .iter()
                .for_each(|mix| latency::report(&broker, *mix, "as asked", rate)),
            None => {
                let rates = stages(&broker, &mixes, events);
                if wants("latency") {
                    latencies(&broker, &rates);
                }
            }
        }
    }
    if wants("processes") {
        for mix in [Mix::Typhoon, Mix::Reports] {
            processes::report(&broker, mix, events / mix.part());
        }
    }
    if wants("district") {
        processes::district(&broker);
    }
}

/// What each stage costs by mix; answers how many records a second both together take.
fn stages(broker: &process::Broker, mixes: &[Mix], events: usize) -> Vec<(Mix, f64)> {
    let mut rates = Vec::new();
    for &mix in mixes {
        let run = stage::Prepared::new(broker, mix, events / mix.part());
        run.report("the client alone, copying", &run.ceiling());
        run.report("enrich", &run.enrich());
        run.report("correlate", &run.correlate());
        let both = run.both(1);
        run.report("both, one loop each", &both);
        run.report("both, two loops each", &run.both(2));
        rates.push((mix, both.per_second()));
    }
    rates
}

fn latencies(broker: &process::Broker, rates: &[(Mix, f64)]) {
    println!("\nfrom sending to the committed incident, ms");
    for (mix, rate) in rates {
        for (share, part) in [("a quarter", 4.0), ("half", 2.0)] {
            latency::report(broker, *mix, share, rate / part);
        }
    }
}
