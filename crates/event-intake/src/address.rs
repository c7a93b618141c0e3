//! One spelling for an address, without the flat: what callers without coordinates have in common.

use std::sync::LazyLock;

use city_model::Name;
use regex::Regex;

use crate::privacy::{before_flat, half_width, scrub};

/// Longest key, in characters.
const MAX_CHARS: usize = 80;

/// A flat number without the word: "23号302", "23号楼-302", "5幢-12".
static BARE_FLAT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(号楼|号|幢|栋|座|单元|楼)\s*[-—~]?\s*[0-9]{2,4}\s*$").ok());
/// A flat number behind a dash: "1500弄23-302".
static DASHED_FLAT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"([0-9]+)\s*[-—~]\s*[0-9]{1,4}(?:\s*[-—~]\s*[0-9]{1,4})?\s*$").ok());

/// The key of an address; `None` when nothing of it is left.
pub(crate) fn key(address: &str) -> Option<Name> {
    let mut text = half_width(address);
    // A pattern that did not compile must not let a flat number through.
    text = before_flat(&text)?.to_owned();
    text = BARE_FLAT.as_ref()?.replace(&text, "$1").into_owned();
    text = DASHED_FLAT.as_ref()?.replace(&text, "$1").into_owned();
    let text = scrub(&text);
    let key: String = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .take(MAX_CHARS)
        .collect();
    (!key.is_empty()).then(|| key.into())
}

/// How precise an address reads, for coordinates that do not say how they were found.
pub(crate) fn quality(address: Option<&str>) -> city_model::Quality {
    use city_model::Quality;
    let Some(address) = address.map(half_width) else {
        return Quality::Poi;
    };
    let numbered = |sign: char| {
        address
            .match_indices(sign)
            .any(|(at, _)| address[..at].trim_end().ends_with(|c: char| c.is_ascii_digit()))
    };
    if numbered('号') && !address.contains("号线") || numbered('弄') {
        Quality::Door
    } else if address.contains("路口") || address.contains("交叉") || address.matches('路').count() >= 2
    {
        Quality::Intersection
    } else {
        Quality::Poi
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use city_model::Quality;

    #[test]
    fn one_place_is_one_key_without_the_flat() {
        let check = |address: &str, expected: Option<&str>| {
            assert_eq!(key(address).as_deref(), expected, "{address}")
        };
        check("谷阳北路１５００弄 23号302室", Some("谷阳北路1500弄23号"));
        check("谷阳北路1500弄，23号", Some("谷阳北路1500弄23号"));
        check(
            "谷阳北路1500弄23号三〇二室（张先生家）",
            Some("谷阳北路1500弄23号"),
        );
        check("谷阳北路1500弄23号302", Some("谷阳北路1500弄23号"));
        check("谷阳北路1500弄23-302", Some("谷阳北路1500弄23"));
        check("G60 K12+800", Some("g60k12800"));
        check("金地褐石苑 13812345678", Some("金地褐石苑"));
        check("302室", None);
        check(" ，。", None);
    }

    #[test]
    fn an_address_says_how_precise_it_is() {
        let check =
            |address: &str, expected: Quality| assert_eq!(quality(Some(address)), expected, "{address}");
        check("谷阳北路1500弄23号", Quality::Door);
        check("沪松公路 88号", Quality::Door);
        check("人民北路文诚路", Quality::Intersection);
        check("文诚路口", Quality::Intersection);
        check("金地褐石苑", Quality::Poi);
        check("地铁9号线九亭站3号口", Quality::Poi);
        assert_eq!(quality(None), Quality::Poi);
    }
}
