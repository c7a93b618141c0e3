//! What the registry lists under an id that names a person, by what stands for that id: records come with theirs covered.

use city_model::Name;
use city_registry::{Device, Registry};
use rustc_hash::FxHashMap;

use crate::privacy::PrivacyKeys;

/// The few entries of a registry that are known by something personal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Covered {
    /// Devices whose id or whose component's id is covered.
    devices: FxHashMap<Name, Device>,
    /// What a covered component is listed as.
    components: FxHashMap<Name, Name>,
}

impl Covered {
    pub(crate) fn new(registry: &Registry, keys: &PrivacyKeys) -> Covered {
        let mut covered = Covered::default();
        for device in registry.devices.iter() {
            let id = keys.cover(&device.device_id);
            let component = device.component_id.as_deref().and_then(|id| keys.cover(id));
            if id.is_some() || component.is_some() {
                let shown = Device {
                    device_id: id.unwrap_or_else(|| device.device_id.clone()),
                    component_id: component.or_else(|| device.component_id.clone()),
                    ..device.clone()
                };
                covered.devices.insert(shown.device_id.clone(), shown);
            }
        }
        for component in registry.components.iter() {
            let id = component.id();
            if let Some(shown) = keys.cover(&id) {
                covered.components.insert(shown, id);
            }
        }
        covered
    }

    pub(crate) fn device(&self, id: &str) -> Option<&Device> {
        self.devices.get(id)
    }

    /// The id under which the registry lists a component.
    pub(crate) fn listed<'a>(&'a self, id: &'a str) -> &'a str {
        self.components.get(id).map_or(id, |listed| listed)
    }
}
