use std::fmt::Write as _;

use city_grid::Frame;
use city_grid::crs::Systems;
use city_model::{Plane, Point, Position};
use proptest::prelude::*;

use super::*;
use crate::read_addresses;

/// Where the local plane of these tests touches the earth.
fn origin() -> Plane {
    Plane::at(Position::from_degrees(121.2277, 31.0322).unwrap())
}

fn at(x_m: i64, y_m: i64) -> Position {
    origin().unproject(Point {
        x: x_m * 1_000,
        y: y_m * 1_000,
    })
}

fn door(road: &str, number: u32) -> AddressName {
    AddressName::Door {
        road: road.into(),
        number,
    }
}

fn listed(position: Position) -> ListedPlace {
    ListedPlace {
        position,
        accuracy_mm: None,
        spread_mm: None,
    }
}

/// A straight road, one that turns a corner, one whose numbers go on elsewhere, two roads of one name, and what has a name.
fn rows() -> Vec<(AddressName, ListedPlace)> {
    let doors = |road: &'static str, doors: &[(u32, i64, i64)]| -> Vec<_> {
        doors
            .iter()
            .map(|(number, x, y)| (door(road, *number), listed(at(*x, *y))))
            .collect()
    };
    let mut rows = doors(
        "直路",
        &[(100, 0, 0), (120, 200, 0), (140, 400, 0), (160, 600, 0)],
    );
    rows.extend(doors(
        "弯路",
        &[
            (1, 0, 0),
            (21, 200, 0),
            (41, 400, 0),
            (61, 400, 200),
            (81, 400, 400),
        ],
    ));
    rows.extend(doors(
        "断路",
        &[(1, 0, 0), (11, 100, 0), (201, 2_500, 0), (211, 2_600, 0)],
    ));
    rows.extend(doors(
        "双路",
        &[
            (2, 0, 12),
            (3, 0, -12),
            (12, 100, 12),
            (23, 300, -12),
            (22, 200, 12),
        ],
    ));
    rows.extend(doors("独路", &[(7, 50, 50)]));
    rows.extend([
        (
            AddressName::Crossing("弯路".into(), "直路".into()),
            listed(at(0, 0)),
        ),
        (AddressName::Estate("金地苑".into()), listed(at(10, 10))),
        (AddressName::Estate("金地苑".into()), listed(at(90, 50))),
        (AddressName::Estate("同名苑".into()), listed(at(0, 0))),
        (AddressName::Estate("同名苑".into()), listed(at(5_000, 0))),
    ]);
    rows.push((
        door("宽路", 5),
        ListedPlace {
            position: at(0, 0),
            accuracy_mm: Some(20_000),
            spread_mm: Some(80_000),
        },
    ));
    rows
}

fn told(addresses: &Addresses, name: &AddressName) -> String {
    let Some(place) = addresses.place(name) else {
        return "nowhere".to_owned();
    };
    let point = origin().project(place.position);
    let metres = |mm: i64| (mm + 500).div_euclid(1_000);
    let way = place.along.map_or("any way".to_owned(), |way| {
        format!("along {}:{}", metres(way.x), metres(way.y))
    });
    format!(
        "{}, {} ±{} ±{} {way}",
        metres(point.x),
        metres(point.y),
        metres(place.u_along_mm),
        metres(place.u_across_mm)
    )
}

#[test]
fn where_addresses_are() {
    let addresses = Addresses::new(rows());
    assert_eq!((addresses.len(), addresses.roads(), addresses.torn()), (23, 6, 1));
    let mut table = String::new();
    for (road, numbers) in [
        ("直路", &[90, 96, 100, 110, 125, 160, 163, 171][..]),
        ("弯路", &[11, 21, 35, 45, 61, 71]),
        ("断路", &[6, 15, 100, 205]),
        ("双路", &[7, 8, 13, 22]),
        ("独路", &[7, 8]),
        ("宽路", &[5]),
        ("无路", &[1]),
    ] {
        for number in numbers {
            writeln!(
                table,
                "{road}{number}号: {}",
                told(&addresses, &door(road, *number))
            )
            .unwrap();
        }
    }
    for name in [
        AddressName::Crossing("弯路".into(), "直路".into()),
        AddressName::Crossing("断路".into(), "直路".into()),
        AddressName::Estate("金地苑".into()),
        AddressName::Estate("同名苑".into()),
    ] {
        writeln!(table, "{name:?}: {}", told(&addresses, &name)).unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_road_alone_is_counted_and_far_rows_of_one_name_have_no_place() {
    let text = "address,lon,lat,crs,accuracy_m,spread_m\n直路1号,121.2,31.0,,,\n直路,121.2,31.0,,,\n金地苑,121.2,31.0,GCJ02,3,90\n";
    let reading = |address: &str| match address {
        "直路" => None,
        "直路1号" => Some(door("直路", 1)),
        other => Some(AddressName::Estate(other.into())),
    };
    let systems = Systems::default();
    let read = read_addresses(text.as_bytes(), Frame::anywhere(&systems), reading).unwrap();
    assert_eq!((read.entries.len(), read.oddities.nameless.rows), (2, 1));
    assert_eq!(
        read.oddities.to_string(),
        "1 row with an address that names no door, crossing or estate, left out (first line 3, id 直路)"
    );
    let error = |text: &str| {
        let read = read_addresses(text.as_bytes(), Frame::anywhere(&systems), reading);
        read.err().unwrap().to_string()
    };
    assert_eq!(error("road,lon,lat\n"), "the file has no column \"address\"");
    assert_eq!(error("address,lon,lat\n,1,1\n"), "line 2: \"address\" is empty");
    assert_eq!(
        error("address,lon,lat\n直路1号,east,1\n"),
        "line 2: \"lon\" is \"east\", which is no number"
    );
    assert_eq!(
        error("address,lon,lat,spread_m\n直路1号,1,1,0\n"),
        "line 2: \"spread_m\" must lie above 0 and at most at 10000"
    );
}

proptest! {
    #[test]
    fn the_order_of_rows_does_not_show(order in Just((0..rows().len()).collect::<Vec<_>>()).prop_shuffle()) {
        let rows = rows();
        let (one, other) = (
            Addresses::new(rows.clone()),
            Addresses::new(order.iter().map(|at| rows[*at].clone())),
        );
        for (name, _) in &rows {
            prop_assert_eq!(one.place(name), other.place(name));
        }
        for number in 0..220 {
            for road in ["直路", "弯路", "断路", "双路"] {
                prop_assert_eq!(one.place(&door(road, number)), other.place(&door(road, number)));
            }
        }
    }

    /// Whatever is listed, a number lies between the two doors beside it, and is never surer than a door is.
    #[test]
    fn a_number_lies_between_its_neighbours(
        doors in proptest::collection::btree_map(1_u32..60, (-300_i64..300, -300_i64..300), 2..9),
        number in 1_u32..60,
    ) {
        let rows = doors.iter().map(|(number, (x, y))| (door("路", *number), listed(at(*x, *y))));
        let addresses = Addresses::new(rows);
        if let Some(place) = addresses.place(&door("路", number)) {
            prop_assert!(place.u_along_mm >= FRONT_MM && place.u_across_mm >= FRONT_MM);
            let (first, last) = (*doors.keys().next().unwrap(), *doors.keys().next_back().unwrap());
            let point = origin().project(place.position);
            let inside = point.x.abs() <= 301_000 && point.y.abs() <= 301_000;
            prop_assert!(inside || number < first || number > last);
        }
    }
}
