//! The city's own plane, from control points or parameters: what `check` tells, what is refused, and that it reaches every
//! place where coordinates are read.
#![allow(clippy::unwrap_used)]

mod city;

use city::folder::{Expect, Folder};
use city::{expect, run};
use city_grid::Crs;
use city_grid::crs::{PlaneFit, Systems};

const BY_POINTS: &str = "[crs.sh2000]\ncontrol_points = \"control.csv\"\n";
const PLACES: [(f64, f64); 6] = [
    (121.2277, 31.0322),
    (121.32, 31.137),
    (121.07, 30.91),
    (121.93, 30.9),
    (121.397, 31.623),
    (121.4671, 31.2354),
];

/// The customer's plane: 21.3 m and 17.2 m off the printed constants.
fn customers() -> Systems {
    Systems::with_sh2000(PlaneFit::new(-21.3, -17.2, 1.5, -3.0).unwrap())
}

/// A file of control points, the `wrong`th typed ten metres off.
fn control(wrong: Option<usize>) -> String {
    let mut text = "name,x,y,lon,lat\n".to_owned();
    for (at, (lon, lat)) in PLACES.into_iter().enumerate() {
        let (x, y) = customers().from_wgs84(Crs::Sh2000, lon, lat);
        let typed = x + if wrong == Some(at) { 10.0 } else { 0.0 };
        text.push_str(&format!("K{at},{typed:.3},{y:.3},{lon},{lat}\n"));
    }
    text
}

#[test]
fn check_prints_the_fit() {
    let folder = Folder::new(BY_POINTS);
    folder.write("control.csv", control(None));
    let (code, out, err) = folder.check();
    assert_eq!(code, Some(0), "{err}");
    for told in ["through 6 control points", "rms 0.00", "K3: 0.00"] {
        assert!(out.contains(told), "{told} is not in\n{out}");
    }
    let (_, json, _) = folder.run(&["--json", "check"], &[]);
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    for (key, expected, close) in [
        ("dx", -21.3, 0.002),
        ("dy", -17.2, 0.002),
        ("rotation_arcsec", 1.5, 0.01),
        ("scale_ppm", -3.0, 0.05),
    ] {
        let got = told["sh2000"][key].as_f64().unwrap();
        assert!((got - expected).abs() < close, "{key} {got}");
    }
    assert_eq!(told["sh2000"]["points"][5]["name"], "K5");
    assert!(!out.contains("typing"), "{out}");

    folder.write("control.csv", control(Some(3)));
    let (code, out, err) = folder.check();
    assert_eq!(code, Some(0), "a doubtful point does not stop a start: {err}");
    assert!(
        out.contains("control point K3 lies") && out.contains("typing error"),
        "{out}"
    );
    assert!(
        out.contains("without K3 all other control points fit, rms 0.00"),
        "{out}"
    );
    assert!(err.contains("K3"), "the log of a start names it as well: {err}");
    for other in ["K0", "K1", "K2", "K4", "K5"] {
        assert!(!err.contains(other), "one typing error names one point: {err}");
        assert!(!out.contains(&format!("control point {other}")), "{out}");
    }
    assert_eq!(out.matches("doubtful").count(), 1, "{out}");
    assert!(
        out.find("control point K3") < out.find("K0:"),
        "the culprit comes first: {out}"
    );

    let folder = Folder::new("[crs.sh2000]\ndx = -21.3\nscale_ppm = -3.0\n");
    let (code, out, _) = folder.check();
    assert!(
        code == Some(0) && out.contains("SH2000 by parameters: dx -21.3000 m, dy 0.0000 m"),
        "{out}"
    );
}

#[test]
fn a_fit_that_no_plane_has_is_told_in_the_check_and_at_the_start() {
    let told = |config: &str, points: &str, words: &[&str]| {
        let folder = Folder::new(config);
        folder.write("control.csv", points);
        let (code, out, err) = folder.check();
        assert_eq!(code, Some(0), "{err}");
        for word in words {
            assert!(out.contains(word) && err.contains(word), "{word}\n{out}\n{err}");
        }
        if words.is_empty() {
            assert!(
                !out.contains("this fit") && !err.contains("this fit"),
                "{out}\n{err}"
            );
        }
    };
    told(BY_POINTS, &control(None), &[]);
    // Ten metres in one of six.
    told(BY_POINTS, &control(Some(1)), &["this fit is implausible: rms "]);
    let two = |text: &str| text.lines().take(3).collect::<Vec<_>>().join("\n");
    told(BY_POINTS, &two(&control(None)), &["nothing checks this fit"]);
    told(
        BY_POINTS,
        &two(&control(Some(0))),
        &["this fit is implausible: scale ", "nothing checks this fit"],
    );
    told("[crs.sh2000]\nscale_ppm = 20.0\ndx = 500.0\n", "", &[]);
    told(
        "[crs.sh2000]\nscale_ppm = 600.0\nrotation_arcsec = 90.0\n",
        "",
        &["this fit is implausible: scale 600.0 ppm", "rotation 90.0\""],
    );
    // Two errors: nobody can say which, so all are told, and that.
    let mut twice = control(Some(0)).lines().map(str::to_owned).collect::<Vec<_>>();
    twice[3] = control(Some(2)).lines().nth(3).unwrap().to_owned();
    told(
        BY_POINTS,
        &twice.join("\n"),
        &["control point K0 lies", "no single typing error"],
    );
}

#[test]
fn what_fixes_no_plane_stops_the_start() {
    let mut expect = Expect::default();
    let one = "x,y,lon,lat\n-22862.11,-22508.83,121.2277,31.0322\n";
    let twice = format!("{one}-22862.11,-22508.83,121.2277,31.0322\n");
    let swapped = "x,y,lon,lat\n-22862.11,-22508.83,121.2277,31.0322\n-14034.86,-10904.62,31.137,121.32\n";
    let exchanged = "x,y,lon,lat\n0,0,121.467168475,31.235433322\n42974.26,-6658.51,121.397,31.623\n-36014.45,-37966.21,121.07,30.91\n";
    let cases: [(&str, &[&str]); 8] = [
        (
            "x,y,lon,lat\n",
            &["cityops.toml:2:", "no control point", "at least 2"],
        ),
        (one, &["cityops.toml:2:", "1 control point", "at least 2"]),
        (&twice, &["cityops.toml:2:", "one spot"]),
        (swapped, &["control.csv:3:", "exchanged"]),
        (exchanged, &["cityops.toml:2:", "exchanged"]),
        (
            "x,y,lon,lat\nNaN,1,121.2,31.0\n",
            &["control.csv:2:", "\"x\"", "finite"],
        ),
        (
            "x,y,lon,lat\n1,?,121.2,31.0\n",
            &["control.csv:2:", "\"y\"", "no number"],
        ),
        (
            "x,y,lon\n1,2,121.2\n",
            &["cityops.toml:2:", "control_points", "lat"],
        ),
    ];
    for (text, told) in cases {
        let folder = Folder::new(BY_POINTS);
        folder.write("control.csv", text);
        expect.bad(text, folder.check(), told);
    }
    let cases: [(&str, &[&str]); 5] = [
        (BY_POINTS, &["cityops.toml:2:", "control.csv"]),
        (
            &format!("{BY_POINTS}dx = 1.0\n"),
            &["cityops.toml:2:", "control_points", "exclude"],
        ),
        ("[crs.sh2000]\ndx = nan\n", &["cityops.toml:2:", "dx"]),
        (
            "[crs.sh2000]\ndx = 1.0\nscale_ppm = 9e9\n",
            &["cityops.toml:3:", "scale_ppm"],
        ),
        (
            "[crs.sh2000]\nrotation = 1.0\n",
            &["cityops.toml:2:", "rotation_arcsec"],
        ),
    ];
    for (config, told) in cases {
        expect.bad(config, Folder::new(config).check(), told);
    }
}

#[test]
fn the_fit_reaches_points_registries_and_grids() {
    let (x, y) = customers().from_wgs84(Crs::Sh2000, 121.2277, 31.0322);
    // A cell of forty metres around the point, drawn on the customer's plane, and the same in degrees a metre wide of it.
    let corner = |east: f64, north: f64| format!("[{},{}]", x + east, y + north);
    let ring = [
        (-20.0, -20.0),
        (20.0, -20.0),
        (20.0, 20.0),
        (-20.0, 20.0),
        (-20.0, -20.0),
    ];
    let ring: Vec<String> = ring.iter().map(|(east, north)| corner(*east, *north)).collect();
    let grid = format!(
        r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"code":"1","name":"一"}},
"geometry":{{"type":"Polygon","coordinates":[[{}]]}}}}]}}"#,
        ring.join(",")
    );
    let layer = "[[grid.layers]]\nname = \"duty\"\n[[grid.layers.levels]]\nlevel = \"town\"\nfile = \"towns.geojson\"\ncrs = \"SH2000\"\n";
    let locate = |config: &str| {
        let folder = Folder::new(config);
        folder.write("control.csv", control(None));
        folder.write("towns.geojson", &grid);
        folder.write(
            "points.csv",
            format!("id,x,y,crs\nplane,{x},{y},SH2000\nsphere,121.2277,31.0322,WGS84\n"),
        );
        let file = |name: &str| folder.dir.path().join(name).display().to_string();
        let args = [
            "grid",
            "locate",
            "--config",
            &file("cityops.toml"),
            "--input",
            &file("points.csv"),
            "--output",
            &file("cells.csv"),
        ];
        expect(0, &args);
        std::fs::read_to_string(folder.dir.path().join("cells.csv")).unwrap()
    };
    assert_eq!(
        locate(&format!("{BY_POINTS}{layer}")),
        "id,code,status\nplane,1,inside\nsphere,1,inside\n"
    );
    let unfitted = locate(layer);
    assert!(
        unfitted.contains("plane,1,inside") && !unfitted.contains("sphere,1,inside"),
        "{unfitted}"
    );
}

#[test]
fn a_fit_is_part_of_the_configuration_s_version() {
    let version = |config: &str| {
        let folder = Folder::new(config);
        folder.write("control.csv", control(None));
        let input = folder.dir.path().join("in");
        std::fs::create_dir(&input).unwrap();
        let report = r#"{"event_id":"e1","source_system":"app","channel":"police","report_id":"r1","title":"路面积水","observed_at":"2026-09-20T08:00:00+08:00","location":{"x":121.2277,"y":31.0322}}"#;
        std::fs::write(input.join("report.ndjson"), format!("{report}\n")).unwrap();
        let (config, out) = (
            folder.dir.path().join("cityops.toml"),
            folder.dir.path().join("out"),
        );
        let args = [
            "replay",
            "--config",
            &config.display().to_string(),
            "--input",
            &input.display().to_string(),
            "--output",
            &out.display().to_string(),
        ];
        let output = run(&args);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = std::fs::read_to_string(out.join("incidents.ndjson")).unwrap();
        let incident: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        incident["config_version"].as_str().unwrap().to_owned()
    };
    let plain = version("");
    assert_eq!(
        version("[crs.sh2000]\nresidual_limit_m = 2.0\n"),
        plain,
        "a limit decides nothing"
    );
    let fitted = version(BY_POINTS);
    assert_ne!(fitted, plain);
    assert_ne!(version("[crs.sh2000]\ndx = 1.0\n"), fitted);
}
