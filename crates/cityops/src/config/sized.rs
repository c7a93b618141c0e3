//! `topics.enriched_partitions` beside the topic that is there: groups of kinds are laid on the partitions that it has.

use city_rules::ConfigError;

use super::{Loaded, lines};

/// The section and the key.
const KEY: (&str, &str) = ("topics", "enriched_partitions");

impl Loaded {
    /// What is to be said where the enriched log has another number of partitions than is configured. The topic's own number
    /// holds in every process: a start that went by the file would decide one trouble in two places.
    pub(crate) fn other_size(&self, has: i32) -> Option<ConfigError> {
        let (section, name) = KEY;
        let wanted = self.config.topics.enriched_partitions;
        if i64::from(wanted) == i64::from(has) {
            return None;
        }
        let key = format!("{section}.{name}");
        let line = lines::of_key(&self.text, section, name).first().copied();
        let by_default = match line {
            Some(_) => "",
            None => " by default or by the environment",
        };
        let topic = kafka_log::topic_name(&self.config.kafka.topic_prefix, wire_format::Topic::Enriched);
        let message = format!(
            "\"{key}\" is {wanted}{by_default}, and {topic} has {has}: {has} holds. Write {has}; for {wanted}, stop every process and \
             rebuild (deploy/RUNBOOK.md)  配置为 {wanted}，主题实际为 {has}，以主题为准；请改为 {has}，如需 {wanted} 须全部停机后重建"
        );
        Some(ConfigError {
            line,
            ..ConfigError::new(&self.file, &key, message)
        })
    }
}
