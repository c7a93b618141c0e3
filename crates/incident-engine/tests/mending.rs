//! What the centre grouped wrongly it can mend: what was said is kept whatever it ordered, and its words are taken back one by one.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use city_model::{Action, EventKey, Incident, IncidentId, Status};
use teller::desk::{id_of, kept, merging, moving, order, parting, restart, rubbish, two_heaps};
use teller::{Teller, sensor};

/// Members, place and box: what an incident is by those that belong to it.
fn sums(incident: &Incident) -> impl PartialEq + std::fmt::Debug + use<> {
    let members: Vec<EventKey> = incident.members.iter().map(|member| member.key.clone()).collect();
    (members, incident.member_count, incident.fused, incident.extent)
}

fn members(story: &Teller, id: &IncidentId) -> u64 {
    kept(story, id).member_count
}

#[test]
fn a_wrong_merge_is_parted_again() {
    let (mut story, a, b) = two_heaps();
    let before = sums(&kept(&story, &a));
    story.command(merging("k1", &a, &b));
    restart(&mut story);
    assert_eq!(story.command(parting("k2", &a, &["b1", "b2"])), "split applied");
    let own = id_of(&story, "b1");
    assert_ne!(own, a);
    assert_eq!(id_of(&story, "b2"), own);
    assert_eq!(sums(&kept(&story, &a)), before);
    // What comes to the place of the part that is gone goes to those who left.
    story.tell(rubbish("b3", 401.0, 5));
    story.tell(rubbish("a3", 1.0, 6));
    assert_eq!(
        (id_of(&story, "b3"), id_of(&story, "a3")),
        (own.clone(), a.clone())
    );
    assert_eq!(story.command(order("k3", &a, Action::Undo)), "undo applied");
    assert_eq!(members(&story, &a), 6);
    assert_eq!(
        (kept(&story, &own).status, kept(&story, &b).merged_into),
        (Status::Merged, Some(a.clone()))
    );
    assert_eq!(story.command(order("k4", &a, Action::Undo)), "undo applied");
    assert_eq!((members(&story, &b), kept(&story, &b).status), (3, Status::Open));
    assert_eq!(members(&story, &a), 3);
    restart(&mut story);
    story.tell(rubbish("b4", 402.0, 8));
    assert_eq!(id_of(&story, "b4"), b);
}

#[test]
fn one_of_two_that_were_merged_parts() {
    let (mut story, a, b) = two_heaps();
    story.command(merging("k1", &a, &b));
    assert_eq!(story.command(parting("k2", &a, &["b2"])), "split applied");
    let own = id_of(&story, "b2");
    assert_eq!((members(&story, &a), members(&story, &own)), (3, 1));
    assert_eq!(kept(&story, &a).fused, {
        let (alone, a, _) = two_heaps();
        kept(&alone, &a).fused
    });
    assert_eq!(
        kept(&story, &b).merged_into,
        Some(a.clone()),
        "the other one still lies there"
    );
    assert_eq!(story.command(parting("k3", &a, &["a2"])), "split applied");
    assert_eq!(members(&story, &a), 2);
}

#[test]
fn words_are_taken_back_the_newest_first() {
    let (mut story, a, b) = two_heaps();
    story.tell(rubbish("c1", 800.0, 4));
    story.tell(rubbish("c2", 802.0, 4));
    let c = id_of(&story, "c1");
    let before = [&a, &b, &c].map(|id| sums(&kept(&story, id)));
    story.command(merging("k1", &b, &c));
    story.command(merging("k2", &a, &b));
    story.command(order("k3", &a, Action::Acknowledge));
    story.command(order("k4", &a, Action::Dispatch));
    assert_eq!(members(&story, &a), 6);
    restart(&mut story);
    for number in 5..8 {
        assert_eq!(
            story.command(order(&format!("k{number}"), &a, Action::Undo)),
            "undo applied"
        );
    }
    assert_eq!(kept(&story, &a).handling.acknowledged_at, None);
    assert_eq!(members(&story, &b), 4);
    assert_eq!(story.command(order("k8", &b, Action::Undo)), "undo applied");
    assert_eq!([&a, &b, &c].map(|id| sums(&kept(&story, id))), before);
    // And all of it may be parted as if nothing had been said.
    assert_eq!(story.command(parting("k9", &c, &["c2"])), "split applied");
    assert_eq!(story.command(parting("k10", &b, &["b2"])), "split applied");
}

#[test]
fn eight_words_deep_and_no_deeper() {
    let (mut story, a, b) = two_heaps();
    story.command(merging("k0", &a, &b));
    let plain = serde_json::to_vec(&kept(&story, &a)).unwrap().len();
    for round in 0..40 {
        story.command(order(&format!("p{round}"), &a, Action::Acknowledge));
    }
    let commanded = serde_json::to_vec(&kept(&story, &a)).unwrap().len();
    assert!(commanded < plain + 8 * 1_500, "{plain} {commanded}");
    for round in 0..8 {
        assert_eq!(
            story.command(order(&format!("u{round}"), &a, Action::Undo)),
            "undo applied"
        );
    }
    assert_eq!(
        story.command(order("u8", &a, Action::Undo)),
        "undo refused: there is no command to take back"
    );
}

#[test]
fn what_was_moved_is_moved_on_and_back() {
    let (mut story, a, b) = two_heaps();
    let before = [&a, &b].map(|id| sums(&kept(&story, id)));
    assert_eq!(story.command(moving("k1", &a, &b, &["a2"])), "move applied");
    assert_eq!(story.command(moving("k2", &b, &a, &["a2"])), "move applied");
    assert_eq!([&a, &b].map(|id| sums(&kept(&story, id))), before);
    assert_eq!(story.command(order("k3", &a, Action::Undo)), "undo applied");
    assert_eq!(id_of(&story, "a2"), b);
    assert_eq!(story.command(order("k4", &a, Action::Undo)), "undo applied");
    assert_eq!([&a, &b].map(|id| sums(&kept(&story, id))), before);
}

#[test]
fn what_is_moved_from_afar_does_not_move_the_place() {
    let (mut story, a, b) = two_heaps();
    let place = kept(&story, &b).fused;
    story.command(moving("k1", &a, &b, &["a2"]));
    assert_eq!(kept(&story, &b).fused, place);
    story.tell(rubbish("b3", 402.0, 5));
    assert_eq!(id_of(&story, "b3"), b);

    let mut story = Teller::new();
    story.tell(rubbish("a1", 0.0, 0));
    story.tell(rubbish("a2", 3.0, 1));
    story.tell(rubbish("a3", 30.0, 2));
    let a = id_of(&story, "a1");
    story.command(parting("k1", &a, &["a3"]));
    let c = id_of(&story, "a3");
    let place = kept(&story, &c).fused;
    story.command(moving("k2", &a, &c, &["a2"]));
    assert_ne!(kept(&story, &c).fused, place, "what is near is weighed");
}

#[test]
fn what_was_split_and_put_back_is_split_again() {
    let (mut story, a, _) = two_heaps();
    story.command(parting("k1", &a, &["a2"]));
    assert_eq!(story.command(order("k2", &a, Action::Undo)), "undo applied");
    assert_eq!(members(&story, &a), 2);
    assert_eq!(story.command(parting("k3", &a, &["a2"])), "split applied");
    assert_eq!((members(&story, &a), id_of(&story, "a2") != a), (1, true));
}

#[test]
fn what_is_settled_stays_and_the_rest_parts() {
    let (mut story, a, b) = two_heaps();
    story.command(merging("k1", &a, &b));
    story.tell(rubbish("b3", 401.0, 20));
    story.tell(rubbish("a3", 1.0, 21));
    let place = kept(&story, &a).fused;
    story.tick(teller::at(45));
    restart(&mut story);
    let answer = story.command(parting("k2", &a, &["b1"]));
    assert!(answer.contains("is settled"), "{answer}");
    assert_eq!(story.command(parting("k3", &a, &["b3"])), "split applied");
    assert_eq!((members(&story, &a), kept(&story, &a).fused), (5, place));
    assert_eq!(story.command(order("k4", &a, Action::Undo)), "undo applied");
    assert_eq!(story.command(order("k5", &a, Action::Undo)), "undo applied");
    assert_eq!(members(&story, &b), 2);
    assert_eq!(story.command(parting("k6", &a, &["a3"])), "split applied");
    assert_eq!(members(&story, &a), 3, "with what came while they were one");
}

#[test]
fn what_only_goes_on_parts_with_what_it_continues() {
    let mut story = Teller::new();
    story.tell(sensor("s1", "road_ponding", 0.0, 0.0).at(0));
    story.tell(sensor("s2", "road_ponding", 4.0, 0.0).at(1));
    story.tell(sensor("s2", "road_ponding", 4.0, 0.0).at(2));
    let one = story.only().id;
    let events = |story: &mut Teller, id: &str, names: &[&str]| {
        let mut command = parting(id, &one, &[]);
        command.event_ids = names.iter().map(|name| format!("sensor/{name}").into()).collect();
        story.command(command)
    };
    assert_eq!(
        events(&mut story, "k1", &["s2@2"]),
        "split refused: event sensor/s2@2 only goes on with what its device reported before: name the report that it \
         continues, too"
    );
    assert_eq!(events(&mut story, "k2", &["s2@2", "s2@1"]), "split applied");
    let own = id_of(&story, "s2@1");
    assert_eq!((members(&story, &one), members(&story, &own)), (1, 1));
}
