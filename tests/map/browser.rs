//! A real browser, driven through its debugging pipe: messages in JSON, each ended by a zero byte.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Browser {
    process: Child,
    send: ChildStdin,
    messages: Receiver<Value>,
    number: u64,
    /// Exceptions and refusals of the pages.
    complaints: Vec<String>,
    credentials: Option<(String, String)>,
    asked: usize,
    _profile: tempfile::TempDir,
}

/// A page by the session that speaks to it.
pub(crate) struct Page(String);

impl Browser {
    pub(crate) fn start() -> Browser {
        let profile = tempfile::tempdir().unwrap();
        // It reads at 3 and writes at 4. As root, as in a container, it has no sandbox; it sees our own page alone.
        let command = format!(
            "exec chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
             --disable-background-networking --disable-component-update --window-size=1200,800 \
             --user-data-dir='{}' --remote-debugging-pipe 3<&0 4>&1 1>/dev/null",
            profile.path().display()
        );
        assert!(
            Command::new("chromium").arg("--version").output().is_ok(),
            "chromium does not start; it is in Debian's package chromium, which tests/run asks for"
        );
        let log = std::fs::File::create(profile.path().join("log")).unwrap();
        let mut process = Command::new("sh")
            .args(["-c", &command])
            .env("HOME", profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let (send, read) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let (told, messages) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(read).split(0).map_while(Result::ok) {
                // It ends when nobody listens.
                let Ok(message) = serde_json::from_slice(&message) else {
                    return;
                };
                if told.send(message).is_err() {
                    return;
                }
            }
        });
        Browser {
            process,
            send,
            messages,
            number: 0,
            complaints: Vec::new(),
            credentials: None,
            asked: 0,
            _profile: profile,
        }
    }

    /// When a page is refused for want of a token, the browser asks for a name and a password, and gets these.
    pub(crate) fn answer_with(&mut self, name: &str, password: &str) {
        self.credentials = Some((name.to_owned(), password.to_owned()));
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked
    }

    pub(crate) fn open(&mut self, url: &str) -> Page {
        let target = self.call(None, "Target.createTarget", json!({"url": "about:blank"}));
        let attached = self.call(
            None,
            "Target.attachToTarget",
            json!({"targetId": target["targetId"], "flatten": true}),
        );
        let page = Page(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log"] {
            self.call(Some(&page), &format!("{domain}.enable"), json!({}));
        }
        if self.credentials.is_some() {
            self.call(
                Some(&page),
                "Fetch.enable",
                json!({"handleAuthRequests": true, "patterns": [{}]}),
            );
        }
        let shown = self.call(Some(&page), "Page.navigate", json!({"url": url}));
        assert_eq!(shown["errorText"], Value::Null, "{shown}");
        page
    }

    /// What an expression comes to; a promise is waited for.
    pub(crate) fn eval(&mut self, page: &Page, expression: &str) -> Value {
        let answer = self.call(
            Some(page),
            "Runtime.evaluate",
            json!({"expression": expression, "awaitPromise": true, "returnByValue": true}),
        );
        assert_eq!(
            answer["exceptionDetails"],
            Value::Null,
            "{expression}\n{:?}",
            self.complaints
        );
        answer["result"]["value"].clone()
    }

    /// Looks again until it is true; the clock only bounds it.
    pub(crate) fn until(&mut self, page: &Page, what: &str, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        // A page that is just being loaded has not all that is looked for.
        let careful =
            format!("(async () => {{ try {{ return await ({expression}) }} catch {{ return null }} }})()");
        while self.eval(page, &careful) != true {
            assert!(
                Instant::now() < deadline,
                "waited in vain until {what}: {} {:?}",
                self.eval(page, "document.body.innerText"),
                self.complaints
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    pub(crate) fn key(&mut self, page: &Page, key: &str) {
        let mut event = json!({"type": "keyDown", "key": key, "code": key});
        match key {
            "Enter" => event["text"] = json!("\r"),
            "Tab" => {}
            key if key.len() == 1 => event["text"] = json!(key),
            _ => {}
        }
        let codes = [("Tab", 9), ("Enter", 13), ("Escape", 27), ("ArrowDown", 40)];
        if let Some((_, code)) = codes.iter().find(|(name, _)| *name == key) {
            event["windowsVirtualKeyCode"] = json!(code);
        }
        self.call(Some(page), "Input.dispatchKeyEvent", event.clone());
        event["type"] = json!("keyUp");
        self.call(Some(page), "Input.dispatchKeyEvent", event);
    }

    pub(crate) fn click(&mut self, page: &Page, x: f64, y: f64) {
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
            self.call(Some(page), "Input.dispatchMouseEvent", event);
        }
    }

    pub(crate) fn size(&mut self, page: &Page, width: u32, height: u32) {
        let screen = json!({"width": width, "height": height, "deviceScaleFactor": 2, "mobile": true});
        self.call(Some(page), "Emulation.setDeviceMetricsOverride", screen);
    }

    /// `light` or `dark`, as the system would ask for.
    pub(crate) fn shade(&mut self, page: &Page, shade: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": shade}]});
        self.call(Some(page), "Emulation.setEmulatedMedia", features);
    }

    /// A picture to be looked at by people, in the folder that CITYOPS_SHOTS names.
    pub(crate) fn shot(&mut self, page: &Page, name: &str) {
        let Some(dir) = std::env::var_os("CITYOPS_SHOTS") else {
            return;
        };
        let shot = self.call(Some(page), "Page.captureScreenshot", json!({"format": "png"}));
        let png = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::write(PathBuf::from(dir).join(format!("{name}.png")), png).unwrap();
    }

    /// What the pages had to complain about so far.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.clone()
    }

    /// Waits until there is such a complaint.
    pub(crate) fn until_complaint(&mut self, what: &str, is_it: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !self.complaints.iter().any(|text| is_it(text)) {
            assert!(
                Instant::now() < deadline,
                "waited in vain until {what}: {:?}",
                self.complaints
            );
            self.hear();
        }
    }

    fn call(&mut self, page: Option<&Page>, method: &str, params: Value) -> Value {
        let number = self.say(page.map(|page| &*page.0), method, params);
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "no answer to {method}");
            let Some(message) = self.hear() else { continue };
            if message["id"] == number {
                assert_eq!(message["error"], Value::Null, "{method}");
                return message["result"].clone();
            }
        }
    }

    fn say(&mut self, session: Option<&str>, method: &str, params: Value) -> u64 {
        self.number += 1;
        let mut message = json!({"id": self.number, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        write!(self.send, "{message}\0").unwrap();
        self.send.flush().unwrap();
        self.number
    }

    /// The next message; what is asked in it is answered, what is complained about kept.
    fn hear(&mut self) -> Option<Value> {
        let message = match self.messages.recv_timeout(Duration::from_secs(1)) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => return None,
            Err(RecvTimeoutError::Disconnected) => {
                let log = std::fs::read_to_string(self._profile.path().join("log")).unwrap_or_default();
                panic!("chromium has ended\n{log}");
            }
        };
        let params = &message["params"];
        let session = message["sessionId"].as_str().map(str::to_owned);
        match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => {
                self.complaints.push(params["exceptionDetails"].to_string());
            }
            Some("Log.entryAdded") => self.complaints.push(params["entry"]["text"].to_string()),
            Some("Fetch.requestPaused") => {
                let request = json!({"requestId": params["requestId"]});
                self.say(session.as_deref(), "Fetch.continueRequest", request);
            }
            Some("Fetch.authRequired") => {
                self.asked += 1;
                let (name, password) = self.credentials.clone().unwrap_or_default();
                let answer = json!({
                    "requestId": params["requestId"],
                    "authChallengeResponse": {"response": "ProvideCredentials", "username": name, "password": password},
                });
                self.say(session.as_deref(), "Fetch.continueWithAuth", answer);
            }
            _ => {}
        }
        Some(message)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The child of `exec` is the browser itself; its helpers end with it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
