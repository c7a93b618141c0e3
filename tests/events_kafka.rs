//! A reader of changes that goes from one process to another on a real Kafka misses nothing and is told nothing twice.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;

use city::stream::{Event, Stream, of};
use city::town::{EAST, FEED, NORTH_WEST, SOUTH_WEST, Town};
use city::web;

/// What a reader knows: the newest revision of each incident that it was told.
#[derive(Default)]
struct Known {
    revisions: BTreeMap<String, u64>,
    id: String,
}

impl Known {
    fn take(&mut self, event: &Event) {
        assert!(matches!(&*event.name, "incident" | "current"), "{event:?}");
        if event.name == "incident" {
            let (id, revision) = of(&event.data);
            let before = self.revisions.insert(id.clone(), revision);
            assert!(
                before.is_none_or(|before| before < revision),
                "{id} {revision}, told as {before:?}"
            );
        }
        self.id.clone_from(&event.id);
    }

    /// Reads until it was told of so many incidents.
    fn until(&mut self, stream: &mut Stream, incidents: usize) {
        while self.revisions.len() < incidents {
            self.take(&stream.next());
        }
    }
}

#[test]
fn a_reader_goes_on_at_another_process_where_it_stood() {
    let mut town = Town::start("events");
    let here = town.address();
    let mut stream = Stream::open(&here, None);
    assert_eq!(stream.next().name, "reset");
    let mut known = Known::default();
    assert_eq!(stream.next().name, "current");
    for (id, place) in [("r1", SOUTH_WEST), ("r2", NORTH_WEST)] {
        town.tell(id, "积水", place);
    }
    known.until(&mut stream, 2);
    let stood = known.id.clone();
    assert!(!stood.is_empty());

    // Another process; then the first is killed, and what comes meanwhile nobody tells the reader.
    let second = Town::run_beside(&town.folder, "second.log");
    town.process.take().unwrap().kill();
    let log = town.folder.dir.path().join("second.log");
    let there = web::address(&log).unwrap();
    for (id, place) in [("r3", EAST), ("r4", SOUTH_WEST), ("r5", FEED)] {
        town.tell(id, "积水", place);
    }
    web::wait("all is decided by the second process", &log, || {
        let incidents = web::incidents(&there);
        let members = incidents.iter().map(|it| it["member_count"].as_u64().unwrap());
        members.sum::<u64>() == 5
    });

    let mut stream = Stream::open(&there, Some(&stood));
    let mut told = 0;
    loop {
        let event = stream.next();
        known.take(&event);
        if event.name == "current" {
            break;
        }
        told += 1;
    }
    assert!(told > 0);
    let now: BTreeMap<String, u64> = web::incidents(&there).iter().map(of).collect();
    assert_eq!(known.revisions, now, "the reader knows the city as it is");

    // From where it stands now nothing is told again.
    let mut again = Stream::open(&there, Some(&known.id));
    let first = again.next();
    assert_eq!((&*first.name, &*first.id), ("current", &*known.id));
    drop(second);
}
