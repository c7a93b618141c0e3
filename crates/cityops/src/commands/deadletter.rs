//! `cityops deadletter list / show / replay`: what was refused, and feeding it again.

mod list;
mod replay;
mod show;

use city_model::EventTime;
use event_intake::privacy::scrub;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::CommandResult;
use crate::cli::DeadletterCommand;
use crate::config::Loaded;
use crate::deadletter::Letter;

pub(super) fn run(command: &DeadletterCommand, json: bool) -> CommandResult {
    match command {
        DeadletterCommand::List(args) => list::run(args, json),
        DeadletterCommand::Show(args) => show::run(args, json),
        DeadletterCommand::Replay(args) => replay::run(args, json),
    }
}

/// The city's time zone, which the configuration was checked for.
fn zone(loaded: &Loaded) -> TimeZone {
    TimeZone::get(&loaded.config.city.timezone).unwrap_or(TimeZone::UTC)
}

/// A source system's name as it may be shown: it is whatever the record says.
fn shown_system(letter: &Letter) -> Option<String> {
    letter.system.as_deref().map(scrub)
}

/// A letter in JSON.
fn told(letter: &Letter) -> Value {
    let place = |(partition, offset): (i32, i64)| format!("{partition}/{offset}");
    json!({
        "at": place(letter.place()), "refused_at": letter.refused_at, "reason": letter.reason, "detail": letter.detail,
        "topic": letter.topic, "origin": letter.origin.map(place), "ingested_at": letter.ingested_at,
        "source_system": shown_system(letter), "bytes": letter.bytes, "kept_bytes": letter.kept,
        "attempts": letter.attempts, "replayed": letter.replayed,
        "obstacle": letter.obstacle(false).map(|obstacle| obstacle.as_str()),
    })
}

/// A time for people, in the city's zone, to the second.
fn in_zone(time: EventTime, zone: &TimeZone) -> String {
    jiff::Timestamp::from_millisecond(time.millis()).map_or_else(
        |_| time.to_string(),
        |at| zone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}
