//! A sample's bytes as its line has them: a record in Avro may hold any byte, also a line's end, so it may be spelt out.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use wire_format::Format;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The record of a line: what it spells in hex or base64, where that begins as a record does; else the line itself.
/// Neither spelling can be taken for the other: in it, no record begins.
pub(super) fn record(line: &[u8]) -> Cow<'_, [u8]> {
    let text = line.trim_ascii();
    let begins_well =
        |bytes: &Vec<u8>| Format::detect(bytes) != Format::Json || bytes.trim_ascii_start().starts_with(b"{");
    let spelt = of_hex(text)
        .filter(begins_well)
        .or_else(|| BASE64.decode(text).ok().filter(begins_well));
    spelt.map_or(Cow::Borrowed(line), Cow::Owned)
}

fn of_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_and_base64_are_read_and_all_else_is_itself() {
        let avro = b"\xc3\x01\x63\x0a\xe3\x4e\n\r".as_slice();
        let framed = b"\0\0\0\0\x0b\x0a".as_slice();
        for (line, record_) in [
            ("c301630ae34e0a0d", avro),
            ("C301630AE34E0A0D ", avro),
            ("wwFjCuNOCg0=", avro),
            ("wwFjCuNOCg0", avro),
            ("000000000b0a", framed),
            ("AAAAAAsK", framed),
            ("e30=", b"{}"),
            ("7b7d", b"{}"),
        ] {
            assert_eq!(record(line.as_bytes()), record_, "{line}");
        }
        for same in [
            b"{\"a\": 1}".as_slice(),
            b"{bad",
            b"12345678",
            b"null",
            b"abc",
            b"[]",
            b"",
            avro,
            framed,
        ] {
            assert_eq!(record(same), same);
        }
    }
}
