//! House numbers in words: "十五弄二十三号" is "15弄23号", and so is "第15弄23号". Numbers in names stay: "三新路", "五一广场".

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Words that follow a counted number in an address, or several that share the word: 三、五号.
static COUNTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"([零〇○一二三四五六七八九十百千两]+(?:\s?[、,/~—至到和-]\s?[零〇○一二三四五六七八九十百千两]+)*)(号楼|号线|号口|号门|号|弄|幢|栋|座|单元|室|支弄|期)")
        .ok()
});

/// A number that is said as an ordinal.
static ORDINAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"第\s*([0-9]+\s*(?:号|弄|幢|栋|座|单元|室|支弄|期))").ok());

/// The text with counted numbers in digits. What is no number stays as it is.
pub(super) fn in_digits(text: &str) -> Cow<'_, str> {
    let (Some(counted), Some(ordinal)) = (COUNTED.as_ref(), ORDINAL.as_ref()) else {
        return Cow::Borrowed(text);
    };
    let digits = counted.replace_all(text, |found: &Captures<'_>| match numbers(&found[1]) {
        Some(numbers) => format!("{numbers}{}", &found[2]),
        None => found[0].to_owned(),
    });
    if !digits.contains('第') {
        return digits;
    }
    Cow::Owned(ordinal.replace_all(&digits, "$1").into_owned())
}

/// Each number in a list of them, with what parts them as it is; `None` if one of them is no number.
fn numbers(list: &str) -> Option<String> {
    let is_numeral = |c: char| "零〇○一二三四五六七八九十百千两".contains(c);
    let mut digits = String::with_capacity(list.len());
    let mut rest = list;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_numeral(c)).unwrap_or(rest.len());
        digits.push_str(&number(rest.get(..end)?)?.to_string());
        rest = rest.get(end..)?;
        let next = rest.find(is_numeral).unwrap_or(rest.len());
        digits.push_str(rest.get(..next)?);
        rest = rest.get(next..)?;
    }
    Some(digits)
}

/// The number that the numerals say: place by place ("三〇二"), or with units ("二十三", "一千五百").
fn number(numerals: &str) -> Option<u32> {
    let digit = |c: char| {
        "零一二三四五六七八九"
            .chars()
            .position(|d| d == c)
            .map(|at| at as u32)
    };
    let digit = |c: char| match c {
        '〇' | '○' => Some(0),
        '两' => Some(2),
        c => digit(c),
    };
    let unit = |c: char| match c {
        '十' => Some(10),
        '百' => Some(100),
        '千' => Some(1_000),
        _ => None,
    };
    if numerals.chars().count() > 7 {
        return None;
    }
    if numerals.chars().all(|c| digit(c).is_some()) {
        return Some(numerals.chars().filter_map(digit).fold(0, |sum, d| sum * 10 + d));
    }
    let (mut sum, mut pending, mut least) = (0, None, u32::MAX);
    for c in numerals.chars() {
        if let Some(unit) = unit(c) {
            // Units go down; only ten may stand without a digit before it.
            if unit >= least || (pending.is_none() && unit != 10) {
                return None;
            }
            sum += pending.take().unwrap_or(1) * unit;
            least = unit;
        } else {
            let digit = digit(c)?;
            match (pending, digit) {
                (None, 0) => {}
                (None, digit) => pending = Some(digit),
                (Some(_), _) => return None,
            }
        }
    }
    // "一百五" is 150, "一百零五" is 105.
    let rest = pending.unwrap_or(0);
    let short = least > 10 && least != u32::MAX && !numerals.contains(['零', '〇', '○']);
    Some(sum + if short { rest * (least / 10) } else { rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("一千五百弄", "1500弄"),
            ("二十三号", "23号"),
            ("十号", "10号"),
            ("十五弄", "15弄"),
            ("一百零五号", "105号"),
            ("一百五号", "150号"),
            ("三〇二室", "302室"),
            ("两百弄", "200弄"),
            ("百十号", "百十号"),
            ("十百号", "十百号"),
            ("三、五号", "3、5号"),
            ("二十三至二十九号", "23至29号"),
            ("三、百十号", "三、百十号"),
            ("三新路", "三新路"),
            ("一二三四五六七八号", "一二三四五六七八号"),
        ] {
            assert_eq!(in_digits(text), expected, "{text}");
        }
    }
}
