//! `cityops report`: the evaluation (考评) of any span of committed history, as tables, JSON, or a page to print.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;
use city_model::{EventTime, IncidentId};
use file_log::ToldByLine;
use incident_engine::{IncidentRecord, Output, ToldBy};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use wire_format::Topic;

use crate::CommandResult;
use crate::cli::ReportArgs;
use crate::commands::again::decide_again;
use crate::commands::print;
use crate::config::Loaded;
use crate::evaluation::{Evaluation, Span, UrgentWatch, page, table};
use crate::exit::{Exit, usage};
use crate::{assemble, topics};

pub(super) fn run(args: &ReportArgs, json: bool) -> CommandResult {
    let loaded = args.config.as_ref().map(|path| Loaded::read(path)).transpose()?;
    let zone = match &loaded {
        Some(loaded) => assemble::timezone(loaded)?,
        None => TimeZone::get("Asia/Shanghai").context("the zone of days without a configuration")?,
    };
    let instant = |name: &str, told: &Option<String>| -> anyhow::Result<Option<EventTime>> {
        told.as_ref().map(|text| instant(name, text, &zone)).transpose()
    };
    let span = Span {
        from: instant("--from", &args.from)?,
        to: instant("--to", &args.to)?,
    };
    if let (Some(from), Some(to)) = (span.from, span.to)
        && from >= to
    {
        return Err(usage("--from is not before --to".to_owned()));
    }
    let history = match (&args.output, &loaded) {
        (Some(dir), _) => of_replay(dir, args.p1)?,
        (None, Some(loaded)) => live(loaded)?,
        (None, None) => {
            return Err(usage(
                "say where to look: --output DIR of a replay, or --config FILE".to_owned(),
            ));
        }
    };
    let mut evaluation = Evaluation::of(history.incidents.values(), &history.told_by, span);
    evaluation.p1 = args.p1.then(|| history.urgent.finish(&zone, span));
    if let Some(path) = &args.html {
        std::fs::write(path, page(&evaluation)).with_context(|| format!("write {}", path.display()))?;
    }
    if json {
        print(serde_json::to_string(&evaluation)?);
    } else {
        print(table(&evaluation).trim_end());
    }
    Ok(Exit::Clean)
}

/// What is evaluated: the last revision of each incident, what told of it, and when each was P1.
#[derive(Default)]
struct History {
    incidents: BTreeMap<IncidentId, IncidentRecord>,
    told_by: BTreeMap<IncidentId, ToldBy>,
    urgent: UrgentWatch,
}

/// The JSON lines of a file; none where it may be absent and is.
fn lines<T: DeserializeOwned>(path: &Path, may_lack: bool, mut each: impl FnMut(T)) -> anyhow::Result<()> {
    let file = match std::fs::File::open(path) {
        Err(error) if may_lack && error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        file => file.with_context(|| format!("read {}", path.display()))?,
    };
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("read {}", path.display()))?;
        let record = serde_json::from_str(&line)
            .with_context(|| format!("{}:{}: not what a replay writes", path.display(), number + 1))?;
        each(record);
    }
    Ok(())
}

fn of_replay(dir: &Path, with_p1: bool) -> anyhow::Result<History> {
    let mut history = History::default();
    let incidents = &mut history.incidents;
    lines(&dir.join("incidents.ndjson"), false, |record: IncidentRecord| {
        incidents.insert(record.incident_id.clone(), record);
    })?;
    // Replays of older versions did not say.
    lines(&dir.join(file_log::TOLD_BY), true, |line: ToldByLine| {
        history.told_by.insert(line.incident_id, line.told_by);
    })?;
    if with_p1 {
        let each = |record: IncidentRecord| history.urgent.see(&record);
        lines(&dir.join("revisions.ndjson"), false, each)?;
    }
    Ok(history)
}

/// Decides the committed enriched log again: what `city.incidents.v1` has forgotten still counts.
fn live(loaded: &Loaded) -> anyhow::Result<History> {
    let properties = topics::properties(loaded)?;
    let partitions = topics::partitions(loaded, &properties)?;
    let partitions = partitions.get(&Topic::Enriched).copied().unwrap_or(0);
    let topic = kafka_log::topic_name(&loaded.config.kafka.topic_prefix, Topic::Enriched);
    let mut history = History::default();
    for partition in 0..partitions {
        let begin = kafka_log::read::beginning(&properties, &topic, partition)?;
        if begin > 0 {
            tracing::warn!(
                partition,
                offset = begin,
                "retention has cut the log: earlier incidents do not count"
            );
        }
        decide_again(
            &properties,
            &topic,
            partition,
            None,
            |_| {},
            |_, outputs| {
                for output in outputs {
                    if let Output::Revision { record, told_by, .. } = output {
                        history.urgent.see(&record);
                        history.told_by.insert(record.incident_id.clone(), told_by);
                        history.incidents.insert(record.incident_id.clone(), *record);
                    }
                }
            },
        )?;
    }
    Ok(history)
}

/// RFC 3339, or a day, which begins at midnight in the city.
fn instant(name: &str, text: &str, zone: &TimeZone) -> anyhow::Result<EventTime> {
    let timestamp = text.parse::<jiff::Timestamp>().ok();
    let day = || {
        zone.to_timestamp(text.parse::<Date>().ok()?.to_datetime(Time::midnight()))
            .ok()
    };
    timestamp
        .or_else(day)
        .map(|at| EventTime::from_millis(at.as_millisecond()))
        .ok_or_else(|| {
            usage(format!(
                "{name} {text}: a day such as 2026-06-01, or a time in RFC 3339"
            ))
        })
}
