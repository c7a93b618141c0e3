//! Follows what is committed, in every process: any of them answers for the whole city.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use city_model::{EventTime, Ledger};
use kafka_log::Properties;
use kafka_log::read::Record;
use kafka_log::tail::{Tail, follow};
use wire_format::{Topic, Unread};

use crate::board::Board;
use crate::committed::{Committed, HeardOf, LedgerRows};
use crate::feed::{Change, Feed, Place};
use crate::metrics::{Appended, Metrics};
use crate::outputs::ReadBack;
use crate::vitals::VitalsBoard;

/// What every process follows.
pub(crate) const FOLLOWED: [Topic; 4] = [
    Topic::Incidents,
    Topic::Vitals,
    Topic::EnrichChangelog,
    Topic::CorrelateChangelog,
];

/// How long to wait before the follower of a broken connection starts again.
const FOLLOW_AGAIN: Duration = Duration::from_secs(1);

/// How often it says of the same that it does.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// The follower's thread.
pub(crate) struct Following {
    thread: JoinHandle<()>,
    /// Nothing comes by it: it is cut when the thread ends.
    ended: Receiver<()>,
}

impl Following {
    /// Waits for the end, which was asked for, so long at most: a look at a broker that is away takes seconds.
    pub(crate) fn join(self, at_most: Duration) {
        if self.ended.recv_timeout(at_most) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the board's follower still waits for the broker; it is left to itself");
        } else if self.thread.join().is_err() {
            tracing::error!("the board's follower panicked");
        }
    }
}

/// What follows, and whom it tells.
pub(crate) struct Follower {
    pub(crate) properties: Properties,
    pub(crate) prefix: String,
    pub(crate) board: Arc<Board>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) vitals: Arc<VitalsBoard>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) committed: Arc<Committed>,
    pub(crate) read_back: ReadBack,
    /// Incidents that were opened from then on, by the log's clock, tell how long they took; `None` where that clock is not
    /// the one of the outputs.
    pub(crate) latency_from: Option<EventTime>,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Follower {
    /// Starts the thread, which ends by `stop`.
    pub(crate) fn start(self) -> anyhow::Result<Following> {
        let (here, ended) = channel();
        let thread = std::thread::Builder::new()
            .name("board".to_owned())
            .spawn(move || {
                let _here = here;
                self.work();
            })
            .context("start the board's follower")?;
        Ok(Following { thread, ended })
    }

    fn work(&self) {
        let mut followed = FOLLOWED.to_vec();
        if self.committed.keeps_grouping() {
            followed.push(Topic::Outcomes);
        }
        let mut said: Option<(String, Instant)> = None;
        let mut taken = Taken::default();
        while !self.stop.load(Ordering::Relaxed) {
            let (mut rows, mut heard) = (LedgerRows::default(), HeardOf::default());
            // Half of the rows are half of the ledger: it would seem to grow by all that ever was.
            let mut caught_up = false;
            let each = |tail: Tail<'_>| match tail {
                Tail::Begins(topic, partition, end) => taken.begins(topic, partition, end),
                Tail::CaughtUp => {
                    caught_up = true;
                    self.ledger(rows.sum());
                    self.metrics.senders().known(heard.systems());
                    self.board.set_caught_up();
                }
                Tail::Record(topic @ (Topic::Incidents | Topic::Vitals | Topic::Outcomes), record) => {
                    if !taken.take(topic, record.partition(), record.offset()) {
                        return; // removed by now, or newer already
                    }
                    match topic {
                        Topic::Incidents => self.incident(&record),
                        Topic::Vitals => self.vitals(&record),
                        _ => self.outcome(&record),
                    }
                }
                Tail::Record(topic, record) => {
                    if let Some(heard) = heard.take(record.key(), record.value())
                        && caught_up
                    {
                        self.metrics.senders().heard(&heard.system, heard.at);
                    }
                    if rows.take(topic, record.partition(), record.key(), record.value()) && caught_up {
                        self.ledger(rows.sum());
                    }
                }
            };
            if let Err(error) = follow(&self.properties, &self.prefix, &followed, each, &self.stop) {
                let error = format!("{error:#}");
                // The same once a minute is enough.
                if said
                    .as_ref()
                    .is_none_or(|(last, at)| *last != error || at.elapsed() >= SAY_AGAIN)
                {
                    tracing::warn!(error, "the board's follower starts again");
                    said = Some((error, Instant::now()));
                }
                std::thread::park_timeout(FOLLOW_AGAIN);
            }
        }
    }

    fn ledger(&self, ledger: Ledger) {
        self.metrics.set_ledger(&ledger);
        self.committed.set_ledger(ledger);
    }

    fn incident(&self, record: &Record<'_>) {
        let appended = self.latency_from.map(|from| Appended {
            at: record.timestamp(),
            from,
        });
        self.metrics.output_at(record.timestamp());
        let json = record
            .value()
            .map(|value| self.waiting(|| self.read_back.incident_json(value)))
            .transpose();
        let place = Place {
            partition: record.partition(),
            offset: record.offset(),
        };
        let key = record.key().unwrap_or_default();
        let taken = match &json {
            Ok(json) => {
                let grouped = json
                    .as_deref()
                    .map_or(Ok(()), |json| self.committed.incident(json));
                grouped
                    .map_err(Into::into)
                    .and_then(|()| self.board.take(place, key, json.as_deref()))
            }
            // On its way out: nobody asks the board any more.
            Err(Unread::Later(_)) => return,
            Err(error) => Err(error.clone().into()),
        };
        let id = std::str::from_utf8(key).unwrap_or_default();
        let change = match &taken {
            Ok(Some(taken)) => Some(Change {
                place,
                id: id.into(),
                before: taken.before.clone(),
                after: taken.after.clone(),
            }),
            // A tombstone whose incident was compacted away: somebody may have been told of it yesterday.
            Ok(None) if matches!(json, Ok(None)) => Some(Change {
                place,
                id: id.into(),
                before: None,
                after: None,
            }),
            _ => None,
        };
        self.feed.read(place, record.timestamp(), change);
        match taken {
            Ok(Some(taken)) => self.metrics.incident_published(&taken, appended),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), offset = record.offset(), "unreadable incident");
                self.metrics.incident_unreadable();
            }
        }
    }

    fn vitals(&self, record: &Record<'_>) {
        let told = record
            .value()
            .map(|value| self.waiting(|| self.read_back.vitals(value)));
        match told.transpose() {
            Ok(Some(told)) => self.vitals.put(told),
            Ok(None) => self.vitals.remove(record.key().unwrap_or_default()),
            Err(Unread::Later(_)) => {}
            Err(error) => tracing::error!(%error, offset = record.offset(), "unreadable vital signs"),
        }
    }

    fn outcome(&self, record: &Record<'_>) {
        let told = record
            .value()
            .map(|value| self.waiting(|| self.read_back.outcome(value)))
            .transpose();
        match told {
            Ok(told) => self.committed.outcome(record.key(), told),
            Err(Unread::Later(_)) => {}
            Err(error) => tracing::error!(%error, offset = record.offset(), "unreadable outcome"),
        }
    }

    /// Reads again until the schema has come, or the process stops: what the board shows would be wrong without it.
    fn waiting<T>(&self, read: impl Fn() -> Result<T, Unread>) -> Result<T, Unread> {
        let mut told = false;
        loop {
            match read() {
                Err(Unread::Later(schema)) if !self.stop.load(Ordering::Relaxed) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(schema, "the board waits for a schema of the registry");
                    }
                }
                settled => return settled,
            }
        }
    }
}

/// How far topics were taken in whose records are not taken twice: a follower that starts again reads from the beginning, and what
/// was removed long ago would be told anew.
#[derive(Default)]
struct Taken(BTreeMap<(Topic, i32), i64>);

impl Taken {
    /// A partition that ends before what was taken is another one: its topic was made anew, or lost its end with a broker.
    fn begins(&mut self, topic: Topic, partition: i32, end: i64) {
        if let Some(next) = self.0.get_mut(&(topic, partition)) {
            *next = if end < *next { 0 } else { *next };
        }
    }

    /// Whether a record comes for the first time.
    fn take(&mut self, topic: Topic, partition: i32, offset: i64) -> bool {
        let next = self.0.entry((topic, partition)).or_default();
        let is_new = offset >= *next;
        *next = (*next).max(offset + 1);
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_that_does_not_end_is_not_waited_for() {
        let (go, gone) = channel::<()>();
        let (here, ended) = channel();
        let thread = std::thread::spawn(move || {
            let _here = here;
            let _ = gone.recv();
        });
        let following = Following { thread, ended };
        following.join(Duration::from_millis(1));
        go.send(()).expect("it is still there");
    }

    #[test]
    fn a_record_is_taken_once_unless_its_partition_is_another_one() {
        let mut taken = Taken::default();
        let all = |taken: &mut Taken, end: i64| {
            taken.begins(Topic::Incidents, 0, end);
            let new = (0..end).filter(|offset| taken.take(Topic::Incidents, 0, *offset));
            new.collect::<Vec<i64>>()
        };
        assert_eq!(all(&mut taken, 3), [0, 1, 2]);
        assert_eq!(all(&mut taken, 5), [3, 4]);
        assert_eq!(all(&mut taken, 5), [] as [i64; 0]);
        assert_eq!(all(&mut taken, 2), [0, 1], "made anew");
        assert!(taken.take(Topic::Incidents, 1, 0), "each partition by itself");
        assert!(taken.take(Topic::Vitals, 0, 0), "each topic by itself");
    }
}
