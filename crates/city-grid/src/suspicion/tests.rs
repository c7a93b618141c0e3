//! Sources that are what they say, sources that are not, and what chance does.

use city_model::Position;
use proptest::prelude::*;

use super::*;
use crate::crs::{from_wgs84, to_wgs84};

/// Numbers in [-1, 1) from a seed (SplitMix64): the tests' noise, the same on every machine.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// A place in the district.
    fn place(&mut self) -> (f64, f64) {
        (121.22 + 0.2 * self.next(), 31.03 + 0.14 * self.next())
    }

    fn moved(&mut self, (lon, lat): (f64, f64), metres: f64) -> (f64, f64) {
        (
            lon + metres * self.next() / 95_500.0,
            lat + metres * self.next() / 110_900.0,
        )
    }
}

fn position((lon, lat): (f64, f64)) -> Position {
    Position::from_degrees(lon, lat).unwrap()
}

fn suspicion() -> Suspicion {
    let listed = ["a", "b", "c", "d"].map(Name::from);
    Suspicion::new(position((121.22, 31.03)), listed)
}

/// What a source sends that is really `truth`, read as `declared`.
fn read(declared: Crs, truth: &[Crs], place: (f64, f64)) -> Position {
    let (x, y) = truth
        .iter()
        .fold(place, |(lon, lat), crs| from_wgs84(*crs, lon, lat));
    position(to_wgs84(declared, x, y).unwrap())
}

fn told(declared: Crs, witness: &Witness, place: u64, at: Position, references: Vec<Position>) -> Comparison {
    Comparison {
        system: "a".into(),
        declared,
        position: at,
        references,
        tolerance_mm: 120_000,
        witness: witness.clone(),
        place,
    }
}

fn of(name: &str) -> Witness {
    Witness::System(name.into())
}

/// Feeds `count` places of source "a" before these witnesses in turn.
fn feed(
    suspicion: &mut Suspicion,
    declared: Crs,
    truth: &[Crs],
    witnesses: &[Witness],
    count: u64,
    noise_m: f64,
) -> Vec<Turn> {
    let mut noise = Noise(7);
    let mut turns = Vec::new();
    for at in 0..count {
        let place = noise.place();
        let sent = read(declared, truth, noise.moved(place, noise_m));
        let witness = &witnesses[at as usize % witnesses.len()];
        turns.extend(suspicion.compare(told(declared, witness, at, sent, vec![position(place)])));
    }
    turns
}

#[test]
fn a_source_that_is_what_it_says_is_not_suspect() {
    for declared in Crs::ALL {
        // Noise up to half an offset: many pairs are far apart, none in a common direction.
        for noise_m in [0.0, 20.0, 100.0, 250.0] {
            for witnesses in [vec![Witness::Registry], vec![of("b"), of("c"), of("d")]] {
                let mut suspicion = suspicion();
                let turns = feed(&mut suspicion, declared, &[declared], &witnesses, 600, noise_m);
                assert_eq!(turns, [], "{declared} {noise_m}");
                assert_eq!(suspicion.suspects(), []);
            }
        }
    }
}

#[test]
fn every_wrong_declaration_is_found_with_its_evidence() {
    use Crs::{Bd09, Cgcs2000, Gcj02, Wgs84};
    let cases: [(Crs, &[Crs], &str, f64); 8] = [
        (Wgs84, &[Gcj02], "GCJ02", 483.0),
        (Cgcs2000, &[Gcj02], "GCJ02", 483.0),
        (Wgs84, &[Bd09], "BD09", 1_125.0),
        (Wgs84, &[Gcj02, Gcj02], "GCJ02_TWICE", 965.0),
        (Gcj02, &[Wgs84], "WGS84", 483.0),
        (Gcj02, &[Bd09], "BD09", 900.0),
        (Gcj02, &[Gcj02, Gcj02], "GCJ02_TWICE", 483.0),
        (Bd09, &[Gcj02], "GCJ02", 900.0),
    ];
    for (declared, truth, looks_like, length_m) in cases {
        for witnesses in [vec![Witness::Registry], vec![of("b"), of("c")]] {
            let mut suspicion = suspicion();
            let turns = feed(&mut suspicion, declared, truth, &witnesses, 60, 30.0);
            let [Turn::Rises(first)] = &turns[..] else {
                panic!("{declared} {looks_like}: {turns:?}");
            };
            assert_eq!(first.pairs, 20, "{declared} {looks_like}");
            let suspects = suspicion.suspects();
            let [evidence] = &suspects[..] else {
                panic!("{declared} {looks_like}: {suspects:?}");
            };
            assert_eq!(
                (evidence.looks_like, evidence.pairs),
                (looks_like, 60),
                "{evidence:?}"
            );
            assert_eq!(&*evidence.source_system, "a");
            assert!(
                evidence.share > 0.99 && evidence.residual_m < 45.0,
                "{evidence:?}"
            );
            let (east, north) = evidence.predicted_m;
            let length = east.hypot(north);
            assert!((length - length_m).abs() < 60.0, "{length} {evidence:?}");
            let (seen_east, seen_north) = evidence.observed_m;
            assert!(
                (seen_east - east).hypot(seen_north - north) < 15.0,
                "{evidence:?}"
            );
        }
    }
    // What is really plain and declared as Baidu's.
    let mut suspicion = suspicion();
    let turns = feed(&mut suspicion, Bd09, &[Wgs84], &[Witness::Registry], 60, 30.0);
    assert!(
        matches!(&turns[..], [Turn::Rises(evidence)] if evidence.looks_like == "WGS84"),
        "{turns:?}"
    );
}

#[test]
fn a_plane_computed_from_a_map_point_is_found() {
    let mut suspicion = suspicion();
    let turns = feed(
        &mut suspicion,
        Crs::Sh2000,
        &[Crs::Gcj02, Crs::Sh2000],
        &[Witness::Registry],
        40,
        5.0,
    );
    assert!(
        matches!(&turns[..], [Turn::Rises(evidence)] if evidence.looks_like == "GCJ02"),
        "{turns:?}"
    );
}

#[test]
fn few_pairs_and_one_place_again_and_again_are_not_enough() {
    let mut suspicion = suspicion();
    assert_eq!(
        feed(
            &mut suspicion,
            Crs::Wgs84,
            &[Crs::Gcj02],
            &[Witness::Registry],
            19,
            5.0
        ),
        []
    );
    let (place, mut noise) = ((121.2, 31.0), Noise(3));
    for _ in 0..500 {
        let sent = read(Crs::Wgs84, &[Crs::Gcj02], noise.moved(place, 20.0));
        let again = told(Crs::Wgs84, &Witness::Registry, 5, sent, vec![position(place)]);
        assert_eq!(
            suspicion.compare(again),
            None,
            "one device, however often, is one place"
        );
    }
}

#[test]
fn one_other_source_alone_accuses_nobody() {
    // Which of the two is wrong? Nobody can say.
    let mut suspicion = suspicion();
    assert_eq!(
        feed(&mut suspicion, Crs::Wgs84, &[Crs::Gcj02], &[of("b")], 300, 20.0),
        []
    );
    // With a second one that agrees with "a", it is "b".
    for at in 0..100 {
        let place = Noise(at).place();
        let sent = read(Crs::Wgs84, &[Crs::Wgs84], place);
        assert_eq!(
            suspicion.compare(told(Crs::Wgs84, &of("c"), at, sent, vec![position(place)])),
            None
        );
    }
}

#[test]
fn what_sits_at_its_surveyed_places_is_not_accused_by_others() {
    let mut suspicion = suspicion();
    feed(
        &mut suspicion,
        Crs::Wgs84,
        &[Crs::Wgs84],
        &[Witness::Registry],
        30,
        10.0,
    );
    let turns = feed(
        &mut suspicion,
        Crs::Wgs84,
        &[Crs::Gcj02],
        &[of("b"), of("c"), of("d")],
        300,
        10.0,
    );
    assert_eq!(turns, []);
}

#[test]
fn dense_neighbours_meet_by_chance_in_every_direction() {
    // A city full of reports of one kind: some lie an offset away from each other, and as many a quarter circle further.
    for (count, seed) in [(100, 1), (300, 2), (1_000, 3)] {
        let (mut suspicion, mut noise) = (suspicion(), Noise(seed));
        let strangers: Vec<Position> = (0..count).map(|_| position(noise.place())).collect();
        for at in 0..1_000 {
            let own = position(noise.place());
            for name in ["b", "c", "d"] {
                let near = strangers
                    .iter()
                    .skip(at as usize % 3)
                    .step_by(3)
                    .copied()
                    .collect();
                let turn = suspicion.compare(told(Crs::Wgs84, &of(name), at, own, near));
                assert_eq!(turn, None, "{count} strangers");
            }
        }
    }
}

#[test]
fn two_streets_an_offset_apart_are_one_place() {
    // A market street and another one exactly where the map's offset leads: hundreds of reports, but of one neighbourhood.
    let mut suspicion = suspicion();
    let (street, mut noise) = ((121.2, 31.0), Noise(11));
    for at in 0..400_u64 {
        let sent = read(Crs::Wgs84, &[Crs::Gcj02], noise.moved(street, 30.0));
        let name = ["b", "c", "d"][at as usize % 3];
        let place = 42; // the neighbourhood
        assert_eq!(
            suspicion.compare(told(Crs::Wgs84, &of(name), place, sent, vec![position(street)])),
            None
        );
    }
}

#[test]
fn a_mended_source_is_cleared() {
    for witnesses in [vec![Witness::Registry], vec![of("b"), of("c"), of("d")]] {
        let mut suspicion = suspicion();
        let risen = feed(&mut suspicion, Crs::Wgs84, &[Crs::Gcj02], &witnesses, 200, 20.0);
        assert!(matches!(risen[..], [Turn::Rises(_)]), "{risen:?}");
        let mended = feed(&mut suspicion, Crs::Wgs84, &[Crs::Wgs84], &witnesses, 200, 20.0);
        let [Turn::Falls(rest)] = &mended[..] else {
            panic!("{mended:?}");
        };
        assert!(rest.as_declared >= rest.pairs, "{rest:?}");
        assert_eq!(suspicion.suspects(), []);
        let again = feed(&mut suspicion, Crs::Wgs84, &[Crs::Gcj02], &witnesses, 200, 20.0);
        assert!(matches!(again[..], [Turn::Rises(_)]), "{again:?}");
    }
}

#[test]
fn a_third_of_rightly_named_points_does_not_hide_the_rest() {
    // Some records name their own system, and rightly.
    let mut suspicion = suspicion();
    let mut noise = Noise(9);
    for at in 0..200 {
        let place = noise.place();
        let truth = if at % 3 == 0 { Crs::Wgs84 } else { Crs::Gcj02 };
        let sent = read(Crs::Wgs84, &[truth], noise.moved(place, 30.0));
        let name = ["b", "c"][at as usize % 2];
        suspicion.compare(told(Crs::Wgs84, &of(name), at, sent, vec![position(place)]));
    }
    let suspects = suspicion.suspects();
    assert!(
        matches!(&suspects[..], [evidence] if evidence.looks_like == "GCJ02"),
        "{suspects:?}"
    );
    assert!((0.6..0.72).contains(&suspects[0].share), "{suspects:?}");
}

#[test]
fn sources_that_are_not_listed_are_one() {
    let mut suspicion = suspicion();
    let mut noise = Noise(5);
    for at in 0..40 {
        let place = noise.place();
        let comparison = Comparison {
            system: format!("unlisted-{at}").into(),
            ..told(
                Crs::Wgs84,
                &Witness::Registry,
                at,
                read(Crs::Wgs84, &[Crs::Gcj02], place),
                vec![position(place)],
            )
        };
        suspicion.compare(comparison);
    }
    assert_eq!(suspicion.cases.len(), 1);
    assert_eq!(&*suspicion.suspects()[0].source_system, OTHER);
}

proptest! {
    /// Sums that are kept by adding and taking away are those of the votes that are left.
    #[test]
    fn sums_are_those_of_the_votes(seed in any::<u64>(), count in 1..1_500_u64) {
        let (mut kept, mut noise) = (suspicion(), Noise(seed));
        for _ in 0..count {
            let place = noise.place();
            let truth = [Crs::Wgs84, Crs::Gcj02, Crs::Bd09][(noise.next().abs() * 2.99) as usize];
            let witness = [Witness::Registry, of("b"), of("c")][(noise.next().abs() * 2.99) as usize].clone();
            let at = (noise.next().abs() * 700.0) as u64;
            let sent = read(Crs::Wgs84, &[truth], noise.moved(place, 60.0));
            kept.compare(told(Crs::Wgs84, &witness, at, sent, vec![position(place)]));
        }
        for case in kept.cases.values() {
            prop_assert!(case.window.is_sound());
        }
    }

    /// No position makes it panic.
    #[test]
    fn any_positions_are_taken(numbers in proptest::collection::vec((any::<i64>(), any::<i64>()), 2..6), tolerance in any::<i64>()) {
        let places: Vec<Position> = numbers
            .iter()
            .map(|(lon, lat)| Position { lon_e9: lon % 180_000_000_001, lat_e9: lat % 90_000_000_001 })
            .collect();
        let mut suspicion = suspicion();
        for declared in Crs::ALL {
            let comparison = Comparison {
                tolerance_mm: tolerance,
                ..told(declared, &of("b"), 1, places[0], places[1..].to_vec())
            };
            suspicion.compare(comparison);
        }
        let _ = suspicion.suspects();
    }
}
