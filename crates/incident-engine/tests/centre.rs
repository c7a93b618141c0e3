//! The centre's word about what is one incident: merge, split, move, undo; remembered, and refused where it makes no sense.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use city_model::{Action, Band, Command, IncidentId, Status};
use teller::desk::{id_of, kept, merging, moving, order, parting, restart, rubbish, two_heaps};
use teller::{Teller, call, inspector};

#[test]
fn what_is_merged_stands_at_both_places() {
    let (mut story, a, b) = two_heaps();
    assert_eq!(story.command(merging("k1", &a, &b)), "merge applied");
    let merged = kept(&story, &b);
    assert_eq!(
        (merged.status, merged.merged_into),
        (Status::Merged, Some(a.clone()))
    );
    assert_eq!(kept(&story, &a).member_count, 4);
    restart(&mut story);
    story.tell(rubbish("b3", 401.0, 5));
    story.tell(rubbish("a3", 1.0, 6));
    // Also what comes out of its turn: it is decided at a place that the merge has settled.
    story.tell(rubbish("b0", 402.0, 2).came_after(6));
    let survivor = kept(&story, &a);
    assert_eq!(survivor.member_count, 7, "{:?}", story.outcomes);
    assert_eq!(story.incidents().len(), 2);
    let record = story.record();
    assert_eq!((record.incident_id, record.member_count), (a, 7));
}

#[test]
fn what_is_merged_is_kept_as_long_as_the_other_is() {
    for takes_back in [true, false] {
        let (mut story, a, b) = two_heaps();
        story.command(order("k0", &a, Action::Acknowledge));
        story.command(merging("k1", &a, &b));
        // Longer than anything is kept that is over.
        let days = |story: &mut Teller, days: std::ops::Range<i64>| {
            days.for_each(|day| story.tick(teller::at(day * 24 * 60)));
        };
        days(&mut story, 1..60);
        restart(&mut story);
        let of_b = story.revisions.iter().filter(|record| record.incident_id == b);
        assert_eq!(of_b.count(), 2, "opened, and merged");
        if takes_back {
            assert_eq!(story.command(order("k2", &a, Action::Undo)), "undo applied");
            assert_eq!(kept(&story, &b).status, Status::Open);
        } else {
            story.command(order("k2", &a, Action::Close));
            days(&mut story, 60..120);
            assert!(story.incidents().is_empty(), "{:#?}", story.incidents());
        }
    }
}

#[test]
fn a_merge_that_is_taken_back_leaves_each_with_its_own_and_what_came_since() {
    let (mut story, a, b) = two_heaps();
    let (before_a, before_b) = (kept(&story, &a), kept(&story, &b));
    story.command(merging("k1", &a, &b));
    story.tell(rubbish("a3", 1.0, 6));
    assert_eq!(story.command(order("k2", &a, Action::Undo)), "undo applied");
    let (now_a, now_b) = (kept(&story, &a), kept(&story, &b));
    assert_eq!((now_a.status, now_b.status), (Status::Open, Status::Open));
    assert_eq!((now_a.member_count, now_b.member_count), (3, 2));
    assert_eq!(now_b.fused, before_b.fused);
    assert_eq!(now_a.extent.unwrap().min, before_a.extent.unwrap().min);
    assert!(now_a.revision > before_a.revision, "readers see it go back");
    restart(&mut story);
    story.tell(rubbish("b3", 401.0, 7));
    assert_eq!(kept(&story, &b).member_count, 3);
    assert_eq!(
        story.command(order("k3", &a, Action::Undo)),
        "undo refused: there is no command to take back"
    );
}

#[test]
fn nothing_urgent_is_hidden_in_what_can_wait() {
    let (mut story, a, b) = two_heaps();
    let pin = Command {
        band: Some(Band::P1),
        ..order("k1", &b, Action::PinPriority)
    };
    story.command(pin);
    let answer = story.command(merging("k2", &a, &b));
    assert!(
        answer.starts_with("merge refused: the other incident is P1"),
        "{answer}"
    );
    assert_eq!(story.command(merging("k3", &b, &a)), "merge applied");
    assert_eq!(kept(&story, &b).band, Band::P1);
}

#[test]
fn a_part_that_was_split_off_stays_apart() {
    let mut story = Teller::new();
    story.tell(rubbish("a1", 0.0, 0));
    story.tell(rubbish("a2", 4.0, 1));
    story.tell(rubbish("x1", 30.0, 2));
    let a = id_of(&story, "x1");
    assert_eq!(kept(&story, &a).member_count, 3, "one by the rule");
    assert_eq!(story.command(parting("k1", &a, &["x1"])), "split applied");
    let x = id_of(&story, "x1");
    assert_ne!(a, x);
    assert_eq!(
        (kept(&story, &a).member_count, kept(&story, &x).member_count),
        (2, 1)
    );
    assert!(kept(&story, &a).related.contains(&x) && kept(&story, &x).related.contains(&a));
    restart(&mut story);
    story.tell(rubbish("x2", 31.0, 4));
    story.tell(rubbish("a3", 2.0, 5));
    story.tell(
        inspector("late", "garbage_exposed", 16.0, 0.0)
            .at(1)
            .came_after(6),
    );
    assert_eq!(id_of(&story, "x2"), x, "nearer to the part");
    assert_eq!(id_of(&story, "a3"), a);
    assert_eq!(id_of(&story, "x1"), x, "the centre's word is not decided again");
    assert_eq!(story.command(order("k2", &a, Action::Undo)), "undo applied");
    let total = kept(&story, &a).member_count;
    assert_eq!((total, kept(&story, &x).status), (6, Status::Merged));
}

#[test]
fn what_was_moved_can_be_moved_back() {
    let (mut story, a, b) = two_heaps();
    assert_eq!(story.command(moving("k1", &a, &b, &["a2"])), "move applied");
    assert_eq!(
        (kept(&story, &a).member_count, kept(&story, &b).member_count),
        (1, 3)
    );
    assert_eq!(id_of(&story, "a2"), b);
    restart(&mut story);
    assert_eq!(story.command(order("k2", &b, Action::Undo)), "undo applied");
    assert_eq!(
        (kept(&story, &a).member_count, kept(&story, &b).member_count),
        (2, 2)
    );
    assert_eq!(id_of(&story, "a2"), a);
}

#[test]
fn handling_is_taken_back_too() {
    let (mut story, a, _) = two_heaps();
    story.command(order("k1", &a, Action::FalseAlarm));
    assert_eq!(kept(&story, &a).status, Status::Closed);
    story.command(order("k2", &a, Action::Undo));
    let again = kept(&story, &a);
    assert_eq!((again.status, again.close_reason), (Status::Open, None));
}

#[test]
fn what_makes_no_sense_is_refused_with_the_reason() {
    let (mut story, a, b) = two_heaps();
    story.tell(call("t", "tree_fallen", 0.0, 0.0).at(4));
    let tree = id_of(&story, "t");
    let nowhere = IncidentId::new("310117-garbage_exposed-0123456789abcdef");
    let mut answers = Vec::new();
    let mut number = 0;
    let mut say = |story: &mut Teller, command: Command| {
        number += 1;
        let command = Command {
            command_id: format!("k{number}").into(),
            ..command
        };
        answers.push(story.command(command));
    };
    say(&mut story, order("", &nowhere, Action::Close));
    say(&mut story, order("", &a, Action::Merge));
    say(&mut story, merging("", &a, &a));
    say(&mut story, merging("", &a, &nowhere));
    say(&mut story, merging("", &a, &tree));
    say(&mut story, parting("", &a, &[]));
    say(&mut story, parting("", &a, &["b1"]));
    say(&mut story, parting("", &a, &["a1", "a2"]));
    say(&mut story, parting("", &a, &["nobody"]));
    say(&mut story, order("", &a, Action::Undo));
    say(&mut story, merging("", &a, &b));
    say(&mut story, order("", &b, Action::Close));
    say(&mut story, order("", &b, Action::Undo));
    say(&mut story, merging("", &b, &a));
    insta::assert_snapshot!(answers.join("\n"), @r"
    close refused: no such incident, or it is over for so long that it is forgotten
    merge refused: a merge needs the other incident
    merge refused: the other incident is the same one
    merge refused: no such other incident, or it is over for so long that it is forgotten
    merge refused: the two are of kinds that never meet
    split refused: a split needs events
    split refused: event hotline/b1 does not belong to the incident
    split refused: nothing would be left of the incident
    split refused: no such event: hotline/nobody
    undo refused: there is no command to take back
    merge applied
    close refused: the incident was merged into another
    undo refused: the incident was merged into another: take the merge back there
    merge refused: the incident was merged into another
    ");
}

#[test]
fn what_is_settled_is_not_parted() {
    let (mut story, a, _) = two_heaps();
    story.tick(teller::at(60));
    story.tell(rubbish("a3", 1.0, 61));
    let answer = story.command(parting("k1", &a, &["a1"]));
    assert!(answer.contains("is settled"), "{answer}");
    assert_eq!(story.command(parting("k2", &a, &["a3"])), "split applied");
}

#[test]
fn a_merge_that_is_taken_back_gives_no_time_away() {
    let (mut story, a, b) = two_heaps();
    let promised = |story: &Teller| {
        let heap = kept(story, &b);
        (heap.dispatch_by, heap.control_by)
    };
    let before = promised(&story);
    story.tick(teller::at(30));
    story.command(merging("k1", &a, &b));
    story.tick(teller::at(700)); // past the opening of the office, from which a new limit would run
    assert_eq!(story.command(order("k2", &a, Action::Undo)), "undo applied");
    assert_eq!(kept(&story, &b).status, Status::Open);
    assert_eq!(promised(&story), before);
}

#[test]
fn what_the_centre_began_with_and_promised_is_not_lost_in_a_merge() {
    let mut story = Teller::new();
    story.tell(rubbish("a1", 0.0, 10 * 60));
    story.tell(rubbish("b1", 400.0, 11 * 60));
    let (older, newer) = (id_of(&story, "a1"), id_of(&story, "b1"));
    story.command(order("k1", &older, Action::Acknowledge));
    let (promised, before) = (kept(&story, &older), kept(&story, &newer));
    assert!(promised.dispatch_by < before.dispatch_by && promised.control_by < before.control_by);
    assert_eq!(story.command(merging("k2", &newer, &older)), "merge applied");
    let one = kept(&story, &newer);
    assert_eq!(
        (one.dispatch_by, one.control_by, one.limits_from()),
        (promised.dispatch_by, promised.control_by, promised.limits_from())
    );
    restart(&mut story);
    story.tick(promised.control_by);
    let told = story.record();
    assert_eq!((&told.incident_id, told.revision), (&newer, one.revision + 1));
    assert_eq!(told.priority.overrides, ["O8.overdue"]);
    // Nobody tells of it for longer than what nobody has begun with stays open.
    story.tick(teller::at(5 * 24 * 60));
    assert_eq!(kept(&story, &newer).status, Status::Open);
    assert_eq!(story.command(order("k3", &newer, Action::Undo)), "undo applied");
    let (back, other) = (kept(&story, &newer), kept(&story, &older));
    assert_eq!(
        (back.control_by, back.handling),
        (before.control_by, before.handling)
    );
    assert_eq!(
        (other.status, other.control_by),
        (Status::Open, promised.control_by)
    );
}

#[test]
fn what_was_seen_before_and_is_told_after_a_command_joins_all_the_same() {
    for action in [Action::Acknowledge, Action::Dispatch, Action::Resolve] {
        let mut story = Teller::new();
        story.tell(rubbish("a1", 0.0, 10));
        let a = id_of(&story, "a1");
        story.tick(teller::at(15));
        story.command(order("k1", &a, action));
        // Seen a minute before all that is known, typed eight minutes later.
        story.tell(rubbish("early", 10.0, 9).came_after(9));
        assert_eq!(id_of(&story, "early"), a, "{action}");
        restart(&mut story);
        story.tell(rubbish("earlier", 10.0, 8).came_after(11));
        let heap = story.only();
        assert_eq!((heap.id.clone(), heap.member_count), (a, 3), "{action}");
        assert_eq!(story.command(order("k2", &heap.id, Action::Undo)), "undo applied");
        assert_eq!(story.only().member_count, 3, "what was heard since stays");
    }
}
