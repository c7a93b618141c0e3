//! The processes of a run: a broker, and ours with what the system says of them.

use std::process::Command;
use std::time::{Duration, Instant};

use kafka_log::Properties;

/// A broker for this bench, which ends with it.
pub(crate) struct Broker {
    pub(crate) address: String,
    /// Its process, if this bench started it.
    pub(crate) pid: Option<u32>,
    _run: tempfile::TempDir,
}

impl Broker {
    pub(crate) fn start() -> Broker {
        let run = tempfile::tempdir().unwrap();
        let given = std::env::var("CITYOPS_KAFKA").ok();
        let address = given.unwrap_or_else(|| {
            let output = Command::new("deploy/kafka-local/start")
                .args(["--die-with", &std::process::id().to_string()])
                .arg(run.path())
                .stderr(std::process::Stdio::inherit())
                .output()
                .unwrap();
            assert!(output.status.success(), "no broker");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        });
        let pid = std::fs::read_to_string(run.path().join("pid")).ok();
        Broker {
            address,
            pid: pid.and_then(|pid| pid.trim().parse().ok()),
            _run: run,
        }
    }

    pub(crate) fn properties(&self) -> Properties {
        Properties::from([("bootstrap.servers".to_owned(), self.address.clone())])
    }
}

/// User plus system time of a process so far.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name may hold spaces: what counts follows its bracket. utime and stime are fields 14 and 15, in hundredths.
    let fields: Vec<u64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse().unwrap())
        .collect();
    Duration::from_millis(fields.iter().sum::<u64>() * 10)
}

/// The most memory that a process has held, in MB.
pub(crate) fn peak_mb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: u64 = peak.map_or(0, |peak| peak.trim().trim_end_matches(" kB").parse().unwrap());
    kilobytes / 1024
}

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    /// Records between the first look past a tenth and the end.
    pub(crate) records: u64,
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    pub(crate) peak_mb: u64,
}

impl Taken {
    pub(crate) fn per_second(&self) -> f64 {
        self.records as f64 / self.wall.as_secs_f64()
    }
}

/// Watches a process until `done` says `records`.
pub(crate) fn watch(pid: u32, records: u64, done: impl Fn() -> u64) -> Taken {
    watch_all(&[pid], records, done)
}

/// The same with several; the memory is that of the largest.
pub(crate) fn watch_all(pids: &[u32], records: u64, done: impl Fn() -> u64) -> Taken {
    let cpu = || pids.iter().map(|pid| cpu(*pid)).sum::<Duration>();
    let mut since: Option<(u64, Instant, Duration)> = None;
    let deadline = Instant::now() + Duration::from_secs(600);
    loop {
        let so_far = done();
        if since.is_none() && so_far * 10 >= records {
            since = Some((so_far, Instant::now(), cpu()));
        }
        if so_far >= records {
            let (from, begun, before) = since.unwrap();
            return Taken {
                records: so_far - from,
                wall: begun.elapsed(),
                cpu: cpu().saturating_sub(before),
                peak_mb: pids.iter().map(|pid| peak_mb(*pid)).max().unwrap_or_default(),
            };
        }
        assert!(
            Instant::now() < deadline,
            "{so_far} of {records} after ten minutes"
        );
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
