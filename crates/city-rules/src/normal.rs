//! One spelling for names and texts that systems write in many: full-width letters, spaces, suffixes in brackets.

/// Full-width letters, digits and signs as their half-width twins; the ideographic space as a space.
pub(crate) fn half_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{3000}' => ' ',
            // FF01–FF5E mirror 21–7E at a fixed distance.
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            _ => c,
        })
        .collect()
}

/// A category's name without what differs between systems: width, case, spaces, a suffix such as "(浦东)".
pub(crate) fn name_key(name: &str) -> String {
    let mut key = half_width(name).to_lowercase();
    key.retain(|c| !c.is_whitespace());
    while let Some(open) = key.rfind('(').filter(|open| *open > 0 && key.ends_with(')')) {
        key.truncate(open);
    }
    key
}

/// A running text for looking up words in it.
pub(crate) fn text_key(text: &str) -> String {
    half_width(text).to_lowercase()
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
}
