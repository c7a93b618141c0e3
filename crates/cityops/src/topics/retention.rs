//! What the topics must keep and how many copies of it must be written: the settings that durability rests on, and why.

use city_model::DAY_MS;
use incident_engine::SEEN_MS;
use wire_format::Topic;

use crate::config::Time;

/// A week: whoever notices a lost changelog on Monday must find Friday's records. Kafka's own default, too.
const WEEK_MS: i64 = 7 * DAY_MS;

/// What source topics keep at the very least, in milliseconds: a record that may still be told to be late or a duplicate can
/// be decided again. What is sent again after its identity was forgotten counts again.
pub fn needed_ms(time: &Time) -> i64 {
    SEEN_MS.saturating_add(time.max_late.0.max(time.sensors_max_late.0))
}

/// What they keep where nothing is configured.
pub fn kept_ms(time: &Time) -> i64 {
    needed_ms(time).max(WEEK_MS)
}

/// Whether a topic's retention is a least one: an operator's longer one is left alone. Others are exact, for what they hold is
/// to be gone by then.
pub fn is_least(topic: Topic) -> bool {
    topic.source().is_some() || topic == Topic::Enriched
}

/// How many replicas must have a record before it counts as written: one of three may be away, and what was acknowledged
/// still lies on two. Two replicas cannot give that, for then either one that is away stops all writing.
pub fn in_sync(replication: i32) -> i32 {
    if replication >= 3 { 2 } else { 1 }
}

/// Why a setting is what it is, in both languages; `None` where it goes without saying.
pub fn why(topic: Topic, setting: &str) -> Option<&'static str> {
    match (setting, topic) {
        ("min.insync.replicas", _) => Some(
            "what is acknowledged lies on so many brokers; with three replicas one may be away  已确认的记录至少存于这么多台；三副本允许一台离线",
        ),
        ("retention.ms", Topic::Enriched) => Some(
            "how far back audit and explain can judge, and for how long the correlator may stand still  审计与解释可追溯的时长、研判可停机的时长",
        ),
        ("retention.ms", Topic::DeadLetters) => {
            Some("untouched personal data goes after 14 days  未脱敏原文 14 天后删除")
        }
        ("retention.ms", Topic::Outcomes) => {
            Some("what became of an event is kept for a month  结果保留一个月")
        }
        ("retention.ms", topic) if topic.source().is_some() => Some(
            "how far back a rebuild reaches, for how long all may stand still, and within which a back-up must copy it; longer is left alone, \
             and holds personal data longer  重建可追溯的时长、允许停机的时长、备份须在此时间内完成；更长的设置保持不变，但个人信息也存得更久",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use city_model::HOUR_MS;
    use city_rules::strict::DurationMs;

    #[test]
    fn what_is_kept_covers_what_may_still_come() {
        let mut time = Time::default();
        assert_eq!(needed_ms(&time), 144 * HOUR_MS);
        assert_eq!(kept_ms(&time), WEEK_MS);
        time.max_late = DurationMs(30 * 24 * HOUR_MS);
        assert_eq!(kept_ms(&time), 33 * 24 * HOUR_MS);
    }

    #[test]
    fn one_of_three_may_be_away_and_neither_of_two() {
        assert_eq!([1, 2, 3, 5].map(in_sync), [1, 1, 2, 2]);
    }
}
