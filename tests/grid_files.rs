//! The files of a grid as cities have them: shapefiles with their tables beside them, and cells with dates.
#![allow(clippy::unwrap_used)]

mod city;

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use city::{expect, run};
use dbase::encoding::EncodingRs;
use dbase::{Date, FieldValue, Record, TableWriterBuilder};
use shapefile::{Point, Polygon, PolygonRing, ShapeWriter};

/// Code, name, western and eastern end in degrees, month of 2026 from which on it is valid, and the one after.
type Cell = (&'static str, &'static str, f64, f64, Option<u32>, Option<u32>);

const CELLS: [Cell; 4] = [
    ("310117001", "方松街道", 121.20, 121.22, None, Some(7)),
    ("310117011", "方松东", 121.21, 121.22, Some(7), None),
    ("310117012", "方松西", 121.20, 121.21, Some(7), None),
    ("310117002", "中山街道", 121.22, 121.24, None, None),
];

const CONFIG: &str = "[[grid.layers]]\nname = \"duty\"\nsnap_m = 20.0\n[[grid.layers.levels]]\nlevel = \"town\"\n\
    file = \"towns.shp\"\nvalid_from = \"from\"\nvalid_to = \"to\"\n";

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// `towns.shp` and `towns.dbf` in GBK, and a configuration of them.
fn folder(dir: &Path, config: &str) -> String {
    let mut shp = Cursor::new(Vec::new());
    let mut shapes = ShapeWriter::new(&mut shp);
    let mut dbf = Cursor::new(Vec::new());
    let name = |name: &str| name.try_into().unwrap();
    let mut rows = TableWriterBuilder::with_encoding(EncodingRs::from(encoding_rs::GBK))
        .add_character_field(name("code"), 20)
        .add_character_field(name("name"), 40)
        .add_date_field(name("from"))
        .add_date_field(name("to"))
        .build_with_dest(&mut dbf);
    for (code, label, west, east, from, to) in CELLS {
        let corners = [
            (west, 31.0),
            (west, 31.02),
            (east, 31.02),
            (east, 31.0),
            (west, 31.0),
        ];
        let ring = corners.map(|(x, y)| Point::new(x, y)).to_vec();
        shapes
            .write_shape(&Polygon::new(PolygonRing::Outer(ring)))
            .unwrap();
        let mut row = Record::default();
        for (column, text) in [("code", code), ("name", label)] {
            row.insert(column.to_owned(), FieldValue::Character(Some(text.to_owned())));
        }
        for (column, month) in [("from", from), ("to", to)] {
            let date = month.map(|month| Date::new(1, month, 2026).unwrap());
            row.insert(column.to_owned(), FieldValue::Date(date));
        }
        rows.write_record(&row).unwrap();
    }
    shapes.finalize().unwrap();
    rows.finalize().unwrap();
    drop((shapes, rows));
    fs::write(dir.join("towns.shp"), shp.into_inner()).unwrap();
    fs::write(dir.join("towns.DBF"), dbf.into_inner()).unwrap(); // in capitals, as old exports have it
    fs::write(dir.join("cityops.toml"), config).unwrap();
    text(&dir.join("cityops.toml"))
}

fn locate(dir: &Path, config: &str, at: &[&str]) -> BTreeMap<String, String> {
    let (input, output) = (text(&dir.join("points.csv")), text(&dir.join("cells.csv")));
    let points = "id,x,y\nin,121.205,31.01\noff,121.2401,31.01\nfar,121.2403,31.01\n";
    fs::write(&input, points).unwrap();
    let args = [
        "grid", "locate", "--config", config, "--input", &input, "--output", &output,
    ];
    expect(0, &[&args, at].concat());
    let mut reader = csv::Reader::from_path(&output).unwrap();
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| (row[0].to_owned(), format!("{} {}", &row[1], &row[2])))
        .collect()
}

#[test]
fn a_shapefile_is_read_with_its_table_and_its_dates() {
    let dir = tempfile::tempdir().unwrap();
    let config = folder(dir.path(), CONFIG);
    let told = expect(0, &["grid", "check", "--config", &config]);
    assert!(told.contains("duty: 2 town"), "{told}");
    assert!(
        told.contains("duty from 2026-06-30T16:00:00.000Z: 3 town"),
        "{told}"
    );
    for (at, cell) in [
        (&["--at", "2026-06-30"][..], "310117001 inside"),
        (&["--at", "2026-06-30T15:59:59Z"], "310117001 inside"),
        (&["--at", "2026-07-01"], "310117012 inside"),
        (&["--at", "2026-06-30T16:00:00Z"], "310117012 inside"),
        (&[], "310117012 inside"),
    ] {
        let cells = locate(dir.path(), &config, at);
        assert_eq!(cells["in"], cell, "{at:?}");
        assert_eq!(
            cells["off"], "310117002 snapped",
            "9.6 m off, and 20 m are configured"
        );
        assert_eq!(cells["far"], " outside", "28.6 m off");
    }
    let printed = expect(0, &["check", "--config", &config, "--print"]);
    assert!(
        printed.contains("snap_m = 20.0") && printed.contains("valid_to = \"to\""),
        "{printed}"
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (config, wanted) in [
        (
            CONFIG.replace("20.0", "-1"),
            &["cityops.toml:3:", "snap_m", "-1 is not within 0 and 1000"][..],
        ),
        (
            CONFIG.replace("20.0", "nan # no number"),
            &["cityops.toml:3:", "snap_m", "NaN is not within 0 and 1000"],
        ),
        (
            CONFIG.replace("\"to\"", "\"until\""),
            &[
                "cityops.toml:6:",
                "towns.shp",
                "has the property `until`",
                "code, name, from, to",
            ],
        ),
        (
            CONFIG.to_owned() + "encoding = \"GKB\"\n",
            &["cityops.toml:6:", "`GKB` is no encoding"],
        ),
        (
            CONFIG.to_owned() + "encodin = \"GBK\"\n",
            &["cityops.toml:9:", "encodin", "\"encoding\""],
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let config = folder(dir.path(), &config);
        let output = run(&["check", "--config", &config]);
        assert_eq!(output.status.code(), Some(78));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            wanted.iter().all(|want| told.contains(want)),
            "{told}\nwanted {wanted:?}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let config = folder(dir.path(), CONFIG);
    fs::remove_file(dir.path().join("towns.DBF")).unwrap();
    let told = String::from_utf8(run(&["check", "--config", &config]).stderr).unwrap();
    assert!(
        told.contains("cityops.toml:6:") && told.contains("without its .dbf"),
        "{told}"
    );
    let config = folder(dir.path(), CONFIG);
    let output = run(&[
        "grid", "locate", "--config", &config, "--at", "soon", "--input", "x", "--output", "y",
    ]);
    assert_eq!(output.status.code(), Some(2));
}
