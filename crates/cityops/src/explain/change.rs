//! A change of a kind's rules that might have turned a decision: as what was compared suggests it, to be tried by deciding again.

use anyhow::Context;
use city_rules::{KindRule, Rules};
use incident_engine::Evidence;
use serde::Serialize;
use toml::Value;

use super::wording::{Both, metres};

/// One second, the unit in which gaps are suggested.
const SECOND_MS: i64 = 1_000;
/// The step in which lengths are suggested: a tenth of a metre.
const STEP_MM: i64 = 100;

/// A change of one key of a kind, with what must give way to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The kind.
    pub kind: String,
    #[serde(skip)]
    name_zh: String,
    #[serde(skip)]
    name_en: String,
    key: Key,
    /// In thousandths: of a metre, of a second, of the measure of doubt.
    #[serde(rename = "before_milli")]
    before: i64,
    #[serde(rename = "after_milli")]
    after: i64,
    /// Other keys that bound it, raised with it.
    #[serde(skip)]
    with: Vec<(&'static str, Value)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Key {
    Radius,
    Gap,
    Doubt,
}

impl Key {
    const fn as_str(self) -> &'static str {
        match self {
            Key::Radius => "radius",
            Key::Gap => "gap",
            Key::Doubt => "doubt",
        }
    }
}

impl Change {
    fn of(rule: &KindRule, key: Key, after: i64) -> Change {
        let before = match key {
            Key::Radius => rule.radius_mm,
            Key::Gap => rule.gap_ms,
            Key::Doubt => rule.most_doubt_milli.unwrap_or(0),
        };
        let mut with = Vec::new();
        if key == Key::Radius && after > rule.cap_mm {
            with.push(("cap", thousandths(after)));
        }
        if key == Key::Gap && after > rule.max_life_ms {
            with.push(("max_life", seconds(after)));
        }
        Change {
            kind: rule.name.to_string(),
            name_zh: rule.name_zh.clone(),
            name_en: rule.name_en.clone(),
            key,
            before,
            after,
            with,
        }
    }

    /// The same, by a quarter more.
    pub(super) fn more(mut self) -> Change {
        let more = |n: i64| n + n / 4;
        // Seconds and tenths of a metre stay whole ones.
        self.after = match self.key {
            Key::Radius => more(self.after) / STEP_MM * STEP_MM,
            Key::Gap => more(self.after) / SECOND_MS * SECOND_MS,
            Key::Doubt => more(self.after),
        };
        let bound = match self.key {
            Key::Radius => thousandths(self.after),
            _ => seconds(self.after),
        };
        self.with.iter_mut().for_each(|(_, value)| *value = bound.clone());
        self
    }

    /// What might have let an event join the incident that it missed.
    pub(super) fn to_join(evidence: &Evidence, rule: &KindRule) -> Option<Change> {
        let miss = evidence.nearest_miss.as_ref()?;
        match (&*miss.because, rule.most_doubt_milli) {
            ("gap", _) => {
                let gap_ms = (miss.gap_ms + SECOND_MS - 1) / SECOND_MS * SECOND_MS;
                Some(Change::of(rule, Key::Gap, gap_ms))
            }
            // Doubt in thousandths is whole, so the least that is enough is known exactly.
            ("farther" | "doubt", Some(_)) => Some(Change::of(rule, Key::Doubt, miss.doubt_milli?)),
            // There may be more than one rival, and then the two alone are not what was too much.
            ("rivals", Some(most)) => {
                let wanted = evidence.doubt_with_rival()?.max(most + 1);
                Some(Change::of(rule, Key::Doubt, wanted))
            }
            ("farther", None) => {
                let wanted = rule.radius_mm + (miss.distance_mm - miss.radius_mm);
                let mut change = Change::of(rule, Key::Radius, (wanted + STEP_MM - 1) / STEP_MM * STEP_MM);
                if miss.distance_mm > rule.cap_mm && change.with.is_empty() {
                    change.with.push(("cap", thousandths(miss.distance_mm)));
                }
                Some(change)
            }
            _ => None,
        }
        .filter(|change| change.after > change.before)
    }

    /// What might have kept an event out of the incident that it joined by its place.
    pub(super) fn to_keep_out(evidence: &Evidence, rule: &KindRule) -> Option<Change> {
        let (distance_mm, radius_mm) = (evidence.distance_mm?, evidence.radius_mm?);
        let (key, after) = match rule.most_doubt_milli {
            Some(_) => (Key::Doubt, evidence.doubt_milli? - 1),
            None => {
                let wanted = rule.radius_mm - (radius_mm - distance_mm);
                (Key::Radius, (wanted - 1).div_euclid(STEP_MM) * STEP_MM)
            }
        };
        // At 0 of either the rule would mean something else.
        (after > 0).then(|| Change::of(rule, key, after))
    }

    /// These rules, changed.
    pub(super) fn apply(&self, rules: &Rules) -> anyhow::Result<Rules> {
        let mut text: toml::Table = toml::from_str(&rules.to_text()).context("read the rules")?;
        let kind = text
            .get_mut("kinds")
            .and_then(|kinds| kinds.get_mut(&self.kind))
            .and_then(Value::as_table_mut)
            .with_context(|| format!("there is no kind {}", self.kind))?;
        let own = match self.key {
            Key::Radius | Key::Doubt => thousandths(self.after),
            Key::Gap => seconds(self.after),
        };
        for (key, value) in self.with.iter().cloned().chain([(self.key.as_str(), own)]) {
            kind.insert(key.to_owned(), value);
        }
        Rules::from_text(&toml::to_string(&text)?).context("change the rules")
    }

    /// The key with the value that it had and the one that is tried.
    pub(super) fn told(&self) -> Both {
        let value = |n: i64, unit: &str| match self.key {
            Key::Radius => format!("{}{unit}", metres(n)),
            Key::Gap => format!("{}{unit}", n / SECOND_MS),
            Key::Doubt => format!("{}", n as f64 / 1_000.0),
        };
        let (zh, unit_zh, unit_en) = match self.key {
            Key::Radius => ("半径", " 米", " m"),
            Key::Gap => ("时间窗", " 秒", " s"),
            Key::Doubt => ("容忍度", "", ""),
        };
        let key = self.key.as_str();
        Both(
            format!(
                "「{}」的{zh}（{key}）由 {} 改为 {}",
                self.name_zh,
                value(self.before, unit_zh),
                value(self.after, unit_zh)
            ),
            format!(
                "the {key} of {} were {} instead of {}",
                self.name_en,
                value(self.after, unit_en),
                value(self.before, unit_en)
            ),
        )
    }

    /// "radius 60 m", to end a sentence.
    pub(super) fn short(&self) -> String {
        match self.key {
            Key::Radius => format!("radius {}", metres(self.after)),
            Key::Gap => format!("gap {} s", self.after / SECOND_MS),
            Key::Doubt => format!("doubt {}", self.after as f64 / 1_000.0),
        }
    }
}

fn thousandths(n: i64) -> Value {
    Value::Float(n as f64 / 1_000.0)
}

fn seconds(ms: i64) -> Value {
    Value::String(format!("{}s", ms / SECOND_MS))
}

#[cfg(test)]
mod tests {
    use incident_engine::Miss;

    use super::*;

    fn miss(because: &str, distance_mm: i64, radius_mm: i64, gap_ms: i64) -> Evidence {
        let mut evidence = Evidence::bare(city_model::Why::Founded, 0);
        evidence.nearest_miss = Some(Miss {
            incident: city_model::IncidentId::new("i"),
            distance_mm,
            radius_mm,
            gap_ms,
            doubt_milli: Some(7_321),
            because: because.into(),
        });
        evidence
    }

    #[test]
    fn what_would_let_it_join_follows_what_kept_it_out() {
        let rules = Rules::builtin();
        let rule = |name: &str| rules.kind(rules.kind_id(name).unwrap());
        let plain = rules
            .kinds()
            .map(|(_, rule)| rule)
            .find(|rule| rule.most_doubt_milli.is_none())
            .unwrap();
        let change = Change::to_join(
            &miss("farther", plain.radius_mm + 12_345, plain.radius_mm + 345, 0),
            plain,
        )
        .unwrap();
        assert_eq!(
            (change.key, change.after),
            (Key::Radius, plain.radius_mm + 12_000)
        );
        let changed = change.apply(&rules).unwrap();
        assert_eq!(
            changed
                .kind(changed.kind_id(plain.name.as_str()).unwrap())
                .radius_mm,
            plain.radius_mm + 12_000
        );

        let ponding = rule("road_ponding");
        let change = Change::to_join(&miss("farther", 60_000, 48_000, 0), ponding).unwrap();
        assert_eq!((change.key, change.after), (Key::Doubt, 7_321));
        assert_eq!(change.short(), "doubt 7.321");
        let long = ponding.max_life_ms + 1;
        let change = Change::to_join(&miss("gap", 0, 48_000, long), ponding).unwrap();
        let changed = change.apply(&rules).unwrap();
        let gap = changed.kind(changed.kind_id("road_ponding").unwrap()).gap_ms;
        assert!(gap >= long && gap < long + SECOND_MS, "{gap}");
        for because in [
            "life",
            "extent",
            "component",
            "never",
            "rivals",
            "closed",
            "false_alarm",
        ] {
            assert_eq!(Change::to_join(&miss(because, 1, 2, 3), ponding), None);
        }
        let mut rivals = miss("rivals", 1, 2, 3);
        rivals.runner_up.clone_from(&rivals.nearest_miss);
        let change = Change::to_join(&rivals, ponding).unwrap();
        assert_eq!(change.key, Key::Doubt);
        assert!(change.after > 7_321, "more than its own: {}", change.short());
    }

    #[test]
    fn what_would_keep_it_out_never_turns_the_rule_off() {
        let rules = Rules::builtin();
        let ponding = rules.kind(rules.kind_id("road_ponding").unwrap());
        let mut evidence = Evidence::bare(city_model::Why::Near, 0);
        (evidence.distance_mm, evidence.radius_mm, evidence.doubt_milli) = (Some(1), Some(2), Some(1_500));
        assert_eq!(Change::to_keep_out(&evidence, ponding).unwrap().after, 1_499);
        evidence.doubt_milli = Some(-200);
        assert_eq!(Change::to_keep_out(&evidence, ponding), None);
    }
}
