//! A real registry: known ids, unknown ids, and what happens while it is away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use city_model::{DeadLetterReason, Source};
use schema_registry::{Address, Client, Registry, RegistryConfig, Standing};
use wire_format::{Decoder, Encoder, SchemaAnswer, SchemaSource, SchemaStore, SensorReading, Topic};

/// How long anything may take before a test fails.
/// More than a definite no holds.
const PATIENCE: Duration = Duration::from_secs(120);
const TIMEOUT: Duration = Duration::from_secs(5);

/// A registry process with a folder of its own.
struct Local {
    run: PathBuf,
}

impl Local {
    fn script(name: &str) -> Command {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/registry-local");
        Command::new(scripts.join(name))
    }

    fn new() -> Local {
        let run = std::env::temp_dir().join(format!("cityops-registry-{}", std::process::id()));
        Local { run }
    }

    /// Starts it, again on the same port.
    fn start(&self) -> Address {
        let owner = std::process::id().to_string();
        let output = Local::script("start")
            .args(["--die-with", &owner])
            .arg(&self.run)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Address::parse(String::from_utf8(output.stdout).unwrap().trim()).unwrap()
    }

    fn stop(&self) {
        assert!(Local::script("stop").arg(&self.run).status().unwrap().success());
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = Local::script("stop").arg("--remove").arg(&self.run).status();
    }
}

fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

fn reading() -> SensorReading<'static> {
    let json =
        r#"{"event_id":"e","source_system":"s","device_id":"d","metric":"m","value":1.5,"observed_at":7}"#;
    serde_json::from_str(json).unwrap()
}

#[test]
fn known_ids_go_on_and_unknown_ones_wait_while_it_is_away() {
    let local = Local::new();
    let address = local.start();
    let at = |address: Address| RegistryConfig {
        address,
        credentials: None,
        authorities: None,
        timeout: TIMEOUT,
    };
    let client = Client::new(&at(address.clone()));
    let schema = Topic::Sensor.schema().unwrap();
    let id = client.register("city.sensor.readings.v1-value", schema).unwrap();
    assert_eq!(
        client.register("city.sensor.readings.v1-value", schema),
        Ok(id),
        "the same again"
    );
    // Looking up asks for what is there, and registers nothing.
    assert_eq!(client.lookup("city.sensor.readings.v1-value", schema), Ok(id));
    let other = Topic::Hotline.schema().unwrap();
    let check = |subject: &str, expected: &str| {
        let why = client.lookup(subject, other).unwrap_err();
        assert!(why.contains(subject) && why.contains(expected), "{why}");
    };
    check(
        "city.sensor.readings.v1-value",
        "no version of the subject is this schema",
    );
    check("city.hotline.tickets.v1-value", "no such subject");
    check("city.hotline.tickets.v1-value", "no such subject");

    let registry = Arc::new(Registry::new(at(address)));
    assert_eq!(registry.counts().up, None, "nothing was asked yet");
    let store = SchemaStore::by_fingerprint_only().unwrap();
    let decoder = Decoder::new(store).with_source(registry.clone());
    let bytes = Encoder::new(Topic::Sensor, id)
        .unwrap()
        .framed(&reading())
        .unwrap();
    assert!(!decoder.is_ready(&bytes), "asked at once, answered later");
    until("the schema comes", || decoder.is_ready(&bytes));
    assert!(decoder.decode(Source::Sensor, &bytes).is_ok());

    // A definite no is one request, however often it is asked for.
    let unknown = Encoder::new(Topic::Sensor, 4_711)
        .unwrap()
        .framed(&reading())
        .unwrap();
    until("the answer comes", || decoder.is_ready(&unknown));
    let refusal = decoder.decode(Source::Sensor, &unknown).unwrap_err();
    assert_eq!(refusal.reason, DeadLetterReason::UnknownSchema);
    assert_eq!(refusal.detail, "schema id 4711: the registry has none");
    assert!((0..1_000).all(|_| decoder.is_ready(&unknown)));
    let counts = registry.counts();
    assert_eq!((counts.found, counts.unknown, counts.up), (1, 1, Some(true)));

    local.stop();
    assert!(
        decoder.is_ready(&bytes) && decoder.decode(Source::Sensor, &bytes).is_ok(),
        "known for ever"
    );
    let new = Encoder::new(Topic::Hotline, id + 1).unwrap();
    let ticket = serde_json::json!({"event_id": "e", "source_system": "s", "ticket_id": "t", "called_at": 7});
    let waiting = new.framed(&ticket).unwrap();
    until("a second request", || {
        assert!(!decoder.is_ready(&waiting), "nothing is settled while it is away");
        registry.counts().failed >= 2
    });
    assert_eq!(registry.counts().up, Some(false));
    assert!(matches!(registry.last(4_711), SchemaAnswer::Never(_)));

    // It keeps its schemas in memory, so it counts its ids anew; it takes the same port.
    let again = Client::new(&at(local.start()));
    let mut registered = again.register("a", "\"int\"").unwrap();
    while registered < id {
        registered = again
            .register(
                "a",
                &format!("{{\"type\":\"fixed\",\"name\":\"F\",\"size\":{registered}}}"),
            )
            .unwrap();
    }
    assert_eq!(
        again.register("city.hotline.tickets.v1-value", Topic::Hotline.schema().unwrap()),
        Ok(id + 1)
    );
    // Where it was asked between its start and the registration, it said no, which holds for a minute.
    until("the schema is known", || {
        matches!(registry.wait_for(id + 1, PATIENCE), SchemaAnswer::Known(_))
    });
    assert!(decoder.decode(Source::Hotline, &waiting).is_ok());
    assert_eq!(registry.counts().up, Some(true));
}

#[test]
fn a_schema_is_judged_before_it_is_registered() {
    let local = Local {
        run: std::env::temp_dir().join(format!("cityops-registry-judged-{}", std::process::id())),
    };
    let address = local.start();
    let client = Client::new(&RegistryConfig {
        address: address.clone(),
        credentials: None,
        authorities: None,
        timeout: TIMEOUT,
    });
    let (subject, schema) = ("judged-value", Topic::Report.schema().unwrap());
    let judged = || client.judge(subject, schema).unwrap();
    assert_eq!(judged().standing, Standing::New);
    assert_eq!(judged().mode, "NONE");
    let text = r#"{"type":"record","name":"Report","namespace":"cityops.v1","fields":[{"name":"event_id","type":"string"}]}"#;
    let first = client.register(subject, text).unwrap();
    assert_eq!(judged().standing, Standing::Compatible, "NONE compares nothing");
    // By the subject's own mode.
    for mode in ["FULL", "FULL_TRANSITIVE"] {
        set_mode(&address, subject, mode);
        let refused = judged();
        assert_eq!(refused.mode, mode);
        let Standing::Incompatible { reasons } = refused.standing else {
            panic!("{refused:?}")
        };
        assert!(
            reasons.iter().any(|reason| reason.contains("report_id")),
            "{reasons:?}"
        );
    }
    set_mode(&address, subject, "NONE");
    let id = client.register(subject, schema).unwrap();
    assert_ne!(id, first);
    assert_eq!(judged().standing, Standing::Same { id, version: Some(2) });
    local.stop();
    assert!(matches!(
        client.judge(subject, schema),
        Err(schema_registry::NoAnswer::Away(_))
    ));
}

/// `PUT /config/{subject}`, as an operator does.
fn set_mode(address: &Address, subject: &str, mode: &str) {
    use std::io::{Read, Write};
    let address = address.to_string();
    let (host, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let body = format!("{{\"compatibility\":\"{mode}\"}}");
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(
        stream,
        "PUT /{path}/config/{subject} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 200 "), "{answer}");
}
