//! Reads a GeoJSON feature collection one feature at a time, and says which one is wrong and why.

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::LevelConfig;
use crate::finding::GridError;

/// A feature as it stands in the file. Rings keep their closing point.
#[derive(Debug)]
pub(crate) struct Feature {
    pub(crate) index: usize,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) parent: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) polygons: Vec<RawPolygon>,
}

/// Rings of `(x, y)` in the file's coordinate system.
pub(crate) type RawPolygon = Vec<Vec<(f64, f64)>>;

/// Unpacked files larger than this are refused: no city's grid is, and a bad archive could be endless.
const UNPACKED_BYTES_MAX: u64 = 4 << 30;

/// The features of one file, gzipped or not.
pub(crate) fn read(config: &LevelConfig, bytes: &[u8]) -> Result<Vec<Feature>, GridError> {
    let unpacked;
    let text = if bytes.starts_with(&[0x1f, 0x8b]) {
        unpacked = unpack(bytes).map_err(|what| file_error(config, what))?;
        unpacked.as_slice()
    } else {
        bytes
    };
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text); // a byte order mark
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(file_error(config, "the file is empty".to_owned()));
    }
    let mut reader = Reader {
        config,
        kind: None,
        at: None,
        features: Vec::new(),
        seen: [false; 2],
        error: None,
    };
    let mut json = serde_json::Deserializer::from_slice(text);
    let outcome = (&mut reader).deserialize(&mut json).and_then(|()| json.end());
    reader.finish(outcome)
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(bytes).take(UNPACKED_BYTES_MAX + 1);
    match reader.read_to_end(&mut unpacked) {
        Err(error) => Err(format!("the gzip archive is damaged: {error}")),
        Ok(size) if size as u64 > UNPACKED_BYTES_MAX => {
            Err(format!("unpacks to more than {UNPACKED_BYTES_MAX} bytes"))
        }
        Ok(_) => Ok(unpacked),
    }
}

fn file_error(config: &LevelConfig, what: String) -> GridError {
    GridError::File {
        level: config.level.clone(),
        what,
    }
}

/// Walks the file without building it in memory: the coordinates of a large city are hundreds of megabytes as values.
struct Reader<'a> {
    config: &'a LevelConfig,
    kind: Option<String>,
    /// The feature being read.
    at: Option<usize>,
    features: Vec<Feature>,
    /// Whether any feature had the parent property, the unit property.
    seen: [bool; 2],
    /// The error behind the reader's own, when a feature was readable but wrong.
    error: Option<GridError>,
}

impl Reader<'_> {
    fn finish(self, outcome: serde_json::Result<()>) -> Result<Vec<Feature>, GridError> {
        let config = self.config;
        if let Some(error) = self.error {
            return Err(error);
        }
        match (outcome, self.kind.as_deref()) {
            (Err(error), _) => Err(match self.at {
                Some(index) => GridError::Feature {
                    level: config.level.clone(),
                    index,
                    code: None,
                    what: format!("not readable: {error}"),
                },
                None => file_error(config, format!("not GeoJSON: {error}")),
            }),
            (Ok(()), Some("FeatureCollection")) if self.features.is_empty() => {
                Err(file_error(config, "there are no features".to_owned()))
            }
            (Ok(()), Some("FeatureCollection")) => {
                for (name, seen) in [&config.parent, &config.unit].into_iter().zip(self.seen) {
                    if let (Some(name), false) = (name, seen) {
                        let what = format!("no feature has the property `{name}`");
                        return Err(file_error(config, what));
                    }
                }
                Ok(self.features)
            }
            (Ok(()), kind) => {
                let kind = kind.unwrap_or("without a type");
                let what = format!("is {kind}, not a GeoJSON FeatureCollection");
                Err(file_error(config, what))
            }
        }
    }

    fn feature(&mut self, index: usize, value: &Value) -> Result<Feature, GridError> {
        let fault = |code: Option<&str>, what: String| GridError::Feature {
            level: self.config.level.clone(),
            index,
            code: code.map(str::to_owned),
            what,
        };
        let kind = value.get("type").and_then(Value::as_str);
        if kind != Some("Feature") {
            return Err(fault(None, "its type is not `Feature`".to_owned()));
        }
        let none = Map::new();
        let properties = value
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        let required = |name: &str| {
            properties.get(name).ok_or_else(|| {
                let keys: Vec<&str> = properties.keys().map(String::as_str).collect();
                let what = format!("has no property `{name}`; it has: {}", keys.join(", "));
                fault(None, what)
            })
        };
        let code = text(required(&self.config.code)?)
            .ok_or_else(|| fault(None, format!("property `{}` is no code", self.config.code)))?;
        let name = text(required(&self.config.label)?).unwrap_or_else(|| code.clone());
        let optional = |name: &Option<String>| name.as_deref().and_then(|name| properties.get(name));
        let parent = optional(&self.config.parent);
        let unit = optional(&self.config.unit);
        let polygons = polygons(value.get("geometry").unwrap_or(&Value::Null))
            .map_err(|what| fault(Some(&code), what))?;
        let seen = [self.seen[0] || parent.is_some(), self.seen[1] || unit.is_some()];
        let feature = Feature {
            index,
            parent: parent.and_then(text),
            unit: unit.and_then(text),
            code,
            name,
            polygons,
        };
        self.seen = seen;
        Ok(feature)
    }
}

/// A code or name: a text that is not blank, or a number as it would be written.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        }
        Value::Number(number) => match number.as_f64() {
            // spreadsheets write codes as 310117001.0
            Some(float) if number.is_f64() && float.abs() < 9e15 && float % 1.0 == 0.0 => {
                Some((float as i64).to_string())
            }
            _ => Some(number.to_string()),
        },
        _ => None,
    }
}

fn polygons(geometry: &Value) -> Result<Vec<RawPolygon>, String> {
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

fn rings(value: &Value) -> Result<RawPolygon, String> {
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
                "features" => map.next_value_seed(Features(self))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct Features<'a, 'b>(&'a mut Reader<'b>);

impl<'de> DeserializeSeed<'de> for Features<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Features<'_, '_> {
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
