//! Small histories with scores known by hand.

use std::io::Write;

use city_rules::Rules;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// Metres east of a point in Boston, as a longitude: 1° is 82,3 km there.
fn east(metres: f64) -> f64 {
    -71.06 + metres / 82_250.0
}

fn run(csv: &str) -> Report {
    backtest(Rules::builtin(), csv.as_bytes()).unwrap()
}

fn near(found: Option<f64>, expected: f64) {
    assert!(
        found.is_some_and(|found| (found - expected).abs() < 1e-6),
        "{found:?} is not {expected}"
    );
}

/// A city that nobody described: two potholes at one place, one far off, a lamp at the potholes' place.
fn labelled() -> String {
    let mut csv =
        "event_id,event_time,source,kind,lon,lat,accuracy_m,channel,note,truth,duplicate_of,is_duplicate\n"
            .to_owned();
    for (id, time, kind, x, truth, parent, duplicate) in [
        ("a", "2026-03-01T08:00:00Z", "Pothole", 0.0, "1", "", ""),
        ("b", "2026-03-01T09:00:00Z", "Pothole", 20.0, "1", "a", "1"), // joins a
        ("c", "2026-03-01T09:30:00Z", "Pothole", 400.0, "1", "a", "1"), // a link, but too far to join
        ("d", "2026-03-01T10:00:00Z", "Pothole", 10.0, "2", "", ""),   // joins a, unlabelled and wrong
        ("e", "2026-03-01T10:00:00Z", "Lamp", 0.0, "3", "a", ""),      // a link, but another kind
        ("f", "2026-03-01T11:00:00Z", "Pothole", 900.0, "4", "a", ""), // farther than a link may be
        ("g", "2026-04-05T11:00:00Z", "Pothole", 0.0, "5", "a", ""),   // later than a link may be
    ] {
        csv += &format!(
            "{id},{time},hotline,{kind},{},42.35,,,x,{truth},{parent},{duplicate}\n",
            east(x)
        );
    }
    csv
}

#[test]
fn scores_are_those_counted_by_hand() {
    let report = run(&labelled());
    assert_eq!(
        (report.events, report.located, report.incidents, report.merged),
        (7, 7, 5, 2)
    );
    near(report.merge_share, 2.0 / 7.0);
    assert_eq!(report.links, 3); // b, c, e
    near(report.link_recall, 1.0 / 3.0);
    near(report.duplicate_recall, 0.5); // b of b, c
    near(report.duplicate_precision_lower_bound, 0.5); // b of b, d
    // Found {a,b,d} c e f g; true {a,b,c} d e f g: one right pair of three and three.
    let pairwise = report.pairwise.unwrap();
    near(Some(pairwise.precision), 1.0 / 3.0);
    near(Some(pairwise.recall), 1.0 / 3.0);
    let b_cubed = report.b_cubed.unwrap();
    // Precision: a, b ⅔, d ⅓, the others 1; recall: a, b ⅔, c ⅓, the others 1.
    near(Some(b_cubed.precision), (5.0 / 3.0 + 4.0) / 7.0);
    near(Some(b_cubed.recall), (5.0 / 3.0 + 4.0) / 7.0);
    let kinds: Vec<_> = report
        .per_kind
        .iter()
        .map(|kind| (&*kind.kind, kind.events, kind.merged, kind.links))
        .collect();
    assert_eq!(kinds, [("Pothole", 6, 2, 2), ("Lamp", 1, 0, 1)]);
    near(report.per_kind[0].link_recall, 0.5);
    assert_eq!(report.skipped, None);
}

#[test]
fn labels_decide_nothing() {
    let group_of = |csv: &str| {
        let history = History::read(csv.as_bytes(), &TimeZone::UTC).unwrap();
        group(Rules::builtin(), "UTC", &history.rows).unwrap()
    };
    let with = labelled();
    let without = with.replace("truth,duplicate_of,is_duplicate", "t,d,i");
    assert_eq!(group_of(&with), group_of(&without));
    let report = run(&without);
    assert_eq!((report.merged, report.links, report.pairwise), (2, 0, None));
    assert_eq!((report.link_recall, report.duplicate_recall), (None, None));
    near(report.duplicate_precision_lower_bound, 0.0);
}

#[test]
fn the_order_of_rows_does_not_show() {
    let csv = labelled();
    let (header, rows) = csv.split_once('\n').unwrap();
    let mut lines: Vec<&str> = rows.lines().collect();
    lines.reverse();
    let mut turned = run(&format!("{header}\n{}\n", lines.join("\n")));
    let straight = run(&csv);
    turned.seconds = straight.seconds;
    assert_eq!(turned, straight);
}

#[test]
fn the_json_has_the_names_that_others_rely_on() {
    let names = |csv: &str| {
        let json = serde_json::to_value(run(csv)).unwrap();
        let mut names: Vec<String> = json.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names.join(" ")
    };
    let always = "duplicate_precision_lower_bound duplicate_recall events incidents link_recall links located merge_share \
                  merged per_kind";
    assert_eq!(
        names("event_id,event_time,source,kind,lon,lat\n"),
        format!("{always} seconds")
    );
    assert_eq!(
        names(&labelled())
            .replace("b_cubed ", "")
            .replace("pairwise ", ""),
        format!("{always} seconds")
    );
    let truth = names(&labelled());
    assert!(
        truth.starts_with("b_cubed ") && truth.contains(" pairwise "),
        "{truth}"
    );
}

#[test]
fn described_kinds_keep_their_own_rules() {
    // Road ponding goes quiet after 60 minutes; an undescribed kind waits 72 hours.
    let merged = |kind: &str| {
        run(&format!(
            "kind,lat,lon,source,event_time,event_id\n\
             {kind},31.0,121.2,app,2026-03-01 08:00:00,a\n{kind},31.0,121.2,app,2026-03-01 10:30:00,b\n"
        ))
        .merged
    };
    assert_eq!((merged("road_ponding"), merged("nobody_described_this")), (0, 1));
}

#[test]
fn without_a_position_equal_addresses_meet() {
    let report = run("event_id,event_time,source,kind,lon,lat,address,truth\n\
         a,1772352000000,web,Graffiti,,,\"12 Main St.  Boston\",1\n\
         b,2026-03-01T08:10:00Z,web,Graffiti,,,12 MAIN ST Boston,1\n\
         c,2026-03-01T08:10:00Z,web,Graffiti,,,21 Main St Boston,2\n\
         d,2026-03-01T08:20:00Z,web,Graffiti,,,,3\n\
         e,2026-03-01T08:20:00Z,web,Graffiti,0,0,,4\n");
    assert_eq!(
        (report.events, report.located, report.incidents, report.merged),
        (5, 0, 4, 0)
    );
    assert_eq!(report.merge_share, None);
    near(report.pairwise.map(|score| score.f1), 1.0);
}

#[test]
fn a_missing_column_is_named() {
    let error = backtest(Rules::builtin(), "event_id,kind,lon,time\n".as_bytes())
        .unwrap_err()
        .to_string();
    assert!(error.contains("no column event_time, source, lat;"), "{error}");
    assert!(backtest(Rules::builtin(), "".as_bytes()).is_err());
    assert!(backtest_in("Mars/Olympus", Rules::builtin(), labelled().as_bytes()).is_err());
}

#[test]
fn bad_rows_are_counted_with_their_reasons() {
    let mut csv = b"\xef\xbb\xbfevent_id,event_time,source,kind,lon,lat,accuracy_m\n".to_vec();
    let rows: [(&[u8], &str); 13] = [
        (b"ok,2026-03-01T08:00:00Z,app,k,121.2,31.0,5", ""),
        (b",2026-03-01T08:00:00Z,app,k,121.2,31.0,", "event_id is empty"),
        (
            b"x,yesterday,app,k,121.2,31.0,",
            "event_time \"yesterday\" is no time",
        ),
        (
            b"x,9999-01-01T00:00:00Z,app,k,121.2,31.0,",
            "event_time \"9999-01-01T00:00:00Z\" is no time",
        ),
        (b"x,2026-03-01T08:00:00Z,app,,121.2,31.0,", "kind is empty"),
        (
            b"x,2026-03-01T08:00:00Z,app,k,121.2,,",
            "only one of lon and lat is given",
        ),
        (
            b"x,2026-03-01T08:00:00Z,app,k,east,31.0,",
            "lon \"east\" is no number",
        ),
        (
            b"x,2026-03-01T08:00:00Z,app,k,NaN,31.0,",
            "lon NaN, lat 31 is no place on earth",
        ),
        (
            b"x,2026-03-01T08:00:00Z,app,k,121.2,91,",
            "lon 121.2, lat 91 is no place on earth",
        ),
        (
            b"x,2026-03-01T08:00:00Z,app,k,121.2,31.0,-1",
            "accuracy_m -1 is no accuracy in metres",
        ),
        (
            b"x,2026-03-01T08:00:00Z,app,\xff,121.2,31.0,",
            "kind is not UTF-8",
        ),
        (
            b"x,2026-03-01T08:00:00Z",
            "source is missing: the row has 2 fields",
        ),
        (
            b"ok,2026-03-01T09:00:00Z,app,k,121.2,31.0,",
            "event_id \"ok\" was seen before",
        ),
    ];
    for (row, _) in rows {
        csv.extend_from_slice(row);
        csv.push(b'\n');
    }
    let report = backtest(Rules::builtin(), &csv[..]).unwrap();
    assert_eq!((report.events, report.located), (1, 1));
    let skipped = report.skipped.clone().unwrap();
    assert_eq!(skipped.rows, 12);
    let expected: Vec<String> = rows
        .iter()
        .zip(2..)
        .filter(|((_, reason), _)| !reason.is_empty())
        .map(|((_, reason), line)| format!("line {line}: {reason}"))
        .collect();
    assert_eq!(skipped.first, expected[..10]);
    // The reasons past the shown ones, each by itself.
    for (row, reason) in &rows[11..12] {
        let csv = [b"event_id,event_time,source,kind,lon,lat\n", *row].concat();
        assert_eq!(
            backtest(Rules::builtin(), &csv[..])
                .unwrap()
                .skipped
                .unwrap()
                .first,
            [format!("line 2: {reason}")]
        );
    }
    assert!(report.to_text().contains("line 3: event_id is empty"));
}

#[test]
fn channels_are_read_by_their_name_or_a_word_of_it() {
    let history = History::read(
        "event_id,event_time,source,kind,lon,lat,channel\n\
         a,2026-03-01T08:00:00Z,hotline,k,,,Twitter\nb,2026-03-01T08:00:00Z,hotline,k,,,App\nc,2026-03-01T08:00:00Z,311,k,,,\n\
         d,2026-03-01T08:00:00Z,hotline,k,,,City Worker App\ne,2026-03-01T08:00:00Z,Maximo,k,,,Batch\n"
            .as_bytes(),
        &TimeZone::UTC,
    )
    .unwrap();
    let channels: Vec<String> = history.rows.iter().map(|row| row.channel.to_string()).collect();
    assert_eq!(channels, ["media", "app", "hotline", "inspector", "other"]);
}

#[test]
fn times_without_a_zone_are_the_citys() {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let csv = "event_id,event_time,source,kind,lon,lat\na,2026-03-01 08:00:00,app,k,,\n";
    let history = History::read(csv.as_bytes(), &zone).unwrap();
    assert_eq!(history.rows[0].event_time.to_string(), "2026-03-01T00:00:00.000Z");
}

#[test]
fn gzip_is_told_by_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(labelled().as_bytes()).unwrap();
    for (name, bytes) in [
        ("plain.gz", labelled().into_bytes()),
        ("packed.csv", encoder.finish().unwrap()),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(
            backtest(Rules::builtin(), open(&path).unwrap()).unwrap().events,
            7,
            "{name}"
        );
    }
    let torn = folder.path().join("torn.csv.gz");
    std::fs::write(&torn, [0x1f, 0x8b, 8, 0]).unwrap();
    assert!(backtest(Rules::builtin(), open(&torn).unwrap()).is_err());
    assert!(open(&folder.path().join("absent")).is_err());
}

#[test]
fn the_table_shows_the_scores() {
    let text = run(&labelled()).to_text();
    assert!(
        text.contains("link recall                       33.3 % of 3 links"),
        "{text}"
    );
    assert!(
        text.lines().any(|line| line
            .split_whitespace()
            .eq(["Lamp", "1", "0", "1", "0.0", "%", "1.000"])),
        "{text}"
    );
}
