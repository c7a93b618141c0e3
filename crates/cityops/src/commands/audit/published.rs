//! What a topic of incidents says, read while it is written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use anyhow::Context;
use kafka_log::Properties;
use kafka_log::read::{Start, read_topic};

use crate::outputs::ReadBack;

/// What a topic of incidents says, by key: the last word when the audit began, `None` where it was taken back, and all that came since.
pub(super) struct Published {
    pub(super) topic: String,
    /// Where each partition ended.
    pub(super) ends: Vec<i64>,
    pub(super) incidents: BTreeMap<Vec<u8>, Vec<Option<Vec<u8>>>>,
}

impl Published {
    pub(super) fn begin(
        properties: &Properties,
        known: &BTreeMap<String, i32>,
        topic: String,
        read: &ReadBack,
    ) -> anyhow::Result<Published> {
        let count = *known
            .get(&topic)
            .with_context(|| format!("there is no topic {topic}"))?;
        let mut published = Published {
            topic,
            ends: vec![0; usize::try_from(count).unwrap_or(0)],
            incidents: BTreeMap::new(),
        };
        published.read(properties, read, |said, word| *said = vec![word])?;
        Ok(published)
    }

    pub(super) fn go_on(&mut self, properties: &Properties, read: &ReadBack) -> anyhow::Result<()> {
        self.read(properties, read, |said, word| {
            if said.is_empty() {
                said.push(None);
            }
            said.push(word);
        })
    }

    fn read(
        &mut self,
        properties: &Properties,
        read: &ReadBack,
        take: impl Fn(&mut Vec<Option<Vec<u8>>>, Option<Vec<u8>>),
    ) -> anyhow::Result<()> {
        let Published {
            topic,
            ends,
            incidents,
        } = self;
        for (partition, end) in (0..).zip(ends) {
            let mut wrong = None;
            *end = read_topic(properties, topic, partition, Start::Offset(*end), |record| {
                let word = match record.value().map(|value| read.incident_json(value)).transpose() {
                    Ok(word) => word.map(Cow::into_owned),
                    Err(error) => {
                        wrong = Some(
                            anyhow::Error::from(error)
                                .context(format!("read {topic} at offset {}", record.offset())),
                        );
                        return ControlFlow::Break(());
                    }
                };
                let key = record.key().unwrap_or_default();
                take(incidents.entry(key.to_vec()).or_default(), word);
                ControlFlow::Continue(())
            })?;
            if let Some(error) = wrong {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Incidents that were not taken back.
    pub(super) fn standing(&self) -> usize {
        self.incidents
            .values()
            .filter(|said| said.last().is_some_and(Option::is_some))
            .count()
    }
}
