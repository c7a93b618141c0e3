//! What is written down of who read what.

use std::io;
use std::sync::Mutex;

use city_model::sha256_hex;
use tracing_subscriber::EnvFilter;

use super::events::{caught_up, put_at};
use super::*;
use crate::config::AccessLog;

/// Takes what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged of requests while `check` asks, a line each. The server runs on one thread, whose subscriber takes it.
fn logged(log: AccessLog, serving: &Serving, check: impl FnOnce(&str)) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    let line = format!("desk sha256:{}\n", sha256_hex(b"river-42"));
    std::fs::write(dir.path().join("tokens"), line).unwrap();
    let file = dir.path().join("cityops.toml");
    std::fs::write(&file, "[http]\ntokens_file = \"tokens\"\n").unwrap();
    let mut door = Door::of(&Loaded::read_with(&file, std::iter::empty()).unwrap()).unwrap();
    door.access_log = log;
    let lines = Lines::default();
    let taking = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::new("info"))
        .with_writer(move || taking.clone())
        .finish();
    let (told, address) = std::sync::mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = serving.clone();
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        tracing::subscriber::with_default(subscriber, || {
            runtime.block_on(async {
                let listener = bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap().to_string()).unwrap();
                serve(listener, door, serving, async {
                    let _ = stopped.await;
                })
                .await;
            });
        });
    });
    check(&address.recv().unwrap());
    stop.send(()).unwrap();
    server.join().unwrap();
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for secret in ["river", "13812345678", "Bearer", "evil"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let all = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|line| line["target"] == "cityops::access")
        .map(|line| line["fields"].clone())
        .collect()
}

const TOKEN: &str = "authorization: Bearer river-42\r\n";

#[test]
fn each_request_is_told_with_who_what_and_how_much_and_with_no_secret() {
    let serving = caught_up();
    put_at(&serving, 0, 1, "310117-road-1", 1, "P3");
    let mut sizes = Vec::new();
    let lines = logged(AccessLog::Api, &serving, |address| {
        for (target, head) in [
            ("/api/incidents/310117-road-1", TOKEN),
            ("/api/incidents?code=13812345678", TOKEN),
            ("/api/incidents/13812345678", TOKEN),
            ("/13812345678", TOKEN),
            (
                "/api/incidents",
                "authorization: Bearer river-43\r\nx-evil: evil\r\n",
            ),
            ("/livez", ""),
            ("/metrics", TOKEN),
            ("/metrics", ""),
        ] {
            sizes.push(ask_with(address, "GET", target, head).body.len() as u64);
        }
        ask_with(address, "EVIL", "/api/vitals", TOKEN);
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET /api/events HTTP/1.1\r\nhost: x\r\n{TOKEN}\r\n").unwrap();
        assert_eq!(stream.read(&mut [0; 8]).unwrap(), 8);
        let metrics = ask_with(address, "GET", "/metrics", TOKEN).body;
        for series in [
            "{answer=\"2xx\",route=\"/api/incidents\"} 1",
            "{answer=\"4xx\",route=\"/api/incidents\"} 1",
            "{answer=\"4xx\",route=\"/api/incidents/{id}\"} 1",
            "{answer=\"2xx\",route=\"/livez\"} 1",
            "{answer=\"4xx\",route=\"other\"} 1",
        ] {
            let series = format!("cityops_http_requests_total{series}");
            assert!(metrics.contains(&series), "{series} is not in {metrics}");
        }
    });
    let told: Vec<(&str, &str, u64)> = lines
        .iter()
        .map(|line| {
            assert_eq!(
                (line["peer"].as_str(), line["duration_ms"].is_u64()),
                (Some("127.0.0.1"), true)
            );
            let text = |name: &str| line[name].as_str().unwrap();
            (text("reader"), text("path"), line["status"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("desk", "/api/incidents/310117-road-1", 200),
            ("desk", "/api/incidents", 200),
            ("desk", "/api/incidents/{id}", 404),
            ("desk", "other", 404),
            ("unknown", "/api/incidents", 401),
            ("unknown", "/metrics", 401),
            ("desk", "/api/vitals", 405),
            ("desk", "/api/events", 200),
            ("desk", "/api/events", 200),
        ]
    );
    for nth in 0..5 {
        assert_eq!(lines[nth]["bytes"].as_u64(), Some(sizes[nth]), "{}", lines[nth]);
    }
    assert_eq!(
        (lines[6]["method"].as_str(), lines[0]["method"].as_str()),
        (Some("other"), Some("GET"))
    );
    assert_eq!(lines[7]["message"], "a stream begins");
    assert!(lines[8]["bytes"].as_u64().unwrap() > 0, "{}", lines[8]);
}

#[test]
fn probes_are_told_where_all_is_and_nothing_where_it_is_off() {
    for (log, count) in [(AccessLog::All, 2), (AccessLog::Off, 0)] {
        let lines = logged(log, &serving(), |address| {
            ask(address, "GET", "/livez");
            ask_with(address, "GET", "/api/vitals", TOKEN);
        });
        assert_eq!(lines.len(), count, "{lines:?}");
    }
}
