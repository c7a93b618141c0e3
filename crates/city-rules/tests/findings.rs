//! Rules that load and are odd all the same: each oddity is told with its file, line and key.
#![allow(clippy::unwrap_used)]

use city_rules::Rules;

/// What is told about a city's file, without what is told about the built-in ones.
fn told(extra: &str) -> Vec<String> {
    let findings = Rules::findings(&[("city.toml".into(), extra.into())]).unwrap();
    let own = findings.iter().filter(|finding| finding.file == "city.toml");
    own.map(ToString::to_string).collect()
}

fn check(extra: &str, expected: &[&str]) {
    assert_eq!(told(extra), expected, "{extra}");
}

#[test]
fn nothing_is_odd_about_the_built_in_rules() {
    let findings = Rules::findings(&[]).unwrap();
    let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(findings, Vec::<String>::new());
    check("[codes.own]\nA1 = \"noise\"\n", &[]);
}

#[test]
fn a_mapping_that_replaces_another_is_told() {
    let rules = "[codes.\"GB/T 30428.2-2013\"]\n\"01-10\" = \"vendor\"\n0111 = \"rubble_pile\"\n";
    let told = told(rules);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("city.toml:2: codes.GB/T 30428.2-2013.01-10: \"vendor\" replaces \"garbage_exposed\" of builtin/codes.toml:"),
        "{told:?}"
    );
    let line: usize = told[0].rsplit(':').next().unwrap().parse().unwrap();
    let shipped = include_str!("../rules/codes.toml").lines().nth(line - 1).unwrap();
    assert!(
        shipped.starts_with("\"01-10\" = \"garbage_exposed\""),
        "not that of another table: {shipped}"
    );
    let loaded = Rules::load(&[("city.toml".into(), rules.into())]).unwrap();
    let kind = loaded.map_code("GB30428_2013", "0110").unwrap().kind;
    assert_eq!(
        loaded.kind(kind).name.as_str(),
        "vendor",
        "the later file has the last word"
    );
}

#[test]
fn two_spellings_of_one_code_in_one_file_are_an_error() {
    let bad = "[codes.own]\n\"A-1\" = \"noise\"\nA1 = \"vendor\"\n";
    let error = Rules::load(&[("city.toml".into(), bad.into())]).unwrap_err();
    assert_eq!(error.line, Some(3), "{error}");
    assert!(error.message.contains("another spelling"), "{error}");
    let fine = "[names]\n\"乱 晾晒\" = \"noise\"\n\"乱晾晒\" = \"noise\"\n";
    Rules::load(&[("city.toml".into(), fine.into())]).unwrap();
}

#[test]
fn codes_that_never_match_are_told() {
    check(
        "[codes.CJT214_2007]\n\"05-021\" = \"vendor\"\n[codes.own]\n\"--\" = \"noise\"\n",
        &[
            "city.toml:2: codes.CJT214_2007.05-021: codes of this standard have 4 digits, so it never matches",
            "city.toml:4: codes.own.--: nothing is left of it when it is compared",
        ],
    );
}

#[test]
fn a_kind_that_nothing_maps_to_is_told() {
    check(
        "[kinds.ufo]\nname_zh = \"不明飞行物\"\n",
        &["city.toml:1: kinds.ufo: no code, name, word or metric maps to this kind"],
    );
    check("[kinds.ufo]\n[words.ufo]\nany = [\"飞碟\"]\n", &[]);
}

#[test]
fn phrases_that_never_decide_are_told() {
    check(
        "[kinds.ufo]\n[words.ufo]\nany = [\"飞碟\", \"大飞碟&降落\", \"我想咨询飞船\", \"路灯不亮\"]\nnot = [\"飞碟\"]\n",
        &[
            "city.toml:3: words.ufo.any: \"我想咨询飞船\": a title that says it asks (\"咨询\"), so it counts in the content only",
            "city.toml:3: words.ufo.any: \"路灯不亮\": also a phrase of \"street_light\", which comes first",
            "city.toml:3: words.ufo.any: \"飞碟\": the exclusion \"飞碟\" always rules it out",
        ],
    );
}

#[test]
fn an_alias_of_two_metrics_is_told() {
    let rules = "[metrics.depth2]\nkind = \"road_ponding\"\nboolean = true\naliases = [\"积水深度\"]\n";
    let told = told(rules);
    assert_eq!(
        told,
        [
            "city.toml:4: metrics.depth2.aliases: the alias \"积水深度\" is also one of the metric \"ponding_depth\""
        ]
    );
}

#[test]
fn lists_of_words_that_lose_phrases_are_told() {
    for (rules, expected) in [
        (
            "[words.fire_smoke]\nany = [\"火\"]\n",
            "1 phrases replace those of builtin/words.toml:",
        ),
        (
            "[words.road_ponding]\nany = []\n",
            "0 phrases replace those of builtin/words.toml:",
        ),
    ] {
        let told = told(rules);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("city.toml:2: words.") && told[0].contains(expected),
            "{told:?}"
        );
        assert!(told[0].ends_with(" hold no longer"), "{told:?}");
    }
    // Exclusions alone leave the phrases in force.
    check("[words.road_ponding]\nnot = [\"屋顶积水\"]\n", &[]);
    check(
        "[kinds.ufo]\n[words.ufo]\nany = [\"飞碟\", \"大飞碟\", \"飞碟&降落\"]\n",
        &[
            "city.toml:3: words.ufo.any: \"大飞碟\": holds \"飞碟\", which matches wherever it does; it only counts for more",
        ],
    );
}

#[test]
fn thresholds_out_of_reach_and_units_of_something_else_are_told() {
    let of = |lines: &str| format!("[metrics.ponding_depth]\n{lines}");
    for (lines, expected) in [
        (
            "max = 10\n",
            vec![
                "city.toml:2: metrics.ponding_depth.max: alarm = 15 is above max = 10, so no possible value alarms",
            ],
        ),
        (
            "alarm = 2000\n",
            vec![
                "city.toml:2: metrics.ponding_depth.alarm: alarm = 2000 is above max = 1000, so no possible value alarms",
            ],
        ),
        (
            "min = 13\n",
            vec![
                "city.toml:2: metrics.ponding_depth.min: clear = 12 lies outside 13 to 1000, so no possible value ends an alarm",
            ],
        ),
        (
            "unit = \"MPa\"\n",
            vec!["city.toml:2: metrics.ponding_depth.unit: \"MPa\" does not measure what \"cm\" did"],
        ),
        (
            "unit = \"mm\"\nalarm = 150\n",
            vec![
                "city.toml:2: metrics.ponding_depth.unit: \"mm\" replaces \"cm\", and the numbers written for it stay: clear, min, max",
            ],
        ),
        (
            "unit = \"mm\"\nalarm = 150\nclear = 120\nmin = 0\nmax = 9000\n",
            vec![],
        ),
        ("alarm = 20\nclear = 10\n", vec![]),
    ] {
        assert_eq!(told(&of(lines)), expected, "{lines}");
    }
}
