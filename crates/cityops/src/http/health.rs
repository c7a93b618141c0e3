//! Whether the loops of this process live and are ready: atomics that they write and HTTP reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A loop that gives no sign for this long does not live. A round takes about a second, and so does a wait for the broker
/// between two signs, however long it lasts; a look at the ends of the inputs takes up to 13 s.
pub const SILENT_MAX: Duration = Duration::from_secs(30);

/// A loop that has heard nothing from the broker for this long is not ready: it looks at the ends of its inputs every five
/// seconds at least, and a look takes up to three.
pub(super) const UNANSWERED_MAX: Duration = Duration::from_secs(15);

/// So many attempts in a row that failed are no accident any more: a leader that moves or a transaction that times out costs one
/// or two.
const FAILURES_MAX: u32 = 3;

/// After this silence nothing is waited for any more: the process ends so that its supervisor starts another one. The
/// client library's waits, for instance, have their deadlines on the wall clock: one that goes back by an hour holds them for
/// an hour.
pub(super) const SILENT_END: Duration = Duration::from_secs(60);

/// The loops of a process, and what they all need.
#[derive(Debug, Default)]
pub struct Health {
    loops: Mutex<Vec<Arc<LoopHealth>>>,
    grid_loaded: AtomicBool,
}

impl Health {
    /// Adds a loop, before HTTP is served: whatever is added must live and be ready from then on.
    pub fn add_loop(&self, worker: &'static str) -> Arc<LoopHealth> {
        let added = Arc::new(LoopHealth {
            worker,
            begun: Instant::now(),
            beat_ms: AtomicU64::new(0),
            answered_ms: AtomicU64::new(0),
            assigned: AtomicBool::new(false),
            restored: AtomicBool::new(false),
            partitions: AtomicUsize::new(0),
            failing: Mutex::default(),
            gone: Mutex::default(),
        });
        self.loops
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(added.clone());
        added
    }

    /// The grid is loaded.
    pub fn set_grid_loaded(&self) {
        self.grid_loaded.store(true, Ordering::Release);
    }

    /// The loops that have been silent for too long.
    pub fn silent(&self) -> Vec<(&'static str, Duration)> {
        self.silent_at(Instant::now(), SILENT_MAX)
    }

    /// A loop that has been silent for so long that the process had better end.
    pub fn given_up(&self) -> Option<(&'static str, Duration)> {
        self.silent_at(Instant::now(), SILENT_END).pop()
    }

    fn silent_at(&self, now: Instant, limit: Duration) -> Vec<(&'static str, Duration)> {
        let silences = self.loops().into_iter().map(|it| (it.worker, it.silence(now)));
        silences.filter(|(_, silence)| *silence >= limit).collect()
    }

    /// What is missing until the process is ready; empty when it is.
    pub fn missing(&self) -> Vec<String> {
        self.missing_at(Instant::now())
    }

    fn missing_at(&self, now: Instant) -> Vec<String> {
        let mut missing = Vec::new();
        if !self.grid_loaded.load(Ordering::Acquire) {
            missing.push("grid: loaded".to_owned());
        }
        for it in self.loops() {
            if let Some((attempts, why)) = it.failing() {
                missing.push(format!(
                    "{}: a commit, after {attempts} failures in a row: {why}",
                    it.worker
                ));
            } else if !it.assigned.load(Ordering::Acquire) {
                missing.push(format!("{}: assigned", it.worker));
            } else if !it.restored.load(Ordering::Acquire) {
                missing.push(format!("{}: restored", it.worker));
            } else if it.unanswered(now) >= UNANSWERED_MAX {
                let seconds = it.unanswered(now).as_secs();
                missing.push(format!(
                    "{}: an answer from the broker for {seconds} s",
                    it.worker
                ));
            }
            // Of what is not there nothing can be assigned, so a loop that misses nothing else would look well.
            let gone = it.lock_gone();
            missing.extend(
                gone.iter()
                    .map(|topic| format!("{}: the topic {topic}", it.worker)),
            );
        }
        missing
    }

    /// How many input partitions the loops of each worker read here: those of a loop that misses something count for none.
    pub fn reads(&self) -> BTreeMap<&'static str, usize> {
        let (mut read, now) = (BTreeMap::new(), Instant::now());
        for it in self.loops() {
            let is_ready = it.restored.load(Ordering::Acquire)
                && it.unanswered(now) < UNANSWERED_MAX
                && it.failing().is_none();
            let partitions = match is_ready {
                true => it.partitions.load(Ordering::Acquire),
                false => 0,
            };
            *read.entry(it.worker).or_default() += partitions;
        }
        read
    }

    fn loops(&self) -> Vec<Arc<LoopHealth>> {
        self.loops.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One loop of a worker.
#[derive(Debug)]
pub struct LoopHealth {
    worker: &'static str,
    begun: Instant,
    /// The last sign of life, in milliseconds after `begun`.
    beat_ms: AtomicU64,
    /// When the broker last answered, likewise.
    answered_ms: AtomicU64,
    assigned: AtomicBool,
    restored: AtomicBool,
    /// How many partitions it has.
    partitions: AtomicUsize,
    /// The row of failures that it has not got over, and why the last one was.
    failing: Mutex<Option<(u32, String)>>,
    /// Topics that it reads and that are not there.
    gone: Mutex<Vec<String>>,
}

impl LoopHealth {
    /// The worker's name.
    pub fn worker(&self) -> &'static str {
        self.worker
    }

    /// The loop goes round.
    pub fn beat(&self) {
        self.beat_ms.store(self.since_begun(), Ordering::Relaxed);
    }

    /// The broker has answered it.
    pub fn answered(&self) {
        self.answered_ms.store(self.since_begun(), Ordering::Relaxed);
        self.beat();
    }

    /// It has given up its clients and begins again.
    pub fn lost(&self) {
        self.assigned.store(false, Ordering::Release);
        self.restored.store(false, Ordering::Release);
        self.beat();
    }

    /// So many attempts in a row have failed.
    pub fn failed(&self, attempts: u32, why: &str) {
        *self.lock_failing() = Some((attempts, why.to_owned()));
        self.beat();
    }

    /// It has got over what failed.
    pub fn recovered(&self) {
        *self.lock_failing() = None;
    }

    /// These of the topics that it reads are not there.
    pub fn gone(&self, topics: &[String]) {
        topics.clone_into(&mut self.lock_gone());
    }

    fn lock_gone(&self) -> MutexGuard<'_, Vec<String>> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A row of failures that is no accident. Of a loop whose partitions have all gone to others it is theirs to get over.
    fn failing(&self) -> Option<(u32, String)> {
        let has_none = self.assigned.load(Ordering::Acquire) && self.partitions.load(Ordering::Acquire) == 0;
        let failing = self.lock_failing().clone();
        failing.filter(|(attempts, _)| *attempts >= FAILURES_MAX && !has_none)
    }

    fn lock_failing(&self) -> MutexGuard<'_, Option<(u32, String)>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn since_begun(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The group has given it so many partitions, perhaps none; they are to be restored now.
    pub fn assigned(&self, partitions: usize) {
        self.restored.store(false, Ordering::Release);
        self.partitions.store(partitions, Ordering::Release);
        self.assigned.store(true, Ordering::Release);
        self.beat();
    }

    /// They are restored and it reads.
    pub fn restored(&self) {
        self.restored.store(true, Ordering::Release);
        self.beat();
    }

    fn silence(&self, now: Instant) -> Duration {
        self.since(&self.beat_ms, now)
    }

    fn unanswered(&self, now: Instant) -> Duration {
        self.since(&self.answered_ms, now)
    }

    fn since(&self, ms: &AtomicU64, now: Instant) -> Duration {
        let then = self.begun + Duration::from_millis(ms.load(Ordering::Relaxed));
        now.saturating_duration_since(then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_falls_silent_is_named_even_if_its_twin_beats() {
        let health = Health::default();
        let (first, second) = (health.add_loop("enrich"), health.add_loop("correlate"));
        let now = Instant::now();
        assert!(health.silent_at(now + SILENT_MAX / 2, SILENT_MAX).is_empty());
        assert_eq!(health.silent_at(now + SILENT_MAX, SILENT_MAX).len(), 2);
        first.beat_ms.store(20_000, Ordering::Relaxed);
        second.beat_ms.store(9_000, Ordering::Relaxed);
        let silent = health.silent_at(now + Duration::from_secs(40), SILENT_MAX);
        assert_eq!(
            silent.iter().map(|(worker, _)| *worker).collect::<Vec<_>>(),
            ["correlate"]
        );
    }

    #[test]
    fn a_new_assignment_is_to_be_restored_first() {
        let health = Health::default();
        let it = health.add_loop("enrich");
        assert_eq!(health.missing(), ["grid: loaded", "enrich: assigned"]);
        health.set_grid_loaded();
        it.assigned(3);
        assert_eq!(health.missing(), ["enrich: restored"]);
        assert_eq!(health.reads(), [("enrich", 0)].into());
        it.answered();
        it.restored();
        assert!(health.missing().is_empty());
        health.add_loop("enrich");
        assert_eq!(health.reads(), [("enrich", 3)].into(), "the second has none yet");
        it.assigned(3);
        assert_eq!(health.reads(), [("enrich", 0)].into());
        assert_eq!(health.missing(), ["enrich: restored", "enrich: assigned"]);
    }

    #[test]
    fn who_hears_nothing_from_the_broker_lives_and_is_not_ready() {
        let health = Health::default();
        health.set_grid_loaded();
        let it = health.add_loop("enrich");
        it.assigned(3);
        it.answered();
        it.restored();
        let later = Instant::now() + UNANSWERED_MAX + Duration::from_secs(1);
        it.beat_ms.store(16_000, Ordering::Relaxed);
        assert!(health.silent_at(later, SILENT_MAX).is_empty());
        assert_eq!(
            health.missing_at(later),
            ["enrich: an answer from the broker for 16 s"]
        );
        it.answered_ms.store(10_000, Ordering::Relaxed);
        assert!(health.missing_at(later).is_empty());
        it.lost();
        assert_eq!(health.missing_at(later), ["enrich: assigned"]);
    }

    #[test]
    fn who_reads_all_that_there_is_of_what_should_be_there_is_not_ready() {
        let health = Health::default();
        health.set_grid_loaded();
        let it = health.add_loop("enrich");
        it.assigned(3);
        it.answered();
        it.restored();
        it.gone(&["town.city.sensor.readings.v1".to_owned()]);
        assert_eq!(
            health.missing(),
            ["enrich: the topic town.city.sensor.readings.v1"]
        );
        it.gone(&[]);
        assert!(health.missing().is_empty());
    }

    #[test]
    fn a_row_of_failures_is_not_ready_until_it_is_got_over() {
        let health = Health::default();
        health.set_grid_loaded();
        let it = health.add_loop("enrich");
        let restore = |partitions| {
            it.assigned(partitions);
            it.answered();
            it.restored();
        };
        restore(3);
        for attempts in 1..FAILURES_MAX {
            it.failed(attempts, "the log says why");
            assert!(health.missing().is_empty(), "one failure is an accident");
            assert_eq!(health.reads(), [("enrich", 3)].into());
        }
        it.failed(FAILURES_MAX, "town.city.incidents.v1 may not be written");
        let said = ["enrich: a commit, after 3 failures in a row: town.city.incidents.v1 may not be written"];
        assert_eq!(health.missing(), said);
        // Restored once more, it reads, and another partition of it commits.
        restore(3);
        assert_eq!(health.missing(), said);
        assert_eq!(health.reads(), [("enrich", 0)].into());
        it.lost();
        assert_eq!(health.missing(), said, "it begins again");
        restore(0);
        assert!(health.missing().is_empty(), "they are another loop's now");
        restore(1);
        it.recovered();
        assert!(health.missing().is_empty());
        assert_eq!(health.reads(), [("enrich", 1)].into());
    }
}
