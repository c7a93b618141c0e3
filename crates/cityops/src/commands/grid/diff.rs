//! `cityops grid diff`: what changed between two grids, and which open incidents that touches.

use std::path::Path;

use anyhow::Context;
use city_grid::Timeline;
use city_grid::diff::diff;
use serde_json::Value;

use super::{chosen, counted, features, touched};
use crate::CommandResult;
use crate::assemble;
use crate::cli::GridDiffArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::{Exit, usage};

pub(super) fn run(args: &GridDiffArgs, json: bool) -> CommandResult {
    let (old, new) = match (args.configs.as_slice(), &args.old, &args.new) {
        ([old, new], _, _) | (_, Some(old), Some(new)) => (old, new),
        _ => return Err(usage("grid diff needs two configurations: OLD NEW")),
    };
    let name = args.layer.as_deref();
    let (old, new) = (layer(old, name)?, layer(new, name)?);
    let (old, new) = (old.newest(), new.newest());
    let changes = diff(old, new);
    for change in &changes {
        if json {
            print(Value::Object(change.properties()));
        } else {
            print(change);
        }
    }
    if let Some(path) = &args.geojson {
        let told = changes
            .iter()
            .map(|change| (change.properties(), &change.geometry));
        features::write(path, told)?;
    }
    if !json {
        print(counted(changes.len(), "difference", "differences"));
    }
    let incidents = match (&args.incidents, &args.config) {
        (Some(path), _) => Some(touched::of_file(path)?),
        (None, Some(config)) => Some(touched::committed(&Loaded::read(config)?)?),
        (None, None) => None,
    };
    if let Some(open) = incidents {
        let found = touched::touched(&open, [old, new], &changes);
        for one in &found {
            if json {
                print(serde_json::to_string(one)?);
            } else {
                print(one);
            }
        }
        if !json {
            let of = counted(open.len(), "open incident", "open incidents");
            let are = if found.len() == 1 { "is" } else { "are" };
            print(format!("{} of {of} {are} touched", found.len()));
        }
    }
    Ok(if changes.is_empty() {
        Exit::Clean
    } else {
        Exit::Differences
    })
}

fn layer(config: &Path, name: Option<&str>) -> anyhow::Result<Timeline> {
    let layers = assemble::layers(&Loaded::read(config)?)?
        .into_iter()
        .map(|(layer, _)| layer);
    chosen(layers.collect(), name, false)?
        .into_iter()
        .next()
        .context("a grid has at least one layer")
}
