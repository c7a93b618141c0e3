//! The grid of a configuration: its files, and those that belong to them.

use std::path::Path;

use anyhow::Context;
use city_grid::crs::Systems;
use city_grid::{Finding, GridError, LayerConfig, LevelConfig, LevelSource, Timeline, is_shapefile};
use city_rules::ConfigError;
use jiff::tz::TimeZone;

use crate::config::{GridLayer, Loaded};

/// The layers of a configuration, each with what was odd about its files.
///
/// # Errors
/// A [`ConfigError`] that names the file's key.
pub fn layers(loaded: &Loaded) -> anyhow::Result<Vec<(Timeline, Vec<Finding>)>> {
    if loaded.config.grid.layers.is_empty() {
        return Ok(vec![(city_grid::builtin().into(), Vec::new())]);
    }
    let zone = timezone(loaded)?;
    let systems = super::systems(loaded)?;
    loaded
        .config
        .grid
        .layers
        .iter()
        .map(|layer| load_layer(loaded, &systems, layer, &zone))
        .collect()
}

/// The city's time zone.
///
/// # Errors
/// When there is no such zone, which reading the configuration rules out.
pub fn timezone(loaded: &Loaded) -> anyhow::Result<TimeZone> {
    TimeZone::get(&loaded.config.city.timezone).context("read city.timezone")
}

/// The bytes of a level's file, and of those beside it where it is a shapefile.
struct LevelFiles {
    main: Vec<u8>,
    dbf: Option<Vec<u8>>,
    cpg: Option<Vec<u8>>,
    prj: Option<Vec<u8>>,
}

impl LevelFiles {
    fn read(loaded: &Loaded, file: &Path) -> anyhow::Result<LevelFiles> {
        let main = loaded.bytes_of("grid.layers.levels.file", file)?;
        let is_packed = file.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
        let named = if is_packed {
            file.with_extension("")
        } else {
            file.to_owned()
        };
        let is_shp = named
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("shp"));
        let has_others = is_shapefile(&main) || (is_packed && is_shp);
        let beside = |ending: &str| {
            if has_others {
                beside(loaded, file, &named, ending)
            } else {
                Ok(None)
            }
        };
        Ok(LevelFiles {
            dbf: beside("dbf")?,
            cpg: beside("cpg")?,
            prj: beside("prj")?,
            main,
        })
    }

    fn source(&self) -> LevelSource<'_> {
        LevelSource {
            main: &self.main,
            dbf: self.dbf.as_deref(),
            cpg: self.cpg.as_deref(),
            prj: self.prj.as_deref(),
        }
    }
}

/// A file of the same name with another ending, in small letters or capitals, if there is one.
fn beside(loaded: &Loaded, file: &Path, named: &Path, ending: &str) -> Result<Option<Vec<u8>>, ConfigError> {
    for ending in [ending.to_owned(), ending.to_ascii_uppercase()] {
        let path = loaded.path(&named.with_extension(ending));
        if path.try_exists().unwrap_or(true) {
            let read = loaded.reads.read("grid.layers.levels.file", &path);
            return read.map(Some).map_err(|error| {
                let message = format!("cannot read {}: {error}", path.display());
                loaded.error("grid.layers.levels.file", file, message)
            });
        }
    }
    Ok(None)
}

fn load_layer(
    loaded: &Loaded,
    systems: &Systems,
    layer: &GridLayer,
    zone: &TimeZone,
) -> anyhow::Result<(Timeline, Vec<Finding>)> {
    let files: Vec<LevelFiles> = layer
        .levels
        .iter()
        .map(|level| LevelFiles::read(loaded, &level.file))
        .collect::<anyhow::Result<_>>()?;
    let levels = layer.levels.iter().map(|level| LevelConfig {
        level: level.level.clone(),
        crs: level.crs,
        code: level.code.clone(),
        label: level.label.clone(),
        parent: level.parent.clone(),
        unit: level.unit.clone(),
        valid_from: level.valid_from.clone(),
        valid_to: level.valid_to.clone(),
        encoding: level.encoding.clone(),
    });
    let config = LayerConfig {
        name: layer.name.clone(),
        levels: levels.collect(),
    };
    let sources: Vec<LevelSource<'_>> = files.iter().map(LevelFiles::source).collect();
    let strict = loaded.config.grid.strict;
    let (timeline, findings) =
        Timeline::load_in(systems, &config, &sources, strict, zone).map_err(|error| {
            let wrong = match &error {
                GridError::File { level, .. } | GridError::Feature { level, .. } => Some(level),
                GridError::Config(_) => None,
            };
            let level = wrong.and_then(|wrong| layer.levels.iter().find(|level| level.level == *wrong));
            let file = level
                .or(layer.levels.first())
                .map_or_else(|| Path::new(""), |level| level.file.as_path());
            let message = format!(
                "layer \"{}\", {}: {error}",
                layer.name,
                loaded.path(file).display()
            );
            loaded.error("grid.layers", file, message)
        })?;
    let snap_mm = (layer.snap_m * 1_000.0).round() as u64; // `as` saturates, and the configuration was validated
    Ok((timeline.with_snap_mm(snap_mm), findings))
}
