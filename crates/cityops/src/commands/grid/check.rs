//! `cityops grid check`: what is wrong with the layers, worst first, and where.

use std::collections::BTreeMap;

use city_grid::{Finding, Limits, Timeline, Verdict};
use city_model::EventTime;
use serde_json::{Map, Value, json};

use super::{chosen, counted, features};
use crate::CommandResult;
use crate::assemble;
use crate::assemble::quality::{Counts, measured};
use crate::cli::GridCheckArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::Exit;

/// So many findings of a kind are printed one by one.
const SHOWN_MAX: usize = 20;

pub(super) fn run(args: &GridCheckArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    let limits = &loaded.config.grid.limits;
    let layers = assemble::layers(&loaded)?.into_iter().map(|(layer, _)| layer);
    let mut all: Vec<(Timeline, Vec<Finding>)> = Vec::new();
    for layer in chosen(layers.collect(), args.layer.as_deref(), true)? {
        let findings = measured(&layer, limits);
        if json {
            for finding in &findings {
                print(Value::Object(properties(&layer, limits, finding)));
            }
        } else {
            tell(&layer, limits, &findings, args.all);
        }
        all.push((layer, findings));
    }
    if let Some(path) = &args.geojson {
        let found = all.iter().flat_map(|(layer, findings)| {
            let one = move |finding: &'_ _| properties(layer, limits, finding);
            findings
                .iter()
                .map(move |finding| (one(finding), &finding.geometry))
        });
        features::write(path, found)?;
    }
    let count: usize = all.iter().map(|(_, findings)| findings.len()).sum();
    if !json {
        print(counted(count, "finding", "findings"));
    }
    Ok(if count == 0 {
        Exit::Clean
    } else {
        Exit::Differences
    })
}

fn tell(layer: &Timeline, limits: &Limits, findings: &[Finding], all: bool) {
    let name = layer.name();
    let mut shown: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for (at, finding) in findings.iter().enumerate() {
        let kind = finding.what.name();
        let (count, left_m2) = shown.entry(kind).or_default();
        *count += 1;
        if all || *count <= SHOWN_MAX {
            let refused = match limits.judge(finding) {
                Verdict::Refuse => format!(" (refused by grid.limits.{})", Limits::key(finding.what)),
                Verdict::Ignore | Verdict::Warn => String::new(),
            };
            print(format!("{name}: {finding}{refused}"));
            continue;
        }
        *left_m2 += finding.area_m2.unwrap_or(0.0);
        // findings come kind by kind
        if findings.get(at + 1).is_none_or(|next| next.what != finding.what) {
            let more = *count - SHOWN_MAX;
            let ground = match *left_m2 {
                0.0 => String::new(),
                sum => format!(", {sum:.1} m² in all"),
            };
            print(format!("{name}: {kind}: {more} more{ground}; --all lists them"));
        }
    }
    for (from, state) in layer.states() {
        let levels: Vec<String> = state
            .levels()
            .enumerate()
            .map(|(at, level)| format!("{} {level}", state.cells(at).count()))
            .collect();
        let from = match from {
            EventTime::MIN => String::new(),
            from => format!(" from {from}"),
        };
        let bytes = state.bytes();
        let megabytes = |bytes: usize| bytes as f64 / 1e6;
        print(format!(
            "{name}{from}: {}; in memory {:.1} MB of borders, {:.1} MB of index",
            levels.join(", "),
            megabytes(bytes.borders + bytes.cells),
            megabytes(bytes.trees + bytes.rasters),
        ));
    }
    print(Counts::of(name, findings));
}

fn properties(layer: &Timeline, limits: &Limits, finding: &Finding) -> Map<String, Value> {
    let mut told = finding.properties();
    told.insert("layer".to_owned(), json!(layer.name()));
    let refused = limits.judge(finding) == Verdict::Refuse;
    told.insert("refused".to_owned(), json!(refused));
    told
}
