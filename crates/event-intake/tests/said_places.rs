//! Where a ticket says that it is, without coordinates: in its address, in its words, or nowhere.
#![allow(clippy::unwrap_used)]

mod desk;

use city_model::Source;
use desk::{Desk, hotline, report, with};
use event_intake::Decision;
use serde_json::{Value, json};

/// The town and the address key of a ticket's event, or what became of it.
fn said(ticket: Value) -> String {
    let record = with(&with(&hotline(), json!({"address": null})), ticket);
    told(Source::Hotline, &record)
}

fn told(source: Source, record: &Value) -> String {
    match Desk::new().judge(source, record).result {
        Decision::Event(event) => {
            assert!(event.located.is_none(), "no centroid is invented");
            format!(
                "{} {}",
                event.town.as_deref().unwrap_or("-"),
                event.address_key.as_deref().unwrap_or("-")
            )
        }
        Decision::Settled { outcome, .. } => outcome.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn an_address_that_says_none_is_no_place_and_no_key() {
    for nothing in [
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
        "松江区",
        "路口",
        "小区",
        "-",
        "",
    ] {
        let harmless = json!({"address": nothing});
        assert_eq!(said(harmless), "not_actionable", "{nothing}");
        let in_town = json!({"address": nothing, "town_code": "310117103"});
        assert_eq!(said(in_town), "310117103 -", "{nothing}");
        // Somebody must call back about danger, but two such calls are not about one place.
        let danger = json!({"address": nothing, "title": "楼道里煤气味很重"});
        assert_eq!(said(danger), "- -", "{nothing}");
    }
    // A house without a road is a place, but not one to meet at.
    assert_eq!(
        said(json!({"address": "5号楼302室", "town_code": "310117103"})),
        "310117103 -"
    );
    assert_eq!(said(json!({"address": "5号楼"})), "- -");
}

#[test]
fn a_town_is_read_from_the_address_where_the_grid_has_it() {
    let check =
        |address: &str, expected: &str| assert_eq!(said(json!({"address": address})), expected, "{address}");
    check("佘山镇谷阳北路1500弄", "310117103 谷阳北路1500弄");
    check(
        "松江区佘山镇谷阳北路一千五百弄23号302室",
        "310117103 谷阳北路1500弄23号",
    );
    check("上海市松江区佘山镇 谷阳北路 1500弄", "310117103 谷阳北路1500弄");
    check("佘山镇", "310117103 -");
    check("九亭镇沪松公路88号", "310117107 沪松公路88号");
    // A road is no town, and a town elsewhere is none of ours.
    check("佘山镇路12号", "- 佘山镇路12号");
    check("佘山路12号", "- 佘山路12号");
    check("花桥镇中山路12号", "- 中山路12号");
    // The code that a record states goes before the name in its address.
    let stated = json!({"address": "佘山镇谷阳北路1500弄", "town_code": "310117107"});
    assert_eq!(said(stated), "310117107 谷阳北路1500弄");
    let web = with(
        &report(),
        json!({"channel": "web", "location": null, "address": "佘山镇谷阳北路1500弄23号"}),
    );
    assert_eq!(told(Source::Report, &web), "310117103 谷阳北路1500弄23号");
}

#[test]
fn a_place_that_only_the_words_say_is_one() {
    let check = |content: &str, expected: &str| {
        let ticket = json!({"title": null, "content": content});
        assert_eq!(said(ticket), expected, "{content}");
    };
    check(
        "市民来电反映：松江区谷阳北路1500弄路面积水严重，要求处理",
        "- 谷阳北路1500弄",
    );
    check("谷阳北路1500弄23号302室门口路面积水", "- 谷阳北路1500弄23号");
    check("佘山镇谷阳北路与乐都路路口道路积水", "310117103 乐都路×谷阳北路");
    check("反映佘山镇有道路积水", "310117103 -");
    check("佘山镇和九亭镇都有道路积水", "not_actionable");
    check("道路积水，家门口", "not_actionable");
    check("路上积水", "not_actionable");
    // Whose name may stand before the road is not taken for an address, but the ticket is not lost.
    check("张三荣乐路12号路面积水", "- -");
    // The address goes before the words.
    let both = json!({"address": "沪松公路88号", "content": "谷阳北路1500弄路面积水"});
    assert_eq!(said(both), "- 沪松公路88号");
    let none = json!({"address": "不详", "content": "谷阳北路1500弄路面积水", "town_code": "310117103"});
    assert_eq!(said(none), "310117103 谷阳北路1500弄");
    let town = json!({"address": "佘山镇", "content": "谷阳北路1500弄路面积水"});
    assert_eq!(said(town), "310117103 谷阳北路1500弄");
}

/// A report is heard as a ticket is, whoever wrote it.
#[test]
fn a_report_that_says_its_place_in_words_has_one() {
    let check = |more: Value, expected: &str| {
        let bare = json!({"channel": "web", "location": null, "address": null, "title": null});
        let record = with(&with(&report(), bare), more);
        assert_eq!(told(Source::Report, &record), expected, "{record}");
    };
    check(json!({"content": "谷阳北路1500弄路面积水"}), "- 谷阳北路1500弄");
    check(
        json!({"content": "佘山镇谷阳北路与乐都路路口积水"}),
        "310117103 乐都路×谷阳北路",
    );
    check(json!({"content": "反映佘山镇有道路积水"}), "310117103 -");
    check(
        json!({"content": "道路积水", "town_code": "310117103"}),
        "310117103 -",
    );
    check(
        json!({"content": "谷阳北路1500弄积水", "address": "沪松公路88号"}),
        "- 沪松公路88号",
    );
    check(json!({"content": "家门口积水", "address": "不详"}), "- -");
}

#[test]
fn one_house_and_one_crossing_however_they_are_said() {
    let check =
        |address: &str, expected: &str| assert_eq!(said(json!({"address": address})), expected, "{address}");
    for house in ["谷阳北路1500弄", "谷阳北路第1500弄", "谷阳北路 1500 弄"] {
        check(house, "- 谷阳北路1500弄");
    }
    for crossing in [
        "谷阳北路乐都路",
        "谷阳北路近乐都路",
        "谷阳北路靠近乐都路",
        "谷阳北路与乐都路交叉口",
    ] {
        check(crossing, "- 乐都路×谷阳北路");
    }
}

#[test]
fn what_was_scrubbed_leaves_one_place_one() {
    for address in [
        "谷阳北路1500弄，联系人张三13812345678",
        "谷阳北路1500弄张先生",
        "谷阳北路1500弄 电话57812345",
        "谷阳北路1500弄138-1234-5678",
        "谷阳北路1500弄先生李雷",
    ] {
        let ticket = json!({"address": address, "town_code": "310117103"});
        assert_eq!(said(ticket), "310117103 谷阳北路1500弄", "{address}");
    }
}
