//! A local schema registry, and a gate before it, so that nobody sees it half set up.

use std::io::{Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use schema_registry::{Address, Client, RegistryConfig};

use super::web;

const PATH: &str = "/apis/ccompat/v7";

/// A registry process with a folder of its own, and the gate that the program under test goes through.
pub struct LocalRegistry {
    run: PathBuf,
    gate: Arc<Gate>,
    /// Where the gate listens.
    pub listen: String,
}

#[derive(Default)]
struct Gate {
    open: AtomicBool,
    /// Where the registry is; it takes the same port again.
    behind: OnceLock<String>,
}

fn script(name: &str) -> Command {
    Command::new(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy/registry-local")
            .join(name),
    )
}

impl LocalRegistry {
    /// Starts it behind a gate that is closed.
    pub fn start(name: &str) -> LocalRegistry {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = listener.local_addr().unwrap().to_string();
        let gate = Arc::new(Gate::default());
        let own = gate.clone();
        // Ends with the process of the tests.
        std::thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                let gate = own.clone();
                std::thread::spawn(move || gate.pass(&caller));
            }
        });
        let run = std::env::temp_dir().join(format!("cityops-registry-{name}-{}", std::process::id()));
        let registry = LocalRegistry { run, gate, listen };
        registry.start_again();
        registry
    }

    /// Starts it, again on the same port and without a schema; the gate stays closed.
    pub fn start_again(&self) {
        let owner = std::process::id().to_string();
        let out = super::succeed(script("start").args(["--die-with", &owner]).arg(&self.run));
        let behind = out
            .trim()
            .strip_prefix("http://")
            .and_then(|rest| rest.strip_suffix(PATH))
            .unwrap();
        assert_eq!(self.gate.behind.get_or_init(|| behind.to_owned()), behind);
    }

    pub fn open_gate(&self) {
        self.gate.open.store(true, Ordering::SeqCst);
    }

    pub fn stop(&self) {
        self.gate.open.store(false, Ordering::SeqCst);
        assert!(script("stop").arg(&self.run).status().unwrap().success());
    }

    /// The address that belongs into a configuration.
    pub fn address(&self) -> String {
        format!("http://{}{PATH}", self.listen)
    }

    fn behind(&self) -> &str {
        self.gate.behind.get().unwrap()
    }

    /// Registers past the gate.
    pub fn register(&self, subject: &str, schema: &str) -> u32 {
        let address = Address::parse(&format!("http://{}{PATH}", self.behind())).unwrap();
        let client = Client::new(&RegistryConfig {
            address,
            credentials: None,
            authorities: None,
            timeout: Duration::from_secs(20),
        });
        client.register(subject, schema).unwrap()
    }

    /// Sets how the versions of a subject must agree: `NONE`, `BACKWARD`, `FULL` …
    pub fn set_mode(&self, subject: &str, mode: &str) {
        let body = format!("{{\"compatibility\":\"{mode}\"}}");
        let mut stream = TcpStream::connect(self.behind()).unwrap();
        write!(
            stream,
            "PUT {PATH}/config/{subject} HTTP/1.0\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.behind(),
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
    }

    /// The schema that it has under an id, as it gives it to any consumer.
    pub fn schema(&self, id: u32) -> apache_avro::Schema {
        let body = web::get(self.behind(), &format!("{PATH}/schemas/ids/{id}")).unwrap();
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        apache_avro::Schema::parse_str(body["schema"].as_str().unwrap()).unwrap()
    }
}

impl Gate {
    fn pass(&self, caller: &TcpStream) {
        let Some(behind) = self.behind.get().filter(|_| self.open.load(Ordering::SeqCst)) else {
            return;
        };
        let Ok(registry) = TcpStream::connect(behind) else {
            return;
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _ = copy(&mut &*caller, &mut &registry);
                let _ = registry.shutdown(Shutdown::Write);
            });
            let _ = copy(&mut &registry, &mut &*caller);
            let _ = caller.shutdown(Shutdown::Both);
        });
    }
}

impl Drop for LocalRegistry {
    fn drop(&mut self) {
        let _ = script("stop").arg("--remove").arg(&self.run).status();
    }
}
