//! What an operator may write into the configuration, and what is said about everything else: where, which key, and what
//! was probably meant.
#![allow(clippy::unwrap_used)]

mod city;

use city::folder::{Expect, Folder};
use city::{City, cityops};
use city_simulator::Scenario;

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_nearest() {
    let mut expect = Expect::default();
    for (config, place, key, nearest) in [
        ("[citty]\n", "cityops.toml:1:", "citty", "city"),
        ("\n[city]\ncod = \"1\"\n", "cityops.toml:3:", "cod", "code"),
        (
            "[city]\ntime_zone = \"UTC\"\n",
            "cityops.toml:2:",
            "time_zone",
            "timezone",
        ),
        ("[grid]\nlayer = []\n", "cityops.toml:2:", "layer", "layers"),
        ("[[grid.layers]]\nnam = \"a\"\n", "cityops.toml:2:", "nam", "name"),
        (
            "[[grid.layers]]\nname = \"a\"\n[[grid.layers.levels]]\nlevel = \"a\"\nfiles = \"b\"\n",
            "cityops.toml:5:",
            "files",
            "file",
        ),
        ("[rules]\nfile = [\"a\"]\n", "cityops.toml:2:", "file", "files"),
        (
            "[registry]\ndevice = \"a\"\n",
            "cityops.toml:2:",
            "device",
            "devices",
        ),
        (
            "[sources.default]\ncsr = \"WGS84\"\n",
            "cityops.toml:2:",
            "csr",
            "crs",
        ),
        (
            "[sources.\"12345-bd09\"]\ncrs = \"BD09\"\ncode_systems = \"X\"\n",
            "cityops.toml:3:",
            "code_systems",
            "code_system",
        ),
        (
            "[time]\nreoder = \"15m\"\n",
            "cityops.toml:2:",
            "reoder",
            "reorder",
        ),
        (
            "[time]\nsensor_max_late = \"15m\"\n",
            "cityops.toml:2:",
            "sensor_max_late",
            "sensors_max_late",
        ),
        (
            "[kafka]\nbootstrap_server = \"a:1\"\n",
            "cityops.toml:2:",
            "bootstrap_server",
            "bootstrap_servers",
        ),
        (
            "[topics]\nreplicas = 3\n",
            "cityops.toml:2:",
            "replicas",
            "replication",
        ),
        ("[reload]\nwach = \"5s\"\n", "cityops.toml:2:", "wach", "watch"),
        ("[state]\nrow = \"json\"\n", "cityops.toml:2:", "row", "rows"),
        ("[schemas]\nfile = {}\n", "cityops.toml:2:", "file", "files"),
        (
            "[privacy]\nreporter_key = \"a\"\n",
            "cityops.toml:2:",
            "reporter_key",
            "reporter_key_file",
        ),
        (
            "[http]\ntoken_file = \"a\"\n",
            "cityops.toml:2:",
            "token_file",
            "tokens_file",
        ),
        (
            "[http.limits]\nconnection = 1\n",
            "cityops.toml:2:",
            "connection",
            "connections",
        ),
        (
            "[http]\nlisten_on = \"a\"\n",
            "cityops.toml:2:",
            "listen_on",
            "listen",
        ),
    ] {
        expect.bad_config(config, &[place, &format!("\"{key}\""), &format!("\"{nearest}\"")]);
    }
}

#[test]
fn a_wrong_value_is_told_with_its_line_and_key() {
    let mut expect = Expect::default();
    for (config, words) in [
        ("[city]\ncode = 310117\n", &["cityops.toml:2:", "code"][..]),
        ("[city]\n\ncode = \"\"\n", &["cityops.toml:3:", "city.code"]),
        ("[city]\ncode = \"31 01\"\n", &["cityops.toml:2:", "city.code"]),
        (
            "[city]\ntimezone = \"Asia/Songjiang\"\n",
            &["cityops.toml:2:", "city.timezone"],
        ),
        (
            "[sources.a]\ncrs = \"WGS48\"\n",
            &["cityops.toml:2:", "crs", "WGS48", "WGS84"],
        ),
        (
            "[sources.a]\ncrs = \"GCJ-02\"\n",
            &["cityops.toml:2:", "crs", "GCJ02"],
        ),
        (
            "[state]\nrows = \"compat\"\n",
            &["cityops.toml:2:", "rows", "\"compact\""],
        ),
        (
            "[reload]\n\nwatch = \"on\"\n",
            &["cityops.toml:3:", "watch", "\"off\""],
        ),
        (
            "[reload]\nwatch = \"1ms\"\n",
            &["cityops.toml:2:", "watch", "100ms"],
        ),
        (
            "[time]\nidle = \"holds\"\n",
            &["cityops.toml:2:", "idle", "\"hold\""],
        ),
        (
            "[time]\ningested_from = \"brocker\"\n",
            &["cityops.toml:2:", "ingested_from", "\"broker\""],
        ),
        (
            "[time]\nreorder = \"soon\"\n",
            &["cityops.toml:2:", "reorder", "soon", "15m"],
        ),
        ("[time]\nreorder = 15\n", &["cityops.toml:2:", "reorder"]),
        (
            "[time]\nmax_late = \"-1h\"\n",
            &["cityops.toml:2:", "max_late", "-1h"],
        ),
        ("[time]\nmax_late = \"1.5h\"\n", &["cityops.toml:2:", "max_late"]),
        (
            "[time]\nsensors_max_late = \"999999999999999d\"\n",
            &["cityops.toml:2:", "sensors_max_late"],
        ),
        ("[rules]\nfiles = \"rules.toml\"\n", &["cityops.toml:2:", "files"]),
        (
            "[topics]\nsource_partitions = -1\n",
            &["cityops.toml:2:", "source_partitions"],
        ),
        (
            "[topics]\nenriched_partitions = 0\n",
            &["cityops.toml:2:", "enriched_partitions"],
        ),
        (
            "[topics]\nsource_partitions = 0\n",
            &["cityops.toml:2:", "source_partitions"],
        ),
        ("[topics]\nreplication = 0\n", &["cityops.toml:2:", "replication"]),
        (
            "[topics]\nsource_retention = \"100h\"\n",
            &["cityops.toml:2:", "topics.source_retention", "144h"],
        ),
        (
            "[kafka]\nsession_timeout = \"1h\"\n",
            &["cityops.toml:2:", "kafka.session_timeout"],
        ),
        ("[kafka]\nloops = 0\n", &["cityops.toml:2:", "kafka.loops"]),
        ("[kafka]\nloops = 65\n", &["cityops.toml:2:", "kafka.loops", "64"]),
        (
            "[kafka]\nin_flight_mib = 63\n",
            &["cityops.toml:2:", "kafka.in_flight_mib", "64"],
        ),
        (
            "[kafka.properties]\n\"fetch.min.bytes\" = [1]\n",
            &["cityops.toml:2:", "fetch.min.bytes"],
        ),
        ("[grid]\nlayers = \"duty\"\n", &["cityops.toml:2:", "layers"]),
        (
            "[[grid.layers]]\nname = \"a\"\n",
            &["cityops.toml", "grid.layers"],
        ),
        (
            "[[grid.layers]]\nname = \"a\"\n[[grid.layers.levels]]\nlevel = \"a\"\n",
            &["cityops.toml:3:", "file"],
        ),
        (
            "[http]\nlisten = \"nowhere\"\n",
            &["cityops.toml:2:", "http.listen", "nowhere"],
        ),
        (
            "[sources.\"12345\"]\nexpected_every = \"5s\"\n",
            &["cityops.toml:2:", "sources.12345.expected_every", "1m"],
        ),
        (
            "[sources.default]\nexpected_every = \"5m\"\n",
            &["cityops.toml:2:", "sources.default.expected_every", "own name"],
        ),
        ("[city\n", &["cityops.toml:1:"]),
        (
            "[city]\ncode = \"a\"\ncode = \"b\"\n",
            &["cityops.toml:3:", "code"],
        ),
        ("city = 5\n", &["cityops.toml:1:", "city"]),
    ] {
        expect.bad_config(config, words);
    }
    let folder = Folder::new("");
    folder.write("cityops.toml", b"[city]\n# \xff\n");
    expect.bad("not UTF-8", folder.check(), &["cityops.toml", "UTF-8"]);
    let (code, _, err) = Folder::new("").run(&["check", "--config", "/nowhere/cityops.toml"], &[]);
    assert_eq!(code, Some(2), "given twice: {err}");
    let nowhere = city::run(&["check", "--config", "/nowhere/cityops.toml"]);
    assert_eq!(nowhere.status.code(), Some(78));
    assert!(
        String::from_utf8(nowhere.stderr)
            .unwrap()
            .contains("/nowhere/cityops.toml")
    );
}

#[test]
fn the_environment_overrides_and_is_told_by_its_name() {
    let mut expect = Expect::default();
    let folder = Folder::new("[city]\ncode = \"310117\"\n");
    let with = |name: &str, value: &str| folder.run(&["check", "--print"], &[(name, value)]);
    let (code, out, err) = with("CITYOPS__CITY__CODE", "310115");
    assert!(code == Some(0) && out.contains("code = \"310115\""), "{out}{err}");
    let (code, out, err) = with("CITYOPS__TIME__REORDER", "5m");
    assert!(code == Some(0) && out.contains("reorder = \"5m\""), "{out}{err}");
    let (code, out, err) = with("CITYOPS__TOPICS__SOURCE_PARTITIONS", "12");
    assert!(
        code == Some(0) && out.contains("source_partitions = 12"),
        "{out}{err}"
    );
    // A code of digits is a text all the same, and so is a bootstrap server.
    for (name, value, words) in [
        ("CITYOPS__CITY__COD", "1", &["CITYOPS__CITY__COD", "code"][..]),
        (
            "CITYOPS__TIME__REORDER",
            "soon",
            &["CITYOPS__TIME__REORDER", "soon"],
        ),
        ("CITYOPS__TIME__IDLE", "sleep", &["CITYOPS__TIME__IDLE"]),
        ("CITYOPS__CITY__TIMEZONE", "Mars", &["CITYOPS__CITY__TIMEZONE"]),
        ("CITYOPS__CITY__CODE", "", &["CITYOPS__CITY__CODE"]),
        ("CITYOPS__CITY", "1", &["CITYOPS__CITY"]),
        ("CITYOPS__CITTY__CODE", "1", &["CITYOPS__CITTY__CODE", "city"]),
        ("CITYOPS__CITY__CODE__X", "1", &["CITYOPS__CITY__CODE__X"]),
        (
            "CITYOPS__TOPICS__SOURCE_PARTITIONS",
            "many",
            &["CITYOPS__TOPICS__SOURCE_PARTITIONS"],
        ),
        (
            "CITYOPS__TOPICS__ENRICHED_PARTITIONS",
            "0",
            &["CITYOPS__TOPICS__ENRICHED_PARTITIONS"],
        ),
    ] {
        expect.bad(&format!("{name}={value}"), with(name, value), words);
    }
}

#[test]
fn paths_are_relative_to_the_file_and_everything_has_a_default() {
    let city = City::new(Scenario::Normal, 31, 300);
    let (config, input) = (city.config(), city.input());
    let elsewhere = tempfile::tempdir().unwrap();
    let out = city.path("out").display().to_string();
    let mut replay = cityops(&["replay", "--config", &config, "--input", &input, "--output", &out]);
    assert!(replay.current_dir(elsewhere.path()).status().unwrap().success());
    // By a relative name of the configuration, too.
    let mut check = cityops(&["check", "--config", "cityops.toml"]);
    assert!(check.current_dir(city.dir.path()).status().unwrap().success());

    // An empty file is a whole configuration: the built-in grid and rules, and every source in WGS-84.
    let empty = Folder::new("");
    let (code, out, err) = empty.run(&["--json", "check"], &[]);
    assert_eq!(code, Some(0), "{err}");
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["ok"], true);
    assert!(told["groups"].as_array().unwrap().len() > 10, "{told}");
    let out = empty.dir.path().join("out").display().to_string();
    let (code, printed, err) = empty.run(&["--json", "replay", "--input", &input, "--output", &out], &[]);
    assert_eq!(code, Some(0), "{err}");
    let ledger: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(
        (ledger["consumed"].as_i64(), ledger["unaccounted"].as_i64()),
        (Some(300), Some(0))
    );
    assert!(ledger["outcomes"]["opened"].as_i64().unwrap() > 10, "{ledger}");
}

#[test]
fn a_command_line_that_makes_no_sense_is_told() {
    let folder = Folder::new("");
    let config = folder.dir.path().join("cityops.toml").display().to_string();
    let out = folder.dir.path().join("out").display().to_string();
    for args in [
        &[][..],
        &["no-such-command"],
        &["check"],
        &["check", "--config", &config, "--no-such-flag"],
        &["replay", "--config", &config],
        &[
            "replay", "--config", &config, "--input", "/nowhere", "--output", &out,
        ],
        &[
            "replay",
            "--config",
            &config,
            "--input",
            folder.dir.path().to_str().unwrap(),
            "--output",
            &out,
        ],
        &["simulate", "--scenario", "quiet", "--output", &out],
        &["simulate", "--events", "many", "--output", &out],
        &["run", "--config", &config, "--workers", "enrich,sort"],
        &[
            "grid", "locate", "--config", &config, "--layer", "none", "--input", &config, "--output", &out,
        ],
    ] {
        let output = city::run(args);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
    for args in [&["--help"][..], &["--version"], &["replay", "--help"]] {
        assert_eq!(city::run(args).status.code(), Some(0), "{args:?}");
    }
}
