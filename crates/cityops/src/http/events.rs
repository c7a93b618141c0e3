//! `/api/events`: committed changes of incidents as server-sent events, from where a client stood, at whichever process.
//!
//! A client that brings no `Last-Event-ID`, or one from which nobody can go on, first gets `reset` and every open incident. One
//! that does gets each incident that changed since, once, as it is now. A reader that is slower than the city is cut off and
//! goes on by its id: nothing is kept for it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use city_model::{Name, Status};
use futures_util::stream::unfold;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::door::time;
use super::incidents::asked;
use super::{Guarded, answer};
use crate::board::{Board, Entry, Filter};
use crate::feed::{Change, First, Opening, Place, Position};
use crate::metrics::{Metrics, Open, Refused};

/// What may be asked for; as in `/api/incidents` without its pages.
const PARAMETERS: [&str; 6] = ["band", "kind", "status", "layer", "code", "bbox"];
/// How soon a client comes again after a cut.
const RETRY: Duration = Duration::from_millis(2_000);
/// How long to wait for what another process has told already.
const CATCH_UP: Duration = Duration::from_secs(5);

pub(super) async fn stream(
    State(guarded): State<Guarded>,
    headers: HeaderMap,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Response {
    let question = match asked(query, &PARAMETERS, guarded.door.limits.page) {
        Ok(question) => question,
        Err(refused) => return *refused,
    };
    if !guarded.board.is_caught_up() {
        let error = json!({"error": "this process has not read all incidents yet; see /readyz"});
        return later(answer(StatusCode::SERVICE_UNAVAILABLE, error));
    }
    let Ok(permit) = guarded.streams.clone().try_acquire_owned() else {
        guarded.metrics.http().refused(Refused::Streams);
        let error = format!(
            "there are {} streams already, as many as http.limits.streams allows",
            guarded.door.limits.streams
        );
        return later(answer(
            StatusCode::SERVICE_UNAVAILABLE,
            json!({"error": error, "limit": guarded.door.limits.streams}),
        ));
    };
    let begun = begin(&guarded, &headers, &question.filter).await;
    let Some((opening, plan)) = begun else {
        let error = json!({"error": "this process is ending"});
        return later(answer(StatusCode::SERVICE_UNAVAILABLE, error));
    };
    let streaming = Streaming {
        told: Position::default(),
        position: plan.from,
        reached: opening.reached,
        changes: opening.changes,
        resetting: plan.reset,
        reset: plan.reset.is_some(),
        first: plan.first.into_iter(),
        told_first: 0,
        is_current: false,
        sign: Box::pin(sleep(time(guarded.door.limits.heartbeat))),
        heartbeat: time(guarded.door.limits.heartbeat),
        filter: question.filter,
        board: guarded.board.clone(),
        metrics: guarded.metrics.clone(),
        ending: guarded.ending.clone(),
        ended: false,
        _permit: permit,
        _open: guarded.metrics.http().stream(),
    };
    let events = unfold(streaming, |mut streaming| async move {
        let event = streaming.next().await?;
        Some((Ok::<Event, Infallible>(event), streaming))
    });
    let mut response = Sse::new(events).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    // nginx would gather events until its buffer is full.
    headers.insert("x-accel-buffering", header::HeaderValue::from_static("no"));
    response
}

/// Says when to come again.
fn later(mut response: Response) -> Response {
    let seconds = header::HeaderValue::from_static("5");
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

/// What a client gets before the changes to come.
struct Plan {
    /// Why it begins anew.
    reset: Option<&'static str>,
    /// Where it stood.
    from: Position,
    /// The incidents that it gets first, by the place of their record.
    first: Vec<(Place, Name)>,
}

/// Looks where a client stood; `None` when the runtime ends meanwhile.
async fn begin(guarded: &Guarded, headers: &HeaderMap, filter: &Filter) -> Option<(Opening, Plan)> {
    let given = headers.get("last-event-id").map(|id| id.to_str().unwrap_or("?"));
    let (mut since, mut reset) = match given {
        None | Some("") => (None, Some("first")),
        Some(text) => match text.parse::<Position>() {
            Ok(position) => (Some(position), None),
            Err(_) => (None, Some("unreadable")),
        },
    };
    let mut opening = guarded.feed.open(since.as_ref().unwrap_or(&Position::default()));
    if let (Some(position), First::Ahead) = (&since, &opening.first) {
        let caught_up = catch_up(guarded, position);
        match timeout(CATCH_UP, caught_up).await {
            Ok(later) => opening = later,
            Err(_) => reset = Some("ahead"),
        }
    }
    if since.is_some() && opening.first == First::TooOld {
        reset = Some("too_old");
    }
    if reset.is_some() {
        since = None;
    }
    let (board, reached) = (guarded.board.clone(), opening.reached.clone());
    let (from, filter) = (since.clone().unwrap_or_default(), filter.clone());
    // It looks at every incident.
    let places = tokio::task::spawn_blocking(move || match since {
        Some(since) => board.places(&since, &reached),
        None => board.places_now(&reached, |entry| is_current(&filter, entry)),
    });
    let mut first = places.await.ok()?;
    if let (None, First::Since(gone)) = (reset, &mut opening.first) {
        first.append(gone);
        first.sort_unstable();
    }
    Some((opening, Plan { reset, from, first }))
}

/// Opens as soon as this process has read as far as another one had told.
async fn catch_up(guarded: &Guarded, position: &Position) -> Opening {
    loop {
        let mut opening = guarded.feed.open(position);
        if opening.first != First::Ahead {
            return opening;
        }
        // Whatever comes next may be what is missing. A feed that ended tells nothing more; the time-out ends the wait.
        if let Err(RecvError::Closed) = opening.changes.recv().await {
            std::future::pending::<()>().await;
        }
    }
}

/// What is told to who begins anew: the open ones, unless it asks for others.
fn is_current(filter: &Filter, entry: &Entry) -> bool {
    filter.lets_through(entry) && (!filter.statuses.is_empty() || entry.status == Status::Open)
}

/// One client's stream.
struct Streaming {
    /// The client was told all changes up to here, of those that it wants.
    position: Position,
    /// As of the last id that it was sent.
    told: Position,
    reached: Position,
    changes: broadcast::Receiver<Arc<Change>>,
    resetting: Option<&'static str>,
    reset: bool,
    first: std::vec::IntoIter<(Place, Name)>,
    told_first: u64,
    is_current: bool,
    sign: std::pin::Pin<Box<Sleep>>,
    heartbeat: Duration,
    filter: Filter,
    board: Arc<Board>,
    metrics: Arc<Metrics>,
    ending: watch::Receiver<bool>,
    ended: bool,
    _permit: OwnedSemaphorePermit,
    _open: Open,
}

impl Streaming {
    /// The next event; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        if self.ended {
            return None;
        }
        if let Some(reason) = self.resetting.take() {
            let data = json!({"reason": reason}).to_string();
            return Some(Event::default().retry(RETRY).event("reset").data(data));
        }
        if let Some(event) = self.first() {
            return Some(event);
        }
        if !self.is_current {
            self.is_current = true;
            self.position = self.reached.clone();
            let data = json!({"incidents": self.told_first}).to_string();
            return Some(self.with_id(Event::default().event("current").data(data)));
        }
        self.sign.as_mut().reset(Instant::now() + self.heartbeat);
        loop {
            let received = tokio::select! {
                received = self.changes.recv() => Some(received),
                _ = self.ending.wait_for(|ending| *ending) => return None,
                () = self.sign.as_mut() => None,
            };
            let Some(received) = received else {
                return Some(self.sign_of_life());
            };
            match received {
                Ok(change) => {
                    self.position.advance(change.place);
                    if let Some(event) = self.live(&change) {
                        return Some(self.with_id(event));
                    }
                }
                Err(RecvError::Lagged(missed)) => {
                    self.metrics.http().refused(Refused::Behind);
                    self.ended = true;
                    let data = json!({"missed": missed}).to_string();
                    return Some(Event::default().event("behind").data(data));
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// The next of what the client gets first. Without an id while it begins anew: the order is not that of the log, and a
    /// client that is cut off in the middle has to begin anew again.
    fn first(&mut self) -> Option<Event> {
        for (place, id) in self.first.by_ref() {
            let entry = self.board.get(&id);
            if entry
                .as_ref()
                .is_some_and(|entry| !self.reached.holds(entry.lies_at))
            {
                // It has changed meanwhile, and that comes with the changes.
                continue;
            }
            let event = match &entry {
                Some(entry) if self.reset && !is_current(&self.filter, entry) => continue,
                Some(entry) if self.filter.lets_through(entry) => incident(entry),
                _ if self.reset => continue,
                entry => gone(&id, entry.as_deref()),
            };
            self.told_first += 1;
            if self.reset {
                return Some(event);
            }
            self.position.advance(place);
            return Some(self.with_id(event));
        }
        None
    }

    /// What a change is to this client.
    fn live(&self, change: &Change) -> Option<Event> {
        let wanted = |entry: &Arc<Entry>| self.filter.lets_through(entry);
        match (&change.before, &change.after) {
            (_, Some(after)) if wanted(after) => Some(incident(after)),
            (Some(before), after) if wanted(before) => Some(gone(&change.id, after.as_deref())),
            _ => None,
        }
    }

    /// A comment, with the id where it has moved on by changes that this client does not want: else it would grow old.
    fn sign_of_life(&mut self) -> Event {
        if self.told == self.position {
            return Event::default().comment("");
        }
        self.with_id(Event::default())
    }

    fn with_id(&mut self, event: Event) -> Event {
        self.told.clone_from(&self.position);
        event.id(self.position.to_string())
    }
}

fn incident(entry: &Entry) -> Event {
    Event::default().event("incident").data(entry.json())
}

/// It was removed, or is not among the wanted ones any more.
fn gone(id: &Name, now: Option<&Entry>) -> Event {
    let data = json!({"incident_id": id, "revision": now.map(|entry| entry.revision)});
    Event::default().event("gone").data(data.to_string())
}
