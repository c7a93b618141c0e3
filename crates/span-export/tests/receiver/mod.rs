//! A collector: a small HTTP server that reads OTLP in protobuf by the protocol's own types, and answers as it is told to.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How it answers.
#[derive(Debug, Clone)]
pub enum Manner {
    /// With this status; in 200 so many spans are refused.
    Answers(u16, i64),
    /// Not at all, until it is told otherwise.
    Hangs,
}

/// A request: its head in lower case, and what it holds.
pub struct Told {
    pub head: String,
    pub request: ExportTraceServiceRequest,
}

impl Told {
    pub fn spans(&self) -> Vec<Span> {
        let scopes = self
            .request
            .resource_spans
            .iter()
            .flat_map(|one| &one.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

/// A running collector.
pub struct Collector {
    pub address: String,
    pub told: Receiver<Told>,
    manner: Arc<(Mutex<Manner>, Condvar)>,
}

impl Collector {
    pub fn start(manner: Manner) -> Collector {
        Collector::on(TcpListener::bind("127.0.0.1:0").unwrap(), manner)
    }

    pub fn on(listener: TcpListener, manner: Manner) -> Collector {
        let address = format!("http://{}", listener.local_addr().unwrap());
        let manner = Arc::new((Mutex::new(manner), Condvar::new()));
        let (sender, told) = channel();
        let by = manner.clone();
        // Ends with the tests.
        std::thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                let (by, sender) = (by.clone(), sender.clone());
                std::thread::spawn(move || while answer(&caller, &by, &sender).is_some() {});
            }
        });
        Collector {
            address,
            told,
            manner,
        }
    }

    pub fn turn(&self, manner: Manner) {
        *self.manner.0.lock().unwrap() = manner;
        self.manner.1.notify_all();
    }

    pub fn next(&self) -> Told {
        self.told.recv_timeout(PATIENCE).unwrap()
    }

    /// Spans as they come, until there is one that is so.
    pub fn until(&self, is_so: impl Fn(&Span) -> bool) -> Vec<Span> {
        let mut all = Vec::new();
        while !all.iter().any(&is_so) {
            all.extend(self.next().spans());
        }
        all
    }
}

/// One request on a connection; `None` at its end.
fn answer(caller: &TcpStream, by: &(Mutex<Manner>, Condvar), told: &Sender<Told>) -> Option<()> {
    let mut reader = BufReader::new(caller);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))?;
    let mut body = vec![0; length.trim().parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let request = ExportTraceServiceRequest::decode(&*body).unwrap();
    let (manner, turned) = by;
    let mut manner = manner.lock().unwrap();
    while matches!(*manner, Manner::Hangs) {
        manner = turned.wait(manner).unwrap();
    }
    let Manner::Answers(status, refused) = *manner else {
        return None;
    };
    drop(manner);
    let mut said = ExportTraceServiceResponse::default();
    if refused > 0 {
        said.partial_success = Some(ExportTracePartialSuccess {
            rejected_spans: refused,
            error_message: "too old".to_owned(),
        });
    }
    let said = said.encode_to_vec();
    if status == 200 {
        told.send(Told { head, request }).ok()?;
    }
    let mut caller = caller;
    write!(
        caller,
        "HTTP/1.1 {status} So\r\nContent-Length: {}\r\n\r\n",
        said.len()
    )
    .ok()?;
    caller.write_all(&said).ok()
}

/// A text attribute of a span.
pub fn text<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    let found = span.attributes.iter().find(|one| one.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}
