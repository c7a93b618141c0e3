//! HTTP as a client sees it: a real listener and requests written out byte by byte.

use std::io::{Read, Write};
use std::net::TcpStream;

use prometheus::Registry;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::*;
use crate::board::tests::{put, record};
use crate::config::{HttpLimits, Loaded};

mod access;
mod events;
mod grid;
mod guard;
mod limits;

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        assert!(
            self.head.contains("content-type: application/json"),
            "{}",
            self.head
        );
        serde_json::from_str(&self.body).unwrap()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// Serves while `check` asks, then shuts down and waits for the end.
fn with_server(serving: &Serving, check: impl FnOnce(&str)) {
    with_door(Door::default(), serving, check);
}

fn with_door(door: Door, serving: &Serving, check: impl FnOnce(&str)) {
    let runtime = runtime();
    let listener = runtime.block_on(bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = runtime.spawn(serve(listener, door, serving.clone(), async move {
        let _ = stopped.await;
    }));
    check(&address);
    stop.send(()).unwrap();
    runtime.block_on(server).unwrap();
}

fn ask(address: &str, method: &str, target: &str) -> Answer {
    ask_with(address, method, target, "")
}

/// The same with more lines of a head, each with its end.
fn ask_with(address: &str, method: &str, target: &str, lines: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{lines}\r\n"
    )
    .unwrap();
    answer_of(&mut stream)
}

fn answer_of(stream: &mut impl Read) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

/// Asks again until it is so; the clock only bounds it.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(
            std::time::Instant::now() < deadline,
            "waited in vain until {what}"
        );
        std::thread::yield_now();
    }
}

fn serving() -> Serving {
    Serving {
        board: Arc::default(),
        feed: Arc::new(Feed::new(HttpLimits::default().behind, wall_clock())),
        grids: Arc::new(Grids::new(Vec::new)),
        vitals: Arc::default(),
        health: Arc::default(),
        metrics: Arc::new(Metrics::register(&Registry::new()).unwrap()),
    }
}

#[test]
fn tells_what_is_missing_until_it_is_ready() {
    let serving = serving();
    let it = serving.health.add_loop("enrich");
    with_server(&serving.clone(), |address| {
        let answer = ask(address, "GET", "/livez");
        assert_eq!(
            (answer.status, answer.json()["alive"].clone()),
            (200, Value::Bool(true))
        );
        let answer = ask(address, "GET", "/readyz");
        assert_eq!(answer.status, 503);
        assert_eq!(
            answer.json()["missing"],
            json!(["grid: loaded", "enrich: assigned", "board: caught up"])
        );
        serving.health.set_grid_loaded();
        it.assigned(3);
        it.restored();
        assert_eq!(
            ask(address, "GET", "/readyz").json()["missing"],
            json!(["board: caught up"])
        );
        serving.board.set_caught_up();
        assert_eq!(ask(address, "HEAD", "/readyz").status, 200);
    });
}

#[test]
fn answers_with_the_committed_incidents() {
    let serving = serving();
    let json = record(
        "310117-road_ponding-0123456789abcdef",
        3,
        "P2",
        "OPEN",
        "2026-07-25T08:00:00Z",
    );
    put(&serving.board, &json);
    put(
        &serving.board,
        &record("b", 1, "P1", "OPEN", "2026-07-25T08:00:00Z"),
    );
    put(
        &serving.board,
        &record("路/口 1", 1, "P3", "CLOSED", "2026-07-25T08:00:00Z"),
    );
    with_server(&serving, |address| {
        let answer = ask(
            address,
            "GET",
            "/api/incidents/310117-road_ponding-0123456789abcdef",
        );
        assert_eq!((answer.status, answer.body), (200, json));
        let answer = ask(address, "GET", "/api/incidents/%E8%B7%AF%2F%E5%8F%A3%201");
        assert_eq!(answer.json()["name_zh"], "道路积水");
        let answer = ask(
            address,
            "GET",
            "/api/incidents?status=OPEN&limit=1&layer=duty&code=310117001",
        );
        let page = answer.json();
        assert_eq!(page["incidents"][0]["incident_id"], "b");
        let next = page["next"].as_str().unwrap();
        let page = ask(
            address,
            "GET",
            &format!("/api/incidents?status=OPEN&limit=1&cursor={next}"),
        )
        .json();
        assert_eq!(
            page["incidents"][0]["incident_id"],
            "310117-road_ponding-0123456789abcdef"
        );
        assert_eq!(page["next"], Value::Null);
        let page = ask(address, "GET", "/api/incidents?bbox=0,0,1,1").json();
        assert_eq!(page, json!({"incidents": [], "next": null}));
        let head = ask(address, "HEAD", "/api/incidents");
        assert_eq!((head.status, head.body.as_str()), (200, ""));
    });
}

#[test]
fn says_in_json_what_is_wrong() {
    with_server(&serving(), |address| {
        let check = |method: &str, target: &str, status: u16, field: &str, value: &str| {
            let answer = ask(address, method, target);
            assert_eq!(
                (answer.status, answer.json()[field].as_str()),
                (status, Some(value)),
                "{target}"
            );
        };
        check("GET", "/api/incidents?limit=many", 400, "parameter", "limit");
        check("GET", "/api/incidents?bbox=1,2", 400, "parameter", "bbox");
        check("GET", "/api/incidents?band=P9&limit=1", 400, "parameter", "band");
        check("GET", "/api/incidents/none", 404, "incident_id", "none");
        check("GET", "/api/incidents/", 404, "path", "/api/incidents/");
        check("GET", "/nothing", 404, "path", "/nothing");
        let answer = ask(address, "POST", "/api/incidents");
        assert_eq!(answer.status, 405);
        assert_eq!(
            answer.head.matches("allow: get,head").count(),
            1,
            "{}",
            answer.head
        );
        assert!(answer.json()["error"].is_string());
        let answer = ask(address, "GET", "/api/incidents/%ff");
        assert_eq!(answer.status, 400);
        assert!(answer.json()["error"].is_string());
    });
}

#[test]
fn shows_metrics_to_prometheus() {
    with_server(&serving(), |address| {
        let answer = ask(address, "GET", "/metrics");
        assert_eq!(answer.status, 200);
        assert!(
            answer.head.contains("content-type: text/plain; version=0.0.4"),
            "{}",
            answer.head
        );
        assert!(
            answer.body.contains("# TYPE cityops_build_info gauge\n"),
            "{}",
            answer.body
        );
    });
}

#[test]
fn says_that_an_address_is_in_use() {
    with_server(&serving(), |address| {
        let error = runtime().block_on(bind(address)).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("cannot listen at {address}: the address is in use, perhaps by another cityops")
        );
        let error = runtime().block_on(bind("127.0.0.1")).unwrap_err().to_string();
        assert!(error.contains("not an address"), "{error}");
    });
}

#[test]
fn a_client_that_never_finishes_does_not_keep_it_from_ending() {
    let runtime = runtime();
    let listener = runtime.block_on(bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let ends = async {
        let _ = stopped.await;
    };
    let grace = Duration::from_millis(50);
    let server = runtime.spawn(listening::serve(
        listener,
        Door::default(),
        serving(),
        ends,
        grace,
    ));
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGET /liv").unwrap();
    // The answer to the first request shows that the connection is served.
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 8);
    stop.send(()).unwrap();
    runtime.block_on(server).unwrap();
}

#[test]
fn vital_signs_are_found_by_layer_level_code_and_notice() {
    let serving = serving();
    let golden = include_str!("../../../stream-worker/tests/written/golden/city.vitals.v1.1.json");
    let told: city_vitals::VitalsRecord = serde_json::from_str(golden).unwrap();
    serving.vitals.put(told.clone());
    let quiet = city_vitals::VitalsRecord {
        code: "310117002".into(),
        notices: Vec::new(),
        ..told.clone()
    };
    serving.vitals.put(quiet.clone());
    serving.vitals.put(city_vitals::VitalsRecord {
        level: "duty_cell".into(),
        code: "31011700200101".into(),
        ..quiet
    });
    with_server(&serving, |address| {
        let codes = |target: &str| -> Vec<String> {
            let answer = ask(address, "GET", target);
            assert_eq!(answer.status, 200, "{}", answer.body);
            let cells = answer.json()["vitals"].clone();
            cells
                .as_array()
                .unwrap()
                .iter()
                .map(|cell| cell["code"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(codes("/api/vitals"), ["310117001", "310117002", "31011700200101"]);
        assert_eq!(
            codes("/api/vitals?level=town&layer=duty"),
            ["310117001", "310117002"]
        );
        assert_eq!(codes("/api/vitals?notices=true"), ["310117001"]);
        assert_eq!(codes("/api/vitals?code=310117002,310117009"), ["310117002"]);
        let first = ask(address, "GET", "/api/vitals?limit=2").json();
        assert_eq!(
            first["vitals"][0],
            serde_json::from_str::<Value>(golden).unwrap(),
            "as it was published"
        );
        let next = first["next"].as_str().unwrap();
        assert_eq!(
            codes(&format!("/api/vitals?limit=2&cursor={next}")),
            ["31011700200101"]
        );
        assert_eq!(ask(address, "GET", "/api/vitals?levl=town").status, 400);
    });
}
