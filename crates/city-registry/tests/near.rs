//! What is near is what a look at every component finds, wherever it lies and however the rows are ordered.
#![allow(clippy::unwrap_used)]

use city_model::{Plane, Point, Position};
use city_registry::{Components, ComponentsBuilder, Only};
use proptest::collection::vec;
use proptest::prelude::*;

type Row = (String, &'static str, Position);

/// 2^32 nano-degrees: the side of a tile.
const TILE: i64 = 1 << 32;

fn components(rows: &[Row]) -> Components {
    let mut builder = ComponentsBuilder::default();
    for (id, class, position) in rows {
        builder.add(id, class, *position, None).unwrap();
    }
    builder.finish()
}

/// By a look at every row.
fn brute(rows: &[Row], class: &str, place: Position, r_mm: i64) -> Vec<(i64, String)> {
    let plane = Plane::at(place);
    let mut found: Vec<(i64, String)> = rows
        .iter()
        .filter(|row| row.1 == class)
        .map(|row| (plane.project(row.2).distance_mm(Point::default()), row.0.clone()))
        .filter(|(distance_mm, _)| *distance_mm <= r_mm)
        .collect();
    found.sort_unstable();
    found
}

fn check(rows: &[Row], all: &Components, place: Position, r_mm: i64) -> Result<(), TestCaseError> {
    for class in ["cover", "井盖"] {
        let near = all.near(class, place, r_mm);
        let told: Vec<(i64, String)> = near
            .iter()
            .map(|near| (near.distance_mm, near.component.id().to_string()))
            .collect();
        let expected = brute(rows, class, place, r_mm);
        prop_assert_eq!(&told, &expected, "within {} mm of {:?}", r_mm, place);
        match (all.only_near([class], place, r_mm), &expected[..]) {
            (Only::None, []) => {}
            (Only::One(near), [only]) => prop_assert_eq!(near.component.id().to_string(), only.1.clone()),
            (Only::Several, [_, _, ..]) => {}
            (told, expected) => prop_assert!(false, "{:?} of {:?}", told, expected),
        }
    }
    Ok(())
}

/// Corners of the world: the city, where four tiles meet, the equator and Greenwich, a pole's side, both ends of the plane.
fn corner() -> impl Strategy<Value = Position> {
    let at = |lon_e9: i64, lat_e9: i64| Position { lon_e9, lat_e9 };
    prop::sample::select(vec![
        at(121_227_700_000, 31_032_200_000),
        at(28 * TILE, 7 * TILE),
        at(0, 0),
        at(-TILE, 5 * TILE),
        at(10_000_000_000, 89_999_000_000),
        at(10_000_000_000, -89_999_999_990),
        at(179_999_000_000, 10_000_000_000),
        at(-180_000_000_000, -60_000_000_000),
    ])
}

fn around(corner: Position, (x, y): (i64, i64)) -> Position {
    Position {
        lon_e9: (corner.lon_e9 + x).clamp(-180_000_000_000, 180_000_000_000),
        lat_e9: (corner.lat_e9 + y).clamp(-90_000_000_000, 90_000_000_000),
    }
}

/// Steps of a few sizes, so that rows lie close, on each other, and far apart.
fn step() -> impl Strategy<Value = (i64, i64)> {
    let one = || prop_oneof![Just(0), -5_i64..5, -2_000_000_i64..2_000_000, -9 * TILE..9 * TILE];
    (one(), one())
}

fn rows() -> impl Strategy<Value = (Position, Vec<Row>)> {
    let class = prop::sample::select(vec!["cover", "cover", "cover", "井盖", "bin"]);
    let row = (0_u32..2_000, prop::bool::ANY, class, step());
    (corner(), vec(row, 0..200)).prop_map(|(corner, rows)| {
        let named = |(number, is_digits, class, step): (u32, bool, _, _)| {
            let id = if is_digits {
                format!("{number:06}")
            } else {
                format!("JG-{number}")
            };
            (id, class, around(corner, step))
        };
        let mut rows: Vec<Row> = rows.into_iter().map(named).collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows.dedup_by(|a, b| a.0 == b.0);
        (corner, rows)
    })
}

fn radius() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(0),
        Just(-1),
        0_i64..100,
        0_i64..200_000,
        0_i64..1_000_000_000
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn near_is_what_a_look_at_every_row_finds(
        (corner, rows) in rows(), asked in vec((step(), radius()), 1..8),
    ) {
        let all = components(&rows);
        for (step, r_mm) in asked {
            check(&rows, &all, around(corner, step), r_mm)?;
        }
        // Exactly at the distance of a row, and a millimetre less.
        if let Some(row) = rows.first() {
            let r_mm = Plane::at(corner).project(row.2).distance_mm(Point::default()).min(1_000_000_000);
            check(&rows, &all, corner, r_mm)?;
            check(&rows, &all, corner, r_mm - 1)?;
        }
    }

    #[test]
    fn the_order_of_rows_does_not_show((corner, rows) in rows(), mut seed in any::<u64>()) {
        let mut mixed = rows.clone();
        for at in (1..mixed.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            mixed.swap(at, (seed >> 33) as usize % (at + 1));
        }
        let (one, other) = (components(&rows), components(&mixed));
        prop_assert_eq!(one.classes().collect::<Vec<_>>(), other.classes().collect::<Vec<_>>());
        let told = |all: &Components| format!("{:?}", all.near("cover", corner, 1_000_000_000));
        prop_assert_eq!(told(&one), told(&other));
    }

    #[test]
    fn every_row_is_found_by_its_id_as_it_was_told((_, rows) in rows()) {
        let all = components(&rows);
        prop_assert_eq!(all.len(), rows.len());
        for (id, class, position) in &rows {
            let found = all.get(id).unwrap();
            prop_assert_eq!((&*found.id(), &**found.class(), found.position()), (id.as_str(), *class, *position));
        }
        for other in ["", "0", "JG-", "JG-00", "0000001", "00001", "31011701001000001"] {
            prop_assert!(all.get(other).is_none());
        }
    }
}

#[test]
fn the_last_row_of_an_id_counts_wherever_it_lies() {
    let at = |lon: f64, lat: f64| Position::from_degrees(lon, lat).unwrap();
    let mut builder = ComponentsBuilder::default();
    assert_eq!(builder.add("JG-1", "cover", at(121.0, 31.0), Some(9)), Ok(false));
    assert_eq!(builder.add("1", "cover", at(121.0, 31.0), None), Ok(false));
    assert_eq!(builder.add("JG-1", "bin", at(10.0, 50.0), Some(7)), Ok(true));
    assert_eq!(builder.add("1", "bin", at(10.0, 50.0), None), Ok(true));
    let all = builder.finish();
    assert_eq!(all.len(), 2);
    assert!(all.near("cover", at(121.0, 31.0), 1_000).is_empty());
    assert_eq!(all.near("bin", at(10.0, 50.0), 0).len(), 2);
    let counts: Vec<(String, usize)> = all
        .classes()
        .map(|(name, count)| (name.to_string(), count))
        .collect();
    assert_eq!(counts, [("bin".to_owned(), 2)]);
    assert_eq!(all.get("JG-1").unwrap().u_mm(), Some(7));
    assert_eq!(all.get("1").unwrap().u_mm(), None);
}

#[test]
fn thousands_on_one_spot_and_in_one_line_are_found() {
    let at = |lon_e9: i64| Position {
        lon_e9,
        lat_e9: 31_000_000_000,
    };
    let rows: Vec<Row> = (0..3_000)
        .map(|number| {
            (
                number.to_string(),
                "cover",
                at(121_000_000_000 + (number - 1_000).max(0) * 100),
            )
        })
        .collect();
    let all = components(&rows);
    for (place, r_mm) in [
        (at(121_000_000_000), 0),
        (at(121_000_100_000), 3_000),
        (at(121_000_300_000), 50),
    ] {
        check(&rows, &all, place, r_mm).unwrap();
    }
}

#[test]
fn an_id_too_long_and_an_endless_list_of_classes_find_no_room() {
    use city_registry::RegistryFull;
    let mut builder = ComponentsBuilder::default();
    let place = Position { lon_e9: 0, lat_e9: 0 };
    let id = "x".repeat(65_535);
    assert_eq!(builder.add(&id, "", place, None), Ok(false));
    assert_eq!(
        builder.add(&format!("{id}x"), "", place, None),
        Err(RegistryFull::Id)
    );
    for class in 1..65_536 {
        builder
            .add(&class.to_string(), &class.to_string(), place, None)
            .unwrap();
    }
    assert_eq!(
        builder.add("n", "one more", place, None),
        Err(RegistryFull::Classes)
    );
    assert_eq!(&*builder.finish().get(&id).unwrap().id(), id);
}
