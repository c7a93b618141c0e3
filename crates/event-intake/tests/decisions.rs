//! Records in, decisions out: tables of what intake makes of each source.
#![allow(clippy::unwrap_used)]

mod desk;

use city_model::Source;
use desk::{Desk, NOW, hotline, report, sensor, video, with};
use event_intake::Decision;
use serde_json::{Value, json};

/// Each record at a fresh desk.
fn check(source: Source, base: &Value, cases: &[(Value, &str)]) {
    for (change, expected) in cases {
        assert_eq!(
            Desk::new().tell(source, &with(base, change.clone())),
            *expected,
            "{source} {change}"
        );
    }
}

/// All records at one desk, with ids of their own.
fn check_in_turn(source: Source, base: &Value, cases: &[(Value, &str)]) {
    let mut desk = Desk::new();
    for (at, (change, expected)) in cases.iter().enumerate() {
        let record = with(&with(base, json!({"event_id": format!("e{at}")})), change.clone());
        assert_eq!(desk.tell(source, &record), *expected, "{source} {at} {change}");
        desk.now += 1_000;
    }
}

#[test]
fn an_alarm_rises_holds_and_clears() {
    check_in_turn(
        Source::Sensor,
        &sensor(),
        &[
            (json!({"value": 14.9}), "below_threshold"),
            (
                json!({"value": 18.0}),
                "report road_ponding COMPONENT±5m c6 18000 on c-1 near school",
            ),
            (
                json!({"value": 13.0}),
                "report road_ponding COMPONENT±5m c6 13000 on c-1 near school",
            ),
            (
                json!({"value": 3.0, "observed_at": NOW - 60_000}),
                "below_threshold",
            ),
            (json!({"value": 11.0, "device_id": "other"}), "below_threshold"),
            (
                json!({"value": 11.0}),
                "clear road_ponding COMPONENT±5m c6 11000 on c-1 near school",
            ),
            (json!({"value": 11.0}), "below_threshold"),
            (json!({"value": 13.0}), "below_threshold"),
            (
                json!({"value": 2.0, "alarm": true}),
                "report road_ponding COMPONENT±5m c6 2000 on c-1 near school",
            ),
            (
                json!({"value": 99.0, "alarm": false}),
                "clear road_ponding COMPONENT±5m c6 99000 on c-1 near school",
            ),
            (json!({"value": 99.0, "alarm": false}), "below_threshold"),
            (json!({"event_id": "e1", "value": 18.0}), "duplicate_id"),
            (json!({"event_id": "e0", "value": 14.9}), "below_threshold"),
        ],
    );
}

#[test]
fn an_id_is_remembered_for_64_others() {
    let mut desk = Desk::new();
    let say = |desk: &mut Desk, id: usize| {
        desk.tell(
            Source::Sensor,
            &with(&sensor(), json!({"event_id": format!("e{id}"), "value": 20.0})),
        )
    };
    for id in 0..=64 {
        assert!(say(&mut desk, id).starts_with("report"), "{id}");
    }
    assert_eq!(say(&mut desk, 64), "duplicate_id");
    assert_eq!(say(&mut desk, 1), "duplicate_id");
    assert!(
        say(&mut desk, 0).starts_with("report"),
        "forgotten after 64 others"
    );
    assert_eq!(
        desk.log.len(),
        67,
        "64 slots, one alarm, when it began, when it was heard"
    );
}

#[test]
fn readings_are_mended_or_sorted_out() {
    check(
        Source::Sensor,
        &sensor(),
        &[
            (
                json!({"value": 0.18, "unit": "m"}),
                "report road_ponding COMPONENT±5m c6 18000 on c-1 near school",
            ),
            (
                json!({"value": 180, "unit": "ＭＭ"}),
                "report road_ponding COMPONENT±5m c6 18000 on c-1 near school",
            ),
            (
                json!({"value": 1, "unit": "kPa"}),
                "bad_value: unit: none that measures this metric",
            ),
            (
                json!({"value": true}),
                "bad_value: value: a boolean, where this metric is a number",
            ),
            (json!({"value": -999}), "device_fault fault=sentinel"),
            (json!({"value": 65535}), "device_fault fault=sentinel"),
            (json!({"value": 5000}), "device_fault fault=out_of_range"),
            (
                json!({"value": -999, "alarm": true}),
                "report road_ponding COMPONENT±5m c1 on c-1 near school #suspect fault=sentinel",
            ),
            (
                json!({"metric": "smoke", "value": true}),
                "report fire_smoke COMPONENT±5m c6 1000 on c-1 near school",
            ),
            (json!({"metric": "smoke", "value": 0}), "below_threshold"),
            (json!({"metric": "mood"}), "code_unknown: metric: no rule for it"),
            (
                json!({"source_system": "x"}),
                "unknown_source: source_system: not configured",
            ),
        ],
    );
}

#[test]
fn a_sensor_is_placed_by_itself_or_the_registry() {
    let wet = with(&sensor(), json!({"value": 20.0}));
    check(
        Source::Sensor,
        &wet,
        &[
            (
                json!({"location": {"x": 0, "y": 0}}),
                "report road_ponding COMPONENT±5m c6 20000 on c-1 near school",
            ),
            (
                json!({"location": {"x": 121.26, "y": 31.0303, "accuracy_m": 8}}),
                "report underpass_flood COMPONENT±8m c6 20000 on c-1 near underpass",
            ),
            (
                json!({"location": {"x": 121.26, "y": 31.031}}),
                "report road_ponding COMPONENT±5m c6 20000 on c-1 near underpass",
            ),
            (json!({"device_id": "new"}), "report road_ponding NONE c6 20000"),
            (
                json!({"device_id": "new", "component_id": "c-2"}),
                "report road_ponding COMPONENT±1m c6 20000 on c-2",
            ),
            (
                json!({"location": {"x": 1.0, "y": 1.0}}),
                "coord_out_of_bbox: location: too far outside the first layer",
            ),
            (
                json!({"location": {"x": 121.2, "y": 31.0, "crs": "X"}}),
                "crs_missing: location.crs: not one of the contract's",
            ),
        ],
    );
}

#[test]
fn a_sensors_clock_is_flagged_and_told_once_an_hour() {
    let mut desk = Desk::new();
    let mut say = |at: i64, minutes: i64, value: f64| {
        desk.now = NOW + minutes * 60_000;
        let id = format!("{at}-{minutes}");
        desk.tell(
            Source::Sensor,
            &with(
                &sensor(),
                json!({"event_id": id, "value": value, "observed_at": at}),
            ),
        )
    };
    let unset = "report road_ponding COMPONENT±5m c1 20000 on c-1 near school #clock_unset #suspect";
    assert_eq!(say(0, 0, 20.0), format!("{unset} fault=clock_unset"));
    assert_eq!(say(1, 1, 20.0), unset);
    assert_eq!(say(2, 61, 20.0), format!("{unset} fault=clock_unset"));
    let ahead = "report road_ponding COMPONENT±5m c1 20000 on c-1 near school #clock_future #suspect";
    assert_eq!(
        say(NOW + 2 * 86_400_000, 62, 20.0),
        format!("{ahead} fault=clock_future")
    );
    assert_eq!(
        say(NOW + 2 * 86_400_000, 63, 1.0),
        "clear road_ponding COMPONENT±5m c1 1000 on c-1 near school #clock_future #suspect"
    );
}

#[test]
fn a_ticket_is_about_what_category_and_words_say() {
    let named = |names: &[&str], title: &str| json!({"category": names, "title": title});
    check(
        Source::Hotline,
        &hotline(),
        &[
            (json!({}), "report road_ponding NONE c3"),
            (
                named(&["市容环境", "暴露垃圾"], "请处理"),
                "report garbage_exposed NONE c3",
            ),
            (
                named(&["市容环境", "暴露垃圾"], "路口红绿灯不亮"),
                "report traffic_signal or garbage_exposed NONE c3 #category_contradicted",
            ),
            (
                named(&["道路积水"], "自来水爆管"),
                "report road_ponding or water_burst NONE c3 #category_contradicted",
            ),
            (named(&["什么也不是"], "路灯不亮"), "report street_light NONE c3"),
            (json!({"title": "您好", "content": null}), "not_actionable"),
            (
                json!({"title": "对A市地铁线路的建议", "content": "路口经常积水"}),
                "not_actionable",
            ),
            (
                json!({"title": "您好", "category": ["其他", "其他诉求"]}),
                "code_unknown: category, title, content: no kind",
            ),
            (json!({"address": null}), "not_actionable"),
            (
                json!({"address": " ", "town_code": "310117103"}),
                "report road_ponding NONE c3",
            ),
            (
                json!({"address": null, "title": "电梯困人"}),
                "report elevator_trap NONE c3 !trapped",
            ),
            // Who is hurt is looked for, whatever fell on them.
            (
                json!({"address": null, "title": "大树倒了压到人"}),
                "report tree_fallen or person_danger NONE c3 !trapped",
            ),
            (json!({"address": null, "title": "大树倒了"}), "not_actionable"),
            (
                json!({"title": "x", "category_code": "0110"}),
                "code_unknown: category, title, content: no kind",
            ),
            (json!({"appeal_type": "咨询"}), "not_actionable"),
            (json!({"appeal_type": 3}), "not_actionable"),
            // What somebody chose from a list is not what the caller said.
            (
                json!({"appeal_type": "咨询", "title": "家里煤气味很重，怎么办"}),
                "report gas_leak NONE c3",
            ),
            (
                json!({"appeal_type": "表扬", "title": "昨天着火，感谢消防员"}),
                "not_actionable",
            ),
            (json!({"appeal_type": "投诉"}), "report road_ponding NONE c3"),
            (
                json!({"title": "有人被困电梯"}),
                "report elevator_trap NONE c3 !trapped",
            ),
        ],
    );
    let code =
        |standard: Value| json!({"title": "请处理", "category_code": "0401", "standard_ref": standard});
    check(
        Source::Hotline,
        &with(&hotline(), json!({"source_system": "gcj"})),
        &[
            (code(json!("CJ/T 214-2007")), "report road_collapse NONE c3"),
            (
                code(json!("GB/T 30428.2-2013")),
                "report vendor NONE c3 #code_derived",
            ),
            (code(Value::Null), "report vendor NONE c3 #code_derived"),
        ],
    );
}

#[test]
fn category_and_words_are_weighed() {
    let filed = |names: &[&str], title: &str, content: &str| json!({"category": names, "title": title, "content": content});
    check(
        Source::Hotline,
        &hotline(),
        &[
            // An exact phrase beats a category that has nothing to do with it, beside the vaguer word for the same.
            (
                filed(&["宣传广告", "广告招牌破损"], "垃圾箱满溢,没有清运", "请处理"),
                "report bin_overflow or billboard_risk NONE c3 #category_contradicted",
            ),
            // The finer of two kin.
            (
                filed(&["突发事件", "道路积水"], "下立交积水很深", ""),
                "report underpass_flood or road_ponding NONE c3",
            ),
            // Danger to life in the title does, whatever else stands there.
            (
                filed(&["垃圾满溢"], "垃圾箱满溢着火了", ""),
                "report fire_smoke or bin_overflow NONE c3 #category_contradicted",
            ),
            (
                filed(&["噪音扰民"], "半夜噪音扰民,有人要跳楼", ""),
                "report person_danger or noise NONE c3 !trapped #category_contradicted",
            ),
            // Danger in the content beats a title of something less, filed so or not, and one that asks.
            (
                filed(&[], "占道经营", "煤气泄漏"),
                "report gas_leak or vendor NONE c3 #category_contradicted",
            ),
            (
                filed(&["占道经营"], "占道经营", "煤气泄漏"),
                "report gas_leak or vendor NONE c3 #category_contradicted",
            ),
            (
                filed(&[], "咨询", "有人跳楼"),
                "report person_danger NONE c3 !trapped #category_contradicted",
            ),
            // A weak word outside the title does not beat the category, unless it is danger to life.
            (
                filed(&["路灯"], "市民反映问题", "晚上吵闹"),
                "report street_light or noise NONE c3 #category_contradicted",
            ),
            (
                filed(&["路灯"], "市民反映问题", "三楼着火了"),
                "report fire_smoke or street_light NONE c3 #category_contradicted",
            ),
            // Two stories in one title: the category stands.
            (
                filed(&["路灯"], "噪音很大,油烟", ""),
                "report street_light or noise,fume NONE c3 #category_contradicted",
            ),
            // What stands far behind is the story around it.
            (
                filed(
                    &[],
                    "请帮帮我们",
                    &format!("{}消防通道被堵。", "我们多次反映都没有结果。".repeat(12)),
                ),
                "not_actionable",
            ),
        ],
    );
}

#[test]
fn the_same_address_in_two_spellings_is_one_key_at_town_level() {
    let keys: Vec<_> = ["谷阳北路１５００弄", "上海市松江区谷阳北路1500弄"]
        .into_iter()
        .map(|address| {
            let record = with(&hotline(), json!({"address": address, "town_code": "310117103"}));
            let Decision::Event(event) = Desk::new().judge(Source::Hotline, &record).result else {
                panic!("no event")
            };
            assert!(event.located.is_none(), "no centroid is invented");
            (event.town, event.address_key, event.cells.len())
        })
        .collect();
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys[0].1.as_deref(), Some("谷阳北路1500弄"));
}

#[test]
fn codes_that_no_rule_maps_are_told_without_personal_data() {
    let unmapped = |source: Source, record: Value| {
        let bytes = record.to_string();
        let decoded = desk::DECODER.decode(source, bytes.as_bytes()).unwrap();
        Desk::new().intake.unmapped(&decoded)
    };
    let ticket = |change: Value| unmapped(Source::Hotline, with(&hotline(), change));
    assert_eq!(ticket(json!({})), None, "it says none");
    assert_eq!(ticket(json!({"category": ["市容环境", "暴露垃圾"]})), None);
    let other = json!({"category": ["其他", "其他诉求13812345678"]});
    assert_eq!(ticket(other).as_deref(), Some("其他诉求***"));
    let code = |standard: Value| json!({"category_code": "0799", "standard_ref": standard});
    assert_eq!(
        ticket(code(json!("GB/T 30428.2"))).as_deref(),
        Some("GB/T 30428.2 0799")
    );
    assert_eq!(
        ticket(code(Value::Null)).as_deref(),
        Some("EVENTSORT 0799"),
        "the source's own list"
    );
    let alert = |code: &str| unmapped(Source::Video, with(&video(), json!({"alert_code": code})));
    assert_eq!(alert("696"), None);
    assert!(alert("620").unwrap().ends_with(" 620"));
    assert_eq!(alert(&"z".repeat(200)).unwrap().chars().count(), 48);
    let metric = |name: &str| unmapped(Source::Sensor, with(&sensor(), json!({"metric": name})));
    assert_eq!(
        (metric("ponding_depth"), metric("mood").as_deref()),
        (None, Some("mood"))
    );
}

#[test]
fn an_inquiry_sent_again_is_a_duplicate() {
    let mut desk = Desk::new();
    let inquiry = with(&hotline(), json!({"appeal_type": "咨询"}));
    let other = with(&inquiry, json!({"event_id": "another"}));
    let told = [&inquiry, &inquiry, &other, &inquiry].map(|ticket| desk.tell(Source::Hotline, ticket));
    assert_eq!(
        told,
        ["not_actionable", "duplicate_id", "not_actionable", "duplicate_id"]
    );
}

#[test]
fn a_ticket_is_never_refused_for_its_location() {
    let at = |location: Value| json!({"location": location});
    check(
        Source::Hotline,
        &hotline(),
        &[
            (
                at(json!({"x": 121.22, "y": 31.03, "quality": "DOOR"})),
                "report road_ponding DOOR±30m c5",
            ),
            (
                at(json!({"x": 121.22, "y": 31.03})),
                "report road_ponding POI±150m c3",
            ),
            (
                at(json!({"x": 121.22, "y": 31.03, "quality": "?"})),
                "report road_ponding POI±150m c3",
            ),
            (
                at(json!({"x": 121.22, "y": 31.03, "quality": "ROAD"})),
                "report road_ponding ROAD c3",
            ),
            (at(json!({"x": 0, "y": 0})), "report road_ponding NONE c3"),
            (
                at(json!({"x": 31.03, "y": 121.22})),
                "report road_ponding NONE c3 #location_unusable",
            ),
            (
                at(json!({"x": 1.0, "y": 1.0})),
                "report road_ponding NONE c3 #location_unusable",
            ),
            (
                at(json!({"x": "?", "y": 1.0})),
                "report road_ponding NONE c3 #location_unusable",
            ),
            (
                at(json!({"x": 121.22, "y": 31.03, "crs": "?"})),
                "report road_ponding NONE c3 #location_unusable",
            ),
            (
                at(json!("there")),
                "report road_ponding NONE c3 #location_unusable",
            ),
        ],
    );
}

#[test]
fn a_citing_ticket_follows_the_first() {
    let cite = |title: &str| json!({"ticket_id": "T2", "parent_ticket_id": "T1", "title": title});
    let day = 86_400_000;
    let mut desk = Desk::new();
    let mut say = |at: i64, change: Value| {
        desk.now = NOW + at;
        let id = format!("at {at} {change}");
        let record = with(
            &with(&hotline(), json!({"called_at": NOW + at, "event_id": id})),
            change,
        );
        let told = desk.tell(Source::Hotline, &record);
        (told, desk.state.tickets())
    };
    let nothing = "not_actionable";
    assert_eq!(say(0, cite("催办")), (nothing.into(), 0));
    assert_eq!(say(0, json!({})), ("report road_ponding NONE c3".into(), 1));
    assert_eq!(
        say(day, cite("催办")),
        ("report road_ponding NONE c3 cites T1".into(), 1)
    );
    assert_eq!(
        say(day, cite("还是路灯不亮")),
        ("report road_ponding NONE c3 cites T1".into(), 1),
        "another group"
    );
    assert_eq!(
        say(day, cite("下立交积水")),
        (
            "report underpass_flood or road_ponding NONE c3 cites T1".into(),
            2
        ),
        "a graver danger of the same group"
    );
    assert_eq!(
        say(
            day,
            json!({"ticket_id": "T3", "parent_ticket_id": "T2", "title": "催办"})
        ),
        ("report underpass_flood NONE c3 cites T2".into(), 2),
        "what cites that one is about the danger"
    );
    assert_eq!(
        say(day, cite("催办")),
        ("report road_ponding NONE c3 cites T1".into(), 2),
        "the root keeps its kind"
    );
    assert_eq!(
        say(day, cite("催办，现在煤气泄漏了")),
        ("report gas_leak NONE c3".into(), 2),
        "a danger of its own is not hidden in what it cites"
    );
    assert_eq!(
        say(5 * day, cite("催办")),
        (nothing.into(), 0),
        "72 h after it was last spoken of"
    );
    assert_eq!(
        say(5 * day, json!({"ticket_id": "T9", "title": "路灯不亮"})),
        ("report street_light NONE c3".into(), 1)
    );
}

#[test]
fn a_camera_is_not_the_place_of_what_it_sees() {
    check(
        Source::Video,
        &video(),
        &[
            (json!({}), "report road_ponding or underpass_flood POI±60m c2"),
            (
                json!({"confidence": 0.9, "phase": "ONGOING"}),
                "report road_ponding or underpass_flood POI±60m c4",
            ),
            (
                json!({"phase": "END"}),
                "clear road_ponding or underpass_flood POI±60m c2",
            ),
            (
                json!({"phase": "PAUSE"}),
                "bad_value: phase: not START, ONGOING or END",
            ),
            (json!({"alert_code": 619}), "report fire_smoke POI±100m c2"),
            (
                json!({"alert_code": "FireOrSmokeDetected", "code_system": "own"}),
                "report fire_smoke POI±100m c2",
            ),
            (
                json!({"target_location": {"x": 121.2201, "y": 31.03}}),
                "report road_ponding or underpass_flood GNSS±15m c2",
            ),
            (
                json!({"location": {"x": 121.22, "y": 31.03, "accuracy_m": 80}}),
                "report road_ponding or underpass_flood POI±100m c2",
            ),
            (
                json!({"location": null, "camera_id": "pole"}),
                "report road_ponding or underpass_flood POI±60m c2",
            ),
            (
                json!({"location": null}),
                "report road_ponding or underpass_flood NONE c2",
            ),
            (
                json!({"confidence": 1.01}),
                "bad_value: confidence: not within 0 and 1",
            ),
            (
                json!({"confidence": -0.1}),
                "bad_value: confidence: not within 0 and 1",
            ),
            (
                json!({"alert_code": "9999"}),
                "code_unknown: alert_code: no kind in its code system",
            ),
            (json!({"alert_code": "615"}), "device_fault fault=reported"),
            (
                json!({"location": {"x": 121.2, "y": 91}}),
                "coord_out_of_bbox: location: not on the earth in WGS84",
            ),
        ],
    );
}

#[test]
fn reports_count_by_their_channel() {
    check(
        Source::Report,
        &report(),
        &[
            (json!({}), "report garbage_exposed by inspector GNSS±15m c8"),
            (
                json!({"channel": "APP"}),
                "report garbage_exposed by app GNSS±15m c3",
            ),
            (
                json!({"channel": "web"}),
                "report garbage_exposed by web POI±150m c3",
            ),
            (
                json!({"channel": "police"}),
                "report garbage_exposed by police GNSS±15m c5",
            ),
            (
                json!({"channel": "sensor"}),
                "report garbage_exposed by other POI±150m c2",
            ),
            (
                json!({"location": {"x": 121.22, "y": 31.03, "accuracy_m": 3.2}}),
                "report garbage_exposed by inspector GNSS±3m c8",
            ),
            (
                json!({"location": null, "component_id": "c-2"}),
                "report garbage_exposed by inspector COMPONENT±1m c8 on c-2",
            ),
            (
                json!({"location": {"x": 1, "y": 1}}),
                "coord_out_of_bbox: location: too far outside the first layer",
            ),
            (
                json!({"observed_at": "gestern"}),
                "no_time: observed_at: not a time",
            ),
            (
                json!({"observed_at": NOW - 400 * 86_400_000}),
                "time_too_old: observed_at: more than 366 days before it came",
            ),
            (
                json!({"observed_at": NOW - 2 * 86_400_000}),
                "report garbage_exposed by inspector GNSS±15m c8 #backfill",
            ),
        ],
    );
}

#[test]
fn a_report_close_to_exactly_one_component_of_its_class_takes_its_id() {
    let at = |x: f64, accuracy_m: f64| json!({"location": {"x": x, "y": 31.03, "accuracy_m": accuracy_m}});
    let cover = with(&report(), json!({"content": "井盖缺失"}));
    check(
        Source::Report,
        &cover,
        &[
            // Two covers 25 m apart: 8.3 m of uncertainty reach one of them, 8.4 m reach both.
            (
                at(121.27, 8.3),
                "report manhole_missing by inspector GNSS±8m c8 on cover-1 #component_inferred",
            ),
            (at(121.27, 8.4), "report manhole_missing by inspector GNSS±8m c8"),
            (
                at(121.271, 15.0),
                "report manhole_missing by inspector GNSS±15m c8",
            ),
            // The registry has this one under its national code.
            (
                at(121.2804, 15.0),
                "report manhole_missing by inspector GNSS±15m c8 on cover-3 #component_inferred",
            ),
            (
                with(&at(121.28, 5.0), json!({"component_id": "another"})),
                "report manhole_missing by inspector GNSS±5m c8 on another",
            ),
            // A road is no place, and a heap of rubbish has no component.
            (
                json!({"location": {"x": 121.28, "y": 31.03, "quality": "ROAD"}}),
                "report manhole_missing by inspector ROAD c8",
            ),
            (
                with(&at(121.28, 5.0), json!({"content": "路边一堆垃圾"})),
                "report garbage_exposed by inspector GNSS±5m c8",
            ),
        ],
    );
}

#[test]
fn the_same_point_has_the_same_cell_in_every_system() {
    let mut cells = Vec::new();
    for crs in city_grid::Crs::ALL {
        let (x, y) = city_grid::crs::from_wgs84(crs, 121.22, 31.03);
        let record = with(
            &report(),
            json!({"location": {"crs": crs.name(), "x": x, "y": y}}),
        );
        let Decision::Event(event) = Desk::new().judge(Source::Report, &record).result else {
            panic!("no event")
        };
        let position = event.located.as_ref().unwrap().position;
        assert!(
            (position.lon_e9 - 121_220_000_000).abs() < 10 && (position.lat_e9 - 31_030_000_000).abs() < 10,
            "{crs}"
        );
        assert_eq!(
            event.town,
            event
                .cells
                .iter()
                .find(|cell| &*cell.level == "town")
                .map(|cell| cell.code.clone())
        );
        cells.push((event.cells, event.responsible.unwrap().code));
    }
    assert!(cells.windows(2).all(|pair| pair[0] == pair[1]), "{cells:?}");
}

#[test]
fn orders_are_read_strictly_and_scrubbed() {
    let warning = json!({"warning_id": "w", "revision": 1, "signal": "rainstorm", "severity": "orange", "region_codes": ["310117"],
        "status": "ISSUED", "issued_at": NOW, "effective_at": NOW});
    check(
        Source::Weather,
        &warning,
        &[
            (json!({}), "warning RAINSTORM ORANGE"),
            (
                json!({"severity": "PINK"}),
                "bad_value: severity: not one of the contract's",
            ),
            (
                json!({"effective_at": "soon"}),
                "no_time: effective_at: not a time",
            ),
            (
                json!({"region_codes": [""]}),
                "bad_value: region_codes: an empty or endless entry",
            ),
        ],
    );
    let silence = json!({"silence_id": "s", "kinds": ["road_damage"], "area": ["310117103"], "starts_at": NOW, "ends_at": NOW + 1,
        "reason": "联系张先生13812345678", "created_by": "duty", "created_at": NOW});
    check(
        Source::Silence,
        &silence,
        &[
            (json!({}), r#"silence Cells(["310117103"]) "联系**先生***""#),
            (
                json!({"kinds": ["road_dmg"]}),
                "code_unknown: kinds[0]: no such kind",
            ),
            (json!({"ends_at": NOW}), "bad_value: ends_at: not after starts_at"),
            (json!({"area": []}), "bad_value: area: empty"),
            (
                json!({"area": {"type": "Point", "coordinates": [1, 2]}}),
                "bad_value: area: not a Polygon or MultiPolygon in degrees, of at most 10000 corners",
            ),
        ],
    );
    let command = json!({"command_id": "c", "incident_id": "310117-vendor-0123456789abcdef", "action": "close", "operator": "13812345678",
        "issued_at": NOW});
    check(
        Source::Command,
        &command,
        &[
            (json!({}), "command close by h-fajpdkahnoplaeeb"),
            (
                json!({"action": "explode"}),
                "bad_value: action: not one of the contract's",
            ),
            (
                json!({"band": "P9"}),
                "bad_value: band: not one of the contract's",
            ),
            (json!({"deadline": "soon"}), "no_time: deadline: not a time"),
        ],
    );
}

#[test]
fn words_that_no_rule_reads_are_sampled_without_personal_data() {
    let judged = |change: Value| {
        let record = with(&hotline(), change);
        let bytes = record.to_string();
        let decoded = desk::DECODER.decode(Source::Hotline, bytes.as_bytes()).unwrap();
        let mut desk = Desk::new();
        let verdict = desk.judge(Source::Hotline, &record);
        (verdict.is_unread, desk.intake.sample(&decoded))
    };
    for (change, is_unread, sample) in [
        (
            json!({"title": "树上有马蜂窝", "content": null}),
            true,
            Some("树上有马蜂窝"),
        ),
        (
            json!({"title": "马蜂窝", "content": "李雷家门口有马蜂窝，电话13812345678，302室", "reporter_name": "李雷"}),
            true,
            Some("马蜂窝。***家门口有马蜂窝,电话***,***室"),
        ),
        (
            json!({"title": "这里的老鼠蟑螂特别多，从三楼到八楼每一层都有，晚上到处爬，没有人来管，请你们来看看", "content": null}),
            true,
            Some("这里的老鼠蟑螂特别多,从三楼到八楼每一层都有,晚上到处爬,没有人来管,请你们来看看"),
        ),
        // Read, about another matter, about nowhere, without words, or with a code of which the list tells.
        (json!({}), false, None),
        (json!({"title": "咨询医保政策"}), false, None),
        (json!({"title": "树上有马蜂窝", "address": null}), false, None),
        (json!({"title": "。", "content": "！"}), false, None),
        (
            json!({"title": "树上有马蜂窝", "category": ["其他"]}),
            false,
            None,
        ),
        (json!({"title": "催办", "parent_ticket_id": "T0"}), false, None),
    ] {
        let (told, sampled) = judged(change.clone());
        assert_eq!(told, is_unread, "{change}");
        if is_unread {
            assert_eq!(sampled.as_deref(), sample, "{change}");
        }
    }
}

#[test]
fn a_stated_town_outweighs_a_point_that_is_no_place() {
    let (x, y, stated) = (121.22, 31.0, "310117103");
    for (quality, town_code, is_stated) in [
        (json!("NONE"), Some(stated), true),
        (json!("TOWN"), Some(stated), true),
        (json!("DOOR"), Some(stated), false),
        (json!("NONE"), None, false),
        // Of a town that the grid does not have the point says more.
        (json!("NONE"), Some("999999999"), false),
    ] {
        let location = json!({"x": x, "y": y, "quality": quality});
        let record = with(&hotline(), json!({"location": location, "town_code": town_code}));
        let Decision::Event(event) = Desk::new().judge(Source::Hotline, &record).result else {
            panic!("no event")
        };
        let cell = event.cells.iter().find(|cell| &*cell.level == "town").unwrap();
        let responsible = event.responsible.unwrap().code;
        let told = event.town.as_deref() == Some(stated) && &*cell.code == stated && &*responsible == stated;
        assert_eq!(
            told, is_stated,
            "{quality} {town_code:?}: {:?} {responsible}",
            event.town
        );
    }
}

/// Six of a cell's digits may be the day of a birth, and then its code is built like an identity number of the first generation.
#[test]
fn a_silence_names_every_cell_of_the_grid_and_no_person() {
    let grid = city_grid::builtin();
    let finest = grid.levels().len() - 1;
    let codes: Vec<String> = grid
        .cells(finest)
        .map(|(_, cell)| cell.code.to_string())
        .collect();
    assert!(codes.contains(&"310117501202002".to_owned()), "1950-12-02");
    let area_of = |area: &[String]| {
        let record = json!({"silence_id": "s", "kinds": [], "area": area, "starts_at": NOW, "ends_at": NOW + 1,
            "reason": "", "created_by": "duty", "created_at": NOW});
        let Decision::Silence(silence) = Desk::new().judge(Source::Silence, &record).result else {
            panic!("no silence");
        };
        let city_model::SilenceArea::Cells(cells) = silence.area else {
            panic!("no cells");
        };
        cells.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(area_of(&codes), codes);
    let person = area_of(&["310117501202999".to_owned()]);
    assert!(person[0].starts_with("h-"), "{person:?}");
}

#[test]
fn a_warning_for_a_province_or_a_city_is_for_all_that_lies_in_it() {
    let record = json!({"warning_id": "w", "revision": 1, "signal": "RAINSTORM", "severity": "RED", "status": "ISSUED",
        "region_codes": ["310000", "310100", "310117", "310117100", "000000", "310117000000"], "issued_at": NOW, "effective_at": NOW});
    let Decision::Warning(warning) = Desk::new().judge(Source::Weather, &record).result else {
        panic!("no warning");
    };
    let regions: Vec<&str> = warning.region_codes.iter().map(|region| &**region).collect();
    assert_eq!(regions, ["31", "3101", "310117", "310117100", "00", "310117"]);
}

#[test]
fn what_names_no_cell_of_the_grid_is_noted() {
    let desk = Desk::new();
    let warning = |regions: &[&str]| {
        let record = json!({"warning_id": "w", "revision": 1, "signal": "RAINSTORM", "severity": "RED", "status": "ISSUED",
            "region_codes": regions, "issued_at": NOW, "effective_at": NOW});
        let Decision::Warning(warning) = Desk::new().judge(Source::Weather, &record).result else {
            panic!("no warning");
        };
        desk.intake.note_of_warning(&warning).map(|note| note.to_string())
    };
    assert_eq!(warning(&["310000"]), None);
    assert_eq!(warning(&["310117"]), None);
    // One that is for others, too, is not wrong.
    assert_eq!(warning(&["310112", "310117"]), None);
    assert_eq!(
        warning(&["999", "310112"]).as_deref(),
        Some("no cell of the grid lies in 999, 310112")
    );
    let silence = |area: Value| {
        let record = json!({"silence_id": "s", "kinds": [], "area": area, "starts_at": NOW, "ends_at": NOW + 1,
            "reason": "", "created_by": "duty", "created_at": NOW});
        let Decision::Silence(silence) = Desk::new().judge(Source::Silence, &record).result else {
            panic!("no silence");
        };
        desk.intake.note_of_silence(&silence).map(|note| note.to_string())
    };
    assert_eq!(silence(json!(["310117501202002"])), None);
    assert_eq!(
        silence(json!(["310117501202002", "999"])).as_deref(),
        Some("the grid has no cell 999")
    );
    let many: Vec<String> = (900..907).map(|code| code.to_string()).collect();
    assert_eq!(
        silence(json!(many)).as_deref(),
        Some("the grid has no cell 900, 901, 902, 903, 904 and 2 more")
    );
    let polygon =
        json!({"type": "Polygon", "coordinates": [[[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 1.0]]]});
    assert_eq!(silence(polygon), None);
}
