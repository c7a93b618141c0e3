//! How long it takes to restore a partition's state: a storm's changelog on a real broker, read back as a start reads it.
//!
//! `cargo bench --bench restore` starts a broker of its own. `CITYOPS_BENCH_OPEN` says how many events the changelog holds, as a
//! list (default `100000,1000000`), `CITYOPS_BENCH_PARTITIONS` on how many partitions (default 4). One process restores all of
//! them in one loop. `CITYOPS_BENCH_LATER=6` lets six quiet hours pass after the storm. Each size is read as it was just written, and again when the broker has compacted it; and then without
//! entering the rows, and without reading them as JSON, which tells where the time goes.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

#[path = "../../tests/city/mod.rs"]
mod city;
#[path = "../pipeline/process.rs"]
#[allow(dead_code, reason = "this bench uses its part")]
mod process;
mod reading;
mod shifted;
mod writing;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use kafka_log::Properties;

use reading::{Depth, Restored};
use writing::Written;

/// How long the broker must have been quiet until its compaction counts as done, and how long that is waited for.
const QUIET: Duration = Duration::from_secs(15);
const COMPACTION_MAX: Duration = Duration::from_secs(240);

/// As the program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--restore") {
        return reading::child(&arguments[at + 1..]);
    }
    // `cargo test --benches` only asks whether it starts.
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    let sizes = std::env::var("CITYOPS_BENCH_OPEN").unwrap_or_else(|_| "100000,1000000".to_owned());
    let partitions = std::env::var("CITYOPS_BENCH_PARTITIONS").map_or(4, |count| count.parse().unwrap());
    let run = tempfile::tempdir().unwrap();
    let bootstrap = broker(run.path());
    let properties = Properties::from([("bootstrap.servers".to_owned(), bootstrap.clone())]);
    for events in sizes.split(',') {
        let begun = Instant::now();
        let written = Written::write(&properties, &bootstrap, events.parse().unwrap(), partitions);
        written.tell(begun.elapsed());
        let disk = || on_disk(&run.path().join("data"), &written.changelog());
        written.tell_log("as written", disk());
        tell(
            "as written",
            &read(&bootstrap, &written, Depth::Entered),
            &written,
        );
        let waited = compacted(&disk);
        written.tell_log(&format!("compacted, after {:.0} s", waited.as_secs_f64()), disk());
        for (name, depth) in [
            ("compacted", Depth::Entered),
            ("the same, rows parsed alone", Depth::Parsed),
            ("the same, rows read alone", Depth::Read),
        ] {
            tell(name, &read(&bootstrap, &written, depth), &written);
        }
    }
    let _ = Command::new("deploy/kafka-local/stop").arg(run.path()).status();
}

fn broker(run: &Path) -> String {
    let output = Command::new("deploy/kafka-local/start")
        .args(["--die-with", &std::process::id().to_string()])
        .arg(run)
        .stderr(std::process::Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "no broker");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Restores in a process of its own, whose memory is then its alone.
fn read(bootstrap: &str, written: &Written, depth: Depth) -> Restored {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--restore", bootstrap, &written.prefix, depth.name()])
        .stderr(std::process::Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the restore failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn tell(name: &str, restored: &Restored, written: &Written) {
    println!(
        "  {name:<28} {:>6.1} s {:>6.1} s CPU, {:>8} rows of {:>7.1} MB ({:>4.1} times the live state), {:>6.0} MB before, {:>6.0} MB at most: {:.0} bytes an event",
        restored.seconds,
        restored.cpu_seconds,
        restored.rows,
        restored.bytes as f64 / 1e6,
        restored.bytes as f64 / written.live_bytes as f64,
        restored.before_mb,
        restored.peak_mb,
        (restored.peak_mb - restored.before_mb) * 1e6 / written.events as f64,
    );
}

/// Waits until the broker has compacted what it will; how long that took.
fn compacted(disk: &dyn Fn() -> u64) -> Duration {
    let begun = Instant::now();
    let (mut last, mut since) = (disk(), Instant::now());
    while since.elapsed() < QUIET && begun.elapsed() < COMPACTION_MAX {
        std::thread::park_timeout(Duration::from_millis(500));
        let now = disk();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    begun.elapsed().saturating_sub(since.elapsed())
}

/// What the broker holds of a topic, as its files say: compressed.
fn on_disk(data: &Path, topic: &str) -> u64 {
    let is_of = |path: &PathBuf| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        name.rsplit_once('-').is_some_and(|(name, _)| name == topic)
    };
    let files = |dir: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    files(data)
        .iter()
        .filter(|path| is_of(path))
        .flat_map(|path| files(path))
        .filter(|path| path.extension().is_some_and(|it| it == "log"))
        .filter_map(|path| Some(std::fs::metadata(path).ok()?.len()))
        .sum()
}
