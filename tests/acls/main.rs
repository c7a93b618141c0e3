//! The rights that `topics plan --acls` prints, against a broker with its authorizer on: with exactly these everything works, and
//! without any one of them an error names what is missing.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[path = "../city/mod.rs"]
mod city;

mod acl_requests;
mod encrypted;
mod rebuilding;
mod withdrawn;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use acl_requests::{Granting, Right, group_as};
use city::folder::{Folder, Told};
use city::town::{SOUTH_WEST, Town, two_cells};
use city::web;
use kafka_log::Properties;
use kafka_log::produce::{NewRecord, Sender};
use kafka_log::read::read_all;
use kafka_log::topic_name;
use serde_json::{Value, json};
use wire_format::Topic;

/// Everyone in each duty, who has a user of that name.
const PARTIES: [&str; 11] = [
    "worker",
    "centre",
    "integrator-sensor",
    "integrator-hotline",
    "integrator-video",
    "integrator-report",
    "integrator-weather",
    "sre",
    "sre-topics",
    "sre-deadletters",
    "sre-rebuild",
];
const PREFIX: &str = "town.";
/// No broker is killed here, so it need not be missed soon; one without processor time would be, and its topics with it.
const PATIENT: [&str; 4] = [
    "--set",
    "broker.session.timeout.ms=30000",
    "--set",
    "broker.heartbeat.interval.ms=2000",
];
/// The protocol's code for a group that may not be used.
const NO_GROUP_RIGHT: i16 = 30;
const PATIENCE: Duration = Duration::from_secs(60);

/// A broker with users, and a configuration for each of them.
struct Place {
    run: PathBuf,
    /// Where everyone may do everything.
    bootstrap: String,
    users: String,
    granting: Granting,
    folders: Vec<Folder>,
}

fn script(name: &str) -> Command {
    Command::new(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy/kafka-local")
            .join(name),
    )
}

/// Starts a broker that lives as long as this process; answers where everyone may do everything.
fn started(run: &Path, arguments: &[&str]) -> String {
    let printed = city::succeed(
        script("start")
            .args(["--die-with", &std::process::id().to_string()])
            .args(arguments)
            .args(PATIENT)
            .arg(run),
    );
    printed.trim().to_owned()
}

impl Place {
    fn start() -> Place {
        let run = std::env::temp_dir().join(format!("cityops-acls-{}", std::process::id()));
        let bootstrap = started(&run, &["--users", &PARTIES.join(",")]);
        let users = std::fs::read_to_string(run.join("bootstrap-users")).unwrap();
        let users = users.trim().to_owned();
        let folders = PARTIES.map(|party| {
            let folder = Folder::new(&config(&users, party, ""));
            folder.write("grid.geojson", two_cells());
            folder
        });
        Place {
            granting: Granting::at(&bootstrap),
            run,
            bootstrap,
            users,
            folders: folders.into(),
        }
    }

    fn folder(&self, party: &str) -> &Folder {
        &self.folders[PARTIES.iter().position(|known| *known == party).unwrap()]
    }

    fn run(&self, party: &str, command: &[&str]) -> Told {
        self.folder(party).run(command, &[])
    }

    /// The rights, one operation each, as they are printed.
    fn printed(&self) -> Vec<Right> {
        let principals = PARTIES.map(|party| format!("{}=User:{party}", party.replacen('-', ".", 1)));
        let mut command = vec!["--json", "topics", "plan", "--acls"];
        for principal in &principals {
            command.extend(["--principal", principal]);
        }
        let (code, out, err) = self.run("sre", &command);
        assert_eq!(code, Some(0), "{err}");
        Right::of_printed(&out)
    }

    fn properties(&self, party: &str) -> Properties {
        let pairs = [
            ("bootstrap.servers", self.users.as_str()),
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", party),
            ("sasl.password", party),
        ];
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn send(&self, party: &str, topic: &str, value: &str) -> anyhow::Result<()> {
        let sender = Sender::new(&self.properties(party))?;
        sender.send(&NewRecord {
            topic,
            partition: None,
            key: Some(b"key"),
            value: Some(value.as_bytes()),
            timestamp: None,
            headers: &[],
        })?;
        sender.flush()
    }

    fn read(&self, party: &str, topic: &str) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut values = Vec::new();
        read_all(&self.properties(party), topic, |record| {
            values.extend(record.value().map(<[u8]>::to_vec));
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(values)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = script("stop").arg("--remove").arg(&self.run).status();
    }
}

fn config(users: &str, party: &str, more: &str) -> String {
    format!(
        "[[grid.layers]]\nname = \"duty\"\n[[grid.layers.levels]]\nlevel = \"duty_cell\"\nfile = \"grid.geojson\"\n\
         [kafka]\nbootstrap_servers = \"{users}\"\ntopic_prefix = \"{PREFIX}\"\nsession_timeout = \"6s\"\n\
         [kafka.properties]\n\"security.protocol\" = \"SASL_PLAINTEXT\"\n\"sasl.mechanism\" = \"PLAIN\"\n\
         \"sasl.username\" = \"{party}\"\n\"sasl.password\" = \"{party}\"\n\
         [http]\nlisten = \"127.0.0.1:0\"\n[reload]\nwatch = \"off\"\n{more}{}",
        match more.contains("[topics]") {
            true => "",
            false => "[topics]\nsource_partitions = 1\nenriched_partitions = 1\n",
        }
    )
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

/// Everyone's part of the work, with exactly the printed rights.
fn everything_works(place: &mut Place, rights: &[Right]) {
    let process = Town::run(place.folder("worker"));
    let report = json!({"event_id": "r", "source_system": "inspector-app", "channel": "inspector", "report_id": "r",
        "category": ["暴露垃圾"], "observed_at": now(), "location": {"x": SOUTH_WEST.0, "y": SOUTH_WEST.1,
        "accuracy_m": 5.0, "quality": "GNSS"}});
    let named = |topic| topic_name(PREFIX, topic);
    place
        .send("integrator-report", &named(Topic::Report), &report.to_string())
        .unwrap();
    for (source, topic) in [
        ("integrator-sensor", Topic::Sensor),
        ("integrator-hotline", Topic::Hotline),
        ("integrator-video", Topic::Video),
        ("integrator-report", Topic::Report),
        ("integrator-weather", Topic::Weather),
    ] {
        place.send(source, &named(topic), "broken").unwrap();
        assert!(
            source == "integrator-report" || place.send(source, &named(Topic::Report), "x").is_err(),
            "{source}"
        );
    }
    for topic in [Topic::Silence, Topic::Command] {
        place.send("centre", &named(topic), "broken").unwrap();
    }
    let log = place.folder("worker").dir.path().join("cityops.log");
    web::wait("the centre sees the incident", &log, || {
        let incidents = place.read("centre", &named(Topic::Incidents)).unwrap();
        !incidents.is_empty()
    });
    web::wait("all else is refused", &log, || {
        let (code, out, err) = place.run("sre-deadletters", &["--json", "deadletter", "list"]);
        assert_eq!(code, Some(0), "{err}");
        serde_json::from_str::<Value>(&out).unwrap()["letters"] == 7
    });
    assert!(
        !place
            .read("integrator-report", &named(Topic::Outcomes))
            .unwrap()
            .is_empty()
    );
    assert_eq!(group_as(&place.users, "sre", "cityops-enrich", false), 0);
    assert_ne!(
        group_as(&place.users, "centre", "cityops-centre-1", true),
        NO_GROUP_RIGHT
    );
    withdrawn::is_told(place, rights, &log);
    assert_eq!(process.terminate(), Some(0));
    for command in ["ledger", "audit"] {
        let (code, out, err) = place.run("sre", &[command]);
        assert_eq!(code, Some(0), "{out}{err}");
    }
    let mut other = place.send("centre", &named(Topic::Report), "x").unwrap_err();
    assert!(format!("{other:#}").contains("town.city.reports.v1"), "{other:#}");
    for who in ["integrator-hotline", "sre"] {
        other = place.read(who, &named(Topic::DeadLetters)).unwrap_err();
        assert!(
            format!("{other:#}").contains("town.city.deadletter.v1"),
            "{who}: {other:#}"
        );
    }
}

/// What a party does that needs a right, and what it is told without it.
fn told_without(place: &Place, right: &Right) -> String {
    let all = |(code, out, err): Told| match code {
        Some(0) => String::new(),
        _ => format!("{out}{err}"),
    };
    let error = |result: anyhow::Result<()>| {
        result
            .err()
            .map_or_else(String::new, |error| format!("{error:#}"))
    };
    let sre = |command: &[&str]| all(place.run(&right.party, command));
    let topic = right.name.strip_prefix(PREFIX).and_then(Topic::by_name);
    match (
        right.party.as_str(),
        right.resource.as_str(),
        right.operation.as_str(),
    ) {
        ("worker", _, _) => all(place.run("worker", &["run"])),
        (party, "group", operation) => {
            let group = match right.prefixed {
                true => format!("{}-1", right.name),
                false => right.name.clone(),
            };
            match group_as(&place.users, party, &group, operation == "READ") {
                NO_GROUP_RIGHT => format!("the group {group} may not be used"),
                _ => String::new(),
            }
        }
        (party, _, "WRITE") if !party.starts_with("sre") => {
            error(place.send(&right.party, &right.name, "broken"))
        }
        (party, _, _) if !party.starts_with("sre") => error(place.read(&right.party, &right.name).map(drop)),
        (_, _, "ALTER_CONFIGS") => sre(&["topics", "apply"]),
        (_, "topic", "DESCRIBE") => sre(&["ledger"]),
        (_, "transactional-id", _) => sre(&["deadletter", "replay", "--all"]),
        (_, _, "READ") => match topic.unwrap() {
            Topic::DeadLetters => sre(&["deadletter", "list"]),
            Topic::Enriched
            | Topic::Incidents
            | Topic::IncidentsP1
            | Topic::IncidentsP2
            | Topic::IncidentsP3
            | Topic::IncidentsP4 => sre(&["audit"]),
            _ => sre(&["ledger"]),
        },
        (_, _, "WRITE") => match topic.unwrap() {
            Topic::DeadLetters => sre(&["deadletter", "replay", "--reason", "bad_json"]),
            topic => sre(&["deadletter", "replay", "--topic", topic.name()]),
        },
        other => panic!("{other:?}"),
    }
}

/// A topic, by which it is seen that a right to its settings is missing.
fn named_last() -> String {
    topic_name(PREFIX, Topic::Vitals)
}

#[test]
fn exactly_these_rights_are_enough_and_each_is_needed() {
    let begun = Instant::now();
    let mut place = Place::start();
    let rights = place.printed();
    // Creating topics comes first: without its right nothing is there.
    let is_apply =
        |right: &Right, operation: &str| right.party == "sre-topics" && right.operation == operation;
    let apply = |place: &Place| place.run("sre-topics", &["topics", "apply"]);
    let (create, others): (Vec<Right>, Vec<Right>) =
        rights.into_iter().partition(|right| is_apply(right, "CREATE"));
    place.granting.grant(&others);
    let (code, _, err) = apply(&place);
    assert!(
        code == Some(1) && err.contains("topic town.city."),
        "without CREATE: {err}"
    );
    place.granting.grant(&create);
    let deadline = Instant::now() + PATIENCE;
    // A right shows at the broker a moment after it was granted.
    loop {
        let (code, _, err) = apply(&place);
        if code == Some(0) {
            break;
        }
        assert!(Instant::now() < deadline, "{err}");
    }
    let (code, out, err) = apply(&place);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(
        out.matches("existed").count(),
        Topic::ALL.len(),
        "twice changes nothing: {out}"
    );
    everything_works(&mut place, &others);
    println!("everything works after {:.0?}", begun.elapsed());

    let mut wrong = Vec::new();
    let last = named_last();
    for right in &others {
        let is_later = is_apply(right, "ALTER") || right.operation == "DELETE";
        // Of what is the same for every topic, one topic stands for all.
        let is_of_all = right.operation == "ALTER_CONFIGS"
            || (right.operation == "DESCRIBE" && right.resource == "topic");
        if is_later || (is_of_all && right.name != last) {
            continue;
        }
        place.granting.withdraw(right);
        let deadline = Instant::now() + Duration::from_secs(30);
        let told = loop {
            let told = told_without(&place, right);
            // A right goes a moment after it was withdrawn; and a broker without processor time may lose its leaders for another.
            if told.contains(right.name.as_str()) || Instant::now() > deadline {
                break told;
            }
        };
        let named = told.contains(right.name.as_str());
        println!(
            "{:>4.0?} {} {} on {} {}: {}",
            begun.elapsed(),
            right.party,
            right.operation,
            right.resource,
            right.name,
            if named { "named" } else { "NOT NAMED" }
        );
        if !named {
            wrong.push(format!("{right:?}: {told}"));
        }
        place.granting.grant(std::slice::from_ref(right));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // More partitions, by the operator's word and right.
    let wider = "[topics]\nsource_partitions = 2\nenriched_partitions = 1\n";
    let text = config(&place.users, "sre-topics", wider);
    place.folder("sre-topics").write("cityops.toml", text);
    let (code, out, _) = apply(&place);
    assert_eq!(code, Some(3), "keys would move: {out}");
    assert!(out.contains("partitions: 1 → 2; left"), "{out}");
    let of_reports = topic_name(PREFIX, Topic::Report);
    let alter = others
        .iter()
        .find(|right| is_apply(right, "ALTER") && right.name == of_reports)
        .unwrap();
    place.granting.withdraw(alter);
    let force = |place: &Place| place.run("sre-topics", &["topics", "apply", "--force"]);
    let (code, _, err) = force(&place);
    assert!(
        code == Some(1) && err.contains(&of_reports),
        "without ALTER: {err}"
    );
    place.granting.grant(std::slice::from_ref(alter));
    let deadline = Instant::now() + PATIENCE;
    while force(&place).0 != Some(0) {
        assert!(Instant::now() < deadline);
    }
    rebuilding::deletes(&mut place, &others);
    println!(
        "all of it took {:.0?}; the broker was at {}",
        begun.elapsed(),
        place.bootstrap
    );
}
