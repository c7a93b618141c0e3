//! What a record itself says of its reporter: the name and the number need not be guessed in its other fields.

use wire_format::Record;

use super::keys::normal_phone;
use super::surnames::{family, is_clear};
use super::{Found, digit, half_width, is_han, replaced};

/// Digits of a number that is looked for: fewer are a house's, more are no phone's.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=20;
/// Longest name that is looked for, in characters.
const LONGEST_NAME: usize = 40;
/// What is said in place of a name, or with one.
const FORMS: [&str; 18] = [
    "先生", "女士", "小姐", "太太", "夫人", "师傅", "老师", "阿姨", "叔叔", "同志", "匿名", "保密", "不详",
    "未知", "市民", "居民", "业主", "群众",
];
/// What makes a road or a place of a name in front of it: 张江路, 松江新村.
const PLACES: [&str; 28] = [
    "路", "街", "公路", "大道", "弄", "巷", "镇", "乡", "村", "桥", "站", "浜", "塘", "港", "苑", "园",
    "小区", "新村", "花园", "公园", "广场", "学校", "中学", "小学", "医院", "大厦", "社区", "高科",
];

/// What a name may stand behind: the end of a place, a verb.
const LEFT: &str = "弄号室楼幢栋座层路街巷村镇区口道苑园旁边处内前后上下的在是由请找向给被让为叫与和及户家人";
const LEFT_WORDS: [&str; 8] = ["联系", "反映", "来电", "投诉", "业主", "居民", "市民", "姓名"];
/// The end of a house: what stands behind it is no road.
const HOUSE: &str = "弄号室楼幢栋座层户";
/// What may follow a person's name.
const RIGHT: &str = "家的住在说称报反投来电致先女小师老阿叔同等与和本手";

/// The reporter of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reporter {
    /// At least two characters, without forms of address.
    name: Option<Vec<char>>,
    /// The digits as they are compared: all, and without the area.
    phones: Vec<Vec<u8>>,
}

impl Reporter {
    /// The reporter that a record tells; `None` where it tells neither name nor number.
    pub(crate) fn of(record: &Record<'_>) -> Option<Reporter> {
        let (name, phone) = match record {
            Record::Hotline(ticket) => (ticket.reporter_name.as_deref(), ticket.reporter_phone.as_deref()),
            Record::Report(report) => (report.reporter_name.as_deref(), report.reporter_phone.as_deref()),
            _ => (None, None),
        };
        Reporter::new(name, phone)
    }

    /// A reporter of this name and number.
    pub(crate) fn new(name: Option<&str>, phone: Option<&str>) -> Option<Reporter> {
        let reporter = Reporter {
            name: name.and_then(bare_name),
            phones: phone
                .and_then(normal_phone)
                .map_or_else(Vec::new, |digits| spellings(&digits)),
        };
        (reporter.name.is_some() || !reporter.phones.is_empty()).then_some(reporter)
    }

    /// Whether an identifier holds the name or the number, wherever: it goes on naming one thing when it is covered.
    pub(crate) fn is_in(&self, id: &str) -> bool {
        !self.found(&half_width(id), |_, _, _| true).is_empty()
    }

    /// A text of half-width signs without them, the name where it stands as a person.
    pub(crate) fn taken_from(&self, text: &str) -> String {
        replaced(text, self.found(text, is_person))
    }

    fn found(&self, text: &str, is_person: fn(&str, &str, &str) -> bool) -> Vec<Found> {
        let signs: Vec<(usize, char)> = text.char_indices().collect();
        let phones = self.phones.iter().flat_map(|phone| numbers(&signs, phone));
        let name = self.name.as_deref().map(|name| names(&signs, name, text));
        let names = name.into_iter().flatten().filter(|(from, to)| {
            let [before, name, after] = [text.get(..*from), text.get(*from..*to), text.get(*to..)];
            is_person(
                before.unwrap_or_default(),
                name.unwrap_or_default(),
                after.unwrap_or_default(),
            )
        });
        phones
            .chain(names)
            .map(|(from, to)| Found::gone(from, to))
            .collect()
    }
}

/// Whether a name stands as a person's rather than as letters of a road or a town: 路人 in 谷阳路人民广场, 松江 in 松江区.
/// One that is built as a name does where anything parts it from a place; another needs a person's words around it.
fn is_person(before: &str, name: &str, after: &str) -> bool {
    let (left, right) = (before.chars().next_back(), after.chars().next());
    if name.is_ascii() {
        // A word is not looked for inside another.
        let touches = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
        return !touches(left) && !touches(right);
    }
    let is_in = |signs: &str, c: Option<char>| c.is_none_or(|c| !is_han(c) || signs.contains(c));
    let follows = is_in(LEFT, left) || LEFT_WORDS.iter().any(|word| before.ends_with(word));
    let is_number = |c: char| digit(c).is_some();
    let ends = match right {
        // A house's number follows a road, a phone's a person.
        Some(c) if is_number(c) => after.chars().take_while(|c| is_number(*c)).count() >= *DIGITS.start(),
        right => is_in(RIGHT, right) || FORMS.iter().any(|form| after.starts_with(form)),
    };
    let signs: Vec<char> = name.chars().filter(|c| is_han(*c)).collect();
    let is_behind_house = left.is_some_and(|c| HOUSE.contains(c) || is_number(c));
    match family(&signs) {
        Some(2) => true,
        Some(_) if is_clear(signs[0]) => signs.len() == 3 || is_behind_house || follows && ends,
        Some(_) if signs.len() == 3 => follows || ends,
        _ => follows && ends || is_behind_house && signs.len() > 2,
    }
}

/// A name without its form of address; `None` for one that says nothing.
fn bare_name(name: &str) -> Option<Vec<char>> {
    let mut name = half_width(name).to_lowercase();
    for form in FORMS {
        // Most names have none, and replacing copies either way.
        if name.contains(form) {
            name = name.replace(form, "");
        }
    }
    let signs: Vec<char> = name.chars().filter(|c| c.is_alphabetic()).collect();
    (2..=LONGEST_NAME).contains(&signs.len()).then_some(signs)
}

/// A number as it may be written: whole, and a landline without its area.
fn spellings(digits: &str) -> Vec<Vec<u8>> {
    let local = digits
        .len()
        .checked_sub(8)
        .filter(|at| digits.starts_with('0') && (2..=4).contains(at))
        .and_then(|at| digits.get(at..));
    [Some(digits), local]
        .into_iter()
        .flatten()
        .filter(|digits| DIGITS.contains(&digits.len()))
        .map(|digits| digits.bytes().map(|byte| byte - b'0').collect())
        .collect()
}

/// Where the digits stand, however they are parted.
fn numbers(signs: &[(usize, char)], wanted: &[u8]) -> Vec<(usize, usize)> {
    let digits: Vec<(usize, usize, u8)> = signs
        .iter()
        .enumerate()
        .filter_map(|(at, (_, c))| Some((at, c.len_utf8(), digit(*c)?)))
        .collect();
    let fits = |window: &[(usize, usize, u8)]| {
        // Letters part two numbers, and more signs than a few do.
        let together = window.windows(2).all(|pair| {
            let between = signs.get(pair[0].0 + 1..pair[1].0).unwrap_or_default();
            between.len() <= 3 && between.iter().all(|(_, c)| !c.is_alphanumeric())
        });
        together && window.iter().map(|(_, _, value)| value).eq(wanted)
    };
    let windows = digits.windows(wanted.len()).filter(|window| fits(window));
    windows
        .filter_map(|window| {
            let (first, last) = (window.first()?, window.last()?);
            Some((signs.get(first.0)?.0, signs.get(last.0)?.0 + last.1))
        })
        .collect()
}

/// Where the name stands, but not as a road's or a place's.
fn names(signs: &[(usize, char)], name: &[char], text: &str) -> Vec<(usize, usize)> {
    let letters: Vec<(usize, char)> = signs
        .iter()
        .filter(|(_, c)| c.is_alphabetic())
        .flat_map(|(at, c)| c.to_lowercase().map(|low| (*at, low)))
        .collect();
    let windows = letters
        .windows(name.len())
        .filter(|window| window.iter().map(|(_, c)| c).eq(name));
    windows
        .filter_map(|window| {
            let (from, last) = (window.first()?.0, window.last()?.0);
            let to = last + text.get(last..)?.chars().next()?.len_utf8();
            // The signs of a name may be parted by dots and blanks, not by a number.
            let is_whole = !text.get(from..to)?.contains(|c: char| c.is_ascii_digit());
            let after = text
                .get(to..)?
                .trim_start_matches(['东', '南', '西', '北', '中', '新', '老', '大', '小']);
            let is_place = PLACES.iter().any(|place| after.starts_with(place));
            (is_whole && !is_place).then_some((from, to))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reporter_is_found_in_the_other_fields() {
        let check = |name: &str, phone: &'static str, text: &str, expected: &str| {
            let taken = Reporter::new(Some(name), Some(phone)).map(|reporter| reporter.taken_from(text));
            assert_eq!(
                taken.as_deref().unwrap_or(text),
                expected,
                "{name} {phone} {text}"
            );
        };
        check("李雷", "", "谷阳北路1500弄李雷家", "谷阳北路1500弄***家");
        check("李雷先生", "", "谷阳北路1500弄 李 雷", "谷阳北路1500弄 ***");
        check("尼格买提", "", "谷阳北路1500弄尼格买提", "谷阳北路1500弄***");
        check("John Smith", "", "谷阳北路1500弄JOHN SMITH", "谷阳北路1500弄***");
        check("买买提·艾力", "", "买买提艾力家门口", "***家门口");
        check("", "57812345", "谷阳北路1500弄57812345", "谷阳北路1500弄***");
        check("", "021-57812345", "T-021-5781 2345", "T-***");
        check("", "57812345", "五七八一二三四五找人", "***找人");
        check("李雷", "", "谷阳北路1500弄李雷漏水", "谷阳北路1500弄***漏水");
        check("李雷", "", "李雷,谷阳北路1500弄", "***,谷阳北路1500弄");
        check("李雷雷", "", "找李雷雷谷阳北路", "找***谷阳北路");
        check("黄小明", "", "谷阳北路黄小明", "谷阳北路***");
        check("路人", "", "谷阳北路路人", "谷阳北路***");
        check("路人", "", "谷阳北路1500弄路人家", "谷阳北路1500弄***家");
        check("松江", "", "联系松江13812345678", "联系***13812345678");
        // Letters of a road, a town or another word are no person.
        check("路人", "", "谷阳北路人民广场", "谷阳北路人民广场");
        check("路人", "", "中山路人行道", "中山路人行道");
        check("松江", "", "松江区谷阳北路12号", "松江区谷阳北路12号");
        check("松江", "", "松江谷阳北路12号", "松江谷阳北路12号");
        check("松江", "", "新松江路12号", "新松江路12号");
        check("谷阳", "", "谷阳北路12号", "谷阳北路12号");
        check("谷阳北路", "", "谷阳北路1500弄", "谷阳北路1500弄");
        check("张江", "", "张江高科站12号", "张江高科站12号");
        check("Li", "", "谷阳北路Lilac12号", "谷阳北路Lilac12号");
        // A road, a house and a form of address stay.
        check("张江", "", "张江路12号", "张江路12号");
        check("人民", "", "人民北路12号", "人民北路12号");
        check("李先生", "1500", "李家浜1500弄", "李家浜1500弄");
        check("匿名", "", "匿名路", "匿名路");
        check("李雷", "57812345", "谷阳北路5781弄2345号", "谷阳北路5781弄2345号");
    }

    #[test]
    fn who_tells_nothing_is_no_reporter() {
        assert_eq!(Reporter::new(None, None), None);
    }
}
