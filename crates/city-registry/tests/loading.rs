//! What the files may look like, and what is said of them when they are wrong.
#![allow(clippy::unwrap_used)]

use city_grid::crs::Systems;
use city_grid::{Bounds, Frame};
use city_model::Position;
use city_registry::{Oddities, RowError, read_components, read_devices, read_facilities};

fn error(result: Result<impl Sized, RowError>) -> String {
    let error = result.err().unwrap();
    format!("{error} [{}]", error.column.as_deref().unwrap_or("-"))
}

#[test]
fn columns_go_by_name_and_blanks_do_not_count() {
    let text = "\u{feff}lat, class ,component_id,note,lon,accuracy_m\n\
        31.0300, 雨水井盖 , 0310117 ,x,121.2300,0.5\n\
        \"31.0301\",雨水井盖,\"JG, 7\",,121.2300,\n";
    let listed = read_components(text.as_bytes(), Frame::anywhere(&Systems::default())).unwrap();
    let all = listed.entries;
    assert_eq!((all.len(), listed.oddities), (2, Oddities::default()));
    let first = all.get("0310117").unwrap();
    assert_eq!((&**first.class(), first.u_mm()), ("雨水井盖", Some(500)));
    assert_eq!(Some(first.position()), Position::from_degrees(121.23, 31.03));
    assert_eq!(all.get("JG, 7").unwrap().u_mm(), None);
    let here = first.position();
    let near: Vec<String> = all
        .near("雨水井盖", here, 20_000)
        .iter()
        .map(|near| format!("{} {}", near.component.id(), near.distance_mm))
        .collect();
    assert_eq!(near, ["0310117 0", "JG, 7 11086"]);
}

#[test]
fn coordinates_of_another_system_are_converted() {
    let row = |crs: &str| format!("device_id,lon,lat,crs,component_id\nd,121.2277,31.0322,{crs},c\n");
    let at = |crs: &str| {
        read_devices(row(crs).as_bytes(), Frame::anywhere(&Systems::default()))
            .unwrap()
            .entries
            .get("d")
            .unwrap()
            .position
            .unwrap()
    };
    assert_eq!(at(""), at("CGCS2000"));
    assert!(
        (at("GCJ02").lon_e9 - at("").lon_e9).abs() > 3_000_000,
        "300 m and more"
    );
    let devices = read_devices(row("").as_bytes(), Frame::anywhere(&Systems::default()))
        .unwrap()
        .entries;
    assert_eq!(devices.get("d").unwrap().component_id.as_deref(), Some("c"));
}

#[test]
fn an_id_listed_twice_is_told_and_the_last_one_counts() {
    let text = "component_id,class,lon,lat\n7,a,1,1\n8,a,1,1\n7,b,2,2\n7,c,3,3\n8,d,4,4\n";
    let listed = read_components(text.as_bytes(), Frame::anywhere(&Systems::default())).unwrap();
    assert_eq!((listed.entries.len(), listed.oddities.repeated.rows), (2, 3));
    assert_eq!(listed.oddities.repeated.first, Some((4, "7".into())));
    assert_eq!(&**listed.entries.get("7").unwrap().class(), "c");

    let listed = read_devices(
        "device_id,lon,lat\nd,1,1\nd,2,2\n".as_bytes(),
        Frame::anywhere(&Systems::default()),
    )
    .unwrap();
    assert_eq!((listed.entries.len(), listed.oddities.repeated.rows), (1, 1));
    assert_eq!(
        listed.entries.get("d").unwrap().position.unwrap().lon_e9,
        2_000_000_000
    );

    let text = "facility_id,class,name,lon,lat\nf,school,甲,1,1\nf,school,乙,2,2\n";
    let listed = read_facilities(text.as_bytes(), Frame::anywhere(&Systems::default())).unwrap();
    assert_eq!((listed.entries.len(), listed.oddities.repeated.rows), (1, 1));
}

#[test]
fn zeros_are_no_place_and_far_rows_are_counted() {
    let systems = Systems::default();
    let bounds = Bounds::around([121.0, 30.9, 121.5, 31.2], 50_000.0);
    let frame = Frame {
        systems: &systems,
        bounds: Some(&bounds),
    };
    let rows = "a,manhole,121.2,31.0,\nb,manhole,0,0,\nc,manhole,-0.0,0.00,BD09\nd,manhole,119.0,31.0,\n\
        e,manhole,0,0,SH2000\nf,manhole,121.2,31.62,\nb,manhole,0,0,\n";
    let text = format!("component_id,class,lon,lat,crs\n{rows}");
    let listed = read_components(text.as_bytes(), frame).unwrap();
    let ids = ["a", "b", "c", "d", "e", "f"];
    let known = ids.map(|id| listed.entries.get(id).is_some());
    assert_eq!(known, [true, false, false, true, false, true]);
    let told = "4 rows at (0, 0), left out (first line 3, id b); 1 row far outside the first layer, kept (first line 5, id d)";
    assert_eq!(listed.oddities.to_string(), told);

    let text = "device_id,lon,lat,component_id\ng,0,0,a\nh,121.2,31.0,\nh,121.2,31.0,\n";
    let listed = read_devices(text.as_bytes(), frame).unwrap();
    let device = listed.entries.get("g").unwrap();
    assert_eq!(
        (device.position, device.component_id.as_deref()),
        (None, Some("a"))
    );
    let told = "1 row at (0, 0), kept without a place (first line 2, id g); \
        1 row with an id that is listed twice, of which the last row counts (first line 4, id h)";
    assert_eq!(listed.oddities.to_string(), told);

    let text = "facility_id,class,name,lon,lat\nf,school,甲,0,0\ng,school,乙,121.2,31.0\n";
    let listed = read_facilities(text.as_bytes(), frame).unwrap();
    assert_eq!((listed.entries.len(), listed.oddities.placeless.rows), (1, 1));
    assert!(!listed.oddities.is_empty() && Oddities::default().is_empty());
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_column() {
    let components = |rows: &str| {
        let text = format!("component_id,class,lon,lat,crs,accuracy_m\n1,a,1,1,,\n{rows}\n");
        error(read_components(
            text.as_bytes(),
            Frame::anywhere(&Systems::default()),
        ))
    };
    assert_eq!(
        components(",a,1,1,,"),
        "line 3: \"component_id\" is empty [component_id]"
    );
    assert_eq!(
        components("2,a,1,1,,\n3,a,east,1,,"),
        "line 4: \"lon\" is \"east\", which is no number [lon]"
    );
    assert_eq!(
        components("2,a,1,91,,"),
        "line 3: the coordinates are not on earth [lon]"
    );
    assert_eq!(
        components("2,a,NaN,1,,"),
        "line 3: the coordinates are not on earth [lon]"
    );
    assert_eq!(
        components("2,a,1,1,PZ90,"),
        "line 3: unknown coordinate system \"PZ90\" [crs]"
    );
    assert_eq!(
        components("2,a,1,1,,0"),
        "line 3: \"accuracy_m\" must lie above 0 and at most at 10000 [accuracy_m]"
    );
    assert!(
        components("2,a,1").starts_with("line 3: "),
        "{}",
        components("2,a,1")
    );
    assert_eq!(
        error(read_components(
            &b"component_id,class,lon,lat\n1,\xff,1,1\n"[..],
            Frame::anywhere(&Systems::default())
        )),
        "line 2: \"class\" is not UTF-8 [class]"
    );
    assert_eq!(
        error(read_components(
            "component_id,lon,lat\n".as_bytes(),
            Frame::anywhere(&Systems::default())
        )),
        "the file has no column \"class\" [-]"
    );
    assert_eq!(
        error(read_devices("".as_bytes(), Frame::anywhere(&Systems::default()))),
        "the file has no column \"device_id\" [-]"
    );
    let text = "facility_id,class,lon,lat\nf,pub,1,1\n";
    let told = error(read_facilities(
        text.as_bytes(),
        Frame::anywhere(&Systems::default()),
    ));
    assert!(
        told.starts_with("line 2: unknown class \"pub\"; known are school "),
        "{told}"
    );
}
