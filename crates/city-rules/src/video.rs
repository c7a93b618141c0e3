//! What video algorithms can be believed: from which confidence on an alert counts, and from which it is sure.

use std::collections::BTreeMap;
use std::fmt;

use rustc_hash::FxHashMap;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::file::Codes;
use crate::normal::name_key;
use crate::number::Thousandths;

/// The name under which the rules keep what holds for every algorithm that they do not name.
const ANY: &str = "*";

/// How an algorithm's confidence is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlgorithmRule {
    /// Below this an alert is `below_threshold`, in thousandths.
    pub accept_permille: i64,
    /// From this on it is sure, in thousandths.
    pub sure_permille: i64,
    /// What a camera sees stands about so far in front of its pole: one sigma, in millimetres.
    pub reach_mm: i64,
}

/// `[video]`: code systems, and beside them the algorithms.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Video {
    pub(crate) algorithms: BTreeMap<String, RawAlgorithm>,
    #[serde(flatten)]
    pub(crate) codes: Codes,
}

/// Read by hand, because a flattened map would lose the lines of its mistakes.
impl<'de> Deserialize<'de> for Video {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Video, D::Error> {
        struct Tables;
        impl<'de> Visitor<'de> for Tables {
            type Value = Video;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of code systems and algorithms")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Video, A::Error> {
                let mut video = Video::default();
                while let Some(key) = map.next_key::<String>()? {
                    if key == "algorithms" {
                        video.algorithms = map.next_value()?;
                    } else {
                        video.codes.insert(key, map.next_value()?);
                    }
                }
                Ok(video)
            }
        }
        deserializer.deserialize_map(Tables)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawAlgorithm {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accept: Option<Thousandths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sure: Option<Thousandths>,
    /// Metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reach: Option<Thousandths>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) versions: BTreeMap<String, RawVersion>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawVersion {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accept: Option<Thousandths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sure: Option<Thousandths>,
}

/// The algorithms, by "vendor/name" and by "vendor/name" and version.
#[derive(Debug, Clone)]
pub(crate) struct Algorithms {
    any: AlgorithmRule,
    named: FxHashMap<String, (AlgorithmRule, FxHashMap<String, AlgorithmRule>)>,
}

impl Algorithms {
    /// Reads them; a mistake is told with the name that has it.
    pub(crate) fn new(raw: &BTreeMap<String, RawAlgorithm>) -> Result<Algorithms, (String, String)> {
        let last = AlgorithmRule {
            accept_permille: 0,
            sure_permille: 900,
            reach_mm: 60_000,
        };
        let any = match raw.get(ANY) {
            Some(any) => laid_on(ANY, last, any.accept, any.sure, any.reach)?,
            None => last,
        };
        let mut named = FxHashMap::default();
        for (name, own) in raw.iter().filter(|(name, _)| *name != ANY) {
            if name.split('/').filter(|part| !part.trim().is_empty()).count() != 2 {
                let message = format!("algorithm \"{name}\": write \"VENDOR/NAME\", or \"*\" for all others");
                return Err((name.clone(), message));
            }
            let rule = laid_on(name, any, own.accept, own.sure, own.reach)?;
            let mut versions = FxHashMap::default();
            for (version, raw) in &own.versions {
                let place = format!("{name} {version}");
                let of_version =
                    laid_on(&place, rule, raw.accept, raw.sure, None).map_err(|(_, m)| (name.clone(), m))?;
                versions.insert(version.trim().to_owned(), of_version);
            }
            named.insert(name_key(name), (rule, versions));
        }
        Ok(Algorithms { any, named })
    }

    pub(crate) fn of(&self, vendor: &str, name: &str, version: Option<&str>) -> AlgorithmRule {
        let key = || name_key(&format!("{vendor}/{name}"));
        let Some((rule, versions)) = (!self.named.is_empty())
            .then(key)
            .and_then(|key| self.named.get(&key))
        else {
            return self.any;
        };
        let of_version = version.and_then(|version| versions.get(version.trim()));
        of_version.copied().unwrap_or(*rule)
    }
}

fn laid_on(
    name: &str,
    under: AlgorithmRule,
    accept: Option<Thousandths>,
    sure: Option<Thousandths>,
    reach: Option<Thousandths>,
) -> Result<AlgorithmRule, (String, String)> {
    let value = |own: Option<Thousandths>, below: i64| own.map_or(below, |own| own.0);
    let rule = AlgorithmRule {
        accept_permille: value(accept, under.accept_permille),
        sure_permille: value(sure, under.sure_permille),
        reach_mm: value(reach, under.reach_mm),
    };
    let sound = 0 <= rule.accept_permille
        && rule.accept_permille <= rule.sure_permille
        && rule.sure_permille <= 1_000
        && (1_000..=1_000_000).contains(&rule.reach_mm);
    if sound {
        return Ok(rule);
    }
    let message = format!("algorithm \"{name}\": 0 <= accept <= sure <= 1, and a reach of 1 to 1,000 metres");
    Err((name.to_owned(), message))
}
