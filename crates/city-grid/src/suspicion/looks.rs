//! The ways in which a source can misname its coordinate system, and where its points would be if it did.

use std::fmt;

use city_model::Position;

use crate::crs::{Crs, from_wgs84, to_wgs84};

/// What a source's coordinates really are, other than declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LooksLike {
    /// Longitude and latitude without any offset.
    Wgs84,
    /// With the offset of Amap, Tencent and phones' map kits.
    Gcj02,
    /// With Baidu's offset on top.
    Bd09,
    /// As declared, with the GCJ-02 offset applied once more than that: a point that was converted twice.
    Twice,
}

impl LooksLike {
    /// All of them.
    pub const ALL: [LooksLike; 4] = [
        LooksLike::Wgs84,
        LooksLike::Gcj02,
        LooksLike::Bd09,
        LooksLike::Twice,
    ];

    /// The name in metrics, logs and results.
    pub const fn as_str(self) -> &'static str {
        match self {
            LooksLike::Wgs84 => "WGS84",
            LooksLike::Gcj02 => "GCJ02",
            LooksLike::Bd09 => "BD09",
            LooksLike::Twice => "GCJ02_TWICE",
        }
    }

    /// What a source can be that declares this system. The plane counts as plain degrees: its metres were computed from
    /// some, and those may have had an offset.
    pub const fn instead_of(declared: Crs) -> [LooksLike; 3] {
        match declared {
            Crs::Wgs84 | Crs::Cgcs2000 | Crs::Sh2000 => [LooksLike::Gcj02, LooksLike::Bd09, LooksLike::Twice],
            Crs::Gcj02 => [LooksLike::Wgs84, LooksLike::Bd09, LooksLike::Twice],
            Crs::Bd09 => [LooksLike::Wgs84, LooksLike::Gcj02, LooksLike::Twice],
        }
    }

    /// Where a point was meant that the declared system put at `converted`. `None` off the earth and where the offsets have
    /// no inverse.
    pub fn meant(self, declared: Crs, converted: Position) -> Option<Position> {
        let plain = matches!(declared, Crs::Wgs84 | Crs::Cgcs2000 | Crs::Sh2000);
        let (lon, lat) = (converted.lon(), converted.lat());
        let (x, y) = if plain {
            (lon, lat)
        } else {
            from_wgs84(declared, lon, lat)
        };
        let (lon, lat) = match self {
            LooksLike::Wgs84 => (x, y),
            LooksLike::Gcj02 => to_wgs84(Crs::Gcj02, x, y)?,
            LooksLike::Bd09 => to_wgs84(Crs::Bd09, x, y)?,
            LooksLike::Twice if plain => {
                let (once_lon, once_lat) = to_wgs84(Crs::Gcj02, x, y)?;
                to_wgs84(Crs::Gcj02, once_lon, once_lat)?
            }
            LooksLike::Twice => to_wgs84(Crs::Gcj02, lon, lat)?,
        };
        Position::from_degrees(lon, lat)
    }
}

impl fmt::Display for LooksLike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
