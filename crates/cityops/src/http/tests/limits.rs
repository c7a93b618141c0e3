//! Crowds, and clients that take their time.

use super::events::{caught_up, put_at};
use super::*;

fn short(change: impl FnOnce(&mut HttpLimits)) -> Door {
    let mut door = Door::default();
    change(&mut door.limits);
    door
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// What comes until the other side closes; a reset is an end, too.
fn rest(stream: &mut TcpStream) -> String {
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        text.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn who_dribbles_a_head_or_waits_too_long_for_another_is_closed() {
    with_door(
        short(|limits| limits.header_time.0 = 300),
        &serving(),
        |address| {
            let mut nothing = connect(address);
            let mut half = connect(address);
            write!(half, "GET /livez HTTP/1.1\r\nhost: x\r\nx-").unwrap();
            let mut kept = connect(address);
            write!(kept, "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            assert!(rest(&mut kept).starts_with("HTTP/1.1 200"));
            let said = rest(&mut half);
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
            assert_eq!(rest(&mut nothing), "");
        },
    );
}

#[test]
fn a_body_that_never_comes_is_not_waited_for() {
    with_server(&serving(), |address| {
        let mut slow = connect(address);
        write!(
            slow,
            "POST /api/incidents HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nab"
        )
        .unwrap();
        let said = rest(&mut slow);
        assert!(said.starts_with("HTTP/1.1 405"), "{said}");
    });
}

#[test]
fn a_head_has_a_size() {
    with_door(short(|limits| limits.request_kib = 2), &serving(), |address| {
        let long = format!("x-long: {}\r\n", "x".repeat(3_000));
        let answer = ask_with(address, "GET", "/livez", &long);
        assert_eq!(answer.status, 431);
        assert_eq!(ask_with(address, "GET", "/livez", "x-short: x\r\n").status, 200);
        let target = format!("/api/incidents?kind={}", "x".repeat(3_000));
        assert!(ask(address, "GET", &target).status >= 400);
    });
}

#[test]
fn a_crowd_gets_a_reason_and_health_is_told_all_the_same() {
    with_door(short(|limits| limits.connections = 2), &caught_up(), |address| {
        // Streams are answered for as long as they are read.
        let mut seated: Vec<TcpStream> = (0..2).map(|_| connect(address)).collect();
        for stream in &mut seated {
            write!(stream, "GET /api/events HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            assert_eq!(stream.read(&mut [0; 8]).unwrap(), 8);
        }
        let full = ask(address, "GET", "/api/incidents");
        assert_eq!((full.status, full.json()["limit"].as_u64()), (503, Some(2)));
        assert_eq!(ask(address, "GET", "/").status, 503);
        assert_eq!(ask(address, "GET", "/livez").status, 200);
        let metrics = ask(address, "GET", "/metrics");
        assert!(
            metrics
                .body
                .contains("cityops_http_refused_total{reason=\"connections\"} 4"),
            "{}",
            metrics.body
        );
        // Who asks for nothing there keeps no probe out, and is closed rather than kept waiting.
        let mut spare: Vec<TcpStream> = (0..30).map(|_| connect(address)).collect();
        for probe in ["/livez", "/metrics"] {
            assert_eq!(ask(address, "GET", probe).status, 200, "{probe}");
        }
        assert_eq!(spare.iter_mut().map(rest).collect::<String>(), "");
        drop(seated);
        eventually("the crowd has gone", || {
            ask(address, "GET", "/api/incidents").status == 200
        });
    });
}

#[test]
fn connections_that_ask_for_nothing_keep_nobody_out() {
    // None of them goes by itself.
    let door = short(|limits| limits.header_time.0 = 3_600_000);
    with_door(door, &caught_up(), |address| {
        // More than all seats, spare ones included; some have begun a head, and one was answered before.
        let mut answered = connect(address);
        write!(answered, "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        assert_eq!(answered.read(&mut [0; 8]).unwrap(), 8);
        let idle: Vec<TcpStream> = (0..300)
            .map(|nth| {
                let mut stream = connect(address);
                if nth % 2 == 0 {
                    // One that had to go already takes nothing any more.
                    let _ = write!(stream, "GET /livez HTTP/1.1\r\nhost: x\r\nx-");
                }
                stream
            })
            .collect();
        for target in ["/livez", "/readyz", "/metrics", "/api/incidents", "/"] {
            let answer = ask(address, "GET", target);
            assert!(
                [200, 503].contains(&answer.status) && !answer.body.contains("\"limit\""),
                "{target}: {}",
                answer.body
            );
        }
        let metrics = ask(address, "GET", "/metrics").body;
        let refused = |reason: &str| -> u64 {
            let begins = format!("cityops_http_refused_total{{reason=\"{reason}\"}} ");
            let counted = metrics.lines().find_map(|line| line.strip_prefix(&begins));
            counted.map_or(0, |count| count.parse().unwrap())
        };
        assert!(refused("idle") >= 45, "{}", refused("idle"));
        assert_eq!(refused("connections"), 0);
        drop(idle);
    });
}

#[test]
fn a_page_has_a_size() {
    let serving = serving();
    for id in ["a", "b", "c"] {
        put(
            &serving.board,
            &record(id, 1, "P3", "OPEN", "2026-07-25T08:00:00Z"),
        );
    }
    with_door(short(|limits| limits.page = 2), &serving, |address| {
        let page = ask(address, "GET", "/api/incidents").json();
        assert_eq!(page["incidents"].as_array().unwrap().len(), 2);
        assert!(page["next"].is_string());
        for target in ["/api/incidents?limit=3", "/api/vitals?limit=3"] {
            let answer = ask(address, "GET", target);
            assert_eq!(
                (answer.status, answer.json()["parameter"].as_str()),
                (400, Some("limit"))
            );
        }
    });
}

#[test]
fn an_answer_that_nobody_reads_is_given_up() {
    let serving = caught_up();
    // Larger than what the kernel keeps for a reader that reads nothing.
    for nth in 0..20_000 {
        put_at(&serving, 0, nth, &format!("incident-{nth}"), 1, "P3");
    }
    let door = short(|limits| limits.stalled.0 = 300);
    with_door(door, &serving, |address| {
        let mut deaf = connect(address);
        write!(deaf, "GET /api/events HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let open = |what: &str, count: u64| {
            let line = format!("cityops_http_open{{what=\"{what}\"}} {count}");
            ask(address, "GET", "/metrics")
                .body
                .lines()
                .any(|found| found == line)
        };
        eventually("it streams", || open("stream", 1));
        eventually("it is given up", || open("stream", 0));
        assert!(open("connection", 1), "the one that asks");
        drop(deaf);
    });
}
