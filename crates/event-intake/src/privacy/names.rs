//! Names that stand beside a form of address, or behind a word that announces one.

use std::sync::LazyLock;

use regex::Regex;

use super::name_words::{NO_NAMES, SHOPS};
use super::surnames::{family, is_ambiguous, is_clear, is_word};
use super::{Found, is_han};

/// Forms of address behind a name; longer ones first.
pub(crate) const TITLES: &str = "总经理|科长|处长|局长|小朋友|副经理|副主任|先生|女士|小姐|师傅|老师|阿姨|叔叔|大爷|大妈|大姐|大哥|大伯|大叔|大婶|大嫂|奶奶|爷爷|伯伯|婆婆|婆|同志|太太|夫人|经理|主任|书记|医生|护士|警官|队长|所长|老板|同学|教授|律师|会计|站长|班长|校长|园长|店长|房东|老太|老伯|阿婆|爷叔|哥|姐|嫂|婶";
/// Before these even a family name that nobody knows is one, if it stands alone.
const OF_ANYBODY: [&str; 4] = ["先生", "女士", "小姐", "太太"];
/// Words that announce a name for certain.
pub(crate) const CUES: &str = "我叫|名叫|叫做|姓名|联系人|来电人|反映人|投诉人|举报人|当事人|报修人|报案人|收件人|报警人|求助人|求救人|联络人|来访人|来信人|上访人|信访人|报料人|投诉者|举报者|反映者|求助者|报警者|法人代表|名字叫做?|户主|产权人|承租人|法定代表人|负责人|申请人|诉求人|报告人|上报人|填报人|经办人";
/// Words that announce a person, who may go unnamed.
pub(crate) const WEAK_CUES: &str = "本人|我是|市民|居民|业主|住户|租户|租客|房东|村民|司机|店主|老板|保安|经理|主任|书记|师傅|先生|女士|网格员|志愿者|老人|儿子|女儿|丈夫|妻子|老公|老婆|母亲|父亲|孩子|学生|患者|邻居|车主|机主|驾驶员|驾驶人|骑手|顾客|乘客|伤者|伤员|死者|逝者|受害人|被害人|受害者|遇难者|失踪者|走失者|失联者|患儿|病人|产妇|老伴|配偶|家属|亲属|监护人|联系";
/// 姓张; 老李, 小王.
const FAMILY_ONLY: &str = r"(?:姓|老|小)(\p{Han})";
/// What is said in place of a name.
const NOBODY: [&str; 9] = [
    "保密", "匿名", "不详", "未知", "物业", "同上", "本人", "没有", "先生",
];
/// Family names that go with 老 and 小 and seldom make another word with them.
const NICK: &str = "王李张刘陈赵吴徐孙朱何郭宋郑谢韩冯董曹袁邓许傅沈彭吕卢蒋蔡贾魏薛潘戴姜范姚谭邹郝崔邱顾侯邵孟乔贺赖龚周杨罗丁";
/// Behind 老李 or 小王 these make the name of a place.
const PLACES: &str = "庄村桥浜湾塘宅镇港泾浦渡巷弄里路街塔集";

/// What ends a place or counts people, and is in no name.
const NEVER: &str = "位老弄号室楼幢栋座层路街巷村镇区";
/// What ends a place and is in no given name, as 路 and 村 may be.
const IN_NO_GIVEN_NAME: &str = "弄号室幢栋座层区院";

/// What ends like a family name before 某, "a certain": 任何某人, 该路段某处.
const WORDS_BEFORE_SOME: [&str; 12] = [
    "路段", "地段", "阶段", "时段", "任何", "其余", "照顾", "实施", "不曾", "历史", "村庄", "山庄",
];

/// "李雷(男)", "韩梅梅,女,".
const WITH_SEX: &str = r"\s?[,(]\s?[男女]\s?(?:[,.)。]|$)";

struct Patterns {
    with_sex: Regex,
    /// What every name that is found stands beside. Most texts hold none of it, and one look is cheaper than four.
    any: Regex,
    titles: Regex,
    cues: Regex,
    weak: Regex,
    family: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let cues = format!(r"(?:{CUES})\s*[:是为叫]?\s*");
    let weak = format!(r"(?:{WEAK_CUES})\s*[:叫]?\s*");
    let any = format!("{TITLES}|{cues}|{weak}|{WITH_SEX}|姓|[老小][{NICK}]");
    Some(Patterns {
        with_sex: Regex::new(WITH_SEX).ok()?,
        any: Regex::new(&any).ok()?,
        titles: Regex::new(TITLES).ok()?,
        cues: Regex::new(&cues).ok()?,
        weak: Regex::new(&weak).ok()?,
        family: Regex::new(FAMILY_ONLY).ok()?,
    })
});

pub(super) fn find(text: &str) -> Vec<Found> {
    let Some(patterns) = PATTERNS.as_ref() else {
        // A pattern that did not compile must not let a name through.
        return vec![Found::gone(0, text.len())];
    };
    let mut found = match patterns.any.is_match(text) {
        true => find_all(patterns, text),
        false => Vec::new(),
    };
    found.extend(half_told(text));
    found
}

/// Family names with 某 for the rest or a part of it: 李某, 王某某, 谢某芝.
fn half_told(text: &str) -> impl Iterator<Item = Found> {
    text.match_indices('某').filter_map(|(at, rest)| {
        let before = text.get(..at)?;
        let (from, family) = before.char_indices().next_back()?;
        let is_word = WORDS_BEFORE_SOME.iter().any(|word| before.ends_with(word));
        let to = at + rest.len();
        let mut after = text.get(to..)?.chars();
        let to = match (after.next(), after.next()) {
            (Some('某'), _) => to + rest.len(),
            // A sign by itself behind it is of the name, unless it is a verb or a place.
            (Some(last), next)
                if is_han(last)
                    && !next.is_some_and(is_han)
                    && !"家处等的说称在住人女男案".contains(last) =>
            {
                to + last.len_utf8()
            }
            _ => to,
        };
        (is_clear(family) && !is_word).then(|| Found::gone(from, to))
    })
}

fn find_all(patterns: &Patterns, text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for title in patterns.titles.find_iter(text) {
        let before: Vec<(usize, char)> = run_before(text, title.start());
        let after = text.get(title.end()..).unwrap_or_default();
        if let Some(from) = name_before(&before, title.as_str()) {
            let to = before.last().map_or(from, |(at, c)| at + c.len_utf8());
            let from = parted_family(text, from).unwrap_or(from);
            let is_family_alone = text.get(from..to).is_some_and(|name| name.chars().count() == 1);
            // Also under a whole name an office is one.
            if is_family_alone && is_of_a_shop(after) || after.starts_with("事务所") {
                continue;
            }
            found.push(Found {
                from,
                to,
                instead: "**",
            });
        }
    }
    for sex in patterns.with_sex.find_iter(text) {
        let before = run_before(text, sex.start());
        // As before a form of address that is not anybody's: only where the family name is known.
        if let Some(from) = name_before(&before, "师傅").filter(|_| before.len() > 1) {
            found.push(Found::gone(from, sex.start()));
        }
    }
    // A name before a title is found with its title.
    let has_title = |at: usize| {
        let run: String = run_after(text, at, 6).iter().map(|(_, c)| *c).collect();
        let title = patterns.titles.find(&run);
        title.is_some_and(|title| (1..=4).contains(&run[..title.start()].chars().count()))
    };
    for cue in patterns.cues.find_iter(text).filter(|cue| !has_title(cue.end())) {
        let has_sign = cue.as_str().trim_end().ends_with([':', '是', '为', '叫']);
        found.extend(announced(text, cue.end(), has_sign));
    }
    for cue in patterns.weak.find_iter(text).filter(|cue| !has_title(cue.end())) {
        // 妇女儿童 is no daughter called 童.
        if cue.as_str() == "女儿" && text.get(cue.end()..).is_some_and(|rest| rest.starts_with('童')) {
            continue;
        }
        found.extend(perhaps_announced(text, cue.end()));
    }
    for groups in patterns.family.captures_iter(text) {
        let (Some(whole), Some(name)) = (groups.get(0), groups.get(1)) else {
            continue;
        };
        let before = text.get(..whole.start()).unwrap_or_default();
        if is_family_only(whole.as_str(), before, text.get(name.end()..).unwrap_or_default()) {
            found.push(Found {
                from: name.start(),
                to: name.end(),
                instead: "**",
            });
        }
    }
    found
}

/// Where a family name begins that a blank or a dot parts from the given name: "李 雷先生".
pub(super) fn parted_family(text: &str, given: usize) -> Option<usize> {
    let before = text.get(..given)?;
    let name = before.strip_suffix([' ', '·'])?;
    let (at, family) = name.char_indices().next_back()?;
    is_clear(family).then_some(at)
}

/// Whether what follows a family name with its form of address makes it a shop's or a road's name: 陈老师路, 何阿姨菜场.
pub(super) fn is_of_a_shop(after: &str) -> bool {
    let run: String = after.chars().take_while(|c| is_han(*c)).take(4).collect();
    let is_road =
        run.starts_with(['路', '街', '巷', '桥']) && !run.starts_with("路边") && !run.starts_with("路过");
    is_road || SHOPS.iter().any(|shop| run.contains(shop))
}

/// Whether it stands before a form of address and is no name.
pub(super) fn is_no_name(text: &str) -> bool {
    NO_NAMES.contains(&text)
}

/// Up to six Chinese characters that end where the title begins, in the order of the text.
fn run_before(text: &str, end: usize) -> Vec<(usize, char)> {
    let before = text.get(..end).unwrap_or_default().trim_end_matches([' ', '(']);
    let mut run: Vec<(usize, char)> = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_han(*c))
        .take(6)
        .collect();
    run.reverse();
    run
}

/// Where the name before a title begins.
fn name_before(run: &[(usize, char)], title: &str) -> Option<usize> {
    let chars: Vec<char> = run.iter().map(|(_, c)| *c).collect();
    let text_of = |length: usize| chars[chars.len() - length..].iter().collect::<String>();
    let longest = chars.len().min(4);
    // "保安师傅": the word before the title is what somebody does.
    let is_no_name = |length: usize| NO_NAMES.contains(&text_of(length).as_str());
    if (2..=longest.min(3)).any(is_no_name) || chars.len() == 1 && is_no_name(1) {
        return None;
    }
    let mut doubtful = None;
    for length in (1..=longest).rev() {
        let name = &chars[chars.len() - length..];
        let Some(family) = family(name) else { continue };
        let given = length - family;
        let is_place = name[family..].iter().any(|c| IN_NO_GIVEN_NAME.contains(*c));
        if length == 4 && family == 1 || given > 2 || (length > 1 && is_word(name)) || is_place {
            continue;
        }
        // A single sign such as 哥 follows many words; only one clear family name alone makes a name with it.
        if title.chars().count() == 1 && !(length == 1 && is_clear(name[0])) {
            continue;
        }
        let from = run[chars.len() - length].0;
        if family == 1 && is_ambiguous(name[0]) {
            doubtful = doubtful.or(Some(from));
            continue;
        }
        return Some(from);
    }
    let stands_alone = || {
        let is_short = (1..=3).contains(&chars.len()) && OF_ANYBODY.contains(&title);
        (is_short && !chars.iter().any(|c| NEVER.contains(*c)))
            .then(|| run.first().map(|(from, _)| *from))
            .flatten()
    };
    // "和老师", "时医生": more often a word than a name, unless nothing else stands there.
    let doubtful =
        doubtful.filter(|from| OF_ANYBODY.contains(&title) || run.first().is_some_and(|(at, _)| at == from));
    doubtful.or_else(stands_alone)
}

/// The Chinese characters from `at` on, at most so many.
fn run_after(text: &str, at: usize, most: usize) -> Vec<(usize, char)> {
    let rest = text.get(at..).unwrap_or_default().char_indices();
    rest.take_while(|(_, c)| is_han(*c) || *c == '·')
        .take(most)
        .map(|(offset, c)| (at + offset, c))
        .collect()
}

fn end_of(run: &[(usize, char)], length: usize) -> usize {
    run.get(length - 1).map_or(0, |(at, c)| at + c.len_utf8())
}

/// A name behind a word that announces one.
fn announced(text: &str, at: usize, has_sign: bool) -> Option<Found> {
    let run = run_after(text, at, 16);
    let chars: Vec<char> = run.iter().map(|(_, c)| *c).collect();
    if chars.is_empty() {
        return latin_name(text, at);
    }
    if let Some(dot) = chars.iter().position(|c| *c == '·') {
        return (dot > 0).then(|| Found::gone(at, end_of(&run, run.len())));
    }
    let first_two: String = chars.iter().take(2).collect();
    if NOBODY.contains(&first_two.as_str()) {
        return None;
    }
    let length = match family(&chars) {
        Some(_) if chars.len() > 1 && is_word(&chars) && chars.len() > 3 => return None,
        Some(_) if chars.len() <= 4 => chars.len(),
        Some(family) => family + 2,
        // A name that we do not know, but nothing else can stand there.
        None if has_sign && (1..=4).contains(&chars.len()) => chars.len(),
        None => return None,
    };
    Some(Found::gone(at, end_of(&run, length.min(run.len()))))
}

/// Up to three words in Latin letters, the first of which begins with a capital.
fn latin_name(text: &str, at: usize) -> Option<Found> {
    let rest = text.get(at..)?;
    if !rest.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let mut words = 1;
    let end = rest.find(|c: char| {
        words += usize::from(c == ' ');
        !(c.is_ascii_alphabetic() || c == ' ' || c == '.') || words > 3
    });
    let end = end.unwrap_or(rest.len());
    (end >= 2).then(|| Found::gone(at, at + rest[..end].trim_end().len()))
}

/// Two words in Latin letters, each with a capital: one alone may be a brand.
fn latin_pair(text: &str, at: usize) -> Option<Found> {
    let name = latin_name(text, at)?;
    let words = text.get(name.from..name.to)?.split_whitespace();
    let capitals = words.filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()) && word.len() > 1);
    (capitals.count() >= 2).then_some(name)
}

/// A name behind a word for a person: only where it hardly can be anything else.
fn perhaps_announced(text: &str, at: usize) -> Option<Found> {
    let run = run_after(text, at, 8);
    let chars: Vec<char> = run.iter().map(|(_, c)| *c).collect();
    if chars.is_empty() {
        return latin_pair(text, at);
    }
    let family = family(&chars)?;
    let first = *chars.first()?;
    if chars.len() <= family || is_word(&chars) || chars.contains(&'·') {
        return None;
    }
    let is_alone = chars.len() <= family + 2;
    let is_name = family == 2 || is_clear(first) || (is_alone && !is_ambiguous(first));
    is_name.then(|| Found::gone(at, end_of(&run, (family + 2).min(run.len()))))
}

/// Whether 姓, 老 or 小 stands before a family name alone.
fn is_family_only(whole: &str, before: &str, after: &str) -> bool {
    let name: Vec<char> = whole.chars().skip(1).take(1).collect();
    if whole.starts_with('姓') {
        return family(&name).is_some() && !before.ends_with('百');
    }
    let is_nick = name.first().is_some_and(|name| NICK.contains(*name));
    let mut next = after.chars();
    let is_place = is_of_a_shop(after)
        || match (next.next(), next.next()) {
            (Some('家'), Some(then)) => PLACES.contains(then),
            (Some(first), _) => PLACES.contains(first),
            _ => false,
        };
    is_nick && !is_place && !before.ends_with(['大', '中', '古', '养'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert!(PATTERNS.is_some());
    }

    proptest::proptest! {
        #[test]
        fn no_name_stands_in_a_text_that_is_passed_over(text in "(先生|联系人|本人|姓|老|小|张|王|三|李明|:|在|路|[A-Z]b|·| ){0,8}") {
            let patterns = PATTERNS.as_ref().unwrap();
            proptest::prop_assert_eq!(find(&text), find_all(patterns, &text));
        }
    }
}
