//! `cityops check`: is this configuration good?

use crate::CommandResult;
use crate::cli::CheckArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::Exit;

pub(super) fn run(args: &CheckArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    loaded.kafka_properties()?;
    let partitions = loaded.config.topics.enriched_partitions;
    let setup = crate::assemble::setup(&loaded, partitions)?;
    if args.print {
        print(loaded.masked()?);
        return Ok(Exit::Clean);
    }
    let rules = &setup.rules;
    let findings = crate::assemble::rules_findings(&loaded)?;
    let groups = rules.groups();
    if json {
        let groups: Vec<_> = groups
            .iter()
            .map(|(group, kinds)| {
                let kinds: Vec<&str> = kinds.iter().map(|kind| rules.kind(*kind).name.as_str()).collect();
                serde_json::json!({ "group": group, "kinds": kinds, "partition": setup.partition_of(group) })
            })
            .collect();
        print(
            serde_json::json!({ "ok": true, "rules_version": rules.version(), "groups": groups,
            "warnings": findings.iter().map(|finding| serde_json::json!({
                "file": finding.file, "line": finding.line, "key": finding.key, "message": finding.message
            })).collect::<Vec<_>>() }),
        );
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
    for finding in findings {
        print(format!("warning: {finding}"));
    }
    Ok(Exit::Clean)
}
