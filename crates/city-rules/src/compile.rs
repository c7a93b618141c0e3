//! From rules as written to rules as used: names become ids, lists are made symmetric, contradictions are refused.

mod learned;
mod metrics;
mod priority;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use city_model::{Grade, Kind};
use rustc_hash::FxHashMap;

use crate::calendar::CalendarRules;
use crate::clock::Limit;
use crate::codes::{CodeMap, readings};
use crate::file::{RawKind, RulesFile};
use crate::groups::Groups;
use crate::kind::{BandStep, GradeStep, KindId, KindRule};
use crate::metric::MetricRule;
use crate::rules::Rules;
use crate::strict::ConfigError;
use crate::video::Algorithms;
use crate::words::{Danger, WordMap};

pub(crate) use sources::Sources;

struct Compiler<'a> {
    sources: &'a Sources<'a>,
    file: &'a RulesFile,
    ids: FxHashMap<String, KindId>,
}

pub(crate) fn compile(file: RulesFile, sources: &Sources) -> Result<Rules, ConfigError> {
    if file.kinds.is_empty() || file.kinds.len() > usize::from(u16::MAX) {
        return Err(ConfigError::new(
            "rules",
            "kinds",
            "the rules need between 1 and 65,535 kinds",
        ));
    }
    let ids = file
        .kinds
        .keys()
        .zip(0..)
        .map(|(name, id)| (name.clone(), KindId(id)))
        .collect();
    let compiler = Compiler {
        sources,
        file: &file,
        ids,
    };
    let kinds = compiler.kinds()?;
    let plain = compiler.kind("", &RawKind::default())?;
    let weights: Vec<u32> = file
        .kinds
        .values()
        .map(|raw| or(&raw.weight, &file.defaults.weight, 1))
        .collect();
    let groups = Groups::close(&kinds, &weights);
    let learned = compiler.learned(&kinds)?;
    let metrics = compiler.metrics()?;
    compiler.steps_name_metrics(&kinds, &metrics)?;
    compiler.check_references()?;
    let priority = compiler.priority(&file.priority, &metrics)?;
    let algorithms = Algorithms::new(&file.video.algorithms);
    let algorithms = algorithms.map_err(|(name, message)| sources.wrong(&name, message))?;
    let codes = CodeMap::new(&file, |name| compiler.find(name));
    let words = WordMap::new(&file, Danger::new(&kinds), |name| compiler.find(name));
    let words = words.map_err(|message| ConfigError::new("rules", "words", message))?;
    let calendar =
        CalendarRules::new(&file.calendar).map_err(|(text, message)| sources.wrong(&text, message))?;
    let ids = compiler.ids;
    let version = OnceLock::new();
    Ok(Rules {
        file,
        version,
        kinds,
        plain,
        ids,
        groups,
        learned,
        metrics,
        codes,
        algorithms,
        words,
        calendar,
        priority,
    })
}

impl Compiler<'_> {
    fn find(&self, name: &str) -> Option<KindId> {
        self.ids.get(name).copied()
    }

    fn id(&self, name: &str) -> Result<KindId, ConfigError> {
        let known = self.file.kinds.keys().map(String::as_str);
        self.find(name)
            .ok_or_else(|| self.sources.unknown("kind", name, known))
    }

    fn ids(&self, names: &[String]) -> Result<Vec<KindId>, ConfigError> {
        let ids: BTreeSet<KindId> = names.iter().map(|name| self.id(name)).collect::<Result<_, _>>()?;
        Ok(ids.into_iter().collect())
    }

    fn kinds(&self) -> Result<Vec<KindRule>, ConfigError> {
        let mut kinds: Vec<KindRule> = self
            .file
            .kinds
            .iter()
            .map(|(name, raw)| self.kind(name, raw))
            .collect::<Result<_, _>>()?;
        make_symmetric(&mut kinds, |kind| &mut kind.merges_with);
        make_symmetric(&mut kinds, |kind| &mut kind.related);
        make_symmetric(&mut kinds, |kind| &mut kind.confused_with);
        self.inhibit(&mut kinds)?;
        for kind in &kinds {
            for other in &kind.merges_with {
                let other = &kinds[other.index()];
                if other.safety_class != kind.safety_class {
                    let message = format!(
                        "{} and {} cannot merge: their safety classes are \"{}\" and \"{}\"",
                        kind.name, other.name, kind.safety_class, other.safety_class
                    );
                    return Err(self.sources.wrong(kind.name.as_str(), message));
                }
            }
        }
        Ok(kinds)
    }

    /// Enters what explains each kind away. Two kinds that did so to each other would both be quiet.
    fn inhibit(&self, kinds: &mut [KindRule]) -> Result<(), ConfigError> {
        for index in 0..kinds.len() {
            let cause = self.id(kinds[index].name.as_str())?;
            for symptom in kinds[index].inhibits.clone() {
                let other = &mut kinds[symptom.index()];
                if symptom == cause || other.inhibits.contains(&cause) {
                    let message = format!("{} cannot inhibit what inhibits it", other.name);
                    return Err(self.sources.wrong(other.name.as_str(), message));
                }
                other.inhibited_by.push(cause);
            }
        }
        Ok(())
    }

    fn kind(&self, name: &str, raw: &RawKind) -> Result<KindRule, ConfigError> {
        let base = &self.file.defaults;
        let radius_mm = or(&raw.radius, &base.radius, Default::default()).0;
        let cap_mm = or(&raw.cap, &base.cap, Default::default()).0;
        // A box whose members all lie within the cap of its middle.
        let extent_mm = raw.extent.map_or(cap_mm.saturating_mul(2), |extent| extent.0);
        let gap_ms = or(&raw.gap, &base.gap, Default::default()).0;
        let max_life_ms = or(&raw.max_life, &base.max_life, Default::default()).0;
        let wrong = |message: &str| Err(self.sources.wrong(name, format!("kind \"{name}\": {message}")));
        if radius_mm < 1 || cap_mm < radius_mm {
            return wrong("the radius must be above 0 and the cap at least the radius");
        }
        if gap_ms < 1 || max_life_ms < gap_ms || extent_mm < 1 {
            return wrong("the gap must be above 0, the longest life at least the gap, the extent above 0");
        }
        let names = |own: &Option<Vec<String>>| self.ids(own.as_deref().unwrap_or_default());
        let mut grade_steps: Vec<GradeStep> =
            raw.grade_steps.iter().flatten().map(|step| step.into()).collect();
        grade_steps.sort_by_key(|step| step.at_least_milli);
        let mut base_steps: Vec<BandStep> = raw.base_steps.iter().flatten().map(|step| step.into()).collect();
        base_steps.sort_by_key(|step| step.at_least_milli);
        let grade = or(&raw.grade, &base.grade, Grade::D);
        Ok(KindRule {
            name: Kind::new(name),
            name_zh: raw.name_zh.clone().unwrap_or_else(|| name.to_owned()),
            name_en: raw.name_en.clone().unwrap_or_else(|| name.replace('_', " ")),
            radius_mm,
            cap_mm,
            gap_ms,
            max_life_ms,
            recur_ms: Some(or(&raw.recur, &base.recur, Default::default()).0).filter(|ms| *ms > 0),
            extent_mm,
            most_doubt_milli: raw.doubt.map(|doubt| doubt.0).filter(|doubt| *doubt > 0),
            component_decides: or(&raw.component_decides, &base.component_decides, false),
            correlates: or(&raw.correlates, &base.correlates, true),
            moving: or(&raw.moving, &base.moving, false),
            safety_class: or(&raw.safety_class, &base.safety_class, class_of(grade).to_owned()),
            grade,
            grade_steps,
            base_band: raw.base.or(base.base).and_then(|base| base.band()),
            base_steps,
            road: or(&raw.road, &base.road, false),
            night: or(&raw.night, &base.night, false),
            weather: or(&raw.weather, &base.weather, false),
            deaf_to: self.deaf_to(name),
            merges_with: names(&raw.merges_with)?,
            related: names(&raw.related)?,
            inhibits: names(&raw.inhibits)?,
            inhibited_by: Vec::new(), // once all are known
            confused_with: names(&raw.confused_with)?,
            component_class: raw.component_class.clone(),
            gb2013: raw.gb2013.clone(),
            gb2026: raw.gb2026.clone(),
            restricted: or(&raw.restricted, &base.restricted, false),
            control: raw.control.map(|Limit(amount, clock)| (amount, clock)),
        })
    }

    /// The signals that bear on other kinds or on none. A kind that the table leaves out minds all that bear on any.
    fn deaf_to(&self, name: &str) -> Vec<String> {
        let weather = &self.file.weather;
        let own = weather.signals.get(name);
        let others = weather.signals.values().flatten();
        let others = others
            .filter(|signal| own.is_some_and(|own| own.iter().all(|own| !own.eq_ignore_ascii_case(signal))));
        let mut deaf: Vec<String> = weather.without_effect.iter().chain(others).cloned().collect();
        deaf.sort_unstable();
        deaf.dedup();
        deaf
    }

    fn steps_name_metrics(
        &self,
        kinds: &[KindRule],
        metrics: &FxHashMap<String, MetricRule>,
    ) -> Result<(), ConfigError> {
        for kind in kinds {
            let bands = kind.base_steps.iter().map(|step| &step.metric);
            for metric in kind.grade_steps.iter().map(|step| &step.metric).chain(bands) {
                self.metric_exists(metric, metrics)?;
            }
        }
        Ok(())
    }

    fn metric_exists(&self, name: &str, metrics: &FxHashMap<String, MetricRule>) -> Result<(), ConfigError> {
        let known = self.file.metrics.keys().map(String::as_str);
        let found = metrics.get(name).is_some_and(|rule| rule.name == name);
        if found {
            Ok(())
        } else {
            Err(self.sources.unknown("metric", name, known))
        }
    }

    /// Every kind that a mapping names exists.
    fn check_references(&self) -> Result<(), ConfigError> {
        let file = self.file;
        let codes = [&file.codes, &file.components, &file.video.codes]
            .into_iter()
            .flat_map(BTreeMap::values);
        let codes = codes.flat_map(BTreeMap::values);
        let mapped = codes.chain(file.names.values());
        for name in mapped.flat_map(|kinds| readings(kinds)) {
            self.id(name)?;
        }
        for name in file.words.keys() {
            self.id(name)?;
        }
        for (name, words) in &file.words {
            let empty = |phrase: &String| {
                phrase
                    .split('&')
                    .any(|part| part.split('|').all(|w| w.trim().is_empty()))
            };
            if words.any.iter().any(empty) {
                return Err(self
                    .sources
                    .wrong(name, format!("a phrase of \"{name}\" has an empty part")));
            }
        }
        Ok(())
    }
}

/// The safety class of a kind that names none.
const fn class_of(grade: Grade) -> &'static str {
    match grade {
        Grade::A => "life",
        Grade::B => "damage",
        Grade::C => "service",
        Grade::D => "order",
    }
}

/// The kind's own value, else the default one, else `last`.
fn or<T: Clone>(own: &Option<T>, default: &Option<T>, last: T) -> T {
    own.clone().or_else(|| default.clone()).unwrap_or(last)
}

/// If one kind names another, that one names it as well. A kind never names itself.
fn make_symmetric(kinds: &mut [KindRule], list: impl Fn(&mut KindRule) -> &mut Vec<KindId>) {
    let mut pairs = BTreeSet::new();
    for (index, kind) in kinds.iter_mut().enumerate() {
        let id = KindId(index as u16);
        pairs.extend(list(kind).iter().flat_map(|other| [(id, *other), (*other, id)]));
    }
    for (index, kind) in kinds.iter_mut().enumerate() {
        let id = KindId(index as u16);
        *list(kind) = pairs
            .range((id, KindId(0))..=(id, KindId(u16::MAX)))
            .map(|(_, other)| *other)
            .collect();
        list(kind).retain(|other| *other != id);
    }
}
