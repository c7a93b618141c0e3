//! A running program over HTTP: what it answers, and what it measures.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Running;

/// Where the program that writes this log listens; the last one, where several were started.
pub fn address(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let line = text.lines().rfind(|line| line.contains("HTTP listens"))?;
    let address = line.split("listen=").nth(1)?;
    Some(address.split_whitespace().next()?.to_owned())
}

/// The body of an answer; `None` when nobody answers.
pub fn get(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer.split_once("\r\n\r\n")?.1.to_owned())
}

/// All incidents, as committed.
pub fn incidents(address: &str) -> Vec<Value> {
    let body = get(address, "/api/incidents?limit=500").unwrap_or_default();
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    body["incidents"].as_array().cloned().unwrap_or_default()
}

/// The sum of the series whose name and labels begin so; 0 where there is none.
pub fn metric(address: &str, series: &str) -> f64 {
    let text = get(address, "/metrics").unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with(series));
    lines
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}

/// Looks again, twenty times a second, until it is so; the clock only bounds it.
pub fn wait(what: &str, log: &Path, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            Instant::now() < deadline,
            "waited in vain until {what}\n{}",
            lines[lines.len().saturating_sub(40)..].join("\n")
        );
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// Whether the program that writes this log is ready.
pub fn is_ready(log: &Path) -> bool {
    let said = address(log).and_then(|address| get(&address, "/readyz"));
    said.is_some_and(|said| said.contains("\"ready\":true"))
}

/// Starts a demo that logs to this file, waits until it is ready, and gives it with its address.
pub fn demo(log: &Path) -> (Running, String) {
    let demo = Running::start(
        &["demo", "--json", "--listen", "127.0.0.1:0", "--minutes", "15"],
        log,
    );
    wait("the demo is ready", log, || is_ready(log));
    let address = address(log).unwrap();
    (demo, address)
}
