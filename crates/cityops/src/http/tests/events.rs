//! Streams: what a client is told first, what comes after, and what it is told when it comes again.

use std::io::{BufRead, BufReader};

use super::*;
use crate::feed::{Change, Place};

const AT: &str = "2026-07-25T08:00:00Z";

/// An event, or a comment without a name.
#[derive(Debug, Default, PartialEq)]
struct Told {
    event: String,
    id: Option<String>,
    data: String,
}

impl Told {
    fn incident(&self) -> (&str, String, u64) {
        let data: Value = serde_json::from_str(&self.data).unwrap();
        let id = data["incident_id"].as_str().unwrap().to_owned();
        (&self.event, id, data["revision"].as_u64().unwrap_or(0))
    }
}

struct Listening(BufReader<TcpStream>);

impl Listening {
    /// In HTTP 1.0 the body comes without the marks of its parts.
    fn begin(address: &str, target: &str, id: Option<&str>) -> Listening {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let id = id.map_or(String::new(), |id| format!("last-event-id: {id}\r\n"));
        write!(stream, "GET {target} HTTP/1.0\r\nhost: x\r\n{id}\r\n").unwrap();
        let mut listening = Listening(BufReader::new(stream));
        let head = listening.part();
        assert!(
            head.contains(&"content-type: text/event-stream".to_owned()),
            "{head:?}"
        );
        listening
    }

    /// The lines up to an empty one.
    fn part(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            let line = line.trim_end();
            if line.is_empty() {
                return lines;
            }
            lines.push(line.to_owned());
        }
    }

    /// The next event; comments without an id are passed over.
    fn next(&mut self) -> Told {
        loop {
            let lines = self.part();
            assert!(!lines.is_empty(), "the stream has ended");
            let mut told = Told::default();
            for line in &lines {
                match line.split_once(": ") {
                    Some(("event", value)) => told.event = value.to_owned(),
                    Some(("id", value)) => told.id = Some(value.to_owned()),
                    Some(("data", value)) => told.data = value.to_owned(),
                    _ => {}
                }
            }
            if told != Told::default() {
                return told;
            }
        }
    }

    fn has_ended(mut self) -> bool {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap() == 0
    }
}

/// Commits a record: it comes to the board, then to whoever listens.
fn commit(serving: &Serving, partition: i32, offset: i64, id: &str, json: Option<&str>) {
    let place = Place { partition, offset };
    let taken = serving
        .board
        .take(place, id.as_bytes(), json.map(str::as_bytes))
        .unwrap();
    let change = taken.map(|taken| Change {
        place,
        id: id.into(),
        before: taken.before,
        after: taken.after,
    });
    serving.feed.read(place, wall_clock(), change);
}

pub(super) fn put_at(serving: &Serving, partition: i32, offset: i64, id: &str, revision: u64, band: &str) {
    let json = record(id, revision, band, "OPEN", AT);
    commit(serving, partition, offset, id, Some(&json));
}

pub(super) fn caught_up() -> Serving {
    let serving = serving();
    serving.board.set_caught_up();
    serving
}

#[test]
fn begins_with_all_that_is_open_and_goes_on_with_each_change() {
    let serving = caught_up();
    put_at(&serving, 0, 3, "a", 1, "P3");
    put_at(&serving, 1, 8, "b", 4, "P1");
    let closed = record("c", 2, "P2", "CLOSED", AT);
    commit(&serving, 1, 9, "c", Some(&closed));
    with_server(&serving, |address| {
        let mut listening = Listening::begin(address, "/api/events", None);
        let reset = listening.next();
        assert_eq!(
            (&*reset.event, &*reset.data, reset.id),
            ("reset", "{\"reason\":\"first\"}", None)
        );
        let first = listening.next();
        assert_eq!(first.incident(), ("incident", "b".to_owned(), 4));
        assert_eq!(first.id, None);
        assert_eq!(listening.next().incident(), ("incident", "a".to_owned(), 1));
        let current = listening.next();
        assert_eq!(
            (&*current.event, &*current.data, current.id.as_deref()),
            ("current", "{\"incidents\":2}", Some("0:3,1:9"))
        );
        put_at(&serving, 0, 5, "a", 2, "P2");
        let changed = listening.next();
        assert_eq!(changed.incident(), ("incident", "a".to_owned(), 2));
        assert_eq!(changed.id.as_deref(), Some("0:5,1:9"));
        assert_eq!(
            changed.data,
            record("a", 2, "P2", "OPEN", AT),
            "as it was committed"
        );
        commit(&serving, 1, 11, "c", None);
        assert_eq!(listening.next().incident(), ("gone", "c".to_owned(), 0));
        assert_eq!(listening.next_is_silent(), None);
    });
}

impl Listening {
    /// Nothing is on its way: what was told was all.
    fn next_is_silent(&mut self) -> Option<Told> {
        (!self.0.buffer().is_empty()).then(|| self.next())
    }
}

#[test]
fn goes_on_by_the_id_at_another_process() {
    let (here, there) = (caught_up(), caught_up());
    for serving in [&here, &there] {
        put_at(serving, 0, 0, "a", 1, "P3");
        put_at(serving, 0, 1, "b", 1, "P3");
        put_at(serving, 1, 0, "c", 1, "P3");
        put_at(serving, 1, 1, "d", 1, "P3");
    }
    let mut id = None;
    with_server(&here, |address| {
        let mut listening = Listening::begin(address, "/api/events", None);
        while id.is_none() {
            id = listening.next().id;
        }
    });
    assert_eq!(id.as_deref(), Some("0:1,1:1"));
    // Meanwhile, of which the first process knows nothing any more.
    put_at(&there, 0, 2, "a", 2, "P2");
    put_at(&there, 0, 4, "a", 3, "P1");
    put_at(&there, 1, 2, "e", 1, "P4");
    commit(&there, 1, 5, "d", None);
    with_server(&there, |address| {
        let mut listening = Listening::begin(address, "/api/events", id.as_deref());
        let told: Vec<Told> = (0..4).map(|_| listening.next()).collect();
        let seen: Vec<_> = told[..3].iter().map(Told::incident).collect();
        assert_eq!(
            seen,
            [
                ("incident", "a".to_owned(), 3),
                ("incident", "e".to_owned(), 1),
                ("gone", "d".to_owned(), 0)
            ]
        );
        let ids: Vec<_> = told.iter().map(|told| told.id.as_deref().unwrap()).collect();
        assert_eq!(ids, ["0:4,1:1", "0:4,1:2", "0:4,1:5", "0:4,1:5"]);
        assert_eq!(told[3].event, "current");
        // Cut off in the middle, it goes on in the middle.
        let mut again = Listening::begin(address, "/api/events", Some(ids[0]));
        assert_eq!(again.next().incident(), ("incident", "e".to_owned(), 1));
    });
}

#[test]
fn waits_for_what_another_process_has_told_already() {
    let serving = caught_up();
    put_at(&serving, 0, 0, "a", 1, "P3");
    with_server(&serving, |address| {
        let answered = std::thread::scope(|scope| {
            let listening = scope.spawn(|| {
                let mut listening = Listening::begin(address, "/api/events", Some("0:2"));
                (listening.next(), listening.next())
            });
            put_at(&serving, 0, 2, "a", 2, "P3");
            put_at(&serving, 0, 3, "b", 1, "P3");
            listening.join().unwrap()
        });
        let told = [&answered.0, &answered.1];
        // Whichever came first, the opening or the second record: b is told once, and a not again.
        let incidents: Vec<_> = told.iter().filter(|told| told.event == "incident").collect();
        assert_eq!(incidents.len(), 1, "{answered:?}");
        assert_eq!(incidents[0].incident().1, "b");
        assert!(told.iter().any(|told| told.event == "current"), "{answered:?}");
    });
}

#[test]
fn begins_anew_where_nobody_can_go_on() {
    let serving = caught_up();
    let long_ago = EventTime::from_millis(wall_clock().millis() - 30 * 3_600_000);
    serving.feed.read(
        Place {
            partition: 0,
            offset: 7,
        },
        long_ago,
        None,
    );
    put_at(&serving, 0, 8, "a", 1, "P3");
    with_server(&serving, |address| {
        let check = |id: &str, reason: &str| {
            let mut listening = Listening::begin(address, "/api/events", Some(id));
            let reset = listening.next();
            assert_eq!(
                (&*reset.event, &*reset.data),
                ("reset", &*format!("{{\"reason\":\"{reason}\"}}"))
            );
            assert_eq!(listening.next().incident(), ("incident", "a".to_owned(), 1));
            assert_eq!(listening.next().id.as_deref(), Some("0:8"));
        };
        check("0:6", "too_old");
        check("yesterday", "unreadable");
        check("0:9", "ahead");
        let mut listening = Listening::begin(address, "/api/events", Some("0:7"));
        assert_eq!(listening.next().incident(), ("incident", "a".to_owned(), 1));
    });
}

#[test]
fn a_filter_tells_what_leaves_it() {
    let serving = caught_up();
    put_at(&serving, 0, 0, "a", 1, "P1");
    put_at(&serving, 0, 1, "b", 1, "P3");
    with_server(&serving, |address| {
        let target = "/api/events?band=P1,P2&layer=duty&code=310117001&bbox=121,31,122,32";
        let mut listening = Listening::begin(address, target, None);
        assert_eq!(listening.next().event, "reset");
        assert_eq!(listening.next().incident(), ("incident", "a".to_owned(), 1));
        let current = listening.next();
        put_at(&serving, 0, 2, "b", 2, "P4");
        put_at(&serving, 0, 3, "a", 2, "P3");
        let left = listening.next();
        assert_eq!(left.incident(), ("gone", "a".to_owned(), 2));
        assert_eq!(left.id.as_deref(), Some("0:3"));
        put_at(&serving, 0, 4, "b", 3, "P2");
        assert_eq!(listening.next().incident(), ("incident", "b".to_owned(), 3));
        // Who comes again is told what does not belong to it any more, for nobody knows what it knew.
        let mut again = Listening::begin(address, target, current.id.as_deref());
        assert_eq!(again.next().incident(), ("gone", "a".to_owned(), 2));
        assert_eq!(again.next().incident(), ("incident", "b".to_owned(), 3));
        let answer = ask(address, "GET", "/api/events?limit=3");
        assert_eq!(
            (answer.status, answer.json()["parameter"].as_str()),
            (400, Some("limit"))
        );
        let answer = ask(address, "GET", "/api/events?band=P7");
        assert_eq!(answer.status, 400);
    });
}

#[test]
fn gives_signs_of_life_that_carry_the_id_on() {
    let serving = caught_up();
    put_at(&serving, 0, 0, "a", 1, "P1");
    let mut door = Door::default();
    door.limits.heartbeat.0 = 100;
    with_door(door, &serving, |address| {
        let mut listening = Listening::begin(address, "/api/events?band=P1", None);
        while listening.next().event != "current" {}
        assert_eq!(listening.part(), [":"]);
        put_at(&serving, 0, 6, "b", 1, "P4");
        assert_eq!(
            listening.next(),
            Told {
                id: Some("0:6".to_owned()),
                ..Told::default()
            }
        );
        assert_eq!(listening.part(), [":"]);
    });
}

#[test]
fn a_reader_that_falls_behind_is_cut_off_and_can_go_on() {
    let mut door = Door::default();
    door.limits.behind = 4;
    let serving = Serving {
        feed: Arc::new(Feed::new(4, wall_clock())),
        ..caught_up()
    };
    put_at(&serving, 0, 0, "a", 1, "P1");
    with_door(door, &serving, |address| {
        let mut listening = Listening::begin(address, "/api/events", None);
        let mut last = listening.next();
        while last.event != "current" {
            last = listening.next();
        }
        // Far more than the kernel's buffers hold, while nobody reads.
        for offset in 1..20_000 {
            put_at(&serving, 0, offset, "a", 1 + offset as u64, "P1");
        }
        let behind = loop {
            let told = listening.next();
            if told.event == "behind" {
                break told;
            }
            last = told;
        };
        assert!(behind.data.contains("missed"), "{behind:?}");
        assert!(listening.has_ended());
        let metrics = ask(address, "GET", "/metrics").body;
        assert!(
            metrics.contains("cityops_http_refused_total{reason=\"behind\"} 1"),
            "{metrics}"
        );
        let mut again = Listening::begin(address, "/api/events", last.id.as_deref());
        assert_eq!(again.next().incident(), ("incident", "a".to_owned(), 20_000));
    });
}

#[test]
fn streams_are_limited_and_come_when_the_board_is_whole() {
    let serving = serving();
    let mut door = Door::default();
    door.limits.streams = 1;
    with_door(door, &serving, |address| {
        let early = ask(address, "GET", "/api/events");
        assert_eq!(early.status, 503);
        assert!(
            early.json()["error"].as_str().unwrap().contains("/readyz"),
            "{}",
            early.body
        );
        serving.board.set_caught_up();
        let mut one = Listening::begin(address, "/api/events", None);
        assert_eq!(one.next().event, "reset");
        let second = ask(address, "GET", "/api/events");
        assert_eq!((second.status, second.json()["limit"].as_u64()), (503, Some(1)));
        assert!(second.head.contains("retry-after: 5"), "{}", second.head);
        drop(one);
        // It goes when the server sees the end of the first.
        eventually("the first has gone", || {
            ask(address, "HEAD", "/api/events").status == 200
        });
    });
}

#[test]
fn an_end_ends_the_streams_too() {
    let serving = caught_up();
    let mut stream = None;
    with_server(&serving, |address| {
        let mut listening = Listening::begin(address, "/api/events", None);
        while listening.next().event != "current" {}
        stream = Some(listening);
    });
    assert!(stream.unwrap().has_ended());
}
