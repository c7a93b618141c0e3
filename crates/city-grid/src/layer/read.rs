//! From the bytes of a level's file to features, whatever format they are in; the content tells which, never a file's name.

mod geojson;

mod flatgeobuf;

mod dbf;
mod encoding;
mod shapefile;

mod reference;

use std::borrow::Cow;
use std::io::Read;

use serde_json::Value;

use super::LevelConfig;
use crate::finding::{GridError, What};

/// The bytes of one level's file, and of those that belong to it.
#[derive(Debug, Clone, Copy, Default)]
pub struct LevelSource<'a> {
    /// GeoJSON, FlatGeobuf, or the `.shp` of a shapefile; any of them gzipped or not.
    pub main: &'a [u8],
    /// A shapefile's table of attributes, which it cannot do without.
    pub dbf: Option<&'a [u8]>,
    /// The name of the table's code page.
    pub cpg: Option<&'a [u8]>,
    /// A shapefile's coordinate system, as well-known text.
    pub prj: Option<&'a [u8]>,
}

impl<'a> From<&'a [u8]> for LevelSource<'a> {
    fn from(main: &'a [u8]) -> LevelSource<'a> {
        LevelSource {
            main,
            ..LevelSource::default()
        }
    }
}

/// Whether a file's bytes are the `.shp` of a shapefile, so that its table has to be looked for beside it.
pub fn is_shapefile(main: &[u8]) -> bool {
    main.starts_with(&shapefile::MAGIC)
}

/// A feature as it stands in the file. Rings keep their closing point.
#[derive(Debug)]
pub(crate) struct Feature {
    pub(crate) index: usize,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) parent: Option<String>,
    pub(crate) unit: Option<String>,
    /// What stands for the beginning and the end of its validity; `Null` where nothing does.
    pub(crate) valid: [Value; 2],
    pub(crate) ground: Ground,
    /// What was odd about reading it.
    pub(crate) oddities: Vec<(What, String)>,
}

/// Rings of `(x, y)` in the file's coordinate system.
#[derive(Debug)]
pub(crate) enum Ground {
    /// Polygons, the outer ring of each first.
    Polygons(Vec<Vec<RawRing>>),
    /// Rings of which the file does not say which is a hole in which.
    Loose(Vec<RawRing>),
}

pub(crate) type RawRing = Vec<(f64, f64)>;

/// What a file holds.
#[derive(Debug)]
pub(crate) struct Features {
    pub(crate) features: Vec<Feature>,
    /// What was odd about the file as a whole.
    pub(crate) oddities: Vec<(What, String)>,
}

/// Unpacked files larger than this are refused: no city's grid is, and a bad archive could be endless.
const UNPACKED_BYTES_MAX: u64 = 4 << 30;

/// The features of one file.
pub(crate) fn read(config: &LevelConfig, source: &LevelSource<'_>) -> Result<Features, GridError> {
    let main = unpack(source.main).map_err(|what| file_error(config, what))?;
    let (features, declared) = if main.starts_with(b"fgb") {
        flatgeobuf::read(config, &main)?
    } else if is_shapefile(&main) {
        shapefile::read(config, &main, source)?
    } else if main.starts_with(b"PK\x03\x04") {
        let what = "is a zip archive: unpack it and name the .shp, .fgb or .geojson in it".to_owned();
        return Err(file_error(config, what));
    } else {
        geojson::read(config, &main)?
    };
    let mut features = features;
    if let Some(what) = declared.and_then(|declared| declared.against(config.crs)) {
        features.oddities.push((What::CrsMismatch, what));
    }
    Ok(features)
}

fn unpack(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut unpacked = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(bytes).take(UNPACKED_BYTES_MAX + 1);
    match reader.read_to_end(&mut unpacked) {
        Err(error) => Err(format!("the gzip archive is damaged: {error}")),
        Ok(size) if size as u64 > UNPACKED_BYTES_MAX => {
            Err(format!("unpacks to more than {UNPACKED_BYTES_MAX} bytes"))
        }
        Ok(_) => Ok(Cow::Owned(unpacked)),
    }
}

pub(crate) fn file_error(config: &LevelConfig, what: String) -> GridError {
    GridError::File {
        level: config.level.clone(),
        what,
    }
}

fn feature_error(config: &LevelConfig, index: usize, code: Option<&str>, what: String) -> GridError {
    GridError::Feature {
        level: config.level.clone(),
        index,
        code: code.map(str::to_owned),
        what,
    }
}

/// The properties that may be absent from a feature, but not from all of them.
fn optional_properties(config: &LevelConfig) -> [Option<&str>; 4] {
    [
        config.parent.as_deref(),
        config.unit.as_deref(),
        config.valid_from.as_deref(),
        config.valid_to.as_deref(),
    ]
}

/// Makes features of properties and grounds, the same way for every format.
struct Maker<'a> {
    config: &'a LevelConfig,
    /// Whether any feature had each of the optional properties.
    seen: [bool; 4],
    /// What the first feature has.
    names: Option<Vec<String>>,
}

impl<'a> Maker<'a> {
    fn new(config: &'a LevelConfig) -> Maker<'a> {
        Maker {
            config,
            seen: [false; 4],
            names: None,
        }
    }

    /// A feature with these properties; `ground` is only asked for when they will do.
    fn feature(
        &mut self,
        index: usize,
        property: impl Fn(&str) -> Option<Value>,
        names: impl Fn() -> Vec<String>,
        ground: impl FnOnce() -> Result<Ground, String>,
    ) -> Result<Feature, GridError> {
        let config = self.config;
        let required = |name: &str| {
            property(name).ok_or_else(|| {
                let what = format!("has no property `{name}`; it has: {}", names().join(", "));
                feature_error(config, index, None, what)
            })
        };
        let code = text(&required(&config.code)?).ok_or_else(|| {
            let what = format!("property `{}` is no code", config.code);
            feature_error(config, index, None, what)
        })?;
        let name = text(&required(&config.label)?).unwrap_or_else(|| code.clone());
        let optional = optional_properties(config).map(|name| name.and_then(&property));
        for (seen, value) in self.seen.iter_mut().zip(&optional) {
            *seen |= value.is_some();
        }
        self.names.get_or_insert_with(&names);
        let [parent, unit, valid_from, valid_to] = optional;
        let ground = ground().map_err(|what| feature_error(config, index, Some(&code), what))?;
        Ok(Feature {
            index,
            parent: parent.as_ref().and_then(text),
            unit: unit.as_ref().and_then(text),
            valid: [valid_from.unwrap_or_default(), valid_to.unwrap_or_default()],
            code,
            name,
            ground,
            oddities: Vec::new(),
        })
    }

    /// The features, unless a configured property is in none of them.
    fn finish(self, features: Vec<Feature>) -> Result<Features, GridError> {
        if features.is_empty() {
            return Err(file_error(self.config, "there are no features".to_owned()));
        }
        for (name, seen) in optional_properties(self.config).into_iter().zip(self.seen) {
            if let (Some(name), false) = (name, seen) {
                let has = self.names.unwrap_or_default().join(", ");
                let what = format!("no feature has the property `{name}`; the first has: {has}");
                return Err(file_error(self.config, what));
            }
        }
        Ok(Features {
            features,
            oddities: Vec::new(),
        })
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
