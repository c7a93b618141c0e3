//! From the codes and names of standards, systems and cameras to kinds. A code means nothing without its standard:
//! "0401" is a road collapse in CJ/T 214 and a street vendor in GB/T 30428.2.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::file::{Codes, RulesFile};
use crate::kind::KindId;
use crate::normal::name_key;
use crate::strict::ConfigError;

/// What a code means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The kind.
    pub kind: KindId,
    /// The four digits of GB/T 30428.2-2013, where that is the code's standard or its twin is established.
    pub gb2013: Option<String>,
    /// The five digits of GB/T 47678.5-2026, given, established or derived.
    pub gb2026: Option<String>,
    /// A twin, or the kind itself, follows by rule from the other standard's table or from an equal name.
    pub derived: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standard {
    Gb2013,
    Gb2026,
    Cjt214,
}

impl Standard {
    /// The name of its tables in the rules.
    const fn table(self) -> &'static str {
        match self {
            Standard::Gb2013 => "gb304282013",
            Standard::Gb2026 => "gb476782026",
            Standard::Cjt214 => "cjt2142007",
        }
    }

    /// Tells a standard from any spelling: "GB/T 30428.2-2013", "GBT30428", "gb30428_2013", "CJ/T214".
    fn of(key: &str) -> Option<Standard> {
        if key.contains("30428") {
            Some(Standard::Gb2013)
        } else if key.contains("47678") {
            Some(Standard::Gb2026)
        } else if key.contains("cjt214") || key.contains("cj214") {
            Some(Standard::Cjt214)
        } else {
            None
        }
    }
}

/// Between the parts of a name that stands for several.
const SEPARATORS: [char; 7] = ['、', ',', '/', ';', '·', '|', '及'];
/// What systems add to a name without saying more.
const SUFFIXES: [&str; 5] = ["问题", "现象", "情况", "事件", "类"];

/// What a code means, and what else it may mean.
type Readings = Vec<KindId>;
type Table = FxHashMap<String, FxHashMap<String, Readings>>;

/// Every table from codes and names to kinds.
#[derive(Debug, Clone, Default)]
pub(crate) struct CodeMap {
    events: Table,
    components: Table,
    video: Table,
    names: FxHashMap<String, KindId>,
    /// 2013 to 2026, established.
    later: FxHashMap<String, String>,
    /// 2026 to 2013, established.
    earlier: FxHashMap<String, String>,
    /// 2007 to 2013, by equal names.
    renumbered: FxHashMap<String, String>,
}

impl CodeMap {
    pub(crate) fn new(file: &RulesFile, id: impl Fn(&str) -> Option<KindId>) -> CodeMap {
        let table = |codes: &Codes| -> Table {
            let mut table = Table::default();
            for (system, codes) in codes {
                // Two spellings of one system are one table.
                let own = table.entry(system_key(system).into_owned()).or_default();
                own.extend(codes.iter().map(|(code, kinds)| {
                    let readings: Readings = readings(kinds).filter_map(&id).collect();
                    (code_key(code).into_owned(), readings)
                }));
            }
            table
        };
        let pair = |(old, new): (&String, &String)| (code_key(old).into_owned(), code_key(new).into_owned());
        CodeMap {
            events: table(&file.codes),
            components: table(&file.components),
            video: table(&file.video.codes),
            names: file
                .names
                .iter()
                .filter_map(|(name, kinds)| Some((name_key(name), id(readings(kinds).next()?)?)))
                .collect(),
            later: file.pairs.iter().map(pair).collect(),
            earlier: file.pairs.iter().map(pair).map(|(old, new)| (new, old)).collect(),
            renumbered: file.renumbered.iter().map(pair).collect(),
        }
    }

    pub(crate) fn code(&self, standard: &str, code: &str) -> Option<Mapped> {
        let system = system_key(standard);
        let code = code_key(code);
        let Some(standard) = Standard::of(&system) else {
            let kind = *self
                .events
                .get(&*system)
                .or_else(|| self.components.get(&*system))?
                .get(&*code)?
                .first()?;
            return Some(Mapped {
                kind,
                gb2013: None,
                gb2026: None,
                derived: false,
            });
        };
        let component_table = names_components(&system);
        match (standard, code.len(), component_table) {
            // Six digits of the district come first in an event's code, and six of a serial number last in a component's.
            (Standard::Gb2026, 5, _) => self.of_2026(&code),
            (Standard::Gb2026, 11, _) => self.of_2026(code.get(6..)?),
            (Standard::Gb2026, 17, _) => self.of_2026(code.get(6..11)?),
            (Standard::Gb2013, 4, false) => self.of_2013(&code),
            (Standard::Gb2013, 10, _) => self.of_2013(code.get(6..)?),
            (Standard::Cjt214, 4, false) => self.of_2007(&code),
            (Standard::Cjt214, 10, _) => self.of_2007(code.get(6..)?),
            (_, 4, true) => self.plain(&self.components, standard, &code),
            (_, 16, _) => self.plain(&self.components, standard, code.get(6..10)?),
            _ => None,
        }
    }

    fn plain(&self, tables: &Table, standard: Standard, code: &str) -> Option<Mapped> {
        let kind = look_up(tables, standard, code)?;
        Some(Mapped {
            kind,
            gb2013: None,
            gb2026: None,
            derived: false,
        })
    }

    /// A code of 2007 says nothing of the later lists but where those have an item of the same name.
    fn of_2007(&self, code: &str) -> Option<Mapped> {
        let plain = self.plain(&self.events, Standard::Cjt214, code)?;
        let gb2013 = self.renumbered.get(code).cloned();
        let later = |code: &String| self.later.get(code).cloned().or_else(|| later_code(code));
        Some(Mapped {
            gb2026: gb2013.as_ref().and_then(later),
            derived: gb2013.is_some(),
            gb2013,
            ..plain
        })
    }

    fn of_2013(&self, code: &str) -> Option<Mapped> {
        let established = self.later.get(code).cloned();
        let later = established.clone().or_else(|| later_code(code));
        let own = look_up(&self.events, Standard::Gb2013, code);
        let kind = own.or_else(|| look_up(&self.events, Standard::Gb2026, later.as_deref()?))?;
        let derived = later.is_some() && established.is_none();
        Some(Mapped {
            kind,
            gb2013: Some(code.to_owned()),
            gb2026: later,
            derived,
        })
    }

    fn of_2026(&self, code: &str) -> Option<Mapped> {
        let gb2026 = Some(code.to_owned());
        let earlier = self.earlier.get(code).cloned();
        // By the rule only where the older list has such an item: 2026 has some that 2013 lacks.
        let by_rule =
            || earlier_code(code).filter(|old| look_up(&self.events, Standard::Gb2013, old).is_some());
        let own = look_up(&self.events, Standard::Gb2026, code);
        // Events and components share no class in 2026, so one code needs no word on which it is.
        let own = own.or_else(|| look_up(&self.components, Standard::Gb2026, code));
        let derived = earlier.is_none() || own.is_none();
        let earlier = earlier.or_else(by_rule);
        let of_older = || look_up(&self.events, Standard::Gb2013, earlier.as_deref()?);
        Some(Mapped {
            kind: own.or_else(of_older)?,
            derived: derived && earlier.is_some(),
            gb2013: earlier,
            gb2026,
        })
    }

    pub(crate) fn name(&self, name: &str) -> Option<KindId> {
        let key = name_key(name);
        let known = |name: &str| {
            // "暴露垃圾问题" and "暴露垃圾类" say no more than "暴露垃圾".
            let bare = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
            self.names.get(name).or_else(|| self.names.get(bare?))
        };
        let part = || key.split(SEPARATORS).find_map(known);
        known(&key).or_else(part).copied()
    }

    pub(crate) fn video(&self, system: &str, code: &str) -> &[KindId] {
        let code = code_key(code);
        let own = self
            .video
            .get(&*system_key(system))
            .and_then(|codes| codes.get(&*code));
        let any = || self.video.get("labels")?.get(&*code);
        own.or_else(any).map_or(&[], Vec::as_slice)
    }
}

fn look_up(tables: &Table, standard: Standard, code: &str) -> Option<KindId> {
    tables.get(standard.table())?.get(code)?.first().copied()
}

/// The kinds that a mapping names: the first is what it means, the others what it may mean as well.
pub(crate) fn readings(kinds: &str) -> impl Iterator<Item = &str> {
    kinds.split('|').map(str::trim)
}

/// A code of 2026 from one of 2013: five more for the class, a zero between. It holds for all eight pairs that both
/// lists publish; local codes (90 to 98) have no ancestor's successor, and 99 is "other" in one list only.
fn later_code(code: &str) -> Option<String> {
    let class: u8 = code.get(..2)?.parse().ok()?;
    let item: u8 = code.get(2..)?.parse().ok()?;
    ((1..=6).contains(&class) && (1..90).contains(&item)).then(|| format!("{:02}0{item:02}", class + 5))
}

/// The inverse of `later_code`.
fn earlier_code(code: &str) -> Option<String> {
    let class: u8 = code.get(..2)?.parse().ok()?;
    let item: u16 = code.get(2..)?.parse().ok()?;
    ((6..=11).contains(&class) && (1..90).contains(&item)).then(|| format!("{:02}{item:02}", class - 5))
}

/// The table beside those of code systems.
const ALGORITHMS: &str = "algorithms";

/// Writes systems, codes and names of a file as they are compared. Otherwise "0110" of one file would stand beside "01-10"
/// of an earlier one instead of replacing it, and chance would decide between them.
///
/// # Errors
/// When one file maps two spellings of one code or name to different kinds.
pub(crate) fn one_spelling(file: &str, text: &str, table: &mut toml::Table) -> Result<(), ConfigError> {
    for section in ["codes", "components", "video"] {
        let Some(toml::Value::Table(systems)) = table.remove(section) else {
            continue;
        };
        let mut merged = toml::Table::new();
        for (system, codes) in systems {
            if section == "video" && system == ALGORITHMS {
                merged.insert(system, codes); // vendors write their names as they like
                continue;
            }
            let toml::Value::Table(codes) = codes else {
                continue;
            };
            let own = merged
                .entry(system_key(&system).into_owned())
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            let toml::Value::Table(own) = own else { continue };
            for (code, kind) in codes {
                enter(file, text, own, code_key(&code).into_owned(), &code, kind)?;
            }
        }
        table.insert(section.to_owned(), toml::Value::Table(merged));
    }
    if let Some(toml::Value::Table(names)) = table.remove("names") {
        let mut merged = toml::Table::new();
        for (name, kind) in names {
            enter(file, text, &mut merged, name_key(&name), &name, kind)?;
        }
        table.insert("names".to_owned(), toml::Value::Table(merged));
    }
    Ok(())
}

fn enter(
    file: &str,
    text: &str,
    table: &mut toml::Table,
    key: String,
    written: &str,
    kind: toml::Value,
) -> Result<(), ConfigError> {
    if let Some(other) = table.get(&key).filter(|other| **other != kind) {
        let at = ConfigError::unknown_name(file, text, "", written, []);
        let message =
            format!("\"{written}\" is mapped to {kind} here and to {other} in another spelling of it");
        return Err(ConfigError {
            line: at.line,
            ..ConfigError::new(file, written, message)
        });
    }
    table.insert(key, kind);
    Ok(())
}

/// How many digits a code has in a standard's own tables, by the system's key; `None` for other lists.
pub(crate) fn required_length(system: &str) -> Option<usize> {
    Standard::of(system).map(|standard| match standard {
        Standard::Gb2026 => 5,
        Standard::Gb2013 | Standard::Cjt214 => 4,
    })
}

/// A system's name without what differs between spellings; the three standards have one name each.
pub(crate) fn system_key(system: &str) -> Cow<'_, str> {
    let key = code_key(system);
    match Standard::of(&key) {
        Some(standard) if !names_components(&key) => Cow::Borrowed(standard.table()),
        _ => key,
    }
}

/// Whether a system's key names the table of components of a standard.
fn names_components(system: &str) -> bool {
    system.contains("component") || system.contains("部件")
}

/// A code without separators, width and case: "01-10" is "0110".
pub(crate) fn code_key(code: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if code.bytes().all(is_plain) {
        return Cow::Borrowed(code);
    }
    let mut key = name_key(code);
    key.retain(char::is_alphanumeric);
    Cow::Owned(key)
}
