//! Reads ESRI shapefiles: shapes from the `.shp`, one row of the `.dbf` for each, in the same order.
//!
//! Own code, because a record's counts must be held against its length before anything is reserved for them; the crate
//! for the format, which writes the files of the tests, believes them.

use serde_json::Value;

use super::dbf::Table;
use super::reference::Declared;
use super::{Features, Ground, LevelConfig, LevelSource, Maker, RawRing, feature_error, file_error};
use crate::finding::{GridError, What};

/// The file code 9994, the other way round than everything after it.
pub(super) const MAGIC: [u8; 4] = [0x00, 0x00, 0x27, 0x0a];
const HEADER_BYTES: usize = 100;
const RECORD_HEADER_BYTES: usize = 8;
/// Type, box, number of parts, number of points.
const POLYGON_HEADER_BYTES: usize = 44;
const POINT_BYTES: usize = 16;

/// The features of a shapefile, and the coordinate system that its `.prj` names.
pub(super) fn read(
    config: &LevelConfig,
    shp: &[u8],
    source: &LevelSource<'_>,
) -> Result<(Features, Option<Declared>), GridError> {
    let broken = |what: String| file_error(config, format!("not a shapefile: {what}"));
    let dbf = source.dbf.ok_or_else(|| {
        let what = "is a shapefile without its .dbf, which has the codes and names";
        file_error(config, what.to_owned())
    })?;
    let table = Table::open(dbf, config.encoding.as_deref(), source.cpg)
        .map_err(|what| file_error(config, format!("the .dbf is not readable: {what}")))?;
    let body = shp
        .get(HEADER_BYTES..)
        .ok_or_else(|| broken("it ends within the header".to_owned()))?;
    let counted = word(shp, 24).map_or(0, |words| words.max(0) as usize * 2);
    if counted != shp.len() {
        let there = shp.len();
        return Err(broken(format!(
            "the header counts {counted} bytes, there are {there}"
        )));
    }
    let mut maker = Maker::new(config);
    let mut features = Vec::with_capacity(table.len);
    let (mut rest, mut row) = (body, 0);
    while !rest.is_empty() {
        let damaged = |what: &str| feature_error(config, row, None, format!("not readable: {what}"));
        let (content, after) = record(rest).ok_or_else(|| damaged("the file ends within it"))?;
        rest = after;
        if row >= table.len {
            let what = format!("the .dbf has {} rows, and the .shp has more shapes", table.len);
            return Err(file_error(config, what));
        }
        if !table.is_deleted(row) {
            let mut feature = maker.feature(
                row,
                |name| Some(table.value(row, name)?.0),
                || table.names(),
                || rings(content).map(Ground::Loose),
            )?;
            let used = [Some(config.code.as_str()), Some(config.label.as_str())];
            let used = used
                .into_iter()
                .chain(super::optional_properties(config))
                .flatten();
            for name in used {
                if let Some((Value::String(read), true)) = table.value(row, name) {
                    let encoding = table.encoding();
                    let detail = format!("property `{name}` is not {encoding}: read as `{read}`");
                    feature.oddities.push((What::BadText, detail));
                }
            }
            features.push(feature);
        }
        row += 1;
    }
    if row < table.len {
        let what = format!("the .dbf has {} rows, the .shp only {row} shapes", table.len);
        return Err(file_error(config, what));
    }
    let mut features = maker.finish(features)?;
    features
        .oddities
        .extend(table.doubt.map(|doubt| (What::EncodingAssumed, doubt)));
    let prj = source.prj.map(String::from_utf8_lossy);
    Ok((features, prj.and_then(|prj| Declared::well_known(&prj))))
}

/// A whole number at an offset, high byte first.
fn word(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A whole number at an offset, low byte first.
fn little(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The content of the first record, and what comes after it; `None` when the bytes end too early.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let words = usize::try_from(word(bytes, 4)?).ok()?;
    bytes
        .get(RECORD_HEADER_BYTES..)?
        .split_at_checked(words.checked_mul(2)?)
}

/// The rings of a polygon record. Heights and measures come after the points and are not read.
fn rings(content: &[u8]) -> Result<Vec<RawRing>, String> {
    let too_short = || "its shape is damaged: it ends too early".to_owned();
    match little(content, 0).ok_or_else(too_short)? {
        5 | 15 | 25 => {}
        0 => return Err("has no geometry".to_owned()),
        kind => {
            let name = match kind {
                1 | 11 | 21 => "Point",
                3 | 13 | 23 => "PolyLine",
                8 | 18 | 28 => "MultiPoint",
                31 => "MultiPatch",
                _ => "shape of an unknown type",
            };
            return Err(format!("is a {name}, not a Polygon"));
        }
    }
    let count = |at: usize| little(content, at).and_then(|count| usize::try_from(count).ok());
    let (parts, points) = count(36).zip(count(40)).ok_or_else(too_short)?;
    let lists = content.get(POLYGON_HEADER_BYTES..).unwrap_or_default();
    let absurd = || {
        let bytes = content.len();
        format!("its shape is damaged: {parts} rings of {points} points in {bytes} bytes")
    };
    let (starts, xy) = parts
        .checked_mul(4)
        .and_then(|bytes| lists.split_at_checked(bytes))
        .ok_or_else(absurd)?;
    let xy = points
        .checked_mul(POINT_BYTES)
        .and_then(|bytes| xy.get(..bytes))
        .ok_or_else(absurd)?;
    if parts == 0 {
        return Err("the polygon has no rings".to_owned());
    }
    let mut rings = Vec::with_capacity(parts);
    for part in 0..parts {
        let from = if part == 0 {
            Some(0)
        } else {
            count(POLYGON_HEADER_BYTES + 4 * part)
        };
        let next = POLYGON_HEADER_BYTES + 4 * (part + 1);
        let end = if part + 1 == parts {
            Some(points)
        } else {
            count(next)
        };
        let range = from.zip(end).filter(|(from, end)| from <= end && *end <= points);
        let (from, end) = range.ok_or_else(|| {
            let total = starts.len() / 4;
            format!("its shape is damaged: ring {part} of {total} is not within the {points} points")
        })?;
        let bytes = &xy[from * POINT_BYTES..end * POINT_BYTES];
        let (points, _) = bytes.as_chunks::<POINT_BYTES>();
        rings.push(points.iter().map(point).collect());
    }
    Ok(rings)
}

fn point(bytes: &[u8; POINT_BYTES]) -> (f64, f64) {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *bytes;
    (
        f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        f64::from_le_bytes(rest),
    )
}
