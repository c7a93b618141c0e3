//! Made-up names for villages; a town never has one twice.

use super::places::VillageKind;

const FIRST: [char; 20] = [
    '荣', '永', '新', '金', '民', '华', '景', '泰', '和', '安', '兴', '庆', '丰', '源', '明', '福', '文',
    '光', '祥', '宁',
];
const SECOND: [char; 20] = [
    '乐', '禾', '浜', '泾', '桥', '塘', '园', '苑', '庭', '湖', '港', '溪', '林', '渔', '浦', '星', '辰',
    '都', '联', '城',
];

/// The `number`-th name; 400 numbers in a row give 400 names.
pub(super) fn village_name(kind: VillageKind, number: usize) -> String {
    // 137 has no factor in common with 400, so this visits every pair, far from its neighbours
    let pair = number % 400 * 137 % 400;
    let (first, second) = (FIRST[pair / 20], SECOND[pair % 20]);
    match kind {
        VillageKind::Residents => format!("{first}{second}居委会"),
        VillageKind::Park => format!("{first}{second}园区"),
        VillageKind::Village => format!("{first}{second}村"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_towns_names_differ() {
        let names: BTreeSet<String> = (70..470)
            .map(|number| village_name(VillageKind::Village, number))
            .collect();
        assert_eq!(names.len(), 400);
    }
}
