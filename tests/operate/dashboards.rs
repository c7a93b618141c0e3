//! The dashboards: made from one small source, and each of their queries has something to show.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::deploy;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    dashboard: Vec<Dashboard>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dashboard {
    file: String,
    title: String,
    about: String,
    panel: Vec<Panel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Panel {
    title: String,
    #[serde(default)]
    kind: Kind,
    unit: Option<String>,
    #[serde(default = "third")]
    width: u32,
    /// Legend and expression.
    queries: Vec<(String, String)>,
}

#[derive(Deserialize, Default, PartialEq, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Timeseries,
    Stat,
    Bar,
    Table,
}

const HEIGHT: u32 = 8;
const COLUMNS: u32 = 24;

fn third() -> u32 {
    COLUMNS / 3
}

fn source() -> Vec<Dashboard> {
    let text = std::fs::read_to_string(deploy("grafana/dashboards.toml")).unwrap();
    toml::from_str::<Source>(&text).unwrap().dashboard
}

/// Every query with its dashboard and panel.
pub(crate) fn queries() -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for dashboard in source() {
        for panel in dashboard.panel {
            for (_, query) in panel.queries {
                queries.push((format!("{}: {}", dashboard.file, panel.title), query));
            }
        }
    }
    queries
}

fn panel(panel: &Panel, number: usize, (x, y): (u32, u32)) -> Value {
    let source = json!({"type": "prometheus", "uid": "${source}"});
    let instant = panel.kind != Kind::Timeseries;
    let targets: Vec<Value> = panel
        .queries
        .iter()
        .enumerate()
        .map(|(index, (legend, query))| {
            json!({"datasource": source, "editorMode": "code", "expr": query, "instant": instant, "range": !instant,
                "legendFormat": if legend.is_empty() { "__auto" } else { legend.as_str() },
                "format": if panel.kind == Kind::Table { "table" } else { "time_series" },
                "refId": char::from(b'A' + index as u8).to_string()})
        })
        .collect();
    let (kind, options) = match panel.kind {
        Kind::Timeseries => (
            "timeseries",
            json!({"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}),
        ),
        Kind::Stat => (
            "stat",
            json!({"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "auto"}),
        ),
        Kind::Bar => (
            "bargauge",
            json!({"reduceOptions": {"calcs": ["lastNotNull"]}, "orientation": "horizontal"}),
        ),
        Kind::Table => ("table", json!({"showHeader": true})),
    };
    json!({"id": number + 1, "title": panel.title, "type": kind, "datasource": source, "targets": targets,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": HEIGHT}, "options": options,
        "fieldConfig": {"defaults": {"unit": panel.unit.as_deref().unwrap_or("short"), "min": 0}, "overrides": []}})
}

/// A dashboard as Grafana imports it.
fn rendered(dashboard: &Dashboard) -> String {
    let (mut x, mut y) = (0, 0);
    let mut panels = Vec::new();
    for (number, it) in dashboard.panel.iter().enumerate() {
        if x + it.width > COLUMNS {
            (x, y) = (0, y + HEIGHT);
        }
        panels.push(panel(it, number, (x, y)));
        x += it.width;
    }
    let choice =
        json!({"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"});
    let dashboard = json!({"uid": format!("cityops-{}", dashboard.file), "title": dashboard.title,
        "description": dashboard.about, "tags": ["cityops"], "timezone": "browser", "editable": false, "refresh": "30s",
        "schemaVersion": 38, "time": {"from": "now-6h", "to": "now"}, "templating": {"list": [choice]}, "panels": panels});
    serde_json::to_string_pretty(&dashboard).unwrap() + "\n"
}

#[test]
fn dashboards_are_what_their_source_says() {
    let mut made: Vec<PathBuf> = Vec::new();
    for dashboard in source() {
        let path = deploy(&format!("grafana/{}.json", dashboard.file));
        let text = rendered(&dashboard);
        if std::env::var_os("CITYOPS_WRITE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == text,
            "{} is not what dashboards.toml says: CITYOPS_WRITE=1 cargo test --test operate dashboards",
            path.display()
        );
        made.push(path);
    }
    let files = std::fs::read_dir(deploy("grafana")).unwrap();
    for file in files.map(|file| file.unwrap().path()) {
        let is_json = file.extension().is_some_and(|end| end == "json");
        assert!(
            !is_json || made.contains(&file),
            "{} has no source",
            file.display()
        );
    }
}
