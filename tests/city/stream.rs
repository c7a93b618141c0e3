//! A reader of `/api/events`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

#[derive(Debug, Default)]
pub struct Event {
    pub name: String,
    pub id: String,
    pub data: Value,
}

pub struct Stream(BufReader<TcpStream>);

impl Stream {
    pub fn open(address: &str, id: Option<&str>) -> Stream {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let id = id.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        write!(stream, "GET /api/events HTTP/1.0\r\nHost: {address}\r\n{id}\r\n").unwrap();
        let mut stream = Stream(BufReader::new(stream));
        let first = stream.line();
        assert!(first.contains(" 200 "), "{first}");
        while !stream.line().is_empty() {}
        stream
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream has ended");
        line.trim_end().to_owned()
    }

    pub fn next(&mut self) -> Event {
        let mut event = Event::default();
        loop {
            let line = self.line();
            match line.split_once(": ") {
                Some(("event", value)) => event.name = value.to_owned(),
                Some(("id", value)) => event.id = value.to_owned(),
                Some(("data", value)) => event.data = serde_json::from_str(value).unwrap(),
                _ if line.is_empty() && !event.name.is_empty() => return event,
                _ => {}
            }
        }
    }
}

/// An incident's id and revision.
pub fn of(data: &Value) -> (String, u64) {
    (
        data["incident_id"].as_str().unwrap().to_owned(),
        data["revision"].as_u64().unwrap(),
    )
}
