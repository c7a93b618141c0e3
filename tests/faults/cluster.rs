//! The brokers of a run: one, or three that replicate; each behind its own stretch of network.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kafka_log::Properties;

use super::cutting::Net;
use super::stage::patience;
use crate::city::succeed;

/// How much disk the broker has whose disk can be filled.
const SMALL_DISK: &str = "size=1g";
/// How long a broker with a full disk has until it writes something.
const FULL_DISK_PATIENCE: Duration = Duration::from_secs(10);
/// How often a broker is started before a run fails for it, each time with all the patience of the run.
const START_ATTEMPTS: u32 = 2;

/// Running brokers; they end with this.
pub struct Cluster {
    /// The way to them.
    pub net: Net,
    brokers: Vec<Broker>,
    // Last, so that the brokers have ended before their files go.
    dir: tempfile::TempDir,
}

struct Broker {
    run: PathBuf,
    arguments: Vec<String>,
    /// The port that clients are told.
    shown: u16,
    /// The port beside the network that is cut: for those who look on, and for the brokers among themselves.
    inner: u16,
    disk: Option<Disk>,
}

/// A disk of its own, that can be full.
struct Disk(PathBuf);

impl Cluster {
    /// Starts one broker or three. With several, the last one has a small disk, if mounting one is allowed.
    pub fn start(count: usize) -> Cluster {
        let dir = tempfile::Builder::new()
            .prefix("cityops-faults.")
            .tempdir()
            .unwrap();
        let net = Net::default();
        let mut taken = BTreeSet::new();
        let mut ports: Vec<[u16; 3]> = Vec::new();
        for _ in 0..count {
            ports.push([(); 3].map(|()| free_port(&mut taken)));
        }
        let voters: Vec<String> = ports
            .iter()
            .enumerate()
            .map(|(index, [_, _, controller])| format!("{}@127.0.0.1:{controller}", index + 1))
            .collect();
        let replicas = count.to_string();
        let in_sync = if count > 1 { "2" } else { "1" };
        let brokers: Vec<Broker> = ports
            .iter()
            .enumerate()
            .map(|(index, [port, inner, controller])| {
                let run = dir.path().join(format!("broker-{}", index + 1));
                std::fs::create_dir_all(run.join("data")).unwrap();
                let shown = net.open_to(index, SocketAddr::from(([127, 0, 0, 1], *port)));
                let mut arguments: Vec<String> = [
                    ("--port", port),
                    ("--controller-port", controller),
                ]
                .iter()
                .flat_map(|(key, value)| [(*key).to_owned(), value.to_string()])
                .collect();
                let listeners = format!(
                    "PLAINTEXT://127.0.0.1:{port},INNER://127.0.0.1:{inner},CONTROLLER://127.0.0.1:{controller}"
                );
                let advertised = format!("PLAINTEXT://127.0.0.1:{shown},INNER://127.0.0.1:{inner}");
                let mut settings = vec![
                    ("node.id", (index + 1).to_string()),
                    ("controller.quorum.voters", voters.join(",")),
                    ("listeners", listeners),
                    ("advertised.listeners", advertised),
                    ("inter.broker.listener.name", "INNER".to_owned()),
                    (
                        "listener.security.protocol.map",
                        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,INNER:PLAINTEXT".to_owned(),
                    ),
                    ("default.replication.factor", replicas.clone()),
                    ("min.insync.replicas", in_sync.to_owned()),
                    ("offsets.topic.replication.factor", replicas.clone()),
                    ("transaction.state.log.replication.factor", replicas.clone()),
                    ("transaction.state.log.min.isr", in_sync.to_owned()),
                    // The workers' sessions are short here, so that a run has time for many faults.
                    ("group.min.session.timeout.ms", "1000".to_owned()),
                ];
                if count > 1 {
                    settings.push(("broker.session.timeout.ms", "5000".to_owned()));
                    settings.push(("broker.heartbeat.interval.ms", "700".to_owned()));
                }
                for (key, value) in settings {
                    arguments.extend(["--set".to_owned(), format!("{key}={value}")]);
                }
                arguments.extend(["--die-with".to_owned(), std::process::id().to_string()]);
                let disk = (count > 1 && index + 1 == count).then(|| Disk::mount(&run.join("data"))).flatten();
                Broker { run, arguments, shown, inner: *inner, disk }
            })
            .collect();
        let cluster = Cluster { net, brokers, dir };
        // All at once: a majority is needed before any of them opens its port.
        let starting: Vec<(usize, Child)> = (0..count)
            .map(|broker| (broker, cluster.brokers[broker].starting()))
            .collect();
        for (broker, start) in starting {
            cluster.started(broker, start);
        }
        cluster
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.brokers.len()
    }

    /// Where their files are.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What clients under test are told: the way over the network that can be cut.
    pub fn bootstrap(&self) -> String {
        self.addresses(|broker| broker.shown)
    }

    /// Properties that lead to the brokers whatever happens to the network.
    pub fn beside(&self) -> Properties {
        Properties::from([(
            "bootstrap.servers".to_owned(),
            self.addresses(|broker| broker.inner),
        )])
    }

    fn addresses(&self, port: impl Fn(&Broker) -> u16) -> String {
        let all: Vec<String> = self
            .brokers
            .iter()
            .map(|broker| format!("127.0.0.1:{}", port(broker)))
            .collect();
        all.join(",")
    }

    /// Creates a topic of one partition that only the last broker has.
    pub fn create_on_the_last(&self, topic: &str) {
        let assigned = self.count().to_string();
        let mut create = vec![
            "topics",
            "--create",
            "--topic",
            topic,
            "--replica-assignment",
            &assigned,
        ];
        // As the program would have it.
        for setting in ["cleanup.policy=compact", "retention.ms=-1"] {
            create.extend(["--config", setting]);
        }
        let mut tool = Command::new("deploy/kafka-local/tool");
        succeed(
            tool.args(create)
                .env("CITYOPS_KAFKA", self.addresses(|broker| broker.inner)),
        );
    }

    /// SIGTERM, and waits for the end.
    pub fn terminate(&self, broker: usize) {
        self.signal(broker, "-TERM");
        self.wait_for_end(broker);
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&self, broker: usize) {
        self.signal(broker, "-KILL");
        self.wait_for_end(broker);
    }

    /// Sends a signal.
    pub fn signal(&self, broker: usize, signal: &str) {
        let pid = self.brokers[broker].pid().expect("a running broker");
        let status = Command::new("kill").args([signal, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// Starts it again on the same files and ports.
    pub fn restart(&self, broker: usize) {
        for attempt in 1.. {
            let output = self.brokers[broker].starting().wait_with_output().unwrap();
            if output.status.success() {
                return;
            }
            // On a busy machine it may take longer than its script waits.
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                attempt < START_ATTEMPTS,
                "broker {} did not start\n{said}",
                broker + 1
            );
        }
    }

    /// A broker whose disk can be filled, if there is one.
    pub fn with_small_disk(&self) -> Option<usize> {
        self.brokers.iter().position(|broker| broker.disk.is_some())
    }

    /// Fills the disk.
    pub fn fill_disk(&self, broker: usize) {
        let Some(disk) = &self.brokers[broker].disk else {
            return;
        };
        let mut filler = std::fs::File::create(disk.filler()).unwrap();
        let block = vec![0_u8; 1 << 16];
        for size in [1 << 16, 1 << 12] {
            while std::io::Write::write_all(&mut filler, &block[..size]).is_ok() {}
        }
    }

    /// Waits until a broker has ended of its full disk; whether it did. One that had nothing to write is killed.
    pub fn ended_of_full_disk(&self, broker: usize) -> bool {
        let deadline = Instant::now() + FULL_DISK_PATIENCE;
        while self.brokers[broker].pid().is_some() && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(100));
        }
        let ended = self.brokers[broker].pid().is_none();
        if !ended {
            self.kill(broker);
        }
        ended
    }

    /// Makes room again.
    pub fn empty_disk(&self, broker: usize) {
        if let Some(disk) = &self.brokers[broker].disk {
            std::fs::remove_file(disk.filler()).unwrap();
        }
    }

    fn started(&self, broker: usize, start: Child) {
        let output = start.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "broker {} did not start\n{said}",
            broker + 1
        );
    }

    fn wait_for_end(&self, broker: usize) {
        let deadline = Instant::now() + patience();
        while self.brokers[broker].pid().is_some() {
            assert!(Instant::now() < deadline, "broker {} does not end", broker + 1);
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for broker in &self.brokers {
            if let Some(pid) = broker.pid() {
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
            }
        }
    }
}

impl Broker {
    fn starting(&self) -> Child {
        Command::new("deploy/kafka-local/start")
            .env("CITYOPS_KAFKA_READY_S", patience().as_secs().to_string())
            .args(&self.arguments)
            .arg(&self.run)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The process, if it runs: a zombie has no command line, and another process has another one.
    fn pid(&self) -> Option<String> {
        let pid = std::fs::read_to_string(self.run.join("pid")).ok()?;
        let pid = pid.trim().to_owned();
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains(&self.run.join("server.properties").display().to_string())
            .then_some(pid)
    }
}

impl Disk {
    /// A disk in memory; `None` where mounting is not allowed.
    fn mount(at: &Path) -> Option<Disk> {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SMALL_DISK, "cityops-faults"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        status
            .is_ok_and(|status| status.success())
            .then(|| Disk(at.to_owned()))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the broker may not have ended yet.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A free port below those that Linux hands out to clients, so that it stays free while a broker is away.
fn free_port(taken: &mut BTreeSet<u16>) -> u16 {
    let mut port = 20_000 + (std::process::id() % 11_000) as u16;
    while taken.contains(&port) || TcpListener::bind(("127.0.0.1", port)).is_err() {
        port += 1;
    }
    taken.insert(port);
    port
}
