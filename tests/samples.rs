//! An integrator's first hour: sample records of each stream, good and bad, and what the program says of them.
#![allow(clippy::unwrap_used)]

mod city;

use std::collections::BTreeMap;

use city::folder::{Folder, Told};
use serde_json::{Value, json};

/// 2026-09-06 15:59:59 UTC.
const AT: i64 = 1_788_710_399_000;
const PHONE: &str = "13912345678";

fn folder() -> Folder {
    let folder = Folder::new(
        "[sources.iot]\n[sources.\"12345\"]\ncrs = \"BD09\"\n[sources.video]\ncode_system = \"EVENTSORT\"\n[sources.app]\n\
         [registry]\ndevices = \"devices.csv\"\n",
    );
    folder.write(
        "devices.csv",
        "device_id,lon,lat\ngauge,121.23,31.03\npole,121.24,31.03\n",
    );
    folder
}

fn changed(good: &Value, changes: Value) -> Value {
    let mut record = good.clone();
    for (field, value) in changes.as_object().unwrap() {
        record[field] = value.clone();
    }
    record
}

fn sensor() -> Value {
    json!({"event_id": "r-1", "source_system": "iot", "device_id": "gauge", "metric": "ponding_depth", "value": 18.0,
        "unit": "cm", "observed_at": AT, "reported_at": AT})
}

fn hotline() -> Value {
    json!({"event_id": "t-1", "source_system": "12345", "ticket_id": "T1", "title": "路上有积水", "called_at": AT,
        "content": format!("张先生{PHONE}反映"), "reporter_phone": PHONE, "location": {"x": 121.2388, "y": 31.0342}})
}

fn video() -> Value {
    json!({"event_id": "v-1", "source_system": "video", "camera_id": "pole", "alert_code": "696", "confidence": 0.9,
        "captured_at": AT})
}

fn report() -> Value {
    json!({"event_id": "p-1", "source_system": "app", "channel": "app", "report_id": "P1", "category": ["暴露垃圾"],
        "observed_at": AT, "location": {"x": 121.22, "y": 31.03}})
}

/// What the program says of each line, and the summary.
fn judged(
    folder: &Folder,
    source: &str,
    more: &[&str],
    records: &[String],
) -> (Option<i32>, Vec<Value>, Value) {
    let (code, out, _) = told(folder, source, &[&["--json"], more].concat(), records);
    let mut lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let summary = lines.pop().unwrap()["summary"].clone();
    (code, lines, summary)
}

fn told(folder: &Folder, source: &str, more: &[&str], records: &[String]) -> Told {
    let file = folder
        .write("samples.ndjson", records.join("\n"))
        .display()
        .to_string();
    let told = folder.run(
        &[&["check", "--samples", &file, "--source", source], more].concat(),
        &[],
    );
    assert!(!told.2.contains("panicked"), "{}", told.2);
    for personal in ["12345678", "张", "机密"] {
        assert!(
            !told.1.contains(personal) && !told.2.contains(personal),
            "{personal}: {}",
            told.1
        );
    }
    told
}

#[test]
fn good_records_are_accepted_with_kind_rule_and_cell() {
    let folder = folder();
    for (source, record, kind, by) in [
        ("iot", sensor(), "road_ponding", "metric ponding_depth"),
        (
            "iot",
            changed(&sensor(), json!({"value": 1.0})),
            "road_ponding",
            "metric ponding_depth",
        ),
        ("12345", hotline(), "road_ponding", "words of title and content"),
        ("video", video(), "", "alert_code 696 of EVENTSORT"),
        ("app", report(), "garbage_exposed", "category \"暴露垃圾\""),
    ] {
        let (code, lines, summary) = judged(&folder, source, &[], &[record.to_string()]);
        let line = &lines[0];
        assert_eq!((code, lines.len()), (Some(0), 1), "{line}");
        assert_eq!(line["verdict"], "accepted", "{line}");
        assert!(
            line["kind"] == kind || kind.is_empty() && line["kind"].is_string(),
            "{line}"
        );
        assert_eq!(line["by"], by, "{line}");
        assert!(
            line["cell"]["code"]
                .as_str()
                .is_some_and(|code| code.starts_with("310117")),
            "{line}"
        );
        assert!(
            line["accuracy_m"].as_i64() > Some(0) && line["quality"].is_string(),
            "{line}"
        );
        assert_eq!(line.get("guesses"), None, "{line}");
        assert_eq!(
            (&summary["accepted"], &summary["refused"]),
            (&json!(1), &json!({}))
        );
    }
}

#[test]
fn each_refusal_says_what_to_do() {
    let folder = folder();
    let hostile = changed(
        &report(),
        json!({"event_id": PHONE, "report_id": {"机密": "机密"}, "title": "机密"}),
    );
    let records = [
        ("iot", "{".to_owned(), "", "bad_json"),
        (
            "iot",
            changed(&sensor(), json!({"metric": "mood"})).to_string(),
            "metric",
            "code_unknown",
        ),
        (
            "iot",
            changed(&sensor(), json!({"unit": "parsec"})).to_string(),
            "unit",
            "bad_value",
        ),
        (
            "iot",
            changed(&sensor(), json!({"device_id": null})).to_string(),
            "device_id",
            "missing_field",
        ),
        (
            "iot",
            changed(&sensor(), json!({"source_system": "nobody"})).to_string(),
            "source_system",
            "unknown_source",
        ),
        (
            "12345",
            changed(&hotline(), json!({"called_at": "soon"})).to_string(),
            "called_at",
            "no_time",
        ),
        (
            "12345",
            changed(
                &hotline(),
                json!({"title": "你好", "content": "", "category": ["无此类"]}),
            )
            .to_string(),
            "category",
            "code_unknown",
        ),
        (
            "video",
            changed(&video(), json!({"confidence": 9})).to_string(),
            "confidence",
            "bad_value",
        ),
        (
            "video",
            changed(&video(), json!({"alert_code": "none"})).to_string(),
            "alert_code",
            "code_unknown",
        ),
        ("app", hostile.to_string(), "report_id", "bad_value"),
        (
            "app",
            changed(&report(), json!({"location": {"x": 116.4, "y": 39.9}})).to_string(),
            "location",
            "coord_out_of_bbox",
        ),
        (
            "app",
            changed(
                &report(),
                json!({"location": {"x": 121.2, "y": 31.0, "crs": "X"}}),
            )
            .to_string(),
            "location.crs",
            "crs_missing",
        ),
        ("app", json!({"hello": "world"}).to_string(), "", "missing_field"),
    ];
    for (source, record, field, reason) in &records {
        let (code, lines, summary) = judged(&folder, source, &[], std::slice::from_ref(record));
        let line = &lines[0];
        assert_eq!((code, &line["reason"]), (Some(3), &json!(reason)), "{line}");
        assert!(line["detail"].as_str().unwrap().starts_with(field), "{line}");
        assert!(
            line["hint"].as_str().is_some_and(|hint| hint.len() > 10),
            "{line}"
        );
        assert_eq!(summary["refused"], json!({*reason: 1}));
    }
    let (_, lines, _) = judged(&folder, "iot", &["--topic", "sensor"], &["{".to_owned()]);
    assert_eq!(lines[0]["reason"], "bad_json");
}

#[test]
fn common_mistakes_are_guessed() {
    let folder = folder();
    let (gcj_x, gcj_y) = gcj02(121.23, 31.03);
    let place = |x: f64, y: f64| json!({"location": {"x": x, "y": y}});
    for (source, record, guess) in [
        (
            "app",
            changed(&report(), place(31.03, 121.22)),
            "x and y are swapped",
        ),
        (
            "app",
            changed(&report(), place(-22_500.0, -22_900.0)),
            "the coordinates are metres of SH2000, not degrees",
        ),
        (
            "app",
            changed(
                &report(),
                json!({"location": {"x": 121.22, "y": 31.03, "crs": "SH2000"}}),
            ),
            "the coordinates are degrees, not metres of SH2000",
        ),
        // A ticket is accepted without its place; the guess is the same.
        (
            "12345",
            changed(&hotline(), place(31.03, 121.22)),
            "x and y are swapped",
        ),
        (
            "iot",
            changed(&sensor(), place(gcj_x, gcj_y)),
            "the coordinates are GCJ02, not WGS84",
        ),
        (
            "video",
            changed(&video(), place(gcj02(121.24, 31.03).0, gcj02(121.24, 31.03).1)),
            "the coordinates are GCJ02, not WGS84",
        ),
        (
            "iot",
            changed(&sensor(), json!({"value": 1850.0, "unit": null})),
            "the value is possible in mm only",
        ),
        (
            "iot",
            changed(&sensor(), json!({"value": 1850.0, "unit": "cm"})),
            "the value is possible in mm only",
        ),
        (
            "iot",
            changed(&sensor(), json!({"observed_at": AT / 1000})),
            "observed_at is in seconds",
        ),
        (
            "12345",
            changed(&hotline(), json!({"called_at": AT / 1000})),
            "called_at is in seconds",
        ),
        (
            "app",
            changed(&report(), json!({"observed_at": AT * 1000})),
            "observed_at is finer than milliseconds",
        ),
        (
            "iot",
            changed(&sensor(), json!({"observed_at": AT + 28_800_000})),
            "observed_at is up to 8 h ahead",
        ),
        (
            "iot",
            changed(&sensor(), json!({"observed_at": AT - 28_800_000})),
            "observed_at is 8 h behind reported_at",
        ),
        (
            "video",
            sensor(),
            "source_system is not the one that was asked for",
        ),
    ] {
        let (_, lines, summary) = judged(&folder, source, &[], &[record.to_string()]);
        let guesses: Vec<&Value> = lines[0]["guesses"].as_array().into_iter().flatten().collect();
        assert!(
            guesses.len() == 1 && guesses[0]["guess"] == guess,
            "{guess}: {}",
            lines[0]
        );
        assert!(
            guesses[0]["advice"]
                .as_str()
                .is_some_and(|advice| advice.len() > 10)
        );
        assert_eq!(summary["guesses"][guess]["records"], 1, "{summary}");
    }
}

fn gcj02(lon: f64, lat: f64) -> (f64, f64) {
    // The offset changes by less than a metre over half a kilometre: two steps back from where it leads.
    let (mut x, mut y) = (lon, lat);
    for _ in 0..3 {
        let (back_x, back_y) = city_grid::crs::to_wgs84(city_grid::Crs::Gcj02, x, y).unwrap();
        (x, y) = (x + lon - back_x, y + lat - back_y);
    }
    (x, y)
}

#[test]
fn a_file_of_everything_is_summed_up() {
    let folder = folder();
    let records: Vec<String> = [
        sensor(),
        sensor(), // once more: a duplicate
        changed(
            &sensor(),
            json!({"event_id": format!("r-{PHONE}"), "device_id": PHONE, "value": -999}),
        ),
        hotline(),
        changed(&hotline(), json!({"event_id": "t-2", "appeal_type": "咨询"})),
        video(),
        report(),
        changed(&report(), json!({"event_id": "p-2", "observed_at": "never"})),
        changed(
            &report(),
            json!({"event_id": "p-3", "location": {"x": 31.03, "y": 121.22}}),
        ),
    ]
    .iter()
    .map(Value::to_string)
    .collect();
    let (code, lines, summary) = judged(&folder, "iot", &[], &records);
    assert_eq!((code, lines.len()), (Some(3), records.len()));
    let counts: BTreeMap<&str, &Value> = ["records", "accepted", "refused"]
        .map(|name| (name, &summary[name]))
        .into();
    assert_eq!(
        json!(counts),
        json!({"records": 9, "accepted": 7, "refused": {"coord_out_of_bbox": 1, "no_time": 1}})
    );
    assert_eq!(
        summary["outcomes"],
        json!({"event": 4, "duplicate_id": 1, "device_fault": 1, "not_actionable": 1}),
    );
    // For people: a line each, the advice, and the sums.
    let (code, out, _) = told(&folder, "iot", &[], &records);
    assert_eq!(code, Some(3));
    for words in [
        "REFUSED no_time: observed_at",
        "guess: x and y are swapped",
        "9 records: 7 accepted, 2 refused",
        "h-",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    // The source's own records alone are all good.
    assert_eq!(told(&folder, "iot", &[], &records[..2]).0, Some(0));
}

#[test]
fn a_source_that_nobody_configured_is_told() {
    let folder = folder();
    let (code, _, err) = told(&folder, "iott", &[], &[sensor().to_string()]);
    assert_eq!(code, Some(2));
    assert!(
        err.contains("iott") && err.contains("iot") && err.contains("12345"),
        "{err}"
    );
    let (code, _, err) = folder.run(&["check", "--samples", "/no/such/file", "--source", "iot"], &[]);
    assert_eq!(code, Some(2), "{err}");
    let (code, _, _) = folder.run(&["check", "--samples", "/no/such/file"], &[]);
    assert_eq!(code, Some(2), "samples are of somebody");
}

#[test]
fn what_no_stream_could_read_says_why_without_a_topic() {
    let folder = folder();
    let file = folder.write(
        "samples.ndjson",
        [&b"{bad json\n{\"event_id\": \"cut\n[]\n{\"content\": \"\xd6\xd0\"}\n{}\n"[..]].concat(),
    );
    let file = file.display().to_string();
    let (code, out, _) = folder.run(&["check", "--samples", &file, "--source", "iot", "--json"], &[]);
    assert_eq!(code, Some(3));
    let lines = out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let reasons: Vec<String> = lines
        .filter_map(|line| Some(line["reason"].as_str()?.to_owned()))
        .collect();
    assert_eq!(
        reasons,
        ["bad_json", "bad_json", "bad_json", "bad_utf8", "missing_field"]
    );
}

#[test]
fn the_advice_about_a_unit_knows_whether_one_was_named() {
    let folder = folder();
    let advice = |unit: Value, value: f64| {
        let record = changed(&sensor(), json!({"value": value, "unit": unit})).to_string();
        let (_, lines, _) = judged(&folder, "iot", &[], &[record]);
        lines[0]["guesses"][0]["advice"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        advice(Value::Null, 1850.0),
        "Name the unit; a value without one is read in cm."
    );
    assert_eq!(
        advice(json!("cm"), 1850.0),
        "The unit that it names is another; name the one that it is in."
    );
}

/// What is said of a record, without its line.
fn said(mut line: Value) -> Value {
    line.as_object_mut().unwrap().remove("line");
    line
}

#[test]
fn a_record_in_an_event_or_in_avro_is_told_of_as_in_json() {
    use wire_format::{Decoder, Encoder, Record, SchemaStore, Topic};
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let folder = folder();
    let decoder = Decoder::new(SchemaStore::builtin().unwrap());
    // The length of this id is written as a line's end; its place is swapped, and its value in another unit.
    let wrong = json!({"event_id": "abcde", "location": {"x": 31.03, "y": 121.23}, "value": 1850.0});
    for (source, name, topic, record) in [
        ("iot", city_model::Source::Sensor, Topic::Sensor, sensor()),
        (
            "iot",
            city_model::Source::Sensor,
            Topic::Sensor,
            changed(&sensor(), wrong),
        ),
        ("12345", city_model::Source::Hotline, Topic::Hotline, hotline()),
        ("video", city_model::Source::Video, Topic::Video, video()),
        ("app", city_model::Source::Report, Topic::Report, report()),
    ] {
        let text = record.to_string();
        let encoder = Encoder::builtin(topic).unwrap();
        let coded = match decoder.decode(name, text.as_bytes()).unwrap() {
            Record::Sensor(r) => [encoder.framed(&r), encoder.single_object(&r)],
            Record::Hotline(r) => [encoder.framed(&r), encoder.single_object(&r)],
            Record::Video(r) => [encoder.framed(&r), encoder.single_object(&r)],
            Record::Report(r) => [encoder.framed(&r), encoder.single_object(&r)],
            _ => unreachable!(),
        }
        .map(Result::unwrap);
        let (_, mut plain, _) = judged(&folder, source, &[], std::slice::from_ref(&text));
        let plain = said(plain.remove(0));
        assert!(
            plain["kind"].is_string() || plain["guesses"].is_array(),
            "{plain}"
        );
        let mut lines: Vec<String> = coded.iter().map(|bytes| hex(bytes)).collect();
        lines.push(
            json!({"specversion": "1.0", "id": "e", "source": "s", "type": "t", "data": record}).to_string(),
        );
        for line in lines {
            let (_, mut told, _) = judged(&folder, source, &[], std::slice::from_ref(&line));
            assert_eq!(said(told.remove(0)), plain, "{line}");
        }
    }
    // What the event says stands in for what its record leaves out.
    let mut short = sensor();
    for given in ["event_id", "source_system", "observed_at", "reported_at"] {
        short.as_object_mut().unwrap().remove(given);
    }
    let event = json!({"specversion": "1.0", "id": "e-1", "source": "iot", "type": "t", "time": "2026-09-06T15:59:59Z", "data": short});
    let (code, lines, _) = judged(&folder, "iot", &[], &[event.to_string()]);
    assert_eq!(
        (code, &lines[0]["kind"]),
        (Some(0), &json!("road_ponding")),
        "{}",
        lines[0]
    );
    // And where nothing tells: why.
    for (line, reason, detail) in [
        ("c3010102030405060708", "unknown_schema", "schema fingerprint"),
        ("0000ffffff02", "unknown_schema", "schema id"),
        (
            r#"{"specversion": "1.0", "id": "e", "source": "s", "type": "t"}"#,
            "missing_field",
            "cloudevents: data",
        ),
        (
            r#"{"specversion": "1.0", "id": "e", "source": "s", "type": "t", "data": {}}"#,
            "missing_field",
            "no field tells",
        ),
    ] {
        let (code, lines, _) = judged(&folder, "iot", &[], &[line.to_owned()]);
        assert_eq!(
            (code, &lines[0]["reason"]),
            (Some(3), &json!(reason)),
            "{}",
            lines[0]
        );
        assert!(
            lines[0]["detail"].as_str().unwrap().starts_with(detail),
            "{}",
            lines[0]
        );
    }
}
