//! A simulated city in a folder, and the program run on it as a user would.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

pub mod decided;
pub mod feed;
pub mod folder;
pub mod openssl;
pub mod output;
pub mod records;
pub mod registry;
pub mod spoilt;
pub mod stream;
pub mod town;
pub mod web;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use city_simulator::Scenario;

/// The broker of the tests. They do not pass without one.
pub fn broker() -> String {
    std::env::var("CITYOPS_KAFKA")
        .expect("CITYOPS_KAFKA=host:port names no broker; run the tests by tests/run, which starts one")
}

/// A seed that is printed, and can be given again as CITYOPS_SEED.
pub fn seed() -> u64 {
    let given = std::env::var("CITYOPS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        u64::from(since.subsec_nanos())
    });
    #[allow(clippy::print_stdout, reason = "a failing seed must be seen")]
    {
        println!("CITYOPS_SEED={seed}");
    }
    seed
}

/// The program.
pub fn cityops(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cityops"));
    command.args(args).env_remove("CITYOPS_LOG");
    command
}

/// Runs another program, which must succeed, and gives what it printed.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the program to its end.
pub fn run(args: &[&str]) -> Output {
    cityops(args).output().unwrap()
}

/// Runs the program, expects this exit code, and gives what it printed.
pub fn expect(code: i32, args: &[&str]) -> String {
    let output = run(args);
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(
        output.status.code(),
        Some(code),
        "cityops {}\n{out}\n{err}",
        args.join(" ")
    );
    out.into_owned()
}

/// A simulated city's folder.
pub struct City {
    pub dir: tempfile::TempDir,
    pub records: i64,
}

impl City {
    pub fn new(scenario: Scenario, seed: u64, records: usize) -> City {
        let dir = tempfile::tempdir().unwrap();
        cityops::commands::simulate_into(dir.path(), scenario, seed, records).unwrap();
        City {
            dir,
            records: records as i64,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn config(&self) -> String {
        self.path("cityops.toml").display().to_string()
    }

    pub fn input(&self) -> String {
        self.dir.path().display().to_string()
    }

    /// Replays into a folder of that name and gives the ledger.
    pub fn replay(&self, output: &str) -> serde_json::Value {
        let output = self.path(output).display().to_string();
        let printed = expect(
            0,
            &[
                "--json",
                "replay",
                "--config",
                &self.config(),
                "--input",
                &self.input(),
                "--output",
                &output,
            ],
        );
        serde_json::from_str(&printed).unwrap()
    }

    /// Replays into a folder of that name, and gives what was written.
    pub fn replayed(&self, output: &str) -> output::Replayed {
        self.replay(output);
        output::Replayed {
            dir: self.path(output),
        }
    }

    /// Replays another folder's input with the city's configuration.
    pub fn replay_of(&self, input: &Path, output: &str, more: &[&str]) -> output::Replayed {
        let (config, input) = (self.config(), input.display().to_string());
        let output = self.path(output).display().to_string();
        let args = [
            "replay", "--config", &config, "--input", &input, "--output", &output,
        ];
        expect(0, &[&args, more].concat());
        output::Replayed { dir: output.into() }
    }

    /// A folder beside the city's input whose files are made from the city's.
    pub fn input_from(&self, name: &str, make: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>) -> PathBuf {
        let dir = self.path(name);
        std::fs::create_dir(&dir).unwrap();
        for file in output::INPUTS {
            if let Some(bytes) = make(file, std::fs::read(self.path(file)).unwrap()) {
                std::fs::write(dir.join(file), bytes).unwrap();
            }
        }
        dir
    }

    /// Lets the configuration point at a broker, under names of its own.
    pub fn on_kafka(&self, bootstrap: &str, name: &str) {
        let text = std::fs::read_to_string(self.path("cityops.toml")).unwrap();
        let text = text.replace("[time]\n", "[time]\nidle = \"hold\"\n");
        let kafka = format!(
            "\n[kafka]\nbootstrap_servers = \"{bootstrap}\"\ntopic_prefix = \"{name}.\"\ngroup_prefix = \"{name}\"\n\
             session_timeout = \"6s\"\n[topics]\nsource_partitions = 3\nenriched_partitions = 4\n\
             [http]\nlisten = \"127.0.0.1:0\"\n"
        );
        std::fs::write(self.path("cityops.toml"), text + &kafka).unwrap();
    }
}

/// A running program that is killed when the test ends.
pub struct Running(pub Child);

impl Running {
    pub fn start(args: &[&str], log: &Path) -> Running {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        Running(cityops(args).stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    /// SIGKILL: nothing is drained.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// SIGTERM, and the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.0.wait().unwrap().code()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let id = self.0.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
