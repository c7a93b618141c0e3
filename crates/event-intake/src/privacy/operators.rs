//! Which names of accounts are a person's name and nothing else.
//!
//! A desk, a shift or a post is told by its word; what has none and reads like a name is taken for one.

use super::{half_width, is_han};

/// Words of desks, shifts and posts.
const POSTS: [&str; 46] = [
    "中心", "值班", "值守", "当班", "早班", "中班", "晚班", "夜班", "白班", "调度", "指挥", "坐席", "座席",
    "平台", "系统", "管理", "领导", "主任", "科", "处", "室", "局", "所", "站", "组", "队", "岗", "台", "席",
    "员", "部", "办", "班", "机", "自动", "测试", "城管", "网格", "市政", "水务", "应急", "公安", "消防",
    "街道", "镇", "热线",
];
/// The same in Latin letters.
const POSTS_LATIN: [&str; 26] = [
    "admin", "auto", "center", "centre", "command", "control", "day", "desk", "dispatch", "duty", "grid",
    "group", "head", "night", "officer", "op", "operator", "post", "room", "shift", "station", "super",
    "system", "team", "test", "unit",
];
/// Forms of address in Latin letters.
const TITLES_LATIN: [&str; 6] = ["mr", "mrs", "ms", "miss", "dr", "prof"];

/// Whether a text is a person's name: two to four Chinese characters or more with a dot, or two to four words in Latin
/// letters, of which none is a post's.
pub(super) fn is_name(text: &str) -> bool {
    let text = half_width(text);
    let text = text.trim();
    if text.is_ascii() {
        return is_latin_name(text);
    }
    let length = text.chars().count();
    let has_dot = text.contains('·');
    let is_like_one = text.chars().all(|c| is_han(c) || c == '·' || c == ' ')
        && (2..=if has_dot { 20 } else { 5 }).contains(&length);
    is_like_one && !POSTS.iter().any(|post| text.contains(post))
}

fn is_latin_name(text: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_alphabetic() || matches!(c, ' ' | '.' | '-' | '\'' | ',');
    if !text.chars().all(is_sign) {
        return false;
    }
    let words: Vec<String> = text
        .split([' ', '.', ','])
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let is_post = words
        .iter()
        .any(|word| POSTS_LATIN.iter().any(|post| is_of(word, post)));
    let is_addressed = words.len() > 1
        && words
            .first()
            .is_some_and(|first| TITLES_LATIN.contains(&first.as_str()));
    is_addressed || (2..=4).contains(&words.len()) && !is_post
}

/// The post's word, or several of it.
fn is_of(word: &str, post: &str) -> bool {
    word.strip_prefix(post)
        .is_some_and(|rest| matches!(rest, "" | "s" | "er" | "or"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_posts() {
        for name in [
            "张三",
            "欧阳明日",
            "尼格买提",
            "买买提·艾力",
            "Zhang San",
            "ZHANG SAN",
            "Mr. John Smith",
            "zhang.san",
            "Mr Duty",
        ] {
            assert!(is_name(name), "{name}");
        }
        for post in [
            "duty",
            "admin",
            "op1",
            "op-7",
            "Night Shift",
            "Duty Officer",
            "值班员",
            "调度员",
            "指挥中心",
            "夜班2",
            "水务值班",
            "",
        ] {
            assert!(!is_name(post), "{post}");
        }
    }
}
