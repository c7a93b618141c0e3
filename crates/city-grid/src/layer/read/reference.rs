//! Which coordinate system a file says that it is in, and whether that plainly contradicts the configured one.
//!
//! The configuration decides. A file's own word is often wrong by an offset (GCJ-02 has no entry in any register, so such
//! files say WGS 84), but degrees are not metres, and the older national datums lie a hundred metres aside.

use crate::crs::Crs;

/// What a file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    kind: Kind,
    /// As the file names it.
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Degrees on a datum that is WGS 84 within a metre, or on one that is not known here.
    Degrees,
    /// Degrees on Beijing 1954 or Xian 1980.
    OldDatum,
    /// Metres on a plane.
    Plane,
}

impl Declared {
    /// By the code of the EPSG register. `None` for one that says nothing here.
    pub(super) fn epsg(code: i64) -> Option<Declared> {
        let kind = match code {
            4326 | 4979 | 4490 | 4480 => Kind::Degrees,
            4214 | 4610 => Kind::OldDatum,
            // Gauss-Krüger zones: CGCS2000, Xian 1980, Beijing 1954; UTM north and south; web Mercator
            4491..=4554 | 2327..=2390 | 2401..=2442 | 21413..=21423 | 21453..=21463 => Kind::Plane,
            32601..=32660 | 32701..=32760 | 3857 | 900_913 => Kind::Plane,
            _ => return None,
        };
        Some(Declared {
            kind,
            name: format!("EPSG:{code}"),
        })
    }

    /// By a name such as `urn:ogc:def:crs:EPSG::4549` or `EPSG:4326`.
    pub(super) fn named(name: &str) -> Option<Declared> {
        let upper = name.to_ascii_uppercase();
        if upper.contains("CRS84") {
            return Some(Declared {
                kind: Kind::Degrees,
                name: name.to_owned(),
            });
        }
        let code = upper.contains("EPSG").then(|| upper.rsplit(':').next())??;
        Declared::epsg(code.parse().ok()?)
    }

    /// By well-known text, of either edition.
    pub(super) fn well_known(text: &str) -> Option<Declared> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let (keyword, rest) = text.split_once(['[', '('])?;
        let name = rest.split('"').nth(1).unwrap_or_default();
        let folded = name.to_ascii_lowercase().replace(['_', ' '], "");
        let kind = match keyword.trim().to_ascii_uppercase().as_str() {
            "PROJCS" | "PROJCRS" | "PROJECTEDCRS" | "LOCAL_CS" | "ENGCRS" | "ENGINEERINGCRS" => Kind::Plane,
            "GEOGCS" | "GEOGCRS" | "GEOGRAPHICCRS" | "GEODCRS"
                if folded.contains("beijing1954") || folded.contains("xian1980") =>
            {
                Kind::OldDatum
            }
            "GEOGCS" | "GEOGCRS" | "GEOGRAPHICCRS" | "GEODCRS" => Kind::Degrees,
            _ => return None,
        };
        Some(Declared {
            kind,
            name: name.to_owned(),
        })
    }

    /// What contradicts the configured system, in words.
    pub(super) fn against(&self, configured: Crs) -> Option<String> {
        let unit = match (self.kind, configured) {
            (Kind::Degrees | Kind::OldDatum, Crs::Sh2000) => "degrees",
            (Kind::Plane, Crs::Wgs84 | Crs::Cgcs2000 | Crs::Gcj02 | Crs::Bd09) => "metres on a plane",
            (Kind::OldDatum, _) => "degrees on an older datum, about a hundred metres aside",
            (Kind::Degrees, _) | (Kind::Plane, Crs::Sh2000) => return None,
        };
        let name = &self.name;
        Some(format!(
            "the file says it is in {name} ({unit}), configured is {configured}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_meant_is_a_contradiction() {
        let plane =
            r#"PROJCS["CGCS2000_3_Degree_GK_CM_120E",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000"]]"#;
        let wgs = r#"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984"]]"#;
        let xian = r#"GEOGCS["GCS_Xian_1980",DATUM["D_Xian_1980"]]"#;
        let text = |text: &str| Declared::well_known(text).unwrap();
        for (declared, configured, want) in [
            (text(plane), Crs::Wgs84, true),
            (text(plane), Crs::Sh2000, false),
            (text(wgs), Crs::Wgs84, false),
            (text(wgs), Crs::Gcj02, false),
            (text(wgs), Crs::Sh2000, true),
            (text(xian), Crs::Cgcs2000, true),
            (text("\u{feff}GEOGCRS[\"WGS 84\"]"), Crs::Bd09, false),
            (Declared::epsg(4549).unwrap(), Crs::Wgs84, true),
            (Declared::epsg(4490).unwrap(), Crs::Wgs84, false),
            (
                Declared::named("urn:ogc:def:crs:EPSG::4549").unwrap(),
                Crs::Wgs84,
                true,
            ),
            (
                Declared::named("urn:ogc:def:crs:OGC:1.3:CRS84").unwrap(),
                Crs::Wgs84,
                false,
            ),
        ] {
            assert_eq!(
                declared.against(configured).is_some(),
                want,
                "{declared:?} {configured}"
            );
        }
        for unknown in ["", "WGS84", "EPSG:", "urn:x:EPSG::99999999999999999999"] {
            assert_eq!(Declared::named(unknown), None);
            assert_eq!(Declared::well_known(unknown), None);
        }
    }
}
