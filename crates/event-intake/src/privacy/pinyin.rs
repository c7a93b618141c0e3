//! Names of people in Latin letters without tones: which single words read as a family name and a given name.

/// Syllables by what they begin with; each of the second follows the first.
const SYLLABLES: [(&str, &str); 24] = [
    ("", "a ai an ang ao e en er ou"),
    ("b", "a ai an ang ao ei en eng i ian iao ie in ing o u"),
    ("p", "a ai an ang ao ei en eng i ian iao ie in ing o ou u"),
    ("m", "a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u"),
    ("f", "a an ang ei en eng o ou u"),
    (
        "d",
        "a ai an ang ao e ei eng i ian iao ie ing iu ong ou u uan ui un uo",
    ),
    ("t", "a ai an ang ao e eng i ian iao ie ing ong ou u uan ui un uo"),
    (
        "n",
        "a ai an ang ao e ei en eng i ian iang iao ie in ing iu ong u uan uo v",
    ),
    (
        "l",
        "a ai an ang ao e ei eng i ia ian iang iao ie in ing iu ong ou u uan un uo v",
    ),
    (
        "g",
        "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    ),
    ("k", "a ai an ang ao e en eng ong ou u ua uai uan uang ui un uo"),
    (
        "h",
        "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    ),
    ("j", "i ia ian iang iao ie in ing iong iu u uan ue un"),
    ("q", "i ia ian iang iao ie in ing iong iu u uan ue un"),
    ("x", "i ia ian iang iao ie in ing iong iu u uan ue un"),
    (
        "zh",
        "a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo",
    ),
    ("ch", "a ai an ang ao e en eng i ong ou u uai uan uang ui un uo"),
    ("sh", "a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo"),
    ("r", "an ang ao e en eng i ong ou u uan ui un uo"),
    ("z", "a ai an ang ao e ei en eng i ong ou u uan ui un uo"),
    ("c", "a ai an ang ao e en eng i ong ou u uan ui un uo"),
    ("s", "a ai an ang ao e en eng i ong ou u uan ui un uo"),
    ("y", "a an ang ao e i in ing ong ou u uan ue un"),
    ("w", "a ai an ang ei en eng o u"),
];
/// Family names, the more frequent ones.
const FAMILIES: &str = " wang li zhang liu chen yang zhao huang zhou wu xu sun hu zhu gao lin he guo ma luo liang song \
zheng xie han tang feng yu dong xiao cheng cao yuan deng fu shen zeng peng lv lu su jiang cai jia ding wei xue ye yan pan du \
dai xia zhong tian ren fan fang shi yao tan liao zou xiong jin hao kong bai cui kang mao qiu qin gu hou shao meng long wan \
duan lei qian yin chang qiao lai gong wen pang shan ni niu ji lan zhai zhan ling ou ge shu tong bao mei sheng ruan ke zuo \
ouyang situ sima zhuge shangguan zuo jing hua yue geng kuang chu qi bi shang ";

/// The city and its districts, some of which read like a name.
pub(super) const PLACES: [&str; 17] = [
    "shanghai",
    "huangpu",
    "xuhui",
    "changning",
    "jingan",
    "putuo",
    "hongkou",
    "yangpu",
    "minhang",
    "baoshan",
    "jiading",
    "jinshan",
    "songjiang",
    "qingpu",
    "fengxian",
    "chongming",
    "pudong",
];

/// Whether a word in small letters is a family name.
pub(super) fn is_family(word: &str) -> bool {
    FAMILIES
        .split(' ')
        .any(|family| !family.is_empty() && family == word)
}

/// Whether a word in small letters is a family name and one or two syllables more.
pub(super) fn is_full_name(word: &str) -> bool {
    if PLACES.contains(&word) {
        return false;
    }
    // Six letters are the longest syllable.
    let ends = (2..=word.len().min(9)).filter(|end| word.get(..*end).is_some_and(is_family));
    ends.filter_map(|end| word.get(end..))
        .any(|given| is_given(given, 2))
}

/// Whether a word in small letters is one syllable or two.
pub(super) fn is_given_name(word: &str) -> bool {
    is_given(word, 2)
}

fn is_given(text: &str, most: usize) -> bool {
    most > 0
        && (1..=text.len().min(6)).any(|end| {
            text.get(..end).is_some_and(is_syllable)
                && text
                    .get(end..)
                    .is_some_and(|rest| rest.is_empty() || is_given(rest, most - 1))
        })
}

fn is_syllable(text: &str) -> bool {
    SYLLABLES.iter().any(|(begin, ends)| {
        text.strip_prefix(begin)
            .is_some_and(|end| ends.split(' ').any(|known| known == end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_blanks() {
        for name in [
            "zhangsan",
            "wangxiaoming",
            "lilei",
            "hanmeimei",
            "ouyangfeng",
            "liuyu",
            "xuan",
        ] {
            assert!(is_full_name(name), "{name}");
        }
        for none in [
            "admin",
            "duty",
            "dispatcher",
            "operator",
            "",
            "a",
            "control",
            "watch",
            "li",
            "zhang",
            "manager",
            "grid",
            "abcdefghijklmnop",
            "supervisor",
            "patrol",
            "guest",
            "shanghai",
        ] {
            assert!(!is_full_name(none), "{none}");
        }
    }
}
