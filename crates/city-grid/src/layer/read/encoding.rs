//! Which encoding a shapefile's table is in: three places may say so, and all may be silent or wrong.

use encoding_rs::Encoding;

/// The encoding of a table: what is configured, else what its code page file names, else its header. Where all of them are
/// silent it is UTF-8 if it can be, else GBK, because such tables come from Chinese desktops; the doubt is told.
pub(super) fn encoding(
    configured: Option<&str>,
    cpg: Option<&[u8]>,
    language: u8,
    is_utf8: impl Fn() -> bool,
) -> Result<(&'static Encoding, Option<String>), String> {
    if let Some(label) = configured {
        let unknown = || format!("`{label}` is no encoding; such as UTF-8, GBK, GB18030, Big5");
        return Ok((labelled(label).ok_or_else(unknown)?, None));
    }
    let cpg = cpg.map(String::from_utf8_lossy).unwrap_or_default();
    let cpg = cpg.trim_matches(['\u{feff}', '\0', ' ', '\r', '\n', '\t']);
    if let Some(encoding) = labelled(cpg) {
        return Ok((encoding, None));
    }
    let declared = of_language(language);
    let is_silent = declared.is_none() && !is_utf8();
    let fallback = if is_silent {
        encoding_rs::GBK
    } else {
        encoding_rs::UTF_8
    };
    let encoding = declared.unwrap_or(fallback);
    let read_as = encoding.name();
    let doubt = if !cpg.is_empty() {
        Some(format!(
            "the .cpg names `{cpg}`, which is no encoding that is known: read as {read_as}"
        ))
    } else {
        is_silent.then(|| {
            format!("neither a .cpg nor the .dbf names an encoding, and the texts are not UTF-8: read as {read_as}")
        })
    };
    Ok((encoding, doubt))
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
}
