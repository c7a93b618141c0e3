//! From the configuration to what the workers share: rules, grid, registry, intake.

mod registry;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use city_grid::{Finding, GridError, Layer, LayerConfig, LevelConfig};
use city_model::Position;
use city_rules::{ConfigError, Rules};
use event_intake::{Intake, IntakeConfig, SourceConfig};
use jiff::tz::TimeZone;
use stream_worker::{Setup, SetupParts};
use wire_format::{Decoder, SchemaStore};

use crate::config::{GridLayer, Loaded, Source};

/// The key under which reporters are hashed when none is configured: good for trying out, no protection.
const OPEN_REPORTER_KEY: &[u8] = b"cityops: no reporter key is configured";

/// The rules of a configuration.
///
/// # Errors
/// A [`ConfigError`] with line and nearest valid key.
pub fn rules(loaded: &Loaded) -> anyhow::Result<Rules> {
    let files = rules_files(loaded)?;
    Ok(if files.is_empty() {
        Rules::builtin()
    } else {
        Rules::load(&files)?
    })
}

/// What is odd about the rules of a configuration, though they can be used.
///
/// # Errors
/// As for [`rules`].
pub fn rules_findings(loaded: &Loaded) -> anyhow::Result<Vec<city_rules::Finding>> {
    Ok(Rules::findings(&rules_files(loaded)?)?)
}

/// The city's own files, each with its name.
fn rules_files(loaded: &Loaded) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in &loaded.config.rules.files {
        let text = String::from_utf8(loaded.bytes_of("rules.files", path)?)
            .map_err(|_| loaded.error("rules.files", path, format!("{} is not UTF-8", path.display())))?;
        files.push((loaded.path(path).display().to_string(), text));
    }
    Ok(files)
}

/// The layers of a configuration, each with what was odd about its files.
///
/// # Errors
/// A [`ConfigError`] that names the file's key.
pub fn layers(loaded: &Loaded) -> anyhow::Result<Vec<(Layer, Vec<Finding>)>> {
    if loaded.config.grid.layers.is_empty() {
        return Ok(vec![(city_grid::builtin(), Vec::new())]);
    }
    loaded
        .config
        .grid
        .layers
        .iter()
        .map(|layer| load_layer(loaded, layer))
        .collect()
}

fn load_layer(loaded: &Loaded, layer: &GridLayer) -> anyhow::Result<(Layer, Vec<Finding>)> {
    let mut texts = Vec::new();
    for level in &layer.levels {
        texts.push(loaded.bytes_of("grid.layers.levels.file", &level.file)?);
    }
    let levels = layer.levels.iter().map(|level| LevelConfig {
        level: level.level.clone(),
        crs: level.crs,
        code: level.code.clone(),
        label: level.label.clone(),
        parent: level.parent.clone(),
        unit: level.unit.clone(),
    });
    let config = LayerConfig {
        name: layer.name.clone(),
        levels: levels.collect(),
    };
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    Layer::load(&config, &texts, loaded.config.grid.strict).map_err(|error| {
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
        loaded.error("grid.layers", file, message).into()
    })
}

/// Everything that the workers of a process share, with the enriched log laid on so many partitions.
///
/// # Errors
/// A [`ConfigError`] for what the configuration gets wrong.
pub fn setup(loaded: &Loaded, enriched_partitions: u32) -> anyhow::Result<Setup> {
    let config = &loaded.config;
    let rules = Arc::new(rules(loaded)?);
    let mut kept = Vec::new();
    for (layer, findings) in layers(loaded)? {
        for finding in &findings {
            tracing::warn!(layer = %layer.name(), %finding, "the grid has a flaw");
        }
        kept.push(Arc::new(layer));
    }
    let timezone = TimeZone::get(&config.city.timezone).context("read city.timezone")?;
    let mut intake = IntakeConfig::new(rules.clone(), kept, timezone);
    let source = |source: &Source| SourceConfig {
        crs: source.crs,
        code_system: source.code_system.clone(),
    };
    intake.default_source = config.sources.get("default").map(source);
    if config.sources.is_empty() {
        // A configuration that says nothing about sources takes all of them, in WGS-84.
        intake.default_source = Some(SourceConfig {
            crs: city_grid::Crs::Wgs84,
            code_system: None,
        });
    }
    intake.sources = config
        .sources
        .iter()
        .filter(|(name, _)| *name != "default")
        .map(|(n, s)| (n.clone(), source(s)))
        .collect();
    intake.registry = registry::read(loaded)?;
    intake.max_late_ms = config.time.max_late.0;
    intake.sensors_max_late_ms = config.time.sensors_max_late.0;
    intake.reporter_key = reporter_key(loaded)?;
    let origin = intake
        .layers
        .first()
        .map(|layer| centre(layer))
        .context("a grid has at least one layer")?;
    Ok(Setup::new(
        SetupParts {
            city: config.city.code.as_str().into(),
            timezone: config.city.timezone.as_str().into(),
            rules,
            intake: Intake::new(intake),
            decoder: Decoder::new(schemas(loaded)?),
            origin,
            reorder_ms: config.time.reorder.0,
            max_late_ms: config.time.max_late.0,
            sensors_max_late_ms: config.time.sensors_max_late.0,
            hold_idle: config.time.holds_idle(),
        },
        enriched_partitions,
    ))
}

/// The middle of a layer's box, to a hundredth of a degree: a redrawn border must not move the plane.
fn centre(layer: &Layer) -> Position {
    let [west, south, east, north] = layer.bbox();
    let middle = |a: f64, b: f64| ((a + b) * 50.0).round() / 100.0;
    Position::from_degrees(middle(west, east), middle(south, north))
        .unwrap_or(Position { lon_e9: 0, lat_e9: 0 })
}

fn schemas(loaded: &Loaded) -> anyhow::Result<SchemaStore> {
    let mut store = SchemaStore::builtin().context("read the built-in schemas")?;
    for (id, path) in &loaded.config.schemas.files {
        let number = id.parse().map_err(|_| {
            loaded.error(
                "schemas.files",
                path,
                format!("\"{id}\" is no schema id; the registry's ids are whole numbers"),
            )
        })?;
        let text = String::from_utf8(loaded.bytes_of("schemas.files", path)?)
            .map_err(|_| loaded.error("schemas.files", path, format!("{} is not UTF-8", path.display())))?;
        store
            .add(number, &text)
            .map_err(|error| loaded.error("schemas.files", path, error.to_string()))?;
    }
    Ok(store)
}

fn reporter_key(loaded: &Loaded) -> Result<Vec<u8>, ConfigError> {
    let Some(path) = &loaded.config.privacy.reporter_key_file else {
        tracing::warn!("no privacy.reporter_key_file: reporters are hashed with a key that everybody knows");
        return Ok(OPEN_REPORTER_KEY.to_vec());
    };
    let mut key = loaded.bytes_of("privacy.reporter_key_file", path)?;
    while key.last().is_some_and(u8::is_ascii_whitespace) {
        key.pop();
    }
    if key.len() < 16 {
        return Err(loaded.error(
            "privacy.reporter_key_file",
            path,
            "a key needs at least 16 bytes".to_owned(),
        ));
    }
    Ok(key)
}
