//! The tables of prioritisation from their text: every band has its deadlines, every override one effect.

use city_model::{Band, EventTime};
use rustc_hash::FxHashMap;

use super::Compiler;
use crate::clock::Limit;
use crate::file::{RawArea, RawOverride, RawPriority};
use crate::metric::MetricRule;
use crate::priority::{Deadline, OverrideEffect, OverrideRule, PriorityRules};
use crate::strict::ConfigError;
use crate::{AreaRule, DenseCells, StormRules, Text, TrustRules};

/// Gaps are stretched at most so far: a month's gap becomes a year.
const MOST_STRETCH: u32 = 12;

impl Compiler<'_> {
    pub(super) fn priority(
        &self,
        raw: &RawPriority,
        metrics: &FxHashMap<String, MetricRule>,
    ) -> Result<PriorityRules, ConfigError> {
        let mut overrides = Vec::new();
        for (id, rule) in &raw.overrides {
            if !rule.off {
                overrides.push(self.override_rule(id, rule, metrics)?);
            }
        }
        let missing =
            |what: &str| ConfigError::new("rules", "priority", format!("{what} is missing in [priority]"));
        let mut deadlines = Vec::new();
        for band in Band::ALL {
            let limits = raw
                .deadlines
                .get(band)
                .ok_or_else(|| missing(&format!("deadlines.{band}")))?;
            let limit = |limit: Limit| (limit.0, limit.1);
            let dispatch = limits
                .dispatch
                .map(limit)
                .ok_or_else(|| missing("a dispatch deadline"))?;
            let control = limits
                .control
                .map(limit)
                .ok_or_else(|| missing("a control deadline"))?;
            deadlines.push((
                *band,
                Deadline {
                    dispatch,
                    on_site: limits.on_site.map(limit),
                    control,
                },
            ));
            raw.bands
                .get(band)
                .ok_or_else(|| missing(&format!("bands.{band}")))?;
        }
        let bands: Vec<_> = raw.bands.iter().map(|(band, least)| (*band, *least)).collect();
        if !bands.is_sorted_by(|a, b| a.1 > b.1) {
            return Err(ConfigError::new(
                "rules",
                "priority.bands",
                "a more urgent band must need a higher score",
            ));
        }
        Ok(PriorityRules {
            safety: raw.safety,
            exposure: raw.exposure.clone(),
            credibility: raw.credibility,
            repetition: raw.repetition.clone(),
            weather: raw.weather,
            time: raw.time.steps.clone(),
            time_unhandled: raw.time.unhandled,
            trust: TrustRules {
                judged: raw.trust.judged,
                window: raw.trust.window,
                steps: raw.trust.steps.clone(),
            },
            dense: DenseCells::of(&raw.population),
            areas: raw
                .areas
                .iter()
                .map(|(name, area)| self.area(name, area))
                .collect::<Result<_, _>>()?,
            storm: self.storm()?,
            bands,
            deadlines,
            overrides,
        })
    }

    fn storm(&self) -> Result<StormRules, ConfigError> {
        let raw = &self.file.weather.storm;
        let kinds: Vec<String> = self.file.weather.signals.keys().cloned().collect();
        self.ids(&kinds)?;
        if raw.stretch > MOST_STRETCH {
            let message = format!("stretch is at most {MOST_STRETCH} times");
            return Err(self.sources.wrong("stretch", message));
        }
        Ok(StormRules {
            stretch: i64::from(raw.stretch.max(1)),
            aftermath_ms: raw.aftermath.0,
            confirm_at: raw.confirm_at,
        })
    }

    fn area(&self, name: &str, raw: &RawArea) -> Result<AreaRule, ConfigError> {
        let wrong = |message: &str| Err(self.sources.wrong(name, format!("area \"{name}\": {message}")));
        let time = |text: &str| {
            let instant = text.parse::<jiff::Timestamp>().ok();
            instant.map(|instant| EventTime::from_millis(instant.as_millisecond()))
        };
        let (Some(from), Some(until)) = (time(&raw.from), time(&raw.until)) else {
            return wrong("from and until are times such as \"2026-11-05T08:00:00+08:00\"");
        };
        if from >= until {
            return wrong("it must begin before it ends");
        }
        if raw.cells.is_empty() || raw.cells.iter().any(|code| code.trim().is_empty()) {
            return wrong("it needs the codes of its cells");
        }
        let or_name = |text: &str| {
            if text.is_empty() {
                name.to_owned()
            } else {
                text.to_owned()
            }
        };
        Ok(AreaRule {
            name: name.to_owned(),
            cells: raw.cells.clone(),
            from,
            until,
            kinds: self.ids(&raw.kinds)?,
            text: Text {
                zh: or_name(&raw.zh),
                en: or_name(&raw.en),
            },
        })
    }

    fn override_rule(
        &self,
        id: &str,
        raw: &RawOverride,
        metrics: &FxHashMap<String, MetricRule>,
    ) -> Result<OverrideRule, ConfigError> {
        let effect = match (raw.floor, raw.ceiling, raw.raise_to) {
            (Some(band), None, None) => OverrideEffect::Floor(band),
            (None, Some(band), None) => OverrideEffect::Ceiling(band),
            (None, None, Some(band)) => OverrideEffect::Raise(band),
            _ => {
                let message = format!("override \"{id}\" needs either a floor or a ceiling or raise_to");
                return Err(self.sources.wrong(id, message));
            }
        };
        let metric = match (&raw.metric, raw.at_least) {
            (Some(metric), Some(least)) => {
                self.metric_exists(metric, metrics)?;
                Some((metric.clone(), least.0))
            }
            (None, None) => None,
            _ => {
                return Err(self
                    .sources
                    .wrong(id, format!("override \"{id}\" needs both metric and at_least")));
            }
        };
        if raw.storm.is_none() && !raw.signals.is_empty() {
            let message = format!("override \"{id}\" names signals and needs storm, the least severity");
            return Err(self.sources.wrong(id, message));
        }
        Ok(OverrideRule {
            id: id.to_owned(),
            effect,
            kinds: self.ids(&raw.kinds)?,
            grades: raw.grades.clone(),
            metric,
            hint: raw.hint,
            witnesses_at_least: raw.witnesses_at_least,
            reporters_at_least: raw.reporters_at_least,
            night: raw.night,
            only_video: raw.only_video,
            all_suspect: raw.all_suspect,
            sound: raw.sound,
            overdue: raw.overdue,
            storm: raw.storm,
            signals: raw.signals.clone(),
            text_zh: raw.zh.clone(),
            text_en: raw.en.clone(),
        })
    }
}
