//! What is left beside something personal once that is gone: "联系人***", "**先生家", "电话". It would part one place in two.

use std::sync::LazyLock;

use regex::Regex;

use crate::privacy::{CUES, NUMBER_CUES, TITLES, WEAK_CUES};

/// Words in front of a name, beside those behind which scrubbing looks for one.
const OTHER_CUES: &str = "请找|找|叫|老板姓|姓|物业经理|小姐|太太|小|老";
const KIN: &str = "女儿|儿子|本人|家属|老伴|丈夫|妻子|朋友|邻居|机主|男|女";

static EACH: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // A name's title, and whose home it is.
        format!(r"\*\*+\s*\(?\s*(?:{TITLES})\)?(?:的?(?:住处|家(?:门口|里|中)?))?"),
        // A word that announced what is gone.
        format!(r"(?i)(?:(?:{CUES}|{WEAK_CUES}|{NUMBER_CUES}|{OTHER_CUES})[\s:,是为叫]*)+\*\*+(?:的?家(?:门口|里|中)?)?"),
        // Whose number it was.
        format!(r"\*\*+\s*[(,]?\s*(?:{KIN})\s*\)?"),
        r"\*\*+的?家(?:门口|里|中)?".to_owned(),
        // A country in front of its number, a form of address in front of a name.
        r"(?:(?:00|\+)?86[\s-]*|(?i:mr|mrs|ms|miss|dr|prof)[.\s]*|之|转)?\*\*+".to_owned(),
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

/// What announces somebody at the very end, where nobody follows.
static AT_END: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:[\s,.:;，。]*(?:联系人|联系电话|联系方式|电话|手机|微信同号|微信|报警人|求助人|投诉人|反映人|姓名|先生|女士|小姐|太太)[\s:,]*)+$",
    )
    .ok()
});

/// An address without what stood beside something personal. Nothing stands in its place but a blank.
pub(super) fn without_leftovers(address: &str) -> String {
    let mut text = address.to_owned();
    for pattern in EACH.iter() {
        if text.contains("**") {
            text = pattern.replace_all(&text, " ").into_owned();
        }
    }
    match AT_END.as_ref() {
        Some(pattern) => pattern.replace(&text, "").into_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_beside_a_person() {
        assert_eq!(EACH.len(), 5);
        for (text, expected) in [
            ("1500弄,联系人:***", "1500弄,"),
            ("1500弄**先生家", "1500弄"),
            ("1500弄(**阿姨家门口)", "1500弄("),
            ("1500弄 电话***", "1500弄"),
            ("1500弄***(女儿)", "1500弄"),
            ("1500弄 联系人 电话:***", "1500弄"),
            ("1500弄先生", "1500弄"),
            ("1500弄**副经理", "1500弄"),
            ("1500弄 经办人***", "1500弄"),
            ("1500弄 名字叫做***", "1500弄"),
            ("1500弄 家属 电话:***", "1500弄"),
            ("1500弄志愿者服务站", "1500弄志愿者服务站"),
            ("经办人大厅", "经办人大厅"),
            ("电话亭", "电话亭"),
            ("电信大楼联系站", "电信大楼联系站"),
            ("居民委员会", "居民委员会"),
        ] {
            assert_eq!(
                without_leftovers(text).trim_end_matches([' ', ')']),
                expected,
                "{text}"
            );
        }
    }
}
