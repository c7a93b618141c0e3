//! `cityops grid` as an outsider runs it: grids are made, checked, compared and used.
#![allow(clippy::unwrap_used)]

mod city;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use city::{expect, run};
use city_grid::{Crs, crs};
use serde_json::{Value, json};

const LEVELS: [(&str, usize, usize); 4] = [
    ("district", 1, 6),
    ("town", 18, 9),
    ("village", 304, 12),
    ("duty_cell", 1_322, 15),
];

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A configuration of a generated grid in `dir/grid`.
fn with_grid(dir: &Path, seed: &str) -> String {
    let printed = expect(
        0,
        &[
            "grid",
            "generate",
            "--seed",
            seed,
            "--output",
            &text(&dir.join("grid")),
        ],
    );
    let mut config = String::from("[[grid.layers]]\nname = \"duty\"\n");
    for (level, _, _) in LEVELS {
        assert!(printed.contains(&format!("{level}.geojson")), "{printed}");
        let parent = if level == "district" {
            ""
        } else {
            "parent = \"parent\"\n"
        };
        config += &format!(
            "[[grid.layers.levels]]\nlevel = \"{level}\"\nfile = \"grid/{level}.geojson\"\n{parent}"
        );
    }
    fs::write(dir.join("cityops.toml"), config).unwrap();
    text(&dir.join("cityops.toml"))
}

#[test]
fn a_generated_grid_has_songjiangs_numbers_and_no_flaw() {
    let dir = tempfile::tempdir().unwrap();
    let config = with_grid(dir.path(), "7");
    let mut above: BTreeSet<String> = BTreeSet::new();
    for (level, count, digits) in LEVELS {
        let file = read_json(&dir.path().join(format!("grid/{level}.geojson")));
        assert_eq!(file["type"], "FeatureCollection");
        let features = file["features"].as_array().unwrap();
        assert_eq!(features.len(), count, "{level}");
        let mut codes = BTreeSet::new();
        for feature in features {
            let properties = &feature["properties"];
            let code = properties["code"].as_str().unwrap();
            assert!(
                code.len() == digits && code.starts_with("310117"),
                "{level} {code}"
            );
            assert!(!properties["name"].as_str().unwrap().is_empty());
            if level != "district" {
                let parent = properties["parent"].as_str().unwrap();
                assert!(
                    above.contains(parent) && code.starts_with(parent),
                    "{level} {code} in {parent}"
                );
            }
            assert!(codes.insert(code.to_owned()), "{code} is there twice");
        }
        above = codes;
    }
    let told = expect(0, &["grid", "check", "--config", &config]);
    assert!(
        told.contains("1322 duty_cell") && told.contains("0 findings"),
        "{told}"
    );
    assert_eq!(
        expect(
            0,
            &["--json", "grid", "check", "--config", &config, "--layer", "duty"]
        ),
        ""
    );
    expect(0, &["check", "--config", &config]);

    let again = tempfile::tempdir().unwrap();
    let printed = expect(
        0,
        &[
            "--json",
            "grid",
            "generate",
            "--seed",
            "7",
            "--output",
            &text(again.path()),
        ],
    );
    let told: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(told["files"].as_array().unwrap().len(), 4, "{told}");
    for (level, _, _) in LEVELS {
        let name = format!("{level}.geojson");
        assert!(
            fs::read(again.path().join(&name)).unwrap()
                == fs::read(dir.path().join("grid").join(&name)).unwrap()
        );
    }
}

#[test]
fn a_broken_copy_is_found_and_told_apart() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (old_config, new_config) = (with_grid(old.path(), "7"), with_grid(new.path(), "7"));
    assert!(
        expect(0, &["grid", "diff", "--old", &old_config, "--new", &new_config]).contains("0 differences")
    );

    let path = new.path().join("grid/village.geojson");
    let mut villages = read_json(&path);
    let gone = villages["features"].as_array_mut().unwrap().remove(5);
    let renamed = &mut villages["features"][6]["properties"];
    renamed["name"] = json!("新名居委会");
    let (gone, renamed) = (gone["properties"]["code"].clone(), renamed["code"].clone());
    fs::write(&path, villages.to_string()).unwrap();

    let output = run(&["grid", "check", "--config", &new_config]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        output.status.code(),
        Some(3),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = expect(3, &["--json", "grid", "check", "--config", &new_config]);
    let whats: BTreeSet<String> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["what"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert!(
        !whats.is_empty()
            && whats
                .iter()
                .any(|what| what.contains("gap") || what.contains("parent")),
        "{whats:?}"
    );

    let told = expect(3, &["grid", "diff", "--old", &old_config, "--new", &new_config]);
    for code in [&gone, &renamed] {
        assert!(told.contains(code.as_str().unwrap()), "{code} is not in {told}");
    }
    let lines = expect(
        3,
        &[
            "--json",
            "grid",
            "diff",
            "--old",
            &old_config,
            "--new",
            &new_config,
        ],
    );
    assert!(
        lines.lines().count() >= 2
            && lines
                .lines()
                .all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "{lines}"
    );

    // A level that overlaps itself.
    let path = new.path().join("grid/town.geojson");
    let mut towns = read_json(&path);
    let ring = towns["features"][0]["geometry"].clone();
    towns["features"][1]["geometry"] = ring;
    fs::write(&path, towns.to_string()).unwrap();
    let told = expect(3, &["grid", "check", "--config", &new_config]);
    assert!(told.contains("overlap"), "{told}");
}

/// What `grid locate` says of points: id → (code, status).
fn locate(dir: &Path, args: &[&str], points: &str) -> BTreeMap<String, (String, String)> {
    let (input, output) = (text(&dir.join("points.csv")), text(&dir.join("cells.csv")));
    fs::write(&input, points).unwrap();
    expect(
        0,
        &[&["grid", "locate", "--input", &input, "--output", &output], args].concat(),
    );
    let mut reader = csv::Reader::from_path(&output).unwrap();
    assert_eq!(
        reader.headers().unwrap().iter().collect::<Vec<_>>(),
        ["id", "code", "status"]
    );
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| (row[0].to_owned(), (row[1].to_owned(), row[2].to_owned())))
        .collect()
}

#[test]
fn a_point_is_in_one_cell_whatever_its_coordinates_are_called() {
    let dir = tempfile::tempdir().unwrap();
    let config = with_grid(dir.path(), "7");
    // Nine places in the middle of Songjiang.
    let mut points = String::from("id,x,y,crs\n");
    let places: Vec<(f64, f64)> = (0..9)
        .map(|n| (121.19 + 0.01 * f64::from(n % 3), 31.01 + 0.01 * f64::from(n / 3)))
        .collect();
    for (number, (lon, lat)) in places.iter().enumerate() {
        for system in [Crs::Wgs84, Crs::Cgcs2000, Crs::Gcj02, Crs::Bd09, Crs::Sh2000] {
            let (x, y) = crs::from_wgs84(system, *lon, *lat);
            points += &format!("{number}-{system:?},{x},{y},{}\n", system.name());
        }
    }
    let cells = locate(dir.path(), &["--config", &config], &points);
    assert_eq!(cells.len(), 45);
    let mut seen = BTreeSet::new();
    for number in 0..places.len() {
        let prefix = format!("{number}-");
        let of: BTreeSet<&(String, String)> = cells
            .iter()
            .filter(|(id, _)| id.starts_with(&prefix))
            .map(|(_, cell)| cell)
            .collect();
        let [(code, status)] = of.iter().collect::<Vec<_>>()[..] else {
            panic!("place {number}: {of:?}")
        };
        assert!(
            code.len() == 15 && status == "inside",
            "place {number}: {code} {status}"
        );
        seen.insert(code.clone());
    }
    assert!(
        seen.len() > 3,
        "places a kilometre apart are in different cells: {seen:?}"
    );
}

const SQUARE: &str = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"A","name":"a"},
"geometry":{"type":"Polygon","coordinates":[[[-0.13,51.50],[-0.12,51.50],[-0.12,51.51],[-0.13,51.51],[-0.13,51.50]]]}},
{"type":"Feature","properties":{"code":"B","name":"b"},
"geometry":{"type":"Polygon","coordinates":[[[-0.12,51.50],[-0.11,51.50],[-0.11,51.51],[-0.12,51.51],[-0.12,51.50]]]}}]}"#;

#[test]
fn points_are_located_anywhere_on_earth() {
    let dir = tempfile::tempdir().unwrap();
    let config = "[[grid.layers]]\nname = \"duty\"\n[[grid.layers.levels]]\nlevel = \"x\"\nfile = \"far.geojson\"\n\
        [[grid.layers]]\nname = \"london\"\n[[grid.layers.levels]]\nlevel = \"block\"\nfile = \"square.geojson\"\n";
    fs::write(dir.path().join("cityops.toml"), config).unwrap();
    fs::write(dir.path().join("square.geojson"), SQUARE).unwrap();
    fs::write(dir.path().join("far.geojson"), SQUARE.replace("51.5", "-33.5")).unwrap();
    let config = text(&dir.path().join("cityops.toml"));
    let points = "id,note,x,y\na,in A,-0.125,51.505\nb,in B,-0.115,51.505\nedge,on both,-0.12,51.505\n\
        near,some metres off,-0.13001,51.505\nfar,the other side of the town,-0.5,51.505\npole,,0,90\ndate line,,180,0\n\
        \"quoted, id\",,-0.125,51.505\n";
    let cells = locate(dir.path(), &["--config", &config, "--layer", "london"], points);
    let cell = |id: &str| (cells[id].0.as_str(), cells[id].1.as_str());
    assert_eq!(cell("a"), ("A", "inside"));
    assert_eq!(cell("b"), ("B", "inside"));
    assert_eq!(cell("quoted, id"), ("A", "inside"));
    assert!(
        ["A", "B"].contains(&cell("edge").0) && cell("edge").1 == "inside",
        "{:?}",
        cell("edge")
    );
    assert_eq!(cell("near"), ("A", "snapped"));
    for id in ["far", "pole", "date line"] {
        assert_eq!(cell(id), ("", "outside"), "{id}");
    }
    // The first layer unless another is named.
    let cells = locate(dir.path(), &["--config", &config], "id,x,y\na,-0.125,51.505\n");
    assert_eq!(cells["a"], (String::new(), "outside".to_owned()));
    // Without a configuration, the built-in grid.
    let cells = locate(dir.path(), &[], "id,x,y,crs\na,121.2277,31.0322,\n");
    assert_eq!(cells["a"].1, "inside");
}

#[test]
fn points_that_cannot_be_read_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (
        text(&dir.path().join("points.csv")),
        text(&dir.path().join("cells.csv")),
    );
    for (points, words) in [
        ("id,x\na,1\n", "\"y\""),
        ("id,x,y\na,1,2\nb,here,2\n", "points.csv:3"),
        ("id,x,y\na,NaN,2\n", "points.csv:2"),
        ("id,x,y\na,121,91\n", "points.csv:2"),
        ("id,x,y,crs\na,121,31,GPS\n", "GPS"),
    ] {
        fs::write(&input, points).unwrap();
        let ran = run(&["grid", "locate", "--input", &input, "--output", &output]);
        let err = String::from_utf8(ran.stderr).unwrap();
        assert_ne!(ran.status.code(), Some(0), "{points}");
        assert!(
            err.contains("points.csv") && err.contains(words) && !err.contains("panicked"),
            "{points}: {err}"
        );
        assert!(!dir.path().join("cells.csv").exists(), "half an answer: {points}");
    }
}
