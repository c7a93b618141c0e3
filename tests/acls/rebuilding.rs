//! Who rebuilds after a disaster deletes what is decided again, and that alone.

use std::time::Instant;

use crate::acl_requests::{Right, delete_as};
use crate::{NO_GROUP_RIGHT, PATIENCE, Place};

/// The protocol's code for a topic that may not be used.
const NO_TOPIC_RIGHT: i16 = 29;
/// Its codes for a topic and a group that are not there.
const NO_SUCH: [i16; 2] = [3, 69];

/// Each right to delete is refused without it, and with it what it is on goes.
pub(crate) fn deletes(place: &mut Place, rights: &[Right]) {
    let them = || rights.iter().filter(|right| right.operation == "DELETE");
    assert!(them().count() > 15 && them().all(|right| right.party == "sre-rebuild"));
    for right in them() {
        place.granting.withdraw(right);
    }
    let refused = |right: &&Right| {
        [NO_TOPIC_RIGHT, NO_GROUP_RIGHT].contains(&delete_as(&place.users, "sre-rebuild", right))
    };
    // The first may be deleted before that shows; it is gone then, and without a right nobody is told that.
    let deadline = Instant::now() + PATIENCE;
    let last = them().next_back().unwrap();
    while !refused(&last) {
        assert!(Instant::now() < deadline);
    }
    let others: Vec<&Right> = them().filter(|right| !refused(right)).collect();
    assert!(others.is_empty(), "deleted without the right: {others:?}");
    let all: Vec<Right> = them().cloned().collect();
    place.granting.grant(&all);
    for right in &all {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let code = delete_as(&place.users, "sre-rebuild", right);
            if code == 0 || NO_SUCH.contains(&code) {
                break;
            }
            assert!(Instant::now() < deadline, "{code}: {right:?}");
        }
    }
}
