//! What a processor is given and what it hands over.

use std::collections::BTreeMap;

use city_model::{Band, EventTime, Input};
use wire_format::{Headers, Topic, TraceContext};

/// A record as a log delivers it.
#[derive(Debug, Clone, Copy)]
pub struct InputRecord<'a> {
    /// Its topic.
    pub topic: Topic,
    /// Its partition.
    pub partition: i32,
    /// Its offset in the partition; a line number in files.
    pub offset: i64,
    /// Its append time.
    pub timestamp: EventTime,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers, in order; files have none.
    pub headers: Headers<'a>,
}

/// A record for another topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutRecord {
    /// The topic.
    pub topic: Topic,
    /// The partition; `None` goes by the key.
    pub partition: Option<i32>,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// Headers that a dead letter's record came with, untouched; they stand before ours.
    pub own_headers: Vec<(String, Vec<u8>)>,
}

impl OutRecord {
    /// A keyed record without headers.
    pub fn keyed(topic: Topic, key: &str, value: Option<Vec<u8>>) -> OutRecord {
        OutRecord {
            topic,
            partition: None,
            key: Some(key.as_bytes().to_vec()),
            value,
            headers: Vec::new(),
            own_headers: Vec::new(),
        }
    }
}

/// What a processor hands over between two commits. Rows of the same key are coalesced: only the last one counts.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Records for other topics, in order.
    pub records: Vec<OutRecord>,
    /// Inputs for the enriched log, by its partition, in order.
    pub inputs: BTreeMap<i32, Vec<Input>>,
    /// How many of those inputs stand for a record that was read.
    pub counted: u64,
    /// The traces that some of those inputs came with: by partition, the input's number in it and its trace, in order.
    pub traces: BTreeMap<i32, Vec<(usize, TraceContext)>>,
    /// State rows for the changelog; `None` deletes.
    pub rows: BTreeMap<String, Option<Vec<u8>>>,
}

impl Outbox {
    /// Adds an input for a partition of the enriched log. An activation or a warning told ahead that follows itself says nothing:
    /// the partitions of one loop announce the same one together.
    pub fn send(&mut self, partition: i32, input: Input) {
        let inputs = self.inputs.entry(partition).or_default();
        let again = match &input {
            Input::Activation(_) | Input::Warning { counts: false, .. } => inputs.last() == Some(&input),
            _ => false,
        };
        if !again {
            self.counted += u64::from(input.counts());
            inputs.push(input);
        }
    }

    /// The records for other topics in the order in which they are written: those of the P1 topic first, so that they never
    /// wait in a client's queue behind a flood of others. Each topic's own order stays.
    pub fn by_urgency(&self) -> impl Iterator<Item = &OutRecord> {
        let is_urgent = |record: &&OutRecord| record.topic == Topic::of_band(Band::P1);
        let others = self.records.iter().filter(move |record| !is_urgent(record));
        self.records.iter().filter(is_urgent).chain(others)
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.inputs.is_empty() && self.rows.is_empty()
    }

    /// Takes everything of another outbox, after what is here.
    pub fn append(&mut self, other: Outbox) {
        self.records.extend(other.records);
        for (partition, traces) in other.traces {
            let before = self.inputs.get(&partition).map_or(0, Vec::len);
            let moved = traces.into_iter().map(|(input, trace)| (before + input, trace));
            self.traces.entry(partition).or_default().extend(moved);
        }
        for (partition, inputs) in other.inputs {
            self.inputs.entry(partition).or_default().extend(inputs);
        }
        self.counted += other.counted;
        self.rows.extend(other.rows);
    }
}

/// What one partition does with its records.
pub trait Processor: Send {
    /// Enters a row of the changelog, in the order in which rows were written.
    ///
    /// # Errors
    /// When the row cannot be read; the partition must not go on then.
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()>;

    /// Called once, after restoring and before the first record.
    fn begin(&mut self, out: &mut Outbox);

    /// Called before each batch, and now and then without one: what changed around the partition is taken here, so that
    /// a batch is decided under one configuration.
    fn refresh(&mut self, _out: &mut Outbox) {}

    /// Whether the record can be decided now. `false` holds its partition back: the record and all that follow are given
    /// again later, in order, and nothing is committed past the last one that was decided.
    fn is_ready(&mut self, _record: &InputRecord<'_>) -> bool {
        true
    }

    /// Is told a record of another topic that the loop reads ahead of everything: it was appended before what is decided from
    /// here on. It comes again whenever partitions were taken over. `false` when it cannot be read yet; then it is given
    /// again before a later batch, and what came after it has not been told.
    fn foresee(&mut self, _record: &InputRecord<'_>, _out: &mut Outbox) -> bool {
        true
    }

    /// Decides one record.
    fn process(&mut self, record: &InputRecord<'_>, out: &mut Outbox);

    /// Adds the state rows of everything decided since the last call.
    fn checkpoint(&mut self, out: &mut Outbox);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_p1_is_written_before_everything_and_each_topic_keeps_its_order() {
        let mut out = Outbox::default();
        let (p1, p4) = (Topic::of_band(Band::P1), Topic::of_band(Band::P4));
        for number in 0..1_000 {
            out.records.push(OutRecord::keyed(p4, &number.to_string(), None));
        }
        for (topic, key) in [
            (p1, "first"),
            (Topic::Incidents, "first"),
            (p1, "gone"),
            (p4, "last"),
            (p1, "first"),
        ] {
            out.records.push(OutRecord::keyed(topic, key, None));
        }
        let written: Vec<&OutRecord> = out.by_urgency().collect();
        assert_eq!(written.len(), out.records.len());
        let key = |record: &OutRecord| String::from_utf8(record.key.clone().unwrap()).unwrap();
        let keys: Vec<String> = written.iter().take(4).map(|record| key(record)).collect();
        assert_eq!(keys, ["first", "gone", "first", "0"]);
        for topic in [p1, p4, Topic::Incidents] {
            let own: Vec<_> = out
                .records
                .iter()
                .filter(|record| record.topic == topic)
                .collect();
            let others = written.iter().filter(|record| record.topic == topic);
            assert!(others.eq(&own));
        }
    }
}
