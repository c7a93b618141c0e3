//! The table of spellings.

mod people;

use std::collections::BTreeMap;

use super::*;
use city_model::Quality;

/// Places and the ways in which people write them: one key in a line, different keys between lines.
const PLACES: &[&[&str]] = &[
    &[
        "谷阳北路1500弄23号",
        "谷阳北路１５００弄 23号302室",
        "谷阳北路1500弄，23号",
        "谷阳北路1500弄23号三〇二室（张先生家）",
        "谷阳北路1500弄23号302",
        "松江区谷阳北路1500弄23号",
        "上海市松江区谷阳北路1500弄23号",
        "上海市松江区方松街道谷阳北路1500弄23号",
        "谷阳北路一千五百弄二十三号",
        "谷阳北路 1500 弄 23 号 门口",
        "谷阳北路1500弄23号附近",
        "上海松江区 谷阳北路1500弄23号三百零二室",
    ],
    &[
        "谷阳北路1500弄",
        "谷阳北路１５００弄",
        "松江区谷阳北路一千五百弄",
        "谷阳北路1500弄门口",
        "谷阳北路1500弄附近",
        "谷阳北路1500弄，联系人张三13812345678",
        "谷阳北路1500弄，联系人：张三，电话：13812345678",
        "谷阳北路1500弄张先生",
        "谷阳北路1500弄 电话57812345",
        "谷阳北路1500弄138-1234-5678",
        "谷阳北路1500弄1-3-8-1-2-3-4-5-6-7-8",
        "谷阳北路1500弄先生李雷",
        "谷阳北路1500弄女士：韩梅梅",
        "谷阳北路1500弄13812345678（女儿）",
        "张先生13812345678，谷阳北路1500弄",
        "谷阳北路1500弄，微信zhangsan88",
        "谷阳北路1500弄 加微zhangsan88",
        "谷阳北路1500弄+V：zhangsan88",
        "谷阳北路1500弄乌日娜女士",
        "谷阳北路1500弄扎西多吉先生家",
        "谷阳北路1500弄迪丽热巴·迪力木拉提女士",
        "谷阳北路1500弄（报警人刘六）",
        "谷阳北路1500弄业主 Li Lei",
        "谷阳北路1500弄57812345",
        "谷阳北路1500弄8613812345678",
        "谷阳北路1500弄+86 138 1234 5678",
        "谷阳北路1500弄138****5678",
        "谷阳北路1500弄 Ms Lee",
        "谷阳北路1500弄上官女士",
        "谷阳北路1500弄李 雷先生",
        "谷阳北路1500弄李雷（男）",
        "谷阳北路1500弄韩梅梅，女，",
        "谷阳北路1500弄李科长",
        "谷阳北路1500弄张副经理",
        "谷阳北路1500弄李副主任家",
        "谷阳北路1500弄 经办人李雷",
        "谷阳北路1500弄，上报人：李雷",
        "谷阳北路1500弄网格员李雷13812345678",
        "谷阳北路1500弄（监护人 李雷）",
        "谷阳北路1500弄家里电话五七八一二三四五",
        "谷阳北路1500弄302业主",
        "谷阳北路1500弄302",
        "谷阳北路1500弄302-1",
        "谷阳北路1500弄302/303",
        "谷阳北路1500弄302户",
        "佘山镇谷阳北路1500弄",
        "松江区佘山镇谷阳北路1500弄",
    ],
    &["谷阳北路1500弄24号", "谷阳北路1500弄二十四号"],
    &["谷阳南路1500弄23号", "松江区谷阳南路1500弄23号"],
    &["谷阳北路150弄23号"],
    &["谷阳北路1500号", "松江区谷阳北路1500号对面"],
    &["谷阳北路23号"],
    &[
        "沪松公路88号",
        "沪松公路 88号",
        "九亭镇沪松公路88号",
        "上海市松江区九亭镇沪松公路八十八号",
    ],
    &["沪松公路188号", "沪松公路一百八十八号"],
    &[
        "人民北路文诚路",
        "人民北路文诚路口",
        "人民北路近文诚路",
        "文诚路人民北路",
        "人民北路与文诚路交叉口",
        "文诚路、人民北路路口",
        "人民北路/文诚路",
        "松江区人民北路靠近文诚路",
        "人民北路（近文诚路）",
        "人民北路和文诚路的交汇处",
        "人民北路文诚路十字路口",
    ],
    &["人民南路文诚路", "人民南路近文诚路口"],
    &["人民北路文汇路", "文汇路/人民北路"],
    &["文诚路", "松江区文诚路"],
    &["文诚路口"],
    &["人民北路", "上海市松江区人民北路"],
    &["沪松公路近九杜路", "九杜路沪松公路路口", "沪松公路（近九杜路）"],
    &[
        "金地褐石苑",
        "金地褐石苑 13812345678",
        "松江区金地褐石苑",
        "金地褐石苑附近",
        "上海市松江区金地褐石苑门口",
    ],
    &[
        "金地褐石苑5幢",
        "金地褐石苑5栋",
        "金地褐石苑５号楼",
        "金地褐石苑五幢",
        "金地褐石苑5#楼",
    ],
    &["金地褐石苑15幢", "金地褐石苑十五号楼"],
    &[
        "地铁9号线九亭站3号口",
        "地铁九号线九亭站三号口",
        "地铁9号线 九亭站 3号口",
    ],
    &["地铁9号线九亭站4号口"],
    &["地铁10号线九亭站3号口"],
    &["G60 K12+800", "g60 k12+800", "Ｇ６０ Ｋ12+800"],
    &["G60 K12+80"],
    &["G15 K12+800"],
    &["G60 K1+2800"],
    &["沪松公路15-1号", "沪松公路 15-1号"],
    &["沪松公路151号"],
    &["金地小区5幢", "上海市金地小区5号楼"],
    &["明珠小区5幢"],
    &["九亭农贸市场5号"],
    &["泗泾农贸市场5号"],
    &["联华超市5号"],
    &["三新路100号", "三新路一百号", "松江区三新路100号"],
    &["三新北路100号"],
    &["五一广场", "松江区五一广场"],
    &["城区路12号"],
    &["中山中路松汇路", "松汇路中山中路口"],
    &["中山东路松汇路"],
    &["思宁街1172弄", "松江区思宁街1172弄"],
    &["思宁街1172弄12号", "思宁街1172弄12号302室"],
    &["荣华街1354弄", "荣华街１３５４弄"],
    &[
        "泗泾镇江川北路99弄",
        "江川北路99弄",
        "松江区泗泾镇江川北路九十九弄",
    ],
    &["江川南路99弄"],
    &["新松江路1号", "新松江路一号"],
    &["新松江路11号", "新松江路十一号"],
    &["新松江路21号", "新松江路二十一号"],
    &["松江路1号"],
];

#[test]
fn one_place_has_one_key_and_two_places_have_two() {
    let mut keys: BTreeMap<Name, usize> = BTreeMap::new();
    let (mut same, mut wrong) = (0, Vec::new());
    for (place, spellings) in PLACES.iter().enumerate() {
        let first = key(spellings[0], None).unwrap();
        if let Some(other) = keys.insert(first.clone(), place) {
            wrong.push(format!("{} = {} ({first})", spellings[0], PLACES[other][0]));
        }
        for spelling in &spellings[1..] {
            let own = key(spelling, None).unwrap();
            same += 1;
            if own != first {
                wrong.push(format!("{spelling} ({own}) is not {} ({first})", spellings[0]));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    // Pairs that are one place, and pairs that are two.
    let two = keys.len() * (keys.len() - 1) / 2;
    assert!(same >= 50 && two >= 600, "{same} {two}");
}

#[test]
fn keys_hold_no_flat_and_may_be_empty() {
    let check = |address: &str, expected: Option<&str>| {
        assert_eq!(key(address, None).as_deref(), expected, "{address}")
    };
    check("谷阳北路１５００弄 23号302室", Some("谷阳北路1500弄23号"));
    check("谷阳北路1500弄23-302", Some("谷阳北路1500弄23"));
    check("G60 K12+800", Some("g60k12+800"));
    check("金地褐石苑 13812345678", Some("金地褐石苑"));
    check("302室", None);
    check(" ，。", None);
    check("上海市松江区", None);
    check("松江区九亭镇", None);
    check("上海路12号", Some("上海路12号"));
    check("联华超市", Some("联华超市"));
    check("金地小区5号楼", Some("金地小区5幢"));
    check("附近", None);
}

#[test]
fn an_address_says_how_precise_it_is() {
    let check = |address: &str, expected: Quality| assert_eq!(quality(Some(address)), expected, "{address}");
    check("谷阳北路1500弄23号", Quality::Door);
    check("沪松公路 88号", Quality::Door);
    check("人民北路文诚路", Quality::Intersection);
    check("文诚路口", Quality::Intersection);
    check("金地褐石苑", Quality::Poi);
    check("地铁9号线九亭站3号口", Quality::Poi);
    assert_eq!(quality(None), Quality::Poi);
}

proptest::proptest! {
    #[test]
    fn what_is_passed_over_holds_nothing_that_a_pattern_finds(text in "(G15|S4|X1|Y|近|谷阳|公路|大道|支路|路|街|巷|路口|与|号|号楼|幢|座|#|楼|[0-9]{1,4}|-| |室){0,8}") {
        let finds = |pattern: &LazyLock<Option<Regex>>| pattern.as_ref().unwrap().is_match(&text);
        proptest::prop_assert!(has_two_roads(&text) || !finds(&TWO_ROADS));
        for pattern in [&BARE_FLAT, &DASHED_FLAT] {
            let plain = pattern.as_ref().unwrap().replace(&text, "$1");
            proptest::prop_assert_eq!(without_number(&text, pattern).unwrap(), plain);
        }
        proptest::prop_assert!(text.contains(['楼', '幢', '栋', '座', '#']) || !finds(&BUILDING));
    }
}
