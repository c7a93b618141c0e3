//! Where a record says that it is, on the ladder of DOMAIN 2.8: a position, how it was found, and how sure it is.

use std::str::FromStr;

use city_grid::{Crs, Frame};
use city_model::{DeadLetterReason, Position, Quality};
use city_registry::Device;
use wire_format::{Refusal, WireLocation};

/// A place, as far as there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) position: Option<Position>,
    pub(crate) quality: Quality,
    pub(crate) u_mm: i64,
    /// The system that the record named, where its source is configured with another.
    pub(crate) declared_crs: Option<Crs>,
    /// There were coordinates, but nobody can use them.
    pub(crate) is_unusable: bool,
}

impl Place {
    pub(crate) const NOWHERE: Place = Place {
        position: None,
        quality: Quality::None,
        u_mm: 0,
        declared_crs: None,
        is_unusable: false,
    };
    pub(crate) const UNUSABLE: Place = Place {
        position: None,
        quality: Quality::None,
        u_mm: 0,
        declared_crs: None,
        is_unusable: true,
    };

    /// A surveyed thing of the registry.
    pub(crate) fn surveyed(position: Position, u_mm: Option<i64>) -> Place {
        let quality = Quality::Component;
        let u_mm = u_mm
            .filter(|u| *u > 0)
            .unwrap_or(default_u_mm(quality))
            .clamp(LEAST_U_MM, MOST_U_MM);
        Place {
            position: Some(position),
            quality,
            u_mm,
            declared_crs: None,
            is_unusable: false,
        }
    }

    /// A device's own, where it is known.
    pub(crate) fn of_device(device: &Device) -> Option<Place> {
        device
            .position
            .map(|position| Place::surveyed(position, device.u_mm))
    }

    /// Whether it can be compared in space.
    pub(crate) fn is_located(&self) -> bool {
        self.position.is_some() && self.quality.is_place()
    }
}

/// `Located` promises at least a metre.
pub(crate) const LEAST_U_MM: i64 = 1_000;
/// Beyond 5 km a place says nothing.
pub(crate) const MOST_U_MM: i64 = 5_000_000;

/// One sigma of a location by how it was found, in millimetres: the table of DOMAIN 2.8.
pub(crate) const fn default_u_mm(quality: Quality) -> i64 {
    match quality {
        Quality::Component => 5_000,
        Quality::Gnss => 15_000,
        Quality::Door => 30_000,
        Quality::Intersection => 50_000,
        Quality::Poi => 150_000,
        Quality::Road | Quality::Town | Quality::None => 500_000,
    }
}

/// The system of `location`: the record's own word before its source's.
pub(crate) fn system_of(field: &str, location: &WireLocation, default_crs: Crs) -> Result<Crs, Refusal> {
    let Some(name) = location
        .crs
        .as_deref()
        .map(str::trim)
        .filter(|crs| !crs.is_empty())
    else {
        return Ok(default_crs);
    };
    let known = Crs::from_str(name).or_else(|_| {
        let mut name = name.to_ascii_uppercase();
        name.retain(|c| c != '-' && c != '_' && c != ' '); // "GCJ-02" is GCJ02
        Crs::from_str(&name)
    });
    known.map_err(|_| {
        Refusal::new(
            DeadLetterReason::CrsMissing,
            format!("{field}.crs: not one of the contract's"),
        )
    })
}

/// A quality as sources spell it; nearly all spell it as the contract does.
pub(crate) fn quality_of(text: &str) -> Option<Quality> {
    let known = Quality::from_str(text).or_else(|_| Quality::from_str(&text.to_ascii_uppercase()));
    known.ok()
}

/// The place of `location`; `assumed` is the quality of one that does not say how it was found. (0, 0) is no place.
pub(crate) fn read(
    field: &str,
    location: &WireLocation,
    default_crs: Crs,
    frame: Frame<'_>,
    assumed: Quality,
) -> Result<Place, Refusal> {
    use DeadLetterReason::{BadValue, CoordOutOfBbox};
    let said = match location
        .quality
        .as_deref()
        .map(str::trim)
        .filter(|quality| !quality.is_empty())
    {
        None => None,
        Some(text) => match quality_of(text) {
            Some(quality) => Some(quality),
            None => {
                return Err(Refusal::new(
                    BadValue,
                    format!("{field}.quality: not one of the contract's"),
                ));
            }
        },
    };
    if location.x == 0.0 && location.y == 0.0 {
        let quality = said
            .filter(|quality| !quality.is_place())
            .unwrap_or(Quality::None);
        return Ok(Place {
            quality,
            ..Place::NOWHERE
        });
    }
    for (name, value) in [("x", location.x), ("y", location.y)] {
        if !value.is_finite() {
            return Err(Refusal::new(
                BadValue,
                format!("{field}.{name}: not a finite number"),
            ));
        }
    }
    let system = system_of(field, location, default_crs)?;
    if system == Crs::Sh2000 && frame.holds(location.x, location.y) {
        // A hundred metres from the origin of the city's system lies one place for all who send degrees.
        return Err(Refusal::new(
            CoordOutOfBbox,
            format!("{field}: degrees, where SH2000 counts metres"),
        ));
    }
    let (lon, lat) = frame
        .systems
        .to_wgs84(system, location.x, location.y)
        .ok_or_else(|| Refusal::new(CoordOutOfBbox, format!("{field}: not on the earth in {system}")))?;
    if !frame.holds(lon, lat) {
        return Err(Refusal::new(
            CoordOutOfBbox,
            format!("{field}: too far outside the first layer"),
        ));
    }
    let quality = said.unwrap_or(assumed);
    // One that is out of range is still the source's word: it counts as the nearest that makes sense.
    let stated = location.accuracy_m.filter(|accuracy| *accuracy > 0.0);
    let u_mm = stated.map_or(default_u_mm(quality), |metres| {
        (libm::rint(metres * 1_000.0) as i64).clamp(LEAST_U_MM, MOST_U_MM)
    });
    Ok(Place {
        position: Position::from_degrees(lon, lat),
        quality,
        u_mm,
        declared_crs: (system != default_crs).then_some(system),
        is_unusable: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use city_grid::Bounds;
    use city_grid::crs::Systems;

    #[test]
    fn the_ladder_and_its_refusals() {
        let layer = city_grid::builtin();
        let frame = Frame {
            systems: &Systems::default(),
            bounds: Some(&Bounds::around(layer.bbox(), 50_000.0)),
        };
        let check = |crs: &str, x: f64, y: f64, accuracy: f64, quality: &str, expected: &str| {
            let location = WireLocation {
                crs: Some(crs.into()),
                x,
                y,
                accuracy_m: Some(accuracy),
                quality: Some(quality.into()),
            };
            let told = match read("location", &location, Crs::Wgs84, frame, Quality::Gnss) {
                Err(refusal) => refusal.to_string(),
                Ok(place) => format!(
                    "{} u={} located={}",
                    place.quality,
                    place.u_mm,
                    place.is_located()
                ),
            };
            assert_eq!(told, expected, "{location:?}");
        };
        let (x, y) = (121.2277, 31.0322);
        check("WGS84", x, y, 8.0, "DOOR", "DOOR u=8000 located=true");
        check("wgs-84", x, y, f64::NAN, "", "GNSS u=15000 located=true");
        check("", x, y, 0.0, "poi", "POI u=150000 located=true");
        check("", x, y, 9e9, "ROAD", "ROAD u=5000000 located=false");
        check("", x, y, 0.5, "DOOR", "DOOR u=1000 located=true");
        check("", x, y, 10_000.0, "DOOR", "DOOR u=5000000 located=true");
        check("", x, y, f64::INFINITY, "DOOR", "DOOR u=5000000 located=true");
        check("", x, y, -3.0, "DOOR", "DOOR u=30000 located=true");
        check("", 0.0, 0.0, 8.0, "DOOR", "NONE u=0 located=false");
        check("", 0.0, 0.0, 8.0, "TOWN", "TOWN u=0 located=false");
        check(
            "",
            x,
            f64::NAN,
            8.0,
            "",
            "bad_value: location.y: not a finite number",
        );
        check(
            "",
            x,
            y,
            8.0,
            "GUESS",
            "bad_value: location.quality: not one of the contract's",
        );
        check(
            "PZ90",
            x,
            y,
            8.0,
            "",
            "crs_missing: location.crs: not one of the contract's",
        );
        check(
            "",
            y,
            x,
            8.0,
            "",
            "coord_out_of_bbox: location: not on the earth in WGS84",
        );
        check(
            "",
            119.0,
            31.0,
            8.0,
            "",
            "coord_out_of_bbox: location: too far outside the first layer",
        );
        check("BD09", x, y, 8.0, "", "GNSS u=8000 located=true");
        check(
            "SH2000",
            x,
            y,
            8.0,
            "",
            "coord_out_of_bbox: location: degrees, where SH2000 counts metres",
        );
        check(
            "SH2000",
            1e9,
            1e9,
            8.0,
            "",
            "coord_out_of_bbox: location: not on the earth in SH2000",
        );
    }
}
