//! Whether codes have the form of their standards, and whether a cell's code begins with that of the enclosing one.

use crate::finding::{Finding, What};
use crate::layer::{CellIndex, Layer};

pub(super) fn check(layer: &Layer, index: CellIndex, findings: &mut Vec<Finding>) {
    let cell = layer.cell(index);
    let mut report = |what: What, detail: String| {
        let finding = Finding::new(what, &cell.level, Some(&cell.code), detail);
        let inside = layer.inner_point(index);
        findings.push(finding.at_points(inside.as_slice()));
    };
    if let Some(detail) = bad_code(&cell.level, &cell.code) {
        report(What::BadCode, detail);
        return; // what it begins with says nothing then
    }
    let mut above = cell.parent;
    while let Some(parent) = above {
        let parent = layer.cell(parent);
        if let Some(detail) = not_nested(&cell.level, &cell.code, &parent.level, &parent.code) {
            report(What::CodeNotNested, detail);
            return;
        }
        above = parent.parent;
    }
}

/// The lengths that a level's codes may have: GB/T 2260 (6), GB/T 10114 (9), the statistical codes (12); for unit cells and
/// duty cells CJ/T 213-2005 (14), GB/T 30428.1-2013 and GB/T 47678.3-2026 (15).
fn lengths(level: &str) -> &'static [usize] {
    match level {
        "district" => &[6],
        "town" => &[9],
        "village" => &[12],
        "duty_cell" | "unit_cell" => &[14, 15],
        _ => &[],
    }
}

pub(super) fn bad_code(level: &str, code: &str) -> Option<String> {
    let lengths = lengths(level);
    let length = code.chars().count();
    if lengths.is_empty() {
        return None;
    }
    if !lengths.contains(&length) {
        let lengths: Vec<String> = lengths.iter().map(usize::to_string).collect();
        return Some(format!(
            "has {length} characters, a {level} has {}",
            lengths.join(" or ")
        ));
    }
    // only GB/T 47678.3-2026 has capitals
    let allowed = |c: char| c.is_ascii_digit() || (length == 15 && c.is_ascii_uppercase());
    let wrong = code.chars().find(|&c| !allowed(c));
    wrong.map(|c| format!("has `{c}` in it"))
}

/// The 2005 code has two digits for the street instead of three, so it shares only the district with other codes.
pub(super) fn not_nested(level: &str, code: &str, parent_level: &str, parent: &str) -> Option<String> {
    const DISTRICT: usize = 6;
    if lengths(level).is_empty()
        || lengths(parent_level).is_empty()
        || bad_code(parent_level, parent).is_some()
    {
        return None;
    }
    let shared = if code.len() == 14 { DISTRICT } else { parent.len() };
    let (begins, wanted) = (code.get(..shared), parent.get(..shared));
    (begins != wanted).then(|| {
        format!(
            "does not begin with {} of its {parent_level} {parent}",
            wanted.unwrap_or(parent)
        )
    })
}
