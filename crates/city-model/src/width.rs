//! Signs of the double width that Chinese keyboards type, as their single-width twins.

/// A full-width letter, digit or sign (U+FF01 to U+FF5E) as its half-width twin, the ideographic space as a space, any other
/// character as it is. Those mirror U+0021 to U+007E at a fixed distance (Unicode, Halfwidth and Fullwidth Forms).
pub fn half_width(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_and_nothing_else() {
        let half: String = "ＡＢｚ０９！～　着火ｱ€".chars().map(half_width).collect();
        assert_eq!(half, "ABz09!~ 着火ｱ€");
        for c in '!'..='~' {
            let full = char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c);
            assert_eq!((half_width(full), half_width(c)), (c, c));
        }
    }
}
