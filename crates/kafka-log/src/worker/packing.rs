//! Packs the inputs for one partition of the enriched log into as few records as the size limit allows.

use city_model::Input;

/// A packed record ends before it grows past this: below the broker's usual limit of 1 MB, headers and framing included.
pub(super) const PACKED_MAX_BYTES: usize = 800_000;

const HEAD: &[u8] = br#"{"inputs":["#;
const TAIL: &[u8] = b"]}";

/// The JSON of one or more [`city_model::Batch`]es that hold the inputs in order. An input over the limit stands alone.
pub(super) fn pack(inputs: &[Input], max_bytes: usize) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    let mut record = HEAD.to_vec();
    for input in inputs {
        let before = record.len();
        if before > HEAD.len() {
            record.push(b',');
        }
        let start = record.len();
        if let Err(error) = serde_json::to_writer(&mut record, input) {
            // Text keys and our own types: there is nothing in them that JSON cannot say.
            tracing::error!(%error, "an input could not be written as JSON");
            record.truncate(before);
            continue;
        }
        if record.len() + TAIL.len() > max_bytes && before > HEAD.len() {
            let next = [HEAD, &record[start..]].concat();
            record.truncate(before);
            record.extend_from_slice(TAIL);
            records.push(std::mem::replace(&mut record, next));
        }
    }
    if record.len() > HEAD.len() {
        record.extend_from_slice(TAIL);
        records.push(record);
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
        let packed = pack(inputs, max_bytes);
        assert_eq!(packed.len(), records);
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
}
