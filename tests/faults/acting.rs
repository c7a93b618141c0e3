//! What each fault does to a run, and how it is undone.

use std::time::{Duration, Instant};

use rand::RngExt;

use super::city::web;
use super::cutting::{Api, Side};
use super::faults::Fault;
use super::stage::{Stage, patience, say};

/// Longer than the group's session, which is short here.
const PAST_SESSION: Duration = Duration::from_secs(5);
/// Longer than a transaction may last, the broker's look included.
const PAST_TRANSACTION: Duration = Duration::from_secs(13);
/// Longer than a worker waits for an answer, gives its clients up, and is not ready any more.
const PAST_PATIENCE: Duration = Duration::from_secs(30);
/// After so long without an answer a process is not ready.
const PAST_READINESS: Duration = Duration::from_secs(16);
/// How many processes there are at least and at most.
const PROCESSES: std::ops::RangeInclusive<usize> = 2..=4;

impl Stage {
    /// What can be done with so many processes.
    pub fn possible(&self, fault: Fault) -> Fault {
        match (fault, self.processes.len()) {
            (Fault::Join, count) if count >= *PROCESSES.end() => Fault::Leave,
            (Fault::Leave, count) if count <= *PROCESSES.start() => Fault::Join,
            _ => fault,
        }
    }

    /// Does it, and undoes what can be undone. The rest of the records comes while it lasts, or after it.
    pub fn apply(&mut self, fault: Fault, rest: usize) {
        let brokers: Vec<usize> = (0..self.cluster.count()).collect();
        let net = self.cluster.net.clone();
        match fault {
            Fault::Kill => {
                self.take().running.kill();
                self.add();
                self.feed.send(rest);
            }
            Fault::KillBeforeCommit => self.kill_at(Api::EndTxn, Side::Request, rest),
            Fault::KillAfterCommit => self.kill_at(Api::EndTxn, Side::Answer, rest),
            Fault::KillBetweenPositionsAndCommit => self.kill_at(Api::TxnOffsetCommit, Side::Answer, rest),
            Fault::KillBeforePosition => self.kill_at(Api::OffsetCommit, Side::Request, rest),
            Fault::KillAll => {
                let count = self.processes.len();
                for _ in 0..count {
                    self.take().running.kill();
                }
                for _ in 0..count {
                    self.add();
                }
                self.feed.send(rest);
            }
            Fault::Terminate | Fault::Leave => {
                let process = self.take();
                let (name, tail) = (process.name.clone(), process.tail());
                self.feed.send(rest);
                let code = process.running.terminate();
                if code != Some(0) {
                    self.complain(format!(
                        "{name} was asked to stop and ended with {code:?}\n{tail}"
                    ));
                }
                if fault == Fault::Terminate {
                    self.add();
                }
            }
            Fault::Join => {
                self.add();
                self.feed.send(rest);
            }
            Fault::Zombie => {
                let index = self.any();
                self.processes[index].running.signal("-STOP");
                self.outlive(rest, PAST_TRANSACTION);
                self.processes[index].running.signal("-CONT");
            }
            Fault::LateCommit => {
                let index = self.any();
                self.catch(index, Api::EndTxn, Side::Request, rest / 2);
                self.processes[index].running.signal("-STOP");
                self.outlive(rest - rest / 2, PAST_TRANSACTION);
                // What waited reaches the broker first.
                net.mend();
                self.processes[index].running.signal("-CONT");
            }
            Fault::CutAtCommit => {
                let index = self.any();
                self.catch(index, Api::EndTxn, Side::Answer, rest);
                net.cut_client(&self.processes[index].name);
                net.mend();
            }
            Fault::Cut | Fault::Silence | Fault::Slow => {
                match fault {
                    Fault::Cut => net.cut(&brokers),
                    Fault::Silence => net.stop(&brokers),
                    _ => net.slow(&brokers, Duration::from_millis(40)),
                }
                self.feed.send(rest);
                let long = Duration::from_millis(self.random.random_range(500..8_000));
                last(long);
                net.mend();
            }
            Fault::CutOne | Fault::SilenceOne => {
                let index = self.any();
                let name = self.processes[index].name.clone();
                let long = if fault == Fault::CutOne {
                    net.cut_client(&name);
                    PAST_SESSION
                } else {
                    net.stop_client(&name);
                    PAST_TRANSACTION
                };
                self.outlive(rest, long);
                net.mend();
            }
            Fault::BrokerStop | Fault::BrokerKill => {
                let broker = self.turn();
                if fault == Fault::BrokerStop {
                    self.cluster.terminate(broker);
                } else {
                    self.cluster.kill(broker);
                }
                if brokers.len() > 1 {
                    // The others go on without it.
                    let long = self.random.random_range(0..6_000);
                    self.outlive(rest, Duration::from_millis(long));
                }
                self.cluster.restart(broker);
                self.feed.send(rest);
            }
            Fault::BrokerPause => {
                let broker = self.turn();
                self.cluster.signal(broker, "-STOP");
                last(Duration::from_millis(self.random.random_range(1_000..7_000)));
                self.cluster.signal(broker, "-CONT");
                self.feed.send(rest);
            }
            Fault::BrokersHang => {
                for broker in &brokers {
                    self.cluster.signal(*broker, "-STOP");
                }
                last(PAST_PATIENCE);
                self.look_at_health();
                for broker in &brokers {
                    self.cluster.signal(*broker, "-CONT");
                }
                self.feed.send(rest);
            }
            Fault::DiskFull => {
                let broker = self.cluster.with_small_disk().unwrap_or(0);
                // Only ours may write on a full disk: whoever sends without transactions is told that an append failed, and cannot know
                // whether it stands in the log all the same.
                self.signal_all("-STOP");
                self.feed.send(rest);
                self.cluster.fill_disk(broker);
                self.signal_all("-CONT");
                self.outlive(0, Duration::ZERO);
                if !self.cluster.ended_of_full_disk(broker) {
                    say("the broker with the full disk had nothing to write, and was killed");
                }
                self.cluster.empty_disk(broker);
                self.cluster.restart(broker);
            }
            Fault::ClockJump => {
                let index = self.any();
                for seconds in ["3600", "-3600", "0"] {
                    std::fs::write(&self.processes[index].clock, seconds).unwrap();
                    self.feed.send(rest / 3);
                    self.wait_for_all("the others work on while a clock jumps");
                }
                self.wakes_or_ends(index);
            }
        }
    }

    fn signal_all(&self, signal: &str) {
        for process in &self.processes {
            process.running.signal(signal);
        }
    }

    /// Kills a process that waits at this request.
    fn kill_at(&mut self, api: Api, side: Side, rest: usize) {
        let index = self.any();
        self.catch(index, api, side, rest);
        let process = self.processes.swap_remove(index);
        // What is caught must not arrive when its sender is dead.
        self.cluster.net.cut_client(&process.name);
        self.memory_mib = self.memory_mib.max(process.memory_mib());
        process.running.kill();
        self.cluster.net.mend();
        self.add();
    }

    /// Waits until a process has made this request, which goes no further.
    fn catch(&mut self, index: usize, api: Api, side: Side, rest: usize) {
        let caught = self.cluster.net.trap(&self.processes[index].name, api, side);
        self.feed.send(rest);
        let begun = Instant::now();
        while caught.recv_timeout(Duration::from_millis(200)).is_err() {
            if begun.elapsed() > patience() {
                let tail = self.processes[index].tail();
                panic!(
                    "{api:?} of {} was waited for in vain\n{tail}",
                    self.processes[index].name
                );
            }
        }
    }

    /// The others work on while something lasts; at least so long.
    fn outlive(&mut self, rest: usize, long: Duration) {
        let begun = Instant::now();
        self.feed.send(rest);
        let sent = self.feed.sent;
        self.wait("the others go on", |stage| {
            stage.watch.ledger().consumed() >= sent
        });
        last(long.saturating_sub(begun.elapsed()));
    }

    /// The client library waits with deadlines on the wall clock, so one that went back may hold a process for as long. It
    /// must notice and end for its supervisor to start again, unless it works on.
    fn wakes_or_ends(&mut self, index: usize) {
        // Until then it counts as ready whatever it does.
        last(PAST_READINESS);
        let deadline = Instant::now() + patience();
        loop {
            let process = &mut self.processes[index];
            if let Some(code) = process.ended() {
                let process = self.processes.swap_remove(index);
                if code != 1 {
                    self.complain(format!("{} ended with {code}\n{}", process.name, process.tail()));
                }
                say("the process whose clock jumped ended by itself");
                self.add();
                return;
            }
            let ready = web::address(&process.log).and_then(|address| web::get(&address, "/readyz"));
            if ready.is_some_and(|told| told.contains("\"ready\":true")) {
                return;
            }
            if Instant::now() >= deadline {
                let complaint = format!("{} neither works nor ends\n{}", process.name, process.tail());
                return self.complain(complaint);
            }
            last(Duration::from_millis(200));
        }
    }

    /// All brokers have been away for long: no process may be given up for it, and none may say that it is ready.
    fn look_at_health(&mut self) {
        let mut told = Vec::new();
        for process in &self.processes {
            let Some(address) = web::address(&process.log) else {
                continue;
            };
            let lives = web::get(&address, "/livez").unwrap_or_default();
            if !lives.contains("\"alive\":true") {
                told.push(format!(
                    "{} is not alive while the brokers hang: {lives}",
                    process.name
                ));
            }
            let ready = web::get(&address, "/readyz").unwrap_or_default();
            if !ready.contains("\"ready\":false") {
                told.push(format!(
                    "{} is ready while the brokers hang: {ready}",
                    process.name
                ));
            }
        }
        told.into_iter().for_each(|it| self.complain(it));
    }

    /// Each broker in turn.
    fn turn(&mut self) -> usize {
        let broker = self.next_broker;
        self.next_broker = (broker + 1) % self.cluster.count();
        broker
    }
}

/// Lets a fault last.
fn last(long: Duration) {
    let end = Instant::now() + long;
    while Instant::now() < end {
        std::thread::park_timeout(end.saturating_duration_since(Instant::now()));
    }
}
