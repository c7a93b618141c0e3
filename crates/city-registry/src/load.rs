//! The registries' files: `devices.csv`, `components.csv`, `facilities.csv`.

use std::collections::HashSet;
use std::io::BufRead;

use city_grid::crs::Systems;
use city_model::{Facility, Name};

use crate::components::{Components, ComponentsBuilder, RegistryFull};
use crate::devices::{Device, Devices};
use crate::facilities::{Facilities, FacilityPlace};
use crate::table::{Column, Row, RowError, Table};

/// What a file listed, and what was odd: ids that were listed before, in a city's list seldom none. The last row of an id
/// counts.
#[derive(Debug)]
pub struct Listed<T> {
    /// What it listed.
    pub entries: T,
    /// How many rows came after another with their id.
    pub repeated: u64,
    /// The first of them: its line and its id.
    pub first_repeated: Option<(u64, Name)>,
}

impl<T> Listed<T> {
    fn new(entries: T) -> Listed<T> {
        Listed {
            entries,
            repeated: 0,
            first_repeated: None,
        }
    }

    fn repeats(&mut self, row: &Row<'_>, id: &str) {
        self.repeated += 1;
        self.first_repeated
            .get_or_insert_with(|| (row.line(), Name::from(id)));
    }

    fn map<U>(self, map: impl FnOnce(T) -> U) -> Listed<U> {
        Listed {
            entries: map(self.entries),
            repeated: self.repeated,
            first_repeated: self.first_repeated,
        }
    }
}

/// Reads `device_id,lon,lat[,crs,accuracy_m,component_id]`, columns by name.
///
/// # Errors
/// The first cell that is wrong.
pub fn read_devices(reader: impl BufRead, systems: &Systems) -> Result<Listed<Devices>, RowError> {
    let mut table = Table::open(reader, &["device_id", "lon", "lat"])?;
    let (id, place) = (table.column("device_id"), table.place_columns());
    let (accuracy, component) = (table.column("accuracy_m"), table.column("component_id"));
    let mut listed = Listed::new(Devices::default());
    while let Some(row) = table.next()? {
        let component = row.text(component)?;
        let device_id = row.mandatory(id)?;
        let is_repeated = listed.entries.add(Device {
            device_id: device_id.into(),
            position: row.position(place, systems)?,
            u_mm: row.accuracy_mm(accuracy)?,
            component_id: (!component.is_empty()).then(|| component.into()),
        });
        if is_repeated {
            listed.repeats(&row, device_id);
        }
    }
    Ok(listed)
}

/// Reads `component_id,class,lon,lat[,crs,accuracy_m]`, columns by name: fifteen million rows in a stream, none of which
/// is kept but as its 24 bytes.
///
/// # Errors
/// The first cell that is wrong, or that finds no room.
pub fn read_components(reader: impl BufRead, systems: &Systems) -> Result<Listed<Components>, RowError> {
    let mut table = Table::open(reader, &["component_id", "class", "lon", "lat"])?;
    let (id, class) = (table.column("component_id"), table.column("class"));
    let (place, accuracy) = (table.place_columns(), table.column("accuracy_m"));
    let mut listed = Listed::new(ComponentsBuilder::default());
    while let Some(row) = table.next()? {
        let component_id = row.mandatory(id)?;
        let is_repeated = listed
            .entries
            .add(
                component_id,
                row.text(class)?,
                row.position(place, systems)?,
                row.accuracy_mm(accuracy)?,
            )
            .map_err(|full| {
                let column = if full == RegistryFull::Classes { class } else { id };
                row.error(column, full.to_string())
            })?;
        if is_repeated {
            listed.repeats(&row, component_id);
        }
    }
    Ok(listed.map(ComponentsBuilder::finish))
}

/// Reads `facility_id,class,name,lon,lat[,crs]`, columns by name.
///
/// # Errors
/// The first cell that is wrong.
pub fn read_facilities(reader: impl BufRead, systems: &Systems) -> Result<Listed<Facilities>, RowError> {
    let mut table = Table::open(reader, &["facility_id", "class", "lon", "lat"])?;
    let (id, class, name) = (
        table.column("facility_id"),
        table.column("class"),
        table.column("name"),
    );
    let place = table.place_columns();
    let mut seen = HashSet::new();
    let mut listed = Listed::new(Vec::new());
    while let Some(row) = table.next()? {
        let facility_id = Name::from(row.mandatory(id)?);
        if !seen.insert(facility_id.clone()) {
            listed.repeats(&row, &facility_id);
        }
        listed.entries.push(FacilityPlace {
            class: facility_class(&row, class)?,
            name: row.text(name)?.into(),
            position: row.position(place, systems)?,
            facility_id,
        });
    }
    Ok(listed.map(Facilities::new))
}

fn facility_class(row: &Row<'_>, class: Column) -> Result<Facility, RowError> {
    let text = row.text(class)?;
    text.parse().map_err(|_| {
        let known: Vec<&str> = Facility::ALL.iter().map(|class| class.as_str()).collect();
        row.error(
            class,
            format!("unknown class \"{text}\"; known are {}", known.join(" ")),
        )
    })
}
