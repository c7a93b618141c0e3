//! The registries that a configuration names, from CSV, plain or gzipped.

use std::io::{BufRead, BufReader};
use std::path::Path;

use city_grid::crs::Systems;
use city_registry::{Listed, Registry, RowError, read_components, read_devices, read_facilities};
use city_rules::ConfigError;
use flate2::bufread::MultiGzDecoder;

use crate::config::Loaded;

/// The unpacked side's buffer.
const BUFFER: usize = 1 << 18;

/// Reads the registries.
pub(super) fn read(loaded: &Loaded, systems: &Systems) -> Result<Registry, ConfigError> {
    let files = &loaded.config.registry;
    let mut registry = Registry::default();
    if let Some(path) = &files.devices {
        registry.devices = one(loaded, "registry.devices", path, |reader| {
            read_devices(reader, systems)
        })?;
    }
    if let Some(path) = &files.components {
        registry.components = one(loaded, "registry.components", path, |reader| {
            read_components(reader, systems)
        })?;
    }
    if let Some(path) = &files.facilities {
        registry.facilities = one(loaded, "registry.facilities", path, |reader| {
            read_facilities(reader, systems)
        })?;
    }
    Ok(registry)
}

/// One file, in a stream. An id that is listed twice is told, not refused: a city's list is seldom without.
fn one<T>(
    loaded: &Loaded,
    key: &str,
    path: &Path,
    read: impl FnOnce(&mut dyn BufRead) -> Result<Listed<T>, RowError>,
) -> Result<T, ConfigError> {
    let full = loaded.path(path);
    let file = full.display();
    let unreadable = |error| loaded.error(key, path, format!("cannot read {file}: {error}"));
    let listed = loaded
        .reads
        .stream(key, &full, |plain| {
            let is_packed = plain.fill_buf()?.starts_with(&[0x1f, 0x8b]);
            Ok(if is_packed {
                read(&mut BufReader::with_capacity(BUFFER, MultiGzDecoder::new(plain)))
            } else {
                read(plain)
            })
        })
        .map_err(unreadable)?;
    let listed = listed.map_err(|error| match error.line {
        Some(line) => ConfigError {
            line: Some(line as usize),
            ..ConfigError::new(&file.to_string(), "", error.message)
        },
        None => loaded.error(key, path, format!("{file}: {}", error.message)),
    })?;
    if let Some((line, id)) = listed.first_repeated {
        tracing::warn!(%file, line, %id, rows = listed.repeated, "this id is listed twice; the last row of an id counts");
    }
    Ok(listed.entries)
}
