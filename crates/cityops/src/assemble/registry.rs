//! The registries that a configuration names, from CSV, plain or gzipped.

use std::io::{BufRead, BufReader};
use std::path::Path;

use city_grid::Frame;
use city_registry::{
    Listed, Oddities, Registry, RowError, read_addresses, read_components, read_devices, read_facilities,
};
use city_rules::ConfigError;
use flate2::bufread::MultiGzDecoder;

use crate::config::Loaded;

/// The unpacked side's buffer.
const BUFFER: usize = 1 << 18;

/// Reads the registries.
pub(super) fn read(loaded: &Loaded, frame: Frame<'_>) -> Result<Registry, ConfigError> {
    let files = &loaded.config.registry;
    let mut registry = Registry::default();
    let mut odd = Vec::new();
    if let Some(path) = &files.devices {
        registry.devices = one(loaded, &mut odd, "registry.devices", path, |reader| {
            read_devices(reader, frame)
        })?;
    }
    if let Some(path) = &files.components {
        registry.components = one(loaded, &mut odd, "registry.components", path, |reader| {
            read_components(reader, frame)
        })?;
    }
    if let Some(path) = &files.facilities {
        registry.facilities = one(loaded, &mut odd, "registry.facilities", path, |reader| {
            read_facilities(reader, frame)
        })?;
    }
    if let Some(path) = &files.addresses {
        registry.addresses = one(loaded, &mut odd, "registry.addresses", path, |reader| {
            read_addresses(reader, frame, event_intake::address_name)
        })?;
    }
    registry.oddities = odd;
    Ok(registry)
}

/// One file, in a stream. What is odd is told in one warning, not refused: a city's list is seldom without.
fn one<T>(
    loaded: &Loaded,
    odd: &mut Vec<(String, Oddities)>,
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
    if !listed.oddities.is_empty() {
        let oddities = &listed.oddities;
        tracing::warn!(%file, %oddities, "a registry has odd rows");
        odd.push((path.display().to_string(), listed.oddities));
    }
    Ok(listed.entries)
}
