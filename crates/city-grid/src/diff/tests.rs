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
    let change = |what| Change {
        level: "duty_cell".into(),
        code: CELL.into(),
        what,
    };
    assert_eq!(diff(&old, &without), [change(What::Removed { area_m2: area })]);
    assert_eq!(diff(&without, &old), [change(What::Added { area_m2: area })]);
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
