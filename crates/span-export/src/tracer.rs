//! What a loop tells while it works: steps of traced records wait for their transaction, and go out when it commits.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use stream_worker::Step;

use crate::exporter::Queue;
use crate::ids;
use crate::span::{Place, of_step, of_transaction};

/// Most steps of one transaction: a batch of nothing but sampled records.
const STEPS_MAX: usize = 10_000;

thread_local! {
    /// A loop decides and commits on one thread of its own, so what it told since its last commit is that thread's.
    static OPEN: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
}

/// A committed transaction of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transaction<'a> {
    /// The worker.
    pub worker: &'a str,
    /// Records read.
    pub records: u64,
    /// Records written.
    pub written: u64,
    /// Bytes read.
    pub bytes: u64,
    /// From the first record read to the commit.
    pub duration: Duration,
    /// Of that, deciding.
    pub deciding: Duration,
    /// Of that, sending and committing.
    pub committing: Duration,
}

/// Takes what loops tell, and never blocks.
#[derive(Debug, Clone)]
pub struct Tracer {
    queue: Arc<Queue>,
    share: f64,
}

impl Tracer {
    pub(crate) fn new(queue: Arc<Queue>, share: f64) -> Tracer {
        Tracer { queue, share }
    }

    /// A step of a sampled trace, in a transaction that this thread has open.
    pub fn step(&self, step: Step) {
        OPEN.with_borrow_mut(|open| {
            if open.len() < STEPS_MAX {
                open.push(step);
            } else {
                self.queue.count_dropped(1);
            }
        });
    }

    /// This thread's transaction is committed. It is exported with the steps that it holds, and without any in the
    /// configured share of cases.
    pub fn committed(&self, transaction: &Transaction<'_>) {
        let steps = OPEN.take();
        if steps.is_empty() && !ids::is_kept(self.share) {
            return;
        }
        let now = SystemTime::now();
        let place = Place {
            trace: ids::trace(),
            span: ids::span(),
        };
        for span in of_transaction(transaction, now, place, ids::span) {
            self.queue.put(span);
        }
        for step in &steps {
            self.queue.put(of_step(step, now, place));
        }
    }

    /// This thread's transaction is given up: its records are decided again, and told again.
    pub fn aborted(&self) {
        OPEN.take();
    }
}
