//! What is left beside something personal once that is gone: "联系人***", "**先生家", "电话". It would part one place in two.

use std::sync::LazyLock;

use regex::Regex;

const TITLES: &str = "总经理|科长|处长|局长|小朋友|经理|主任|先生|女士|小姐|太太|夫人|师傅|老师|阿姨|叔叔|大爷|大妈|大姐|大哥|大伯|大叔|大婶|大嫂|奶奶|爷爷|伯伯|婆婆|同志|书记|医生|护士|警官|队长|所长|老板|同学|教授|律师|会计|站长|班长|校长|园长|店长|房东|老太|老伯|阿婆|爷叔|哥|姐|嫂|婶|婆";
/// Words in front of a name or a number.
const CUES: &str = "家里电话|家庭电话|联系人|联络人|联系电话|联系方式|联系号码|联系|电话号码|电话|手机号码|手机号|手机|座机|固话|号码|微\\s?信号|微\\s?信群|微\\s?信|薇信|威信|v信|wechat|weixin|加?vx|wx|加我?微|加v|\\+?v|qq群|qq号|qq|q号|扣扣|企鹅号?|tel\\.?|致电|来电人?|回电|拨打|打|邮箱|身份证号码|身份证号?|证件号?|护照号?|台胞证|军官证|社保卡号?|驾驶证|居留证|车牌号?码?|车号|牌照|姓名|我叫|名叫|名字叫|叫|老板姓|姓|报警人|报案人|报修人|求助人|求助者|反映人|投诉人|投诉者|举报人|举报者|诉求人|申请人|当事人|收件人|来访人|负责人|产权人|承租人|户主|法人代表|法定代表人|业主|住户|租户|租客|居民|村民|市民|邻居|房东|本人|我是|车主|机主|司机|驾驶员|店主|老板|物业经理|伤者|死者|受害人|患儿|患者|老伴|儿子|女儿|丈夫|妻子|父亲|母亲|孩子|老人|先生|女士|小姐|太太|小|老";
const KIN: &str = "女儿|儿子|本人|家属|老伴|丈夫|妻子|朋友|邻居|机主|男|女";

static EACH: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // A name's title, and whose home it is.
        format!(r"\*\*+\s*\(?\s*(?:{TITLES})\)?(?:的?(?:住处|家(?:门口|里|中)?))?"),
        // A word that announced what is gone.
        format!(r"(?i)(?:(?:{CUES})[\s:,是为叫]*)+\*\*+(?:的?家(?:门口|里|中)?)?"),
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
