//! What is learned from a small made city, and the laws that hold for any.
#![allow(clippy::unwrap_used)]

use city_model::{Channel, DAY_MS, HOUR_MS, MINUTE_MS, Point};
use city_rules::{KindId, Row, Rules};
use proptest::prelude::*;
use rule_tuner::{Curve, Grouping, History, Judged, Lesson, Sample, judge, learn, to_toml};

/// Kinds that nobody described: lamps under two names, what crews enter in batches, and one that is rare.
const NAMES: [&str; 4] = ["Lamp", "Lamp out", "Crew work", "Rare thing"];

fn city() -> (Rules, [KindId; 4]) {
    let mut rules = Rules::builtin();
    let kinds = NAMES.map(|name| rules.with_plain_kind(name));
    (rules, kinds)
}

/// Whole numbers from a seed (the constants are Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 20).unwrap() % bound
    }
}

/// Sixty days: 400 lamps, every third reported again from within 20 m and two days, by the other name every second time;
/// crews enter six jobs at one door within seconds, never a duplicate; three rare things without one.
fn history(seed: u64, kinds: [KindId; 4]) -> History {
    let mut dice = Dice(seed);
    let mut made: Vec<(Sample, Option<usize>, usize)> = Vec::new();
    let sample = |dice: &mut Dice, time_ms: i64, point: Point, kind, channel| {
        let moved = Point {
            x: point.x + dice.below(20_000),
            y: point.y,
        };
        Sample {
            time_ms,
            point: moved,
            u_mm: 15_000,
            kind,
            channel,
            period: u32::try_from(time_ms / (30 * DAY_MS)).unwrap(),
        }
    };
    let place = |dice: &mut Dice| Point {
        x: dice.below(20_000_000),
        y: dice.below(20_000_000),
    };
    for lamp in 0..400 {
        let (at, time) = (place(&mut dice), dice.below(57 * DAY_MS));
        let parent = made.len();
        made.push((
            sample(&mut dice, time, at, kinds[0], Channel::Hotline),
            None,
            parent,
        ));
        if lamp % 3 == 0 {
            let again = time + MINUTE_MS + dice.below(2 * DAY_MS);
            let kind = kinds[usize::from(lamp % 2 == 0)];
            made.push((
                sample(&mut dice, again, at, kind, Channel::App),
                Some(parent),
                parent + 1,
            ));
        }
    }
    for _ in 0..60 {
        let (at, time) = (place(&mut dice), dice.below(59 * DAY_MS));
        for job in 0..6 {
            let id = made.len();
            made.push((
                sample(&mut dice, time + job * 1_000, at, kinds[2], Channel::Inspector),
                None,
                id,
            ));
        }
    }
    for _ in 0..3 {
        let (at, time) = (place(&mut dice), dice.below(59 * DAY_MS));
        let id = made.len();
        made.push((sample(&mut dice, time, at, kinds[3], Channel::Web), None, id));
    }
    made.sort_by_key(|(sample, _, id)| (sample.time_ms, *id));
    let mut position = vec![0; made.len()];
    for (at, (_, _, id)) in made.iter().enumerate() {
        position[*id] = at;
    }
    let links = made
        .iter()
        .filter_map(|(_, parent, id)| Some((position[*id], position[(*parent)?])))
        .collect();
    History::new(made.into_iter().map(|(sample, _, _)| sample).collect(), links)
}

fn learned(rules: &Rules, history: &History) -> Lesson {
    learn(history, |one, other| {
        rules.kind(one).safety_class == rules.kind(other).safety_class
    })
}

fn tuned(rules: &Rules, history: &History, budget: f64) -> (Lesson, i32, Judged, String) {
    let lesson = learned(rules, history);
    let mut grouping = Grouping::learned(rules, &lesson);
    let curve = Curve::of(&mut grouping, history, budget + 0.05);
    let step = curve.within(budget).unwrap();
    let text = to_toml(
        rules,
        &lesson,
        step.threshold,
        &step.judged,
        &["made\nby a test".to_owned()],
    );
    (lesson, step.threshold, step.judged.clone(), text)
}

#[test]
fn lamps_merge_under_both_names_and_crews_never() {
    let (rules, kinds) = city();
    let history = history(1, kinds);
    let (lesson, threshold, judged, _) = tuned(&rules, &history, 0.25);
    assert_eq!(lesson.pairs, [(kinds[0], kinds[1])]);
    assert!(judged.recall() > 0.95, "{judged:?}");
    assert!(judged.share() < 0.20, "134 duplicates of 897 events: {judged:?}");
    assert_eq!(judged.kinds[&kinds[2]][1], 0, "crews merge nothing: {judged:?}");
    let table = lesson.table.with_threshold(threshold);
    assert!(table.reach(kinds[0], kinds[1]).is_some());
    assert_eq!(table.reach(kinds[2], kinds[2]), None);
    assert_eq!(
        table.reach(kinds[3], kinds[3]),
        None,
        "no candidates, no links: no merge"
    );
}

#[test]
fn past_rules_hold_in_the_future() {
    let (rules, kinds) = city();
    let whole = history(2, kinds);
    let past = whole.part(|_, sample| sample.period == 0);
    let future = whole.part(|_, sample| sample.period == 1);
    let (lesson, threshold, _, _) = tuned(&rules, &past, 0.25);
    let mut grouping = Grouping::learned(&rules, &lesson);
    grouping.set_threshold(threshold);
    let judged = judge(&future, &grouping.group(&future));
    assert!(judged.recall() > 0.9 && judged.share() < 0.2, "{judged:?}");
    let plain = judge(&future, &Grouping::plain(&rules).group(&future));
    assert!(
        plain.share() > judged.share(),
        "the plain rule merges crews: {plain:?}"
    );
}

#[test]
fn the_file_reads_back_equal_and_is_the_same_every_time() {
    let (rules, kinds) = city();
    let history = history(3, kinds);
    let (lesson, threshold, _, text) = tuned(&rules, &history, 0.25);
    assert_eq!(text, tuned(&rules, &history, 0.25).3);
    let read = Rules::load(&[("learned.toml".to_owned(), text.clone())]).unwrap();
    let (table, written) = (read.learned().unwrap(), lesson.table.with_threshold(threshold));
    let id = |kind: KindId| read.kind_id(rules.kind(kind).name.as_str()).unwrap();
    for (one, other) in lesson.evidence.keys() {
        let row = match written.reach(*one, *other) {
            Some(_) => written.row(*one, *other),
            None => Some(&Row::Never),
        };
        assert_eq!(table.row(id(*one), id(*other)), row, "{text}");
    }
    for event in Channel::ALL {
        for witness in Channel::ALL {
            assert_eq!(
                table.channel_points(*event, *witness),
                written.channel_points(*event, *witness)
            );
        }
    }
    assert!(read.kind(id(kinds[0])).merges_with.contains(&id(kinds[1])));
    let again = Rules::from_text(&read.to_text()).unwrap();
    assert_eq!(again.learned(), read.learned(), "as it travels in the log");
    assert_eq!(Rules::builtin().learned(), None);
}

#[test]
fn without_labels_nothing_merges() {
    let (rules, kinds) = city();
    let unmarked = History::new(history(4, kinds).samples().to_vec(), Vec::new());
    let (_, _, judged, text) = tuned(&rules, &unmarked, 0.25);
    assert_eq!((judged.merged, judged.found), (0, 0));
    assert_eq!(text.matches("{ never = true }").count(), 4, "{text}");
}

#[test]
fn a_kind_that_was_never_seen_keeps_its_plain_rule() {
    let (mut rules, kinds) = city();
    let (lesson, threshold, _, _) = tuned(&rules, &history(5, kinds), 0.25);
    let new = rules.with_plain_kind("New thing");
    let at = |time_ms, x| Sample {
        time_ms,
        point: Point { x, y: 0 },
        u_mm: 15_000,
        kind: new,
        channel: Channel::Hotline,
        period: 0,
    };
    let samples = vec![
        at(0, 0),
        at(HOUR_MS, 60_000),
        at(2 * HOUR_MS, 400_000),
        at(10 * DAY_MS, 0),
    ];
    let mut grouping = Grouping::learned(&rules, &lesson);
    grouping.set_threshold(threshold);
    assert_eq!(grouping.group(&History::new(samples, Vec::new())), [0, 0, 1, 2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    #[test]
    fn a_bigger_budget_never_loses_links(seed in any::<u64>(), small in 0.0_f64..0.2, more in 0.0_f64..0.2) {
        let (rules, kinds) = city();
        let history = history(seed, kinds);
        let lesson = learned(&rules, &history);
        let curve = Curve::of(&mut Grouping::learned(&rules, &lesson), &history, 0.4);
        let found = |budget| curve.within(budget).map_or(0, |step| step.judged.found);
        prop_assert!(found(small) <= found(small + more));
        for step in &curve.steps {
            prop_assert!(step.judged.found <= step.judged.links);
        }
        prop_assert!(curve.within(small).is_none_or(|step| step.judged.worst_share() <= small));
    }
}
