//! What a later file does to an earlier one without saying so: lists of words that it replaces, thresholds that are out of
//! reach, units that measure something else; and phrases that another one of their list makes idle.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Search, line_in, quoted};
use crate::file::overlay;
use crate::normal::text_key;
use crate::unit;
use crate::words::parts;

/// The parts of a metric that are numbers in its unit.
const IN_UNIT: [&str; 4] = ["alarm", "clear", "min", "max"];

impl Search<'_> {
    /// A phrase of one word that holds another phrase of its list: wherever it stands the other one stands as well, and it
    /// only counts for more. The built-in lists mean that.
    pub(super) fn shadowed_phrases(&mut self) {
        for (file, text, rules) in self
            .files
            .iter()
            .filter(|(file, ..)| !file.starts_with("builtin/"))
        {
            for (kind, words) in &rules.words {
                let single = |phrase: &str| match parts(phrase).as_slice() {
                    [alternatives] => alternatives.iter().map(|word| text_key(word)).collect(),
                    _ => Vec::new(),
                };
                let all: Vec<(&String, Vec<String>)> =
                    words.any.iter().map(|phrase| (phrase, single(phrase))).collect();
                for (phrase, own) in all.iter().filter(|(_, own)| !own.is_empty()) {
                    let shorter = |word: &String| {
                        let others = all.iter().flat_map(|(_, others)| others);
                        others
                            .into_iter()
                            .find(|other| *other != word && word.contains(*other))
                    };
                    if let Some(other) = own.first().and_then(shorter)
                        && own.iter().all(|word| shorter(word).is_some())
                    {
                        let line = line_in(text, &["words", kind], &[&quoted(phrase)]);
                        let message = format!(
                            "\"{phrase}\": holds \"{other}\", which matches wherever it does; it only counts for more"
                        );
                        self.tell(file, line, format!("words.{kind}.any"), message);
                    }
                }
            }
        }
    }

    /// A later file's list of words leaves out phrases of an earlier one.
    pub(super) fn replaced_lists(&mut self) {
        let mut known: BTreeMap<&str, (&str, Option<usize>, &[String])> = BTreeMap::new();
        for (file, text, rules) in self.files {
            let stated = tables(text, "words");
            for (kind, words) in &rules.words {
                // An absent list leaves the earlier one in force, an empty one does not.
                if stated.get(kind).and_then(|table| table.get("any")).is_none() {
                    continue;
                }
                let line = line_in(text, &["words", kind], &["any"]);
                if let Some((earlier, at, phrases)) = known.insert(kind, (file, line, &words.any)) {
                    let lost = phrases
                        .iter()
                        .filter(|phrase| !words.any.contains(phrase))
                        .count();
                    if lost > 0 {
                        let place = at.map_or(String::new(), |line| format!(":{line}"));
                        let (all, own) = (phrases.len(), words.any.len());
                        let message = format!(
                            "{own} phrases replace those of {earlier}{place}: {lost} of its {all} hold no longer"
                        );
                        self.tell(file, line, format!("words.{kind}.any"), message);
                    }
                }
            }
        }
    }

    /// Thresholds that no possible value reaches, and units of another kind than the numbers were written for.
    pub(super) fn thresholds(&mut self) {
        let mut merged = Table::new();
        for (file, text, _) in self.files {
            for (metric, stated) in tables(text, "metrics") {
                let before = merged.get(&metric).and_then(Value::as_table).cloned();
                let mut one = Table::new();
                one.insert(metric.clone(), Value::Table(stated.clone()));
                overlay(&mut merged, one);
                let Some(now) = merged.get(&metric).and_then(Value::as_table) else {
                    continue;
                };
                let line = |key: &str| line_in(text, &["metrics", &metric], &[key]);
                if let Some(message) = out_of_reach(now) {
                    let key = IN_UNIT.iter().find(|key| stated.contains_key(**key));
                    if let Some(key) = key {
                        self.tell(file, line(key), format!("metrics.{metric}.{key}"), message);
                    }
                }
                let unit = |table: &Table| table.get("unit").and_then(Value::as_str).map(str::to_owned);
                if let (Some(old), Some(new)) = (before.as_ref().and_then(unit), unit(&stated))
                    && old != new
                    && let Some(message) = of_another_unit(&old, &new, &stated)
                {
                    self.tell(file, line("unit"), format!("metrics.{metric}.unit"), message);
                }
            }
        }
    }
}

/// The tables under one section of a file, as written.
fn tables(text: &str, section: &str) -> BTreeMap<String, Table> {
    // It was parsed before, so it parses.
    let mut file: Table = text.parse().unwrap_or_default();
    let Some(Value::Table(section)) = file.remove(section) else {
        return BTreeMap::new();
    };
    let tables = section.into_iter();
    tables
        .filter_map(|(name, value)| match value {
            Value::Table(table) => Some((name, table)),
            _ => None,
        })
        .collect()
}

fn out_of_reach(metric: &Table) -> Option<String> {
    let number = |key: &str| {
        let value = metric.get(key)?;
        value
            .as_float()
            .or_else(|| value.as_integer().map(|value| value as f64))
    };
    let is = |key: &str| metric.get(key).and_then(Value::as_bool) == Some(true);
    if is("boolean") {
        return None;
    }
    let (alarm, clear) = (number("alarm")?, number("clear")?);
    let (min, max) = (number("min")?, number("max")?);
    if is("falls") && alarm < min || !is("falls") && alarm > max {
        let bound = if is("falls") {
            format!("below min = {min}")
        } else {
            format!("above max = {max}")
        };
        return Some(format!("alarm = {alarm} is {bound}, so no possible value alarms"));
    }
    let never_clears = if is("falls") {
        clear > max
    } else {
        clear < min && !is("magnitude")
    };
    never_clears
        .then(|| format!("clear = {clear} lies outside {min} to {max}, so no possible value ends an alarm"))
}

/// `None` where the file states every number anew and the new unit measures the same.
fn of_another_unit(old: &str, new: &str, stated: &Table) -> Option<String> {
    if unit::convert(1.0, old, new).is_err() {
        return Some(format!("\"{new}\" does not measure what \"{old}\" did"));
    }
    let kept: Vec<&str> = IN_UNIT
        .into_iter()
        .filter(|key| !stated.contains_key(*key))
        .collect();
    (!kept.is_empty()).then(|| {
        let kept = kept.join(", ");
        format!("\"{new}\" replaces \"{old}\", and the numbers written for it stay: {kept}")
    })
}
