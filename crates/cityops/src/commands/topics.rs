//! `cityops topics plan / apply`: the topics with their settings, and where each group of kinds lies.

use kafka_log::admin::{Created, TopicSpec};

use crate::CommandResult;
use crate::cli::TopicsCommand;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::Exit;
use crate::{assemble, topics};

pub(super) fn run(command: &TopicsCommand, json: bool) -> CommandResult {
    match command {
        TopicsCommand::Plan(args) => plan(&Loaded::read(&args.config)?, json),
        TopicsCommand::Apply(args) => apply(&Loaded::read(&args.config)?, json),
    }
}

fn plan(loaded: &Loaded, json: bool) -> CommandResult {
    let rules = assemble::rules(loaded)?;
    let layout = rules.layout(loaded.config.topics.enriched_partitions);
    let specs = topics::plan(loaded);
    if json {
        let topics: Vec<_> = specs.iter().map(describe).collect();
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
    print("");
    for (group, partition) in &layout {
        let weight = rules.group_weight(group);
        print(format!(
            "partition {partition:>2} of the enriched log  group {group:<24} weight {weight}"
        ));
    }
    Ok(Exit::Clean)
}

fn apply(loaded: &Loaded, json: bool) -> CommandResult {
    let properties = topics::properties(loaded)?;
    kafka_log::admin::reachable(&properties, std::time::Duration::from_secs(15))
        .map_err(|error| loaded.no_broker(&error))?;
    let specs = topics::plan(loaded);
    let created = kafka_log::admin::create_topics(&properties, &specs)?;
    for spec in &specs {
        let word = match created.get(&spec.name) {
            Some(Created::New) => "created",
            Some(Created::Existed) => "existed",
            None => "unknown",
        };
        if json {
            print(serde_json::json!({ "topic": spec.name, "result": word }));
        } else {
            print(format!("{word}  {}", spec.name));
        }
    }
    Ok(Exit::Clean)
}

fn describe(spec: &TopicSpec) -> serde_json::Value {
    serde_json::json!({
        "name": spec.name, "partitions": spec.partitions, "replication": spec.replication, "config": spec.config,
    })
}
