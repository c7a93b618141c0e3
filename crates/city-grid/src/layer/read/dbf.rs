//! Reads the table of a shapefile (dBase): fixed columns of text.
//!
//! Own code, because the crate for it makes numbers floats, which would change codes of more than 15 digits, and passes
//! over deleted rows, after which rows and shapes no longer belong together.

use std::ops::Range;

use encoding_rs::Encoding;
use serde_json::{Number, Value};

use super::encoding::encoding;

/// The size of the header, and of the description of a column.
const BLOCK_BYTES: usize = 32;
/// Ends the descriptions of the columns.
const TERMINATOR: u8 = 0x0d;
/// Kinds of columns that hold text in the table's encoding.
const TEXTS: [u8; 4] = *b"CDVL";
/// The flag before a row that was deleted.
const DELETED: u8 = b'*';

/// A table that lies in memory.
#[derive(Debug)]
pub(super) struct Table<'a> {
    columns: Vec<Column>,
    rows: &'a [u8],
    row_bytes: usize,
    /// How many rows there are, deleted ones too.
    pub(super) len: usize,
    encoding: &'static Encoding,
    /// Why it may be another encoding.
    pub(super) doubt: Option<String>,
}

#[derive(Debug)]
struct Column {
    name: String,
    kind: u8,
    /// Where it lies in a row.
    range: Range<usize>,
}

impl<'a> Table<'a> {
    /// A table; `configured` overrules the code page file, that the header's language byte.
    pub(super) fn open(
        bytes: &'a [u8],
        configured: Option<&str>,
        cpg: Option<&[u8]>,
    ) -> Result<Table<'a>, String> {
        let short = || "it ends within the header".to_owned();
        let header: &[u8; BLOCK_BYTES] = bytes.first_chunk().ok_or_else(short)?;
        let half = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let counted = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        let (first_row, row_bytes) = (half(8), half(10));
        let descriptions = bytes.get(BLOCK_BYTES..first_row).ok_or_else(short)?;
        let rows = &bytes[first_row..];
        let len = usize::try_from(counted).unwrap_or(usize::MAX);
        if row_bytes == 0 || len > rows.len() / row_bytes {
            let there = rows.len();
            return Err(format!(
                "the header counts {counted} rows of {row_bytes} bytes, there are {there} bytes"
            ));
        }
        let rows = &rows[..len * row_bytes];
        let mut columns = Vec::new();
        let mut from = 1; // after the flag
        for block in descriptions.chunks_exact(BLOCK_BYTES) {
            if block[0] == TERMINATOR {
                break;
            }
            let end = from + usize::from(block[16]);
            let name = block[..11].split(|&byte| byte == 0).next().unwrap_or_default();
            if end > row_bytes {
                let name = String::from_utf8_lossy(name);
                return Err(format!(
                    "column `{name}` reaches beyond the rows' {row_bytes} bytes"
                ));
            }
            columns.push((name, block[11].to_ascii_uppercase(), from..end));
            from = end;
        }
        let is_utf8 = || {
            let texts = columns.iter().filter(|(_, kind, _)| TEXTS.contains(kind));
            let names = columns.iter().map(|(name, ..)| *name);
            let rows = || rows.chunks_exact(row_bytes);
            let values = texts.flat_map(|(.., range)| rows().map(|row| &row[range.clone()]));
            names.chain(values).all(|text| std::str::from_utf8(text).is_ok())
        };
        let (encoding, doubt) = encoding(configured, cpg, header[29], is_utf8)?;
        let columns = columns.into_iter().map(|(name, kind, range)| {
            let name = encoding.decode_without_bom_handling(name).0.trim().to_owned();
            Column { name, kind, range }
        });
        Ok(Table {
            columns: columns.collect(),
            rows,
            row_bytes,
            len,
            encoding,
            doubt,
        })
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The name of the encoding.
    pub(super) fn encoding(&self) -> &'static str {
        self.encoding.name()
    }

    /// Whether the row was deleted.
    pub(super) fn is_deleted(&self, row: usize) -> bool {
        self.row(row).first() == Some(&DELETED)
    }

    /// What a row has in a column, `None` without such a column. The flag says that bytes are not of the encoding.
    pub(super) fn value(&self, row: usize, column: &str) -> Option<(Value, bool)> {
        let column = self.columns.iter().find(|found| found.name == column)?;
        let raw = self.row(row).get(column.range.clone()).unwrap_or_default();
        let value = match (column.kind, raw.len()) {
            (b'I' | b'+', 4) => i32::from_le_bytes([raw[0], raw[1], raw[2], raw[3]]).into(),
            (b'O' | b'B', 8) => {
                let number = raw.first_chunk().map(|bytes| f64::from_le_bytes(*bytes));
                number
                    .and_then(Number::from_f64)
                    .map_or(Value::Null, Value::Number)
            }
            (b'N' | b'F', _) => number(&String::from_utf8_lossy(raw)),
            (kind, _) if TEXTS.contains(&kind) => {
                let raw = raw.split(|&byte| byte == 0).next().unwrap_or_default();
                let (text, is_bad) = self.encoding.decode_without_bom_handling(raw);
                return Some((Value::from(text.trim()), is_bad));
            }
            _ => Value::Null, // memos, pictures and the like lie in other files
        };
        Some((value, false))
    }

    fn row(&self, row: usize) -> &[u8] {
        let from = row.saturating_mul(self.row_bytes);
        self.rows
            .get(from..from.saturating_add(self.row_bytes))
            .unwrap_or_default()
    }
}

/// A number as it is written, so that no digit of a code is lost; without decimals that are all zero.
fn number(text: &str) -> Value {
    let text = text.trim_matches([' ', '\0', '*']);
    let whole = match text.split_once('.') {
        Some((whole, decimals)) if decimals.bytes().all(|byte| byte == b'0') => whole,
        _ => text,
    };
    if whole.is_empty() {
        Value::Null
    } else if let Ok(number) = whole.parse::<i64>() {
        number.into()
    } else if whole.bytes().all(|byte| byte.is_ascii_digit()) {
        whole.into()
    } else {
        let number = whole.parse().ok().and_then(Number::from_f64);
        number.map_or(Value::Null, Value::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_of_a_number_is_lost() {
        for (text, want) in [
            ("  310117001", Value::from(310_117_001)),
            ("310117001.0", Value::from(310_117_001)),
            ("310117001001234567.000", Value::from(310_117_001_001_234_567_i64)),
            ("31011700100123456789", Value::from("31011700100123456789")),
            ("1.5", Value::from(1.5)),
            ("   ", Value::Null),
            ("****", Value::Null),
            ("x", Value::Null),
        ] {
            assert_eq!(number(text), want, "{text}");
        }
    }
}
