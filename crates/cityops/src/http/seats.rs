//! Seats: how many connections there are, and who gives one up when there is none left for the next.
//!
//! A connection that waits (for TLS, for the whole head of a request, between two requests) is asked to go when somebody else
//! comes and no seat is free, the one that has waited longest first. So connections that ask for nothing keep nobody out. One
//! that is being answered keeps its seat; only on the seats of probes, whose answers take no time, it goes as well.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// A number of seats.
pub(super) struct Seats {
    limit: usize,
    answered_stay: bool,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Given to each that begins to wait, so the least has waited longest.
    turn: u64,
    /// Who may be asked to go, by turn.
    waiting: BTreeMap<u64, u64>,
    guests: BTreeMap<u64, Guest>,
}

struct Guest {
    turn: Option<u64>,
    /// Asks it to go.
    _leave: oneshot::Sender<()>,
}

impl Held {
    fn wait(&mut self, number: u64) {
        self.turn += 1;
        let turn = self.turn;
        // Who was asked to go has no seat any more.
        if let Some(guest) = self.guests.get_mut(&number)
            && guest.turn.is_none()
        {
            guest.turn = Some(turn);
            self.waiting.insert(turn, number);
        }
    }

    fn no_longer_waits(&mut self, number: u64) {
        if let Some(turn) = self.guests.get_mut(&number).and_then(|guest| guest.turn.take()) {
            self.waiting.remove(&turn);
        }
    }
}

/// A seat, as long as it is held.
pub(super) struct Seat {
    seats: Arc<Seats>,
    number: u64,
}

/// Tells that the seat is wanted by somebody else.
pub(super) type Wanted = oneshot::Receiver<()>;

/// An answer under way: meanwhile the connection waits for nothing.
pub(super) struct Answering(Arc<Seat>);

impl Seats {
    /// So many seats; `answered_stay` says whether an answer under way may be cut off for the next.
    pub(super) fn new(limit: usize, answered_stay: bool) -> Arc<Seats> {
        Arc::new(Seats {
            limit,
            answered_stay,
            held: Mutex::default(),
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat, what tells that it is wanted, and whether somebody had to go for it; none where all are being answered.
    pub(super) fn take(self: &Arc<Seats>) -> Option<(Seat, Wanted, bool)> {
        let mut held = self.held();
        let full = held.guests.len() >= self.limit;
        if full {
            let (_, number) = held.waiting.pop_first()?;
            // With its sender gone, its connection is told.
            held.guests.remove(&number);
        }
        let (leave, wanted) = oneshot::channel();
        let number = held.turn + 1;
        held.guests.insert(
            number,
            Guest {
                turn: None,
                _leave: leave,
            },
        );
        held.wait(number);
        let seat = Seat {
            seats: self.clone(),
            number,
        };
        Some((seat, wanted, full))
    }
}

impl Seat {
    /// Begins an answer, until what is given is dropped.
    pub(super) fn answering(self: &Arc<Seat>) -> Answering {
        if self.seats.answered_stay {
            self.seats.held().no_longer_waits(self.number);
        }
        Answering(self.clone())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let seat = &self.0;
        seat.seats.held().wait(seat.number);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut held = self.seats.held();
        held.no_longer_waits(self.number);
        held.guests.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_wanted(wanted: &mut Wanted) -> bool {
        wanted.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn who_has_waited_longest_goes_first_and_who_is_answered_stays() {
        let seats = Seats::new(3, true);
        let mut guests: Vec<(Arc<Seat>, Wanted)> = (0..3)
            .map(|_| {
                let (seat, wanted, for_it) = seats.take().unwrap();
                assert!(!for_it);
                (Arc::new(seat), wanted)
            })
            .collect();
        // The first is answered, the second was answered and waits again: so the third has waited longest.
        let first = guests[0].0.answering();
        drop(guests[1].0.answering());
        let (fourth, mut wanted, for_it) = seats.take().unwrap();
        assert!(for_it && !is_wanted(&mut wanted));
        let asked: Vec<bool> = guests.iter_mut().map(|(_, wanted)| is_wanted(wanted)).collect();
        assert_eq!(asked, [false, false, true]);
        // Who was asked to go and ends, or is answered meanwhile, takes no seat with it.
        drop(guests[2].0.answering());
        drop(guests.remove(2));
        let (fifth, _wanted, for_it) = seats.take().unwrap();
        assert!(for_it && is_wanted(&mut guests[1].1) && !is_wanted(&mut guests[0].1));
        // All are answered: nobody has to go, and nobody comes.
        let all = [Arc::new(fourth), Arc::new(fifth)].map(|seat| (seat.answering(), seat));
        assert!(seats.take().is_none());
        drop((first, all));
        guests.clear();
        let taken: Vec<_> = (0..3).map(|_| seats.take().unwrap()).collect();
        assert!(taken.iter().all(|(_, _, for_it)| !for_it));
    }

    #[test]
    fn on_the_seats_of_probes_the_oldest_goes_whatever_it_does() {
        let seats = Seats::new(1, false);
        let (seat, mut wanted, _) = seats.take().unwrap();
        let seat = Arc::new(seat);
        let _answering = seat.answering();
        assert!(seats.take().is_some() && is_wanted(&mut wanted));
    }
}
