//! What people write into an address to say none: it is no place, and two who write it are not in one.

use std::sync::LazyLock;

use regex::Regex;

/// The whole of such an address, without regions, signs and blanks.
const NOTHING: &str = r"(?i)^(?:无|空|没有|暂无|暂缺|不详|不明|不清楚|不知道|不方便|未知|未填|未填写|未提供|无法提供|不愿提供|拒绝提供|保密|待定|待核实|待补充|待查|同上|同前|如上|如题|见上|其他|其它|详?见(?:附件|内容|正文|工单|系统|图片?|照片)|(?:无|没有)(?:具体|详细)?(?:地址|位置|地点)|(?:具体|详细)?(?:地址|位置|地点)(?:不详|不明|未知|不清楚|保密|同上|无|暂无|未提供)?|na|nil|null|none|nan|undefined|unknown|empty|test|测试|x{1,9}|某某|某处)$";
/// A sort of place of which every town has many.
const ANYWHERE: &str = r"^(?:[本全][市区镇县村]|我市|我区|市区|城区|市内|区内|市里|镇上|镇里|村里|村上|(?:本|我们|我家|我|该|某|一个|一|这个|这)?(?:小区|单位|公司|学校|工地|商场|菜场|超市|医院|公园|店|店里|店铺|门店|村|村庄|车库|地下车库|停车场|楼道|电梯|电梯间|地下室|楼上|楼下|楼顶|家|家里|家中|家门口|住处|住所|房屋|房子|办公室|宿舍|路口|十字路口|丁字路口|三岔路口|交叉口|路|路上|路边|路面|路段|道路|公路|大道|马路|马路上|马路边|街|街上|街边|街道|街道边|街道上|弄堂|巷子|河边|河道|桥|桥上|桥下|公交车上|车上|地铁站?|公交站台?|车站|现场|当地|本地|附近|周边|此处|这里|那里|原地|门口|大门口|室外|室内|户外|外面))(?:里|内|上|中|外|旁|边)?$";
/// Numbers of houses without a road or an estate, which every road has.
const NUMBERS_ALONE: &str = r"^(?:[0-9]+|[号弄幢单元楼层期栋座室支门洞-])+$";
/// The districts of the city whose names are told without their word.
const DISTRICTS: [&str; 17] = [
    "上海", "黄浦", "徐汇", "长宁", "静安", "普陀", "虹口", "杨浦", "闵行", "宝山", "嘉定", "金山", "松江",
    "青浦", "奉贤", "崇明", "浦东",
];

static PATTERNS: LazyLock<Option<[Regex; 3]>> = LazyLock::new(|| {
    let [nothing, anywhere, numbers] =
        [NOTHING, ANYWHERE, NUMBERS_ALONE].map(|pattern| Regex::new(pattern).ok());
    Some([nothing?, anywhere?, numbers?])
});

/// Whether an address without regions and signs says no place at all.
pub(super) fn is_nowhere(text: &str) -> bool {
    let Some([nothing, anywhere, _]) = PATTERNS.as_ref() else {
        return false;
    };
    let is_blank = !text.chars().any(char::is_alphanumeric);
    is_blank || nothing.is_match(text) || anywhere.is_match(text) || DISTRICTS.contains(&text)
}

/// Whether it says one that cannot be told from another of its like.
pub(super) fn is_numbers_alone(text: &str) -> bool {
    PATTERNS
        .as_ref()
        .is_some_and(|[.., numbers]| numbers.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_no_place() {
        for nowhere in [
            "无",
            "不详",
            "未知",
            "同上",
            "暂无",
            "无法提供",
            "见附件",
            "N/A",
            "na",
            "null",
            "NULL",
            "本市",
            "松江",
            "路口",
            "小区",
            "地址不详",
            "我家",
            "家门口",
            "小区里",
            "马路边",
            "",
            "--",
            "？",
        ] {
            assert!(is_nowhere(&nowhere.replace('/', "")), "{nowhere}");
        }
        for place in [
            "无名路",
            "小区路",
            "路口镇",
            "家乐福",
            "学校路12号",
            "松江路",
            "无为路",
            "佘山",
            "西门",
            "老街",
        ] {
            assert!(!is_nowhere(place), "{place}");
        }
        assert!(is_numbers_alone("5幢302") && is_numbers_alone("1500弄") && !is_numbers_alone("g60"));
    }
}
