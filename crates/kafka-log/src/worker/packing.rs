//! Packs the inputs for one partition of the enriched log into as few records as the size limit allows.

use city_model::Input;
use wire_format::TraceContext;
use wire_format::trace::traces_line;

/// A packed record ends before it grows past this: below the broker's usual limit of 1 MB, headers and framing included.
pub(super) const PACKED_MAX_BYTES: usize = 800_000;

const HEAD: &[u8] = br#"{"inputs":["#;
const TAIL: &[u8] = b"]}";

/// A record of the enriched log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// Its value: a [`city_model::Batch`] in JSON.
    pub(super) value: Vec<u8>,
    /// The value of its header [`wire_format::trace::TRACES`]; empty where none of its inputs came with a trace.
    pub(super) traces: String,
}

/// Records that hold the inputs in order, with the traces that some of them came with, by their numbers in `inputs`. An input
/// over the limit stands alone.
pub(super) fn pack(inputs: &[Input], traces: &[(usize, TraceContext)], max_bytes: usize) -> Vec<Packed> {
    let mut records = Vec::new();
    let mut traces = traces.iter().peekable();
    let (mut value, mut lines, mut held) = (HEAD.to_vec(), String::new(), 0);
    for (number, input) in inputs.iter().enumerate() {
        let trace = traces.next_if(|(of, _)| *of == number).map(|(_, trace)| trace);
        let before = value.len();
        if before > HEAD.len() {
            value.push(b',');
        }
        let start = value.len();
        if let Err(error) = serde_json::to_writer(&mut value, input) {
            // Text keys and our own types: there is nothing in them that JSON cannot say.
            tracing::error!(%error, "an input could not be written as JSON");
            value.truncate(before);
            continue;
        }
        let line = |held| trace.map_or_else(String::new, |trace| traces_line(held, trace));
        let mut own = line(held);
        if value.len() + TAIL.len() + lines.len() + own.len() > max_bytes && before > HEAD.len() {
            let next = [HEAD, &value[start..]].concat();
            value.truncate(before);
            value.extend_from_slice(TAIL);
            records.push(Packed {
                value: std::mem::replace(&mut value, next),
                traces: std::mem::take(&mut lines),
            });
            held = 0;
            own = line(held);
        }
        lines.push_str(&own);
        held += 1;
    }
    if value.len() > HEAD.len() {
        value.extend_from_slice(TAIL);
        records.push(Packed { value, traces: lines });
    }
    records
}

#[cfg(test)]
mod tests {
    use city_model::{Batch, EventTime, Tick};

    use super::*;

    fn tick(name: &str) -> Input {
        Input::Tick(Tick {
            clocks: vec![(name.into(), EventTime::from_millis(7))],
        })
    }

    fn check(inputs: &[Input], max_bytes: usize, records: usize) {
        let packed = pack(inputs, &[], max_bytes);
        assert_eq!(packed.len(), records);
        assert!(packed.iter().all(|record| record.traces.is_empty()));
        let packed: Vec<Vec<u8>> = packed.into_iter().map(|record| record.value).collect();
        let back: Vec<Input> = packed
            .iter()
            .flat_map(|record| serde_json::from_slice::<Batch>(record).unwrap().inputs)
            .collect();
        assert_eq!(back, inputs);
        for record in &packed {
            let batch: Batch = serde_json::from_slice(record).unwrap();
            assert_eq!(
                serde_json::to_vec(&batch).unwrap(),
                *record,
                "the record is the batch's own JSON"
            );
            assert!(record.len() <= max_bytes || batch.inputs.len() == 1);
        }
    }

    #[test]
    fn all_inputs_are_there_once_and_in_order() {
        let inputs: Vec<Input> = (0..10)
            .map(|i| tick(&format!("city.sensor.readings.v1-{i}")))
            .collect();
        check(&[], PACKED_MAX_BYTES, 0);
        check(&inputs, PACKED_MAX_BYTES, 1);
        let one = serde_json::to_vec(&Batch {
            inputs: vec![inputs[0].clone()],
        })
        .unwrap()
        .len();
        check(&inputs, 1, 10);
        check(&inputs, one, 10);
        check(&inputs, 2 * one, 5);
    }

    #[test]
    fn an_input_over_the_limit_stands_alone() {
        let long = tick(&"x".repeat(500));
        check(&[tick("a"), long.clone(), tick("b"), tick("c")], 200, 3);
        check(&[long.clone(), long], 200, 2);
    }

    #[test]
    fn a_trace_stays_with_its_input_and_counts_towards_the_size() {
        let inputs: Vec<Input> = (0..6).map(|i| tick(&format!("a-{i}"))).collect();
        let trace = |number: usize| -> TraceContext {
            format!("00-{:032x}-{:016x}-01 a=b c", number + 1, 7)
                .parse()
                .unwrap()
        };
        let traces: Vec<(usize, TraceContext)> = [1, 2, 5].map(|number| (number, trace(number))).into();
        let found = |max_bytes: usize| -> Vec<(usize, Vec<(usize, TraceContext)>)> {
            let packed = pack(&inputs, &traces, max_bytes).into_iter();
            let read = packed.map(|record| {
                assert!(record.value.len() + record.traces.len() <= max_bytes);
                let batch: Batch = serde_json::from_slice(&record.value).unwrap();
                let headers = [(wire_format::trace::TRACES, record.traces.as_bytes())];
                (batch.inputs.len(), wire_format::trace::traces(&headers))
            });
            read.collect()
        };
        assert_eq!(found(PACKED_MAX_BYTES), [(6, traces.clone())]);
        // Two inputs fit into a record without traces, and one with its own.
        let two = pack(&inputs[..2], &[], PACKED_MAX_BYTES)[0].value.len();
        let limit = two.max(
            pack(&inputs[..1], &[(0, trace(0))], PACKED_MAX_BYTES)[0]
                .value
                .len()
                + 65,
        );
        let split = found(limit);
        let expected: Vec<(usize, TraceContext)> = traces.clone();
        let mut before = 0;
        let mut all = Vec::new();
        for (inputs, traces) in &split {
            all.extend(
                traces
                    .iter()
                    .map(|(number, trace)| (before + number, trace.clone())),
            );
            before += inputs;
        }
        assert_eq!((before, all), (6, expected));
        assert!(split.len() > 3, "{split:?}");
    }
}
