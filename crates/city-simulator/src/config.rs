//! The configuration that is written beside the records, so that a replay of them needs nothing else.

use crate::Scenario;

/// `(source_system, crs, code_system)` of every source of the city.
const SOURCES: [(&str, &str, Option<&str>); 13] = [
    ("iot-water", "WGS84", None),
    ("iot-fire", "WGS84", None),
    ("iot-city", "WGS84", None),
    ("12345", "GCJ02", None),
    // Baidu's pick; codes without a standard are those of 2013.
    ("12345-bd09", "BD09", Some("GB30428_2013")),
    ("video-gat1400", "GCJ02", None),
    ("video-dahua", "GCJ02", None),
    ("video-chengguan", "GCJ02", None),
    ("inspector-app", "CGCS2000", None),
    ("grid-sh2000", "SH2000", None),
    ("suishenban", "GCJ02", None),
    ("web-portal", "GCJ02", None),
    ("police-110", "WGS84", None),
];

/// The text of `cityops.toml`.
pub(crate) fn toml(scenario: Scenario, seed: u64, events: usize) -> String {
    let mut text = format!(
        "# A simulated city: scenario {}, seed {seed}, {events} records.\n\
         [city]\ncode = \"310117\"\ntimezone = \"Asia/Shanghai\"\n\n\
         [[grid.layers]]\nname = \"duty\"\n",
        scenario.name()
    );
    for level in ["district", "town", "village", "duty_cell"] {
        text.push_str(&format!(
            "[[grid.layers.levels]]\nlevel = \"{level}\"\nfile = \"grid/{level}.geojson\"\ncrs = \"WGS84\"\n\
             code = \"code\"\nlabel = \"name\"\n"
        ));
        if level != "district" {
            text.push_str("parent = \"parent\"\n");
        }
        if level == "duty_cell" {
            text.push_str("unit = \"unit\"\n");
        }
    }
    text.push_str(
        "\n[registry]\ndevices = \"devices.csv\"\ncomponents = \"components.csv\"\nfacilities = \"facilities.csv\"\n\
         addresses = \"addresses.csv\"\n\n",
    );
    for (name, crs, codes) in SOURCES {
        text.push_str(&format!("[sources.\"{name}\"]\ncrs = \"{crs}\"\n"));
        if let Some(codes) = codes {
            text.push_str(&format!("code_system = \"{codes}\"\n"));
        }
    }
    text.push_str("\n[time]\ningested_from = \"producer\"\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_and_source_is_named_once() {
        let text = toml(Scenario::Normal, 1, 10);
        for (name, ..) in SOURCES {
            assert_eq!(text.matches(&format!("[sources.\"{name}\"]")).count(), 1);
        }
        assert_eq!(text.matches("[[grid.layers.levels]]").count(), 4);
        assert!(text.contains("ingested_from = \"producer\""));
    }
}
