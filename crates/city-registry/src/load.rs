//! The registries' files: `devices.csv`, `components.csv`, `facilities.csv`, `addresses.csv`.

use std::collections::HashSet;
use std::io::BufRead;

use city_grid::Frame;
use city_model::{Facility, Name};

use crate::addresses::{AddressName, Addresses, ListedPlace};
use crate::components::{Components, ComponentsBuilder, RegistryFull};
use crate::devices::{Device, Devices};
use crate::facilities::{Facilities, FacilityPlace};
use crate::oddities::Oddities;
use crate::table::{Column, Row, RowError, Table};

/// What a file listed, and what was odd about it.
#[derive(Debug)]
pub struct Listed<T> {
    /// What it listed.
    pub entries: T,
    /// What was odd.
    pub oddities: Oddities,
}

impl<T> Listed<T> {
    fn new(entries: T) -> Listed<T> {
        Listed {
            entries,
            oddities: Oddities::default(),
        }
    }

    fn map<U>(self, map: impl FnOnce(T) -> U) -> Listed<U> {
        Listed {
            entries: map(self.entries),
            oddities: self.oddities,
        }
    }
}

/// Reads `device_id,lon,lat[,crs,accuracy_m,component_id]`, columns by name.
///
/// # Errors
/// The first cell that is wrong.
pub fn read_devices(reader: impl BufRead, frame: Frame<'_>) -> Result<Listed<Devices>, RowError> {
    let mut table = Table::open(reader, &["device_id", "lon", "lat"])?;
    let (id, place) = (table.column("device_id"), table.place_columns());
    let (accuracy, component) = (table.column("accuracy_m"), table.column("component_id"));
    let mut listed = Listed::new(Devices::default());
    listed.oddities.keeps_placeless = true;
    while let Some(row) = table.next()? {
        let component = row.text(component)?;
        let device_id = row.mandatory(id)?;
        let spot = row.spot(place, frame)?;
        let is_repeated = listed.entries.add(Device {
            device_id: device_id.into(),
            position: listed.oddities.place(&row, device_id, spot),
            u_mm: row.accuracy_mm(accuracy)?,
            component_id: (!component.is_empty()).then(|| component.into()),
        });
        if is_repeated {
            listed.oddities.repeated.count(&row, device_id);
        }
    }
    Ok(listed)
}

/// Reads `component_id,class,lon,lat[,crs,accuracy_m]`, columns by name: fifteen million rows in a stream, none of which
/// is kept but as its 24 bytes.
///
/// # Errors
/// The first cell that is wrong, or that finds no room.
pub fn read_components(reader: impl BufRead, frame: Frame<'_>) -> Result<Listed<Components>, RowError> {
    let mut table = Table::open(reader, &["component_id", "class", "lon", "lat"])?;
    let (id, class) = (table.column("component_id"), table.column("class"));
    let (place, accuracy) = (table.place_columns(), table.column("accuracy_m"));
    let mut listed = Listed::new(ComponentsBuilder::default());
    while let Some(row) = table.next()? {
        let component_id = row.mandatory(id)?;
        let spot = row.spot(place, frame)?;
        let Some(position) = listed.oddities.place(&row, component_id, spot) else {
            continue;
        };
        let is_repeated = listed
            .entries
            .add(
                component_id,
                row.text(class)?,
                position,
                row.accuracy_mm(accuracy)?,
            )
            .map_err(|full| {
                let column = if full == RegistryFull::Classes { class } else { id };
                row.error(column, full.to_string())
            })?;
        if is_repeated {
            listed.oddities.repeated.count(&row, component_id);
        }
    }
    Ok(listed.map(ComponentsBuilder::finish))
}

/// Reads `facility_id,class,name,lon,lat[,crs]`, columns by name.
///
/// # Errors
/// The first cell that is wrong.
pub fn read_facilities(reader: impl BufRead, frame: Frame<'_>) -> Result<Listed<Facilities>, RowError> {
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
        let class = facility_class(&row, class)?;
        let spot = row.spot(place, frame)?;
        let Some(position) = listed.oddities.place(&row, &facility_id, spot) else {
            continue;
        };
        if !seen.insert(facility_id.clone()) {
            listed.oddities.repeated.count(&row, &facility_id);
        }
        listed.entries.push(FacilityPlace {
            class,
            name: row.text(name)?.into(),
            position,
            facility_id,
        });
    }
    Ok(listed.map(Facilities::new))
}

/// Reads `address,lon,lat[,crs,accuracy_m,spread_m]`, columns by name. `reading` makes of an address as it is written what it
/// names; the same reads the addresses of reports, so that both have one spelling. Rows of one address are taken together,
/// as those of a lane's houses.
///
/// # Errors
/// The first cell that is wrong.
pub fn read_addresses(
    reader: impl BufRead,
    frame: Frame<'_>,
    reading: impl Fn(&str) -> Option<AddressName>,
) -> Result<Listed<Addresses>, RowError> {
    let mut table = Table::open(reader, &["address", "lon", "lat"])?;
    let (address, place) = (table.column("address"), table.place_columns());
    let (accuracy, spread) = (table.column("accuracy_m"), table.column("spread_m"));
    let mut listed = Listed::new(Vec::new());
    while let Some(row) = table.next()? {
        let text = row.mandatory(address)?;
        let spot = row.spot(place, frame)?;
        let (accuracy_mm, spread_mm) = (row.accuracy_mm(accuracy)?, row.accuracy_mm(spread)?);
        let Some(position) = listed.oddities.place(&row, text, spot) else {
            continue;
        };
        let Some(name) = reading(text) else {
            listed.oddities.nameless.count(&row, text);
            continue;
        };
        let place = ListedPlace {
            position,
            accuracy_mm,
            spread_mm,
        };
        listed.entries.push((name, place));
    }
    Ok(listed.map(Addresses::new))
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
