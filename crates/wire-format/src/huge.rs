//! Takes numbers out of a JSON text that no double can hold: they are good JSON, yet the parser refuses the whole text.

/// The text with every number that no double holds replaced by `{}`: a location takes that for a number that cannot be
/// read, and any other field refuses it as it should.
pub(crate) fn without_huge_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let is_text = from.starts_with('"');
        let len = if is_text { text_len(from) } else { number_len(from) };
        let (token, after) = from.split_at(len);
        let is_huge = !is_text && token.parse::<f64>().is_ok_and(f64::is_infinite);
        out.push_str(if is_huge { "{}" } else { token });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The length of the quoted text that `json` begins with, quotes included.
fn text_len(json: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    json.len()
}

/// The length of the number that `json` begins with.
fn number_len(json: &str) -> usize {
    let is_part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    json.bytes().position(|byte| !is_part(byte)).unwrap_or(json.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_outside_texts_go() {
        let check = |json: &str, expected: &str| assert_eq!(without_huge_numbers(json), expected);
        check(
            r#"{"x":1e999,"y":-1e999,"z":-1.5}"#,
            r#"{"x":{},"y":{},"z":-1.5}"#,
        );
        check(
            r#"{"t":"1e999 \" 1e999","积水":3}"#,
            r#"{"t":"1e999 \" 1e999","积水":3}"#,
        );
        check(r#"{"t":"open 1e999"#, r#"{"t":"open 1e999"#);
        check("-", "-");
    }
}
