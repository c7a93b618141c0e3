//! Finds the line of a key in a TOML text, for mistakes that are seen only after it was read.

/// The lines, from 1, on which `key` is set in the tables of the header `section`, in their order.
pub(super) fn of_key(text: &str, section: &str, key: &str) -> Vec<usize> {
    let mut at = "";
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            let header = line.split('#').next().unwrap_or_default().trim_end();
            at = header.trim_matches(['[', ']']).trim();
            continue;
        }
        let Some((name, _)) = line.split_once('=') else {
            continue;
        };
        let name = name.trim().trim_matches(['"', '\'']);
        let is_whole =
            at.is_empty() && name.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')) == Some(key);
        if (at == section && name == key) || is_whole {
            found.push(number + 1);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_its_own_section() {
        let text = "a.code = 1\n[b]\ncode = 2 # code = 3\n\n[[c.d]] # more\n\"code\" = 4\n[[c.d]]\n code=5\n# code = 6\n";
        let check = |section: &str, expected: &[usize]| {
            assert_eq!(of_key(text, section, "code"), expected, "{section}")
        };
        check("a", &[1]);
        check("b", &[3]);
        check("c.d", &[6, 8]);
        check("c", &[]);
    }
}
