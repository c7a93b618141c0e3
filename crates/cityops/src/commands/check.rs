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
    let registry = setup.intake.registry();
    let groups = rules.groups();
    if json {
        let groups: Vec<_> = groups
            .iter()
            .map(|(group, kinds)| {
                let kinds: Vec<&str> = kinds.iter().map(|kind| rules.kind(*kind).name.as_str()).collect();
                serde_json::json!({ "group": group, "kinds": kinds, "partition": setup.partition_of(group) })
            })
            .collect();
        let classes: serde_json::Map<String, serde_json::Value> = registry
            .components
            .classes()
            .map(|(class, count)| (class.to_string(), count.into()))
            .collect();
        print(serde_json::json!({
            "ok": true,
            "rules_version": rules.version(),
            "groups": groups,
            "registry": {
                "devices": registry.devices.len(),
                "components": registry.components.len(),
                "component_classes": classes,
                "facilities": registry.facilities.len(),
            },
        }));
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
    print(format!(
        "registry: {} devices, {} components, {} facilities",
        registry.devices.len(),
        registry.components.len(),
        registry.facilities.len()
    ));
    for (class, count) in registry.components.classes() {
        let used = match setup.intake.component_class(class) {
            Some(meant) if meant == &**class => String::new(),
            Some(meant) => format!(" ({meant})"),
            None => " (of no kind)".to_owned(),
        };
        print(format!("  {class}: {count}{used}"));
    }
    Ok(Exit::Clean)
}
