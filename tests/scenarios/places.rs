//! Where it is and what it is called: borders, coordinate systems, warnings by region, codes by standard.

use city_grid::{Crs, crs::Systems};
use city_model::{Plane, Position};
use serde_json::{Value, json};

use crate::city::town::grid;
use crate::stage::{MINUTE, NOON, SPOT, Stage, at, beside, call, number, of_quality, reading, report, with};

const TWO_TOWNS: &str =
    "[[grid.layers]]\nname = \"duty\"\n[[grid.layers.levels]]\nlevel = \"town\"\nfile = \"towns.geojson\"\n";

/// Two towns that share the meridian of the spot: the first lies west of it.
fn towns(west: &str, east: &str) -> String {
    let (x, y) = SPOT;
    grid(&[
        (west, [x - 0.05, y - 0.05, x, y + 0.05]),
        (east, [x, y - 0.05, x + 0.05, y + 0.05]),
    ])
}

fn metres_between(one: &Value, (lon, lat): (f64, f64)) -> f64 {
    let place =
        Position::from_degrees(number(&one["location"]["lon"]), number(&one["location"]["lat"])).unwrap();
    let plane = Plane::at(Position::from_degrees(lon, lat).unwrap());
    let origin = plane.project(Position::from_degrees(lon, lat).unwrap());
    plane.project(place).distance_mm(origin) as f64 / 1_000.0
}

#[test]
fn eight_metres_from_the_border_the_other_town_is_affected() {
    let gauge = reading("pond-1", 0, "ponding_depth", 18.0, beside(SPOT, -8.0, 0.0));
    let caller = with(
        call("t1", 5, "道路积水", "13800000001"),
        json!({"location": of_quality(beside(SPOT, 20.0, 0.0), "DOOR")}),
    );
    let stage = || Stage::new(TWO_TOWNS).file("towns.geojson", &towns("310117107", "310117006"));
    for played in [
        stage().tell("sensor", [gauge.clone()]).until(6).play(),
        stage()
            .tell("sensor", [gauge])
            .tell("hotline", [caller])
            .until(6)
            .play(),
    ] {
        let one = played.only();
        assert_eq!(
            one["responsible"]["code"], "310117107",
            "the better position decides"
        );
        assert_eq!(one["also_affects"], json!(["310117006"]));
        assert!((number(&one["responsible"]["border_distance_m"]) - 8.0).abs() < 0.2);
    }
}

/// The same spot as each system has it.
fn spot_in(crs: Crs) -> (f64, f64) {
    Systems::default().from_wgs84(crs, SPOT.0, SPOT.1)
}

#[test]
fn one_point_in_four_systems_is_one_place() {
    let systems = [
        ("wgs", "WGS84"),
        ("gcj", "GCJ02"),
        ("bd", "BD09"),
        ("sh", "SH2000"),
    ];
    let config: String = systems
        .map(|(name, crs)| format!("[sources.{name}]\ncrs = \"{crs}\"\n"))
        .concat();
    let config = format!("{config}[sources.default]\ncrs = \"WGS84\"\n");
    let filed = |(name, crs): (&str, &str), category: &str, minute| {
        let place = spot_in(crs.parse().unwrap());
        with(
            report(
                &format!("{name}-{category}"),
                minute,
                category,
                of_quality(place, "GNSS"),
            ),
            json!({"source_system": name}),
        )
    };
    // Of different kinds each stands alone, and shows its own place.
    let kinds = ["暴露垃圾", "道路破损", "行道树", "路灯"];
    let apart = systems
        .iter()
        .zip(kinds)
        .map(|(system, kind)| filed(*system, kind, 0));
    let played = Stage::new(&config).tell("report", apart).until(1).play();
    assert_eq!(played.incidents.len(), 4);
    for one in &played.incidents {
        let system = one["members"][0]["source_system"].as_str().unwrap();
        let close = if system == "sh" { 5.0 } else { 1.0 };
        assert!(metres_between(one, SPOT) < close, "{system}: {one:#}");
        assert_eq!(one["cells"], played.incidents[0]["cells"], "{system}");
    }
    // Of one kind they are one.
    let together = systems
        .iter()
        .zip(0..)
        .map(|(system, minute)| filed(*system, "暴露垃圾", minute));
    let played = Stage::new(&config).tell("report", together).until(5).play();
    assert_eq!(played.only()["member_count"], 4);
}

#[test]
fn a_wrongly_declared_system_lands_half_a_kilometre_away() {
    let honest = report("right", 0, "暴露垃圾", of_quality(SPOT, "GNSS"));
    let wrong = report("wrong", 1, "暴露垃圾", of_quality(spot_in(Crs::Gcj02), "GNSS"));
    let played = Stage::new("").tell("report", [honest, wrong]).until(2).play();
    let two = played.of_kind("garbage_exposed");
    assert_eq!(two.len(), 2, "they do not meet");
    assert!(metres_between(two[0], SPOT) < 1.0);
    let off = metres_between(two[1], SPOT);
    assert!((478.0..488.0).contains(&off), "{off} m");
    assert_ne!(two[0]["cells"], two[1]["cells"]);
}

#[test]
fn a_warning_weighs_in_its_own_district_alone() {
    let warning = json!({"warning_id": "w1", "revision": 1, "signal": "RAINSTORM", "severity": "ORANGE",
        "region_codes": ["310117"], "status": "ISSUED", "issued_at": NOON, "effective_at": NOON,
        "reported_at": NOON, "expires_at": NOON + 6 * 60 * MINUTE});
    let fallen = |id, east| report(id, 5, "行道树", of_quality(beside(SPOT, east, 0.0), "GNSS"));
    let fallen = |id, east| with(fallen(id, east), json!({"content": "树倒了"}));
    let played = Stage::new(TWO_TOWNS)
        .file("towns.geojson", &towns("310117107", "310112101"))
        .tell("weather", [warning])
        .tell("report", [fallen("own", -500.0), fallen("other", 500.0)])
        .until(6)
        .play();
    let trees = played.of_kind("tree_fallen");
    assert_eq!(trees.len(), 2);
    for tree in trees {
        let (points, storm) = match tree["responsible"]["code"].as_str().unwrap() {
            "310117107" => (7, json!("w1")),
            _ => (0, Value::Null),
        };
        assert_eq!(tree["priority"]["parts"]["W"], points, "{tree:#}");
        assert_eq!(*tree.get("storm_id").unwrap_or(&Value::Null), storm);
    }
}

#[test]
fn a_code_means_what_its_standard_says() {
    let config = "[sources.inspector-app]\ncrs = \"WGS84\"\ncode_system = \"GB/T 30428.2-2013\"\n\
                  [sources.other-app]\ncrs = \"WGS84\"\n[sources.\"12345\"]\ncrs = \"WGS84\"\n";
    let filed = |id: &str, system: &str, standard: Option<&str>, east| {
        let mut record = with(
            report(id, 0, "", at(beside(SPOT, east, 0.0))),
            json!({"source_system": system, "category_code": "0401"}),
        );
        record.as_object_mut().unwrap().remove("category");
        match standard {
            Some(standard) => with(record, json!({"standard_ref": standard})),
            None => record,
        }
    };
    let played = Stage::new(config)
        .tell(
            "report",
            [
                filed("collapse", "other-app", Some("CJ/T 214-2007"), 0.0),
                filed("vendor", "other-app", Some("GB/T 30428.2-2013"), 1_000.0),
                filed("by-source", "inspector-app", None, 2_000.0),
                filed("no-standard", "other-app", None, 3_000.0),
            ],
        )
        .until(1)
        .play();
    let kind_of = |id: &str| {
        let has = |one: &&Value| one["members"][0]["event_id"] == id;
        played
            .incidents
            .iter()
            .find(has)
            .map(|one| one["kind"].as_str().unwrap())
    };
    assert_eq!(kind_of("collapse"), Some("road_collapse"));
    assert_eq!(kind_of("vendor"), Some("vendor"));
    assert_eq!(kind_of("by-source"), Some("vendor"));
    assert_eq!(kind_of("no-standard"), None);
    assert_eq!(played.dead_letters.len(), 1);
    assert_eq!(played.dead_letters[0]["reason"], "code_unknown");
    assert_eq!(played.outcomes["other-app/no-standard"], "deadletter");
}
