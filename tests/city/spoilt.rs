//! Input lines that are bad or odd in one place, each with the reason that it is refused for.

use serde_json::{Value, json};

use super::records::{GONE, SECRET, framed, full, id_and_time, mandatory, with};

/// Lines that go among a file's own, each with the reason that it is refused for; none for one that is taken.
pub struct Lines {
    pub file: &'static str,
    pub at: i64,
    pub lines: Vec<(Vec<u8>, Option<&'static str>, String)>,
}

impl Lines {
    fn next_id(&self) -> String {
        format!("bad-{}", self.lines.len())
    }

    pub fn raw(&mut self, reason: Option<&'static str>, what: &str, line: impl Into<Vec<u8>>) {
        let line = line.into();
        assert!(!line.contains(&b'\n'), "{what}: two lines");
        self.lines.push((line, reason, what.to_owned()));
    }

    pub fn changed(&mut self, reason: Option<&'static str>, changes: &[(&str, Value)]) {
        let record = with(full(self.file, &self.next_id(), self.at), changes);
        let what = changes
            .iter()
            .map(|(path, value)| format!("{path}={value:.60}"))
            .collect::<Vec<_>>()
            .join(" ");
        self.raw(reason, &what, record.to_string());
    }

    /// One change that a JSON value cannot hold: `field` gets this text as it stands.
    fn written(&mut self, reason: Option<&'static str>, field: &str, text: &str) {
        let record = with(
            full(self.file, &self.next_id(), self.at),
            &[(field, json!("\u{2}here"))],
        );
        let line = record.to_string().replace("\"\\u0002here\"", text);
        self.raw(reason, &format!("{field}={text:.60}"), line);
    }
}

/// What no stream takes, whatever it carries.
pub fn bad_in_any(lines: &mut Lines) {
    let (file, at) = (lines.file, lines.at);
    let (id, time) = id_and_time(file);
    for text in [
        "{",
        "not json",
        "[1,2]",
        "\"text\"",
        "null",
        "5",
        "true",
        "\u{feff}",
        "\u{feff}[]",
    ] {
        lines.raw(Some("bad_json"), text, text);
    }
    lines.raw(Some("missing_field"), "an empty object", "{}");
    let good = full(file, "whole", at).to_string();
    lines.raw(Some("bad_json"), "two records on a line", format!("{good}{good}"));
    lines.raw(Some("bad_json"), "cut off", &good.as_bytes()[..20]);
    lines.raw(Some("bad_json"), "in an array", format!("[{good}]"));
    lines.raw(
        Some("bad_json"),
        "a raw NUL in a text",
        good.replace("whole", "who\0le"),
    );
    lines.raw(
        Some("bad_utf8"),
        "not UTF-8",
        [good.as_bytes(), b"\xff\xfe"].concat(),
    );
    lines.raw(
        Some("bad_utf8"),
        "GBK",
        [b"{\"".as_slice(), b"\xbb\xfd\xcb\xae\":1}"].concat(),
    );
    lines.raw(
        Some("bad_json"),
        "nested and open",
        format!("{}{}", &good[..good.len() - 1], ",\"x\":[".repeat(50_000)),
    );
    lines.raw(Some("bad_json"), "NaN", good.replacen(&at.to_string(), "NaN", 1));
    lines.raw(
        Some("bad_json"),
        "Infinity",
        good.replacen(&at.to_string(), "-Infinity", 1),
    );
    lines.raw(
        Some("too_large"),
        "a megabyte and more",
        format!("{}{{}}", " ".repeat(1 << 20)),
    );
    lines.raw(Some("bad_avro"), "NUL bytes", vec![0; 4]);
    lines.raw(Some("unknown_schema"), "NUL bytes", vec![0; 40]);
    lines.raw(
        Some("bad_avro"),
        "a single object's first bytes",
        vec![0xC3, 1, 7],
    );
    lines.raw(
        Some("unknown_schema"),
        "an unknown fingerprint",
        [&[0xC3, 1][..], &[7; 40]].concat(),
    );
    let avro = framed(file, at);
    lines.raw(
        Some("unknown_schema"),
        "an unknown schema id",
        [&[0, 9, 9, 9, 9][..], &avro[5..]].concat(),
    );
    lines.raw(Some("bad_avro"), "Avro cut off", &avro[..avro.len() - 1]);
    lines.raw(
        Some("bad_avro"),
        "Avro with more behind",
        [&avro[..], b"more"].concat(),
    );
    lines.raw(
        Some("bad_avro"),
        "Avro of nothing but ones",
        [&avro[..5], &[0xFF; 60]].concat(),
    );

    for field in mandatory(file) {
        lines.changed(Some("missing_field"), &[(field, json!(GONE))]);
        lines.changed(Some("missing_field"), &[(field, Value::Null)]);
    }
    let fields: Vec<String> = full(file, "x", at).as_object().unwrap().keys().cloned().collect();
    for field in &fields {
        let is_own = file == "hotline.ndjson" && field == "location";
        let whole = full(file, "x", at);
        let wrong = if whole[field].is_object() || whole[field].is_array() {
            json!(5)
        } else {
            json!({"wrong": []})
        };
        lines.changed(if is_own { None } else { Some("bad_value") }, &[(field, wrong)]);
        let twice = format!("{},\"{field}\":{}}}", &good[..good.len() - 1], whole[field]);
        lines.raw(Some("bad_value"), &format!("{field} twice"), twice);
    }
    lines.changed(Some("missing_field"), &[(id, json!(""))]);
    lines.changed(Some("missing_field"), &[(id, json!("  "))]);
    lines.changed(Some("bad_value"), &[(id, json!("x".repeat(257)))]);
    lines.changed(Some("bad_value"), &[(id, json!("a\u{0}b"))]);
    lines.changed(Some("bad_value"), &[(id, json!("a\tb"))]);
    lines.changed(Some("no_time"), &[(time, json!("yesterday"))]);
    lines.changed(Some("no_time"), &[(time, json!(""))]);
    lines.changed(Some("bad_value"), &[(time, json!(true))]);
    lines.written(Some("bad_value"), time, "1e999");
    if fields.iter().any(|field| field == "source_system") {
        lines.changed(Some("unknown_source"), &[("source_system", json!("nobody"))]);
        lines.changed(Some("unknown_source"), &[("source_system", json!("default"))]);
    }
}

/// Places that nobody can use, in `field`.
fn bad_places(lines: &mut Lines, field: &str, is_refused: bool) {
    let reason = |reason: &'static str| is_refused.then_some(reason);
    let at = |name: &str| format!("{field}.{name}");
    let (x, y) = (at("x"), at("y"));
    let xy = |px: f64, py: f64| vec![(x.as_str(), json!(px)), (y.as_str(), json!(py))];
    lines.changed(reason("coord_out_of_bbox"), &xy(1_000.0, 31.0));
    lines.changed(reason("coord_out_of_bbox"), &xy(121.0, -91.0));
    lines.changed(reason("coord_out_of_bbox"), &xy(31.0322, 121.2277));
    lines.changed(reason("coord_out_of_bbox"), &xy(116.4, 39.9));
    lines.changed(reason("coord_out_of_bbox"), &xy(f64::MAX, f64::MIN));
    lines.changed(
        reason("coord_out_of_bbox"),
        &[xy(1e9, 1e9), vec![(at("crs").as_str(), json!("SH2000"))]].concat(),
    );
    lines.changed(reason("crs_missing"), &[(at("crs").as_str(), json!("PZ90"))]);
    lines.changed(reason("bad_value"), &[(at("quality").as_str(), json!("GUESS"))]);
    lines.changed(reason("bad_value"), &[(x.as_str(), json!("121.2277"))]);
    lines.changed(reason("missing_field"), &[(x.as_str(), json!(GONE))]);
    lines.changed(reason("missing_field"), &[(y.as_str(), Value::Null)]);
    lines.changed(reason("missing_field"), &[(field, json!({}))]);
    lines.changed(reason("bad_value"), &[(field, json!("松江区"))]);
    lines.written(reason("bad_value"), &x, "1e999");
    lines.written(reason("bad_value"), &y, "-1e999");
    // No location, and accuracies that say nothing, are no mistakes.
    lines.changed(None, &xy(0.0, 0.0));
    lines.changed(None, &[(at("accuracy_m").as_str(), json!(-3.0))]);
    lines.changed(None, &[(at("crs").as_str(), json!(""))]);
}

/// What is bad in one stream only.
pub fn bad_of_its_own(lines: &mut Lines) {
    let at = lines.at;
    let (_, time) = id_and_time(lines.file);
    // Years that no clock of ours should show: 1970, 2099, 9999, 0, and before that.
    let odd = [
        "1970-01-01T00:00:00Z",
        "2099-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
    ];
    let years: Vec<Value> = odd
        .iter()
        .map(|text| json!(text))
        .chain([json!(0), json!(-1), json!(i64::MIN), json!(i64::MAX)])
        .collect();
    match lines.file {
        "sensor.ndjson" => {
            bad_places(lines, "location", true);
            lines.changed(Some("code_unknown"), &[("metric", json!("mood"))]);
            lines.changed(Some("bad_value"), &[("unit", json!("parsec"))]);
            lines.changed(Some("bad_value"), &[("value", json!("1.5"))]);
            lines.written(Some("bad_value"), "value", "1e999");
            lines.written(Some("bad_json"), "value", "NaN");
            // A sensor is never refused for its clock.
            for year in years {
                lines.changed(None, &[(time, year)]);
            }
            for text in [
                "0000-00-00 00:00:00",
                "99999999999999",
                "2026-13-45T99:99:99",
                "9999-12-31T23:59:59Z",
            ] {
                lines.changed(None, &[(time, json!(text))]);
            }
            // Nor a value that cannot be: that is its fault's.
            for value in [json!(-999), json!(65535), json!(1e300), json!(-1e300)] {
                lines.changed(None, &[("value", value)]);
            }
        }
        "hotline.ndjson" => {
            bad_places(lines, "location", false);
            for location in [
                json!(5),
                json!("x"),
                json!([]),
                json!({"x": [], "y": {}}),
                json!({"crs": 7, "quality": []}),
            ] {
                lines.changed(None, &[("location", location)]);
            }
            lines.changed(
                Some("code_unknown"),
                &[("category", json!(GONE)), ("category_code", json!("99999"))],
            );
            lines.changed(
                Some("code_unknown"),
                &[("category", json!(["无此名"])), ("standard_ref", json!(GONE))],
            );
            lines.changed(Some("time_too_old"), &[(time, json!("1970-01-01T00:00:00Z"))]);
            lines.changed(Some("time_too_old"), &[(time, json!(i64::MIN))]);
            lines.changed(Some("time_too_old"), &[(time, json!("0000-01-01T00:00:00Z"))]);
            lines.changed(Some("no_time"), &[(time, json!("2026-02-30 10:00:00"))]);
            lines.changed(None, &[(time, json!("2099-01-01T00:00:00Z"))]);
            lines.changed(None, &[(time, json!(i64::MAX))]);
        }
        "video.ndjson" => {
            bad_places(lines, "target_location", true);
            lines.changed(
                Some("crs_missing"),
                &[("target_location", json!(GONE)), ("location.crs", json!("PZ90"))],
            );
            lines.changed(Some("code_unknown"), &[("alert_code", json!("no such"))]);
            lines.changed(Some("code_unknown"), &[("code_system", json!("no such"))]);
            lines.changed(Some("code_unknown"), &[("code_system", json!(GONE))]);
            lines.changed(Some("bad_value"), &[("phase", json!("MIDDLE"))]);
            lines.changed(Some("bad_value"), &[("confidence", json!(1.01))]);
            lines.changed(Some("bad_value"), &[("confidence", json!(-0.01))]);
            lines.changed(Some("bad_value"), &[("confidence", json!("high"))]);
            lines.changed(Some("time_too_old"), &[(time, json!(0))]);
            lines.changed(None, &[(time, json!("9999-01-01T00:00:00Z"))]);
        }
        "report.ndjson" => {
            bad_places(lines, "location", true);
            lines.changed(Some("code_unknown"), &[("category_code", json!("99999"))]);
            lines.changed(Some("code_unknown"), &[("standard_ref", json!("GB/T 0"))]);
            lines.changed(Some("code_unknown"), &[("standard_ref", json!(GONE))]);
            lines.changed(
                Some("code_unknown"),
                &[("category_code", json!(GONE)), ("category", json!(GONE))],
            );
            lines.changed(Some("time_too_old"), &[(time, json!(-62_135_596_800_000_i64))]);
            lines.changed(None, &[("channel", json!("carrier pigeon"))]);
        }
        "weather.ndjson" => {
            lines.changed(Some("bad_value"), &[("severity", json!("PURPLE"))]);
            lines.changed(Some("bad_value"), &[("status", json!("PERHAPS"))]);
            lines.changed(Some("bad_value"), &[("revision", json!(1.5))]);
            lines.written(Some("bad_value"), "revision", "99999999999999999999");
            lines.changed(Some("bad_value"), &[("region_codes", json!([""]))]);
            lines.changed(Some("bad_value"), &[("region_codes", json!([5]))]);
            lines.changed(Some("no_time"), &[("effective_at", json!("soon"))]);
            lines.changed(Some("no_time"), &[("expires_at", json!("later"))]);
        }
        "silence.ndjson" => {
            lines.changed(Some("code_unknown"), &[("kinds", json!(["road_damage", "mood"]))]);
            lines.changed(Some("bad_value"), &[("area", json!([]))]);
            lines.changed(
                Some("bad_value"),
                &[("area", json!({"type": "Point", "coordinates": [121.0, 31.0]}))],
            );
            lines.changed(
                Some("bad_value"),
                &[(
                    "area",
                    json!({"type": "Polygon", "coordinates": [[[121.0, 31.0], [1e9, 0.0]]]}),
                )],
            );
            lines.changed(Some("bad_value"), &[("ends_at", json!(at - 1))]);
            lines.changed(Some("no_time"), &[("starts_at", json!("soon"))]);
            lines.written(
                Some("bad_json"),
                "area",
                &format!("{{\"x\":{}{}}}", "[".repeat(9_000), "]".repeat(9_000)),
            );
        }
        _ => {
            lines.changed(Some("bad_value"), &[("action", json!("explode"))]);
            lines.changed(Some("bad_value"), &[("band", json!("P9"))]);
            lines.changed(Some("bad_value"), &[("event_ids", json!([""]))]);
            lines.changed(Some("no_time"), &[("deadline", json!("soon"))]);
        }
    }
}

/// What looks odd and is taken.
pub fn odd_but_good(lines: &mut Lines) {
    let (file, at) = (lines.file, lines.at);
    let (id, time) = id_and_time(file);
    let good = |name: &str| full(file, name, at).to_string();
    lines.raw(None, "a byte order mark", format!("\u{feff}{}", good("odd-1")));
    lines.raw(None, "a carriage return", format!("{}\r", good("odd-2")));
    lines.raw(None, "spaces around", format!("  {} \t", good("odd-3")));
    lines.changed(None, &[(id, json!("a/b\\c?d=1&e#f %20 ünï 汉字 😀"))]);
    lines.changed(None, &[(id, json!("../../../etc/passwd"))]);
    lines.changed(None, &[(id, json!("=1+1,\"quoted\",;"))]);
    lines.changed(None, &[(id, json!("x".repeat(256)))]);
    lines.changed(
        None,
        &[("a_new_field", json!({"deep": [[[1e300]]], "text": SECRET}))],
    );
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = good("odd-4");
    lines.raw(
        None,
        "nested 100,000 deep where nobody looks",
        format!("{},\"x\":{deep}}}", &nested[..nested.len() - 1]),
    );
    lines.changed(None, &[(time, json!(at.to_string()))]);
    let optional: Vec<String> = full(file, "x", at).as_object().unwrap().keys().cloned().collect();
    for field in optional
        .iter()
        .filter(|field| !mandatory(file).contains(&field.as_str()))
    {
        // A ticket without a category, a report without a code, an alert without its system say nothing.
        if !["category", "category_code", "standard_ref", "code_system"].contains(&field.as_str()) {
            lines.changed(None, &[(field, Value::Null)]);
            lines.changed(None, &[(field, json!(GONE))]);
        }
    }
    lines.raw(None, "Avro in the registry's frame", framed(file, at));
}
