//! Changed copies of a generated grid.

use super::*;
use crate::generate::{GeneratedGrid, GridSpec, generate};

fn loaded(change: impl Fn(&str) -> Option<String>) -> Layer {
    let grid = generate(&GridSpec::default(), 9);
    let mut texts: Vec<String> = grid.geojson().into_iter().map(|(_, text)| text).collect();
    let lines: Vec<&str> = texts[3].lines().collect();
    let features: Vec<String> = lines[1..lines.len() - 1]
        .iter()
        .filter_map(|line| change(line.trim_end_matches(',')))
        .collect();
    texts[3] = format!("{}\n{}\n]}}", lines[0], features.join(",\n"));
    let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    let (layer, _) = Layer::load(&GeneratedGrid::config("duty"), &bytes, false).unwrap();
    layer
}

const CELL: &str = "310117107001001";

#[test]
fn the_same_grid_has_no_changes_even_if_rings_start_elsewhere() {
    let old = loaded(|line| Some(line.to_owned()));
    assert_eq!(diff(&old, &old), []);
    let turned = loaded(|line| {
        let (head, tail) = line.split_once("[[[").unwrap();
        let (ring, end) = tail.split_once("]]").unwrap();
        let mut points: Vec<&str> = ring[1..].split("],[").collect();
        points.pop();
        points.rotate_left(2);
        points.push(points[0]);
        Some(format!("{head}[[[[{}]]{end}", points.join("],[")))
    });
    assert_eq!(old.version(), turned.version());
    assert_eq!(diff(&old, &turned), []);
}

#[test]
fn added_removed_and_renamed_cells_are_told() {
    let old = loaded(|line| Some(line.to_owned()));
    let area = old.area_m2(old.find(CELL).unwrap());
    let without = loaded(|line| (!line.contains(&format!("\"code\":\"{CELL}\""))).then(|| line.to_owned()));
    let inside = old.inner_point(old.find(CELL).unwrap());
    for (found, what) in [
        (diff(&old, &without), What::Removed { area_m2: area }),
        (diff(&without, &old), What::Added { area_m2: area }),
    ] {
        let [change] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(
            (&*change.level, &*change.code, &change.what),
            ("duty_cell", CELL, &what)
        );
        assert_eq!(change.position, inside);
        assert_eq!(change.geometry.to_geojson()["type"], "Polygon");
    }
    let own = old.cell(old.find(CELL).unwrap()).clone();
    let unit = own.unit.clone().unwrap();
    let other = loaded(|line| {
        Some(
            line.replace(
                &format!("\"name\":\"{}\",\"parent\":\"{}\"", own.name, &CELL[..12]),
                "\"name\":\"新\",\"parent\":\"310117107002\"",
            )
            .replace(&*unit, "张三"),
        )
    });
    let whats: Vec<What> = diff(&old, &other).into_iter().map(|change| change.what).collect();
    let renamed = What::Renamed {
        from: own.name.clone(),
        to: "新".into(),
    };
    let reassigned = What::Reassigned {
        from: Some(unit.clone()),
        to: Some("张三".into()),
    };
    let reparented = What::Reparented {
        from: Some(CELL[..12].into()),
        to: Some("310117107002".into()),
    };
    assert_eq!(whats, [renamed, reassigned, reparented]);
}

#[test]
fn moved_ground_is_measured() {
    let old = loaded(|line| Some(line.to_owned()));
    let index = old.find(CELL).unwrap();
    // the cell becomes its own northern neighbour by 0.0001°, which is 11.087 m
    let moved = loaded(|line| {
        if !line.contains(&format!("\"code\":\"{CELL}\"")) {
            return Some(line.to_owned());
        }
        let (head, tail) = line.split_once("[[[[").unwrap();
        let (ring, end) = tail.split_once("]]").unwrap();
        let points: Vec<String> = ring
            .split("],[")
            .map(|point| {
                let (lon, lat) = point.split_once(',').unwrap();
                format!("{lon},{:.8}", lat.parse::<f64>().unwrap() + 0.0001)
            })
            .collect();
        Some(format!("{head}[[[[{}]]{end}", points.join("],[")))
    });
    let changes = diff(&old, &moved);
    let [
        Change {
            what: What::Moved { gained_m2, lost_m2 },
            ..
        },
    ] = changes[..]
    else {
        panic!("{changes:?}");
    };
    assert!(
        (gained_m2 - lost_m2).abs() < 0.001 * lost_m2,
        "{gained_m2} {lost_m2}"
    );
    // every parallel strip of the cell's width gains once at its northern end
    let area = old.area_m2(index);
    assert!(
        gained_m2 > 11.0 * libm::sqrt(area) * 0.5 && gained_m2 < area,
        "{gained_m2} {area}"
    );
}

#[test]
fn levels_of_only_one_side_are_told() {
    let grid = generate(
        &GridSpec {
            villages: 18,
            duty_cells: 18,
        },
        1,
    );
    let whole = grid.into_layer("duty");
    let empty = Layer::assemble("duty", vec![("district".into(), Vec::new())]);
    assert_eq!(diff(&whole, &empty).len(), 1 + 18 + 18 + 18);
    assert_eq!(diff(&empty, &whole).len(), 1 + 18 + 18 + 18);
}

/// A layer of rectangles in hundredths of a degree: `code west south east north`.
fn squares(cells: &[&str]) -> Layer {
    let features: Vec<String> = cells
        .iter()
        .map(|cell| {
            let words: Vec<&str> = cell.split(' ').collect();
            let at = |n: usize, from: f64| from + words[n].parse::<f64>().unwrap() / 100.0;
            let (w, s, e, n) = (at(1, 121.0), at(2, 31.0), at(3, 121.0), at(4, 31.0));
            let code = words[0];
            format!(
                r#"{{"type":"Feature","properties":{{"code":"{code}","name":"n"}},"geometry":{{"type":"Polygon",
                "coordinates":[[[{w:.4},{s:.4}],[{e:.4},{s:.4}],[{e:.4},{n:.4}],[{w:.4},{n:.4}],[{w:.4},{s:.4}]]]}}}}"#
            )
        })
        .collect();
    let text = format!(
        r#"{{"type":"FeatureCollection","features":[{}]}}"#,
        features.join(",")
    );
    let config: crate::LayerConfig = serde_json::from_str(
        r#"{"name":"duty","levels":[{"level":"beat","crs":"WGS84","code":"code","label":"name"}]}"#,
    )
    .unwrap();
    Layer::load(&config, &[text.as_bytes()], true).unwrap().0
}

#[test]
fn splits_merges_and_new_codes_are_told_with_their_shares() {
    let cases: [(&[&str], &[&str], &str); 9] = [
        (&["A 0 0 4 1"], &["A 0 0 4 1"], ""),
        (&["A 0 0 4 1"], &["B 0 0 4 1"], "B recoded A 100"),
        (&["A 0 0 400 1"], &["B 0 0 399 1"], "B recoded A 100"),
        (&["A 0 0 4 1"], &["B 0 0 3 1"], "A removed; B added"),
        (
            &["A 0 0 4 1"],
            &["B 0 0 3 1", "C 3 0 4 1"],
            "A removed; A split B 75 C 25; B added; C added",
        ),
        (
            &["A 0 0 4 1"],
            &["A 0 0 3 1", "C 3 0 4 1"],
            "A split A 75 C 25; A moved; C added",
        ),
        (
            &["A 0 0 1 1", "B 1 0 4 1"],
            &["C 0 0 4 1"],
            "A removed; B removed; C added; C merged B 75 A 25",
        ),
        (
            &["A 0 0 1 1", "B 1 0 4 1"],
            &["B 0 0 4 1"],
            "A removed; B merged B 75 A 25; B moved",
        ),
        // a border that moves between two that stay is no split
        (
            &["A 0 0 2 1", "B 2 0 4 1"],
            &["A 0 0 1 1", "B 1 0 4 1"],
            "A moved; B moved",
        ),
    ];
    for (old, new, want) in cases {
        let told: Vec<String> = diff(&squares(old), &squares(new))
            .iter()
            .map(|change| {
                let percent = |share: f64| format!(" {:.0}", share * 100.0);
                let parts = |shares: &[Share]| -> String {
                    let one = |part: &Share| format!(" {}{}", part.code, percent(part.share));
                    shares.iter().map(one).collect()
                };
                let more = match &change.what {
                    What::Recoded { from, share, .. } => format!(" {from}{}", percent(*share)),
                    What::Split { into } => parts(into),
                    What::Merged { from } => parts(from),
                    _ => String::new(),
                };
                format!("{} {}{more}", change.code, change.what.name())
            })
            .collect();
        assert_eq!(told.join("; "), want, "{old:?} to {new:?}");
    }
}

#[test]
fn only_the_ground_that_moved_is_shown() {
    let changes = diff(&squares(&["A 0 0 2 1"]), &squares(&["A 0 0 3 1"]));
    let told = changes[0].geometry.to_geojson().to_string();
    assert_eq!(
        told,
        r#"{"coordinates":[[[121.02,31.0],[121.03,31.0],[121.03,31.01],[121.02,31.01],[121.02,31.0]]],"type":"Polygon"}"#
    );
    let line = serde_json::Value::Object(changes[0].properties());
    assert_eq!(
        (&line["change"], &line["code"]),
        (&"moved".into(), &"A".into()),
        "{line}"
    );
    assert!(
        line["lon"].as_f64().unwrap() > 121.02 && line["gained_m2"].as_f64().unwrap() > 1e6,
        "{line}"
    );
}

#[test]
fn what_only_shrank_gained_zero_and_not_minus_zero() {
    let (old, new) = (squares(&["A 0 0 4 1"]), squares(&["A 0 0 3 1"]));
    let changes = diff(&old, &new);
    let told = changes[0].properties();
    assert_eq!(told["gained_m2"].to_string(), "0.0", "{told:?}");
    assert!(!changes[0].to_string().contains('+'), "{}", changes[0]);
}
