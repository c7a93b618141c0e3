//! How long it takes from sending a call, a report or a video alert until its incident is committed and in a reader's hands.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use city_simulator::SimulatedRecord;
use kafka_log::tail::{Tail, follow};
use serde::Deserialize;
use wire_format::Topic;

use crate::city::feed::{Feed, LedgerWatch};
use crate::mix::{Mix, now_ms};
use crate::process::Broker;
use crate::stage::{Fed, accounted};

/// Fed before anything is measured, and while it is.
const WARM_UP: Duration = Duration::from_secs(5);
const MEASURED: Duration = Duration::from_secs(20);
/// How long it takes to give a record its time, and more.
const REWRITING: Duration = Duration::from_micros(20);
/// Numbers of records that are times, in epoch milliseconds: no measured value is as large.
const TIMES: std::ops::Range<i64> = 1_000_000_000_000..3_000_000_000_000;

/// What is read of an incident.
#[derive(Deserialize)]
struct Told<'a> {
    revision: u64,
    #[serde(borrow)]
    members: Vec<Member<'a>>,
}

#[derive(Deserialize)]
struct Member<'a> {
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
}

/// Feeds a mix at a steady rate and prints the latency of the incidents that open.
pub(crate) fn report(broker: &Broker, mix: Mix, share: &str, rate: f64) {
    let properties = broker.properties();
    let fed = Fed::new(&broker.address, 1);
    let records = mix.records((rate * (WARM_UP + MEASURED).as_secs_f64()) as usize);
    // Hours of a simulation are sent in seconds. With its own times each record would lie minutes ahead of the one before, which is how
    // a backlog looks, and is read by its times.
    let rewriting = REWRITING * records.len() as u32;
    let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap();
    let (ready, start_ms) = (Instant::now() + rewriting, now_ms() + ms(rewriting));
    let due = |number: usize| Duration::from_secs_f64(number as f64 / rate);
    let records: Vec<SimulatedRecord> = (0..)
        .zip(records)
        .map(|(number, record)| at_its_time(record, start_ms + ms(due(number))))
        .collect();
    let running = fed.run("enrich,correlate");
    let sent: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let latencies: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let reader = {
        let (sent, latencies, stop) = (sent.clone(), latencies.clone(), stop.clone());
        let (properties, prefix) = (properties.clone(), fed.prefix.clone());
        std::thread::spawn(move || {
            let each = |tail: Tail<'_>| {
                let Tail::Record(_, record) = tail else { return };
                let Some(value) = record.value() else { return };
                let told: Told<'_> = serde_json::from_slice(value).unwrap();
                let mut sent = sent.lock().unwrap();
                for (place, member) in told.members.iter().enumerate() {
                    // One that is told of later may have founded this incident after it had been in another.
                    let Some(at) = sent.remove(&*member.event_id) else {
                        continue;
                    };
                    // A sensor's alarm may have waited for the next reading to confirm it.
                    if place == 0 && told.revision == 1 && member.source != "sensor" {
                        latencies.lock().unwrap().push(at.elapsed());
                    }
                }
            };
            follow(&properties, &prefix, &[Topic::Incidents], each, &stop).unwrap();
        })
    };
    // As in a city, nobody's records wait behind those of another channel: a client has few requests on their way, and each is
    // of one partition.
    let mut feeds: BTreeMap<Topic, Feed> = BTreeMap::new();
    for record in &records {
        feeds
            .entry(Topic::of(record.source))
            .or_insert_with(|| Feed::new(&properties, &fed.prefix));
    }
    assert!(Instant::now() < ready, "the records were not ready in time");
    while Instant::now() < ready {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let begun = Instant::now();
    for (number, record) in records.iter().enumerate() {
        let due = due(number);
        while begun.elapsed() < due {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        if begun.elapsed() > WARM_UP && record.truth.is_some() {
            sent.lock()
                .unwrap()
                .insert(record.event_id.clone(), Instant::now());
        }
        feeds[&Topic::of(record.source)].send(record);
    }
    feeds.values().for_each(Feed::flush);
    // Only now, for it takes its part of the cores.
    let looks = LedgerWatch::start(&properties, &fed.prefix);
    let deadline = Instant::now() + Duration::from_secs(120);
    while accounted(&looks.ledger()) < records.len() as u64 && Instant::now() < deadline {
        std::thread::park_timeout(Duration::from_millis(50));
    }
    // One more look of the reader.
    std::thread::park_timeout(Duration::from_millis(500));
    running.terminate();
    stop.store(true, Ordering::Relaxed);
    reader.join().unwrap();
    let mut latencies = std::mem::take(&mut *latencies.lock().unwrap());
    latencies.sort_unstable();
    let at = |per_mille: usize| {
        let index = (latencies.len() * per_mille / 1_000).min(latencies.len().saturating_sub(1));
        latencies
            .get(index)
            .map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    };
    println!(
        "  {:<26} {share:<10} {:>8.0} a second: p50 {:>6.1}  p99 {:>6.1}  p99.9 {:>6.1}  ({} incidents)",
        mix.name(),
        rate,
        at(500),
        at(990),
        at(999),
        latencies.len(),
    );
}

/// A record that arrives at another time, and says of itself what it said then.
fn at_its_time(record: SimulatedRecord, arrival_ms: i64) -> SimulatedRecord {
    let mut line: serde_json::Value = serde_json::from_str(&record.line).unwrap();
    shift(&mut line, arrival_ms - record.arrival_ms);
    SimulatedRecord {
        arrival_ms,
        line: line.to_string(),
        ..record
    }
}

fn shift(value: &mut serde_json::Value, by_ms: i64) {
    match value {
        serde_json::Value::Object(fields) => fields.values_mut().for_each(|value| shift(value, by_ms)),
        serde_json::Value::Array(values) => values.iter_mut().for_each(|value| shift(value, by_ms)),
        serde_json::Value::Number(number) => {
            if let Some(time) = number.as_i64().filter(|time| TIMES.contains(time)) {
                *value = (time + by_ms).into();
            }
        }
        serde_json::Value::String(text) => {
            if let Ok(time) = text.parse::<jiff::Timestamp>() {
                *text = (time + jiff::SignedDuration::from_millis(by_ms)).to_string();
            }
        }
        _ => {}
    }
}
