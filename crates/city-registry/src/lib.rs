//! What stands where: devices and cameras, components (部件) by the million, facilities, addresses.
//!
//! Told once and only read from then on. The order of a file's rows does not show, but for an id that is listed twice:
//! the last one counts. Nothing here opens a file: callers bring a reader, and it is never held in memory whole.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod addresses;
mod components;
mod devices;
mod facilities;

mod load;
mod oddities;
mod table;

mod ground;
mod id;

pub use addresses::{AddressName, AddressPlace, Addresses};
pub use components::{Component, Components, ComponentsBuilder, Near, Only, RegistryFull};
pub use devices::{Device, Devices};
pub use facilities::{Facilities, FacilityPlace, NearFacility};
pub use load::{Listed, read_addresses, read_components, read_devices, read_facilities};
pub use oddities::{OddRows, Oddities};
pub use table::RowError;

/// What the city knows about its things.
#[derive(Debug, Default)]
pub struct Registry {
    /// Devices and cameras.
    pub devices: Devices,
    /// Components.
    pub components: Components,
    /// Facilities.
    pub facilities: Facilities,
    /// The address library.
    pub addresses: Addresses,
    /// What was odd in the files that it was read from, by file.
    pub oddities: Vec<(String, Oddities)>,
}
