//! `cityops check`: is this configuration good, and are an integrator's records?

use city_grid::Timeline;
use city_model::EventTime;
use city_registry::Registry;

use crate::CommandResult;
use crate::assemble::quality::{self, Counts};
use crate::cli::CheckArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::Exit;
use crate::samples::{self, Samples};

pub(super) fn run(args: &CheckArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    loaded.kafka_properties()?;
    loaded.needs_reporter_key()?;
    crate::http::Door::of(&loaded)?;
    crate::assemble::export(&loaded)?;
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
    let grid = measured(&loaded, setup.intake.layers());
    let rules = &setup.rules;
    let registry = setup.intake.registry();
    let mut findings = crate::assemble::rules_findings(&loaded)?;
    let now = EventTime::from_millis(jiff::Timestamp::now().as_millisecond());
    findings.extend(crate::assemble::calendar_finding(rules, &setup.timezone, now)?);
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
        let mut told = serde_json::json!({
            "ok": true,
            "rules_version": rules.version(),
            "groups": groups,
            "calendar_years": rules.calendar_years().collect::<Vec<_>>(),
            "registry": {
                "devices": registry.devices.len(),
                "components": registry.components.len(),
                "component_classes": classes,
                "facilities": registry.facilities.len(),
                "addresses": registry.addresses.len(),
                "roads": registry.addresses.roads(),
                "addresses_torn": registry.addresses.torn(),
                "oddities": oddities(registry),
            },
            "warnings": findings.iter().map(|finding| serde_json::json!({
                "file": finding.file, "line": finding.line, "key": finding.key, "message": finding.message
            })).collect::<Vec<_>>(),
            "grid": grid.iter().map(Counts::to_json).collect::<Vec<_>>(),
        });
        if let (Some(control), Some(told)) = (crate::assemble::control(&loaded)?, told.as_object_mut()) {
            told.insert("sh2000".to_owned(), control.json());
        }
        print(told);
        return Ok(Exit::Clean);
    }
    print(format!("{}: good", loaded.file));
    grid.iter().for_each(print);
    print(format!(
        "rules {}: {} kinds in {} groups",
        rules.version(),
        rules.kinds().len(),
        groups.len()
    ));
    let years: Vec<String> = rules.calendar_years().map(|year| year.to_string()).collect();
    print(format!(
        "calendar: holidays of {}; in other years only weekends are off ([calendar.years.YYYY] adds one)",
        years.join(", ")
    ));
    match (
        crate::assemble::control(&loaded)?,
        setup.intake.systems().sh2000(),
    ) {
        (Some(control), _) => control.report().into_iter().for_each(print),
        (None, Some(fit)) => crate::assemble::by_parameters(fit).into_iter().for_each(print),
        (None, None) => {}
    }
    for (group, kinds) in groups {
        let kinds: Vec<&str> = kinds.iter().map(|kind| rules.kind(*kind).name.as_str()).collect();
        print(format!(
            "  partition {:>2}  {group}: {}",
            setup.partition_of(group),
            kinds.join(" ")
        ));
    }
    print(format!(
        "registry: {} devices, {} components, {} facilities, {} addresses",
        registry.devices.len(),
        registry.components.len(),
        registry.facilities.len(),
        registry.addresses.len()
    ));
    match (registry.addresses.roads(), registry.addresses.torn()) {
        (0, 0) => {}
        (roads, 0) => print(format!("  addresses: doors on {roads} roads")),
        (roads, torn) => print(format!(
            "  addresses: doors on {roads} roads; {torn} without a place, for their rows lie too far apart (two roads of one name?)"
        )),
    }
    for (class, count) in registry.components.classes() {
        let used = match setup.intake.component_class(class) {
            Some(meant) if meant == &**class => String::new(),
            Some(meant) => format!(" ({meant})"),
            None => " (of no kind)".to_owned(),
        };
        print(format!("  {class}: {count}{used}"));
    }
    for (file, oddities) in &registry.oddities {
        print(format!("  {file}: {oddities}"));
    }
    for finding in findings {
        print(format!("warning: {finding}"));
    }
    Ok(Exit::Clean)
}

/// What was odd in the registries' files: by file and sort how many rows, and the first.
fn oddities(registry: &Registry) -> Vec<serde_json::Value> {
    let mut told = Vec::new();
    for (file, oddities) in &registry.oddities {
        for (sort, odd) in oddities.sorts() {
            if let Some((line, id)) = &odd.first {
                told.push(serde_json::json!({
                    "file": file, "oddity": sort, "rows": odd.rows, "first_line": line, "first_id": id,
                }));
            }
        }
    }
    told
}

/// Every layer's findings, counted; the whole check, which a start leaves out unless a limit asks for it. What a limit refuses
/// did not get as far as this.
fn measured(loaded: &Loaded, layers: &[Timeline]) -> Vec<Counts> {
    let limits = &loaded.config.grid.limits;
    let count = |layer: &Timeline| Counts::of(layer.name(), &quality::measured(layer, limits));
    layers.iter().map(count).collect()
}
