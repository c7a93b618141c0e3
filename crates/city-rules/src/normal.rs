//! One spelling for names and texts that systems write in many: full-width letters, traditional characters, spaces,
//! suffixes in brackets.

mod traditional;

use traditional::simplified;

/// Full-width letters, digits and signs as their half-width twins; the ideographic space as a space.
pub(crate) fn half_width(text: &str) -> String {
    text.chars().map(city_model::half_width).collect()
}

/// A category's name without what differs between systems: width, case, spaces, a suffix such as "(浦东)".
pub(crate) fn name_key(name: &str) -> String {
    let mut key = text_key(name);
    key.retain(|c| !c.is_whitespace());
    while let Some(open) = key.rfind('(').filter(|open| *open > 0 && key.ends_with(')')) {
        key.truncate(open);
    }
    key
}

/// A running text for looking up words in it: half-width, in lower case, in simplified characters and without spaces between them.
pub(crate) fn text_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for c in text.chars() {
        let Some(c) = plain(c) else {
            key.clear();
            for c in half_width(text).to_lowercase().chars() {
                append(&mut key, simplified(c));
            }
            return key;
        };
        append(&mut key, c);
    }
    key
}

/// Puts a character behind a key. Machines that read or listen put spaces between ideographs, which part no words there.
fn append(key: &mut String, c: char) {
    if is_ideograph(c) && key.ends_with(' ') && key.trim_end_matches(' ').ends_with(is_ideograph) {
        key.truncate(key.trim_end_matches(' ').len());
    }
    key.push(c);
}

const fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}')
}

/// The key of one character where that needs no table of cases, as in nearly every text: all of a ticket in one pass.
fn plain(c: char) -> Option<char> {
    match c {
        '\0'..='\u{7F}' => Some(c.to_ascii_lowercase()),
        '\u{3000}' | '\u{FF01}'..='\u{FF5E}' => Some(city_model::half_width(c).to_ascii_lowercase()),
        // Dashes, quotes and dots; from radicals to ideographs: none of them has a case.
        '\u{4E00}'..='\u{9FFF}' => Some(simplified(c)),
        '\u{2010}'..='\u{2027}' | '\u{2E80}'..='\u{4DFF}' => Some(c),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        let check = |name: &str, key: &str| assert_eq!(name_key(name), key, "{name}");
        check("暴露垃圾（浦东）", "暴露垃圾");
        check(" 暴露 垃圾 (浦东)(试行)", "暴露垃圾");
        check("ＧＢ３０４２８", "gb30428");
        check("(浦东)", "(浦东)");
        check("a)", "a)");
    }

    #[test]
    fn every_character_by_itself_is_the_same_as_by_the_tables() {
        for c in char::MIN..=char::MAX {
            let text = c.to_string();
            let by_tables: String = half_width(&text).to_lowercase().chars().map(simplified).collect();
            assert_eq!(text_key(&text), by_tables, "{c:?}");
        }
        assert_eq!(text_key("三樓著火了"), "三楼着火了");
        assert_eq!(
            text_key("着 火　了 on  fire 三 楼,  a楼"),
            "着火了 on  fire 三楼,  a楼"
        );
        // One sign that needs the tables changes nothing about the others.
        assert_eq!(text_key("着 火　了 É  三 楼"), "着火了 é  三楼");
        assert_eq!(text_key("ΣΟΣ 著火"), "σος 着火");
        // A sigma's lower case depends on what stands around it.
        assert_eq!(text_key("ΟΔΟΣ"), "οδος");
    }
}
