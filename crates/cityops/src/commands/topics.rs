//! `cityops topics plan / apply`: the topics with their settings, and where each group of kinds lies.

mod acls;
mod apply;

use std::collections::BTreeMap;

use kafka_log::admin::TopicSpec;
use wire_format::{Cleanup, Topic};

use crate::CommandResult;
use crate::cli::TopicsCommand;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::Exit;
use crate::topics::load::{self, Taken, in_words};
use crate::topics::retention;
use crate::{assemble, topics};

/// What a broker keeps by default (`log.retention.hours`, 168).
const BROKERS_RETENTION_MS: i64 = 7 * 24 * 3_600_000;

pub(super) fn run(command: &TopicsCommand, json: bool) -> CommandResult {
    match command {
        TopicsCommand::Plan(args) if args.acls => acls::run(&Loaded::read(&args.config)?, args, json),
        TopicsCommand::Plan(args) => plan(&Loaded::read(&args.config)?, args.load, json),
        TopicsCommand::Apply(args) => apply::run(&Loaded::read(&args.config)?, args, json),
    }
}

fn plan(loaded: &Loaded, load: Option<f64>, json: bool) -> CommandResult {
    let rules = assemble::rules(loaded)?;
    let layout = rules.layout(loaded.config.topics.enriched_partitions);
    let specs = topics::plan(loaded);
    if json {
        let topics: Vec<_> = specs
            .iter()
            .zip(Topic::ALL)
            .map(|(spec, topic)| describe(spec, *topic, load.and_then(|load| taken(spec, *topic, load))))
            .collect();
        print(serde_json::json!({ "topics": topics, "groups": layout }));
        return Ok(Exit::Clean);
    }
    for spec in &specs {
        let settings: Vec<String> = spec
            .config
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        print(format!(
            "{:<36} {:>3} partitions  {}",
            spec.name,
            spec.partitions,
            settings.join(" ")
        ));
    }
    reasons(&specs);
    if let Some(load) = load {
        sizes(&specs, load);
    }
    print("");
    print(format!(
        "of {} partitions of the enriched log; where the topic is there already, the number that it has holds (topics apply)",
        loaded.config.topics.enriched_partitions
    ));
    for (group, partition) in &layout {
        let weight = rules.group_weight(group);
        print(format!(
            "partition {partition:>2} of the enriched log  group {group:<24} weight {weight}"
        ));
    }
    Ok(Exit::Clean)
}

/// Why settings are what they are, each reason once.
fn reasons(specs: &[TopicSpec]) {
    let mut told: Vec<(&str, String)> = Vec::new();
    for (spec, topic) in specs.iter().zip(Topic::ALL) {
        for (key, value) in &spec.config {
            let Some(why) = retention::why(*topic, key) else {
                continue;
            };
            let setting = format!("{key}={value}");
            if !told.contains(&(why, setting.clone())) {
                told.push((why, setting));
            }
        }
    }
    print("");
    for (why, setting) in told {
        print(format!("{setting:<36} {why}"));
    }
}

/// What a topic takes at a load; of its retention only what the plan says is known here.
fn taken(spec: &TopicSpec, topic: Topic, load: f64) -> Option<Taken> {
    let retention = spec.config.get("retention.ms").and_then(|ms| ms.parse().ok());
    let by_age = topic.cleanup() != Cleanup::Compact;
    load::taken(topic, load, retention.or(by_age.then_some(BROKERS_RETENTION_MS)))
}

fn sizes(specs: &[TopicSpec], load: f64) {
    print(format!(
        "\nat {load} events a second, of one replica  每秒 {load} 条事件、单副本的占用"
    ));
    let (mut least, mut most) = (0.0, 0.0);
    for (spec, topic) in specs.iter().zip(Topic::ALL) {
        let Some(taken) = taken(spec, *topic, load) else {
            continue;
        };
        least += taken.least_a_day;
        most += taken.most_a_day;
        let kept = taken.days.map_or_else(
            || "kept: the newest of each key, or for ever".to_owned(),
            |days| {
                format!(
                    "kept: up to {} in {days:.0} days",
                    in_words(taken.most_a_day * days)
                )
            },
        );
        print(size(&spec.name, taken.least_a_day, taken.most_a_day, &kept));
    }
    print(size(
        "all",
        least,
        most,
        "the first compressed as a backlog is, the second not at all",
    ));
}

fn size(name: &str, least: f64, most: f64, more: &str) -> String {
    format!(
        "{name:<36} {:>7} to {:>7} a day  {more}",
        in_words(least),
        in_words(most)
    )
}

fn describe(spec: &TopicSpec, topic: Topic, taken: Option<Taken>) -> serde_json::Value {
    let why = spec.config.keys();
    let why: BTreeMap<&String, &str> = why
        .filter_map(|key| Some((key, retention::why(topic, key)?)))
        .collect();
    let mut told = serde_json::json!({
        "name": spec.name, "partitions": spec.partitions, "replication": spec.replication, "config": spec.config, "why": why,
    });
    if let Some(taken) = taken {
        told["bytes_a_day"] = serde_json::json!([taken.least_a_day, taken.most_a_day]);
        told["days"] = serde_json::json!(taken.days);
    }
    told
}
