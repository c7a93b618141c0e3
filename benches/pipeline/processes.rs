//! One, two and four processes on twelve partitions: how much more they do, and whether a district's storm costs what one reckons.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use city_simulator::{Scenario, SimulatedRecord};

use crate::city::feed::{Feed, LedgerWatch};
use crate::city::{City, Running, expect};
use crate::mix::{Mix, SEED};
use crate::process::{Broker, Taken, cpu, peak_mb, watch_all};
use crate::stage::accounted;

/// Partitions of every source topic and of the enriched log.
const PARTITIONS: u32 = 12;
/// A district's readings in a storm.
const DISTRICT_A_SECOND: f64 = 8_000.0;
/// Fed before anything is measured, and while it is.
const WARM_UP: Duration = Duration::from_secs(15);
const MEASURED: Duration = Duration::from_secs(60);

/// A city of its own with so many partitions.
struct Wide {
    city: City,
    prefix: String,
}

impl Wide {
    fn new(broker: &Broker) -> Wide {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let city = City::new(Scenario::Typhoon, SEED, 100);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("wide-{}-{number}", std::process::id());
        city.on_kafka(&broker.address, &name);
        let path = city.path("cityops.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace(
            "source_partitions = 3\nenriched_partitions = 4\n",
            &format!("source_partitions = {PARTITIONS}\nenriched_partitions = {PARTITIONS}\n"),
        );
        std::fs::write(&path, text).unwrap();
        expect(0, &["topics", "apply", "--config", &city.config()]);
        Wide {
            city,
            prefix: format!("{name}."),
        }
    }

    fn run(&self, count: usize) -> Vec<Running> {
        let config = self.city.config();
        let start = |number| {
            let log = self.city.path(&format!("cityops-{number}.log"));
            Running::start(
                &["run", "--config", &config, "--workers", "enrich,correlate"],
                &log,
            )
        };
        (0..count).map(start).collect()
    }
}

/// The same records read by one, two and four processes.
pub(crate) fn report(broker: &Broker, mix: Mix, events: usize) {
    let records = mix.records(events);
    println!(
        "\n{}: {} records on {PARTITIONS} partitions",
        mix.name(),
        records.len()
    );
    let mut alone = None;
    for count in [1, 2, 4] {
        let taken = processes(broker, &records, count);
        let alone = *alone.get_or_insert(taken.per_second());
        println!(
            "  {count} processes {:>16} {:>7.2} {:>8.1} {:>8.1} {:>6}   {:.2} times one",
            taken.records,
            taken.cpu.as_secs_f64() * 1e6 / taken.records as f64,
            taken.records as f64 / taken.cpu.as_secs_f64() / 1e3,
            taken.per_second() / 1e3,
            taken.peak_mb,
            taken.per_second() / alone,
        );
    }
}

fn processes(broker: &Broker, records: &[SimulatedRecord], count: usize) -> Taken {
    let wide = Wide::new(broker);
    let properties = broker.properties();
    let feed = Feed::new(&properties, &wide.prefix);
    records.iter().for_each(|record| feed.send(record));
    feed.flush();
    let looks = LedgerWatch::start(&properties, &wide.prefix);
    let running = wide.run(count);
    let pids: Vec<u32> = running.iter().map(|process| process.0.id()).collect();
    let taken = watch_all(&pids, records.len() as u64, || accounted(&looks.ledger()));
    for process in running {
        process.terminate();
    }
    taken
}

/// A district's storm at its own rate: what it takes of a core.
pub(crate) fn district(broker: &Broker) {
    let wide = Wide::new(broker);
    let properties = broker.properties();
    let mix = Mix::Typhoon;
    let records = mix.records((DISTRICT_A_SECOND * (WARM_UP + MEASURED).as_secs_f64()) as usize);
    let looks = LedgerWatch::start(&properties, &wide.prefix);
    let running = wide.run(1);
    let pid = running[0].0.id();
    let feed = Feed::new(&properties, &wide.prefix);
    let of_broker = || broker.pid.map_or(Duration::ZERO, cpu);
    let begun = Instant::now();
    let mut since = None;
    for (number, record) in records.iter().enumerate() {
        let due = Duration::from_secs_f64(number as f64 / DISTRICT_A_SECOND);
        while begun.elapsed() < due {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        if since.is_none() && begun.elapsed() > WARM_UP {
            since = Some((accounted(&looks.ledger()), Instant::now(), cpu(pid), of_broker()));
        }
        feed.send(record);
    }
    feed.flush();
    let (from, measured, before, broker_before) = since.unwrap();
    let (to, wall, spent) = (accounted(&looks.ledger()), measured.elapsed(), cpu(pid) - before);
    let broker_spent = of_broker() - broker_before;
    let behind = records.len() as u64 - to;
    println!(
        "\na district's storm, {}: {:.0} records a second for {:.0} s take {:.3} of a core, {:.2} CPU seconds a million, \
         the broker {:.2}; {} MB at most; {behind} records ({:.1} s) behind at the end",
        mix.name(),
        (to - from) as f64 / wall.as_secs_f64(),
        wall.as_secs_f64(),
        spent.as_secs_f64() / wall.as_secs_f64(),
        spent.as_secs_f64() * 1e6 / (to - from) as f64,
        broker_spent.as_secs_f64() * 1e6 / (to - from) as f64,
        peak_mb(pid),
        behind as f64 / DISTRICT_A_SECOND,
    );
    for process in running {
        process.terminate();
    }
}
