//! Where somebody can be reached without a phone: mail, chat; and numbers that only a word before them tells.

use std::sync::LazyLock;

use regex::Regex;

use super::things::is_numbered;
use super::{Found, digit};

/// A pattern whose group 1, or else the whole, must go.
const PATTERNS: [&str; 8] = [
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9][A-Za-z0-9.-]*",
    r"(?i)(?:微\s?信|薇信|威信|v信|wechat|weixin|加v|加vx|加我?微|微\s?:|\+\s?v|vx|wx|qq|q号|扣扣|企鹅|抖音|小红书|快手|微博|支付宝|钉钉|闲鱼|陌陌|探探)\s*(?:邮箱|邮件|昵称|号码|账号|帐号|号|id|群)?\s*[:是为=]?\s*([a-z][-_a-z0-9]{4,}|[0-9]{6,})",
    r"(?i)(?:身份证|证件|护照|通行证|[台胞乡军官兵警留住驶疾工作生]证|台湾居民证?|驾照|户口本|社保卡?|医保卡?|银行卡|储蓄卡|信用卡|卡|账户|帐户|账|帐)(?:号码|编号|号)?(?:\s*[:是为]\s*)?(?:\p{Han}?字?第?)?\s*([a-z]{0,3}[0-9](?:[ -]?[0-9x]){5,22}(?:\s?\([0-9a]\))?)",
    // A landline without its area code.
    r"(?i)(?:电话|座机|固话|手机|联系方式|回电|致电|来电|拨打?|打|联系|号码|tel\.?)(?:号码|号)?\s*[:是为]?\s*([2-8][0-9]{2,3}[- ]?[0-9]{4})",
    r"(?i)wxid_[a-z0-9]{4,}",
    // A phone of which four signs are masked: what is left of it parts one place in two.
    r"(?i)1[3-9][0-9](?:\*{4}|x{4})[0-9]{4}",
    SPELLED_MAIL,
    // A handle by its sign alone.
    r"(?:^|[^A-Za-z0-9._%+@-])(@\s?[A-Za-z][-_.A-Za-z0-9]{3,})",
];
/// Mail whose signs are told in words: zhangsan AT qq.com, zhangsan(at)qq点com. Only before what ends a host's name.
const SPELLED_MAIL: &str = r"(?i)[a-z0-9][a-z0-9._%+-]*\s?(?:[\s_.-]at[\s_.-]|[\[({<]\s?at\s?[\])}>]|艾特|[\[({<]?@[\])}>]?|#)\s?(?:[a-z0-9-]+\s?(?:[._]|点|[\[({<]?\s?dot\s?[\])}>]?)\s?)+(?:com|cn|net|org|edu|gov|me|cc|vip|top|xyz|hk|tw)(?-u:\b)";
/// The one after which no digit may follow: it would be another number. A thing's number has a word before it as well.
const LOCAL: usize = 3;
const MAIL: usize = 0;
const SPELLED: usize = 6;

static EACH: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    PATTERNS
        .iter()
        .filter_map(|pattern| Regex::new(pattern).ok())
        .collect()
});

/// A handle in an identifier: there a cue stands by itself, and a blank or a colon before the handle.
static IN_IDENTIFIER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:^|[^a-z0-9])(?:(?:wechat|weixin|vx|wx|qq|v)\s*[:= ]\s*(?:[a-z][-_a-z0-9]{4,}|[0-9]{5,})|wxid_[a-z0-9]{4,})",
    )
    .ok()
});

/// Whether an identifier holds an address of mail or a chat's handle.
pub(super) fn is_in_identifier(id: &str) -> bool {
    let may = id.contains([':', '=', ' ', '_']) && id.contains(['w', 'W', 'q', 'Q', 'v', 'V']);
    let is_mail = |index: usize| EACH.get(index).is_none_or(|pattern| pattern.is_match(id));
    id.contains('@') && is_mail(MAIL)
        || may_spell_mail(id) && is_mail(SPELLED)
        || may && IN_IDENTIFIER.as_ref().is_none_or(|pattern| pattern.is_match(id))
}

pub(super) fn find(text: &str) -> Vec<Found> {
    if !may_hold_one(text) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (index, pattern) in EACH.iter().enumerate() {
        for groups in pattern.captures_iter(text) {
            let Some(what) = groups.get(1).or(groups.get(0)) else {
                continue;
            };
            let next = text.get(what.end()..).and_then(|rest| rest.chars().next());
            let is_thing = || {
                let whole = groups.get(0).map_or(0, |whole| whole.start());
                groups.get(0).is_some_and(|cue| cue.as_str().starts_with("号码"))
                    && is_numbered(text.get(..whole).unwrap_or_default())
            };
            if index == LOCAL && (next.is_some_and(|next| digit(next).is_some()) || is_thing()) {
                continue;
            }
            found.push(Found::gone(what.start(), what.end()));
        }
    }
    found
}

/// Whether the name of something that was told holds a chat's number without a sign before it: qq123456789.
pub(super) fn is_in_event(id: &str) -> bool {
    let is_cue = |two: &[u8]| CUES_OF_CHATS.iter().any(|cue| two.eq_ignore_ascii_case(cue));
    id.as_bytes().windows(2).any(is_cue) && IN_EVENT.as_ref().is_none_or(|pattern| pattern.is_match(id))
        || !id.is_ascii() && !find(id).is_empty()
}

/// The first two letters of what a chat's number stands behind.
const CUES_OF_CHATS: [&[u8]; 4] = [b"qq", b"wx", b"vx", b"we"];
static IN_EVENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[^a-z0-9])(?:qq|wechat|weixin|vx|wx)[:= _]?[0-9]{6,12}(?:[^a-z0-9]|$)").ok()
});

/// Whether a text holds what a spelled-out mail address does: a word for its sign, and the end of a host's name.
fn may_spell_mail(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_at = |two: &[u8]| two.eq_ignore_ascii_case(b"at");
    (text.contains(['@', '#', '艾']) || bytes.windows(2).any(is_at))
        && bytes
            .windows(2)
            .any(|two| ENDS_OF_HOSTS.iter().any(|end| two.eq_ignore_ascii_case(end)))
}

/// The first two letters of what ends a host's name.
const ENDS_OF_HOSTS: [&[u8]; 13] = [
    b"co", b"cn", b"ne", b"or", b"ed", b"go", b"me", b"cc", b"vi", b"to", b"xy", b"hk", b"tw",
];

/// Patterns cost microseconds, most texts hold neither a cue nor so many letters and digits.
fn may_hold_one(text: &str) -> bool {
    let signs = text.bytes().filter(u8::is_ascii_alphanumeric).count();
    let is_cue = |c: char| {
        matches!(
            c,
            '微' | '薇'
                | '威'
                | '扣'
                | '企'
                | '抖'
                | '红'
                | '快'
                | '支'
                | '钉'
                | '闲'
                | '陌'
                | '探'
                | '身'
                | '证'
                | '护'
                | '通'
                | '社'
                | '医'
                | '银'
                | '储'
                | '信'
                | '卡'
                | '账'
                | '帐'
                | '户'
                | '电'
                | '座'
                | '固'
                | '手'
                | '联'
                | '回'
                | '致'
                | '来'
                | '照'
                | '台'
                | '拨'
                | '打'
                | '码'
                | 'v'
                | 'V'
                | 'w'
                | 'W'
                | 'q'
                | 'Q'
                | 't'
                | 'T'
        )
    };
    text.contains(['@', '*', 'x', 'X']) || signs >= 5 && (text.contains(is_cue) || may_spell_mail(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(EACH.len(), PATTERNS.len());
        assert!(IN_IDENTIFIER.is_some() && IN_EVENT.is_some());
    }
}
