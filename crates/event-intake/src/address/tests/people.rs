//! What a key must not hold, and what it must not lose.

use super::*;

/// What somebody wrote behind an address, and signs of it of which none may be left in the key.
const BEHIND: &[(&str, &[&str])] = &[
    ("138，12345678", &["138", "5678"]),
    ("138/12345678", &["138", "5678"]),
    ("138:1234:5678", &["138", "5678"]),
    ("138。1234。5678", &["138", "5678"]),
    ("138;1234;5678", &["138", "5678"]),
    ("138−1234−5678", &["138", "5678"]),
    ("【138】12345678", &["138", "5678"]),
    ("[138]1234[5678]", &["138", "5678"]),
    ("138*1234*5678", &["138", "5678"]),
    ("138&1234&5678", &["138", "5678"]),
    ("138<br>1234<br>5678", &["1385678"]),
    ("138|1234|5678", &["138", "5678"]),
    ("138~1234~5678", &["138", "5678"]),
    ("138#1234#5678", &["138", "5678"]),
    ("电话:138-1234-5678", &["138", "电话"]),
    ("么三八一二三四五六七八", &["八"]),
    ("5781-2345", &["5781", "2345"]),
    ("5781 2345", &["5781", "2345"]),
    ("五七八一二三四五", &["五七"]),
    ("打57812345", &["5781", "打"]),
    ("沪A/12345", &["12345", "沪a"]),
    ("沪A—12345", &["12345", "沪a"]),
    ("沪A*12345", &["12345", "沪a"]),
    ("12号（302）", &["302"]),
    ("12号.302", &["302"]),
    ("12号,302", &["302"]),
    ("12栋/502", &["502"]),
    ("12号之302", &["302"]),
    ("12号：302", &["302"]),
    ("302A室", &["302"]),
    ("302号室", &["302"]),
    ("302（室）", &["302"]),
    ("叁零贰室", &["叁", "贰"]),
    ("三〇二", &["三〇"]),
    ("302住户", &["302"]),
    ("二期12-502", &["502"]),
    ("2门302", &["302"]),
    ("3门洞502", &["502"]),
    ("宿舍303", &["303"]),
    ("q号123456", &["1234", "q号"]),
    ("wxid_8fj3kd92", &["8fj3"]),
    ("G12345678", &["g1234"]),
    ("A123456(7)", &["a1234"]),
    ("台胞证01234567", &["0123"]),
    ("军官证1234567", &["1234567"]),
    ("社保卡A12345678", &["12345678"]),
    ("巴特尔先生", &["巴特", "特尔", "先生"]),
    ("Mr. John Smith", &["john", "smith"]),
    ("John Smith先生", &["john", "smith", "先生"]),
    ("田中太郎先生", &["田中", "太郎", "先生"]),
    ("张三（先生）", &["张三", "先生"]),
    ("求助人李雷", &["李雷", "求助"]),
    ("驾驶员李雷", &["李雷"]),
    ("老伴李雷", &["李雷"]),
    ("名字叫李雷", &["李雷"]),
    ("名字叫做李雷", &["李雷", "名字", "做"]),
    ("经办人李雷", &["李雷", "经办"]),
    ("来信人：李雷", &["李雷", "来信"]),
    ("报警者李雷", &["李雷", "报警"]),
    ("志愿者李雷", &["李雷", "志愿"]),
    ("老公李雷", &["李雷", "公"]),
    ("家属 李雷", &["李雷", "家属"]),
    ("骑手李雷13812345678", &["李雷", "骑手", "138"]),
    ("张副经理", &["张", "经理", "副"]),
    ("李副主任家", &["李", "主任", "副", "家"]),
    ("12号302-A室", &["302", "a", "室"]),
    ("12号2003（20层）", &["2003", "20"]),
    ("12号302楼上", &["302", "楼上"]),
    ("138·12-345678", &["138", "678"]),
    ("1381，2至345 678", &["1381", "678"]),
    ("13+8123;45678", &["13", "678"]),
    ("1381#2345#678", &["1381", "678"]),
    ("张建国13812345678", &["张建国", "建国", "138"]),
    ("张建国 手机:13812345678", &["张建国", "手机"]),
    ("13812345678张建国", &["张建国"]),
    ("13812345678，王建家", &["王建", "家"]),
    ("欧阳明日021-57812345", &["欧阳", "明日"]),
    ("黄建国57812345", &["黄建国"]),
    ("李 雷13812345678", &["李", "雷"]),
    ("62123456", &["6212", "3456"]),
    ("6212 3456", &["6212", "3456"]),
    ("62123456张建国", &["6212", "张建国"]),
    ("张建国62123456", &["6212", "张建国"]),
    ("12号Room 302", &["302", "room"]),
    ("12号 Flat 302", &["302", "flat"]),
    ("12号Unit302", &["302", "unit"]),
    ("12号Apt. 302", &["302", "apt"]),
    ("12号公寓302", &["302"]),
    ("12号302次卧李某", &["302", "李", "某", "卧"]),
    ("12号302 号", &["302"]),
    ("王某某家", &["王", "某", "家"]),
    ("谢某芝，", &["谢", "某", "芝"]),
    ("12号三百零二", &["302", "三百", "零二"]),
    ("12号三百十二", &["312", "三百", "十二"]),
    ("2003（20层）", &["2003", "20层"]),
    ("302（3楼）", &["302", "3楼"]),
    ("13812345678找张建国", &["138", "张建国", "找"]),
    ("13812345678/张建国", &["138", "张建国"]),
    ("张建国/13812345678", &["138", "张建国"]),
    ("买买提13812345678", &["138", "买买提"]),
    ("13812345678买买提", &["138", "买买提"]),
    ("QQ邮箱123456789", &["1234", "qq", "邮箱"]),
    ("小红书号123456789", &["1234", "红书"]),
    ("@zhangsan88", &["zhang", "88"]),
    ("张建国沪A12345", &["张建国"]),
    ("张建国 微信zhangsan88", &["张建国", "zhang", "微信"]),
    ("Zhang San 13812345678", &["zhang", "san"]),
    ("zhangsan13812345678", &["zhang"]),
];

#[test]
fn nothing_of_a_person_is_in_a_key() {
    let mut wrong = Vec::new();
    for (behind, signs) in BEHIND {
        for place in ["谷阳北路1500弄", "谷阳北路1500弄 ", "谷阳北路1500弄，"] {
            let key = key(&format!("{place}{behind}"), None).unwrap();
            assert!(key.starts_with("谷阳北路1500弄"), "{behind} → {key}");
            let left = signs.iter().filter(|sign| key.contains(**sign));
            wrong.extend(left.map(|_| format!("{place}{behind} → {key}")));
            if super::super::key(&key, None).as_ref() != Some(&key) {
                wrong.push(format!("{key} has another key"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_landline_is_in_a_key_but_what_could_be_a_day() {
    let mut left = Vec::new();
    // Each hundredth step meets every district of every province.
    for number in (20_000_000..90_000_000).step_by(70_001) {
        let own = key(&format!("谷阳北路1500弄{number}"), None);
        let day = (1_900..2_100).contains(&(number / 10_000));
        if own.as_deref() != Some("谷阳北路1500弄") && !day {
            left.push(number);
        }
        let lamp = format!("谷阳北路路灯{number}");
        assert_eq!(key(&lamp, None).as_deref(), Some(lamp.as_str()), "{number}");
    }
    assert_eq!(left, Vec::<i32>::new());
}

#[test]
fn names_of_roads_shops_and_stops_stay() {
    let mut wrong = Vec::new();
    for place in [
        "陈老师路",
        "陈老师路12号",
        "谷阳北路12号公寓",
        "人民公寓",
        "人民公寓12号",
        "公交302路",
        "谷阳北路300弄",
        "文诚路某工地",
        "小红书大厦",
        "快手大厦302号",
        "小杨生煎",
        "何阿姨菜场",
        "王师傅汽修店",
        "张先生拉面",
        "陈律师事务所",
        "谷阳北路12号陈建国律师事务所",
        "李女士甜品",
        "谷阳北路12号李女士甜品店",
        "公交18路松江站",
        "沪松公路1234号",
        "九亭大街800弄102号",
        "g60沪昆高速k12+800",
        "g1503公路",
        "s32申嘉湖高速公路",
        "松江区泗泾镇江川北路66弄",
        "王家浜路8号",
        "小昆山镇文翔路1号",
        "老城隍庙",
        "老沪闵路1288号",
        "沪青平公路2008号",
        "公交沪陈线",
        "路灯杆编号13800012",
        "电话亭",
        "电信大楼",
        "10号路口",
        "人民北路1234弄5支弄6号",
        "文诚路358号",
        "万达广场1f",
        "地铁站2号口",
        "松汇东路202",
        "王浩村",
        "何家角村",
        "黄浦区西藏中路268号来福士广场",
        "教师公寓",
        "玉树路1569号13幢",
        "莘砖公路518号20幢",
        "李宁专卖店",
        "老庙黄金",
        "周黑鸭",
        "外婆家",
        "家乐福",
        "318国道",
        "204国道k1234+500",
        "东经121路",
        "五四三二路",
        "居民委员会",
        "松江二中",
        "微软大厦",
        "联系站",
        "手机城",
        "打浦路12号",
        "号上村",
        "小李家村",
        "叶榭镇政府",
        "大众汽车城",
        "谷阳北路1500弄23号",
    ] {
        let expected = place
            .strip_prefix("松江区")
            .or_else(|| place.strip_prefix("黄浦区"))
            .unwrap_or(place);
        let expected = expected.strip_prefix("泗泾镇").unwrap_or(expected);
        let expected = expected.strip_prefix("小昆山镇").unwrap_or(expected);
        let own = key(place, None);
        if own.as_deref() != Some(expected) {
            wrong.push(format!("{place} → {own:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_only_looks_like_a_flat_stays() {
    for (address, expected) in [
        ("谷阳北路三百弄", "谷阳北路300弄"),
        ("谷阳北路302（3楼）", "谷阳北路302·3楼"),
        ("Room Cafe 302号", "roomcafe302号"),
        ("金地小区302（5楼）", "金地小区302·5楼"),
        ("人民公寓302号", "人民公寓302号"),
        ("人民公寓5幢", "人民公寓5幢"),
        ("谷阳北路12号三百米处", "谷阳北路12号三百米"),
        ("谷阳北路路段某小区", "谷阳北路路段某小区"),
    ] {
        assert_eq!(key(address, None).as_deref(), Some(expected), "{address}");
    }
}

#[test]
fn a_place_beside_a_number_stays() {
    for place in [
        "谷阳北路张江站",
        "文诚路秦江苑",
        "谷阳北路1500弄路灯",
        "谷阳北路1500弄高压柜",
        "谷阳北路华联超市",
        "陈家村",
        "徐泾",
        "金地小区",
        "松江路高速出口",
        "周浦万达",
        "谷阳北路1500弄王师傅汽修",
    ] {
        for text in [
            format!("{place}13812345678"),
            format!("{place}，13812345678"),
            format!("13812345678 {place}"),
        ] {
            assert_eq!(key(&text, None).as_deref(), Some(place), "{text}");
        }
    }
}

#[test]
fn what_is_no_place_has_no_key() {
    for nowhere in [
        "不详",
        "无",
        "未知",
        "同上",
        "暂无",
        "无法提供",
        "见附件",
        "N/A",
        "null",
        "本市",
        "松江",
        "路口",
        "小区",
        "-",
        "/",
        "附近",
        "松江区",
        "地址：不详",
        "家里",
        "小区门口",
        "张先生家",
        "13812345678",
        "（无）",
        "302室",
    ] {
        assert_eq!(key(nowhere, None), None, "{nowhere}");
        assert!(
            !says_place(nowhere) || matches!(nowhere, "张先生家" | "13812345678" | "302室"),
            "{nowhere}"
        );
    }
    for town in ["佘山镇", "松江区佘山镇", "中山街道"] {
        assert!(
            key(town, None).is_none() && says_place(town) && is_town_alone(town),
            "{town}"
        );
    }
    for alone in ["5号楼", "1500弄", "23号302室"] {
        assert!(key(alone, None).is_none() && says_place(alone), "{alone}");
    }
}

#[test]
fn the_reporter_is_not_in_the_key() {
    let check = |name: &str, phone: &str, address: &str| {
        let reporter = Reporter::new(Some(name), Some(phone));
        assert_eq!(
            key(address, reporter.as_ref()).as_deref(),
            Some("谷阳北路1500弄"),
            "{name} {address}"
        );
    };
    check("李雷", "", "谷阳北路1500弄李雷家");
    check("李雷", "", "谷阳北路1500弄，李雷");
    check("尼格买提", "", "谷阳北路1500弄尼格买提");
    check("乌日娜", "", "谷阳北路1500弄乌日娜女士");
    check("", "5781234", "谷阳北路1500弄5781234");
    check("", "021-57812345", "谷阳北路1500弄 57812345");
    check("路人", "", "谷阳北路1500弄路人家");
    // Letters of a place are not the reporter's, whatever the reporter is called.
    for (name, place) in [
        ("路人", "谷阳路人民广场"),
        ("松江", "松江路12号"),
        ("松江", "新松江路12号"),
        ("谷阳", "谷阳北路1500弄"),
        ("谷阳北路", "谷阳北路1500弄"),
        ("张江", "张江高科站"),
        ("人民", "人民北路12号"),
    ] {
        let reporter = Reporter::new(Some(name), None);
        assert_eq!(key(place, reporter.as_ref()), key(place, None), "{name} {place}");
    }
}

proptest::proptest! {
    #[test]
    fn a_phone_is_not_in_the_key_however_it_is_parted(
        phone in "1[3-9][0-9]{9}",
        signs in proptest::collection::vec("[、,/&*;:.|#~+=!?%_()·•… -]{1,2}|,|至| - ", 10),
        is_parted in proptest::collection::vec(proptest::bool::weighted(0.3), 10),
    ) {
        let mut parted = String::new();
        for (at, c) in phone.chars().enumerate() {
            if at > 0 && is_parted[at - 1] {
                parted.push_str(&signs[at - 1]);
            }
            parted.push(c);
        }
        let own = key(&format!("谷阳北路1500弄{parted}"), None).unwrap();
        let digits = own.chars().skip("谷阳北路1500弄".chars().count()).filter(char::is_ascii_digit).count();
        proptest::prop_assert!(digits < 5, "{parted} → {own}");
    }
}
