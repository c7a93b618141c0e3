//! The files that a configuration names: grids, registries and rules, and what is said where one is wrong.
#![allow(clippy::unwrap_used)]

mod city;

use city::folder::{Expect, Folder};

const LAYER: &str =
    "[[grid.layers]]\nname = \"duty\"\n[[grid.layers.levels]]\nlevel = \"town\"\nfile = \"towns.geojson\"\n";
const TOWN: &str = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"1","name":"一"},
"geometry":{"type":"Polygon","coordinates":[[[121.0,31.0],[121.1,31.0],[121.1,31.1],[121.0,31.1],[121.0,31.0]]]}}]}"#;

/// What a check says of the registries. A warning about the calendar's years follows where they are running out.
fn of_registry(out: &str) -> &str {
    let told = out.split("registry: ").nth(1).unwrap();
    told.split("warning: ").next().unwrap()
}

#[test]
fn a_grid_is_told_with_its_file() {
    let mut expect = Expect::default();
    expect.bad(
        "no file",
        Folder::new(LAYER).check(),
        &["cityops.toml:5:", "file", "towns.geojson"],
    );
    for broken in [
        "",
        "{",
        "[]",
        "{\"type\":\"FeatureCollection\"}",
        "not json",
        &TOWN.replace("\"code\"", "\"cod\""),
    ] {
        let folder = Folder::new(LAYER);
        folder.write("towns.geojson", broken);
        expect.bad(
            broken,
            folder.check(),
            &["cityops.toml:5:", "towns.geojson", "duty"],
        );
    }
    let twice = format!("{LAYER}{LAYER}");
    let folder = Folder::new(&twice);
    folder.write("towns.geojson", TOWN);
    expect.bad(
        "two layers of one name",
        folder.check(),
        &["cityops.toml:7:", "grid.layers", "duty"],
    );
    let two = format!("{LAYER}[[grid.layers.levels]]\nlevel = \"village\"\nfile = \"villages.geojson\"\n");
    let folder = Folder::new(&two);
    folder.write("towns.geojson", TOWN);
    folder.write("villages.geojson", "{");
    expect.bad(
        "the second file",
        folder.check(),
        &["cityops.toml:8:", "villages.geojson"],
    );

    let folder = Folder::new(&format!("{LAYER}crs = \"GPS\"\n"));
    folder.write("towns.geojson", TOWN);
    expect.bad("crs", folder.check(), &["cityops.toml:6:", "crs", "GPS"]);

    let bow = TOWN.replace("[121.1,31.0],[121.1,31.1]", "[121.1,31.1],[121.1,31.0]");
    let folder = Folder::new(LAYER);
    folder.write("towns.geojson", &bow);
    let (code, _, err) = folder.check();
    assert_eq!(code, Some(0), "a bad ring loads with a warning: {err}");
    assert!(err.contains("WARN"), "{err}");
    folder.write("cityops.toml", format!("[grid]\nstrict = true\n{LAYER}"));
    expect.bad("strict", folder.check(), &["cityops.toml", "towns.geojson"]);
}

#[test]
fn a_registry_is_told_with_its_line() {
    let mut expect = Expect::default();
    let cases = [
        (
            "devices",
            "device_id,lon,lat\nd,121.0,31.0\ne,x,31.0\n",
            &["devices.csv:3:", "lon", "x"][..],
        ),
        (
            "devices",
            "device_id,lon,lat\nd,121.0,\n",
            &["devices.csv:2:", "lat"],
        ),
        (
            "devices",
            "device_id,lon,lat\nd,31.0,121.0\n",
            &["devices.csv:2:", "earth"],
        ),
        ("devices", "device_id,lon,lat\nd,NaN,31.0\n", &["devices.csv:2:"]),
        (
            "devices",
            "device_id,lon,lat\n,121.0,31.0\n",
            &["devices.csv:2:", "device_id"],
        ),
        (
            "devices",
            "device_id,lon\nd,121.0\n",
            &["cityops.toml:2:", "registry.devices", "lat"],
        ),
        (
            "devices",
            "device_id,lon,lat\nd,121.0,31.0,5,6\n",
            &["devices.csv:2:"],
        ),
        (
            "devices",
            "device_id,lon,lat,crs\nd,121.0,31.0,GPS\n",
            &["devices.csv:2:", "GPS"],
        ),
        (
            "devices",
            "device_id,lon,lat,accuracy_m\nd,121.0,31.0,-5\n",
            &["devices.csv:2:", "accuracy_m"],
        ),
        (
            "devices",
            "",
            &["cityops.toml:2:", "registry.devices", "device_id"],
        ),
        (
            "components",
            "component_id,class,lon,lat\nc,manhole,121.0,91.0\n",
            &["components.csv:2:"],
        ),
        (
            "components",
            "component_id,class,lon,lat\n,manhole,121.0,31.0\n",
            &["components.csv:2:", "component_id"],
        ),
        (
            "facilities",
            "facility_id,class,name,lon,lat\nf,scool,一,121.0,31.0\n",
            &["facilities.csv:2:", "scool", "school"],
        ),
        (
            "addresses",
            "address,lon,lat,spread_m\n谷阳北路1500弄,121.0,31.0,-1\n",
            &["addresses.csv:2:", "spread_m"],
        ),
        (
            "addresses",
            "road,number,lon,lat\n谷阳北路,1500,121.0,31.0\n",
            &["cityops.toml:2:", "registry.addresses", "address"],
        ),
    ];
    for (name, csv, words) in cases {
        let folder = Folder::new(&format!("[registry]\n{name} = \"{name}.csv\"\n"));
        expect.bad(
            name,
            folder.check(),
            &[
                "cityops.toml:2:",
                &format!("registry.{name}"),
                &format!("{name}.csv"),
            ],
        );
        folder.write(&format!("{name}.csv"), csv);
        expect.bad(csv, folder.check(), words);
    }
    let folder = Folder::new("[registry]\ndevices = \"devices.csv\"\n");
    folder.write("devices.csv", b"device_id,lon,lat\n\xff\xfe,121.0,31.0\n");
    expect.bad("not UTF-8", folder.check(), &["devices.csv:2"]);
    folder.write(
        "devices.csv",
        "\u{feff}device_id, lon, lat, owner\r\nd, 121.0, 31.0, somebody\r\n",
    );
    let twice = Folder::new("[registry]\ndevices = \"devices.csv\"\n");
    twice.write(
        "devices.csv",
        "device_id,lon,lat\nd,121.0,31.0\ne,121.0,31.0\nd,121.1,31.0\n",
    );
    let (code, _, err) = twice.check();
    assert_eq!(code, Some(0), "{err}");
    let warned = err
        .lines()
        .find(|line| line.contains("WARN") && line.contains("devices.csv"));
    assert!(
        warned
            .is_some_and(|line| line.contains("1 row with an id that is listed twice")
                && line.contains("line 4, id d")),
        "{err}"
    );
    assert_eq!(
        folder.check().0,
        Some(0),
        "a byte order mark, spaces and other columns are no mistakes"
    );
}

#[test]
fn odd_rows_are_told_once_a_file_and_in_the_check() {
    let folder = Folder::new("[registry]\ndevices = \"devices.csv\"\ncomponents = \"parts.csv\"\n");
    folder.write("devices.csv", "device_id,lon,lat\nd,121.0,31.0\ne,0,0\n");
    folder.write(
        "parts.csv",
        "component_id,class,lon,lat\n1,bin,121,31\n2,bin,0,0\n3,bin,0,0\n4,bin,117,31\n1,bin,121.1,31\n",
    );
    let (code, out, err) = folder.check();
    assert_eq!(code, Some(0), "{err}");
    let parts = "2 rows at (0, 0), left out (first line 3, id 2); 1 row far outside the first layer, kept (first line 5, id 4); \
        1 row with an id that is listed twice, of which the last row counts (first line 6, id 1)";
    let devices = "1 row at (0, 0), kept without a place (first line 3, id e)";
    let told = of_registry(&out);
    assert_eq!(
        told,
        format!(
            "2 devices, 2 components, 0 facilities, 0 addresses\n  bin: 2\n  devices.csv: {devices}\n  parts.csv: {parts}\n"
        )
    );
    let warnings: Vec<&str> = err.lines().filter(|line| line.contains("odd rows")).collect();
    assert!(
        warnings.len() == 2 && warnings[0].contains(devices) && warnings[1].contains(parts),
        "{err}"
    );
    let (_, json, _) = folder.run(&["--json", "check"], &[]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let odd = json["registry"]["oddities"].as_array().unwrap();
    assert_eq!(odd.len(), 4);
    assert_eq!(
        odd[1],
        serde_json::json!({"file": "parts.csv", "oddity": "placeless", "rows": 2, "first_line": 3, "first_id": "2"})
    );
}

#[test]
fn a_check_says_what_the_registries_list_gzipped_or_not() {
    use std::io::Write;
    let folder = Folder::new(
        "[registry]\ndevices = \"devices.csv\"\ncomponents = \"parts.csv\"\nfacilities = \"places.csv\"\naddresses = \"doors.csv\"\n",
    );
    folder.write("doors.csv", "address,lon,lat\n谷阳北路1500弄,121,31\n");
    folder.write("devices.csv", "device_id,lon,lat\nd,121.0,31.0\n");
    let rows = "component_id,class,lon,lat\n1,bin,121,31\n2,01-03,121,31\n3,01-03,121,31\n4,statue,121,31\n";
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(rows.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    folder.write(
        "places.csv",
        "facility_id,class,name,lon,lat\nf,school,一,121,31\n",
    );
    for bytes in [rows.as_bytes(), &packed] {
        folder.write("parts.csv", bytes);
        let (code, out, err) = folder.check();
        assert_eq!(code, Some(0), "{err}");
        let told = of_registry(&out);
        assert_eq!(
            told,
            "1 devices, 4 components, 1 facilities, 1 addresses\n  addresses: doors on 1 roads\n  01-03: 2 (manhole_cover)\n  bin: 1\n  statue: 1 (of no kind)\n"
        );
    }
    let mut expect = Expect::default();
    folder.write("parts.csv", &packed[..packed.len() / 2]);
    expect.bad(
        "torn",
        folder.check(),
        &["cityops.toml:3:", "registry.components", "parts.csv"],
    );
    let (_, out, _) = Folder::new("").run(&["check", "--json"], &[]);
    assert!(
        out.contains("\"component_classes\":{},\"components\":0,"),
        "{out}"
    );
}

#[test]
fn rules_are_told_with_their_line() {
    let mut expect = Expect::default();
    let folder = Folder::new("[rules]\nfiles = [\"rules.toml\"]\n");
    expect.bad(
        "no file",
        folder.check(),
        &["cityops.toml:2:", "rules.files", "rules.toml"],
    );
    for (rules, words) in [
        ("[kind.road_damage]\n", &["rules.toml:1:", "kind", "kinds"][..]),
        (
            "\n[kinds.road_damage]\nradius_meters = 5\n",
            &["rules.toml:3:", "radius_meters"],
        ),
        (
            "[kinds.road_damage]\nmerges_with = [\"road_damge\"]\n",
            &["rules.toml:2:", "road_damge", "road_damage"],
        ),
        (
            "[metrics.ponding_depth]\nalarms = 5\n",
            &["rules.toml:2:", "alarms", "alarm"],
        ),
        (
            "[correlation]\nhold_band = \"a while\"\n",
            &["rules.toml:2:", "hold_band"],
        ),
        ("[kinds\n", &["rules.toml:1:"]),
        (
            "[codes.own]\n\"A-1\" = \"noise\"\nA1 = \"vendor\"\n",
            &["rules.toml:3:", "A1", "another spelling"],
        ),
    ] {
        folder.write("rules.toml", rules);
        expect.bad(rules, folder.check(), words);
    }
    folder.write("rules.toml", b"\xff");
    expect.bad("not UTF-8", folder.check(), &["rules.toml", "UTF-8"]);
    folder.write("rules.toml", "");
    let (code, out, _) = folder.check();
    assert_eq!(code, Some(0), "no rules of one's own are good rules");
    let is_of_rules = |line: &str| line.contains("warning") && !line.contains("calendar.years");
    assert!(!out.lines().any(is_of_rules), "{out}");
}

#[test]
fn odd_rules_are_warned_of_and_good_all_the_same() {
    let folder = Folder::new("[rules]\nfiles = [\"rules.toml\"]\n");
    folder.write(
        "rules.toml",
        "[kinds.ufo]\n[codes.GB30428_2013]\n0110 = \"vendor\"\n[words.noise]\nany = [\"噪音\"]\nnot = [\"噪音\"]\n",
    );
    let (code, out, err) = folder.check();
    assert_eq!(code, Some(0), "{err}");
    // As the year ends the calendar is warned of, too.
    let is_of_rules = |line: &&str| line.starts_with("warning: ") && !line.contains("calendar.years");
    let warnings: Vec<&str> = out.lines().filter(is_of_rules).collect();
    assert_eq!(warnings.len(), 4, "{out}");
    for (warning, words) in warnings.iter().zip([
        ["rules.toml:1:", "kinds.ufo", "no code"],
        ["rules.toml:3:", "codes.GB30428_2013.0110", "garbage_exposed"],
        ["rules.toml:5:", "words.noise.any", "rules it out"],
        ["rules.toml:5:", "words.noise.any", "1 phrases replace those of"],
    ]) {
        assert!(words.iter().all(|word| warning.contains(word)), "{warning}");
    }
}

#[test]
fn the_key_before_is_checked_as_the_present_one_is() {
    let mut expect = Expect::default();
    let both = "[privacy]\nreporter_key_file = \"new.key\"\nprevious_reporter_key_file = \"old.key\"\n";
    let folder = Folder::new(both);
    folder.write("new.key", "a key of sixteen bytes and more");
    expect.bad(
        "no file",
        folder.check(),
        &["cityops.toml:3:", "previous_reporter_key_file", "old.key"],
    );
    folder.write("old.key", "short");
    expect.bad(
        "too short",
        folder.check(),
        &["cityops.toml:3:", "previous_reporter_key_file", "16 bytes"],
    );
    folder.write("old.key", "a key of sixteen bytes and more\n");
    expect.bad("the same", folder.check(), &["cityops.toml:3:", "the same key"]);
    folder.write("old.key", "another key of sixteen bytes");
    let (code, _, err) = folder.check();
    assert_eq!(code, Some(0), "{err}");
    let alone = Folder::new("[privacy]\nprevious_reporter_key_file = \"old.key\"\n");
    alone.write("old.key", "another key of sixteen bytes");
    expect.bad("alone", alone.check(), &["cityops.toml:2:", "reporter_key_file"]);
    let misspelt = Folder::new("[privacy]\nprevious_reporter_key = \"old.key\"\n");
    expect.bad(
        "misspelt",
        misspelt.check(),
        &["cityops.toml:2:", "previous_reporter_key_file"],
    );
}

#[test]
fn the_files_of_a_collector_are_told_with_their_line() {
    let mut expect = Expect::default();
    let telemetry = "[telemetry]\nendpoint = \"http://127.0.0.1:4318\"\ntoken_file = \"token\"\n";
    let missing = Folder::new(telemetry).check();
    expect.bad(
        "no file",
        missing,
        &["cityops.toml:3:", "telemetry.token_file", "token"],
    );
    let folder = Folder::new(telemetry);
    folder.write("token", "two words\n");
    expect.bad(
        "no token",
        folder.check(),
        &["cityops.toml:3:", "telemetry.token_file", "one line"],
    );
    let secure = telemetry
        .replace("http:", "https:")
        .replace("token_file", "ca_file");
    let folder = Folder::new(&secure);
    folder.write("token", "no certificate");
    expect.bad(
        "no certificate",
        folder.check(),
        &["cityops.toml:3:", "telemetry.ca_file", "no certificate"],
    );
    let folder = Folder::new(telemetry);
    folder.write("token", "a-token\n");
    let (code, _, err) = folder.check();
    assert_eq!(code, Some(0), "{err}");
}
