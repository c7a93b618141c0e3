//! Nothing is lost and nothing doubled: over restarts, kills and aborted transactions.
#![allow(clippy::unwrap_used)]

mod broker;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use broker::{City, Counter, Running, in_turn, keys, until};
use kafka_log::WorkerConfig;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use stream_worker::{InputRecord, OutRecord, Outbox, Processor};
use wire_format::topics::Topic;

#[test]
fn a_restart_goes_on_from_the_changelog() {
    let city = City::new("restart", 3);
    let all = keys(20, 30);
    city.write(Topic::Sensor, in_turn(&keys(20, 10)));
    let first = Running::start(city.config(&[Topic::Sensor]));
    first.wait_for_records(200);
    first.stop();
    city.write(Topic::Sensor, in_turn(&keys(20, 20)));
    let second = Running::start(city.config(&[Topic::Sensor]));
    second.wait_for_records(400);
    let heard = second.stop();
    assert!(
        heard.restored_rows.load(Ordering::Relaxed) >= 20,
        "a row for each key at least"
    );
    assert_eq!(
        heard.records.load(Ordering::Relaxed),
        400,
        "nothing is read again"
    );
    assert_eq!(heard.aborts.load(Ordering::Relaxed), 0);
    city.check_counted(Topic::Sensor, &all);
}

#[test]
fn tasks_that_share_a_changelog_partition_keep_apart() {
    let city = City::new("share", 2);
    city.write(Topic::Sensor, in_turn(&keys(4, 5)));
    city.write(Topic::Video, in_turn(&keys(4, 5)));
    let first = Running::start(city.config(&[Topic::Sensor, Topic::Video]));
    first.wait_for_records(40);
    first.stop();
    city.write(Topic::Video, in_turn(&keys(4, 2)));
    let second = Running::start(city.config(&[Topic::Sensor, Topic::Video]));
    second.wait_for_records(8);
    second.stop();
    let counted = city.counted();
    for key in keys(4, 0).keys() {
        assert_eq!(
            counted[&format!("city.sensor.readings.v1/{key}")],
            [1, 2, 3, 4, 5]
        );
        assert_eq!(
            counted[&format!("city.video.alerts.v1/{key}")],
            [1, 2, 3, 4, 5, 6, 7]
        );
    }
}

/// A worker process that is killed when the test ends, however it ends.
struct Worker {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Worker {
    fn start(city: &City, arguments: &[&str]) -> Worker {
        // Cargo builds the examples beside the tests.
        let examples = std::env::current_exe()
            .unwrap()
            .parent()
            .unwrap()
            .parent()
            .unwrap()
            .join("examples");
        let mut child = Command::new(examples.join("counting_worker"))
            .arg(&city.prefix)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example counting_worker: cargo builds it unless told to build one test alone");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Worker { child, lines }
    }

    fn wait_for_commits(&mut self, commits: usize) {
        let seen = self
            .lines
            .by_ref()
            .filter(|line| line.as_ref().unwrap().starts_with("committed"))
            .take(commits)
            .count();
        assert_eq!(seen, commits, "the worker ended by itself");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn kill_nine_loses_and_doubles_nothing() {
    let city = City::new("kill", 4);
    let all = keys(50, 600);
    city.write(Topic::Sensor, in_turn(&all));
    for kill in 0..16 {
        let mut worker = Worker::start(&city, &["one"]);
        worker.wait_for_commits(6);
        // A transaction takes some milliseconds: each kill comes a little later in it than the one before.
        let moment = Instant::now() + Duration::from_micros(700) * kill;
        while Instant::now() < moment {
            std::hint::spin_loop();
        }
        worker.kill();
    }
    let rest = Running::start(city.config(&[Topic::Sensor]));
    city.check_counted(Topic::Sensor, &all);
    until("lag 0", || {
        city.lag(&city.config(&[Topic::Sensor]).group_id, Topic::Sensor) == 0
    });
    let heard = rest.stop();
    let records = heard.records.load(Ordering::Relaxed);
    assert!(
        (1..30_000).contains(&records),
        "the killed ones had committed some: {records} were left"
    );
}

#[test]
fn a_survivor_takes_over_from_a_killed_loop() {
    let city = City::new("survivor", 4);
    let all = keys(50, 400);
    let mut victim = Worker::start(&city, &[]);
    let survivor = Running::start(city.config(&[Topic::Sensor]));
    until("the survivor has its half", || survivor.partitions().len() == 2);
    city.write(Topic::Sensor, in_turn(&all));
    victim.wait_for_commits(10);
    victim.kill();
    until("the survivor has all", || survivor.partitions().len() == 4);
    city.check_counted(Topic::Sensor, &all);
    survivor.stop();
}

#[test]
fn a_loop_that_was_given_up_cannot_commit_when_it_comes_back() {
    let city = City::new("zombie", 4);
    let mut zombie = Worker::start(&city, &[]);
    let survivor = Running::start(city.config(&[Topic::Sensor]));
    until("the survivor has its half", || survivor.partitions().len() == 2);
    city.write(Topic::Sensor, in_turn(&keys(50, 400)));
    for round in 1..=3 {
        zombie.wait_for_commits(5);
        zombie.signal("-STOP");
        until("the survivor has all", || survivor.partitions().len() == 4);
        // Within the transaction's timeout: the broker still takes records of the one that comes back.
        let before = survivor.heard.commits.load(Ordering::Relaxed);
        until("the survivor goes on", || {
            survivor.heard.commits.load(Ordering::Relaxed) > before
        });
        zombie.signal("-CONT");
        until("the one that came back has its half again", || {
            survivor.partitions().len() == 2
        });
        city.write(Topic::Sensor, in_turn(&keys(50, 100)));
        city.check_counted(Topic::Sensor, &keys(50, 400 + 100 * round));
    }
    survivor.stop();
}

/// A counter that once hands over a record which is too large.
struct FailsOnce {
    counter: Counter,
    failed: Arc<AtomicBool>,
    large: u64,
}

impl Processor for FailsOnce {
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        self.counter.restore(key, value)
    }

    fn begin(&mut self, out: &mut Outbox) {
        self.counter.begin(out);
    }

    fn process(&mut self, record: &InputRecord<'_>, out: &mut Outbox) {
        self.counter.process(record, out);
        if record.offset == 60 && !self.failed.swap(true, Ordering::Relaxed) {
            // Every byte another one than its neighbours: compression does not make it small.
            let large = (0..self.large / 8)
                .flat_map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_le_bytes())
                .collect();
            out.records
                .push(OutRecord::keyed(Topic::Late, "large", Some(large)));
        }
    }

    fn checkpoint(&mut self, out: &mut Outbox) {
        self.counter.checkpoint(out);
    }
}

/// Runs over a record of so many bytes, and does what was given up with it again.
fn fails_once(city: &City, large: u64, linger_ms: &str) {
    city.write(Topic::Sensor, in_turn(&keys(10, 40)));
    let failed = Arc::new(AtomicBool::new(false));
    let mut config = WorkerConfig {
        max_batch_records: 30,
        ..city.config(&[Topic::Sensor])
    };
    config
        .properties
        .insert("linger.ms".to_owned(), linger_ms.to_owned());
    let running = Running::with(config, move |_, _| {
        Box::new(FailsOnce {
            counter: Counter::default(),
            failed: failed.clone(),
            large,
        })
    });
    city.check_counted(Topic::Sensor, &keys(10, 40));
    until("lag 0", || {
        city.lag(&city.config(&[Topic::Sensor]).group_id, Topic::Sensor) == 0
    });
    let heard = running.stop();
    assert_eq!(
        heard.aborts.load(Ordering::Relaxed),
        1,
        "what follows the one that failed is taken"
    );
    assert_eq!(
        heard.restored_tasks.load(Ordering::Relaxed),
        4,
        "both partitions, twice"
    );
    assert_eq!(
        heard.records.load(Ordering::Relaxed),
        400,
        "each record was committed once"
    );
}

#[test]
fn after_a_failed_transaction_everything_is_restored_and_done_again() {
    // The topic refuses it.
    fails_once(&City::new("failed", 2), 160_000, "5");
}

#[test]
fn records_that_still_waited_when_a_transaction_failed_leave_no_gap() {
    // The client refuses it, at once, and those before it are still in its queue.
    fails_once(&City::new("gap", 2), 30_000_000, "300");
}

fn transactional(id: &str) -> BaseProducer {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", broker::bootstrap())
        .set("transactional.id", id)
        .create()
        .unwrap();
    producer.init_transactions(Duration::from_secs(20)).unwrap();
    producer
}

fn write_in_transaction(producer: &BaseProducer, city: &City, keys: &[&str], commit: bool) {
    producer.begin_transaction().unwrap();
    for key in keys {
        producer
            .send(
                BaseRecord::<str, str>::to(&city.topic(Topic::Sensor))
                    .key(key)
                    .payload("x"),
            )
            .map_err(|it| it.0)
            .unwrap();
    }
    producer.flush(Duration::from_secs(20)).unwrap();
    if commit {
        producer.commit_transaction(Duration::from_secs(20)).unwrap();
    } else {
        producer.abort_transaction(Duration::from_secs(20)).unwrap();
    }
}

#[test]
fn aborted_records_do_not_exist_and_control_records_leave_no_lag() {
    let city = City::new("aborted", 2);
    let producer = transactional(&city.prefix);
    let running = Running::start(city.config(&[Topic::Sensor]));
    write_in_transaction(&producer, &city, &["a", "b", "c", "d"], true);
    write_in_transaction(&producer, &city, &["a", "x", "y", "z"], false);
    write_in_transaction(&producer, &city, &["a", "b"], true);
    write_in_transaction(&producer, &city, &["c", "d", "x"], false);
    running.wait_for_records(6);
    until("lag 0", || {
        city.lag(&city.config(&[Topic::Sensor]).group_id, Topic::Sensor) == 0
    });
    let heard = running.stop();
    assert_eq!(heard.records.load(Ordering::Relaxed), 6);
    let expected = [("a", 2), ("b", 2), ("c", 1), ("d", 1)].map(|(key, count)| (key.to_owned(), count));
    city.check_counted(Topic::Sensor, &expected.into());
}
