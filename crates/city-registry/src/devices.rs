//! Devices and cameras by their ids.

use city_model::{Name, Position};
use rustc_hash::FxHashMap;

/// A device, most often with a surveyed place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub device_id: Name,
    /// Where it stands, if the list says so.
    pub position: Option<Position>,
    /// One sigma in millimetres; 5 m where nothing is known.
    pub u_mm: Option<i64>,
    /// The component that it watches.
    pub component_id: Option<Name>,
}

/// The city's devices and cameras.
#[derive(Debug, Clone, Default)]
pub struct Devices {
    by_id: FxHashMap<Name, Device>,
}

impl Devices {
    /// Enters a device. True if its id was entered before: this one stands in its place.
    pub fn add(&mut self, device: Device) -> bool {
        self.by_id
            .insert(Name::clone(&device.device_id), device)
            .is_some()
    }

    /// The device with exactly this id.
    pub fn get(&self, id: &str) -> Option<&Device> {
        self.by_id.get(id)
    }

    /// All of them, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &Device> {
        self.by_id.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

impl FromIterator<Device> for Devices {
    fn from_iter<I: IntoIterator<Item = Device>>(devices: I) -> Devices {
        let mut all = Devices::default();
        for device in devices {
            all.add(device);
        }
        all
    }
}
