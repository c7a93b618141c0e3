//! Reads the table of a shapefile (dBase): fixed columns of text.
//!
//! Own code, because the crate for it makes numbers floats, which would change codes of more than 15 digits, and passes
//! over deleted rows, after which rows and shapes no longer belong together.

use encoding_rs::Encoding;
use serde_json::{Number, Value};

/// The size of the header, and of the description of a column.
const BLOCK_BYTES: usize = 32;
/// Ends the descriptions of the columns.
const TERMINATOR: u8 = 0x0d;
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
    /// Nobody says which encoding it is, and the texts are not UTF-8.
    pub(super) is_guessed: bool,
}

#[derive(Debug)]
struct Column {
    name: String,
    kind: u8,
    from: usize,
    end: usize,
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
        let declared = match configured {
            Some(label) => {
                let unknown = || format!("`{label}` is no encoding; such as UTF-8, GBK, GB18030, Big5");
                Some(labelled(label).ok_or_else(unknown)?)
            }
            None => cpg
                .and_then(|cpg| labelled(std::str::from_utf8(cpg).ok()?))
                .or(of_language(header[29])),
        };
        let is_utf8 = || Encoding::utf8_valid_up_to(rows) == rows.len();
        let is_guessed = declared.is_none() && !is_utf8();
        // A table that says nothing and is not UTF-8 comes from a Chinese desktop.
        let fallback = if is_guessed {
            encoding_rs::GBK
        } else {
            encoding_rs::UTF_8
        };
        let encoding = declared.unwrap_or(fallback);
        let mut columns = Vec::new();
        let mut from = 1; // after the flag
        for block in descriptions.chunks_exact(BLOCK_BYTES) {
            if block[0] == TERMINATOR {
                break;
            }
            let name = block[..11].split(|&byte| byte == 0).next().unwrap_or_default();
            let name = encoding.decode_without_bom_handling(name).0.trim().to_owned();
            let end = from + usize::from(block[16]);
            if end > row_bytes {
                return Err(format!(
                    "column `{name}` reaches beyond the rows' {row_bytes} bytes"
                ));
            }
            columns.push(Column {
                name,
                kind: block[11].to_ascii_uppercase(),
                from,
                end,
            });
            from = end;
        }
        Ok(Table {
            columns,
            rows,
            row_bytes,
            len,
            encoding,
            is_guessed,
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
        let raw = self.row(row).get(column.from..column.end).unwrap_or_default();
        let value = match (column.kind, raw.len()) {
            (b'I' | b'+', 4) => i32::from_le_bytes([raw[0], raw[1], raw[2], raw[3]]).into(),
            (b'O' | b'B', 8) => {
                let number = raw.first_chunk().map(|bytes| f64::from_le_bytes(*bytes));
                number
                    .and_then(Number::from_f64)
                    .map_or(Value::Null, Value::Number)
            }
            (b'N' | b'F', _) => number(&String::from_utf8_lossy(raw)),
            (b'C' | b'D' | b'V' | b'L', _) => {
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

/// The encoding of a label, as configurations and code page files write it.
fn labelled(label: &str) -> Option<&'static Encoding> {
    let label = label
        .trim_start_matches('\u{feff}')
        .trim_matches(['\0', ' ', '\r', '\n', '\t']);
    let upper = label.to_ascii_uppercase();
    let number = ["ANSI", "OEM", "CP", "WINDOWS", "MS"]
        .iter()
        .find_map(|prefix| upper.strip_prefix(prefix))
        .unwrap_or(&upper)
        .trim_start_matches([' ', '-', '_']);
    match number {
        "936" | "54936" => Some(encoding_rs::GBK),
        "950" => Some(encoding_rs::BIG5),
        "932" => Some(encoding_rs::SHIFT_JIS),
        "949" => Some(encoding_rs::EUC_KR),
        "65001" | "UTF8" => Some(encoding_rs::UTF_8),
        "1252" | "88591" => Some(encoding_rs::WINDOWS_1252),
        _ => Encoding::for_label_no_replacement(label.as_bytes()),
    }
}

/// The encoding of a header's language byte, where it names one that city grids come in.
fn of_language(byte: u8) -> Option<&'static Encoding> {
    match byte {
        0x4d | 0x7a => Some(encoding_rs::GBK),
        0x4f | 0x78 => Some(encoding_rs::BIG5),
        0x13 | 0x7b => Some(encoding_rs::SHIFT_JIS),
        0x4e | 0x79 => Some(encoding_rs::EUC_KR),
        0xf0 => Some(encoding_rs::UTF_8),
        // Most writers put 0x57 (the machine's code page) or 0x03 whatever they write, so these say nothing.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_as_exports_write_them() {
        for (label, want) in [
            ("UTF-8", "UTF-8"),
            ("utf8\r\n", "UTF-8"),
            ("65001", "UTF-8"),
            ("GBK", "GBK"),
            ("936", "GBK"),
            ("ANSI 936", "GBK"),
            ("CP936", "GBK"),
            ("gb2312", "GBK"),
            ("GB18030", "gb18030"),
            ("Big5", "Big5"),
            ("ISO-8859-1", "windows-1252"),
        ] {
            assert_eq!(labelled(label).map(Encoding::name), Some(want), "{label}");
        }
        assert_eq!(labelled("klingon"), None);
        assert_eq!(labelled(""), None);
    }

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
