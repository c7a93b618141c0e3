//! What can be done to a run, and a seeded plan of it.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Everything that is done to the processes, the network and the brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// SIGKILL of a process at any moment.
    Kill,
    /// SIGKILL when everything is sent and the commit is on its way: the broker never hears of it.
    KillBeforeCommit,
    /// SIGKILL when the broker has committed and the process does not know yet.
    KillAfterCommit,
    /// SIGKILL between the positions and the commit.
    KillBetweenPositionsAndCommit,
    /// SIGKILL between a commit and the position beside it: only what is broken on purpose has such a moment.
    KillBeforePosition,
    /// SIGKILL of all processes at once.
    KillAll,
    /// SIGTERM of a process, which must drain and exit with 0; another one takes its place.
    Terminate,
    /// One process more.
    Join,
    /// One process fewer, by SIGTERM.
    Leave,
    /// A process sleeps for longer than its session and its transactions last, and wakes up.
    Zombie,
    /// The same with a commit on its way, which the broker gets when all is over.
    LateCommit,
    /// The connection breaks when the broker has committed and the process does not know yet.
    CutAtCommit,
    /// No network for all.
    Cut,
    /// No network for one process, for longer than its session lasts.
    CutOne,
    /// Connections stay, and nothing passes.
    Silence,
    /// The same for one process, for longer than its session and its transactions last.
    SilenceOne,
    /// Everything is late.
    Slow,
    /// A broker is stopped and started again.
    BrokerStop,
    /// A broker is killed and started again.
    BrokerKill,
    /// A broker stands still for some seconds.
    BrokerPause,
    /// All brokers stand still for longer than a worker waits for an answer: it must give up by itself, live, and not
    /// say that it is ready.
    BrokersHang,
    /// A broker's disk is full; it ends, gets room and is started again.
    DiskFull,
    /// The wall clock of a process jumps by an hour, forward and back.
    ClockJump,
}

impl Fault {
    /// All of them, and how often each is in a deck.
    pub const ALL: [(Fault, usize); 22] = [
        (Fault::Kill, 4),
        (Fault::KillBeforeCommit, 4),
        (Fault::KillAfterCommit, 4),
        (Fault::KillBetweenPositionsAndCommit, 3),
        (Fault::KillAll, 1),
        (Fault::Terminate, 2),
        (Fault::Join, 2),
        (Fault::Leave, 2),
        (Fault::Zombie, 1),
        (Fault::LateCommit, 1),
        (Fault::CutAtCommit, 4),
        (Fault::Cut, 2),
        (Fault::CutOne, 2),
        (Fault::Silence, 2),
        (Fault::SilenceOne, 1),
        (Fault::Slow, 1),
        (Fault::BrokerStop, 1),
        (Fault::BrokerKill, 2),
        (Fault::BrokerPause, 2),
        (Fault::BrokersHang, 1),
        (Fault::DiskFull, 1),
        (Fault::ClockJump, 1),
    ];

    /// Those of the short run: one broker, a minute and a half.
    pub const SHORT: [Fault; 12] = [
        Fault::Kill,
        Fault::KillBeforeCommit,
        Fault::KillAfterCommit,
        Fault::KillBetweenPositionsAndCommit,
        Fault::CutAtCommit,
        Fault::Terminate,
        Fault::Join,
        Fault::Leave,
        Fault::Zombie,
        Fault::Silence,
        Fault::BrokerStop,
        Fault::BrokerKill,
    ];
}

/// The short run's faults in an order that the seed gives.
pub fn short(random: &mut ChaCha8Rng) -> Vec<Fault> {
    shuffled(Fault::SHORT.to_vec(), random)
}

/// At least so many faults: whole decks, each shuffled, the last one cut. What cannot be done here is left out.
pub fn long(random: &mut ChaCha8Rng, count: usize, can: impl Fn(Fault) -> bool) -> Vec<Fault> {
    let deck: Vec<Fault> = Fault::ALL
        .iter()
        .filter(|(fault, _)| can(*fault))
        .flat_map(|(fault, times)| std::iter::repeat_n(*fault, *times))
        .collect();
    let mut plan = Vec::new();
    while plan.len() < count {
        plan.extend(shuffled(deck.clone(), random));
    }
    plan.truncate(count);
    plan
}

fn shuffled(mut faults: Vec<Fault>, random: &mut ChaCha8Rng) -> Vec<Fault> {
    for last in (1..faults.len()).rev() {
        faults.swap(last, random.random_range(0..=last));
    }
    faults
}
