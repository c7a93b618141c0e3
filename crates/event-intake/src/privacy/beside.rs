//! Bare names beside a number of somebody's that is gone: 张建国***, "李 雷 电话:***", ***王建.
//!
//! Nothing but the number tells that a name is one, so it has to begin with a family name and stand between it and the end
//! of a place. What ends as a place or a thing does is none: 张江站***, 秦江苑***.

use std::sync::LazyLock;

use regex::Regex;

use super::name_words::SHOPS;
use super::names::{CUES, WEAK_CUES};
use super::pinyin::{is_family, is_full_name, is_given_name};
use super::surnames::{family, is_clear, is_word};
use super::{Found, GONE, is_han};

/// Words in front of a number.
pub(crate) const NUMBER_CUES: &str = "家里电话|家庭电话|联系电话|联系方式|联系号码|电话号码|电话|手机号码|手机号|手机|座机|固话|号码|微\\s?信号|微\\s?信群|微\\s?信|薇信|威信|v信|wechat|weixin|加?vx|wx|加我?微|加v|\\+?v|qq群|qq号|qq|q号|扣扣|企鹅号?|tel\\.?|致电|来电|回电|拨打|打|邮箱|小红书号?|抖音号?|快手号?|微博号?|支付宝账?号?|钉钉号?|闲鱼号?|陌陌号?|探探号?|昵称|身份证号码|身份证号?|证件号?|护照号?|台胞证|军官证|社保卡号?|驾驶证|居留证|车牌号?码?|车号|牌照";
/// Family names that are frequent and begin many other words; only with two characters behind them they are one.
const FREQUENT: &str = "黄林高马金方石夏白万";
/// How a place or a thing ends, and no given name.
const ENDS: &str = "弄号室楼幢栋座层路街道巷村镇乡区县市站口旁边处内外前后上下里侧头面园苑坊庄桥浜湾塘宅港泾浦渡嘴汇角城场店厦馆院校厂库房门棚杆桩箱柜灯井盖牌管线网阀泵坑洞沟渠河江湖海山水电气厅部局所队厕梯道轨隧";
/// How schools, clinics and their like end, with signs that given names have as well.
const INSTITUTIONS: [&str; 22] = [
    "中学", "小学", "大学", "高中", "初中", "附小", "附中", "一小", "二小", "三小", "学系", "中心", "眼科",
    "齿科", "儿科", "骨科", "教育", "保健", "整骨", "整形", "医美", "公寓",
];
/// Signs that end what stands before a name.
const BEFORE: &str =
    "弄号室楼幢栋座层路街道巷村镇乡区市站口旁边处内外前后上下里园苑场店厦院厂户家是找叫给向由与和及的";
/// Signs between a number and the name behind it.
const BETWEEN: [char; 10] = [' ', ',', ':', ')', '(', '/', '、', ';', '|', '-'];
/// Verbs there.
const TOWARDS: [&str; 4] = ["请找", "联系", "找", "叫"];
/// What names of other tongues are made of that have no family name; in signs, two of which may make one name.
const OTHER_NAMES: [&str; 88] = [
    "买买提",
    "麦麦提",
    "买合木提",
    "艾买提",
    "艾合买提",
    "吐尔逊",
    "吐尔洪",
    "阿卜杜拉",
    "阿卜杜",
    "阿不都",
    "阿布都",
    "阿迪力",
    "阿依",
    "古丽",
    "阿依古丽",
    "努尔",
    "玉素甫",
    "玉苏甫",
    "依明",
    "伊明",
    "伊敏",
    "肉孜",
    "吾买尔",
    "乌买尔",
    "热合曼",
    "热依木",
    "热西提",
    "木合塔尔",
    "木沙",
    "艾力",
    "艾尼",
    "艾山",
    "库尔班",
    "卡德尔",
    "夏木",
    "依不拉音",
    "伊布拉音",
    "司马义",
    "斯马义",
    "塔依尔",
    "帕提",
    "迪力",
    "外力",
    "亚森",
    "牙生",
    "哈力克",
    "海热提",
    "扎西",
    "多吉",
    "卓玛",
    "次仁",
    "达瓦",
    "拉姆",
    "央金",
    "格桑",
    "尼玛",
    "旺堆",
    "平措",
    "洛桑",
    "索朗",
    "德吉",
    "顿珠",
    "普布",
    "边巴",
    "巴桑",
    "白玛",
    "丹增",
    "仁增",
    "嘎玛",
    "旦增",
    "乌日娜",
    "巴特尔",
    "巴图",
    "其其格",
    "图雅",
    "娜仁",
    "额尔敦",
    "宝音",
    "斯琴",
    "高娃",
    "朝鲁",
    "格日勒",
    "塔娜",
    "萨日娜",
    "那日苏",
    "孟和",
    "苏和",
    "乌云",
];
/// Most characters that are looked at before a number.
const MOST: usize = 12;

static CUE_AT_END: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?i)(?:[\s:,.;/、|(是为-]|{CUES}|{WEAK_CUES}|{NUMBER_CUES})+$"
    ))
    .ok()
});

pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    if !text.contains(GONE) {
        return found;
    }
    let Some(cue) = CUE_AT_END.as_ref() else {
        // A pattern that did not compile must not let a name through.
        return vec![Found::gone(0, text.len())];
    };
    let mut ended = 0;
    for (at, _) in text.match_indices(GONE) {
        // Names between two numbers are looked for once, and so long runs cost no more than short ones.
        let from = text
            .get(ended..at)
            .map_or(at, |between| at - tail(between, MOST * 4));
        let before = text.get(from..at).unwrap_or_default();
        let before = cue
            .find(before)
            .map_or(before, |cue| before.get(..cue.start()).unwrap_or_default());
        // Whose home it is says the same.
        let before = before
            .strip_suffix("家里")
            .or_else(|| before.strip_suffix('家'))
            .unwrap_or(before);
        if let Some(length) = name_at_end(before) {
            found.push(Found::gone(from + before.len() - length, from + before.len()));
        }
        ended = at + GONE.len();
        let after = text.get(ended..).unwrap_or_default();
        let name = after.trim_start_matches(BETWEEN);
        let name = TOWARDS
            .iter()
            .find_map(|word| name.strip_prefix(word))
            .unwrap_or(name);
        let skipped = after.len() - name.trim_start_matches(BETWEEN).len();
        if let Some(length) = name_at_begin(after.get(skipped..).unwrap_or_default()) {
            found.push(Found::gone(ended + skipped, ended + skipped + length));
        }
    }
    found
}

/// Bytes of the last so many characters.
fn tail(text: &str, most: usize) -> usize {
    text.chars().rev().take(most).map(char::len_utf8).sum()
}

/// Bytes of the name that a text ends with.
fn name_at_end(before: &str) -> Option<usize> {
    if before.ends_with(|c: char| c.is_ascii_alphabetic()) {
        return latin_at_end(before);
    }
    let is_of_run = |c: &char| is_han(*c) || matches!(c, '·' | ' ');
    let mut run: Vec<char> = before.chars().rev().take_while(is_of_run).take(MOST).collect();
    run.reverse();
    if let Some(length) = other_name(&run) {
        return Some(length);
    }
    // "李 雷": a blank behind one family name alone, as far as a place goes.
    let parted = run.iter().rposition(|c| *c == ' ');
    let parted =
        parted.filter(|at| *at > 0 && is_clear(run[at - 1]) && (1..=2).contains(&(run.len() - at - 1)));
    let from = match parted {
        Some(at) => at - 1,
        None => {
            let blank = run.iter().rposition(|c| *c == ' ').map_or(0, |at| at + 1);
            blank + name_of(&run[blank..])?
        }
    };
    let name = &run[from..];
    let is_place = name.last().is_some_and(|last| ENDS.contains(*last));
    (!is_place).then(|| name.iter().map(|c| c.len_utf8()).sum())
}

/// Bytes of a name without a family name that a run of characters ends with: 买买提, 扎西多吉, 阿不都·热合曼.
fn other_name(run: &[char]) -> Option<usize> {
    let text: String = run.iter().collect();
    let mut rest = text.as_str();
    while let Some(shorter) = OTHER_NAMES.iter().find_map(|name| rest.strip_suffix(name)) {
        rest = shorter.strip_suffix('·').unwrap_or(shorter);
    }
    (rest.len() < text.len()).then_some(text.len() - rest.len())
}

/// Where the name begins that a run of characters ends with.
fn name_of(run: &[char]) -> Option<usize> {
    if ends_as_place(run) {
        return None;
    }
    // The end of a place before the name; its last sign may be a place's own.
    let behind = run
        .iter()
        .rposition(|c| BEFORE.contains(*c))
        .map_or(0, |at| at + 1);
    let rest = &run[behind..];
    let is_name = |name: &[char], stands: bool| {
        let given = name.len() - family(name).unwrap_or(name.len());
        let is_known = match family(name) {
            // 东方 stands before schools and hospitals.
            Some(2) => !name.starts_with(&['东', '方']),
            Some(_) => is_clear(name[0]) || stands && FREQUENT.contains(name[0]) && given == 2,
            None => false,
        };
        is_known && (1..=2).contains(&given) && !is_word(name)
    };
    if is_name(rest, true) {
        return Some(behind);
    }
    // Without an end of a place before it only a whole name, rather than two signs of a longer word.
    let lengths = [4, 3].into_iter().filter(|length| *length < rest.len());
    lengths
        .map(|length| rest.len() - length)
        .find(|from| is_name(&rest[*from..], false) && rest.len() - from >= 3)
        .map(|from| behind + from)
}

fn ends_as_place(run: &[char]) -> bool {
    let run: String = run.iter().collect();
    SHOPS.iter().chain(&INSTITUTIONS).any(|end| run.ends_with(end))
}

/// Bytes of the name that a text begins with, if hardly anything else does.
fn name_at_begin(after: &str) -> Option<usize> {
    let is_of_name = |c: &char| (is_han(*c) || *c == '·') && !matches!(c, '家' | '的');
    let name: Vec<char> = after.chars().take_while(is_of_name).take(MOST).collect();
    let bytes = name.iter().map(|c| c.len_utf8()).sum();
    if other_name(&name) == Some(bytes) {
        return Some(bytes);
    }
    let han = name.iter().position(|c| *c == '·').unwrap_or(name.len());
    let name = name.get(..han)?;
    let given = name.len().checked_sub(family(name)?)?;
    let is_known = family(name) == Some(2) || is_clear(name[0]) || FREQUENT.contains(name[0]) && given == 2;
    let is_place = name.iter().skip(1).any(|c| ENDS.contains(*c));
    let is_one = is_known && (1..=2).contains(&given) && !is_place && !is_word(name);
    is_one.then(|| name.iter().map(|c| c.len_utf8()).sum())
}

/// The same of a name in Latin letters: zhangsan, Zhang San, San Zhang.
fn latin_at_end(before: &str) -> Option<usize> {
    let is_of_name = |c: char| c.is_ascii_alphabetic() || matches!(c, ' ' | '_' | '.');
    let from = before.trim_end_matches(is_of_name).len();
    let run = before.get(from..)?;
    let words: Vec<&str> = run
        .split([' ', '_', '.'])
        .filter(|word| !word.is_empty())
        .collect();
    let small: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    let last = small.last()?;
    if is_full_name(last) {
        return words.last().map(|word| word.len());
    }
    let first = small.len().checked_sub(2)?;
    let is_one =
        is_family(&small[first]) && is_given_name(last) || is_given_name(&small[first]) && is_family(last);
    let at = run.rfind(words[first])?;
    is_one.then(|| run.len() - at)
}

#[cfg(test)]
mod tests {
    use super::super::replaced;
    use super::*;

    #[test]
    fn names_beside_what_is_gone() {
        assert!(CUE_AT_END.is_some());
        let check = |text: &str, expected: &str| assert_eq!(replaced(text, find(text)), expected, "{text}");
        for (text, expected) in [
            ("1500弄张建国***", "1500弄******"),
            ("1500弄(张建国 ***)", "1500弄(*** ***)"),
            ("1500弄李 雷***", "1500弄******"),
            ("1500弄***张建国", "1500弄******"),
            ("1500弄***,王建家", "1500弄***,***家"),
            ("1500弄欧阳明日***", "1500弄******"),
            ("1500弄黄建国电话:***", "1500弄***电话:***"),
            ("1500弄 张建国 手机号码 ***", "1500弄 *** 手机号码 ***"),
            ("张建国***谷阳北路", "******谷阳北路"),
            ("农贸市场王建***", "农贸市场******"),
            ("大润发张建国***", "大润发******"),
            ("王建国家***", "***家***"),
            ("1500弄zhangsan ***", "1500弄*** ***"),
            ("1500弄Zhang San ***", "1500弄*** ***"),
            ("1500弄***找张建国", "1500弄***找***"),
            ("1500弄***/张建国", "1500弄***/***"),
            ("1500弄***-联系:张建国", "1500弄***-联系:***"),
            ("1500弄张建国/***", "1500弄***/***"),
            ("1500弄买买提***", "1500弄******"),
            ("1500弄扎西多吉 ***", "1500弄*** ***"),
            ("1500弄***阿不都·热合曼", "1500弄******"),
            ("1500弄***买买提", "1500弄******"),
        ] {
            check(text, expected);
        }
        for stays in [
            "谷阳北路张江站***",
            "文诚路秦江苑***",
            "陈家村***",
            "徐泾***",
            "金地小区***",
            "华联超市***",
            "东方中学***",
            "南洋模范中学***",
            "工程中心***",
            "华东师范大学***",
            "名范齿科***",
            "SCHOOL SHANGHAI ***",
            "叶家***",
            "1500弄路灯***",
            "1500弄高压柜***",
            "1500弄周边***",
            "1500弄施工***",
            "***徐汇区谷阳北路",
            "***找停车场",
            "***/谷阳北路",
            "***买买提烤肉",
            "***谷阳北路",
            "大润发***",
            "1500弄王师傅汽修***",
            "1500弄Wanda Plaza ***",
            "1500弄KFC ***",
            "***",
            "张建国",
        ] {
            check(stays, stays);
        }
    }
}
