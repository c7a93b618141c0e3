//! Which names of accounts are a person's name, alone or beside a number or a post.
//!
//! A desk, a shift or a post is told by its word; what has none and reads like a name is taken for one.

use super::pinyin::{PLACES, is_family, is_full_name, is_given_name};
use super::surnames::{family, is_clear, is_word};
use super::{half_width, is_han};

/// Words of desks, shifts and posts.
const POSTS: [&str; 29] = [
    "中心", "值班", "值守", "当班", "早班", "中班", "晚班", "夜班", "白班", "调度", "指挥", "坐席", "座席",
    "平台", "系统", "管理", "领导", "主任", "自动", "测试", "城管", "网格", "市政", "水务", "应急", "公安",
    "消防", "街道", "热线",
];
/// With these a post ends or begins; in the middle they may be a given name's.
const POSTS_OF_ONE: &str = "科处室局所站组队岗台席员部办班机镇区县市路";
/// Behind a family name these make a superior's short form: 张队, 李处.
const SUPERIORS: &str = "科处局所队站总工";
/// Districts of the city, which begin like names.
const DISTRICTS: [&str; 16] = [
    "黄浦", "徐汇", "长宁", "静安", "普陀", "虹口", "杨浦", "闵行", "宝山", "嘉定", "金山", "松江", "青浦",
    "奉贤", "崇明", "浦东",
];
/// The same in Latin letters.
const POSTS_LATIN: [&str; 63] = [
    "admin",
    "auto",
    "center",
    "centre",
    "command",
    "control",
    "day",
    "desk",
    "dispatch",
    "duty",
    "grid",
    "group",
    "head",
    "night",
    "officer",
    "op",
    "operator",
    "post",
    "room",
    "shift",
    "station",
    "super",
    "system",
    "team",
    "test",
    "unit",
    "api",
    "app",
    "bot",
    "call",
    "city",
    "client",
    "console",
    "demo",
    "dept",
    "emergency",
    "engine",
    "fire",
    "gateway",
    "hotline",
    "leader",
    "machine",
    "line",
    "manager",
    "monitor",
    "office",
    "patrol",
    "police",
    "public",
    "root",
    "security",
    "service",
    "staff",
    "sys",
    "traffic",
    "user",
    "water",
    "watch",
    "web",
    "worker",
    "branch",
    "bureau",
    "district",
];
/// Forms of address in Latin letters.
const TITLES_LATIN: [&str; 6] = ["mr", "mrs", "ms", "miss", "dr", "prof"];

/// Whether an account is a person's: two to five Chinese characters or more with a dot, or two to four words in Latin
/// letters, of which none is a post's; or a name beside one. Signs, capitals and numbers part words.
pub(super) fn is_name(text: &str) -> bool {
    let text = half_width(text);
    let text = text.trim();
    if text.is_ascii() {
        return is_latin_name(text);
    }
    han_runs(text).any(|run| is_han_name(run) || is_beside_post(run)) || is_latin_name(&latin_part(text))
}

/// Whether an identifier has a part of its own that is a name with a family name seldom meant otherwise: 张建国-2.
pub(super) fn holds_han_name(id: &str) -> bool {
    if id.is_ascii() {
        return false;
    }
    let id = half_width(id);
    han_runs(&id).any(|run| {
        let signs: Vec<char> = run.chars().collect();
        let is_known = match family(&signs) {
            Some(1) => signs.first().is_some_and(|first| is_clear(*first)) && (2..=3).contains(&signs.len()),
            Some(_) => (3..=4).contains(&signs.len()),
            None => false,
        };
        is_known && !is_word(&signs) && !is_post(run) && !DISTRICTS.contains(&run)
    })
}

/// What stands together of Chinese characters, with the dot of a name.
fn han_runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_han(c) && c != '·')
        .filter(|run| !run.is_empty())
}

fn latin_part(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { ' ' }).collect()
}

fn is_han_name(run: &str) -> bool {
    let length = run.chars().count();
    let longest = if run.contains('·') { 20 } else { 5 };
    (2..=longest).contains(&length) && !is_post(run)
}

/// Whether a word for a post is in it, or it ends like a post's or a place's name.
fn is_post(run: &str) -> bool {
    let is_one = |c: Option<char>| c.is_some_and(|c| POSTS_OF_ONE.contains(c));
    let signs: Vec<char> = run.chars().collect();
    let is_superior = signs.len() == 2 && is_clear(signs[0]) && SUPERIORS.contains(signs[1]);
    let has_family = (2..=4).contains(&signs.len()) && family(&signs).is_some();
    POSTS.iter().any(|post| run.contains(post))
        || !is_superior && is_one(signs.last().copied())
        // 网格室长 has its post somewhere; 席慕容 and 王科宇 are names.
        || !has_family && signs.iter().any(|c| POSTS_OF_ONE.contains(*c))
}

/// 指挥中心王小明: what is left without the words of posts is a name.
fn is_beside_post(run: &str) -> bool {
    let rest = POSTS
        .iter()
        .fold(run.to_owned(), |rest, post| rest.replace(post, ""));
    let rest = rest.trim_start_matches(|c| POSTS_OF_ONE.contains(c));
    let signs: Vec<char> = rest.chars().collect();
    rest.len() < run.len()
        && (2..=4).contains(&signs.len())
        && signs.first().is_some_and(|first| is_clear(*first))
        && !is_post(rest)
        && !is_word(&signs)
}

fn is_latin_name(text: &str) -> bool {
    let words = words(text);
    let small: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    let is_post = small.iter().any(|word| is_known_post(word));
    let is_addressed = words.len() > 1
        && small
            .first()
            .is_some_and(|first| TITLES_LATIN.contains(&first.as_str()));
    if is_addressed {
        return true;
    }
    // A name beside a post: desk-ZhangSan.
    let is_full = |word: &String| !is_known_post(word) && is_full_name(word);
    let are_both = |pair: &[String]| {
        is_family(&pair[0]) && is_given_name(&pair[1]) || is_given_name(&pair[0]) && is_family(&pair[1])
    };
    if small.iter().any(is_full) || small.windows(2).any(are_both) {
        return true;
    }
    let families = [small.first(), small.last()];
    let is_chinese = families.into_iter().flatten().any(|word| is_family(word));
    let are_capitals = words
        .iter()
        .all(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
    // A dash or a number parts many words; a blank, a dot or a low line part names of people.
    let is_loose = text.contains('-') || text.contains(|c: char| c.is_ascii_digit());
    let has_long = words.iter().any(|word| word.len() >= 3);
    (2..=4).contains(&words.len()) && !is_post && has_long && (!is_loose || is_chinese || are_capitals)
}

fn is_known_post(word: &str) -> bool {
    PLACES.contains(&word) || POSTS_LATIN.iter().any(|post| is_of(word, post))
}

/// The words of letters that signs, numbers and capitals part: "ZhangSan_2" has two.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for part in text.split(|c: char| !c.is_ascii_alphabetic() && c != '\'') {
        let mut from = 0;
        for (at, pair) in part.as_bytes().windows(2).enumerate() {
            if pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase() {
                words.extend(part.get(from..=at));
                from = at + 1;
            }
        }
        words.extend(part.get(from..).filter(|word| !word.is_empty()));
    }
    words
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
            "Zhang_San",
            "ZhangSan",
            "zhangsan",
            "zhangsan01",
            "Zhang-San",
            "zhang.san2",
            "desk-ZhangSan",
            "John_Smith",
            "JohnSmith",
            "WANG_XIAOMING",
            "王小明-A3",
            "A3王小明",
            "坐席3王小明",
            "指挥中心王小明",
            "席慕容",
            "王科宇",
            "张队",
            "李处",
            "值班Zhang San",
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
            "NightShift",
            "night_shift",
            "duty-desk-2",
            "CityOps",
            "ops_team_A",
            "dispatch-center-3",
            "songjiang",
            "SongjiangDesk",
            "east-gate",
            "550e8400-e29b-41d4-a716-446655440000",
            "A3",
            "ws.a3f2",
            "坐席3-A",
            "指挥中心A3",
            "方松街道2",
            "网格室长",
            "叶榭镇",
            "消防处置",
            "夜班2组",
        ] {
            assert!(!is_name(post), "{post}");
        }
    }
}
