//! What coordinates are read by: the city's systems, and the box that they should lie in.

use crate::crs::Systems;

/// The box that coordinates should lie in, in degrees.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Bounds {
    /// A layer's box `[west, south, east, north]`, wider by `margin_m` on every side.
    pub fn around([west, south, east, north]: [f64; 4], margin_m: f64) -> Bounds {
        // A degree of latitude is 110.6 to 111.7 km; of longitude that times the cosine.
        let lat = margin_m / 110_574.0;
        let widest = south.abs().max(north.abs()).min(89.0).to_radians();
        let lon = margin_m / (111_320.0 * libm::cos(widest));
        Bounds {
            west: west - lon,
            south: south - lat,
            east: east + lon,
            north: north + lat,
        }
    }

    /// Whether a longitude and latitude in degrees lie in it.
    pub fn holds(&self, lon: f64, lat: f64) -> bool {
        (self.west..=self.east).contains(&lon) && (self.south..=self.north).contains(&lat)
    }
}

/// What coordinates are read by: the systems as the city has them, and the box that they should lie in.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The systems.
    pub systems: &'a Systems,
    /// The box; without one the whole earth is as good.
    pub bounds: Option<&'a Bounds>,
}

impl<'a> Frame<'a> {
    /// Without a box.
    pub fn anywhere(systems: &'a Systems) -> Frame<'a> {
        Frame {
            systems,
            bounds: None,
        }
    }

    /// Whether a longitude and latitude in degrees lie in the box, if there is one.
    pub fn holds(&self, lon: f64, lat: f64) -> bool {
        self.bounds.is_none_or(|bounds| bounds.holds(lon, lat))
    }
}
