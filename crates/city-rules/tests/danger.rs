//! What callers say of danger to life, and what only sounds like it: tables of sentences, and what no other word may do
//! to them.

use city_model::{Band, Hint};
use city_rules::{KindId, Rules};

const SENTENCES: &str = include_str!("danger.txt");
const WORDS: &str = include_str!("../rules/words.toml");

/// Kind, or "-", and sentence.
fn sentences() -> Vec<(&'static str, &'static str)> {
    let said = SENTENCES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    said.filter_map(|line| line.split_once(' '))
        .map(|(kind, text)| (kind, text.trim()))
        .collect()
}

fn urgent() -> impl Iterator<Item = (&'static str, &'static str)> {
    sentences().into_iter().filter(|(kind, _)| *kind != "-")
}

/// Somebody goes there at once.
fn is_urgent(rules: &Rules, kind: KindId) -> bool {
    let rule = rules.kind(kind);
    rule.endangers_life() || matches!(rule.base_band, Some(Band::P1 | Band::P2))
}

fn kinds<'a>(rules: &'a Rules, title: &str, content: &str) -> Vec<&'a str> {
    let hits = rules.read_text(title, content).kinds;
    hits.iter()
        .map(|hit| rules.kind(hit.kind).name.as_str())
        .collect()
}

#[test]
fn what_is_urgent_is_read_first() {
    let rules = &Rules::builtin();
    assert!(urgent().count() > 200, "{}", urgent().count());
    let lost: Vec<_> = urgent()
        .map(|(kind, text)| (kind, text, kinds(rules, "", text)))
        .filter(|(kind, _, found)| found.first() != Some(kind))
        .collect();
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn what_is_not_urgent_alarms_nobody() {
    let rules = &Rules::builtin();
    let alarms: Vec<_> = sentences()
        .into_iter()
        .filter(|(kind, _)| *kind == "-")
        .map(|(_, text)| (text, rules.map_words(text), rules.map_hints(text)))
        .filter(|(_, found, hints)| {
            found.iter().any(|kind| is_urgent(rules, *kind)) || hints.contains(&Hint::Trapped)
        })
        .map(|(text, ..)| text)
        .collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[test]
fn what_stands_beside_it_takes_nothing_away() {
    let rules = &Rules::builtin();
    for (before, after) in [
        ("没有停电，", ""),
        ("不是演习，", ""),
        ("没人管，", ""),
        ("请问一下，", ""),
        ("我是幼儿园老师。", ""),
        ("你好，咨询个事。", ""),
        ("", "，不是演习"),
        ("", "，没有骗人"),
        ("", "，怎么办"),
        ("", "。积水已退"),
    ] {
        let lost: Vec<_> = urgent()
            .map(|(kind, text)| (kind, format!("{before}{text}{after}")))
            .filter(|(kind, text)| !kinds(rules, "", text).contains(kind))
            .filter(|(kind, _)| is_vital(rules, kind))
            .collect();
        assert!(lost.is_empty(), "{lost:#?}");
    }
}

fn is_vital(rules: &Rules, kind: &str) -> bool {
    rules
        .kind_id(kind)
        .is_some_and(|kind| rules.kind(kind).endangers_life())
}

/// No word of the rules, exclusions, questions and other matters among them, rules a danger to life out for a whole text.
#[test]
fn no_word_in_another_sentence_silences_danger_to_life() {
    let rules = &Rules::builtin();
    let quoted = WORDS.lines().filter(|line| !line.starts_with('#'));
    let words: Vec<&str> = quoted
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .flat_map(|phrase| phrase.split(['&', '|']))
        .map(str::trim)
        .collect();
    assert!(words.len() > 1_000, "{}", words.len());
    for (kind, text) in [
        ("fire_smoke", "着火了"),
        ("gas_leak", "煤气泄漏"),
        ("road_collapse", "路面塌陷"),
        ("elevator_trap", "电梯困人"),
        ("fight", "持刀砍人"),
        ("manhole_missing", "井盖没了"),
        ("person_danger", "小孩溺水"),
        ("person_down", "有人倒地"),
    ] {
        for word in &words {
            let said = format!("{word}。{text}");
            assert!(kinds(rules, "", &said).contains(&kind), "{kind}: {said}");
        }
    }
}

#[test]
fn a_title_decides_and_asks_in_vain_only_about_danger_that_it_names() {
    let rules = &Rules::builtin();
    for (title, content, expected) in [
        ("请问家里有煤气味怎么办", "", Some("gas_leak")),
        ("咨询电梯困人找谁", "里面有个老人", Some("elevator_trap")),
        ("请问为什么要禁摩", "有人说摩托车撞死人", None),
        ("反映小区房屋质量", "以前有过煤气泄漏", None),
        ("咨询路灯不亮找谁", "", None),
        // What a named matter's story mentions is no fire.
        ("门口摊贩脏乱差", "一个摊贩一个煤气罐，有恶臭味", Some("vendor")),
        ("小区情况反映", "沪松公路口垃圾堆着火了", Some("fire_smoke")),
    ] {
        assert_eq!(
            kinds(rules, title, content).first().copied(),
            expected,
            "{title} {content}"
        );
    }
    assert!(
        rules
            .read_text("请问为什么要禁摩", "有人说摩托车撞死人")
            .is_other_matter
    );
}

/// The content's danger comes before a title of something less or one that asks, and says so.
#[test]
fn danger_in_the_content_comes_through_any_title() {
    let rules = &Rules::builtin();
    for (title, content, expected) in [
        ("占道经营", "煤气泄漏", "gas_leak vendor"),
        (
            "违法停车",
            "三楼已经着火，消防车无法进入",
            "fire_smoke parking_motor",
        ),
        ("违法停车", "路面塌陷车掉进去了", "road_collapse parking_motor"),
        ("违法停车", "车里有人昏迷", "person_danger parking_motor"),
        (
            "路灯故障",
            "灯杆漏电，孩子被电击倒地没有反应",
            "person_danger street_light elec_hazard",
        ),
        ("噪音扰民", "闻到很重的煤气味", "gas_leak noise"),
        ("暴露垃圾", "着火了冒浓烟", "fire_smoke garbage_exposed"),
        ("道路积水", "煤气泄漏", "gas_leak road_ponding"),
        ("咨询", "有人跳楼", "person_danger"),
        ("建议", "三楼着火", "fire_smoke"),
        ("表扬物业", "三楼着火了快来", "fire_smoke"),
        ("有人咨询燃气", "煤气泄漏", "gas_leak"),
        ("物业费问题", "三楼着火了", "fire_smoke"),
        (
            "占道经营",
            "市民来电反映，中山中路123弄门口长期有流动摊贩，每天下午四点到晚上十点影响居民出行，刚才摊位上的煤气罐泄漏",
            "gas_leak vendor",
        ),
    ] {
        assert_eq!(
            kinds(rules, title, content).join(" "),
            expected,
            "{title} {content}"
        );
        assert!(
            rules.read_text(title, content).is_contradicted,
            "{title} {content}"
        );
    }
    // A story, a fear, words of two clauses.
    for (title, content) in [
        ("咨询", "小区消防通道堵塞，一旦着火怎么办"),
        ("请问为什么要禁摩", "有人说摩托车撞死人"),
        ("反映小区房屋质量", "以前有过煤气泄漏"),
        ("酒吧噪音扰民", "每晚都很吵，有时打架"),
        ("门口摊贩脏乱差", "一个摊贩一个煤气罐，有恶臭味"),
    ] {
        let read = rules.read_text(title, content);
        assert!(!read.is_contradicted, "{title} {content}");
        let first = read.kinds.first().map(|hit| rules.kind(hit.kind));
        assert!(
            !first.is_some_and(city_rules::KindRule::endangers_life),
            "{title} {content}"
        );
    }
    // What the content takes back, and what it does not.
    assert!(kinds(rules, "煤气味", "经核实没有煤气味").is_empty());
    assert!(kinds(rules, "三楼着火", "没有着火，请撤销").is_empty());
    for content in [
        "没有着火？请撤销什么",
        "经核实四楼没有着火，三楼着火",
        "请撤销上一单，地址是四楼",
        "没有明火，经核实是浓烟",
    ] {
        assert!(
            kinds(rules, "三楼着火", content).contains(&"fire_smoke"),
            "{content}"
        );
    }
    assert!(
        !rules.read_text("着火", "煤气泄漏").is_contradicted,
        "both are danger to life"
    );
    assert!(
        !rules.read_text("", "门口占道经营。三楼着火").is_contradicted,
        "no title"
    );
}

/// Who complains at length and sees a fire meanwhile is heard, wherever in the text that stands; what is told of other times, or
/// feared, is the story around it.
#[test]
fn danger_of_the_present_is_heard_however_late_the_text_says_it() {
    let rules = &Rules::builtin();
    let nuisance = "小区物业管理混乱，门禁坏了三个月没人修，垃圾也没有人清理，绿化带里都是狗屎，业主群里反映了很多次物业都不回复，物业费照收，\
                    业委会也不作为，希望有关部门管一管这个物业公司，不要再让业主失望，我们已经打了很多次电话，每次都说会处理，到今天还是老样子。";
    assert!(nuisance.chars().count() > 120);
    for (title, end, expected) in [
        (
            "物业管理",
            "现在3号楼602室着火了，浓烟很大，有人没有出来",
            Some("fire_smoke"),
        ),
        ("占道经营", "另外刚才摊位上的煤气罐泄漏", Some("gas_leak")),
        (
            "咨询物业费",
            "正在说话的时候隔壁有人跳楼，救命",
            Some("person_danger"),
        ),
        ("", "刚才隔壁传来很重的煤气味，煤气泄漏", Some("gas_leak")),
        ("物业管理", "去年发生过火灾，现在消防通道还是被堵", None),
        (
            "物业管理",
            "万一发生火灾消防车根本进不来，现在希望有关部门处理",
            None,
        ),
        ("物业管理", "飞线充电会造成火灾，现在要求物业整改", None),
        ("物业管理", "听说以前有人跳楼", None),
    ] {
        let read = rules.read_text(title, &format!("{nuisance}{end}"));
        let first = read.kinds.first().map(|hit| rules.kind(hit.kind));
        let vital = first
            .filter(|kind| kind.endangers_life())
            .map(|kind| kind.name.as_str());
        assert_eq!(vital, expected, "{title} … {end}");
    }
}

/// An exclusion that tells a story yields to what makes it real behind it, and to nothing else; a fear is none.
#[test]
fn a_fire_of_which_a_story_is_told_is_one_where_it_still_burns() {
    let rules = &Rules::builtin();
    let is_fire = |text: &str| kinds(rules, "", text).contains(&"fire_smoke");
    for story in ["小区发生火灾后", "火灾时", "那场大火"] {
        assert!(!is_fire(story), "{story}");
        for end in [
            "，要求处理",
            "，现在消防通道还是堵的",
            "。刚才打过电话",
            "，物业多次接到投诉以后一直不来人处理，刚才",
        ] {
            assert!(!is_fire(&format!("{story}{end}")), "{story}{end}");
        }
        for end in ["，火还没灭", "，老人没出来", "没扑灭", "，快来救火"] {
            assert!(is_fire(&format!("{story}{end}")), "{story}{end}");
        }
    }
    for cause in ["引起火灾", "造成火灾", "引发火灾"] {
        assert!(is_fire(&format!("短路{cause}，两人受伤")), "{cause}");
        for front in ["会", "容易", "以免", "可能"] {
            let text = format!("{front}{cause}，现在要求处理");
            assert!(!is_fire(&text), "{text}");
        }
    }
}

/// A word of a story ends with its sentence, and where the text comes to the present.
#[test]
fn a_story_ends_where_the_present_begins() {
    let rules = &Rules::builtin();
    for (title, content, expected) in [
        ("占道经营", "居民害怕。现在着火了", "fire_smoke"),
        ("噪音扰民", "经常这样吵。现在煤气漏了", "gas_leak"),
        ("噪音扰民", "楼上夫妻经常吵架，现在女的要跳楼", "person_danger"),
        ("占道经营", "去年这里发生火灾，现在着火了", "fire_smoke"),
        ("噪音扰民", "去年煤气泄漏过，现在煤气又漏了", "gas_leak"),
        ("违法停车", "乱停车导致老人被车撞了，躺在地上", "person_danger"),
        ("噪音扰民", "施工导致煤气泄漏，现在味道很大", "gas_leak"),
        ("违法停车", "以前发生过火灾，大家都怕", "parking_motor"),
    ] {
        let first = kinds(rules, title, content).first().copied();
        assert_eq!(first, Some(expected), "{title} {content}");
    }
}

/// Whatever the ticket was filed as, it is as urgent: the hint says so where another kind has its name.
#[test]
fn who_is_hurt_by_what_has_a_kind_is_as_urgent() {
    let rules = &Rules::builtin();
    for (text, kind) in [
        ("大树倒了压到人", "tree_fallen"),
        ("一家三口煤气中毒", "gas_leak"),
        ("高空坠物砸到人了", "falling_object"),
        ("广告牌掉下来砸伤行人", "billboard_risk"),
        ("孩子掉进没有盖的窨井里", "manhole_missing"),
        ("电线掉下来电到人了，有人触电", "cable_down"),
    ] {
        assert_eq!(kinds(rules, "", text).first(), Some(&kind), "{text}");
        assert!(rules.map_hints(text).contains(&Hint::Trapped), "{text}");
    }
    let danger = rules.kind(rules.kind_id("person_danger").unwrap());
    assert_eq!(danger.base_band, Some(Band::P1));
}
