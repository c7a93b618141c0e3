//! Codes, names, words and video alarms as sources send them, and the kinds that they mean.
#![allow(clippy::unwrap_used)]

use city_model::Hint;
use city_rules::Rules;

const GB13: &str = "GB/T 30428.2-2013";
const GB26: &str = "GB/T 47678.5-2026";
const CJT: &str = "CJ/T 214-2007";

#[test]
fn codes() {
    let rules = Rules::builtin();
    let check = |standard: &str,
                 code: &str,
                 kind: &str,
                 gb2013: Option<&str>,
                 gb2026: Option<&str>,
                 derived: bool| {
        let mapped = rules
            .map_code(standard, code)
            .unwrap_or_else(|| panic!("{standard} {code}"));
        assert_eq!(rules.kind(mapped.kind).name.as_str(), kind, "{standard} {code}");
        assert_eq!(
            (mapped.gb2013.as_deref(), mapped.gb2026.as_deref()),
            (gb2013, gb2026),
            "{standard} {code}"
        );
        assert_eq!(mapped.derived, derived, "{standard} {code}");
    };
    // One code, two meanings.
    check(CJT, "0401", "road_collapse", None, None, false);
    check(CJT, "0501", "vendor", Some("0401"), Some("09001"), true);
    // One matter has one code of each list, whichever list it comes by; what a list lacks has none.
    for (old, new, kind) in [
        ("0401", "09001", "vendor"),
        ("0114", "06014", "rubble_pile"),
        ("0117", "06017", "garbage_exposed"),
        ("0306", "08006", "rubble_pile"),
        ("0410", "09010", "parking_bike"),
    ] {
        check(GB13, old, kind, Some(old), Some(new), true);
        check(GB26, new, kind, Some(old), Some(new), true);
    }
    check(GB26, "06041", "garbage_exposed", None, Some("06041"), false);
    check(GB13, "0401", "vendor", Some("0401"), Some("09001"), true);
    // Established pairs, both ways and in every spelling.
    for code in ["0110", "01-10", "3101170110", "０１１０"] {
        check(GB13, code, "garbage_exposed", Some("0110"), Some("06010"), false);
    }
    for code in ["06010", "31011706010"] {
        check(GB26, code, "garbage_exposed", Some("0110"), Some("06010"), false);
    }
    for standard in ["GB30428_2013", "gb/t30428.2", "GBT 30428.2-2013", "ＧＢ/Ｔ 30428"] {
        check(standard, "0405", "shop_spill", Some("0405"), Some("09005"), false);
    }
    check(
        "GB47678_2026",
        "09006",
        "vendor",
        Some("0406"),
        Some("09006"),
        false,
    );
    for (standard, code) in [("CJT214_2007", "0504"), ("CJ/T214", "3101170504")] {
        check(standard, code, "shop_spill", Some("0405"), Some("09005"), true);
    }
    // Each list by its own numbers.
    for (code, kind) in [
        ("01-07", "abandoned_vehicle"),
        ("01-11", "bank_damage"),
        ("03-05", "road_works"),
        ("04-07", "snow_ice"),
        ("05-02", "begging"),
    ] {
        check(CJT, code, kind, None, None, false);
    }
    check(
        GB13,
        "06-06",
        "facility_damage",
        Some("0606"),
        Some("11006"),
        true,
    );
    check(
        GB26,
        "11006",
        "facility_damage",
        Some("0606"),
        Some("11006"),
        true,
    );
    check(GB26, "06045", "green_damage", None, Some("06045"), false);
    check("CJ/T 214-2007 部件", "0402", "tree_fallen", None, None, false);
    check(CJT, "3101170209000001", "facility_damage", None, None, false);
    // "Other" is no kind: the words decide.
    for code in ["0199", "0399", "0499", "0599"] {
        assert_eq!(rules.map_code(CJT, code), None, "{code}");
    }
    // Only one list has it: the other's code follows by rule.
    check(GB13, "0410", "parking_bike", Some("0410"), Some("09010"), true);
    check(GB26, "06042", "bin_overflow", None, Some("06042"), false);
    check(GB13, "0198", "bin_overflow", Some("0198"), None, false);
    // Components: six digits of the district, the class, the serial number.
    check(GB13, "3205080101000001", "manhole_missing", None, None, false);
    check(CJT, "3101170214000007", "traffic_signal", None, None, false);
    check("CJ/T 214-2007 部件", "0118", "street_light", None, None, false);
    check(
        GB26,
        "31011701001000001",
        "manhole_missing",
        None,
        Some("01001"),
        false,
    );
    for (standard, code) in [
        (GB13, "9999"),
        (GB13, ""),
        (GB13, "01"),
        (GB26, "0110"),
        ("", "0110"),
        ("ISO 1", "0110"),
        (CJT, "城城城城"),
    ] {
        assert_eq!(rules.map_code(standard, code), None, "{standard} {code}");
    }
}

#[test]
fn a_city_adds_its_own_codes() {
    let extra = "[codes.SONGJIANG]\nA1 = \"noise\"\n[codes.\"GB/T 30428.2-2013\"]\n\"01-07\" = \"vendor\"\n";
    let rules = Rules::load(&[("city.toml".into(), extra.into())]).unwrap();
    let kind = |standard: &str, code: &str| {
        rules
            .map_code(standard, code)
            .map(|m| rules.kind(m.kind).name.to_string())
    };
    assert_eq!(kind("songjiang", "a-1").as_deref(), Some("noise"));
    assert_eq!(kind("GB30428_2013", "0107").as_deref(), Some("vendor"));
    assert_eq!(kind("GB30428_2013", "0110").as_deref(), Some("garbage_exposed"));
}

#[test]
fn names() {
    let rules = Rules::builtin();
    let kind = |name: &str| rules.map_name(name).map(|id| rules.kind(id).name.to_string());
    for (name, expected) in [
        ("暴露垃圾", "garbage_exposed"),
        ("暴露垃圾（浦东）", "garbage_exposed"),
        (" 暴露 垃圾 ", "garbage_exposed"),
        ("乱涂写、乱张贴、乱刻画", "ads_illegal"),
        ("机动车乱停放、非机动车乱停放", "parking_motor"),
        ("路面积水、污水冒溢、粪便冒溢", "road_ponding"),
        ("架空线坠落、乱设", "cable_down"),
        ("擅自占用道路堆物、施工", "rubble_pile"),
        ("雨水井盖", "manhole_missing"),
        ("跨门营业", "shop_spill"),
        ("占道无证照经营", "vendor"),
        ("乱晾晒", "hanging"),
        ("道路保洁", "garbage_exposed"),
        ("流浪乞讨", "begging"),
        ("乱设或损坏户外设施", "billboard_risk"),
        ("花架花钵", "facility_damage"),
        ("行道树", "tree_fallen"),
        ("电力杆", "facility_damage"),
        ("其它立杆（浦东）", "facility_damage"),
        ("擅自架设管线、杆线设施", "cable_down"),
        ("路灯", "street_light"),
        ("暴露垃圾问题", "garbage_exposed"),
        ("积水类", "road_ponding"),
        ("架空线坠落/乱设", "cable_down"),
        ("擅自占用道路堆物，施工", "rubble_pile"),
    ] {
        assert_eq!(kind(name).as_deref(), Some(expected), "{name}");
    }
    // By name, not by substring.
    for name in [
        "",
        "、",
        "暴露垃圾处理费",
        "行道树保险",
        "其他",
        "其他市容环境",
        "问题",
        "类",
    ] {
        assert_eq!(kind(name), None, "{name}");
    }
}

#[test]
fn video() {
    let rules = Rules::builtin();
    let kind = |system: &str, code: &str| {
        rules
            .map_video(system, code)
            .map(|id| rules.kind(id).name.to_string())
    };
    for (system, code, expected) in [
        ("EVENTSORT", "696", "road_ponding"),
        ("eventsort", "619", "fire_smoke"),
        ("EVENTSORT", "635", "parking_bike"),
        ("DAHUA", "895", "bin_overflow"),
        ("DAHUA", "DUSTBIN_OVER_FLOW", "bin_overflow"),
        ("DAHUA", "firewarning", "fire_smoke"),
        ("CLASS84", "46", "tree_fallen"),
        ("", "wellCoverAbnormal", "manhole_missing"),
        ("city", "井盖异常", "manhole_missing"),
        ("city", "GarbageOverflow", "bin_overflow"),
        ("EVENTSORT", "601", "person_down"),
        ("EVENTSORT", "684", "road_works"),
        ("DAHUA", "891", "shop_spill"),
        ("own", "HangDownTheStreet", "hanging"),
    ] {
        assert_eq!(kind(system, code).as_deref(), Some(expected), "{system} {code}");
    }
    for (system, code) in [("EVENTSORT", "46"), ("CLASS84", "696"), ("", "696"), ("", "")] {
        assert_eq!(kind(system, code), None, "{system} {code}");
    }
}

#[test]
fn words() {
    let rules = Rules::builtin();
    let first = |text: &str| {
        rules
            .map_words(text)
            .first()
            .map(|id| rules.kind(*id).name.to_string())
    };
    for (text, expected) in [
        ("沪松公路近九杜路路口积水严重，车辆无法通行", "road_ponding"),
        ("嘉松公路下立交积水很深", "underpass_flood"),
        ("人行道上一个井盖缺失，很危险", "manhole_missing"),
        ("小区门口窨井盖翘起来了", "manhole_missing"),
        ("污水从窨井冒溢出来", "sewage_overflow"),
        ("马路中间突然塌陷，出现一个大坑", "road_collapse"),
        ("路面破损坑洼不平", "road_damage"),
        ("楼道里有很浓的煤气味", "gas_leak"),
        ("隔壁楼着火了，浓烟很大", "fire_smoke"),
        ("楼下电线冒火花", "elec_hazard"),
        ("路边自来水爆管，水喷得很高", "water_burst"),
        ("消防栓漏水三天了", "hydrant_fault"),
        ("台风把行道树刮断，压断树枝倒在路上", "tree_fallen"),
        ("楼上高空抛物，玻璃掉落", "falling_object"),
        ("架空线垂落到人行道", "cable_down"),
        ("整个小区停电", "power_outage"),
        ("路口红绿灯不亮", "traffic_signal"),
        ("小区外路灯不亮", "street_light"),
        ("门口生活垃圾无人清理", "garbage_exposed"),
        ("垃圾桶满溢", "bin_overflow"),
        ("路边堆着建筑垃圾", "rubble_pile"),
        ("渣土车扬尘，一路遗撒", "muck_truck"),
        ("学校门口摆摊，流动摊贩很多", "vendor"),
        ("水果店跨门经营", "shop_spill"),
        ("小区门口汽车违停", "parking_motor"),
        ("共享单车乱停在人行道", "parking_bike"),
        ("消防通道被私家车堵住", "fire_lane_blocked"),
        ("有人飞线充电电瓶车", "ebike_charging"),
        ("工地门口几十人聚集讨薪", "crowd"),
        ("两个人在路上打架", "fight"),
        ("顶楼违法搭建阳光房", "illegal_build"),
        ("夜间施工噪音扰民", "noise"),
        ("工地扬尘很大", "dust"),
        ("楼下饭店油烟很大", "fume"),
        ("小区旁边河水发黑发臭", "odor_water"),
        ("楼道里贴满小广告", "ads_illegal"),
        ("店招广告牌松动，随时要掉", "billboard_risk"),
        ("电梯困人，里面有两个人", "elevator_trap"),
        ("跨河桥晃动得厉害，桥面有裂缝", "bridge_anomaly"),
        ("独居老人几天没出门，联系不上", "elderly_alert"),
    ] {
        assert_eq!(first(text).as_deref(), Some(expected), "{text}");
    }
    for text in [
        "",
        "请问社保怎么办理",
        "感谢工作人员",
        "咨询燃气费充值",
        "道路没有积水",
        "小区里有猫粪",
    ] {
        assert_eq!(first(text), None, "{text}");
    }
    // The second reading stays open: an underpass flood is a ponding as well.
    let both = rules.map_words("下穿隧道积水");
    assert_eq!(
        both,
        [
            rules.kind_id("underpass_flood").unwrap(),
            rules.kind_id("road_ponding").unwrap()
        ]
    );
}

#[test]
fn hints() {
    let rules = Rules::builtin();
    assert_eq!(rules.map_hints("电梯困人，有人被困"), [Hint::Trapped]);
    assert_eq!(
        rules.map_hints("工人讨薪堵住路"),
        [Hint::Conflict, Hint::BlocksRoad]
    );
    assert_eq!(rules.map_hints("电线带电垂落"), [Hint::LivePower]);
    assert_eq!(rules.map_hints("目前无人被困"), []);
}

#[test]
fn what_is_named_and_not_said() {
    let rules = Rules::builtin();
    let first = |text: &str| {
        let kind = rules.map_words(text).first().copied();
        kind.map(|id| rules.kind(id).name.to_string())
    };
    for (text, expected) in [
        // Denied.
        ("没有闻到煤气味了", None),
        ("闻不到煤气味", None),
        ("不是煤气味，是下水道臭味", None),
        ("没有塌陷", None),
        ("没有道路塌陷", None),
        ("没积水", None),
        ("不积水", None),
        ("未见积水", None),
        ("路面无明显积水", None),
        ("目前没有发现煤气泄漏", None),
        ("没有着火，只是烧烤摊烟很大", Some("fume")),
        ("没有明火但有烟", Some("fire_smoke")),
        // Denied, and something worse said.
        ("没有着火，是爆炸", Some("fire_smoke")),
        ("不是打架，是杀人了", Some("fight")),
        ("老人和手机掉进窨井里了", Some("person_danger")),
        ("消防演习冒烟把树点着了", Some("fire_smoke")),
        // Denied and taken back: a question, twice no, a turn, the present against the past.
        ("你们没有闻到煤气味吗？整栋楼都是", Some("gas_leak")),
        ("楼下不是着火了吗，快来人", Some("fire_smoke")),
        ("不是没有煤气味，是很重", Some("gas_leak")),
        ("不可能不是煤气味", Some("gas_leak")),
        ("没有一天不着火", Some("fire_smoke")),
        ("没有一次不积水", Some("road_ponding")),
        ("以前没有塌陷，现在塌了", Some("road_collapse")),
        ("没什么煤气味但人晕倒了", Some("gas_leak")),
        ("无明显煤气味但报警器响", Some("gas_leak")),
        ("积水还没退去", Some("road_ponding")),
        ("积水退了又涨", Some("road_ponding")),
        ("积水已退一半，还有半米深", Some("road_ponding")),
        ("煤气灶打不着火，屋里全是煤气", Some("gas_leak")),
        // The other one of two.
        ("不是塌陷是坑洼", Some("road_damage")),
        ("反映的不是违停，是道路塌陷", Some("road_collapse")),
        ("不是漏水，是空调滴水", None),
        // Over.
        ("积水已退", None),
        ("以前经常积水现在好了", None),
        ("之前的积水已经退了，但垃圾没人清", Some("garbage_exposed")),
        ("积水已退，今天下雨又积水了", Some("road_ponding")),
        ("积水问题一直没解决", Some("road_ponding")),
        // Exercises, idioms, names, things of little weight.
        ("消防演习冒烟", None),
        ("着火演练", None),
        ("家里煤气灶打不着火", None),
        ("打火机打不着火", None),
        ("积水潭医院怎么走", None),
        ("小区形成一个积水潭", Some("road_ponding")),
        ("新桥镇一小区外墙开裂", None),
        ("中山桥开裂", Some("bridge_anomaly")),
        ("新桥镇中山桥桥面开裂", Some("bridge_anomaly")),
        ("手机掉进窨井里了", None),
        ("井盖没了，手机掉进窨井里了", Some("manhole_missing")),
        // No denials.
        ("是不是煤气泄漏了", Some("gas_leak")),
        ("不知道有没有煤气泄漏，味道很重", Some("gas_leak")),
        ("电梯不是关人就是掉层", Some("elevator_trap")),
        ("半夜可以不施工吗", Some("noise")),
        ("窨井没有井盖", Some("manhole_missing")),
        ("走到路口不见井盖", Some("manhole_missing")),
        ("垃圾没有清理", Some("garbage_exposed")),
        ("垃圾好几天不倒", Some("garbage_exposed")),
        ("消防栓没有压力", Some("hydrant_fault")),
        ("家里没有水，自来水停水", Some("water_burst")),
        ("工地没有围挡", Some("site_disorder")),
        ("不仅着火还冒浓烟", Some("fire_smoke")),
    ] {
        assert_eq!(first(text).as_deref(), expected, "{text}");
    }
    // Hints too.
    assert_eq!(rules.map_hints("没有发现被困"), []);
    assert_eq!(rules.map_hints("有没有被困的人不清楚"), [Hint::Trapped]);
    assert_eq!(rules.map_hints("不知道有没有人被困"), [Hint::Trapped]);
    assert_eq!(rules.map_hints("两人已脱困，一人仍被困"), [Hint::Trapped]);
    assert_eq!(rules.map_hints("被困人员已脱困"), []);
}

#[test]
fn a_city_says_itself_what_is_not_said() {
    let first = |extra: &str, text: &str| {
        let rules = Rules::load(&[("city.toml".into(), extra.into())]).unwrap();
        let kind = rules.map_words(text).first().copied();
        kind.map(|id| rules.kind(id).name.to_string())
    };
    let names = "[unsaid]\nnames = [\"积水路\"]\n";
    assert_eq!(first("", "积水路怎么走").as_deref(), Some("road_ponding"));
    assert_eq!(first(names, "积水路怎么走"), None);
    assert_eq!(first(names, "没有积水"), None, "the other lists stay");
    assert_eq!(
        first("[unsaid]\nbefore = []\n", "没有积水").as_deref(),
        Some("road_ponding")
    );
}

#[test]
fn urgent_words() {
    let rules = Rules::builtin();
    for (text, expected) in [
        ("电梯又坏了，里面关着一个老人", "elevator_trap"),
        ("电梯里困了两个人", "elevator_trap"),
        ("电梯门打不开，里面有人", "elevator_trap"),
        ("煤气爆炸", "gas_leak"),
        ("煤气中毒", "gas_leak"),
        ("煤气管道破了嘶嘶响", "gas_leak"),
        ("施工把燃气管挖断了", "gas_leak"),
        ("路上的车自燃了", "fire_smoke"),
        ("变压器爆炸", "elec_hazard"),
        ("地陷了", "road_collapse"),
        ("马路中间出现一个深坑", "road_collapse"),
        ("房子塌了", "road_collapse"),
        ("群殴", "fight"),
        ("私家车停在消防通道", "fire_lane_blocked"),
        ("往楼下扔啤酒瓶", "falling_object"),
        ("花盆从楼上掉下来", "falling_object"),
        ("地下车库进水", "road_ponding"),
        ("桥洞下面都是水", "underpass_flood"),
        ("铁路桥下淹水过不去", "underpass_flood"),
        ("路边有人卖菜占道", "vendor"),
        ("把桌子摆到人行道上", "shop_spill"),
        ("工地半夜浇混凝土睡不着", "noise"),
        ("公司拖欠工资，大家围在门口讨说法", "crowd"),
        ("独居老人三天没出门，敲门没人应", "elderly_alert"),
        ("下水道盖子没有了", "manhole_missing"),
        ("变电箱门没关", "elec_hazard"),
        ("路面冒水", "water_burst"),
        ("车停在人行道上", "parking_motor"),
        ("单车倒了一片", "parking_bike"),
        ("塑料厂的污水直接排放在母亲河", "odor_water"),
    ] {
        let kind = rules.map_words(text).first().copied();
        let kind = kind.map(|id| rules.kind(id).name.to_string());
        assert_eq!(kind.as_deref(), Some(expected), "{text}");
    }
    for text in [
        "危房随时有倒塌的危险",
        "成为单车道",
        "上次的煤气爆炸事故之后大家都很担心",
        "爆炸性新闻",
        "高压锅炸了",
    ] {
        assert_eq!(rules.map_words(text), [], "{text}");
    }
}
