//! `cityops topics plan / apply`: the topics with their settings, and where each group of kinds lies.

mod acls;
mod apply;

use kafka_log::admin::TopicSpec;

use crate::CommandResult;
use crate::cli::TopicsCommand;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::Exit;
use crate::{assemble, topics};

pub(super) fn run(command: &TopicsCommand, json: bool) -> CommandResult {
    match command {
        TopicsCommand::Plan(args) if args.acls => acls::run(&Loaded::read(&args.config)?, args, json),
        TopicsCommand::Plan(args) => plan(&Loaded::read(&args.config)?, json),
        TopicsCommand::Apply(args) => apply::run(&Loaded::read(&args.config)?, args, json),
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

fn describe(spec: &TopicSpec) -> serde_json::Value {
    serde_json::json!({
        "name": spec.name, "partitions": spec.partitions, "replication": spec.replication, "config": spec.config,
    })
}
