//! The rules of a city as a whole: built in, with the city's own on top, and as one text that travels in the log.

use std::fmt;
use std::sync::OnceLock;

use city_model::{Grade, Group, Kind, isqrt};
use rustc_hash::FxHashMap;

use crate::calendar::CalendarRules;
use crate::codes::{CodeMap, Mapped, one_spelling};
use crate::compile::{Sources, compile};
use crate::file::{RulesFile, overlay};
use crate::findings::Finding;
use crate::groups::Groups;
use crate::kind::{KindId, KindRule};
use crate::learned::Learned;
use crate::metric::MetricRule;
use crate::priority::PriorityRules;
use crate::strict::{self, ConfigError};
use crate::texts::Texts;
use crate::video::{AlgorithmRule, Algorithms};
use crate::words::{TextReading, WordMap};

const BUILTIN: [(&str, &str); 8] = [
    ("builtin/kinds.toml", include_str!("../rules/kinds.toml")),
    ("builtin/metrics.toml", include_str!("../rules/metrics.toml")),
    ("builtin/codes.toml", include_str!("../rules/codes.toml")),
    ("builtin/words.toml", include_str!("../rules/words.toml")),
    ("builtin/video.toml", include_str!("../rules/video.toml")),
    ("builtin/calendar.toml", include_str!("../rules/calendar.toml")),
    ("builtin/priority.toml", include_str!("../rules/priority.toml")),
    ("builtin/texts.toml", include_str!("../rules/texts.toml")),
];

/// The rules of a city. Two are equal when their texts are.
#[derive(Clone)]
pub struct Rules {
    pub(crate) file: RulesFile,
    /// Computed when first asked for; emptied when a kind is added.
    pub(crate) version: OnceLock<String>,
    pub(crate) kinds: Vec<KindRule>,
    /// What a kind is that nobody described.
    pub(crate) plain: KindRule,
    pub(crate) ids: FxHashMap<String, KindId>,
    pub(crate) groups: Groups,
    pub(crate) learned: Option<Learned>,
    pub(crate) metrics: FxHashMap<String, MetricRule>,
    pub(crate) codes: CodeMap,
    pub(crate) algorithms: Algorithms,
    pub(crate) words: WordMap,
    pub(crate) calendar: CalendarRules,
    pub(crate) priority: PriorityRules,
}

impl Rules {
    /// The built-in rules.
    ///
    /// # Panics
    /// Never: the built-in files are part of the program, and a test reads them.
    #[expect(clippy::expect_used, reason = "the files are compiled in and tested")]
    pub fn builtin() -> Rules {
        Rules::load(&[]).expect("the built-in rules are sound")
    }

    /// The built-in rules with other files on top, in order; each is a name and its text. A table in a later file
    /// changes what it names and leaves the rest; but `[learned]` with a `distance` of its own stands for the one below it.
    ///
    /// # Errors
    /// Unknown keys, wrong values, references to kinds or metrics that no file defines.
    pub fn load(extra: &[(String, String)]) -> Result<Rules, ConfigError> {
        let builtin = BUILTIN.iter().copied();
        let files = builtin.chain(extra.iter().map(|(file, text)| (file.as_str(), text.as_str())));
        Rules::read(files.collect())
    }

    /// What is odd about the rules that `load` makes of these files, though they can be used: by file and line.
    ///
    /// # Errors
    /// As for `load`.
    pub fn findings(extra: &[(String, String)]) -> Result<Vec<Finding>, ConfigError> {
        let builtin = BUILTIN.iter().copied();
        let files = builtin.chain(extra.iter().map(|(file, text)| (file.as_str(), text.as_str())));
        let files: Vec<_> = files.collect();
        Rules::read(files.clone())?;
        crate::findings::find(&files)
    }

    /// Reads back what `to_text` wrote. The built-in rules take no part.
    ///
    /// # Errors
    /// As for `load`.
    pub fn from_text(text: &str) -> Result<Rules, ConfigError> {
        Rules::read(vec![("rules", text)])
    }

    fn read(files: Vec<(&str, &str)>) -> Result<Rules, ConfigError> {
        let mut whole = toml::Table::new();
        for (file, text) in &files {
            // Each by itself first: so an unknown key is told with the line of the file that has it.
            strict::parse::<RulesFile>(file, text)?;
            let mut table = strict::parse(file, text)?;
            one_spelling(file, text, &mut table)?;
            // Points mean nothing without their bands, so a table with its own does not lie on another one.
            if table.get("learned").and_then(|own| own.get("distance")).is_some() {
                whole.remove("learned");
            }
            overlay(&mut whole, table);
        }
        let last = files.last().map_or("rules", |(file, _)| file);
        let file: RulesFile = whole
            .try_into()
            .map_err(|error: toml::de::Error| ConfigError::new(last, "", error.message()))?;
        compile(file, &Sources(files))
    }

    /// The effective rules as one TOML.
    pub fn to_text(&self) -> String {
        // Every map has text keys and every value is text, a number, a flag or a list: nothing that TOML cannot say.
        toml::to_string(&self.file).unwrap_or_default()
    }

    /// The version: the first 12 hexadecimal digits of the SHA-256 of the text.
    pub fn version(&self) -> &str {
        self.version
            .get_or_init(|| city_model::sha256_hex(self.to_text().as_bytes())[..12].to_owned())
    }

    /// The years whose holidays and worked weekends (调休) are known; in others only weekends are off.
    pub fn calendar_years(&self) -> impl Iterator<Item = i64> + '_ {
        self.calendar.years()
    }

    /// The id of a kind.
    pub fn kind_id(&self, name: &str) -> Option<KindId> {
        self.ids.get(name).copied()
    }

    /// The rules of a kind. An id of other rules that does not exist here reads as an undescribed kind.
    pub fn kind(&self, id: KindId) -> &KindRule {
        self.kinds.get(id.index()).unwrap_or(&self.plain)
    }

    /// All kinds, by id.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = (KindId, &KindRule)> {
        self.kinds
            .iter()
            .enumerate()
            .map(|(index, rule)| (KindId(index as u16), rule))
    }

    /// The id of a kind, which is added with the rules' defaults if nobody described it. Ids given before stay valid;
    /// the new one comes last. Beyond 65,536 kinds all further names share the last id.
    pub fn with_plain_kind(&mut self, name: &str) -> KindId {
        if let Some(id) = self.kind_id(name) {
            return id;
        }
        let Ok(index) = u16::try_from(self.kinds.len()) else {
            return KindId(u16::MAX);
        };
        let id = KindId(index);
        let mut rule = self.plain.clone();
        rule.name = Kind::new(name);
        rule.name_zh = name.to_owned();
        rule.name_en = name.replace('_', " ");
        self.kinds.push(rule);
        self.ids.insert(name.to_owned(), id);
        self.groups
            .add_alone(id, name, self.file.defaults.weight.unwrap_or(1));
        self.file.kinds.insert(name.to_owned(), Default::default());
        self.version = OnceLock::new();
        id
    }

    /// The group of a kind.
    pub fn group(&self, id: KindId) -> &Group {
        self.groups.of(id)
    }

    /// Whether a kind is a danger of its own beside another trouble: graver, or a threat to lives where the other is none, and
    /// never one incident with it. Who cites a ticket about the other tells of something new.
    pub fn is_graver(&self, kind: KindId, beside: KindId) -> bool {
        let (own, other) = (self.kind(kind), self.kind(beside));
        let is_worse = own.grade < other.grade || (own.endangers_life() && !other.endangers_life());
        matches!(own.grade, Grade::A | Grade::B) && is_worse && !own.merges_with.contains(&beside)
    }

    /// All groups with their kinds, in alphabetical order.
    pub fn groups(&self) -> Vec<(&Group, Vec<KindId>)> {
        self.groups.all()
    }

    /// The relative expected load of a group.
    pub fn group_weight(&self, group: &Group) -> u32 {
        self.groups.weight(group)
    }

    /// Groups on partitions: the heaviest first, each onto the lightest partition, ties by name and number.
    pub fn layout(&self, partitions: u32) -> std::collections::BTreeMap<Group, u32> {
        self.groups.layout(partitions)
    }

    /// The kind of a code of a standard, such as ("GB/T 30428.2-2013", "0110"), or of a system's own list.
    pub fn map_code(&self, standard: &str, code: &str) -> Option<Mapped> {
        self.codes.code(standard, code)
    }

    /// The kind of a category's name, such as "暴露垃圾(浦东)" or "机动车乱停放、非机动车乱停放".
    pub fn map_name(&self, name: &str) -> Option<KindId> {
        self.codes.name(name)
    }

    /// The kind of a video alarm's code in a code system, or of a label in any.
    pub fn map_video(&self, code_system: &str, code: &str) -> Option<KindId> {
        self.read_video(code_system, code).first().copied()
    }

    /// All that a video alarm's code may mean, most likely first; empty for an unknown one.
    pub fn read_video(&self, code_system: &str, code: &str) -> &[KindId] {
        self.codes.video(code_system, code)
    }

    /// The kinds that a free text speaks of, the best supported first.
    pub fn map_words(&self, text: &str) -> Vec<KindId> {
        self.read_text("", text)
            .kinds
            .iter()
            .map(|hit| hit.kind)
            .collect()
    }

    /// What a text is about. Its title says it best; where there is none, its first sentence stands for one.
    pub fn read_text(&self, title: &str, content: &str) -> TextReading {
        self.words.read(title, content)
    }

    /// What a free text says beyond the kind, in the order of `Hint`.
    pub fn map_hints(&self, text: &str) -> Vec<city_model::Hint> {
        self.words.hints(text)
    }

    /// The rules of a metric, by its name or one that is used for it.
    pub fn metric(&self, name: &str) -> Option<&MetricRule> {
        self.metrics
            .get(name)
            .or_else(|| self.metrics.get(&crate::normal::name_key(name)))
    }

    /// All metrics, by name.
    pub fn metrics(&self) -> Vec<&MetricRule> {
        self.file
            .metrics
            .keys()
            .filter_map(|name| self.metrics.get(name))
            .collect()
    }

    /// How the confidence of a video algorithm is read; an alert that names none is read by what holds for all.
    pub fn algorithm(&self, vendor: &str, name: &str, version: Option<&str>) -> AlgorithmRule {
        self.algorithms.of(vendor, name, version)
    }

    /// The tables of prioritisation.
    pub fn priority(&self) -> &PriorityRules {
        &self.priority
    }

    /// The sentences of explanations.
    pub fn texts(&self) -> &Texts {
        &self.file.texts
    }

    /// Whether a weather signal makes a storm: any but heat and its like.
    pub fn is_storm(&self, signal: &str) -> bool {
        !self.file.weather.without_effect.iter().any(|name| name == signal)
    }

    /// The table that was learned from a labelled history, if there is one.
    pub fn learned(&self) -> Option<&Learned> {
        self.learned.as_ref()
    }

    /// How much the uncertainty of positions widens the radius: k in thousandths.
    pub fn radius_weight_permille(&self) -> i64 {
        self.file.correlation.radius_weight_permille
    }

    /// A radius widened by how vague two positions are: `min(cap, r + k·√(u² + σ²))`, at least 1, in millimetres; `u_mm` is one
    /// sigma of the first and `variance_mm2` the variance of the second.
    pub fn widened_mm(&self, radius_mm: i64, cap_mm: i64, u_mm: i64, variance_mm2: i64) -> i64 {
        let variance = i128::from(u_mm) * i128::from(u_mm) + i128::from(variance_mm2);
        let sigma = i64::try_from(isqrt(variance as u128)).unwrap_or(i64::MAX);
        let widened = sigma.saturating_mul(self.radius_weight_permille()) / 1_000;
        radius_mm.saturating_add(widened).min(cap_mm).max(1)
    }

    /// How long an incident stays open after its last device cleared.
    pub fn clear_after_ms(&self) -> i64 {
        self.file.correlation.clear_after.0
    }

    /// How long a lower score must last before the band follows it.
    pub fn hold_band_ms(&self) -> i64 {
        self.file.correlation.hold_band.0
    }
}

impl PartialEq for Rules {
    fn eq(&self, other: &Rules) -> bool {
        self.version() == other.version()
    }
}

impl Eq for Rules {}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rules({})", self.version())
    }
}
