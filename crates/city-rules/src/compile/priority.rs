//! The tables of prioritisation from their text: every band has its deadlines, every override one effect.

use city_model::Band;
use rustc_hash::FxHashMap;

use super::Compiler;
use crate::clock::Limit;
use crate::file::{RawOverride, RawPriority};
use crate::metric::MetricRule;
use crate::priority::{Deadline, OverrideEffect, OverrideRule, PriorityRules};
use crate::strict::ConfigError;

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
            bands,
            deadlines,
            overrides,
        })
    }

    fn override_rule(
        &self,
        id: &str,
        raw: &RawOverride,
        metrics: &FxHashMap<String, MetricRule>,
    ) -> Result<OverrideRule, ConfigError> {
        let effect = match (raw.floor, raw.ceiling) {
            (Some(band), None) => OverrideEffect::Floor(band),
            (None, Some(band)) => OverrideEffect::Ceiling(band),
            _ => {
                let message = format!("override \"{id}\" needs either a floor or a ceiling");
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
        Ok(OverrideRule {
            id: id.to_owned(),
            effect,
            kinds: self.ids(&raw.kinds)?,
            grades: raw.grades.clone(),
            metric,
            hint: raw.hint,
            witnesses_at_least: raw.witnesses_at_least,
            only_video: raw.only_video,
            all_suspect: raw.all_suspect,
            sound: raw.sound,
            text_zh: raw.zh.clone(),
            text_en: raw.en.clone(),
        })
    }
}
