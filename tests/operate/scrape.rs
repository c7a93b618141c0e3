//! A real Prometheus that scrapes a running city.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::alerts::promtool;
use crate::city::{Running, web};
use crate::{dashboards, deploy};

/// Prometheus has scraped so often that rates are known.
const SCRAPES: f64 = 8.0;

struct Prometheus {
    address: String,
    dir: tempfile::TempDir,
    _process: Running,
}

impl Prometheus {
    /// As configured in `deploy`, but for the target and the pace.
    fn watching(target: &str) -> Prometheus {
        let dir = tempfile::tempdir().unwrap();
        let config = std::fs::read_to_string(deploy("prometheus/prometheus.yml")).unwrap();
        let config = config
            .replace("cityops:8080", target)
            .replace("_interval: 15s", "_interval: 1s")
            .replace(
                "cityops.rules.yml",
                &deploy("prometheus/cityops.rules.yml").display().to_string(),
            );
        std::fs::write(dir.path().join("prometheus.yml"), config).unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        // Free a moment ago; Prometheus says nowhere which one it took when it may choose.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", path("prometheus.yml")))
            .arg(format!("--storage.tsdb.path={}", path("data")))
            .arg(format!("--web.listen-address={free}"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect(
                "prometheus does not start; it is in Debian's package prometheus, which tests/run asks for",
            );
        Prometheus {
            address: free.to_string(),
            _process: Running(process),
            dir,
        }
    }

    fn api(&self, path: &str) -> Option<Value> {
        let answer: Value = serde_json::from_str(&web::get(&self.address, path)?).ok()?;
        Some(answer)
    }

    /// What a query answers with; the reason why it is none.
    fn query(&self, query: &str) -> Result<Vec<Value>, String> {
        let coded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = self
            .api(&format!("/api/v1/query?query={coded}"))
            .ok_or("no answer")?;
        if answer["status"] != "success" {
            return Err(answer["error"].to_string());
        }
        Ok(answer["data"]["result"].as_array().cloned().unwrap_or_default())
    }

    fn value(&self, query: &str) -> Option<f64> {
        self.query(query).ok()?.first()?["value"][1]
            .as_str()?
            .parse()
            .ok()
    }
}

#[test]
fn a_running_city_is_scraped_and_every_query_of_the_dashboards_has_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("demo.log");
    let (_demo, address) = web::demo(&log);
    let prometheus = Prometheus::watching(&address);
    web::wait(
        "Prometheus has scraped it",
        &prometheus.dir.path().join("log"),
        || {
            let read = prometheus.value("sum(increase(cityops_source_records_total[10m]))");
            let scrapes = prometheus.value("count_over_time(cityops_newest_output_age_seconds[10m])");
            read.is_some_and(|read| read > 0.0) && scrapes.is_some_and(|scrapes| scrapes >= SCRAPES)
        },
    );

    let targets = prometheus.api("/api/v1/targets").unwrap();
    let target = &targets["data"]["activeTargets"][0];
    assert_eq!(target["health"], "up", "{target}");
    assert_eq!(target["labels"]["job"], "cityops");

    let text = web::get(&address, "/metrics").unwrap();
    assert_eq!(
        promtool(&["check", "metrics"], Some(&text)),
        "",
        "what promtool says of the metrics"
    );
    check_contract(&prometheus);
    check_dashboards(&prometheus);
    check_rules(&prometheus);
}

/// The metrics that are promised, with the labels that they are promised with.
fn check_contract(prometheus: &Prometheus) {
    for (name, labels) in [
        ("events_consumed_total", "source"),
        ("events_outcome_total", "source outcome"),
        ("deadletters_total", "source reason"),
        ("unaccounted_events", ""),
        ("consumer_lag_records", "topic partition"),
        ("consumer_lag_seconds", "topic partition"),
        ("ready", ""),
        ("worker_partitions", "worker"),
        ("worker_partitions_expected", "worker"),
        ("unbalanced_records_total", "worker"),
        ("watermark_lag_seconds", "worker partition"),
        ("stage_duration_seconds_count", "stage"),
        ("end_to_end_latency_seconds_count", "band"),
        ("newest_output_age_seconds", ""),
        ("open_incidents", "kind band"),
        ("incident_revisions_total", "reason"),
        ("priority_override_total", "override"),
        ("location_quality_total", "source quality"),
        ("grid_version_info", "layer version"),
        ("restore_duration_seconds_count", "worker"),
        ("transaction_duration_seconds_count", "worker"),
        ("transactions_aborted_total", "worker"),
        ("thrown_away_offsets_total", "worker"),
        ("rebalances_total", "worker"),
        ("config_info", "version"),
        ("build_info", "version"),
    ] {
        let found = prometheus.query(&format!("cityops_{name}")).unwrap();
        let series = found
            .first()
            .unwrap_or_else(|| panic!("there is no cityops_{name}"));
        let mut told: Vec<&str> = series["metric"]
            .as_object()
            .unwrap()
            .keys()
            .map(|key| &**key)
            .collect();
        told.retain(|label| !["__name__", "instance", "job"].contains(label));
        let mut promised: Vec<&str> = labels.split_whitespace().collect();
        promised.sort_unstable();
        assert_eq!(told, promised, "labels of cityops_{name}");
    }
    assert_eq!(
        prometheus.value("sum(cityops_unbalanced_records_total)"),
        Some(0.0)
    );
    let process = prometheus.value("process_resident_memory_bytes{job=\"cityops\"}");
    assert!(process.is_some_and(|bytes| bytes > 1e6), "{process:?}");
}

fn check_dashboards(prometheus: &Prometheus) {
    let mut silent = Vec::new();
    for (panel, query) in dashboards::queries() {
        match prometheus.query(&query) {
            Ok(series) if series.is_empty() => silent.push(format!("{panel}: {query}: no series")),
            Ok(series) => told(&format!("{} series · {panel} · {query}", series.len())),
            Err(error) => silent.push(format!("{panel}: {query}: {error}")),
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

/// Rules are evaluated without error, and none says that this healthy city is ill. How fast it is depends on what else the
/// machine does, so alerts about speed may say so.
fn check_rules(prometheus: &Prometheus) {
    let rules = prometheus.api("/api/v1/rules").unwrap();
    let groups = rules["data"]["groups"].as_array().unwrap();
    let rules: Vec<&Value> = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap())
        .collect();
    assert!(rules.len() > 25, "{} rules", rules.len());
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        let is_speed = rule["name"].as_str().unwrap().starts_with("P1Latency");
        assert!(is_speed || rule["state"] != "firing", "{rule}");
    }
}

#[allow(
    clippy::print_stdout,
    reason = "what each query answered with is for whoever changes one"
)]
fn told(text: &str) {
    println!("{text}");
}
