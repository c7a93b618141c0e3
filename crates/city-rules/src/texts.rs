//! The sentences by which an incident explains its priority, in Chinese for the desk and in English.

use std::collections::BTreeMap;

use city_model::{Band, Channel, Facility, Hint, Severity};
use serde::{Deserialize, Serialize};

/// A sentence in both languages, perhaps with `{places}` to fill.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// With values put in the places of the same names, the same in both languages.
    pub fn fill(&self, values: &[(&str, &str)]) -> Text {
        let both: Vec<_> = values
            .iter()
            .map(|(name, value)| (*name, *value, *value))
            .collect();
        self.fill_each(&both)
    }

    /// With values put in: name, Chinese, English.
    fn fill_each(&self, values: &[(&str, &str, &str)]) -> Text {
        let mut text = self.clone();
        for (name, zh, en) in values {
            let place = format!("{{{name}}}");
            text.zh = text.zh.replace(&place, zh);
            text.en = text.en.replace(&place, en);
        }
        text
    }
}

/// All sentences. What the rules leave out reads as its bare name, so that a reason is never empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Texts {
    /// 零 一 两 三 … as counted sources are called.
    pub numerals_zh: Vec<String>,
    /// Sentences by name: near, rush, night, dense, by_address, witnesses, one_person, single, after_resolved, measured, doubted, proven, repetition, recurrence, weather,
    /// time, time_before, base, hold, pin, handled, rush_morning, rush_evening, grade_A to grade_D.
    pub sentences: BTreeMap<String, Text>,
    /// Facility classes.
    pub facilities: BTreeMap<String, Text>,
    /// What is measured.
    pub metrics: BTreeMap<String, Text>,
    /// Units, where they are read otherwise than they are written.
    pub units: BTreeMap<String, Text>,
    /// Kinds of witness.
    pub channels: BTreeMap<String, Text>,
    /// Colours of warnings.
    pub severities: BTreeMap<String, Text>,
    /// Weather signals.
    pub signals: BTreeMap<String, Text>,
    /// What words or values say beyond the kind.
    pub hints: BTreeMap<String, Text>,
    /// Bands.
    pub bands: BTreeMap<String, Text>,
}

impl Texts {
    /// A sentence by its name.
    pub fn sentence(&self, name: &str) -> Text {
        look_up(&self.sentences, name)
    }

    /// The name of a facility class, such as 学校.
    pub fn facility(&self, facility: Facility) -> Text {
        look_up(&self.facilities, facility.as_str())
    }

    /// The name of a kind of witness, such as 热线.
    pub fn channel(&self, channel: Channel) -> Text {
        look_up(&self.channels, channel.as_str())
    }

    /// The name of a colour, such as 橙色.
    pub fn severity(&self, severity: Severity) -> Text {
        look_up(&self.severities, severity.as_str())
    }

    /// The name of a weather signal, such as 暴雨.
    pub fn signal(&self, signal: &str) -> Text {
        look_up(&self.signals, signal)
    }

    /// The name of a hint, such as 有人被困.
    pub fn hint(&self, hint: Hint) -> Text {
        look_up(&self.hints, hint.as_str())
    }

    /// The name of a band, such as 特急.
    pub fn band(&self, band: Band) -> Text {
        look_up(&self.bands, band.as_str())
    }

    /// "200米内有学校"
    pub fn near(&self, facility: Facility) -> Text {
        let name = self.facility(facility);
        self.sentence("near")
            .fill_each(&[("facility", &name.zh, &name.en)])
    }

    /// "无坐标上报，位置由地址文平路1367弄推定，±83米"
    pub fn by_address(&self, address: &str, metres: i64) -> Text {
        self.sentence("by_address")
            .fill(&[("address", address), ("metres", &metres.to_string())])
    }

    /// "传感器+视频+热线三源印证"; where all of it is one person's word, "同一人经热线+市民端反映".
    pub fn witnesses(&self, channels: &[Channel], independent: usize) -> Text {
        let names: Vec<Text> = channels.iter().map(|channel| self.channel(*channel)).collect();
        let join = |pick: fn(&Text) -> &str| names.iter().map(pick).collect::<Vec<_>>().join("+");
        let count = independent.to_string();
        let count_zh = self.numerals_zh.get(independent).unwrap_or(&count);
        let sentence = if independent > 1 {
            "witnesses"
        } else {
            "one_person"
        };
        self.sentence(sentence).fill_each(&[
            ("sources", &join(|text| &text.zh), &join(|text| &text.en)),
            ("count", count_zh, &count),
        ])
    }

    /// "仅热线一类来源"
    pub fn single(&self, channel: Channel) -> Text {
        let name = self.channel(channel);
        self.sentence("single")
            .fill_each(&[("sources", &name.zh, &name.en)])
    }

    /// "积水深度18cm，达到15cm": what was measured, and the limit that it reached, both in thousandths.
    pub fn measured(&self, metric: &str, unit: &str, value_milli: i64, limit_milli: i64) -> Text {
        let (name, unit) = (look_up(&self.metrics, metric), look_up(&self.units, unit));
        let (value, limit) = (decimal(value_milli), decimal(limit_milli));
        self.sentence("measured").fill_each(&[
            ("metric", &name.zh, &name.en),
            ("unit", &unit.zh, &unit.en),
            ("value", &value, &value),
            ("limit", &limit, &limit),
        ])
    }

    /// "传感器近10次核实有6次误报，可信度下调", or that it is believed more.
    pub fn trust(&self, channel: Channel, judged: u32, false_alarms: u32, is_more: bool) -> Text {
        let name = self.channel(channel);
        let (judged, false_alarms) = (judged.to_string(), false_alarms.to_string());
        self.sentence(if is_more { "proven" } else { "doubted" })
            .fill_each(&[
                ("source", &name.zh, &name.en),
                ("judged", &judged, &judged),
                ("false", &false_alarms, &false_alarms),
            ])
    }

    /// "4人反映"
    pub fn repetition(&self, reporters: usize) -> Text {
        self.sentence("repetition").fill(&[("n", &reporters.to_string())])
    }

    /// "暴雨橙色预警"
    pub fn weather(&self, signal: &str, severity: Severity) -> Text {
        let (signal, severity) = (self.signal(signal), self.severity(severity));
        self.sentence("weather").fill_each(&[
            ("signal", &signal.zh, &signal.en),
            ("severity", &severity.zh, &severity.en),
        ])
    }

    /// "由停电（310117-…）引起，随其一并处置"
    pub fn inhibited(&self, cause: &Text, id: &str) -> Text {
        self.sentence("inhibited")
            .fill_each(&[("kind", &cause.zh, &cause.en), ("id", id, id)])
    }

    /// "处置时限已用80%"
    pub fn time(&self, percent: u32) -> Text {
        self.sentence("time").fill(&[("percent", &percent.to_string())])
    }

    /// "原处置时限已用80%": of a limit that another one has taken the place of since. Rules of before say the same of both.
    pub fn time_before(&self, percent: u32) -> Text {
        let name = match self.sentences.contains_key("time_before") {
            true => "time_before",
            false => "time",
        };
        self.sentence(name).fill(&[("percent", &percent.to_string())])
    }

    /// "道路积水按类别不低于P2"; the override O7.
    pub fn base(&self, kind: &Text, band: Band) -> Text {
        self.sentence("base").fill_each(&[
            ("kind", &kind.zh, &kind.en),
            ("band", band.as_str(), band.as_str()),
        ])
    }
}

fn look_up(table: &BTreeMap<String, Text>, name: &str) -> Text {
    table.get(name).cloned().unwrap_or_else(|| Text {
        zh: name.to_owned(),
        en: name.to_owned(),
    })
}

/// Thousandths as a decimal without trailing zeros: 32000 is "32", 120 is "0.12".
pub(crate) fn decimal(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    let (whole, part) = (milli.unsigned_abs() / 1_000, milli.unsigned_abs() % 1_000);
    let text = format!("{sign}{whole}.{part:03}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
