//! Enters the rows of a changelog into their processors, several partitions at once: reading a row back is what a restore
//! takes its time for, and partitions have nothing to do with each other.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use anyhow::Context;
use stream_worker::Processor;

/// Rows are handed over in pieces of so many bytes. They come partition by partition, as much as one answer of the broker had of each,
/// so a lane holds that much: else the reader waits for one lane while the others have nothing.
const PIECE_BYTES: usize = 128 * 1024;
const PIECES_WAITING: usize = 24;
/// How long the reader waits until it looks again whether a lane has room.
const ROOM: Duration = Duration::from_millis(1);

/// Rows of one lane, in order, their bytes one after the other.
#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    rows: Vec<Row>,
}

struct Row {
    /// Which of the lane's processors it belongs to.
    of: usize,
    key: usize,
    /// `None` deletes.
    value: Option<usize>,
}

/// Where the reader puts rows.
pub(super) struct Lanes<'a> {
    lanes: Vec<(SyncSender<Piece>, Piece)>,
    alive: &'a dyn Fn() -> bool,
}

impl Lanes<'_> {
    /// Hands a row to the processor of this number. Rows of one processor are entered in this order.
    ///
    /// # Errors
    /// When a lane has ended, which says itself why, or the loop shall stop.
    pub(super) fn put(&mut self, of: usize, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        let count = self.lanes.len();
        let (_, piece) = &mut self.lanes[of % count];
        piece.bytes.extend_from_slice(key.as_bytes());
        piece.bytes.extend_from_slice(value.unwrap_or_default());
        piece.rows.push(Row {
            of: of / count,
            key: key.len(),
            value: value.map(<[u8]>::len),
        });
        match piece.bytes.len() >= PIECE_BYTES {
            true => self.send(of % count),
            false => Ok(()),
        }
    }

    fn send(&mut self, lane: usize) -> anyhow::Result<()> {
        let (sender, piece) = &mut self.lanes[lane];
        let mut piece = std::mem::take(piece);
        loop {
            match sender.try_send(piece) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(back)) => piece = back,
                Err(TrySendError::Disconnected(_)) => anyhow::bail!("a row could not be entered"),
            }
            anyhow::ensure!((self.alive)(), "stopped while restoring");
            std::thread::park_timeout(ROOM);
        }
    }
}

/// Lets `read` put rows, which are entered meanwhile on `threads` threads; answers when all are entered.
///
/// # Errors
/// What a processor says of a row that it cannot read, or else what `read` says.
pub(super) fn enter(
    processors: Vec<&mut dyn Processor>,
    threads: usize,
    alive: &dyn Fn() -> bool,
    read: impl FnOnce(&mut Lanes<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let threads = threads.clamp(1, processors.len().max(1));
    let mut own: Vec<Vec<&mut dyn Processor>> = (0..threads).map(|_| Vec::new()).collect();
    for (of, processor) in processors.into_iter().enumerate() {
        own[of % threads].push(processor);
    }
    std::thread::scope(|scope| {
        let mut lanes = Vec::with_capacity(threads);
        let mut handles = Vec::with_capacity(threads);
        for own in own {
            let (sender, pieces) = sync_channel(PIECES_WAITING);
            let thread = std::thread::Builder::new().name("restore".to_owned());
            let handle = thread.spawn_scoped(scope, move || enter_all(own, &pieces));
            handles.push(handle.context("no thread for restoring")?);
            lanes.push((sender, Piece::default()));
        }
        let mut lanes = Lanes { lanes, alive };
        let mut told = read(&mut lanes);
        for lane in 0..threads {
            if told.is_ok() {
                told = lanes.send(lane);
            }
        }
        drop(lanes);
        // Why a row could not be entered says more than that one could not.
        for handle in handles {
            handle
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        told
    })
}

/// One lane.
fn enter_all(mut own: Vec<&mut dyn Processor>, pieces: &Receiver<Piece>) -> anyhow::Result<()> {
    for piece in pieces {
        let mut bytes = piece.bytes.as_slice();
        let mut take = |length: usize| -> anyhow::Result<&[u8]> {
            let (taken, rest) = bytes.split_at_checked(length).context("a piece is too short")?;
            bytes = rest;
            Ok(taken)
        };
        for row in piece.rows {
            let key = std::str::from_utf8(take(row.key)?).context("changelog key")?;
            let value = row.value.map(&mut take).transpose()?;
            let processor = own.get_mut(row.of).context("a row of nobody")?;
            processor.restore(key, value)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use stream_worker::{InputRecord, Outbox};

    use super::*;

    /// Keeps its rows in the order in which they came, and refuses one.
    #[derive(Default)]
    struct Keeps(Vec<(String, Option<Vec<u8>>)>);

    impl Processor for Keeps {
        fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
            anyhow::ensure!(key != "bad", "this row is bad");
            self.0.push((key.to_owned(), value.map(<[u8]>::to_vec)));
            Ok(())
        }
        fn begin(&mut self, _out: &mut Outbox) {}
        fn process(&mut self, _record: &InputRecord<'_>, _out: &mut Outbox) {}
        fn checkpoint(&mut self, _out: &mut Outbox) {}
    }

    fn lent(kept: &mut [Keeps]) -> Vec<&mut dyn Processor> {
        kept.iter_mut().map(|it| it as &mut dyn Processor).collect()
    }

    #[test]
    fn each_processor_gets_its_rows_in_their_order() {
        for threads in [1, 2, 3, 8] {
            let mut kept: Vec<Keeps> = (0..5).map(|_| Keeps::default()).collect();
            // More than what may wait: the reader has to wait for room.
            let value = vec![7; 10_000];
            let put = |lanes: &mut Lanes<'_>| {
                for number in 0..10_000_usize {
                    let value = (number % 3 != 0).then_some(&value[..number]);
                    lanes.put(number % 5, &format!("row-{number}"), value)?;
                }
                Ok(())
            };
            enter(lent(&mut kept), threads, &|| true, put).unwrap();
            for (of, own) in kept.iter().enumerate() {
                let expected = (0..10_000).filter(|number| number % 5 == of).map(|number| {
                    let value = (number % 3 != 0).then(|| value[..number].to_vec());
                    (format!("row-{number}"), value)
                });
                assert!(
                    own.0.iter().cloned().eq(expected),
                    "{threads} threads, processor {of}"
                );
            }
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_is_told_and_nothing_hangs() {
        let mut kept: Vec<Keeps> = (0..3).map(|_| Keeps::default()).collect();
        let put = |lanes: &mut Lanes<'_>| {
            lanes.put(1, "bad", None)?;
            for number in 0..100_000 {
                lanes.put(number % 3, "good", Some(&[1; 100]))?;
            }
            Ok(())
        };
        let error = enter(lent(&mut kept), 2, &|| true, put).unwrap_err();
        assert_eq!(error.to_string(), "this row is bad");
    }

    #[test]
    fn what_the_reader_says_is_told_and_no_processors_need_no_rows() {
        let mut kept = [Keeps::default()];
        let error = enter(lent(&mut kept), 2, &|| true, |_| anyhow::bail!("no broker")).unwrap_err();
        assert_eq!(error.to_string(), "no broker");
        enter(Vec::new(), 2, &|| true, |_| Ok(())).unwrap();
    }
}
