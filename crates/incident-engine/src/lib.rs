//! Which events are one incident, and how urgent: decide and apply, nothing else.
//!
//! # The rule
//!
//! The meaning is a batch program over events sorted by their *turns*: (place in time, source rank, identity). The place is
//! `max(event_time, ingested_at − reorder)`, see [`city_model::Event::order_time`]: it follows from the record alone. A vague
//! report of what a storm brings in numbers takes it an hour later (`waits_ms`, which intake writes), and so does a ticket that
//! cites another: those that know better where it was have founded their incidents by then. It is decided at once all the same,
//! and again when one comes whose turn is before it. Each event in turn
//!
//! 1. is `duplicate_id` when its identity was seen, `late` when it came later than its source may;
//! 2. if it is a clear signal, clears its device's incident;
//! 3. joins the incident of the ticket that it cites (that of the ticket's first event before it), if that is of its group, unless it
//!    is a danger of its own beside it: graver, or a threat to lives where that is none, and never one with it. Then the two are
//!    `related`;
//! 4. else, read as its own kind, the first founded incident with its component, then with its device, of the same kind or a pair in
//!    `merges_with`, within the window;
//! 5. else the one with the least `distance / radius`, if at most 1, in the window and the extent; ties go to the nearer, then to
//!    the one founded first;
//! 6. else, without a place, by its address in its town: where the kind says how much doubt it bears the incident on one of its
//!    roads with the least, else the first founded at the very address; with a place, one of those that have none;
//! 7. else, by 4 to 6 as one of its other readings: of the same group, never a milder kind, never farther than its own kind reaches;
//! 8. else opens one.
//!
//! Where rules were learned from a history (`[learned]`), their table says of two kinds by points whether they join, and ranks
//! by them (`learned`).
//! A kind that says how much `doubt` it bears is weighed by that: distance in squared sigmas, vagueness, silence, addresses and
//! callers in one number (`doubt`), and ranked by doubt over its limit; its radius is the distance at which it would just be too
//! much, at most the cap. Other incidents that would do nearly as well add to the doubt of the best; if that is too much, the event
//! joins none of them. Where lives are at stake that does not count: it goes to the likeliest, which is open already. Where a kind says nothing, the radius is `min(cap, r_kind + k·√(u² + σ²))` from the event's uncertainty u
//! and the σ of the incident's fused position: the mean of its located members weighted by 1/u². The window is the kind's session
//! gap around the incident's span in event time, both ways, within the kind's longest life, both stretched where the event happened
//! in a storm or its aftermath (`weather`); kinds and caps are those of the incident. A join in space keeps the extent
//! of all members within the kind's. Where components decide, two different stated components never meet, at one device or one
//! address neither; one that intake
//! inferred from the place joins what is of the same component, and keeps nobody apart. What moves is never joined by
//! nearness. Incidents that were also in reach become `related`; nothing bridges two into one by itself. Closing by quiet, by
//! clear signals or for age changes none of this: what belongs joins, and opens the incident again. What the centre closed takes
//! what tells of the time before, and stays closed.
//!
//! # The order of reading
//!
//! An event is decided as if it had been read at its turn, and what was decided after that turn is decided again as far as the
//! change reaches (`again`); `tests/reference` is the batch program above, and `tests/order.rs` holds the engine to it for any
//! order of reading. An incident keeps the members whose turns may still be preceded apart (its tail) from what it was before them
//! (its base), so it can be put together as it was before any such turn. A turn is settled once the clock is two times
//! `reorder` past it. An id stays with the event that it is made of; of two that become one the first opened survives.
//!
//! Not decided again: what the centre gave a command about, and more than 10,000 events for one; both are told
//! ([`Withheld`]), and the incidents become `related`. An incident with more unsettled events than that has the earlier half settled.
//!
//! # Silences
//!
//! A silence hides, it decides nothing. Events that planned works announced (kind, place and event time, by what was known when
//! they were read) are grouped like all others, and their rows say so; readers are told `silenced` instead. An incident is held
//! back as long as a silence announced every one of its members; what was shown once stays shown. It is shown, and its events
//! with it, when
//!
//! - it becomes a P1, alone or by all that came together in it;
//! - something joins that was not announced;
//! - a revision of the silence no longer covers it;
//! - the silence ends and the trouble outlasts it: somebody told of it so shortly before the end (within the kind's gap) that
//!   it would still be open then, or a sensor alarmed and has not cleared. Meanwhile such a sensor's incident does not go quiet,
//!   for its kind's longest life.
//!
//! Its times to dispatch and control begin then. What went quiet or cleared before the end never shows.
//!
//! # Cause and symptom
//!
//! Where the rules say that a kind inhibits another (`inhibition`), an incident of the other that stands near an open one is
//! published like any, `related` to it, with the ceiling P4 and the override `I1.inhibited_by`. A P1 keeps its band. When the
//! cause closes the symptom has its own band again, at once. Grouping knows nothing of it.
//!
//! # The centre's word
//!
//! Merge, split, move and undo (`centre`, `parting`, `undoing`). An incident with a command is not decided again: its members stay.
//! One that was merged still stands for its place, components, devices and addresses: what comes there goes to the survivor. A
//! merge hides nothing: the more urgent one must survive. Split and move take events as long as what they said is kept, until they
//! are settled, whatever was ordered before. The last eight commands are taken back the newest first; an incident keeps what it
//! would be without each. Where a merge is taken back, what was heard at the place of what was merged goes along with that, unless it is
//! settled. What was promised stands: whose closing is taken back has the limits that it had, and the survivor of a merge has the
//! earlier ones of the two. What was merged is kept as long as what it is part of.
//!
//! # The shape
//!
//! [`Engine::decide`] looks and answers with a [`Decision`]: keyed rows that change the state, and what readers are told.
//! [`Engine::apply`] moves. Running and restoring share `apply`. The engine reads no clock: ticks in the log move it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod again;
mod apart;
mod awake;
mod block;
mod brief;
mod centre;
mod change;
mod chunks;
mod combining;
mod command;
mod decide;
mod doubt;
mod draft;
mod engine;
mod events;
mod finding;
mod going_along;
mod ground;
mod holding_back;
mod identity;
mod inhibition;
mod joining;
mod kept;
mod kinship;
mod learned;
mod life;
mod limits;
mod matching;
mod neighbours;
mod numbers;
mod parting;
mod parts;
mod passage;
mod priority;
mod reasons;
mod rebuilt;
mod record;
mod regroup;
mod remembering;
mod resting;
mod scene;
mod setting;
mod settling;
mod silence;
mod street;
mod trust;
mod undoing;
mod unsettled;
mod weather;
mod weighing;
mod wide;

pub use change::{
    Change, Counted, Decision, EventRow, Evidence, Held, Miss, Output, RowError, RowForm, ToldBy, Trust,
    Withheld, Witness,
};
pub use engine::{Engine, SEEN_MS};
pub use life::{Stage, Step};
pub use neighbours::Neighbours;
pub use priority::{Assessment, Parts};
pub use record::{IncidentRecord, OutcomeRecord, Previous};
pub use setting::{Setting, SettingError};
