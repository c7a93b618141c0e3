//! A place that a caller names in running text: a road with a house's number, or two roads that cross.
//!
//! It is taken only where it is plain where the road's name begins, for running text holds names of people as well.

use std::sync::LazyLock;

use regex::Regex;

use crate::privacy::{begins_like_a_name, half_width};

/// Longest text that is looked through, in characters: callers say where it is at the beginning.
const MOST_CHARS: usize = 600;
/// Longest name of a road whose first word nothing parts from what stands before.
const MOST_UNSURE: usize = 3;

/// A road and a number, or a road and a road.
const PLACE: &str = r"(\p{Han}{1,16}?)(公路|大道|支路|路|街|巷)\s?(?:第?(?:[0-9]{1,5}|[一二三四五六七八九十百千零〇]{1,6})(?:-[0-9]{1,3})?\s?[弄号](?:(?:[0-9]{1,4}|[一二三四五六七八九十百]{1,4})号楼?)?|(?:近|靠近|与|和|[/、,])?\s?\p{Han}{1,6}?(?:公路|大道|支路|路|街|巷)(?:的?(?:十字|丁字|三岔)?(?:交叉|交汇)?(?:路口|口|处)))";
/// Behind these the name of a place begins. A region is one of them: it is read from the address as well.
const BEGINNINGS: &str = r"反映|位于|地址是|地址|来电|来信|投诉|举报|称|说|表示|家住|住在|走到|路过|途经|经过|一下|看到|发现|就在|是在|在|至|往|从|[区县镇乡]|街道|街道办|社区";

struct Patterns {
    place: Regex,
    beginnings: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    Some(Patterns {
        place: Regex::new(PLACE).ok()?,
        beginnings: Regex::new(BEGINNINGS).ok()?,
    })
});

/// What a text says of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// An address.
    Address(String),
    /// One that cannot be taken out of its sentence.
    Somewhere,
}

/// The first place that a text names; `None` where it names none.
pub(crate) fn in_text(text: &str) -> Option<Told> {
    if !text.contains(['路', '街', '巷', '道']) {
        return None;
    }
    let Patterns { place, beginnings } = PATTERNS.as_ref()?;
    let text: String = half_width(text).chars().take(MOST_CHARS).collect();
    let found = place.captures(&text)?;
    let (whole, name) = (found.get(0)?, found.get(1)?);
    let cut = beginnings.find_iter(name.as_str()).map(|word| word.end()).last();
    let from = name.start() + cut.unwrap_or(0);
    let road: Vec<char> = text.get(from..name.end())?.chars().collect();
    // Nothing but the text's beginning or a sign tells where the road's name begins: somebody's may stand before it.
    let is_unsure = cut.is_none() && road.len() > MOST_UNSURE && begins_like_a_name(&road);
    if road.is_empty() || road.len() > 6 || is_unsure {
        return Some(Told::Somewhere);
    }
    Some(Told::Address(text.get(from..whole.end())?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_running_text() {
        assert!(PATTERNS.is_some());
        let address = |text: &str| Some(Told::Address(text.to_owned()));
        let check = |text: &str, expected: Option<Told>| assert_eq!(in_text(text), expected, "{text}");
        check("谷阳北路1500弄积水严重", address("谷阳北路1500弄"));
        check(
            "市民来电反映:松江区谷阳北路1500弄23号302室漏水,要求处理",
            address("谷阳北路1500弄23号"),
        );
        check(
            "松江区中山街道谷阳北路与乐都路路口道路积水",
            address("谷阳北路与乐都路路口"),
        );
        check("市民反映谷阳北路一千五百弄积水", address("谷阳北路一千五百弄"));
        check("谷阳北路第1500弄积水", address("谷阳北路第1500弄"));
        check("我在沪松公路88号看到积水", address("沪松公路88号"));
        check("张三荣乐路12号积水", Some(Told::Somewhere));
        check("您好我想问谁来管管谷阳北路12号积水", Some(Told::Somewhere));
        check("家门口积水", None);
        check("道路积水", None);
        check("9号线路边积水", None);
        check("公交12路3号车积水", None);
    }
}
