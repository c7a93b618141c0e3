//! What stands in the city: devices, cameras, components and facilities; the same for a seed, whatever happens.

use city_grid::Crs;

use crate::chance::{Chance, Domain};
use crate::ground::{Ground, Spot};
use crate::parameters::{CAMERA_COUNT, DEVICE_COUNTS, MANHOLE_SPACING_M};

/// Classes of devices, in the order of [`DEVICE_COUNTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Ponding,
    Underpass,
    Cover,
    Smoke,
    Gas,
    Hydrant,
    Bin,
    Electric,
    Well,
}

pub(crate) const CLASSES: [Class; 9] = [
    Class::Ponding,
    Class::Underpass,
    Class::Cover,
    Class::Smoke,
    Class::Gas,
    Class::Hydrant,
    Class::Bin,
    Class::Electric,
    Class::Well,
];

impl Class {
    /// What its devices measure.
    pub(crate) fn metric(self) -> &'static str {
        match self {
            Class::Ponding | Class::Underpass => "ponding_depth",
            Class::Cover => "cover_tilt",
            Class::Smoke => "smoke",
            Class::Gas => "ch4",
            Class::Hydrant => "hydrant_pressure",
            Class::Bin => "fill_level",
            Class::Electric => "residual_current",
            Class::Well => "water_level",
        }
    }

    /// The platform that sends its readings.
    pub(crate) fn system(self) -> &'static str {
        match self {
            Class::Ponding | Class::Underpass | Class::Well => "iot-water",
            Class::Smoke | Class::Hydrant | Class::Electric => "iot-fire",
            Class::Cover | Class::Gas | Class::Bin => "iot-city",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Class::Ponding => "JS",
            Class::Underpass => "XLJ",
            Class::Cover => "JG",
            Class::Smoke => "YG",
            Class::Gas => "RQ",
            Class::Hydrant => "XHS",
            Class::Bin => "LJT",
            Class::Electric => "DQ",
            Class::Well => "YW",
        }
    }

    /// Class and four digits (major, minor) of the component it belongs to, if it belongs to one: 01-03 is 雨水井盖,
    /// 01-13 消防设施, 03-05 垃圾箱, 02-06 地下通道.
    fn component(self) -> Option<(&'static str, &'static str)> {
        match self {
            Class::Cover => Some(("manhole_cover", "0103")),
            Class::Hydrant => Some(("hydrant", "0113")),
            Class::Bin => Some(("bin", "0305")),
            Class::Underpass => Some(("underpass", "0206")),
            _ => None,
        }
    }
}

/// A device.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) class: Class,
    pub(crate) spot: Spot,
    pub(crate) component: Option<String>,
    /// The camera that looks at it.
    pub(crate) camera: Option<usize>,
    /// Which of the spellings of its unit it sends.
    pub(crate) spelling: usize,
}

/// A camera on its pole.
#[derive(Debug, Clone)]
pub(crate) struct Camera {
    pub(crate) id: String,
    pub(crate) spot: Spot,
}

/// A place that makes incidents near it worse.
#[derive(Debug, Clone)]
pub(crate) struct Facility {
    pub(crate) class: &'static str,
    pub(crate) name: String,
    pub(crate) spot: Spot,
}

/// All of it.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    pub(crate) devices: Vec<Device>,
    pub(crate) cameras: Vec<Camera>,
    facilities: Vec<Facility>,
    /// First device of each class, and the end.
    starts: [usize; 10],
}

impl Registry {
    pub(crate) fn new(seed: u64, ground: &Ground) -> Registry {
        let mut registry = Registry {
            devices: Vec::new(),
            cameras: Vec::new(),
            facilities: Vec::new(),
            starts: [0; 10],
        };
        let mut chance = Chance::of(seed, Domain::City, 1);
        for (at, class) in CLASSES.into_iter().enumerate() {
            registry.starts[at] = registry.devices.len();
            for number in 0..DEVICE_COUNTS[at] {
                registry.install(class, number, ground, &mut chance);
            }
        }
        registry.starts[9] = registry.devices.len();
        while registry.cameras.len() < CAMERA_COUNT {
            let spot = ground.anywhere(&mut chance);
            registry.mount(spot);
        }
        registry.build(ground, &mut chance);
        registry
    }

    fn install(&mut self, class: Class, number: usize, ground: &Ground, chance: &mut Chance) {
        let spot = ground.anywhere(chance);
        self.place(class, number * 2, spot, chance);
        // Covers come in pairs along the street.
        if class == Class::Cover {
            let other = spot.plus(chance.at_distance(MANHOLE_SPACING_M));
            self.place(class, number * 2 + 1, other, chance);
        }
        if matches!(class, Class::Ponding | Class::Underpass) {
            let distance = chance.between(30.0, 80.0);
            let pole = spot.plus(chance.at_distance(distance));
            let camera = self.mount(pole);
            if let Some(device) = self.devices.last_mut() {
                device.camera = Some(camera);
            }
        }
    }

    fn place(&mut self, class: Class, number: usize, spot: Spot, chance: &mut Chance) {
        let component = class
            .component()
            .map(|(_, code)| format!("310117{code}{:06}", number + 1));
        self.devices.push(Device {
            id: format!("{}-{:05}", class.prefix(), number + 1),
            class,
            spot,
            component,
            camera: None,
            spelling: chance.below(10),
        });
    }

    fn mount(&mut self, spot: Spot) -> usize {
        let index = self.cameras.len();
        self.cameras.push(Camera {
            // Twenty digits: district, trade, type 132 (network camera), network, number.
            id: format!("310117000013200{:05}", index + 1),
            spot,
        });
        index
    }

    fn build(&mut self, ground: &Ground, chance: &mut Chance) {
        let plan = [
            ("school", "学校", 60),
            ("hospital", "医院", 15),
            ("nursing", "养老院", 20),
            ("metro", "地铁站", 14),
            ("arterial", "主干道", 60),
            ("gas_site", "加气站", 12),
        ];
        for (class, suffix, count) in plan {
            for number in 0..count {
                let spot = ground.anywhere(chance);
                let town = ground.town(spot).map_or("", |town| &town.name);
                self.facilities.push(Facility {
                    class,
                    name: format!("{town}第{}{suffix}", number + 1),
                    spot,
                });
            }
        }
        for (number, device) in self.devices[self.of(Class::Underpass)].iter().enumerate() {
            self.facilities.push(Facility {
                class: "underpass",
                name: format!("{}号下立交", number + 1),
                spot: device.spot,
            });
        }
    }

    /// The devices of a class.
    pub(crate) fn of(&self, class: Class) -> std::ops::Range<usize> {
        let at = class as usize;
        self.starts[at]..self.starts[at + 1]
    }

    /// `device_id,lon,lat,crs,accuracy_m,component_id`
    pub(crate) fn devices_csv(&self, ground: &Ground) -> String {
        let mut csv = String::from("device_id,lon,lat,crs,accuracy_m,component_id\n");
        for device in &self.devices {
            let (lon, lat) = ground.degrees(device.spot);
            let component = device.component.as_deref().unwrap_or("");
            csv.push_str(&format!(
                "{},{lon:.7},{lat:.7},{},5,{component}\n",
                device.id,
                Crs::Wgs84.name()
            ));
        }
        csv
    }

    /// `component_id,class,lon,lat,crs,accuracy_m`
    pub(crate) fn components_csv(&self, ground: &Ground) -> String {
        let mut csv = String::from("component_id,class,lon,lat,crs,accuracy_m\n");
        for device in &self.devices {
            let (Some(component), Some((class, _))) = (&device.component, device.class.component()) else {
                continue;
            };
            let (lon, lat) = ground.degrees(device.spot);
            // Class B of the component survey: a metre.
            csv.push_str(&format!(
                "{component},{class},{lon:.7},{lat:.7},{},1\n",
                Crs::Cgcs2000.name()
            ));
        }
        csv
    }

    /// `facility_id,class,name,lon,lat,crs`
    pub(crate) fn facilities_csv(&self, ground: &Ground) -> String {
        let mut csv = String::from("facility_id,class,name,lon,lat,crs\n");
        for (number, facility) in self.facilities.iter().enumerate() {
            let (lon, lat) = ground.degrees(facility.spot);
            csv.push_str(&format!(
                "F-{:04},{},{},{lon:.7},{lat:.7},{}\n",
                number + 1,
                facility.class,
                facility.name,
                Crs::Cgcs2000.name()
            ));
        }
        csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_stand_in_pairs_25_m_apart_each_with_its_component() {
        let ground = Ground::of(city_grid::builtin());
        let registry = Registry::new(3, &ground);
        let covers = &registry.devices[registry.of(Class::Cover)];
        assert_eq!(covers.len(), 2 * DEVICE_COUNTS[Class::Cover as usize]);
        for pair in covers.chunks(2) {
            let distance = pair[0].spot.distance(pair[1].spot);
            assert!((distance - MANHOLE_SPACING_M).abs() < 1e-6);
            assert_ne!(pair[0].component, pair[1].component);
        }
    }

    #[test]
    fn identities_are_unique_and_every_class_has_its_range() {
        let ground = Ground::of(city_grid::builtin());
        let registry = Registry::new(3, &ground);
        let mut ids: Vec<_> = registry.devices.iter().map(|device| &device.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), registry.devices.len());
        for class in CLASSES {
            assert!(
                registry.devices[registry.of(class)]
                    .iter()
                    .all(|device| device.class == class)
            );
        }
    }
}
