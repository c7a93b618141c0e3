//! A configuration is replaced while incidents are open: another grid disturbs nothing, other rules hold for what follows.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use city_model::{Activation, Incident, Input, Position, Quality, Status};
use city_rules::Rules;
use incident_engine::{Change, Engine};
use teller::{Teller, Told, activation, at, call, camera, inspector, sensor};

fn with_grid(version: &str) -> Activation {
    Activation {
        version: format!("config of {version}").into(),
        grid: vec![("duty".into(), version.into())],
        ..activation()
    }
}

fn with_rules(text: &str) -> Activation {
    let rules = Rules::load(&[("rules.toml".to_owned(), text.to_owned())]).unwrap();
    Activation {
        version: "other rules".into(),
        rules: rules.to_text().into(),
        ..activation()
    }
}

fn activate(story: &mut Teller, activation: &Activation) {
    story.input(&Input::Activation(Box::new(activation.clone())));
}

/// The same event placed by another version of the grid.
fn placed_by(mut told: Told, version: &str) -> Told {
    for cell in std::sync::Arc::make_mut(&mut told.0.cells) {
        cell.version = version.into();
    }
    told
}

/// An engine restored from the rows that are left when each key keeps its last one.
fn restored(story: &Teller) -> Engine {
    let mut engine = Engine::default();
    for row in story.rows.values().flatten() {
        engine.apply(&Change::from_row(row).unwrap()).unwrap();
    }
    engine
}

/// What does not show the configuration's name.
fn plain(story: &Teller) -> Vec<Incident> {
    let mut incidents = story.incidents();
    for incident in &mut incidents {
        incident.config_version = "any".into();
    }
    incidents
}

#[test]
fn an_open_incident_keeps_the_version_of_the_grid_that_it_was_opened_with() {
    let mut story = Teller::new();
    activate(&mut story, &with_grid("v"));
    story.tell(call("c1", "road_ponding", 0.0, 0.0).cell("D1").at(0));
    let opened = story.only();
    activate(&mut story, &with_grid("v2"));
    // Far better placed, and in the cell that the old one was split into: it joins, and names nothing anew.
    let gauge = sensor("pond-1", "road_ponding", 10.0, 0.0).cell("D1a").at(5);
    story.tell(placed_by(gauge, "v2"));
    let joined = story.only();
    assert_eq!((joined.member_count, joined.status), (2, Status::Open));
    assert_eq!(
        (&joined.cells, &joined.responsible, &joined.also_affects),
        (&opened.cells, &opened.responsible, &opened.also_affects)
    );
    assert_eq!(&*joined.config_version, "config of v2", "who decided shows");
    // One more of the old version, from a loop that has not switched yet, is as good as before.
    let better = inspector("i1", "road_ponding", 0.0, 5.0).cell("D2").at(6);
    story.tell(better.quality(Quality::Component));
    let record = story.record();
    assert_eq!((&*record.cells[0].code, &*record.cells[0].version), ("D2", "v"));

    let elsewhere = call("c2", "road_ponding", 3_000.0, 0.0).cell("D1b").at(7);
    story.tell(placed_by(elsewhere, "v2"));
    let record = story.record();
    assert_eq!((&*record.cells[0].code, &*record.cells[0].version), ("D1b", "v2"));
    assert_eq!(story.incidents().len(), 2);
}

#[test]
fn another_grid_disturbs_nothing() {
    let tell = |activations: &[Activation]| {
        let mut story = Teller::new();
        let mut next = activations.iter().cycle();
        for minute in 0..300 {
            if let Some(activation) = next.next() {
                activate(&mut story, activation);
            }
            let x = f64::from(minute as i32 % 7) * 45.0;
            story.tell(match minute % 4 {
                0 => sensor(&format!("s{}", minute % 3), "road_ponding", x, 0.0).at(minute),
                1 => call(&format!("c{minute}"), "garbage_exposed", x, 9.0).at(minute),
                2 => camera("cam", "shop_spill", 0.0, x)
                    .id(&format!("v{minute}"))
                    .at(minute),
                _ => sensor(&format!("s{}", minute % 3), "road_ponding", x, 0.0)
                    .clears()
                    .at(minute),
            });
        }
        story.tick(at(20_000));
        story
    };
    let still = tell(&[]);
    // As three loops would tell it, each twice.
    let changing = tell(&[with_grid("a"), with_grid("b"), with_grid("b"), with_grid("a")]);
    assert_eq!(plain(&still), plain(&changing));
    assert_eq!(still.outcomes, changing.outcomes);
    assert_eq!(still.revisions.len(), changing.revisions.len());
    assert!(still.revisions.len() > 20, "{}", still.revisions.len());
}

#[test]
fn what_holds_already_is_no_change() {
    let mut story = Teller::new();
    let grid = with_grid("v2");
    for (activation, changes) in [(activation(), 0), (grid.clone(), 1), (grid.clone(), 0)] {
        let decision = story
            .engine
            .decide(&Input::Activation(Box::new(activation.clone())));
        assert_eq!((decision.changes.len(), decision.outputs.len()), (changes, 0));
        activate(&mut story, &activation);
    }
    assert_eq!(story.engine.setting().unwrap().activation.grid, grid.grid);
    assert_eq!(*restored(&story).setting().unwrap().activation, grid);
}

#[test]
fn a_grid_whose_middle_moved_does_not_move_incidents() {
    let moved = Activation {
        origin: Position::from_degrees(121.31, 31.07).unwrap(),
        ..with_grid("wider")
    };
    let mut story = Teller::new();
    story.tell(call("c1", "road_ponding", 0.0, 0.0).at(0));
    let place = story.record().location;
    activate(&mut story, &moved);
    activate(&mut story, &moved);
    story.tell(call("c2", "road_ponding", 0.0, 0.0).at(5));
    assert_eq!(story.only().member_count, 2, "they still meet");
    assert_eq!(story.record().location.map(|l| l.lon), place.map(|l| l.lon));
    assert_eq!(
        restored(&story).setting().unwrap().plane.origin(),
        teller::origin()
    );

    // Where nothing is kept yet, the new middle is the better one.
    let mut fresh = Teller::new();
    activate(&mut fresh, &moved);
    assert_eq!(fresh.engine.setting().unwrap().plane.origin(), moved.origin);
}

#[test]
fn other_rules_hold_for_what_follows() {
    let near = || call("c2", "road_ponding", 60.0, 0.0).at(5);
    let mut story = Teller::new();
    story.tell(call("c1", "road_ponding", 0.0, 0.0).at(0));
    let mut as_before = Teller::new();
    as_before.tell(call("c1", "road_ponding", 0.0, 0.0).at(0));
    as_before.tell(near());
    assert_eq!(as_before.incidents().len(), 1, "the story would prove nothing");

    let narrow = with_rules("[kinds.road_ponding]\nradius = 5\ncap = 20\ngap = \"10m\"\n");
    activate(&mut story, &narrow);
    assert_eq!(story.only().status, Status::Open, "it stays as it is");
    story.tell(near());
    assert_eq!(story.incidents().len(), 2, "the narrower radius holds");
    story.tick(at(11));
    let open = |story: &Teller| story.engine.sizes().1;
    assert_eq!(open(&story), 1, "ten minutes of quiet are over for the first");

    // A restored engine goes on as the one that ran: its indices rest on the new rules.
    let again = restored(&story);
    assert_eq!(
        (again.sizes(), again.next_due()),
        (story.engine.sizes(), story.engine.next_due())
    );
    activate(&mut story, &activation());
    story.tell(call("c3", "road_ponding", 60.0, 30.0).at(14));
    assert_eq!(
        story.count(city_model::Outcome::Opened),
        2,
        "the wide radius holds again"
    );
}
