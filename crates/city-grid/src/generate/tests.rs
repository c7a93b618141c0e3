//! What a generated grid promises.

use super::*;
use crate::check::check;

fn areas(layer: &Layer, level: usize) -> Vec<f64> {
    layer
        .cells(level)
        .map(|(index, _)| layer.area_m2(index))
        .collect()
}

#[test]
fn the_built_in_grid_has_songjiangs_numbers() {
    let layer = builtin();
    let counts: Vec<usize> = (0..4).map(|level| layer.cells(level).count()).collect();
    assert_eq!(counts, [1, 18, 304, 1322]);
    let district = areas(&layer, 0)[0];
    assert!((district / 605e6 - 1.0).abs() < 0.01, "{district}");
    let [west, south, east, north] = layer.bbox();
    assert!(west > 121.0 && east < 121.45 && south > 30.87 && north < 31.20);
    for level in 1..4 {
        let sum: f64 = areas(&layer, level).iter().sum();
        assert!((sum / district - 1.0).abs() < 1e-4, "level {level}: {sum}");
    }
}

#[test]
fn nothing_is_wrong_with_generated_grids() {
    for seed in [1, 2, 39, 74] {
        let layer = generate(&GridSpec::default(), seed).into_layer("duty");
        assert_eq!(check(&layer), [], "seed {seed}");
    }
}

#[test]
fn areas_are_very_uneven_and_the_town_areas_plausible() {
    let layer = builtin();
    let mut cells = areas(&layer, 3);
    cells.sort_by(f64::total_cmp);
    let (small, large) = (cells[66], cells[1322 - 66]); // the 5 % on either side
    assert!(large / small > 20.0, "{small} {large}");
    for ((_, cell), km2) in layer.cells(1).zip(areas(&layer, 1).iter().map(|m2| m2 / 1e6)) {
        assert!((3.0..100.0).contains(&km2), "{} {km2}", cell.name);
    }
}

#[test]
fn a_seed_means_the_same_grid_for_ever() {
    let version = |seed| {
        generate(&GridSpec::default(), seed)
            .into_layer("duty")
            .version()
            .clone()
    };
    assert_eq!(version(1), version(1));
    assert_ne!(version(1), version(2));
    assert_eq!(
        builtin().version().as_ref(),
        "e4d3af692bce",
        "recorded with the first release"
    );
}

#[test]
fn texts_load_to_the_same_layer() {
    let grid = generate(&GridSpec::default(), 5);
    let texts = grid.geojson();
    let bytes: Vec<&[u8]> = texts.iter().map(|(_, text)| text.as_bytes()).collect();
    let (loaded, findings) = Layer::load(&GeneratedGrid::config("duty"), &bytes, true).unwrap();
    assert_eq!(findings, []);
    assert_eq!(loaded.version(), grid.into_layer("duty").version());
}

#[test]
fn borders_wind() {
    let grid = generate(&GridSpec::default(), 1);
    let points: usize = grid.drafts[3].iter().map(|cell| cell.polygons[0][0].len()).sum();
    let mean = points / grid.drafts[3].len();
    assert!((25..300).contains(&mean), "{mean} points a cell");
}

#[test]
fn towns_are_described() {
    let grid = generate(&GridSpec::default(), 1);
    let towns = grid.towns().to_vec();
    assert_eq!(towns.iter().map(|town| town.villages).sum::<usize>(), 304);
    assert_eq!(towns.iter().map(|town| town.duty_cells).sum::<usize>(), 1322);
    let layer = grid.into_layer("duty");
    for town in towns {
        let path = layer.locate(town.centre).path(&layer);
        assert_eq!(layer.cell(path[1]).code, town.code);
    }
}

#[test]
fn numbers_scale_and_are_kept_in_range() {
    let spec = |villages, duty_cells| GridSpec { villages, duty_cells };
    for (asked, got) in [
        (spec(0, 0), [18, 18]),
        (spec(18, usize::MAX), [18, 18 * 999]),
        (spec(600, 5_000), [600, 5_000]),
    ] {
        let layer = generate(&asked, 7).into_layer("duty");
        assert_eq!([2, 3].map(|level| layer.cells(level).count()), got);
    }
    let many = generate(&spec(usize::MAX, 0), 7);
    assert_eq!(many.drafts[2].len(), 7_182);
    assert_eq!(check(&many.into_layer("duty")), []);
}
