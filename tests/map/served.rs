//! A process's HTTP without its workers: what they would commit is put there by the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use city_model::{EventTime, sha256_hex};
use cityops::board::Board;
use cityops::config::Loaded;
use cityops::feed::{Change, Feed, Place};
use cityops::http::{Door, Grids, Serving, bind, serve, wall_clock};
use cityops::metrics::Metrics;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) struct Served {
    runtime: Runtime,
    serving: Serving,
    door: Door,
    address: String,
    offset: AtomicI64,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Served {
    /// With these tokens, each a name and what it is; without any for everybody.
    pub(crate) fn start(tokens: &[(&str, &str)]) -> Served {
        let serving = Serving {
            board: Arc::new(Board::default()),
            feed: Arc::new(Feed::new(1_000, wall_clock())),
            grids: Arc::new(Grids::new(|| vec![city_grid::builtin().into()])),
            vitals: Arc::default(),
            health: Arc::default(),
            metrics: Arc::new(Metrics::register(&prometheus::Registry::new()).unwrap()),
        };
        serving.board.set_caught_up();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let served = Served {
            runtime,
            serving,
            door: door(tokens),
            address: "127.0.0.1:0".to_owned(),
            offset: AtomicI64::new(0),
            running: None,
        };
        served.started()
    }

    pub(crate) fn started(mut self) -> Served {
        let listener = self.runtime.block_on(bind(&self.address)).unwrap();
        self.address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let task = serve(listener, self.door.clone(), self.serving.clone(), shutdown);
        self.running = Some((stop, self.runtime.spawn(task)));
        self
    }

    pub(crate) fn stopped(mut self) -> Served {
        let (stop, task) = self.running.take().unwrap();
        stop.send(()).unwrap();
        self.runtime.block_on(task).unwrap();
        self
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn put(&self, id: &str, revision: u64, band: &str, status: &str) {
        self.commit(id, Some(record(id, "道路积水", revision, band, status)));
    }

    pub(crate) fn put_named(&self, id: &str, name: &str) {
        self.commit(id, Some(record(id, name, 1, "P1", "OPEN")));
    }

    pub(crate) fn remove(&self, id: &str) {
        self.commit(id, None);
    }

    fn commit(&self, id: &str, record: Option<String>) {
        let place = Place {
            partition: 0,
            offset: self.offset.fetch_add(1, Ordering::Relaxed),
        };
        let value = record.as_deref().map(str::as_bytes);
        let taken = self.serving.board.take(place, id.as_bytes(), value).unwrap();
        let change = taken.map(|taken| Change {
            place,
            id: id.into(),
            before: taken.before,
            after: taken.after,
        });
        self.serving
            .feed
            .read(place, EventTime::from_millis(wall_clock().millis()), change);
    }
}

fn door(tokens: &[(&str, &str)]) -> Door {
    if tokens.is_empty() {
        return Door::default();
    }
    let dir = tempfile::tempdir().unwrap();
    let lines = tokens
        .iter()
        .map(|(name, token)| format!("{name} sha256:{}\n", sha256_hex(token.as_bytes())));
    std::fs::write(dir.path().join("tokens"), lines.collect::<String>()).unwrap();
    let config = dir.path().join("cityops.toml");
    std::fs::write(&config, "[http]\ntokens_file = \"tokens\"\n").unwrap();
    Door::of(&Loaded::read_with(&config, std::iter::empty()).unwrap()).unwrap()
}

fn record(id: &str, name: &str, revision: u64, band: &str, status: &str) -> String {
    let at = "2026-07-25T08:00:00.000Z";
    let cell = |level: &str, code: &str, name: &str| json!({"layer": "duty", "level": level, "code": code, "name": name, "version": "1", "confidence": 1.0});
    json!({
        "incident_id": id, "revision": revision, "status": status, "kind": "road_ponding", "name_zh": name,
        "codes": {},
        "priority": {
            "band": band, "score": 73, "parts": {"S": 40, "E": 11, "C": 13, "R": 2, "W": 7, "T": 0},
            "overrides": [format!("O7.base_{band}")], "reasons_zh": ["下穿通道积水27厘米"], "reasons_en": ["27 cm of water"],
            "deadline": {"dispatch_by": at, "control_by": at, "clock": "calendar"}, "rules_version": "1"
        },
        "opened_at": at, "first_event_at": at, "last_event_at": at,
        "location": {"lon": 121.2236, "lat": 31.0322, "accuracy_m": 4.5},
        "cells": [cell("town", "310117001", "岳阳街道"), cell("duty_cell", "31011700100112", "岳阳12")],
        "responsible": {"layer": "duty", "code": "31011700100112", "name": "岳阳12", "border_distance_m": 31.0},
        "also_affects": [], "handling": {"returned_count": 0}, "member_count": 3, "reporter_count": 2,
        "source_types": ["sensor", "hotline"],
        "members": [{"source_system": "12345", "event_id": "H1", "source": "hotline", "event_time": at, "distance_m": 12.0, "gap_s": 3, "why": "same_place"}],
        "related": [], "explanation": "", "config_version": "c1", "decision_digest": "d"
    })
    .to_string()
}
