//! `cityops check`: is this configuration good, and are an integrator's records?

use crate::CommandResult;
use crate::cli::CheckArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::Exit;
use crate::samples::{self, Samples};

pub(super) fn run(args: &CheckArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    loaded.kafka_properties()?;
    let partitions = loaded.config.topics.enriched_partitions;
    let setup = crate::assemble::setup(&loaded, partitions)?;
    if let (Some(file), Some(source_system)) = (&args.samples, &args.source) {
        let samples = Samples {
            file,
            source_system,
            topic: args.topic.as_deref().and_then(|topic| topic.parse().ok()),
        };
        return samples::judge(&loaded, &setup, samples, json);
    }
    if args.print {
        print(loaded.masked()?);
        return Ok(Exit::Clean);
    }
    let rules = &setup.rules;
    let groups = rules.groups();
    if json {
        let groups: Vec<_> = groups
            .iter()
            .map(|(group, kinds)| {
                let kinds: Vec<&str> = kinds.iter().map(|kind| rules.kind(*kind).name.as_str()).collect();
                serde_json::json!({ "group": group, "kinds": kinds, "partition": setup.partition_of(group) })
            })
            .collect();
        print(serde_json::json!({ "ok": true, "rules_version": rules.version(), "groups": groups }));
        return Ok(Exit::Clean);
    }
    print(format!("{}: good", loaded.file));
    print(format!(
        "rules {}: {} kinds in {} groups",
        rules.version(),
        rules.kinds().len(),
        groups.len()
    ));
    for (group, kinds) in groups {
        let kinds: Vec<&str> = kinds.iter().map(|kind| rules.kind(*kind).name.as_str()).collect();
        print(format!(
            "  partition {:>2}  {group}: {}",
            setup.partition_of(group),
            kinds.join(" ")
        ));
    }
    Ok(Exit::Clean)
}
