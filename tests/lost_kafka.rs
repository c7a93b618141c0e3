//! The broker loses what it kept of a group: its offsets, its state, or what it had not read. Nothing is counted again and nothing is
//! opened again without a word: the program says what is lost, and does not go on as if nothing were.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use city::decided::{decided, feed, tool};
use city::{City, Running, broker, expect, run, seed, web};
use city_model::Band;
use city_simulator::Scenario;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use wire_format::Topic;

const RECORDS: usize = 800;

/// What `run` says when it refuses to go on.
fn refusal(city: &City) -> String {
    let output = run(&["run", "--config", &city.config()]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

#[test]
fn what_the_broker_lost_is_said() {
    let seed = seed();
    let city = City::new(Scenario::Typhoon, seed, RECORDS);
    let name = format!("lost-{seed}-{}", std::process::id());
    city.on_kafka(&broker(), &name);
    let config = city.config();
    let topic = |topic: Topic| kafka_log::topic_name(&format!("{name}."), topic);
    expect(0, &["topics", "apply", "--config", &config]);
    let fed = feed(seed, &format!("{name}."), RECORDS);
    let before = decided(&city, fed, "before.log");

    // The offsets of a group that stood still for a week are forgotten: to read all again would count it again.
    for worker in ["correlate", "enrich"] {
        let group = format!("{name}-{worker}");
        tool(&["consumer-groups", "--delete", "--group", &group]);
        let said = refusal(&city);
        assert!(
            said.contains(&format!("the group {group} has no offset for")),
            "{said}"
        );
        assert!(
            said.contains("--reset-offsets") && said.contains("RUNBOOK"),
            "{said}"
        );
        // All of it was read: whoever knows how far it was says so with Kafka's own tool.
        let inputs: Vec<String> = match worker {
            "correlate" => vec![topic(Topic::Enriched)],
            _ => {
                let sources = Topic::ALL.iter().filter(|of| of.source().is_some());
                sources.map(|of| topic(*of)).collect()
            }
        };
        let mut arguments = vec!["consumer-groups", "--reset-offsets", "--to-latest", "--execute"];
        arguments.extend(["--group", &group]);
        inputs
            .iter()
            .for_each(|input| arguments.extend(["--topic", input]));
        tool(&arguments);
    }
    assert_eq!(
        decided(&city, fed, "again.log"),
        before,
        "nothing is counted twice"
    );

    // Whoever reads a band alone would never hear of what was in its topic.
    expect(0, &["audit", "--config", &config]);
    for band in Band::ALL {
        tool(&["topics", "--delete", "--topic", &topic(Topic::of_band(*band))]);
    }
    expect(0, &["topics", "apply", "--config", &config]);
    let said = expect(3, &["audit", "--config", &config]);
    assert!(said.contains("and not in lost-"), "{said}");

    // The broker throws away what was not read yet.
    let more = feed(seed + 1, &format!("{name}."), RECORDS);
    assert!(more > 0);
    let gone = city.path("gone.json");
    let (source, offsets) = (topic(Topic::Sensor), "-1");
    std::fs::write(
        &gone,
        format!(r#"{{"partitions": [{{"topic": "{source}", "partition": 0, "offset": {offsets}}}], "version": 1}}"#),
    )
    .unwrap();
    tool(&[
        "delete-records",
        "--offset-json-file",
        &gone.display().to_string(),
    ]);
    let log = city.path("gone.log");
    let process = Running::start(&["run", "--config", &config], &log);
    web::wait("what was thrown away is counted", &log, || {
        web::address(&log).is_some_and(|address| {
            web::metric(&address, "cityops_thrown_away_offsets_total{worker=\"enrich\"}") > 0.0
        })
    });
    assert_eq!(process.terminate(), Some(0));
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(
        said.contains("the broker has thrown away what was not read yet"),
        "{said}"
    );

    // A state topic is made anew under a process, which goes on writing: what it writes from then on is no whole state, and who starts
    // later must not take it for one.
    let log = city.path("state.log");
    let mut process = Running::start(&["run", "--config", &config], &log);
    web::wait("the process is ready", &log, || web::is_ready(&log));
    let mut lost = vec![topic(Topic::EnrichChangelog)];
    tool(&["topics", "--delete", "--topic", &lost[0]]);
    expect(0, &["topics", "apply", "--config", &config]);
    feed(seed + 2, &format!("{name}."), RECORDS);
    web::wait("the process ends", &log, || {
        process.0.try_wait().unwrap().is_some()
    });
    let is_said = |said: &str, lost: &[String]| {
        let is_named = |topic: &String| said.contains(&format!("{topic}:"));
        assert!(
            said.contains("what was decided is lost") && lost.iter().any(is_named),
            "{said}"
        );
    };
    is_said(&std::fs::read_to_string(&log).unwrap(), &lost);
    is_said(&refusal(&city), &lost);

    // Another one while nobody is there; which loop says so first is not told beforehand.
    lost.push(topic(Topic::CorrelateChangelog));
    tool(&["topics", "--delete", "--topic", &lost[1]]);
    expect(0, &["topics", "apply", "--config", &config]);
    is_said(&refusal(&city), &lost);

    // Nor where nothing stands beside the offsets, as where an earlier version has committed them.
    for worker in ["enrich", "correlate"] {
        let group = format!("{name}-{worker}");
        let reset = [
            "consumer-groups",
            "--reset-offsets",
            "--to-current",
            "--execute",
            "--all-topics",
        ];
        tool(&[&reset[..], &["--group", &group]].concat());
    }
    let said = refusal(&city);
    let empty = format!("{} is empty: what was decided is lost", lost[1]);
    assert!(said.contains(&empty), "{said}");
}

/// Says as the empty group that it has read a partition up to an offset. Kafka's own tool refuses what lies beyond the end.
fn say_read(group: &str, topic: &str, offset: i64) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker()).set("group.id", group);
    let consumer: BaseConsumer = config.create().unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets
        .add_partition_offset(topic, 0, Offset::Offset(offset))
        .unwrap();
    consumer.commit(&offsets, CommitMode::Sync).unwrap();
}

#[test]
fn a_topic_that_goes_is_missed_and_what_is_made_anew_is_not_taken_for_read() {
    let seed = seed();
    let city = City::new(Scenario::Typhoon, seed, RECORDS);
    let name = format!("gone-{seed}-{}", std::process::id());
    city.on_kafka(&broker(), &name);
    let config = city.config();
    let source = kafka_log::topic_name(&format!("{name}."), Topic::Sensor);
    let group = format!("{name}-enrich");
    expect(0, &["topics", "apply", "--config", &config]);
    let mut fed = feed(seed, &format!("{name}."), RECORDS);
    decided(&city, fed, "before.log");

    // The group shares out what there is, so whoever reads it would look well.
    let log = city.path("gone.log");
    let process = Running::start(&["run", "--config", &config], &log);
    let ready = || web::get(&web::address(&log)?, "/readyz");
    web::wait("the process is ready", &log, || web::is_ready(&log));
    tool(&["topics", "--delete", "--topic", &source]);
    let missed = format!("enrich: the topic {source}");
    web::wait("the topic is missed", &log, || {
        ready().is_some_and(|said| said.contains("\"ready\":false") && said.contains(&missed))
    });
    assert_eq!(process.terminate(), Some(0));

    // Made anew it begins at 0, below what was read.
    expect(0, &["topics", "apply", "--config", &config]);
    let said = refusal(&city);
    assert!(said.contains("or the topic was made anew"), "{said}");
    let to = |whence: &str| {
        let at = ["--group", &group, "--topic", &source];
        tool(
            &[
                &["consumer-groups", "--reset-offsets", whence, "--execute"][..],
                &at,
            ]
            .concat(),
        );
    };
    to("--to-earliest");
    fed += feed(seed + 1, &format!("{name}."), RECORDS);
    let before = decided(&city, fed, "anew.log");

    // A broker that lost what was read, too, would be given new records below that offset.
    say_read(&group, &source, 1_000_000);
    let said = refusal(&city);
    assert!(
        said.contains(&format!("has read {source}:0 up to 1000000, but it ends at ")),
        "{said}"
    );
    to("--to-latest");
    assert_eq!(decided(&city, fed, "again.log"), before);

    // The same while it is read: what comes to lie at offsets that were read before is not passed over.
    let log = city.path("under.log");
    let mut process = Running::start(&["run", "--config", &config], &log);
    web::wait("the process is ready", &log, || web::is_ready(&log));
    tool(&["topics", "--delete", "--topic", &source]);
    expect(0, &["topics", "apply", "--config", &config]);
    feed(seed + 2, &format!("{name}."), RECORDS);
    web::wait("the process ends", &log, || {
        process.0.try_wait().unwrap().is_some()
    });
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.contains("or the topic was made anew"), "{said}");
}
