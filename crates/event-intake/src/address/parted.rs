//! What parts two numbers stays between them: "302、304号" are two houses, and neither is 302304.
//!
//! A range and a list are two things, and so are "K12+800" and a kilometre 12; beyond that all signs say the same.

/// Between numbers of a list. Nobody writes it there, and finders of numbers read over it as over a blank.
const LIST: char = '·';

/// The text with one sign between two numbers that signs part: `-` for a range, `+` for metres behind a kilometre, else
/// a dot, which stands nowhere else.
pub(super) fn parted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let next = rest.get(c.len_utf8()..).unwrap_or_default();
        // Signs are looked past only behind a digit: once for each run of them.
        if out.ends_with(is_digit) && (!c.is_alphanumeric() || is_to(c)) {
            let end = rest
                .find(|c: char| c.is_alphanumeric() && !is_to(c))
                .unwrap_or(rest.len());
            let (signs, behind) = rest.split_at(end);
            if behind.starts_with(is_digit) {
                out.push(one_sign(signs));
                rest = behind;
                continue;
            }
        }
        if c != LIST {
            out.push(c);
        }
        rest = next;
    }
    out
}

fn one_sign(signs: &str) -> char {
    if signs.contains(|c: char| is_to(c) || matches!(c, '-' | '—' | '–' | '−' | '~')) {
        '-'
    } else if signs.contains('+') {
        '+'
    } else {
        LIST
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Words of a range.
fn is_to(c: char) -> bool {
    matches!(c, '至' | '到')
}

/// Whether it may stand between two numbers of a key.
pub(super) fn is_sign(c: char) -> bool {
    matches!(c, '-' | '+' | LIST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sign_between_numbers() {
        for (text, expected) in [
            ("302、304号", "302·304号"),
            ("302 , 304号", "302·304号"),
            ("302304号", "302304号"),
            ("3至5号", "3-5号"),
            ("3 ~ 5号", "3-5号"),
            ("K12 +800", "K12+800"),
            ("1500弄, 23号", "1500弄, 23号"),
            ("12·谷阳路", "12谷阳路"),
            ("到12到", "到12到"),
            ("12、到至", "12、到至"),
            ("1、2、3号", "1·2·3号"),
        ] {
            assert_eq!(parted(text), expected, "{text}");
            assert_eq!(parted(expected), expected, "{text}");
        }
    }
}
