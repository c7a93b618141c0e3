//! Whether a number is a thing's: lamps, covers and cabinets carry numbers that look like somebody's.
//!
//! Only what stands directly before a number tells. A place or a person there ("九亭站", "业主代表") tells nothing.

/// Signs with which the name of a thing of the street ends.
const SIGNS: &str = "杆桩箱柜阀灯泵闸牌栓桶";
/// The same in words, whose last sign ends other words as well.
const WORDS: [&str; 48] = [
    "井盖",
    "窨井",
    "阴井",
    "水井",
    "检查井",
    "沙井",
    "电井",
    "缆井",
    "阀井",
    "力井",
    "信井",
    "管盖",
    "沟盖",
    "盖板",
    "雨水口",
    "水箅",
    "雨箅",
    "水篦",
    "雨篦",
    "水表",
    "电表",
    "气表",
    "泵站",
    "变电站",
    "监测站",
    "基站",
    "探头",
    "摄像头",
    "摄像机",
    "球机",
    "枪机",
    "探测器",
    "感应器",
    "报警器",
    "变压器",
    "传感器",
    "位计",
    "流量计",
    "检修井",
    "气井",
    "防井",
    "箱变",
    "信号机",
    "闸机",
    "候车亭",
    "站亭",
    "行道树",
    "古树",
];
/// What ends like a thing and is where somebody can be reached.
const REACHES: [&str; 4] = ["邮箱", "子信箱", "车牌", "牙牌"];
/// What announces a code, whatever it is a code of.
const CODES: [&str; 11] = [
    "编", "编码", "单", "设备", "部件", "点位", "代码", "流水", "标识", "ID", "id",
];
/// What may stand between a thing and its number.
const BETWEEN: [char; 8] = [' ', ':', '是', '为', '(', '号', '码', '#'];
/// Things that only a word for a number behind them tells: 龙井 is none.
const WITH_NUMBER: [&str; 3] = ["井号", "井编号", "井位"];
/// Most letters in front of a thing's number: SJ-57812345.
const MOST_LETTERS: usize = 4;

/// Whether what stands before a number calls it a thing's: 路灯, 井盖号码, 设备编号.
pub(crate) fn is_numbered(before: &str) -> bool {
    let name = before.trim_end_matches([' ', ':', '(', '#', '是', '为']);
    if WITH_NUMBER
        .iter()
        .any(|word| name.strip_suffix('码').unwrap_or(name).ends_with(word))
    {
        return true;
    }
    let name = before.trim_end_matches(BETWEEN);
    let is_code = CODES.iter().any(|word| name.ends_with(word));
    let name = name.strip_suffix('编').unwrap_or(name);
    let is_thing = name.ends_with(|c| SIGNS.contains(c)) || WORDS.iter().any(|word| name.ends_with(word));
    is_code || is_thing && !REACHES.iter().any(|word| name.ends_with(word))
}

/// The same where the number begins with letters of its own (杆号SJ-). A long one may hide somebody's, so it is for short ones.
pub(super) fn is_lettered(before: &str) -> bool {
    let name = without_letters(before);
    name.len() < before.len() && is_numbered(name)
}

/// Without the letters that a number of a system begins with; a key has no dash behind them any more.
fn without_letters(before: &str) -> &str {
    let code = before.strip_suffix(['-', '_']).unwrap_or(before);
    let rest = code.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    match code.len() - rest.len() {
        1..=MOST_LETTERS => rest,
        _ => before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_and_what_is_none() {
        for thing in [
            "谷阳北路路灯",
            "灯杆",
            "路灯杆号",
            "路灯杆编号:",
            "井盖 ",
            "窨井盖号码",
            "配电箱",
            "充电桩(",
            "消防栓",
            "公交站牌",
            "监控摄像头",
            "编号",
            "设备",
            "工单",
            "水位计",
            "垃圾桶",
            "箱变",
            "信箱",
            "井号",
            "井号码:",
            "污水井编号",
        ] {
            assert!(is_numbered(thing), "{thing}");
        }
        for none in [
            "",
            "1500弄12号",
            "九亭站",
            "业主代表",
            "电话号码",
            "邮箱",
            "车牌",
            "路灯旁",
            "路灯坏了",
            "路灯,",
            "龙井",
            "龙井-",
            "杆号SJ-",
            "岗亭旁",
            "张三",
            "号码:",
            "地铁口",
        ] {
            assert!(!is_numbered(none), "{none}");
        }
    }

    #[test]
    fn numbers_with_letters() {
        for thing in ["杆号SJ-", "路灯 LD_", "杆号SJ", "井号A"] {
            assert!(is_lettered(thing), "{thing}");
        }
        for none in ["杆号", "杆号-", "龙井SJ-", "李雷SJ-", "杆号SJABC-", "SJ-"] {
            assert!(!is_lettered(none), "{none}");
        }
    }
}
