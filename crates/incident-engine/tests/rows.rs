//! Every row comes back as it was, in both forms, and the compact one writes no name of ours as text.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod crowd;
mod reference;
mod teller;

use std::collections::BTreeSet;
use std::sync::Arc;

use city_model::{EventKey, EventTime, Input, LedgerCell, Outcome, Source, Tick};
use crowd::{Dice, REORDER_MS, Reader, disturbed, seeds, stream};
use incident_engine::{Change, Counted, RowForm, Trust, Witness};
use serde_json::Value;

/// What a crowd's engine writes, and one of each that it never does.
fn changes(seed: u64) -> Vec<Change> {
    let mut dice = Dice(seed);
    let mut reader = Reader::new(false);
    let mut changes = Vec::new();
    for event in disturbed(&stream(&mut dice), &mut dice, REORDER_MS as u64) {
        let tick = Tick {
            clocks: vec![("test".into(), event.ingested_at.floor_second())],
        };
        for input in [Input::Tick(tick), Input::Event(Arc::new(event))] {
            changes.extend(reader.engine.decide(&input).changes);
            reader.input(&input);
        }
    }
    let warning = teller::warning("W1", city_model::Severity::Red, "310117", 0);
    changes.extend([
        Change::Activate(Arc::new(teller::activation())),
        Change::Settled(EventTime::MIN),
        Change::Count(LedgerCell::Consumed(Source::Video), 7),
        Change::Count(LedgerCell::Outcome(Source::Report, Outcome::DeadLetter), -7),
        Change::PutWarning(
            warning.clone(),
            EventTime::MIN,
            vec![warning.clone()],
            Counted::Earlier(Box::new(warning.clone())),
        ),
        Change::PutWarning(warning, EventTime::from_millis(1), Vec::new(), Counted::None),
        Change::PutSilence(teller::silence("S1", &["noise"], 0, 60)),
        Change::PutTrust(
            Witness::Device("d".into()),
            Trust {
                judged: 9,
                false_alarms: 2,
            },
        ),
        Change::PutTrust(Witness::Algorithm("a".into()), Trust::default()),
    ]);
    changes
}

#[test]
fn a_row_comes_back_as_it_was() {
    let mut names = BTreeSet::new();
    let (mut compact, mut json) = (0, 0);
    for seed in seeds().take(200) {
        for change in changes(seed) {
            for form in [RowForm::Compact, RowForm::Json] {
                let Some(row) = change.value_as(form) else {
                    continue;
                };
                assert_eq!(state_rows::is_packed(&row), form == RowForm::Compact);
                assert_eq!(Change::from_row(&row).unwrap(), change, "seed {seed}");
                // Rules are text in both.
                let counts = usize::from(!matches!(change, Change::Activate(_)));
                match form {
                    RowForm::Compact => compact += counts * row.len(),
                    RowForm::Json => {
                        json += counts * row.len();
                        names_in(&serde_json::from_slice(&row).unwrap(), &mut names);
                    }
                }
            }
        }
    }
    assert!(compact * 3 < json, "{compact} bytes, as JSON {json}");
    let known: BTreeSet<&str> = state_rows::WORDS.iter().copied().collect();
    // Keys of maps are devices and metrics; they begin as the tests call them.
    let unknown: Vec<&String> = names
        .iter()
        .filter(|name| !known.contains(name.as_str()))
        .collect();
    assert!(
        unknown.iter().all(|name| name.starts_with(['s', 'v'])
            && name.len() > 1
            && name.as_bytes()[1].is_ascii_digit()),
        "names that are no words: {unknown:?}"
    );
}

#[test]
fn a_row_that_is_cut_off_or_of_a_later_version_is_refused() {
    let row = Change::PutTrust(Witness::Device("d".into()), Trust::default())
        .value()
        .unwrap();
    assert!(Change::from_row(&row[..row.len() - 1]).is_err());
    assert!(Change::from_row(&[2]).is_err());
    assert!(Change::from_row(b"").is_err());
    assert_eq!(Change::ForgetEvent(EventKey::new("a", "b")).value(), None);
}

fn names_in(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                names.insert(name.clone());
                names_in(value, names);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| names_in(value, names)),
        _ => {}
    }
}
