//! Reads a GeoJSON feature collection one feature at a time, and says which one is wrong and why.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::reference::Declared;
use super::{Feature, Features, Ground, LevelConfig, Maker, RawRing, feature_error, file_error};
use crate::finding::GridError;

/// The features of a collection, and the coordinate system that it names.
pub(super) fn read(config: &LevelConfig, text: &[u8]) -> Result<(Features, Option<Declared>), GridError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text); // a byte order mark
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(file_error(config, "the file is empty".to_owned()));
    }
    let mut reader = Reader {
        config,
        maker: Maker::new(config),
        kind: None,
        crs: Value::Null,
        at: None,
        features: Vec::new(),
        error: None,
    };
    let mut json = serde_json::Deserializer::from_slice(text);
    let outcome = (&mut reader).deserialize(&mut json).and_then(|()| json.end());
    // the member of the format's first edition; exports still write it
    let name = reader.crs.pointer("/properties/name").and_then(Value::as_str);
    let declared = name.and_then(Declared::named);
    Ok((reader.finish(outcome)?, declared))
}

/// Walks the file without building it in memory: the coordinates of a large city are hundreds of megabytes as values.
struct Reader<'a> {
    config: &'a LevelConfig,
    maker: Maker<'a>,
    kind: Option<String>,
    crs: Value,
    /// The feature being read.
    at: Option<usize>,
    features: Vec<Feature>,
    /// The error behind the reader's own, when a feature was readable but wrong.
    error: Option<GridError>,
}

impl Reader<'_> {
    fn finish(self, outcome: serde_json::Result<()>) -> Result<Features, GridError> {
        let config = self.config;
        if let Some(error) = self.error {
            return Err(error);
        }
        match (outcome, self.kind.as_deref()) {
            (Err(error), _) => Err(match self.at {
                Some(index) => feature_error(config, index, None, format!("not readable: {error}")),
                None => file_error(config, format!("not GeoJSON: {error}")),
            }),
            (Ok(()), Some("FeatureCollection")) => self.maker.finish(self.features),
            (Ok(()), kind) => {
                let kind = kind.unwrap_or("without a type");
                let what = format!("is {kind}, not a GeoJSON FeatureCollection");
                Err(file_error(config, what))
            }
        }
    }

    fn feature(&mut self, index: usize, value: &Value) -> Result<Feature, GridError> {
        let kind = value.get("type").and_then(Value::as_str);
        if kind != Some("Feature") {
            let what = "its type is not `Feature`".to_owned();
            return Err(feature_error(self.config, index, None, what));
        }
        let none = Map::new();
        let properties = value
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        self.maker.feature(
            index,
            |name| properties.get(name).cloned(),
            || properties.keys().cloned().collect(),
            || polygons(value.get("geometry").unwrap_or(&Value::Null)).map(Ground::Polygons),
        )
    }
}

fn polygons(geometry: &Value) -> Result<Vec<Vec<RawRing>>, String> {
    let coordinates = geometry.get("coordinates").unwrap_or(&Value::Null);
    match geometry.get("type").and_then(Value::as_str) {
        Some("Polygon") => Ok(vec![rings(coordinates)?]),
        Some("MultiPolygon") => {
            let polygons = coordinates.as_array().filter(|list| !list.is_empty());
            let polygons = polygons.ok_or("the multipolygon is empty")?;
            polygons.iter().map(rings).collect()
        }
        Some(other) => Err(format!("is a {other}, not a Polygon or MultiPolygon")),
        None => Err("has no geometry".to_owned()),
    }
}

fn rings(value: &Value) -> Result<Vec<RawRing>, String> {
    let rings = value.as_array().filter(|list| !list.is_empty());
    let rings = rings.ok_or("the polygon has no rings")?;
    let ring = |(at, ring): (usize, &Value)| {
        let points = ring
            .as_array()
            .ok_or_else(|| format!("ring {at} is no list of points"))?;
        let point = |(point, value): (usize, &Value)| {
            let x = value.get(0).and_then(Value::as_f64);
            let y = value.get(1).and_then(Value::as_f64);
            x.zip(y)
                .ok_or_else(|| format!("ring {at}, point {point} is not two numbers"))
        };
        points.iter().enumerate().map(point).collect()
    };
    rings.iter().enumerate().map(ring).collect()
}

impl<'de> DeserializeSeed<'de> for &mut Reader<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Reader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a GeoJSON FeatureCollection")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "type" => self.kind = Some(map.next_value()?),
                "crs" => self.crs = map.next_value()?,
                "features" => map.next_value_seed(FeatureList(self))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct FeatureList<'a, 'b>(&'a mut Reader<'b>);

impl<'de> DeserializeSeed<'de> for FeatureList<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for FeatureList<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of features")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let reader = self.0;
        for index in reader.features.len().. {
            reader.at = Some(index);
            let Some(value) = list.next_element::<Value>()? else {
                break;
            };
            match reader.feature(index, &value) {
                Ok(feature) => reader.features.push(feature),
                Err(error) => {
                    reader.error = Some(error);
                    return Err(A::Error::custom("unusable feature"));
                }
            }
        }
        reader.at = None;
        Ok(())
    }
}
