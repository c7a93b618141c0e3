//! The stream of events of a running city: what its workers commit comes, and comes again by the id.

use std::collections::BTreeMap;

use crate::city::stream::{Stream, of};
use crate::city::{Running, web};

/// Changes that come while somebody listens: enough for several ticks.
const CHANGES: usize = 30;

#[test]
fn a_running_city_tells_each_change_and_tells_it_again_by_the_id() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("demo.log");
    let _demo = Running::start(
        &["demo", "--json", "--listen", "127.0.0.1:0", "--minutes", "15"],
        &log,
    );
    web::wait("the demo is ready", &log, || {
        web::address(&log)
            .and_then(|address| web::get(&address, "/readyz"))
            .is_some_and(|body| body.contains("\"ready\":true"))
    });
    let address = web::address(&log).unwrap();
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
    // From where the changes began, each comes again: once, as it is now.
    let mut again = Stream::open(&address, Some(&ids[0]));
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        let event = again.next();
        match &*event.name {
            "current" => break,
            "incident" => assert!(told.insert(of(&event.data).0, of(&event.data).1).is_none()),
            other => panic!("{other}"),
        }
    }
    for (id, revision) in &changed {
        let now = told.get(id);
        assert!(
            now.is_some_and(|now| now >= revision),
            "{id}: {now:?}, told as {revision}"
        );
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
