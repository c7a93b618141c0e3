//! The stream of events of a running city: what its workers commit comes, and comes again by the id.

use std::collections::BTreeMap;

use crate::city::stream::{Stream, of};
use crate::city::web;

/// Changes that come while somebody listens: enough for several ticks.
const CHANGES: usize = 30;

#[test]
fn a_running_city_tells_each_change_and_tells_it_again_by_the_id() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("demo.log");
    let (_demo, address) = web::demo(&log);
    // Where nothing was committed there is nowhere to go on from.
    web::wait("something is open", &log, || !web::incidents(&address).is_empty());
    let mut stream = Stream::open(&address, None);
    assert_eq!(stream.next().name, "reset");
    let mut revisions: BTreeMap<String, u64> = BTreeMap::new();
    let current = loop {
        let event = stream.next();
        if event.name == "current" {
            break event;
        }
        assert_eq!((&*event.name, &*event.id), ("incident", ""));
        assert_eq!(event.data["status"], "OPEN");
        revisions.extend([of(&event.data)]);
    };
    assert_eq!(current.data["incidents"], revisions.len());
    let mut changed: BTreeMap<String, u64> = BTreeMap::new();
    let mut ids = vec![current.id.clone()];
    for _ in 0..CHANGES {
        let event = stream.next();
        assert_eq!(event.name, "incident", "{event:?}");
        assert_ne!(&event.id, ids.last().unwrap(), "each change has an id of its own");
        let (id, revision) = of(&event.data);
        let before = revisions.insert(id.clone(), revision);
        assert!(before.is_none_or(|before| before < revision), "{id} {revision}");
        changed.insert(id, revision);
        ids.push(event.id);
    }
    // From where the changes began, each comes again: once, as it is now. What changes again while this is told comes behind
    // `current`, with the changes.
    let mut again = Stream::open(&address, Some(&ids[0]));
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    let mut is_current = false;
    let all_told = |told: &BTreeMap<String, u64>| {
        changed
            .iter()
            .all(|(id, revision)| told.get(id).is_some_and(|now| now >= revision))
    };
    while !is_current || !all_told(&told) {
        let event = again.next();
        match &*event.name {
            "current" => {
                assert_eq!(event.data["incidents"], told.len());
                is_current = true;
            }
            "incident" => {
                let (id, revision) = of(&event.data);
                let before = told.insert(id.clone(), revision);
                assert!(
                    before.is_none_or(|before| is_current && before < revision),
                    "{id}: {before:?}, then {revision}"
                );
            }
            other => panic!("{other}"),
        }
    }
    // From where they ended, none that was told already.
    let mut rest = Stream::open(&address, ids.last().map(|id| &**id));
    loop {
        let event = rest.next();
        if event.name == "current" {
            break;
        }
        let (id, revision) = of(&event.data);
        assert!(
            revisions.get(&id).is_none_or(|seen| *seen < revision),
            "{id} {revision}"
        );
    }
}
