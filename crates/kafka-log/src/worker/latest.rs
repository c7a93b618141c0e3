//! Which rows of a changelog still hold: the last one of each key.
//!
//! The broker compacts when it comes to it, and until then most of a busy partition's rows are of incidents that were written again.
//! Reading a row costs a small part of entering it, so a long changelog is read twice: for its keys, and for what holds. By two
//! clients: of one that is assigned again the position may be that of before, and tell of an end that was not reached.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use rdkafka::ClientConfig;

use crate::read::{Record, Span, read_spans};

/// Shorter changelogs are read once: a client of its own costs more.
const LONG: i64 = 20_000;

/// The offset of each key's last row; of none where nobody looked, and every row is to be entered.
pub(super) struct Latest(HashMap<(u64, u64), i64>);

impl Latest {
    /// Looks through parts of a changelog, unless they are short.
    ///
    /// # Errors
    /// When the broker is away or refuses.
    pub(super) fn of(
        config: &ClientConfig,
        spans: &[Span],
        alive: &dyn Fn() -> bool,
    ) -> anyhow::Result<Latest> {
        let mut latest = HashMap::new();
        let offsets: i64 = spans.iter().map(|span| span.end - span.start).sum();
        if offsets < LONG {
            return Ok(Latest(latest));
        }
        read_spans(
            config,
            spans,
            &mut |record| {
                latest.insert(mark(record.partition(), record.key()), record.offset());
                Ok(ControlFlow::Continue(()))
            },
            &mut || alive(),
        )?;
        Ok(Latest(latest))
    }

    /// Whether nothing was written under a row's key after it.
    pub(super) fn holds(&self, record: &Record<'_>) -> bool {
        let last = self.0.get(&mark(record.partition(), record.key()));
        last.is_none_or(|last| *last <= record.offset())
    }
}

/// What stands for a key: 128 bits, which no two of a billion share but once in more changelogs than there will be.
fn mark(partition: i32, key: Option<&[u8]>) -> (u64, u64) {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        (seed, partition, key).hash(&mut hasher);
        hasher.finish()
    };
    (half(0), half(1))
}
