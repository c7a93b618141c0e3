//! The processes under test, each a client of its own name.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::city::{City, Running, cityops};

/// What runs in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// The program.
    AsItIs,
    /// The same workers, but their positions are committed beside their transactions.
    BrokenOnPurpose,
}

/// A running process.
pub struct Process {
    pub running: Running,
    /// The name by which the network knows its clients.
    pub name: String,
    /// Its log.
    pub log: PathBuf,
    /// Where it reads how far its wall clock is off, in seconds.
    pub clock: PathBuf,
}

impl Process {
    /// Starts one. `clock` is a library that shifts its wall clock.
    pub fn start(city: &City, name: &str, build: Build, clock: Option<&Path>) -> Process {
        let config = city.path(&format!("{name}.toml"));
        let text = std::fs::read_to_string(city.path("cityops.toml")).unwrap();
        let named = format!("{text}\n[kafka.properties]\n\"client.id\" = \"{name}\"\n");
        std::fs::write(&config, named).unwrap();
        let config = config.display().to_string();
        let mut command = match build {
            Build::AsItIs => cityops(&["run", "--config", &config]),
            Build::BrokenOnPurpose => super::beside::command(&config),
        };
        let (log, offset) = (
            city.path(&format!("{name}.log")),
            city.path(&format!("{name}.clock")),
        );
        if let Some(library) = clock {
            std::fs::write(&offset, "0").unwrap();
            command
                .env("LD_PRELOAD", library)
                .env("CLOCK_OFFSET_FILE", &offset);
        }
        let err = std::fs::File::create(&log).unwrap();
        let child = command.stdout(Stdio::null()).stderr(err).spawn().unwrap();
        Process {
            running: Running(child),
            name: name.to_owned(),
            log,
            clock: offset,
        }
    }

    /// Its exit code, if it has ended.
    pub fn ended(&mut self) -> Option<i32> {
        let status = self.running.0.try_wait().unwrap()?;
        Some(status.code().unwrap_or(-1))
    }

    /// The most memory that it has had, in MiB; 0 when it has ended.
    pub fn memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.0.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
        kib.unwrap_or(0) / 1024
    }

    /// The last lines of its log.
    pub fn tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }
}

/// Builds the library that shifts a process's wall clock; `None` without a C compiler.
pub fn clock_library(into: &Path) -> Option<PathBuf> {
    let library = into.join("clock.so");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .args(["tests/faults/clock.c", "-ldl"])
        .stderr(Stdio::inherit())
        .status();
    status.is_ok_and(|status| status.success()).then_some(library)
}
