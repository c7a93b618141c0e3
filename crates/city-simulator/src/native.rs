//! What the sources call each kind: category names, codes of the two national standards, video labels, and the callers'
//! words. The kinds' own names never leave this crate except in the truth.

/// The standard of 2013 by its name on the wire.
pub(crate) const GB_2013: &str = "GB/T 30428.2-2013";
/// The standard that replaced it on 2026-07-01.
pub(crate) const GB_2026: &str = "GB/T 47678.5-2026";

/// The words of the sources for one kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Native {
    /// The kind, as in the profiles.
    pub(crate) kind: &'static str,
    /// Category names, widest first; empty where the lists have none and the text alone tells.
    pub(crate) category: &'static [&'static str],
    /// The code of 2013, if it has one.
    pub(crate) code_2013: Option<&'static str>,
    /// The code of 2026, if it has one.
    pub(crate) code_2026: Option<&'static str>,
    /// `(alert_code, code_system)` of video analytics.
    pub(crate) video: &'static [(&'static str, &'static str)],
    /// What people say. Each phrase holds a word that only this kind has.
    pub(crate) phrases: &'static [&'static str],
}

macro_rules! natives {
    ($($kind:literal [$($cat:literal),*] $c13:expr, $c26:expr; [$($code:literal $sys:literal),*] [$($phrase:literal),+])*) => {
        &[$(Native {
            kind: $kind, category: &[$($cat),*], code_2013: $c13, code_2026: $c26, video: &[$(($code, $sys)),*],
            phrases: &[$($phrase),+],
        }),*]
    };
}

/// In the order of the profiles.
pub(crate) const NATIVES: &[Native] = natives! {
    "ads_illegal" ["宣传广告", "乱涂写、乱张贴、乱刻画"] Some("0201"), Some("07001"); ["674" "EVENTSORT"]
        ["墙面被贴满小广告", "楼道里小广告很多,清了又贴", "电线杆上贴着小广告"]
    "garbage_exposed" ["市容环境", "暴露垃圾"] Some("0110"), Some("06010"); ["640" "EVENTSORT", "683" "EVENTSORT", "890" "DAHUA"]
        ["路边一堆生活垃圾无人清理", "有人乱扔垃圾,一直没人收", "垃圾乱倒在路边,气味难闻"]
    "bin_overflow" ["市容环境", "垃圾满溢"] Some("0198"), Some("06042"); ["630" "EVENTSORT", "895" "DAHUA"]
        ["垃圾箱满溢,没有清运", "垃圾桶溢出来了", "垃圾箱房满溢"]
    "rubble_pile" ["市容环境", "积存垃圾渣土"] Some("0111"), Some("06011"); ["686" "EVENTSORT"]
        ["装修的建筑垃圾堆在路边", "一大堆渣土没人运走", "建筑垃圾堆放好几天了"]
    "parking_motor" ["街面秩序", "机动车乱停放"] Some("0409"), Some("09009"); ["603" "EVENTSORT", "624" "EVENTSORT", "893" "DAHUA"]
        ["有小汽车违停", "机动车占道停车,出不去", "路口总有车违停"]
    "parking_bike" ["街面秩序", "非机动车乱停放"] Some("0410"), Some("09010"); ["894" "DAHUA", "635" "EVENTSORT"]
        ["共享单车乱停放", "电瓶车停放占满人行道", "共享单车堆在路口"]
    "vendor" ["街面秩序", "占道无证照经营"] Some("0401"), Some("09001"); ["661" "EVENTSORT", "646" "EVENTSORT", "887" "DAHUA"]
        ["有流动摊贩乱设摊", "路边摆摊卖水果", "小贩在人行道上摆摊"]
    "shop_spill" ["街面秩序", "跨门营业"] Some("0405"), Some("09005"); ["660" "EVENTSORT", "882" "DAHUA"]
        ["店家跨门营业", "商店出店经营,货摆到人行道", "饭店跨门经营占了人行道"]
    "road_damage" ["市容环境", "道路破损"] None, None; ["698" "EVENTSORT"]
        ["路面破损严重", "路面坑洼不平", "人行道地砖破损"]
    "noise" ["施工管理", "施工扰民"] None, None; []
        ["夜间施工噪音很大", "广场舞噪音扰民", "工地噪音吵得睡不着"]
    "dust" ["施工管理", "工地扬尘"] None, None; ["67" "CLASS84"]
        ["工地扬尘很大", "工地没有洒水,扬尘严重", "灰尘飘进家里,工地扬尘"]
    "fume" ["市容环境", "油烟污染"] None, None; []
        ["饭店油烟直排", "楼下餐馆油烟很重", "油烟呛人"]
    "illegal_build" ["市容环境", "私搭乱建"] Some("0101"), Some("06001"); ["664" "EVENTSORT"]
        ["有人在楼顶违法搭建", "邻居违建阳光房", "底楼天井里搭建违建"]
    "street_light" ["公用设施", "路灯"] None, None; []
        ["路灯不亮", "一排路灯都不亮", "路灯坏了,晚上看不见"]
    "odor_water" ["市容环境", "水域不洁"] None, None; ["692" "EVENTSORT"]
        ["河水发黑,很臭", "河道黑臭", "河水发黑发臭"]
    "manhole_missing" ["公用设施", "雨水井盖"] None, None; []
        ["井盖缺失", "井盖翘起来了,很危险", "路上井盖碎裂"]
    "sewage_overflow" ["市容环境", "路面积水、污水冒溢、粪便冒溢"] None, None; ["690" "EVENTSORT"]
        ["污水冒溢", "化粪池粪便外溢", "窨井污水外溢到路上"]
    "road_collapse" ["突发事件", "路面塌陷"] None, None; ["699" "EVENTSORT"]
        ["路面塌陷", "路上塌陷出一个大坑", "路面突然下沉塌陷"]
    "gas_leak" ["突发事件", "燃气管道破裂"] None, None; []
        ["有很重的煤气味", "闻到燃气味", "整栋楼都有煤气味"]
    "fire_smoke" [] None, None; ["619" "EVENTSORT", "881" "DAHUA"]
        ["房子着火了", "楼上在冒烟", "有烧焦的味道,在冒烟"]
    "elec_hazard" [] None, None; []
        ["电线冒火花", "配电箱冒火花", "电表箱里冒火花"]
    "water_burst" ["突发事件", "供水管道破裂"] None, None; []
        ["自来水爆管", "水管爆管,在喷水", "地下水管爆管漏水"]
    "hydrant_fault" ["公用设施", "消火栓"] None, None; []
        ["消防栓漏水", "消火栓没水", "消防栓被撞,一直漏水"]
    "tree_fallen" ["园林绿化", "行道树"] None, None; ["46" "CLASS84"]
        ["树倒了,横在路上", "大树断枝压车", "树倒在人行道上"]
    "falling_object" [] None, None; ["600" "EVENTSORT"]
        ["外墙砖掉落", "楼上玻璃坠落", "高空坠物,差点砸到人"]
    "cable_down" ["公用设施", "架空线坠落、乱设"] None, None; ["45" "CLASS84"]
        ["电线垂落到路面", "架空线断线,挂在半空", "电缆线垂落"]
    "power_outage" [] None, None; []
        ["小区停电了", "整栋楼停电", "家里跳闸,整片停电"]
    "traffic_signal" ["道路交通", "交通信号灯"] None, None; []
        ["红绿灯不亮", "路口红绿灯坏了,不亮", "信号灯不亮,车很乱"]
    "elevator_trap" [] None, None; []
        ["电梯困人", "有人被困电梯", "电梯停了,里面困着人"]
    "crowd" [] None, None; ["628" "EVENTSORT"]
        ["很多人聚集", "有人聚集讨薪", "门口聚集了上百人"]
    "fight" [] None, None; ["602" "EVENTSORT"]
        ["有人打架", "路边打架,有人受伤", "几个人在打架斗殴"]
    "fire_lane_blocked" [] None, None; []
        ["消防通道被堵", "消防通道堵住了,救火车进不来", "车把消防通道堵死了"]
    "ebike_charging" [] None, None; ["629" "EVENTSORT"]
        ["电瓶车在楼道里飞线充电", "楼道充电,电瓶车推进楼", "电动车飞线充电"]
    "billboard_risk" ["宣传广告", "广告招牌破损"] None, None; []
        ["店招广告牌松动", "广告牌松动,快要倒", "广告牌摇摇欲坠,已经松动"]
    "road_ponding" ["突发事件", "道路积水"] None, None; ["696" "EVENTSORT", "611" "EVENTSORT"]
        ["道路积水,车过不去", "路面积水很深", "下雨积水,要涉水走"]
    "underpass_flood" ["突发事件", "道路积水"] None, None; ["696" "EVENTSORT"]
        ["下立交积水,车熄火了", "下穿隧道积水", "下立交积水很深"]
};

/// Contacts that report nothing at a place: `(appeal_type, title, content)`.
pub(crate) const CONTACTS: &[(&str, &str, &str)] = &[
    ("咨询", "咨询居住证办理", "市民来电询问居住证怎么办理"),
    ("咨询", "咨询社保缴费", "询问社保缴费年限"),
    ("咨询", "咨询公积金提取", "询问公积金提取需要哪些材料"),
    ("咨询", "咨询入学政策", "询问小学入学报名时间"),
    ("建议", "建议增加公交班次", "希望早上增加公交班次"),
    ("表扬", "表扬社区工作人员", "感谢社区工作人员热心帮助"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::PROFILES;

    #[test]
    fn every_profile_has_its_words_in_the_same_order() {
        let profiles: Vec<_> = PROFILES.iter().map(|profile| profile.kind).collect();
        let natives: Vec<_> = NATIVES.iter().map(|native| native.kind).collect();
        assert_eq!(profiles, natives);
    }

    #[test]
    fn a_kind_that_cameras_see_has_a_label() {
        for (profile, native) in PROFILES.iter().zip(NATIVES) {
            assert_eq!(profile.video > 0.0, !native.video.is_empty(), "{}", profile.kind);
        }
    }

    #[test]
    fn codes_of_2026_follow_from_those_of_2013() {
        for native in NATIVES {
            let (Some(old), Some(new)) = (native.code_2013, native.code_2026) else {
                continue;
            };
            let chapter: u32 = old[..2].parse().unwrap();
            let derived = format!("{:02}0{}", chapter + 5, &old[2..]);
            // The overfull bin had a local code (01-98), which the rule does not cover.
            assert!(derived == new || native.kind == "bin_overflow", "{}", native.kind);
        }
    }
}
