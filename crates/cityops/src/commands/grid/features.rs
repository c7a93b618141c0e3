//! Writes findings and changes as a GeoJSON feature collection, one feature a line.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use city_grid::Geometry;
use serde_json::{Map, Value, json};

/// # Errors
/// When the file cannot be written.
pub(super) fn write<'a>(
    path: &Path,
    features: impl Iterator<Item = (Map<String, Value>, &'a Geometry)>,
) -> anyhow::Result<()> {
    let all = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")?;
        for (at, (properties, geometry)) in features.enumerate() {
            let feature =
                json!({ "type": "Feature", "properties": properties, "geometry": geometry.to_geojson() });
            let comma = if at > 0 { "," } else { "" };
            write!(file, "{comma}\n{feature}")?;
        }
        file.write_all(b"\n]}\n")?;
        file.flush()
    };
    all().with_context(|| format!("write {}", path.display()))
}
