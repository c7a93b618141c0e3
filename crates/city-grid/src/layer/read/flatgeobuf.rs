//! Reads FlatGeobuf: the frame is walked here, within the bytes that are there; the buffers in it are verified by the
//! format's own crate. Its geometry and property readers are not used: they trust offsets that a damaged file gets wrong.

use flatgeobuf::{
    Column, ColumnType, Geometry, GeometryType, Header, size_prefixed_root_as_feature,
    size_prefixed_root_as_header,
};
use serde_json::{Number, Value};

use super::reference::Declared;
use super::{Features, Ground, LevelConfig, Maker, RawRing, feature_error, file_error};
use crate::finding::GridError;

/// Magic, version, magic, patch version.
const MAGIC_BYTES: usize = 8;
/// The newest version of the format that is known here.
const VERSION_MAX: u8 = 3;
/// A box and an offset.
const INDEX_NODE_BYTES: u64 = 40;

/// The features of a file, and the coordinate system that it names.
pub(super) fn read(config: &LevelConfig, bytes: &[u8]) -> Result<(Features, Option<Declared>), GridError> {
    let broken = |what: String| file_error(config, format!("not FlatGeobuf: {what}"));
    match bytes.get(3) {
        Some(&version) if version <= VERSION_MAX => {}
        Some(version) => return Err(broken(format!("its version is {version}, not {VERSION_MAX}"))),
        None => return Err(broken("it ends within the header".to_owned())),
    }
    let after_magic = bytes.get(MAGIC_BYTES..).unwrap_or_default();
    let (buffer, rest) = framed(after_magic).ok_or_else(|| broken("it ends within the header".to_owned()))?;
    let header =
        size_prefixed_root_as_header(buffer).map_err(|error| broken(format!("bad header: {error}")))?;
    let mut rest = skip_index(&header, rest).map_err(broken)?;
    let mut maker = Maker::new(config);
    let mut features = Vec::new();
    while !rest.is_empty() {
        let index = features.len();
        let damaged = |what: String| feature_error(config, index, None, format!("not readable: {what}"));
        let (buffer, after) = framed(rest).ok_or_else(|| damaged("the file ends within it".to_owned()))?;
        rest = after;
        let feature = size_prefixed_root_as_feature(buffer).map_err(|error| damaged(error.to_string()))?;
        let columns = || feature.columns().or(header.columns()).into_iter().flatten();
        let raw = feature
            .properties()
            .map_or(&[][..], |properties| properties.bytes());
        let values = properties(raw, &columns().collect::<Vec<_>>())
            .ok_or_else(|| damaged("its properties are damaged".to_owned()))?;
        features.push(maker.feature(
            index,
            |name| {
                // a column that is there and has no value here is blank, as in the other formats
                let at = columns().position(|column| column.name() == name)?;
                let value = values.iter().find(|(column, _)| *column == at);
                Some(value.map_or(Value::Null, |(_, value)| value.clone()))
            },
            || columns().map(|column| column.name().to_owned()).collect(),
            || ground(feature.geometry(), header.geometry_type()),
        )?);
    }
    let (counted, there) = (header.features_count(), features.len());
    if counted > 0 && counted != there as u64 {
        return Err(broken(format!(
            "the header counts {counted} features, there are {there}"
        )));
    }
    let declared = header.crs().and_then(|crs| {
        let by_code = Declared::epsg(i64::from(crs.code()));
        by_code.or_else(|| Declared::well_known(crs.wkt()?))
    });
    Ok((maker.finish(features)?, declared))
}

/// A buffer with its length before it, and what comes after; `None` when the bytes end too early.
fn framed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u32::from_le_bytes(*bytes.first_chunk()?);
    bytes.split_at_checked(usize::try_from(length).ok()?.checked_add(4)?)
}

fn skip_index<'a>(header: &Header<'_>, bytes: &'a [u8]) -> Result<&'a [u8], String> {
    let (count, node_size) = (header.features_count(), u64::from(header.index_node_size()));
    if node_size == 0 || count == 0 {
        return Ok(bytes);
    }
    let too_many = || format!("the header counts {count} features, and the file ends within their index");
    if node_size < 2 || count > bytes.len() as u64 {
        return Err(too_many());
    }
    // the index is a packed tree: one node a feature, then one for every full parent, up to the root
    let (mut level, mut nodes) = (count, count);
    while level > 1 {
        level = level.div_ceil(node_size);
        nodes += level;
    }
    if count == 1 {
        nodes += 1; // the root is written even over a single leaf
    }
    usize::try_from(nodes * INDEX_NODE_BYTES)
        .ok()
        .and_then(|size| bytes.get(size..))
        .ok_or_else(too_many)
}

/// The values by column; `None` when the bytes are not what the columns say.
fn properties(mut bytes: &[u8], columns: &[Column<'_>]) -> Option<Vec<(usize, Value)>> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let column = usize::from(u16::from_le_bytes(take(&mut bytes)?));
        let value = match columns.get(column)?.type_() {
            ColumnType::Byte => i8::from_le_bytes(take(&mut bytes)?).into(),
            ColumnType::UByte => u8::from_le_bytes(take(&mut bytes)?).into(),
            ColumnType::Bool => (u8::from_le_bytes(take(&mut bytes)?) != 0).into(),
            ColumnType::Short => i16::from_le_bytes(take(&mut bytes)?).into(),
            ColumnType::UShort => u16::from_le_bytes(take(&mut bytes)?).into(),
            ColumnType::Int => i32::from_le_bytes(take(&mut bytes)?).into(),
            ColumnType::UInt => u32::from_le_bytes(take(&mut bytes)?).into(),
            ColumnType::Long => i64::from_le_bytes(take(&mut bytes)?).into(),
            ColumnType::ULong => u64::from_le_bytes(take(&mut bytes)?).into(),
            ColumnType::Float => number(f32::from_le_bytes(take(&mut bytes)?).into()),
            ColumnType::Double => number(f64::from_le_bytes(take(&mut bytes)?)),
            kind @ (ColumnType::String | ColumnType::Json | ColumnType::DateTime | ColumnType::Binary) => {
                let length = usize::try_from(u32::from_le_bytes(take(&mut bytes)?)).ok()?;
                let (text, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                if kind == ColumnType::Binary {
                    Value::Null
                } else {
                    std::str::from_utf8(text).ok()?.into()
                }
            }
            _ => return None,
        };
        values.push((column, value));
    }
    Some(values)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn number(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn ground(geometry: Option<Geometry<'_>>, of_all: GeometryType) -> Result<Ground, String> {
    let geometry = geometry.ok_or("has no geometry")?;
    let kind = if of_all == GeometryType::Unknown {
        geometry.type_()
    } else {
        of_all
    };
    match kind {
        GeometryType::Polygon => Ok(Ground::Polygons(vec![rings(&geometry)?])),
        GeometryType::MultiPolygon => {
            let parts = geometry.parts().filter(|parts| !parts.is_empty());
            let parts = parts.ok_or("the multipolygon is empty")?;
            let polygons: Result<_, String> = parts.iter().map(|part| rings(&part)).collect();
            Ok(Ground::Polygons(polygons?))
        }
        other => {
            let name = other.variant_name().unwrap_or("geometry of an unknown type");
            Err(format!("is a {name}, not a Polygon or MultiPolygon"))
        }
    }
}

fn rings(polygon: &Geometry<'_>) -> Result<Vec<RawRing>, String> {
    let xy = polygon.xy().filter(|xy| xy.len() >= 2);
    let xy = xy.ok_or("the polygon has no rings")?;
    let points: RawRing = (0..xy.len() / 2)
        .map(|at| (xy.get(2 * at), xy.get(2 * at + 1)))
        .collect();
    let Some(ends) = polygon.ends().filter(|ends| !ends.is_empty()) else {
        return Ok(vec![points]);
    };
    let mut rings = Vec::with_capacity(ends.len());
    let mut from = 0;
    for (at, end) in ends.iter().enumerate() {
        let end = usize::try_from(end).unwrap_or(usize::MAX);
        let ring = points.get(from..end).ok_or_else(|| {
            let count = points.len();
            format!("ring {at} reaches from point {from} to {end} of {count}")
        })?;
        rings.push(ring.to_vec());
        from = end;
    }
    if from < points.len() {
        let count = points.len();
        return Err(format!("the rings end at point {from} of {count}"));
    }
    Ok(rings)
}
