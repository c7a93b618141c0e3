//! Files on files, the text that travels, groups and layouts, metrics, points.
#![allow(clippy::unwrap_used)]

use city_model::{Band, Channel, Facility, Grade, Severity};
use city_rules::{Clock, OverrideEffect, Rules, UnitError, to_milli};
use proptest::prelude::*;

fn load(text: &str) -> Result<Rules, String> {
    Rules::load(&[("city.toml".into(), text.into())]).map_err(|error| error.to_string())
}

#[test]
fn the_text_comes_back_equal() {
    let mut rules =
        load("[kinds.noise]\nradius = 200.5\n[kinds.\"Street Light Out\"]\nradius = 30\n").unwrap();
    rules.with_plain_kind("Rodent");
    let text = rules.to_text();
    let back = Rules::from_text(&text).unwrap();
    assert_eq!(back, rules);
    assert_eq!(back.to_text(), text);
    assert_eq!(back.version().len(), 12);
    assert_ne!(back.version(), Rules::builtin().version());
    assert_eq!(back.kind(back.kind_id("noise").unwrap()).radius_mm, 200_500);
    assert_eq!(
        Rules::builtin(),
        Rules::from_text(&Rules::builtin().to_text()).unwrap()
    );
}

#[test]
fn a_later_file_changes_what_it_names() {
    let rules = load("[kinds.noise]\nradius = 200\n[priority.weather]\nred = 9\n").unwrap();
    let noise = rules.kind(rules.kind_id("noise").unwrap());
    assert_eq!((noise.radius_mm, noise.cap_mm), (200_000, 640_000));
    assert_eq!(rules.priority().weather.points(Severity::Red), 9);
    assert_eq!(rules.priority().weather.points(Severity::Orange), 7);
    let off = load("[priority.overrides.\"O2.elec_arc\"]\noff = true\n").unwrap();
    assert_eq!(off.priority().override_rule("O2.elec_arc"), None);
}

#[test]
fn mistakes_are_told_with_line_and_nearest_name() {
    for (text, sentence) in [
        (
            "[kinds.noise]\n\nradus = 3\n",
            "city.toml:3: unknown key \"radus\" in [kinds.noise]; the nearest valid key is \"radius\"",
        ),
        (
            "[kinds.noise]\nrelated = [\"dust\", \"vendro\"]\n",
            "city.toml:2: unknown kind \"vendro\"; the nearest valid kind is \"vendor\"",
        ),
        (
            "# vendro\n[video.MINE]\n\"1\" = \"vendro\"\n",
            "city.toml:3: unknown kind \"vendro\"; the nearest valid kind is \"vendor\"",
        ),
        (
            "[words.road_pondng]\nany = [\"水\"]\n",
            "city.toml:1: unknown kind \"road_pondng\"; the nearest valid kind is \"road_ponding\"",
        ),
        (
            "[kinds.noise]\nbase_steps = [{ metric = \"noise_lq\", at_least = 3, band = \"P1\" }]\n",
            "city.toml:2: unknown metric \"noise_lq\"; the nearest valid metric is \"noise_leq\"",
        ),
        (
            "[kinds.noise]\ngap = 3\n",
            "city.toml:2: \"gap\" in [kinds.noise]: invalid type: integer `3`, expected a string",
        ),
        (
            "[kinds.noise]\nradius = -1\n",
            "city.toml:1: kind \"noise\": the radius must be above 0 and the cap at least the radius",
        ),
        (
            "[kinds.noise]\nmerges_with = [\"fight\"]\n",
            "city.toml:2: fight and noise cannot merge: their safety classes are \"life\" and \"order\"",
        ),
        (
            "[calendar.years.2027]\nholidays = [\"2027-02-30\"]\n",
            "city.toml:2: \"2027-02-30\" is no date or span of dates",
        ),
        (
            "[metrics.x]\nkind = \"noise\"\nunit = \"furlong\"\n",
            "city.toml:1: metric \"x\": its unit is unknown",
        ),
        (
            "[metrics.smoke]\ninterval = \"24h\"\nintervall = 3\n",
            "city.toml:3: unknown key \"intervall\" in [metrics.smoke]; the nearest valid key is \"interval\"",
        ),
        (
            "[metrics.smoke]\nconfirm = 9\n",
            "city.toml:1: metric \"smoke\": confirm takes 1 to 8 readings",
        ),
        (
            "[metrics.smoke]\nfault = \"offlin\"\n",
            "city.toml:2: unknown value \"offlin\" for \"fault\" in [metrics.smoke]; the nearest valid value is \"offline\"",
        ),
        (
            "[metrics.smoke]\nfault = \"offline\"\n",
            "city.toml:1: metric \"smoke\": what it says of the device itself needs a kind that does not correlate",
        ),
        (
            "[metrics.pm10]\nother_units = [\"kPa\"]\n",
            "city.toml:1: metric \"pm10\": the other unit \"kPa\" does not measure it",
        ),
        (
            "[metrics.pm10]\nflap = { times = 1, within = \"1h\" }\n",
            "city.toml:1: metric \"pm10\": flap takes 2 to 32 times, and some time",
        ),
        (
            "[video.algorithms.\"A/B\"]\naccept = 0.5\nshure = 0.9\n",
            "city.toml:3: unknown key \"shure\" in [video.algorithms.\"A/B\"]; the nearest valid key is \"sure\"",
        ),
        (
            "[video.algorithms.\"A/B\"]\naccept = 0.95\n",
            "city.toml:1: algorithm \"A/B\": 0 <= accept <= sure <= 1, and a reach of 1 to 1,000 metres",
        ),
        (
            "[priority.overrides.O9]\nzh = \"x\"\n",
            "city.toml:1: override \"O9\" needs either a floor or a ceiling or raise_to",
        ),
        (
            "[kinds.noise]\ncontrol = \"4h\"\n",
            "city.toml:2: \"control\" in [kinds.noise]: \"4h\" is no time limit; write an amount and one of \
             urgent_hour work_hour work_day natural_day, as in \"4h work_hour\" or \"5d work_day\"",
        ),
    ] {
        assert_eq!(load(text).unwrap_err(), sentence);
    }
}

#[test]
fn a_plain_kind_keeps_the_ids_of_others() {
    let mut rules = Rules::builtin();
    let vendor = rules.kind_id("vendor").unwrap();
    let plain = rules.with_plain_kind("A Rodent");
    assert_eq!(rules.with_plain_kind("A Rodent"), plain);
    assert_eq!(rules.kind_id("vendor"), Some(vendor));
    let rule = rules.kind(plain);
    assert_eq!(
        (rule.radius_mm, rule.cap_mm, rule.gap_ms),
        (50_000, 150_000, 72 * 3_600_000)
    );
    assert_eq!((rule.base_band, rule.grade), (Some(Band::P4), Grade::D));
    assert_eq!(rules.group(plain).as_str(), "A Rodent");
    assert_eq!(rules.group_weight(rules.group(plain)), 1);
}

#[test]
fn what_can_meet_is_one_group() {
    let rules = load(
        "[kinds.noise]\nmerges_with = [\"dust\"]\n[kinds.fume]\ninhibits = [\"noise\"]\n\
         [kinds.gas_leak]\ncomponent_class = \"hydrant\"\n",
    )
    .unwrap();
    let group = |kind: &str| rules.group(rules.kind_id(kind).unwrap()).as_str().to_owned();
    assert_eq!(
        [group("noise"), group("fume"), group("dust")],
        ["dust", "dust", "dust"]
    );
    assert_eq!(
        [group("gas_leak"), group("hydrant_fault")],
        ["gas_leak", "gas_leak"]
    );
    let dust = rules.kind(rules.kind_id("dust").unwrap());
    assert_eq!(
        dust.merges_with,
        [rules.kind_id("noise").unwrap()],
        "merging is symmetric"
    );
}

#[test]
fn what_inhibits_is_known_from_both_sides_and_never_mutual() {
    let rules = Rules::builtin();
    let id = |kind: &str| rules.kind_id(kind).unwrap();
    assert_eq!(rules.kind(id("street_light")).inhibited_by, [id("power_outage")]);
    assert_eq!(rules.kind(id("road_ponding")).inhibited_by, [id("water_burst")]);
    assert!(rules.kind(id("power_outage")).inhibited_by.is_empty());
    for text in [
        "[kinds.noise]\ninhibits = [\"dust\"]\n[kinds.dust]\ninhibits = [\"noise\"]\n",
        "[kinds.noise]\ninhibits = [\"noise\"]\n",
    ] {
        let error = load(text).unwrap_err().to_string();
        assert!(error.contains("cannot inhibit what inhibits it"), "{error}");
    }
    let none = load("[kinds.power_outage]\ninhibits = []\n").unwrap();
    let lamp = none.kind(none.kind_id("street_light").unwrap());
    assert!(lamp.inhibited_by.is_empty(), "a city may want them apart");
}

#[test]
fn layouts_are_balanced_and_stable() {
    let rules = Rules::builtin();
    for partitions in [0, 1, 3, 4, 6] {
        let layout = rules.layout(partitions);
        assert_eq!(layout, Rules::builtin().layout(partitions));
        assert_eq!(layout.len(), rules.groups().len());
        let mut loads = vec![0; partitions.max(1) as usize];
        for (group, partition) in &layout {
            loads[*partition as usize] += rules.group_weight(group);
        }
        let (least, most) = (loads.iter().min().unwrap(), loads.iter().max().unwrap());
        assert!(most - least <= most / 4, "{partitions}: {loads:?}");
    }
    let heaviest = rules
        .groups()
        .into_iter()
        .max_by_key(|(group, _)| rules.group_weight(group))
        .unwrap()
        .0
        .clone();
    assert_eq!(rules.layout(12)[&heaviest], 0);
}

#[test]
fn metrics_alarm_and_clear() {
    let rules = Rules::builtin();
    let check = |metric: &str, value: f64, unit: Option<&str>, alarm: bool, clear: bool| {
        let rule = rules.metric(metric).unwrap();
        let milli = to_milli(rule, value, unit).unwrap();
        assert_eq!(
            (rule.is_alarm(milli), rule.is_clear(milli)),
            (alarm, clear),
            "{metric} {value} {unit:?} {milli}"
        );
    };
    check("ponding_depth", 15.0, Some("cm"), true, false);
    check("ponding_depth", 0.15, Some("m"), true, false);
    check("ponding_depth", 130.0, Some("mm"), false, false);
    check("ponding_depth", 11.9, None, false, true);
    check("ponding", 18.0, None, true, false);
    check("hydrant_pressure", 100.0, Some("kPa"), true, false);
    check("hydrant_pressure", 1.5, Some("bar"), false, false);
    check("hydrant_pressure", 0.3, Some("MPa"), false, true);
    check("ch4", 1.0, Some("%VOL"), true, false);
    check("cover_tilt", -75.0, Some("°"), true, false);
    check("smoke", 1.0, None, true, false);
    check("smoke", 0.0, Some("bool"), false, true);
    check("DO", 1.9, Some("mg/L"), true, false);
    check("fill_level", 95.0, Some("%"), true, false);
    check("water_use_12h", 5.0, Some("L"), true, false);
    let ponding = rules.metric("ponding_depth").unwrap();
    assert!(ponding.is_sentinel(-999.0) && ponding.is_sentinel(65_535.0) && ponding.is_sentinel(f64::NAN));
    assert!(!ponding.is_sentinel(15.0) && !ponding.is_possible(-1));
    assert!(matches!(
        to_milli(ponding, 1.0, Some("kPa")),
        Err(UnitError::Mismatch { .. })
    ));
    assert_eq!(rules.metric("colour"), None);
}

#[test]
fn every_metric_is_sane() {
    let rules = Rules::builtin();
    for metric in rules.metrics() {
        for value in [metric.alarm_milli, metric.clear_milli] {
            assert!(metric.is_possible(value), "{}", metric.name);
            assert!(
                !(metric.is_alarm(value) && metric.is_clear(value)),
                "{}",
                metric.name
            );
        }
        assert!(!metric.device_class.is_empty(), "{}", metric.name);
    }
}

#[test]
fn the_worked_examples_add_up() {
    let rules = Rules::builtin();
    let p = rules.priority();
    let flood = rules.kind(rules.kind_id("underpass_flood").unwrap());
    let depth = |cm: i64| move |metric: &str| (metric == "ponding_depth").then_some(cm * 1_000);
    let s = p.safety.points(flood.grade_at(depth(32)));
    let score =
        s + p.exposure.site + p.exposure.rush + p.credibility.points(6, 3) + p.repetition.points(2, false);
    assert_eq!(score + p.weather.points(Severity::Orange), 73);
    assert_eq!(p.band(73), Band::P1);
    let fire = rules.kind(rules.kind_id("fire_smoke").unwrap());
    assert_eq!(
        p.safety.points(fire.grade) + p.exposure.night + p.credibility.points(6, 1),
        37
    );
    assert_eq!(p.band(37), Band::P3);
    let garbage = rules.kind(rules.kind_id("garbage_exposed").unwrap());
    let points = p.safety.points(garbage.grade) + p.exposure.facility;
    assert_eq!(
        points + p.credibility.points(8, 2) + p.repetition.points(12, true),
        35
    );
    let manhole = rules.kind(rules.kind_id("manhole_missing").unwrap());
    let points = p.safety.points(manhole.grade) + p.exposure.site + p.exposure.night;
    assert_eq!(points + p.credibility.points(6, 1), 57); // the printed example counts a hotline with 5
    let ponding = rules.kind(rules.kind_id("road_ponding").unwrap());
    let grades: Vec<Grade> = [14, 15, 24, 25].map(|cm| ponding.grade_at(depth(cm))).into();
    assert_eq!(grades, [Grade::C, Grade::B, Grade::B, Grade::A]);
    assert_eq!(
        [14, 15].map(|cm| ponding.base_at(depth(cm))),
        [Some(Band::P3), Some(Band::P2)]
    );
    assert_eq!(p.deadline(Band::P2).dispatch, (15, Clock::UrgentHour));
    assert_eq!(p.deadline(Band::P4).control, (15, Clock::WorkDay));
    assert_eq!(
        [p.time_points(49), p.time_points(80), p.time_points(250)],
        [0, 5, 10]
    );
}

#[test]
fn reasons_are_sentences() {
    let rules = Rules::builtin();
    let texts = rules.texts();
    let sources = [Channel::Sensor, Channel::Video, Channel::Hotline];
    assert_eq!(texts.witnesses(&sources, 3).zh, "传感器+视频+热线三源印证");
    assert_eq!(texts.witnesses(&sources, 1).zh, "同一人经传感器+视频+热线反映");
    assert_eq!(texts.weather("RAINSTORM", Severity::Orange).zh, "暴雨橙色预警");
    assert_eq!(texts.repetition(12).zh, "12人反映");
    assert_eq!(texts.near(Facility::School).zh, "200米内有学校");
    let rule = rules.priority().override_rule("O1.underpass_ge_25cm").unwrap();
    assert_eq!(rule.reason(Some(32_000)).zh, "下立交积水32cm≥25cm封交标准");
    assert_eq!(
        rule.reason(Some(32_500)).en,
        "underpass flooded 32.5 cm deep, closed to traffic from 25 cm"
    );
    assert_eq!(rule.effect, OverrideEffect::Floor(Band::P1));
    for (names, all) in [
        (
            &texts.facilities,
            Facility::ALL.iter().map(|x| x.as_str()).collect::<Vec<_>>(),
        ),
        (&texts.channels, Channel::ALL.iter().map(|x| x.as_str()).collect()),
        (
            &texts.severities,
            Severity::ALL.iter().map(|x| x.as_str()).collect(),
        ),
        (&texts.bands, Band::ALL.iter().map(|x| x.as_str()).collect()),
    ] {
        for name in all {
            assert!(names.contains_key(name), "{name}");
        }
    }
    for rule in &rules.priority().overrides {
        assert!(
            !rule.text_zh.is_empty() && !rule.text_en.is_empty(),
            "{}",
            rule.id
        );
        assert_eq!(
            rule.text_zh.contains("{value}"),
            rule.metric.is_some(),
            "{}",
            rule.id
        );
    }
}

#[test]
fn signals_bear_on_weather_kinds_alone() {
    let rules = Rules::builtin();
    let id = |kind: &str| rules.kind_id(kind).unwrap();
    let matches = |signal: &str, kind: &str| rules.kind(id(kind)).minds(signal);
    assert!(matches("RAINSTORM", "tree_fallen"));
    assert!(matches("NEW_SIGNAL", "underpass_flood"));
    assert!(!matches("RAINSTORM", "vendor"));
    assert!(!matches("HEAT", "tree_fallen") && !matches("HIGH_TEMPERATURE", "road_ponding"));
    for cold in ["COLD_WAVE", "SNOWSTORM", "ICING"] {
        assert!(
            matches(cold, "snow_ice") && !matches(cold, "road_ponding"),
            "{cold}"
        );
    }
    assert!(!matches("TYPHOON", "snow_ice") && !matches("LIGHTNING", "underpass_flood"));
    assert!(matches("LIGHTNING", "power_outage") && matches("gale", "billboard_risk"));
    for (_, kind) in rules.kinds().filter(|(_, kind)| kind.weather) {
        assert!(
            kind.minds("TYPHOON") || kind.name.as_str() == "snow_ice",
            "{}",
            kind.name
        );
    }
}

#[test]
fn signals_are_the_citys_own_and_rules_of_before_the_table_still_load() {
    let rules = load(
        "[weather.signals]\nroad_ponding = [\"SQUALL\"]\n[kinds.sinkhole]\nweather = true\n[kinds.noise]\nradius = 200\n",
    )
    .unwrap();
    let minds = |kind: &str, signal: &str| rules.kind(rules.kind_id(kind).unwrap()).minds(signal);
    assert!(minds("road_ponding", "SQUALL") && !minds("road_ponding", "RAINSTORM"));
    assert!(!minds("underpass_flood", "SQUALL") && minds("underpass_flood", "RAINSTORM"));
    assert!(minds("sinkhole", "SQUALL") && minds("sinkhole", "COLD_WAVE") && !minds("sinkhole", "HEAT"));
    assert!(load("[weather.signals]\nno_such_kind = [\"WIND\"]\n").is_err());
    assert!(load("[priority.overrides.\"O7.x\"]\nfloor = \"P1\"\nsignals = [\"WIND\"]\n").is_err());
    // What an activation of before holds: no table, no days of rush.
    let mut table: toml::Table = Rules::builtin().to_text().parse().unwrap();
    let of =
        |table: &mut toml::Table, name: &str| table.get_mut(name).unwrap().as_table_mut().unwrap().clone();
    let (mut weather, mut calendar) = (of(&mut table, "weather"), of(&mut table, "calendar"));
    weather.remove("signals");
    calendar.remove("rush_on_work_days");
    table.insert("weather".into(), weather.into());
    table.insert("calendar".into(), calendar.into());
    let old = Rules::from_text(&table.to_string()).unwrap();
    assert!(old.kind(old.kind_id("road_ponding").unwrap()).minds("COLD_WAVE"));
}

#[test]
fn every_kind_but_device_faults_is_reached_by_words_and_named() {
    let rules = Rules::builtin();
    assert_eq!(rules.kinds().len(), 56);
    for (id, kind) in rules.kinds() {
        assert_eq!(rules.map_name(&kind.name_zh), Some(id), "{}", kind.name);
    }
}

proptest! {
    #[test]
    fn no_value_makes_it_panic(value in proptest::num::f64::ANY, unit in ".{0,6}", index in 0usize..60) {
        thread_local!(static RULES: Rules = Rules::builtin());
        RULES.with(|rules| {
            let metrics = rules.metrics();
            let metric = metrics[index % metrics.len()];
            let milli = to_milli(metric, value, None);
            prop_assert_eq!(milli.is_err(), value.is_nan());
            let _ = to_milli(metric, value, Some(&unit));
            let _ = metric.is_sentinel(value);
            Ok(())
        })?;
    }
}
