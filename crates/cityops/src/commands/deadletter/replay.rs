//! `cityops deadletter replay`: feeds rejected records to their topics again, each at most once.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use kafka_log::atomic::AtomicSender;
use serde_json::json;

use super::zone;
use crate::CommandResult;
use crate::cli::DeadletterReplayArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::deadletter::{Fed, Filter, Letter, Obstacle, Systems, feed, scan, transactional_id};
use crate::exit::{Exit, usage};
use crate::topics;

/// How often the line of progress is drawn anew.
const DRAW_EVERY: Duration = Duration::from_millis(100);

pub(super) fn run(args: &DeadletterReplayArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    let filter = Filter::of(&args.filter, &zone(&loaded))?;
    if filter.is_empty() && !args.all {
        return Err(usage(
            "which dead letters? Give a condition, such as --reason unknown_source, or --all",
        ));
    }
    let properties = topics::properties(&loaded)?;
    kafka_log::admin::reachable(&properties, Duration::from_secs(15))
        .map_err(|error| loaded.no_broker(&error))?;
    // Before it is read which letters carry a mark: from here on no other run can add one.
    let sender = match args.dry_run {
        true => None,
        false => Some(AtomicSender::start(&properties, &transactional_id(&loaded))?),
    };
    let letters = scan(&loaded, &properties, &filter, &mut Systems::of(&loaded)?)?;
    let already = letters.iter().filter(|letter| letter.replayed).count();
    let waiting: Vec<&Letter> = letters.iter().filter(|letter| !letter.replayed).collect();
    let mut left: BTreeMap<Obstacle, usize> = BTreeMap::new();
    for obstacle in waiting.iter().filter_map(|letter| letter.obstacle(args.again)) {
        *left.entry(obstacle).or_default() += 1;
    }
    let chosen: Vec<&Letter> = waiting
        .into_iter()
        .filter(|letter| letter.obstacle(args.again).is_none())
        .collect();
    let fed = match sender {
        None => Fed::default(),
        Some(mut sender) => {
            let mut bar = Progress::new(chosen.len());
            let fed = feed(&loaded, &properties, &mut sender, &chosen, |done| bar.show(done));
            bar.clear();
            fed?
        }
    };
    if json {
        let left: BTreeMap<&str, usize> = left.iter().map(|(why, count)| (why.as_str(), *count)).collect();
        print(
            json!({ "selected": letters.len(), "already_fed": already, "fed": fed.fed, "would_feed":
            args.dry_run.then_some(chosen.len()), "gone": fed.gone, "not_replayable": left, "dry_run": args.dry_run }),
        );
    } else {
        say(args.dry_run, letters.len(), already, &chosen, fed, &left);
    }
    Ok(match left.is_empty() && fed.gone == 0 {
        true => Exit::Clean,
        false => Exit::Differences,
    })
}

fn say(
    dry_run: bool,
    selected: usize,
    already: usize,
    chosen: &[&Letter],
    fed: Fed,
    left: &BTreeMap<Obstacle, usize>,
) {
    let mut topics: BTreeMap<&str, usize> = BTreeMap::new();
    for letter in chosen {
        *topics.entry(&letter.topic).or_default() += 1;
    }
    print(format!(
        "{selected} dead letters meant, {already} of them fed before  选中 {selected} 条，其中 {already} 条已重放过"
    ));
    if dry_run {
        print(format!(
            "{} would be fed  将重放 {} 条",
            chosen.len(),
            chosen.len()
        ));
    } else {
        print(format!("{} fed  已重放 {} 条", fed.fed, fed.fed));
    }
    for (topic, count) in topics {
        print(format!("{count:>8}  {topic}"));
    }
    for (obstacle, count) in left {
        print(format!("{count:>8}  left: {}", obstacle.sentence()));
    }
    if fed.gone > 0 {
        print(format!(
            "{:>8}  left: the topic forgot them meanwhile  已过保留期",
            fed.gone
        ));
    }
}

/// A line on a terminal that says how far it is.
struct Progress {
    total: usize,
    drawn: Option<Instant>,
    terminal: bool,
}

impl Progress {
    fn new(total: usize) -> Progress {
        Progress {
            total,
            drawn: None,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    fn show(&mut self, done: usize) {
        let fresh = self.drawn.is_some_and(|drawn| drawn.elapsed() < DRAW_EVERY);
        if !self.terminal || self.total == 0 || fresh && done < self.total {
            return;
        }
        self.drawn = Some(Instant::now());
        let width = 30;
        let filled = (done * width / self.total).min(width);
        let bar = format!("{}{}", "█".repeat(filled), "░".repeat(width - filled));
        let mut stderr = std::io::stderr();
        let _ = write!(stderr, "\r{bar} {done}/{} fed", self.total);
        let _ = stderr.flush();
    }

    fn clear(&self) {
        if self.drawn.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
