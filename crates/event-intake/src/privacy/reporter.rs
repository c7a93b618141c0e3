//! What a record itself says of its reporter: the name and the number need not be guessed in its other fields.

use wire_format::Record;

use super::keys::normal_phone;
use super::{Found, digit, half_width, replaced};

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
const PLACES: [&str; 27] = [
    "路", "街", "公路", "大道", "弄", "巷", "镇", "乡", "村", "桥", "站", "浜", "塘", "港", "苑", "园",
    "小区", "新村", "花园", "公园", "广场", "学校", "中学", "小学", "医院", "大厦", "社区",
];

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

    /// Whether a text holds the name or the number.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        !self.found(&half_width(text)).is_empty()
    }

    /// A text of half-width signs without them.
    pub(crate) fn taken_from(&self, text: &str) -> String {
        replaced(text, self.found(text))
    }

    fn found(&self, text: &str) -> Vec<Found> {
        let signs: Vec<(usize, char)> = text.char_indices().collect();
        let phones = self.phones.iter().flat_map(|phone| numbers(&signs, phone));
        let name = self.name.as_deref().map(|name| names(&signs, name, text));
        let spans = phones.chain(name.into_iter().flatten());
        spans.map(|(from, to)| Found::gone(from, to)).collect()
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
