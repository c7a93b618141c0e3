//! `cityops grid` as an outsider runs it: grids are made, checked, compared and used.
#![allow(clippy::unwrap_used)]

mod city;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use city::{City, expect, run};
use city_grid::{Crs, crs};
use city_simulator::Scenario;
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

/// Runs `grid locate` on points and gives its exit code, its rows (none: no answer was written) and what it warned of.
fn located(dir: &Path, points: &[u8]) -> (Option<i32>, Option<Vec<String>>, String) {
    let (input, output) = (text(&dir.join("points.csv")), dir.join("cells.csv"));
    fs::write(&input, points).unwrap();
    let _ = fs::remove_file(&output);
    let ran = run(&["grid", "locate", "--input", &input, "--output", &text(&output)]);
    let err = String::from_utf8(ran.stderr).unwrap();
    assert!(!err.contains("panicked"), "{err}");
    let rows = fs::read_to_string(&output).ok();
    let rows = rows.map(|rows| rows.lines().skip(1).map(str::to_owned).collect());
    (ran.status.code(), rows, err)
}

#[test]
fn every_row_has_its_answer_and_one_that_is_no_place_is_outside() {
    let dir = tempfile::tempdir().unwrap();
    let good = "good,121.2277,31.0322";
    for (row, id, why) in [
        ("a,here,31.0322", "a", "x \"here\" is no number"),
        ("a,,31.0322", "a", "x is empty"),
        ("a,121.2277,\" \"", "a", "y is empty"),
        ("a,NaN,31", "a", "is no place in WGS84"),
        ("a,500,31", "a", "(500, 31) is no place in WGS84"),
        ("a,121,91", "a", "is no place"),
        ("a", "a", "x is empty"),
        ("a,121.2277", "a", "y is empty"),
        (",inf,31", "", "is no place"),
    ] {
        let points = format!("id,x,y\n{good}\n{row}\n{good}\n");
        let (code, rows, err) = located(dir.path(), points.as_bytes());
        assert_eq!(code, Some(3), "{row}: {err}");
        let rows = rows.unwrap();
        assert_eq!(rows.len(), 3, "{row}: {rows:?}");
        assert!(rows[0].starts_with("good,3101") && rows[0].ends_with(",inside") && rows[0] == rows[2]);
        assert_eq!(rows[1], format!("{id},,outside"), "{row}");
        let told = format!("points.csv:3: {why}");
        let want = if why.starts_with("is no place") {
            "points.csv:3: ("
        } else {
            &*told
        };
        assert!(err.contains(want) && err.contains(why), "{row}: {err}");
        assert!(
            err.contains("1 of 3 rows is no place: written as outside"),
            "{err}"
        );
    }
    let points = "id,x,y,crs\na,121,31,GPS\nb,121.2277,31.0322,\n";
    let (code, rows, err) = located(dir.path(), points.as_bytes());
    assert_eq!((code, rows.unwrap().len()), (Some(3), 2), "{err}");
    assert!(
        err.contains("points.csv:2: unknown coordinate system \"GPS\""),
        "{err}"
    );
    // bytes that are no text
    let (code, rows, err) = located(dir.path(), b"id,x,y\na,\xff,31\n");
    assert_eq!(
        (code, rows),
        (Some(3), Some(vec!["a,,outside".to_owned()])),
        "{err}"
    );
    // many are counted
    let points: String = (0..100)
        .map(|n| format!("{n},{},31\n", if n < 25 { "" } else { "121.2277" }))
        .collect();
    let (code, rows, err) = located(dir.path(), format!("id,x,y\n{points}").as_bytes());
    assert_eq!((code, rows.unwrap().len()), (Some(3), 100), "{err}");
    assert_eq!(err.matches("x is empty").count(), 20, "{err}");
    assert!(err.contains("cityops: 5 more\n"), "{err}");
    assert!(
        err.ends_with("cityops: 25 of 100 rows are no place: written as outside\n"),
        "{err}"
    );
    let (code, rows, err) = located(dir.path(), format!("id,x,y\n{good}\n").as_bytes());
    assert_eq!((code, rows.unwrap().len(), err.as_str()), (Some(0), 1, ""));
}

#[test]
fn points_without_a_column_or_a_file_have_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (code, rows, err) = located(dir.path(), b"id,x\na,1\n");
    assert_eq!((code, rows), (Some(2), None), "{err}");
    assert!(err.contains("points.csv") && err.contains("\"y\""), "{err}");
    let (gone, output) = (
        text(&dir.path().join("gone.csv")),
        text(&dir.path().join("cells.csv")),
    );
    expect(2, &["grid", "locate", "--input", &gone, "--output", &output]);
    assert!(!dir.path().join("cells.csv").exists());
}

/// Reads a GeoJSON file and holds it to RFC 7946: closed rings of at least four positions, the outer one counter-clockwise.
fn features(path: &Path) -> Vec<Value> {
    let file = read_json(path);
    assert_eq!(file["type"], "FeatureCollection");
    let features = file["features"].as_array().unwrap();
    for feature in features {
        assert_eq!(feature["type"], "Feature");
        let geometry = &feature["geometry"];
        let coordinates = &geometry["coordinates"];
        let polygons: Vec<&Value> = match geometry["type"].as_str().unwrap() {
            "Polygon" => vec![coordinates],
            "MultiPolygon" => coordinates.as_array().unwrap().iter().collect(),
            kind => {
                assert!(kind == "Point" || kind == "MultiPoint", "{feature}");
                continue;
            }
        };
        for (number, ring) in polygons
            .into_iter()
            .flat_map(|rings| rings.as_array().unwrap().iter().enumerate())
        {
            let ring = ring.as_array().unwrap();
            assert!(ring.len() >= 4 && ring.first() == ring.last(), "{feature}");
            let at = |point: &Value, axis: usize| point[axis].as_f64().unwrap();
            let origin = &ring[0];
            let area: f64 = ring
                .windows(2)
                .map(|pair| {
                    let (x0, y0) = (at(&pair[0], 0) - at(origin, 0), at(&pair[0], 1) - at(origin, 1));
                    let (x1, y1) = (at(&pair[1], 0) - at(origin, 0), at(&pair[1], 1) - at(origin, 1));
                    x0 * y1 - x1 * y0
                })
                .sum();
            assert!(if number == 0 { area > 0.0 } else { area < 0.0 }, "{feature}");
        }
    }
    features.clone()
}

#[test]
fn flaws_are_written_as_geojson_and_refused_by_their_limits() {
    let dir = tempfile::tempdir().unwrap();
    let config = with_grid(dir.path(), "7");
    let path = dir.path().join("grid/duty_cell.geojson");
    let mut cells = read_json(&path);
    // far from the border of the district
    let gone = cells["features"].as_array_mut().unwrap().remove(700);
    fs::write(&path, cells.to_string()).unwrap();
    let out = dir.path().join("flaws.geojson");
    let told = expect(
        3,
        &[
            "--json",
            "grid",
            "check",
            "--config",
            &config,
            "--geojson",
            &text(&out),
        ],
    );
    let lines: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let shown = features(&out);
    assert_eq!(shown.len(), lines.len());
    for (feature, line) in shown.iter().zip(&lines) {
        assert_eq!(&feature["properties"], line);
        assert_eq!(
            (&line["layer"], &line["refused"]),
            (&json!("duty"), &json!(false))
        );
        let lon = line["lon"].as_f64().unwrap();
        assert!((120.9..121.5).contains(&lon), "{line}");
    }
    let gap = lines.iter().find(|line| line["what"] == "gap").unwrap();
    let area = gap["area_m2"].as_f64().unwrap();
    assert!(
        area > 1_000.0 && gap["codes"].as_array().unwrap().len() > 1,
        "{gap}"
    );
    let ring = |feature: &Value| feature["coordinates"].to_string().matches("],[").count();
    let outline = shown
        .iter()
        .find(|feature| feature["properties"]["what"] == "gap")
        .unwrap();
    assert!(
        ring(&outline["geometry"]) <= ring(&gone["geometry"]) && ring(&outline["geometry"]) > 2,
        "the gap is the cell: {outline} {gone}"
    );

    // A warning starts, a refusal does not.
    expect(0, &["check", "--config", &config]);
    let plain = fs::read_to_string(dir.path().join("cityops.toml")).unwrap();
    let limit = format!("[grid.limits]\ngap = {{ refuse_m2 = {:.0} }}\n", area / 2.0);
    fs::write(dir.path().join("cityops.toml"), format!("{limit}{plain}")).unwrap();
    let (input, output) = (text(&dir.path().join("in")), text(&dir.path().join("out")));
    fs::create_dir(&input).unwrap();
    fs::write(dir.path().join("in/sensor.ndjson"), "").unwrap();
    for args in [
        &["check", "--config", &config][..],
        &[
            "replay", "--config", &config, "--input", &input, "--output", &output,
        ],
    ] {
        let ran = run(args);
        let err = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(78), "{args:?}: {err}");
        for word in [
            "cityops.toml:2",
            "layer \"duty\"",
            "gap: duty_cell",
            "grid.limits.gap",
        ] {
            assert!(err.contains(word), "{args:?}: no {word} in {err}");
        }
    }
    let told = expect(3, &["grid", "check", "--config", &config]);
    assert!(
        told.contains("refused by grid.limits.gap") && told.contains("1 gap ("),
        "{told}"
    );
    // Or it is not told at all; the ground that its village lacks still is.
    let limit = "[grid.limits]\ngap = \"ignore\"\n";
    fs::write(dir.path().join("cityops.toml"), format!("{limit}{plain}")).unwrap();
    let told = expect(3, &["grid", "check", "--config", &config]);
    assert!(
        !told.contains("gap") && told.contains("parent_not_covered") && told.ends_with("\n1 finding\n"),
        "{told}"
    );
    // Half as much again is let through.
    let limit = format!("[grid.limits.gap]\nrefuse_m2 = {:.0}\n", area * 1.5);
    fs::write(dir.path().join("cityops.toml"), format!("{limit}{plain}")).unwrap();
    expect(0, &["check", "--config", &config]);
    expect(
        0,
        &[
            "replay", "--config", &config, "--input", &input, "--output", &output,
        ],
    );
    for (limit, words) in [
        (
            "gapp = { refuse_m2 = 1 }",
            &["cityops.toml:2", "gapp", "\"gap\""][..],
        ),
        ("gap = { refuse_m = 1 }", &["cityops.toml:2", "refuse_m2"]),
        ("gap = { refuse_m2 = -1 }", &["cityops.toml:2", "grid.limits.gap"]),
        ("gap = \"no\"", &["cityops.toml:2", "gap", "\"ignore\""]),
        ("gap = 7", &["cityops.toml:2", "\"refuse\", or a table such as"]),
        ("sliver = \"ignore\"", &["cityops.toml:2", "a table such as"]),
        ("gap = \"refuse\"", &["cityops.toml:2", "gap: duty_cell"]),
        ("duplicate_code = \"refused\"", &["cityops.toml:2", "refuse"]),
    ] {
        fs::write(
            dir.path().join("cityops.toml"),
            format!("[grid.limits]\n{limit}\n{plain}"),
        )
        .unwrap();
        let ran = run(&["check", "--config", &config]);
        let err = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(78), "{limit}: {err}");
        assert!(words.iter().all(|word| err.contains(word)), "{limit}: {err}");
    }
}

#[test]
fn what_loading_finds_is_refused_without_measuring() {
    let dir = tempfile::tempdir().unwrap();
    let config = "[grid.limits]\nduplicate_code = \"refuse\"\n[[grid.layers]]\nname = \"london\"\n\
        [[grid.layers.levels]]\nlevel = \"block\"\nfile = \"square.geojson\"\n";
    fs::write(dir.path().join("cityops.toml"), config).unwrap();
    fs::write(
        dir.path().join("square.geojson"),
        SQUARE.replace("\"B\"", "\"A\""),
    )
    .unwrap();
    fs::write(dir.path().join("sensor.ndjson"), "").unwrap();
    let input = text(dir.path());
    let output = text(&dir.path().join("out"));
    let config = text(&dir.path().join("cityops.toml"));
    let ran = run(&[
        "replay", "--config", &config, "--input", &input, "--output", &output,
    ]);
    let err = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(78), "{err}");
    for word in [
        "cityops.toml:2",
        "london",
        "duplicate_code",
        "grid.limits.duplicate_code",
    ] {
        assert!(err.contains(word), "no {word} in {err}");
    }
}

#[test]
fn a_fault_of_a_cell_that_comes_later_is_told_once_with_its_ground() {
    let dir = tempfile::tempdir().unwrap();
    let config = "[[grid.layers]]\nname = \"london\"\n[[grid.layers.levels]]\nlevel = \"block\"\n\
        file = \"square.geojson\"\nvalid_from = \"from\"\nvalid_to = \"to\"\n";
    fs::write(dir.path().join("cityops.toml"), config).unwrap();
    let dated = SQUARE.replace(
        "\"name\":\"b\"",
        "\"name\":\"b\",\"from\":\"2026-07-01\",\"to\":\"soon\"",
    );
    fs::write(dir.path().join("square.geojson"), dated).unwrap();
    let config = text(&dir.path().join("cityops.toml"));
    let out = dir.path().join("flaws.geojson");
    let told = expect(
        3,
        &["grid", "check", "--config", &config, "--geojson", &text(&out)],
    );
    assert!(
        told.contains("bad_validity: block B") && told.ends_with("\n1 finding\n"),
        "{told}"
    );
    let shown = features(&out);
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0]["geometry"]["type"], "Polygon", "{shown:?}");
}

#[test]
fn more_than_twenty_flaws_of_a_kind_are_summed_up() {
    let dir = tempfile::tempdir().unwrap();
    let square: Value = serde_json::from_str(SQUARE).unwrap();
    // strips of a metre, none of them beside another
    let strips: Vec<Value> = (0..25)
        .map(|number| {
            let mut strip = square["features"][0].clone();
            let south = 51.5 + 0.001 * f64::from(number);
            let north = south + 0.000_01;
            strip["properties"]["code"] = json!(format!("S{number:02}"));
            strip["geometry"]["coordinates"] = json!([[
                [0.0, south],
                [0.01, south],
                [0.01, north],
                [0.0, north],
                [0.0, south]
            ]]);
            strip
        })
        .collect();
    let file = json!({ "type": "FeatureCollection", "features": strips });
    fs::write(dir.path().join("strips.geojson"), file.to_string()).unwrap();
    let config = "[[grid.layers]]\nname = \"thin\"\n[[grid.layers.levels]]\nlevel = \"x\"\nfile = \"strips.geojson\"\n";
    fs::write(dir.path().join("cityops.toml"), config).unwrap();
    let config = text(&dir.path().join("cityops.toml"));
    let shown = |told: &str| told.lines().filter(|line| line.contains("sliver: x")).count();
    let told = expect(3, &["grid", "check", "--config", &config]);
    assert!(shown(&told) == 20 && told.contains("sliver: 5 more"), "{told}");
    assert!(
        told.contains("25 sliver") && told.contains("25 findings"),
        "{told}"
    );
    let told = expect(3, &["grid", "check", "--config", &config, "--all"]);
    assert!(shown(&told) == 25 && !told.contains("more"), "{told}");
    let told = expect(3, &["--json", "grid", "check", "--config", &config]);
    assert_eq!(told.lines().count(), 25);
}

#[test]
fn a_changed_grid_tells_the_open_incidents_that_it_touches() {
    let city = City::new(Scenario::Typhoon, 3, 3_000);
    city.replay("out");
    let incidents = fs::read_to_string(city.path("out/incidents.ndjson")).unwrap();
    let open: Vec<Value> = incidents
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|incident| incident["status"] == "OPEN" && incident["location"].is_object())
        .collect();
    let cell = |incident: &Value| -> String {
        let cells = incident["cells"].as_array().unwrap();
        cells
            .last()
            .map_or(String::new(), |cell| cell["code"].as_str().unwrap().to_owned())
    };
    let code = open.iter().map(&cell).find(|code| code.len() == 15).unwrap();
    let ids = |of: &str| -> BTreeSet<String> {
        let there = open.iter().filter(|incident| cell(incident) == of);
        there
            .map(|incident| incident["incident_id"].as_str().unwrap().to_owned())
            .collect()
    };

    // The same city with a new code for one cell, and another unit for a second one.
    let other = open
        .iter()
        .map(&cell)
        .find(|other| *other != code && other.len() == 15)
        .unwrap();
    let new = tempfile::tempdir().unwrap();
    let folder = new.path().join("grid");
    fs::create_dir(&folder).unwrap();
    for entry in fs::read_dir(city.path("grid")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let layers = fs::read_to_string(city.path("cityops.toml")).unwrap();
    let grid_only = layers.split("[registry]").next().unwrap();
    let grid_only = &grid_only[grid_only.find("[[grid").unwrap()..];
    fs::write(new.path().join("cityops.toml"), grid_only).unwrap();
    let path = folder.join("duty_cell.geojson");
    let mut cells = read_json(&path);
    for feature in cells["features"].as_array_mut().unwrap() {
        let properties = &mut feature["properties"];
        if properties["code"] == json!(code) {
            properties["code"] = json!(format!("{}Z99", &code[..12]));
        } else if properties["code"] == json!(other) {
            properties["name"] = json!("新名网格");
        }
    }
    fs::write(&path, cells.to_string()).unwrap();

    let (old, new_config) = (city.config(), text(&new.path().join("cityops.toml")));
    let (out, shown) = (text(&city.path("out")), new.path().join("changed.geojson"));
    let told = expect(
        3,
        &[
            "--json",
            "grid",
            "diff",
            &old,
            &new_config,
            "--incidents",
            &out,
            "--geojson",
            &text(&shown),
        ],
    );
    let lines: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let changes: Vec<&str> = lines.iter().filter_map(|line| line["change"].as_str()).collect();
    assert_eq!(
        changes.iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([&"recoded", &"renamed"]),
        "{told}"
    );
    assert_eq!(features(&shown).len(), 2);
    let touched: BTreeMap<String, &Value> = lines
        .iter()
        .filter_map(|line| Some((line["incident"].as_str()?.to_owned(), line)))
        .collect();
    let recoded = ids(&code);
    // an incident is told by its location, which may lie in the cell although another one was published
    assert!(
        recoded.iter().all(|id| touched.contains_key(id)),
        "{recoded:?} {touched:?}"
    );
    for id in &recoded {
        let line = touched[id];
        assert_eq!(
            (&line["old_code"], &line["status"]),
            (&json!(code), &json!("inside")),
            "{line}"
        );
        assert_eq!(line["new_code"], json!(format!("{}Z99", &code[..12])), "{line}");
        assert!(
            line["kind"].is_string() && line["band"].as_str().unwrap().starts_with('P'),
            "{line}"
        );
    }
    for id in ids(&other) {
        assert_eq!(touched[&id]["changes"], json!(["renamed"]));
    }
    assert!(
        touched.len() < open.len() / 2,
        "{} of {}",
        touched.len(),
        open.len()
    );
    for line in touched.values() {
        let is_moved = line["old_code"] != line["new_code"];
        assert!(
            is_moved || line["changes"] != json!([]),
            "touched by nothing: {line}"
        );
    }
    // Incidents that the new grid named already are not touched, whatever changed to make it.
    let rest = &layers[layers.find("[registry]").unwrap()..];
    let whole = format!("{grid_only}\n{rest}");
    for level in LEVELS {
        let name = format!("{}.geojson", level.0);
        fs::create_dir_all(city.path("new/grid")).unwrap();
        fs::copy(folder.join(&name), city.path("new/grid").join(&name)).unwrap();
    }
    let whole = whole.replace("\"grid/", "\"new/grid/");
    fs::write(city.path("new.toml"), &whole).unwrap();
    let later = text(&city.path("later"));
    expect(
        0,
        &[
            "replay",
            "--config",
            &text(&city.path("new.toml")),
            "--input",
            &city.input(),
            "--output",
            &later,
        ],
    );
    let told = expect(3, &["grid", "diff", &old, &new_config, "--incidents", &later]);
    assert!(told.contains("\n0 of ") && !told.contains("stays in"), "{told}");
    let told = expect(
        3,
        &[
            "grid",
            "diff",
            "--old",
            &old,
            "--new",
            &new_config,
            "--incidents",
            &out,
        ],
    );
    assert!(
        told.contains("recoded from") && told.contains("open incidents are touched"),
        "{told}"
    );
    // A broker that is not there is told as everywhere.
    let away = "[kafka]\nbootstrap_servers = \"127.0.0.1:1\"\n";
    fs::write(new.path().join("live.toml"), away).unwrap();
    expect(
        69,
        &[
            "grid",
            "diff",
            &old,
            &new_config,
            "--config",
            &text(&new.path().join("live.toml")),
        ],
    );
    for args in [
        &["grid", "diff"][..],
        &["grid", "diff", &old],
        &["grid", "diff", "--old", &old],
    ] {
        expect(2, args);
    }
}
