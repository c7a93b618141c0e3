//! Why an incident is as urgent as it is, as sentences that an operator acts on: what was measured against which limit, who
//! tells of it, what lies around, which warning stands.

use city_model::{Channel, Incident, Status, isqrt};
use city_rules::{GradeStep, KindRule, OverrideEffect, OverrideRule, Text, Texts};

use crate::priority::{Assessment, Hour, hour};
use crate::scene::addresses_of;
use crate::weighing::is_told_only;
use crate::{Setting, limits};

impl Assessment {
    /// Why, in Chinese and English, most decisive first. Never empty.
    pub(crate) fn reasons(&self, setting: &Setting, incident: &Incident) -> (Vec<String>, Vec<String>) {
        let texts = setting.rules.texts();
        let mut reasons: Vec<Text> = Vec::new();
        if incident.pinned.is_some() {
            reasons.push(texts.sentence("pin"));
        }
        if let Some(cause) = &self.inhibited {
            reasons.push(texts.inhibited(&cause.name, cause.id.as_str()));
        }
        self.decisive(setting, incident, &mut reasons);
        self.around(setting, incident, &mut reasons);
        self.witnessed(texts, incident, &mut reasons);
        self.context(setting, incident, &mut reasons);
        reasons.into_iter().map(|text| (text.zh, text.en)).unzip()
    }

    /// The overrides that hold, what was measured, and the kind.
    fn decisive(&self, setting: &Setting, incident: &Incident, reasons: &mut Vec<Text>) {
        let (rules, texts) = (&setting.rules, setting.rules.texts());
        let mut told: Vec<&str> = Vec::new();
        let overrides = &rules.priority().overrides;
        let decides = |over: &&OverrideRule| match over.effect {
            OverrideEffect::Floor(band) | OverrideEffect::Ceiling(band) => band == self.band,
            OverrideEffect::Raise(_) => true,
        };
        let held = || self.holding.iter().map(|index| &overrides[*index]);
        let others = held().filter(|over| !decides(over));
        for over in held().filter(decides).chain(others) {
            let metric = over.metric.as_ref().map(|(metric, _)| metric.as_str());
            told.extend(metric);
            reasons.push(over.reason(metric.and_then(|metric| incident.peaks.get(metric).copied())));
        }
        let Some((_, rule)) = setting.kind_of(incident) else {
            return;
        };
        let name = Text {
            zh: rule.name_zh.clone(),
            en: rule.name_en.clone(),
        };
        // Said once: an override names what it measured.
        if let Some((step, value)) =
            reached(rule, incident).filter(|(step, _)| !told.contains(&&*step.metric))
        {
            let unit = rules.metric(&step.metric).map_or("", |metric| &metric.unit);
            reasons.push(texts.measured(&step.metric, unit, value, step.at_least_milli));
        }
        if let Some(base) = self.base {
            reasons.push(texts.base(&name, base));
        }
        if reasons.is_empty() {
            let grade = texts.sentence(&format!("grade_{}", self.grade));
            reasons.push(Text {
                zh: format!("{}：{}", name.zh, grade.zh),
                en: format!("{}: {}", name.en, grade.en),
            });
        }
    }

    fn around(&self, setting: &Setting, incident: &Incident, reasons: &mut Vec<Text>) {
        let texts = setting.rules.texts();
        if let Some((_, rule)) = setting.kind_of(incident) {
            match hour(setting, rule, incident) {
                Some(Hour::Rush) => reasons.push(texts.sentence(rush(setting, incident))),
                Some(Hour::Night) => reasons.push(texts.sentence("night")),
                None => {}
            }
        }
        reasons.extend(incident.facilities.iter().map(|facility| texts.near(*facility)));
        if self.is_dense {
            reasons.push(texts.sentence("dense"));
        }
    }

    fn witnessed(&self, texts: &Texts, incident: &Incident, reasons: &mut Vec<Text>) {
        // Whoever is sent there asks for the door, and does not trust the dot on the map.
        if let Some((_, address)) = addresses_of(incident)
            .next()
            .filter(|_| is_placed_by_address(incident))
        {
            let u2 = incident.fused.variance_mm2().max(0).unsigned_abs();
            let u_mm = i64::try_from(isqrt(u128::from(u2))).unwrap_or(i64::MAX);
            reasons.push(texts.by_address(address, (u_mm + 500) / 1_000));
        }
        let known = incident.witnesses.keys().copied();
        let channels: Vec<Channel> = known.filter(|channel| *channel != Channel::Other).collect();
        match channels.as_slice() {
            [] => {}
            [one] => reasons.push(texts.single(*one)),
            several => reasons.push(texts.witnesses(several, incident.independent_witnesses())),
        }
        for belief in &self.beliefs {
            let (judged, false_alarms) = (belief.trust.judged, belief.trust.false_alarms);
            reasons.push(texts.trust(belief.channel, judged, false_alarms, belief.points > 0));
        }
        if incident.reporters.len() >= 2 {
            reasons.push(texts.repetition(incident.reporters.len()));
        }
        if incident.status == Status::Open && incident.is_objected_to() {
            reasons.push(texts.sentence("after_resolved"));
        }
        if incident.recurrence_of.is_some() {
            reasons.push(texts.sentence("recurrence"));
        }
    }

    fn context(&self, setting: &Setting, incident: &Incident, reasons: &mut Vec<Text>) {
        let (tables, texts) = (setting.rules.priority(), setting.rules.texts());
        if let Some((signal, severity)) = &self.warning {
            reasons.push(texts.weather(signal, *severity));
        }
        reasons.extend(self.area.map(|index| tables.areas[index].text.clone()));
        if let Some((percent, is_present)) = limits::share_told(setting, incident, self.at) {
            reasons.push(match is_present {
                true => texts.time(percent),
                false => texts.time_before(percent),
            });
        }
        if incident.pinned.is_none() && incident.band < self.band {
            let is_sent = incident.handling.dispatched_at.is_some();
            reasons.push(texts.sentence(if is_sent { "handled" } else { "hold" }));
        }
    }
}

/// Whether nobody gave coordinates, and yet it has a place.
fn is_placed_by_address(incident: &Incident) -> bool {
    incident.fused.point().is_some() && is_told_only(incident)
}

/// The highest step of the kind that a measurement reached, and that measurement.
fn reached<'a>(rule: &'a KindRule, incident: &Incident) -> Option<(&'a GradeStep, i64)> {
    let steps = rule.grade_steps.iter().filter_map(|step| {
        let peak = incident.peaks.get(step.metric.as_str()).copied()?;
        (peak >= step.at_least_milli).then_some((step, peak))
    });
    steps.min_by_key(|(step, _)| (step.grade, -step.at_least_milli))
}

/// Which rush hour it was; where it cannot be told, just one.
fn rush(setting: &Setting, incident: &Incident) -> &'static str {
    let calendar = &setting.calendar;
    let told = [incident.first_event_at, incident.last_event_at];
    let hour = told.into_iter().find(|at| calendar.is_rush(*at));
    match hour.map(|at| calendar.minute_of_day(at) < 12 * 60) {
        Some(true) => "rush_morning",
        Some(false) => "rush_evening",
        None => "rush",
    }
}
