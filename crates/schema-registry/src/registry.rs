//! What is known of a registry's schemas, and the one thread that fetches what is not.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use wire_format::{SchemaAnswer, SchemaCounts, SchemaSource, WriterSchema};

use crate::client::Fetched;
use crate::waiting::Pause;
use crate::{Address, Authorities, Client, Credentials};

/// The pause after a first request that failed; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// After how long an id that the registry did not have is asked for again: it may have been registered since.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);
/// Ids without a usable schema that are remembered. Whoever sends ids at random must not fill the memory.
const NEVER_MAX: usize = 4_096;

/// What a registry is reached with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryConfig {
    /// Where it is.
    pub address: Address,
    /// Who asks, if the registry wants to know.
    pub credentials: Option<Credentials>,
    /// Who must have signed its certificate; needed for `https`.
    pub authorities: Option<Authorities>,
    /// How long one whole request may take.
    pub timeout: Duration,
}

/// A registry's schemas. Known ones stay known, whatever becomes of the registry.
pub struct Registry {
    config: RegistryConfig,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    known: FxHashMap<u32, Arc<WriterSchema>>,
    never: FxHashMap<u32, Never>,
    wanted: BTreeSet<u32>,
    counts: SchemaCounts,
    started: bool,
    ended: bool,
}

struct Never {
    why: String,
    since: Instant,
    /// Another answer is possible later.
    passes: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of the state is a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// The registry; nothing is asked before the first id that is not known.
    pub fn new(config: RegistryConfig) -> Registry {
        Registry {
            config,
            shared: Arc::new(Shared {
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
        }
    }

    /// What it is reached with.
    pub fn config(&self) -> &RegistryConfig {
        &self.config
    }

    /// Waits until what is known of `id` is settled, at most so long. For commands that have nothing else to do.
    pub fn wait_for(&self, id: u32, within: Duration) -> SchemaAnswer {
        let end = Instant::now() + within;
        loop {
            let answer = self.ask(id);
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || !matches!(answer, SchemaAnswer::Later) {
                return answer;
            }
            let state = self.shared.lock();
            if state.wanted.contains(&id) {
                // Woken by whatever is settled next; then the question is asked again.
                drop(self.shared.changed.wait_timeout(state, left));
            }
        }
    }

    /// Starts the thread that fetches, at the first id to fetch: commands that meet none need none.
    fn start(&self, state: &mut State) {
        if state.started {
            return;
        }
        let client = Client::new(&self.config);
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name("schema-registry".to_owned());
        match thread.spawn(move || fetch(&shared, &client)) {
            Ok(_) => state.started = true,
            // The next question tries again.
            Err(error) => {
                tracing::error!(%error, "the thread that asks the schema registry could not be started")
            }
        }
    }
}

impl SchemaSource for Registry {
    fn ask(&self, id: u32) -> SchemaAnswer {
        let mut state = self.shared.lock();
        if let Some(schema) = state.known.get(&id) {
            return SchemaAnswer::Known(Arc::clone(schema));
        }
        if let Some(never) = state.never.get(&id)
            && !(never.passes && never.since.elapsed() >= UNKNOWN_FOR)
        {
            return SchemaAnswer::Never(never.why.clone());
        }
        if state.wanted.insert(id) {
            self.start(&mut state);
            self.shared.changed.notify_all();
        }
        SchemaAnswer::Later
    }

    fn last(&self, id: u32) -> SchemaAnswer {
        let state = self.shared.lock();
        match (state.known.get(&id), state.never.get(&id)) {
            (Some(schema), _) => SchemaAnswer::Known(Arc::clone(schema)),
            (None, Some(never)) => SchemaAnswer::Never(never.why.clone()),
            (None, None) => SchemaAnswer::Later,
        }
    }

    fn counts(&self) -> SchemaCounts {
        self.shared.lock().counts
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registry({})", self.config.address)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // A request under way ends by its timeout; nobody waits for it.
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
    }
}

/// Fetches what is wanted, one after the other, until the registry is dropped.
fn fetch(shared: &Shared, client: &Client) {
    let mut pause = Pause::new(PAUSE_MIN, PAUSE_MAX);
    let mut last = 0;
    while let Some(id) = next(shared, last) {
        last = id;
        let fetched = match client.schema(id) {
            Fetched::Schema(text) => match WriterSchema::parse(&text) {
                Ok(schema) => Ok(Ok(schema)),
                Err(error) => Ok(Err((error.to_string(), false))),
            },
            Fetched::Unknown => Ok(Err(("the registry has none".to_owned(), true))),
            Fetched::Unusable(why) => Ok(Err((why, false))),
            Fetched::Trouble(why) => Err(why),
        };
        let mut state = shared.lock();
        state.counts.up = Some(fetched.is_ok());
        match fetched {
            Ok(settled) => {
                pause.reset();
                settle(&mut state, id, settled);
                drop(state);
                shared.changed.notify_all();
            }
            Err(reason) => {
                state.counts.failed += 1;
                let pause = pause.grow();
                tracing::warn!(
                    registry = %client.address(),
                    schema = id,
                    reason,
                    pause_ms = pause.as_millis() as u64,
                    "the schema registry does not answer: records of this schema wait"
                );
                rest(shared, state, pause);
            }
        }
    }
}

/// The next id to fetch, in turn after the last one: one that only makes trouble must not stand before the others. `None`
/// when the registry was dropped.
fn next(shared: &Shared, last: u32) -> Option<u32> {
    let mut state = shared.lock();
    loop {
        if state.ended {
            return None;
        }
        let after = state.wanted.range(last.saturating_add(1)..).next();
        if let Some(id) = after.or(state.wanted.first()) {
            return Some(*id);
        }
        state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Waits out a pause; what is asked meanwhile does not shorten it.
fn rest(shared: &Shared, mut state: MutexGuard<'_, State>, pause: Duration) {
    let end = Instant::now() + pause;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || state.ended {
            return;
        }
        let waited = shared.changed.wait_timeout(state, left);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn settle(state: &mut State, id: u32, settled: Result<WriterSchema, (String, bool)>) {
    state.wanted.remove(&id);
    state.never.remove(&id);
    match settled {
        Ok(schema) => {
            state.counts.found += 1;
            tracing::info!(schema = id, "a schema was fetched");
            state.known.insert(id, Arc::new(schema));
        }
        Err((why, passes)) => {
            match passes {
                true => state.counts.unknown += 1,
                false => state.counts.unusable += 1,
            }
            tracing::warn!(schema = id, why, "records of this schema are dead letters");
            if state.never.len() >= NEVER_MAX
                && let Some(oldest) = state
                    .never
                    .iter()
                    .min_by_key(|(_, never)| never.since)
                    .map(|(id, _)| *id)
            {
                state.never.remove(&oldest);
            }
            let since = Instant::now();
            state.never.insert(id, Never { why, since, passes });
        }
    }
}
