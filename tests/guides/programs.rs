//! The guides' programs as processes, each with the file that it prints into.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::city::town::Town;
use crate::city::{Running, broker};

/// A file of the guides.
pub fn guide(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy/guides")
        .join(name)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Python,
    Java,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::Python, Language::Java];
}

/// What the programs need: an interpreter with the client library, compiled classes, and a schema registry where there is one.
pub struct Toolbox {
    python: PathBuf,
    classpath: String,
    registry: Option<String>,
    _classes: tempfile::TempDir,
}

impl Toolbox {
    pub fn new(registry: Option<String>) -> Toolbox {
        let built = |script: &str, folder: &str| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
            told(Command::new(format!("tests/guides/{script}")).arg(folder))
        };
        let python = built("venv", "guides-python");
        let jars = format!("{}/*", built("jars", "guides-java"));
        let classes = tempfile::tempdir().unwrap();
        let sources = std::fs::read_dir(guide("java")).unwrap();
        let sources = sources.map(|entry| entry.unwrap().path());
        let mut compiler = Command::new(java("javac"));
        // What a compiler warns of is no example.
        compiler.args(["-Xlint:all", "-Werror", "--release", "17", "-cp", &jars, "-d"]);
        compiler.arg(classes.path());
        told(compiler.args(sources.filter(|path| path.extension().is_some_and(|end| end == "java"))));
        Toolbox {
            python: python.into(),
            classpath: format!("{}:{jars}", classes.path().display()),
            registry,
            _classes: classes,
        }
    }

    fn properties(&self, town: &Town) -> PathBuf {
        let mut text = format!(
            "# of a test\nbootstrap.servers={}\ntopic.prefix={}\n",
            broker(),
            town.prefix
        );
        if let Some(registry) = &self.registry {
            text += &format!("schema.registry.url={registry}\n");
        }
        town.folder.write("client.properties", text)
    }

    fn command(&self, language: Language, program: (&str, &str)) -> Command {
        match language {
            Language::Python => {
                let mut command = Command::new(&self.python);
                // Nothing is written beside the sources.
                command.arg("-B").arg(guide(&format!("python/{}.py", program.0)));
                command
            }
            Language::Java => {
                let mut command = Command::new(java("java"));
                command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m"]);
                command.arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
                command.args(["-cp", &self.classpath, program.1]);
                command
            }
        }
    }

    /// Starts the consumer on what its earlier runs left.
    pub fn follow(&self, town: &Town, language: Language) -> Program {
        let mut command = self.command(language, ("follow_incidents", "FollowIncidents"));
        command.arg(self.properties(town)).arg(state(town, language));
        let nth = (0..).find(|nth| !run_file(town, language, *nth).exists());
        let nth = nth.unwrap();
        Program::start(command, run_file(town, language, nth))
    }

    /// Starts the producer of a language on these records.
    pub fn produce(&self, town: &Town, language: Language, records: &[Value]) -> Program {
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        let input = town.folder.write("records.ndjson", lines);
        let mut command = self.command(language, ("produce_tickets", "ProduceReadings"));
        command.arg(self.properties(town));
        match language {
            Language::Python => command.args(["--follow", "110"]),
            Language::Java => command.arg("110"),
        };
        command.stdin(File::open(input).unwrap());
        Program::start(command, town.folder.dir.path().join("producer.ndjson"))
    }

    /// What each run of a consumer printed.
    pub fn runs(&self, town: &Town, language: Language) -> Vec<Vec<Value>> {
        let files = (0..).map(|nth| run_file(town, language, nth));
        files
            .take_while(|file| file.exists())
            .map(|file| lines(&file))
            .collect()
    }

    /// What a consumer has kept: revision, and whether it is open, by incident.
    pub fn known(&self, town: &Town, language: Language) -> BTreeMap<String, (u64, bool)> {
        let state = state(town, language);
        let rows = match language {
            Language::Python => told(Command::new(&self.python).args([
                "-c",
                "import sqlite3, sys\nfor row in sqlite3.connect(sys.argv[1]).execute('select incident_id, revision, status from incident'): print(*row, sep='\\t')",
                &state.display().to_string(),
            ])),
            Language::Java => whole_lines(&state),
        };
        let mut known = BTreeMap::new();
        for row in rows.lines() {
            let fields: Vec<&str> = row.split('\t').collect();
            let revision: u64 = fields[1].parse().unwrap();
            if fields[2] == "GONE" {
                known.remove(fields[0]);
                continue;
            }
            // In the journal each revision stands once.
            let before = known.insert(fields[0].to_owned(), (revision, fields[2] == "OPEN"));
            assert!(before.is_none_or(|(before, _)| before < revision), "{row}");
        }
        known
    }
}

/// A program that runs, and the files that it writes.
pub struct Program {
    running: Option<Running>,
    code: Option<i32>,
    out: PathBuf,
}

impl Program {
    fn start(mut command: Command, out: PathBuf) -> Program {
        let (stdout, stderr) = (
            File::create(&out).unwrap(),
            File::create(out.with_extension("log")).unwrap(),
        );
        Program {
            running: Some(Running(command.stdout(stdout).stderr(stderr).spawn().unwrap())),
            code: None,
            out,
        }
    }

    pub fn has_ended(&mut self) -> bool {
        let running = self.running.as_mut();
        let status = running.and_then(|running| running.0.try_wait().unwrap());
        if let Some(status) = status {
            self.code = status.code();
            self.running = None;
        }
        self.running.is_none()
    }

    pub fn code(&self) -> Option<i32> {
        self.code
    }

    /// SIGTERM: it ends by itself. Java's exit code is that of the signal.
    pub fn terminate(&mut self) {
        let code = self.running.take().unwrap().terminate();
        assert!(matches!(code, Some(0 | 143)), "{code:?} {}", self.complaints());
    }

    pub fn kill(&mut self) {
        self.running.take().unwrap().kill();
    }

    /// The whole lines that it printed.
    pub fn lines(&self) -> Vec<Value> {
        lines(&self.out)
    }

    pub fn has(&self, is_it: impl Fn(&Value) -> bool) -> bool {
        self.lines().iter().any(is_it)
    }

    pub fn log(&self) -> PathBuf {
        self.out.with_extension("log")
    }

    /// What it said on standard error, and what it printed.
    pub fn complaints(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap();
        format!("{log}\n{}", std::fs::read_to_string(&self.out).unwrap())
    }
}

fn lines(file: &Path) -> Vec<Value> {
    let whole = whole_lines(file);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// One that is still being written, or was when the program was killed, is none.
fn whole_lines(file: &Path) -> String {
    let mut text = std::fs::read_to_string(file).unwrap();
    text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
    text
}

fn state(town: &Town, language: Language) -> PathBuf {
    town.folder.dir.path().join(format!("{language:?}.state"))
}

fn run_file(town: &Town, language: Language, nth: usize) -> PathBuf {
    town.folder.dir.path().join(format!("{language:?}-{nth}.ndjson"))
}

/// `java` or `javac`, as `deploy/kafka-local` finds it.
fn java(name: &str) -> PathBuf {
    std::env::var_os("JAVA_HOME").map_or_else(|| name.into(), |home| Path::new(&home).join("bin").join(name))
}

/// Runs a command to its end and gives what it printed.
fn told(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{err}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
