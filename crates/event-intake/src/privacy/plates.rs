//! Number plates of vehicles: of every province, of new energy, of the police, with or without signs inside.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, digit};

/// A province's sign and the office's letter, then five or six signs, or four and a last one in words.
/// `SIGN` stands for one that may be in words.
const PLATE: &str = r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领]牌?\s?[A-Za-z]\s?[·•.:\-_ —–−/|]{0,2}\s?(?:(?:[A-Za-z0-9][·•.\- ]?){4}[A-Za-z0-9](?:[·•.\-]?[A-Za-z0-9])?|(?:SIGN[·•.\- ]?){4}SIGN(?:[·•.\-]?SIGN)?|SIGN{4}[警学挂港澳领试超])";
/// The armed police's, and one of which only a word tells that it is a plate.
const OTHERS: &str = r"(?i)(WJ[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]?\s?[0-9]{4,5}[0-9A-Z]?)|(?:车牌|牌照|车号|牌号)(?:号码|号)?\s*[:是为]?\s*([A-Z]?[·\- ]?(?:[A-Z0-9]{4,7}|[0-9A-Z一二三四五六七八九零〇幺]{5,7}))";

/// What makes a sign of the street of 牌, whose number is no vehicle's: 路牌号, 站牌号.
const OF_A_SIGN: &str = "路站杆灯门楼示告志识名铭井桥栏箱柜招警";

/// A sign of a plate; a digit may be told in words.
const SIGN: &str = "[A-Za-z0-9一二三四五六七八九零〇幺壹贰叁肆伍陆柒捌玖]";

static EACH: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [PLATE, OTHERS]
        .iter()
        .filter_map(|pattern| Regex::new(&pattern.replace("SIGN", SIGN)).ok())
        .collect()
});

pub(super) fn find(text: &str) -> Vec<Found> {
    // A letter is in every plate but those that a word tells.
    let has_letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let has_digit = text.chars().any(|c| digit(c).is_some());
    if !has_digit || !has_letter && !text.contains(['牌', '车']) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for pattern in EACH.iter() {
        for groups in pattern.captures_iter(text) {
            let Some(what) = groups.iter().skip(1).flatten().next().or(groups.get(0)) else {
                continue;
            };
            let is_sign = groups.get(0).is_some_and(|whole| {
                let before = text.get(..whole.start()).unwrap_or_default();
                whole.as_str().starts_with("牌号") && before.ends_with(|c| OF_A_SIGN.contains(c))
            });
            // A plate has digits; G60 with a station behind it is a road.
            if !is_sign && what.as_str().chars().filter(|c| digit(*c).is_some()).count() >= 2 {
                found.push(Found::gone(what.start(), what.end()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(EACH.len(), 2);
    }
}
