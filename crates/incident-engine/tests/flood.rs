//! A flood of what can wait: a tick publishes so much of it, P1 first, and all of it in the end.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use std::collections::BTreeSet;

use city_model::{Band, Input};
use teller::{Teller, at, call, sensor};

const FLOOD: usize = 4_200;

/// What was published since, by band, in its order.
fn bands(story: &Teller, since: usize) -> Vec<Band> {
    story.revisions[since..]
        .iter()
        .map(|record| record.priority.band)
        .collect()
}

#[test]
fn a_p1_is_published_before_the_flood_and_the_flood_is_spread_over_ticks() {
    let mut story = Teller::new();
    story.tick(at(600));
    let told = |story: &mut Teller, id: String, number: usize| {
        // Far from each other.
        let (x, y) = ((number % 70) as f64 * 400.0, (number / 70) as f64 * 400.0);
        let told = call(&id, "dead_animal", x, y).reporter(number as u64).at(600);
        story.input(&Input::Event(std::sync::Arc::new(told.0)));
    };
    let pond = |depth: f64, minute: i64| {
        let pond = sensor("p", "road_ponding", -2_000.0, 0.0).measured("ponding_depth", depth);
        Input::Event(std::sync::Arc::new(pond.at(minute).0))
    };
    story.input(&pond(8.0, 600));
    (0..FLOOD).for_each(|number| told(&mut story, format!("a{number}"), number));
    let opened = story.revisions.len();
    assert_eq!(opened, FLOOD + 1, "what is new is told at once");
    // All have something to tell, and the ponding rises within the same tick.
    (0..FLOOD).for_each(|number| told(&mut story, format!("b{number}"), number));
    story.input(&pond(30.0, 600).clone());
    story.input(&pond(31.0, 601));
    assert_eq!(story.revisions.len(), opened, "one revision a tick");

    story.tick(at(601));
    let first = bands(&story, opened);
    assert_eq!(first[0], Band::P1, "whatever its id");
    assert_eq!(first.len(), 4_001);
    assert!(story.engine.has_unpublished());
    // One that rises now is not behind what is left.
    story.input(&Input::Event(std::sync::Arc::new(
        sensor("q", "road_ponding", -4_000.0, 0.0)
            .measured("ponding_depth", 40.0)
            .at(601)
            .0,
    )));
    assert_eq!(bands(&story, opened + 4_001), [Band::P1]);
    story.tick(at(602));
    assert!(!story.engine.has_unpublished());
    let ids: BTreeSet<_> = story.revisions[opened..]
        .iter()
        .map(|record| record.incident_id.clone())
        .collect();
    assert_eq!(ids.len(), FLOOD + 2, "each was published");
}
