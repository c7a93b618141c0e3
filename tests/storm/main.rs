//! Ten minutes at a hundred times the usual rate, by the time of the log: readers are not flooded, what is urgent does not
//! wait, and what the engine keeps stays small and goes again.
#![allow(clippy::unwrap_used)]

mod pipeline;
mod records;

use pipeline::Pipeline;
use records::{NOON, TROUBLES, day};
use wire_format::Topic;

const HOUR: i64 = 3_600_000;

/// Reads the day, each batch of so much time behind the tick of its beginning.
fn read(batch_ms: i64) -> Pipeline {
    let mut pipeline = Pipeline::new();
    for batch in day().chunk_by(|a, b| a.at / batch_ms == b.at / batch_ms) {
        pipeline.read(batch[0].at / batch_ms * batch_ms, batch);
    }
    pipeline
}

/// However much time a batch holds: one revision of an incident a tick on every topic, and what kills is shown by the next tick.
fn check(pipeline: &Pipeline) {
    assert_eq!(pipeline.ledger().unaccounted(), 0);
    let incidents = [
        Topic::Incidents,
        Topic::IncidentsP1,
        Topic::IncidentsP2,
        Topic::IncidentsP3,
        Topic::IncidentsP4,
    ];
    for topic in incidents {
        // A band that an incident leaves gets its last revision once more, as superseded.
        let most = pipeline.most_in_a_tick[&topic];
        assert_eq!(most, 1, "{topic}");
    }
    let probes = |what: &str| {
        let of = |id: &&String| id.starts_with(what);
        pipeline.decided_in.keys().filter(of).cloned().collect::<Vec<_>>()
    };
    let gas = probes("gas-");
    assert_eq!(gas.len(), 60);
    for id in gas {
        assert_eq!(
            pipeline.urgent_since[&id], pipeline.decided_in[&id],
            "{id} opens at once"
        );
    }
    // The first gauge under deep water in each of the streets: their incidents were open, and are published all the time.
    for id in (0..40).map(|number| format!("deep-{number}")) {
        let ticks = pipeline.urgent_since[&id] - pipeline.decided_in[&id];
        assert!(ticks <= 1, "{id} is shown {ticks} ticks after it was decided");
    }
}

#[test]
fn a_storm_floods_nobody_and_leaves_nothing_behind() {
    let mut pipeline = read(1_000);
    check(&pipeline);
    let (most, after) = (pipeline.most, pipeline.kept());
    assert!(most.open <= TROUBLES, "{most:?}");
    // An incident's row goes in one record: a broker takes 1 MB.
    assert!(most.largest < 500_000, "{most:?}");
    assert!(most.bytes < 2_000 * most.rows, "{most:?}");
    assert!(
        after.unsettled * 20 < most.unsettled,
        "what was said is let go when it is settled: {after:?}"
    );

    // In the days after it everything ends, and is forgotten.
    for hour in 1..24 * 14 {
        pipeline.read(NOON + hour * HOUR, &[]);
    }
    let end = pipeline.kept();
    assert_eq!((end.incidents, end.events, end.unsettled), (0, 0, 0));
    assert!(
        end.rows < 40,
        "the configuration, the clocks and the ledger: {end:?}"
    );
}

#[test]
fn a_storm_that_is_read_late_in_large_batches_floods_nobody() {
    check(&read(60_000));
}
