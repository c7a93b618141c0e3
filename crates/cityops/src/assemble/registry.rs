//! The registries of devices, components and facilities, from CSV.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use city_grid::Crs;
use city_grid::crs::Systems;
use city_model::{Facility, Name, Position};
use city_rules::ConfigError;
use event_intake::{Component, Device, FacilityPlace, Registry};

use crate::config::Loaded;

/// Reads the registries that the configuration names.
pub(super) fn read(loaded: &Loaded, systems: &Systems) -> Result<Registry, ConfigError> {
    let files = &loaded.config.registry;
    let mut registry = Registry::default();
    if let Some(path) = &files.devices {
        let mut seen = HashSet::new();
        for row in Table::open(loaded, "registry.devices", path, &["device_id", "lon", "lat"])?.rows() {
            let row = row?;
            let component = row.text("component_id");
            registry.devices.push(Device {
                device_id: row.id("device_id", &mut seen)?,
                position: row.position(systems)?,
                u_mm: row.accuracy_mm()?,
                component_id: (!component.is_empty()).then(|| component.into()),
            });
        }
    }
    if let Some(path) = &files.components {
        let mut seen = HashSet::new();
        for row in Table::open(
            loaded,
            "registry.components",
            path,
            &["component_id", "class", "lon", "lat"],
        )?
        .rows()
        {
            let row = row?;
            registry.components.push(Component {
                component_id: row.id("component_id", &mut seen)?,
                class: row.text("class").into(),
                position: row.position(systems)?,
                u_mm: row.accuracy_mm()?,
            });
        }
    }
    if let Some(path) = &files.facilities {
        let mut seen = HashSet::new();
        for row in Table::open(
            loaded,
            "registry.facilities",
            path,
            &["facility_id", "class", "lon", "lat"],
        )?
        .rows()
        {
            let row = row?;
            let class = row.text("class").parse::<Facility>().map_err(|_| {
                let known: Vec<&str> = Facility::ALL.iter().map(|class| class.as_str()).collect();
                row.error(format!(
                    "unknown class \"{}\"; known are {}",
                    row.text("class"),
                    known.join(" ")
                ))
            })?;
            registry.facilities.push(FacilityPlace {
                facility_id: row.id("facility_id", &mut seen)?,
                class,
                name: Name::from(row.text("name")),
                position: row.position(systems)?,
            });
        }
    }
    Ok(registry)
}

/// A CSV file with named columns.
pub(super) struct Table {
    file: String,
    columns: HashMap<String, usize>,
    reader: csv::Reader<std::io::Cursor<Vec<u8>>>,
}

impl Table {
    pub(super) fn open(
        loaded: &Loaded,
        key: &str,
        path: &Path,
        mandatory: &[&str],
    ) -> Result<Table, ConfigError> {
        let bytes = loaded.bytes_of(key, path)?;
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(std::io::Cursor::new(bytes));
        let header = reader
            .headers()
            .map_err(|error| loaded.error(key, path, error.to_string()))?;
        let columns: HashMap<String, usize> = header
            .iter()
            .enumerate()
            .map(|(at, name)| (name.trim_start_matches('\u{feff}').to_owned(), at))
            .collect();
        for name in mandatory {
            if !columns.contains_key(*name) {
                return Err(loaded.error(key, path, format!("the file has no column \"{name}\"")));
            }
        }
        Ok(Table {
            file: loaded.path(path).display().to_string(),
            columns,
            reader,
        })
    }

    pub(super) fn rows(&mut self) -> impl Iterator<Item = Result<Row<'_>, ConfigError>> {
        let (file, columns) = (self.file.as_str(), &self.columns);
        self.reader.records().map(move |record| match record {
            Ok(record) => Ok(Row {
                file,
                columns,
                line: record.position().map_or(0, csv::Position::line),
                record,
            }),
            Err(error) => {
                let line = error.position().map(|position| position.line() as usize);
                Err(ConfigError {
                    line,
                    ..ConfigError::new(file, "", error.to_string())
                })
            }
        })
    }
}

pub(super) struct Row<'a> {
    file: &'a str,
    columns: &'a HashMap<String, usize>,
    line: u64,
    record: csv::StringRecord,
}

impl Row<'_> {
    pub(super) fn text(&self, column: &str) -> &str {
        self.columns
            .get(column)
            .and_then(|at| self.record.get(*at))
            .unwrap_or_default()
    }

    /// The row's id. One that was seen before is told, not refused: a city's list is seldom without; the last device counts.
    fn id(&self, column: &str, seen: &mut HashSet<Name>) -> Result<Name, ConfigError> {
        let id = Name::from(self.text(column));
        if id.is_empty() {
            return Err(self.error(format!("\"{column}\" is empty")));
        }
        if !seen.insert(id.clone()) {
            tracing::warn!(file = self.file, line = self.line, %id, "this id is listed twice");
        }
        Ok(id)
    }

    pub(super) fn number(&self, column: &str) -> Result<f64, ConfigError> {
        let text = self.text(column);
        text.parse()
            .map_err(|_| self.error(format!("\"{column}\" is \"{text}\", which is no number")))
    }

    fn position(&self, systems: &Systems) -> Result<Position, ConfigError> {
        let system: Crs = match self.text("crs") {
            "" => Crs::Wgs84,
            name => name
                .parse()
                .map_err(|_| self.error(format!("unknown coordinate system \"{name}\"")))?,
        };
        let found = systems.to_wgs84(system, self.number("lon")?, self.number("lat")?);
        found
            .and_then(|(lon, lat)| Position::from_degrees(lon, lat))
            .ok_or_else(|| self.error("the coordinates are not on earth".to_owned()))
    }

    fn accuracy_mm(&self) -> Result<Option<i64>, ConfigError> {
        if self.text("accuracy_m").is_empty() {
            return Ok(None);
        }
        let metres = self.number("accuracy_m")?;
        if !(metres > 0.0 && metres <= 10_000.0) {
            return Err(self.error("\"accuracy_m\" must lie above 0 and at most at 10000".to_owned()));
        }
        Ok(Some((metres * 1_000.0) as i64))
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn error(&self, message: String) -> ConfigError {
        ConfigError {
            line: Some(self.line as usize),
            ..ConfigError::new(self.file, "", message)
        }
    }
}
