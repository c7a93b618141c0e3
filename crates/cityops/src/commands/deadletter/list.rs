//! `cityops deadletter list`: counts by reason, topic and source system, and the newest letters.

use std::collections::BTreeMap;

use city_model::EventTime;
use serde_json::{Value, json};

use super::{in_zone, shown_system, told, zone};
use crate::CommandResult;
use crate::cli::DeadletterListArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::deadletter::{Filter, Letter, Systems, scan};
use crate::exit::Exit;
use crate::topics;

/// How many there are of a reason, topic and system.
#[derive(Debug, Clone, Copy)]
struct Count {
    letters: u64,
    replayed: u64,
    first: EventTime,
    last: EventTime,
}

type Counts = BTreeMap<(String, String, Option<String>), Count>;

pub(super) fn run(args: &DeadletterListArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    let zone = zone(&loaded);
    let filter = Filter::of(&args.filter, &zone)?;
    let properties = topics::properties(&loaded)?;
    let mut letters = scan(&loaded, &properties, &filter, &mut Systems::of(&loaded)?)?;
    let counts = count(&letters);
    let replayed = letters.iter().filter(|letter| letter.replayed).count();
    letters.sort_by_key(|letter| (letter.refused_at, letter.place()));
    let newest = &letters[letters.len().saturating_sub(args.limit)..];
    if json {
        let counts: Vec<Value> = counts
            .iter()
            .map(|((reason, topic, system), count)| {
                json!({ "reason": reason, "topic": topic, "source_system": system, "letters": count.letters,
                    "replayed": count.replayed, "first": count.first, "last": count.last })
            })
            .collect();
        print(
            json!({ "letters": letters.len(), "replayed": replayed, "counts": counts,
            "newest": newest.iter().map(told).collect::<Vec<_>>() }),
        );
        return Ok(Exit::Clean);
    }
    print(format!(
        "{} dead letters, {replayed} of them fed again  死信 {} 条，已重放 {replayed} 条",
        letters.len(),
        letters.len()
    ));
    if letters.is_empty() {
        return Ok(Exit::Clean);
    }
    print(format!(
        "\n{:>8} {:>8}  {:<19} {:<28} {:<20} {:<19} {}",
        "letters", "replayed", "reason", "topic", "source system", "first", "last"
    ));
    for ((reason, topic, system), count) in &counts {
        print(format!(
            "{:>8} {:>8}  {reason:<19} {topic:<28} {:<20} {:<19} {}",
            count.letters,
            count.replayed,
            system.as_deref().unwrap_or("-"),
            in_zone(count.first, &zone),
            in_zone(count.last, &zone)
        ));
    }
    print(format!(
        "\nthe newest {} of {}  最近 {} 条",
        newest.len(),
        letters.len(),
        newest.len()
    ));
    for letter in newest {
        print(row(letter, &in_zone(letter.refused_at, &zone)));
    }
    Ok(Exit::Clean)
}

fn count(letters: &[Letter]) -> Counts {
    let mut counts = Counts::new();
    for letter in letters {
        let key = (letter.reason.clone(), letter.topic.clone(), shown_system(letter));
        let count = counts.entry(key).or_insert(Count {
            letters: 0,
            replayed: 0,
            first: letter.refused_at,
            last: letter.refused_at,
        });
        count.letters += 1;
        count.replayed += u64::from(letter.replayed);
        count.first = count.first.min(letter.refused_at);
        count.last = count.last.max(letter.refused_at);
    }
    counts
}

fn row(letter: &Letter, at: &str) -> String {
    let place = format!("{}/{}", letter.partition, letter.offset);
    let state = match (letter.replayed, letter.obstacle(false)) {
        (true, _) => "replayed",
        (false, Some(_)) => "not replayable",
        (false, None) => "-",
    };
    let bytes = letter
        .bytes
        .map_or_else(|| "no value".to_owned(), |bytes| format!("{bytes} B"));
    let attempts = match letter.attempts {
        0 => String::new(),
        attempts => format!("  (fed {attempts} times before)"),
    };
    format!(
        "{place:<10} {at}  {:<19} {:<28} {:<20} {bytes:>10}  {state:<14} {}{attempts}",
        letter.reason,
        letter.topic,
        shown_system(letter).unwrap_or_else(|| "-".to_owned()),
        letter.detail
    )
}
