//! `cityops topics apply`: creates what is missing, sets what differs, and leaves what would lose records to its operator.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka_log::Properties;
use kafka_log::admin::{self, Created};
use serde_json::{Value, json};
use wire_format::Topic;

use crate::CommandResult;
use crate::cli::TopicsApplyArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::Exit;
use crate::topics::differences::{Difference, Risk, differences};
use crate::topics::{self};

pub(super) fn run(loaded: &Loaded, args: &TopicsApplyArgs, json: bool) -> CommandResult {
    let properties = topics::properties(loaded)?;
    admin::reachable(&properties, Duration::from_secs(15)).map_err(|error| loaded.no_broker(&error))?;
    let specs = topics::plan(loaded);
    let created = match args.dry_run {
        true => {
            let there = admin::topic_partitions(&properties, Duration::from_secs(15))
                .map_err(|error| loaded.no_broker(&error))?;
            let named = specs.iter().map(|spec| {
                let created = match there.contains_key(&spec.name) {
                    true => Created::Existed,
                    false => Created::New,
                };
                (spec.name.clone(), created)
            });
            named.collect()
        }
        false => admin::create_topics(&properties, &specs)?,
    };
    let old: Vec<_> = Topic::ALL
        .iter()
        .copied()
        .zip(&specs)
        .filter(|(_, spec)| created.get(&spec.name) == Some(&Created::Existed))
        .map(|(topic, spec)| (topic, spec.clone()))
        .collect();
    let names: Vec<&str> = old.iter().map(|(_, spec)| spec.name.as_str()).collect();
    let sizes =
        admin::sizes(&properties, Duration::from_secs(15)).map_err(|error| loaded.no_broker(&error))?;
    let settings = admin::settings_of(&properties, &names)?;
    let found = differences(&old, &sizes, &settings);
    let done = |difference: &Difference| match difference.risk {
        Risk::None => true,
        Risk::Loses(_) => args.force,
        Risk::Impossible(_) => false,
    };
    if !args.dry_run {
        let chosen: Vec<&Difference> = found.iter().filter(|difference| done(difference)).collect();
        // On the operator's screen before anything is changed.
        for Difference {
            topic,
            what,
            is,
            wanted,
            ..
        } in chosen.iter().filter(|_| !json)
        {
            print(format!("differs  {topic}  {what}: {is} → {wanted}"));
        }
        change(&properties, &chosen)?;
    }
    let left = found.iter().filter(|difference| !done(difference)).count();
    for spec in &specs {
        let changes: Vec<&Difference> = found.iter().filter(|it| it.topic == spec.name).collect();
        let word = match created.get(&spec.name) {
            Some(Created::New) if args.dry_run => "missing",
            Some(Created::New) => "created",
            _ if changes.is_empty() => "existed",
            _ if !changes.iter().all(|it| done(it)) => "left",
            _ if args.dry_run => "differs",
            _ => "altered",
        };
        if json {
            let changes: Vec<Value> = changes.iter().map(|it| in_json(it, done(it))).collect();
            print(json!({ "topic": spec.name, "result": word, "changes": changes }));
            continue;
        }
        print(format!("{word:<7}  {}", spec.name));
        for change in changes {
            let Difference { what, is, wanted, .. } = change;
            let why = match (change.risk, done(change)) {
                (Risk::Impossible(why), _) => format!("; left: {why}"),
                (Risk::Loses(why), false) => format!("; left: {why}; --force does it"),
                _ => String::new(),
            };
            print(format!("         {what}: {is} → {wanted}{why}"));
        }
    }
    Ok(match left {
        0 => Exit::Clean,
        _ => Exit::Differences,
    })
}

/// Sets what differs, topic by topic.
fn change(properties: &Properties, chosen: &[&Difference]) -> anyhow::Result<()> {
    let mut settings: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for difference in chosen {
        if difference.what == "partitions" {
            admin::widen(properties, &difference.topic, difference.wanted.parse()?)?;
        } else {
            let of_topic = settings.entry(&difference.topic).or_default();
            of_topic.insert(difference.what.clone(), difference.wanted.clone());
        }
    }
    for (topic, settings) in settings {
        admin::alter(properties, topic, &settings)?;
    }
    Ok(())
}

fn in_json(difference: &Difference, done: bool) -> Value {
    let Difference { what, is, wanted, .. } = difference;
    let why = match difference.risk {
        Risk::None => None,
        Risk::Loses(why) | Risk::Impossible(why) => Some(why),
    };
    json!({ "what": what, "is": is, "wanted": wanted, "risk": why, "left": !done })
}
