//! Golden files, damaged at random: no input may panic, take long, or make the decoder take memory that it has not paid for.
//!
//! `CITYOPS_FUZZ_SECONDS` is the time that it goes on (3 unless set), `CITYOPS_FUZZ_SEED` begins where a failure was found.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that reads files and the clock"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use city_model::Source;
use peak_alloc::PeakAlloc;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wire_format::{Decoder, SchemaStore, WriterSchema};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Longest that one input may take, on a machine that does much else.
const INPUT_MAX: Duration = Duration::from_secs(2);
/// After how long without a finished input it hangs.
const HANG: Duration = Duration::from_secs(20);
/// Memory that an input may take: so much, and so many times its length.
const MEMORY_BASE: usize = 1 << 20;
const MEMORY_TIMES: usize = 64;
/// Longest input.
const BYTES_MAX: usize = 16 * 1024;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Files under the golden folder, by their ending.
fn collect(folder: &Path, found: &mut BTreeMap<String, Vec<Vec<u8>>>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, found);
        } else if let Some(ending) = path.extension() {
            let ending = ending.to_str().unwrap().to_owned();
            found.entry(ending).or_default().push(fs::read(&path).unwrap());
        }
    }
}

/// Damages bytes in one of the ways in which files and networks, or people, do.
fn damage(bytes: &mut Vec<u8>, other: &[u8], chance: &mut ChaCha8Rng) {
    const EDGES: [u8; 12] = [0, 1, 2, 0x7F, 0x80, 0x81, 0xFE, 0xFF, b'{', b'[', b'"', b'-'];
    let len = bytes.len();
    let at = chance.random_range(0..=len);
    let to = chance.random_range(at..=len.min(at + 64));
    match chance.random_range(0..7) {
        0 if at < len => bytes[at] ^= 1 << chance.random_range(0..8),
        1 if at < len => bytes[at] = EDGES[chance.random_range(0..EDGES.len())],
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..to)),
        4 => bytes.insert(at, chance.random()),
        5 => {
            // The same again, many times: depth and counts.
            let part = bytes[at..to].repeat(chance.random_range(1..64));
            bytes.splice(at..at, part);
        }
        _ => {
            let from = chance.random_range(0..=other.len());
            bytes.splice(at..to, other[from..].iter().copied());
        }
    }
    bytes.truncate(BYTES_MAX);
}

/// One input of a seed: which kind, and its bytes.
fn input(seed: u64, corpus: &BTreeMap<String, Vec<Vec<u8>>>) -> (String, Source, Vec<u8>) {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let kind = match chance.next_u32() % 32 {
        0 => "avsc",
        1..=6 => "avro",
        7..=16 => "framed",
        17..=22 => "single",
        _ => "json",
    };
    let files = &corpus[kind];
    let mut bytes = files[chance.random_range(0..files.len())].clone();
    let other = &files[chance.random_range(0..files.len())];
    if kind == "json" && chance.random_bool(0.3) {
        let data = String::from_utf8_lossy(&bytes).into_owned();
        let envelope =
            r#"{"specversion":"1.0","id":"e","source":"s","type":"t","time":"2026-09-20T08:00:00Z","data":"#;
        bytes = format!("{envelope}{data}}}").into_bytes();
    }
    for _ in 0..chance.random_range(1..6) {
        damage(&mut bytes, other, &mut chance);
    }
    (
        kind.to_owned(),
        Source::ALL[chance.random_range(0..Source::ALL.len())],
        bytes,
    )
}

#[test]
fn damaged_inputs_are_refused_in_time_and_in_bounds() {
    let mut corpus = BTreeMap::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"),
        &mut corpus,
    );
    let mut store = SchemaStore::builtin().unwrap();
    // The framed files name their writer 77: each by a schema that may not be its own.
    for (index, schema) in corpus["avsc"].iter().enumerate() {
        let id = if index == 0 { 77 } else { 100 + index as u32 };
        store.add(id, std::str::from_utf8(schema).unwrap()).unwrap();
    }
    let decoder = Decoder::new(store);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let first = number("CITYOPS_FUZZ_SEED").unwrap_or(clock);
    let seconds = number("CITYOPS_FUZZ_SECONDS").unwrap_or(3);
    println!("CITYOPS_FUZZ_SEED={first}, {seconds} s");
    // Each schema that was ever resolved is resolved before memory is counted.
    for files in corpus.values() {
        for file in files {
            for source in Source::ALL {
                let _ = decoder.decode(*source, file);
            }
        }
    }
    let (finished, progress) = channel();
    let worker = std::thread::spawn(move || {
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut inputs = 0;
        for seed in first.. {
            let (kind, source, bytes) = input(seed, &corpus);
            let _ = finished.send(seed);
            let before = MEMORY.current_usage();
            MEMORY.reset_peak_usage();
            let begun = Instant::now();
            if kind == "avsc" {
                if let Ok(text) = std::str::from_utf8(&bytes) {
                    let _ = WriterSchema::parse(text);
                }
            } else {
                let _ = decoder.decode(source, &bytes);
            }
            let (took, taken) = (begun.elapsed(), MEMORY.peak_usage().saturating_sub(before));
            assert!(took < INPUT_MAX, "CITYOPS_FUZZ_SEED={seed}: {kind} took {took:?}");
            let limit = MEMORY_BASE + MEMORY_TIMES * bytes.len();
            assert!(
                taken < limit,
                "CITYOPS_FUZZ_SEED={seed}: {kind} of {} bytes took {taken} bytes",
                bytes.len()
            );
            inputs += 1;
            if Instant::now() >= end {
                break;
            }
        }
        inputs
    });
    let mut seed = first;
    loop {
        match progress.recv_timeout(HANG) {
            Ok(next) => seed = next,
            Err(RecvTimeoutError::Timeout) => panic!("CITYOPS_FUZZ_SEED={seed} hangs"),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let inputs: u64 = worker
        .join()
        .unwrap_or_else(|_| panic!("CITYOPS_FUZZ_SEED={seed} panics"));
    println!("{inputs} inputs");
    assert!(inputs > 1_000, "{inputs} inputs are none");
}
