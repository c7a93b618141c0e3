//! Two versions of the program: the present one, and the one before, from `tests/upgrade/previous.tar.gz`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wire_format::Topic;

use crate::city::{City, Running, cityops, web};

#[derive(Debug, Clone)]
pub enum Version {
    /// Its program.
    Previous(PathBuf),
    Present,
}

impl Version {
    pub fn command(&self, args: &[&str]) -> Command {
        match self {
            Version::Present => cityops(args),
            Version::Previous(program) => {
                let mut command = Command::new(program);
                command.args(args).env_remove("CITYOPS_LOG");
                command
            }
        }
    }
}

/// Builds the previous version, unless that was done, and gives its program.
pub fn previous() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut build = Command::new("tests/upgrade/previous");
    let output = build.arg(target).stderr(Stdio::inherit()).output().unwrap();
    assert!(
        output.status.success(),
        "the previous version is missing; the line above says why"
    );
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// Runs a command of a version to its end, which must be a good one.
pub fn run(version: &Version, args: &[&str]) {
    let output = version.command(args).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{version:?} {args:?}\n{err}");
}

/// A process and its log.
pub struct Process {
    running: Running,
    pub log: PathBuf,
}

impl Process {
    pub fn start(version: &Version, city: &City, name: &str) -> Process {
        Process::start_with(version, city, name, &[])
    }

    /// The same with keys of the configuration in its environment: what the version beside it does not know is no part of the file.
    pub fn start_with(version: &Version, city: &City, name: &str, keys: &[(&str, &str)]) -> Process {
        let log = city.path(&format!("{name}.log"));
        let mut command = version.command(&["run", "--config", &city.config()]);
        command.envs(keys.iter().copied());
        let err = std::fs::File::create(&log).unwrap();
        let child = command.stdout(Stdio::null()).stderr(err).spawn().unwrap();
        Process {
            running: Running(child),
            log,
        }
    }

    /// How many partitions of the enriched log it holds; `None` when it does not answer.
    pub fn holds(&self, partitions: usize) -> Option<usize> {
        let text = web::get(&web::address(&self.log)?, "/metrics")?;
        let held = |partition: usize| {
            let topic = Topic::Enriched.name();
            let series =
                format!("cityops_consumer_lag_records{{partition=\"{partition}\",topic=\"{topic}\"}}");
            text.lines().any(|line| line.starts_with(&series))
        };
        Some((0..partitions).filter(|partition| held(*partition)).count())
    }

    pub fn is_ready(&self) -> bool {
        web::address(&self.log)
            .and_then(|address| web::get(&address, "/readyz"))
            .is_some_and(|told| told.contains("\"ready\":true"))
    }

    /// It drains, and ends well.
    pub fn stop(self) {
        let text = || std::fs::read_to_string(&self.log).unwrap_or_default();
        assert_eq!(self.running.terminate(), Some(0), "{}", text());
    }
}
