//! The names of the coordinate systems; how they are converted is the grid's business.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The coordinate systems of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Crs {
    /// GPS: longitude and latitude in degrees.
    Wgs84,
    /// The national geodetic system (EPSG:4490), which the city-management standards use.
    Cgcs2000,
    /// The map offset of Amap, Tencent and phones' map kits.
    Gcj02,
    /// Baidu's offset on top of GCJ-02.
    Bd09,
    /// The Shanghai 2000 plane: metres east and north.
    Sh2000,
}

impl Crs {
    /// All of them.
    pub const ALL: [Crs; 5] = [Crs::Wgs84, Crs::Cgcs2000, Crs::Gcj02, Crs::Bd09, Crs::Sh2000];

    /// The name on the wire and in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Crs::Wgs84 => "WGS84",
            Crs::Cgcs2000 => "CGCS2000",
            Crs::Gcj02 => "GCJ02",
            Crs::Bd09 => "BD09",
            Crs::Sh2000 => "SH2000",
        }
    }
}

impl fmt::Display for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No coordinate system has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCrs(String);

impl fmt::Display for UnknownCrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown coordinate system `{}`: one of WGS84, CGCS2000, GCJ02, BD09, SH2000",
            self.0
        )
    }
}

impl std::error::Error for UnknownCrs {}

impl FromStr for Crs {
    type Err = UnknownCrs;

    fn from_str(text: &str) -> Result<Crs, UnknownCrs> {
        Crs::ALL
            .into_iter()
            .find(|crs| crs.name() == text)
            .ok_or_else(|| UnknownCrs(text.to_owned()))
    }
}
