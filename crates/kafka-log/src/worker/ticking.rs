//! Looks at the ends of the inputs: how far behind the loop is, and what the tick may say about quiet partitions.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use city_model::{EventTime, Input};

use super::clocks::Progress;
use super::failure::Failure;
use super::session::{LAG_EVERY, Work};
use super::tasks::Task;
use crate::Lag;
use crate::probe::{Place, Probe};

impl Work<'_> {
    /// Adds the tick to the outbox when it is due; whether it did.
    pub(super) fn look_at_clocks(&mut self) -> Result<bool, Failure> {
        let now = Instant::now();
        let due = match &self.clocks {
            Some(clocks) => clocks.due_in(now).is_zero(),
            None => now.duration_since(self.last_lag) >= LAG_EVERY,
        };
        if !due || self.tasks.is_empty() {
            return Ok(false);
        }
        // A broker that does not answer this now will hardly answer the transaction; then nobody is at the end.
        let at_end = match at_ends(&self.probe, &self.tasks) {
            Ok(ends) => {
                // Who knows of no partition is of no help, whatever he answers.
                if ends.iter().any(Option::is_some) {
                    self.observer.answered(self.config.name);
                }
                ends
            }
            Err(error) => {
                tracing::warn!(worker = self.config.name, %error, "the ends of the inputs are not known");
                vec![None; self.tasks.len()]
            }
        };
        // A look may take longer than it is to the next one.
        let looked = Instant::now();
        self.last_lag = looked;
        for (task, behind) in self.tasks.iter().zip(&at_end) {
            if let Some(behind) = behind {
                let lag = Lag {
                    records: *behind,
                    newest: task.newest,
                };
                self.observer.lag(task.topic, task.partition, lag);
            }
        }
        let (Some(clocks), Some(config)) = (self.clocks.as_mut(), self.config.ticks.as_ref()) else {
            return Ok(false);
        };
        let progress: Vec<Progress> = self
            .tasks
            .iter()
            .zip(&at_end)
            .map(|(task, behind)| Progress {
                topic: task.topic,
                partition: task.partition,
                newest: task.newest,
                at_end: *behind == Some(0),
            })
            .collect();
        let tick = clocks.tick(&progress);
        clocks.sent(looked);
        if tick.clocks.is_empty() && !clocks.wants_empty() {
            return Ok(false);
        }
        for task in &self.tasks {
            let name = stream_worker::input_partition_name(task.topic, task.partition);
            if let Some((_, time)) = tick.clocks.iter().find(|(named, _)| *named == name) {
                self.observer.tick(
                    self.config.name,
                    task.topic,
                    task.partition,
                    wall().millis() - time.millis(),
                );
            }
        }
        for partition in 0..config.partitions {
            self.outbox.send(partition, Input::Tick(tick.clone()));
        }
        Ok(true)
    }
}

/// For each task, how many offsets lie between it and the end, control records and open transactions included. `None` where no
/// broker says, or the end lies before what was read: then that is not there any more, and what is at the end is not known.
fn at_ends(probe: &Probe, tasks: &[Task]) -> rdkafka::error::KafkaResult<Vec<Option<i64>>> {
    let places: Vec<Place> = tasks.iter().map(Task::place).collect();
    let ends = probe.known_ends(&places, Duration::ZERO)?;
    let mut behind: Vec<Option<i64>> = tasks
        .iter()
        .zip(&ends)
        .map(|(task, end)| end.map(|end| end - task.next).filter(|behind| *behind >= 0))
        .collect();
    // What retention has cut cannot be read any more: a partition whose first offset is its end is empty.
    let suspects: Vec<usize> = (0..tasks.len())
        .filter(|&index| behind[index].is_some_and(|behind| behind > 0) && tasks[index].records == 0)
        .collect();
    let asked: Vec<Place> = suspects.iter().map(|&index| places[index].clone()).collect();
    for (&index, beginning) in suspects
        .iter()
        .zip(probe.known_beginnings(&asked, Duration::ZERO)?)
    {
        if beginning.is_some_and(|beginning| Some(beginning) >= ends[index]) {
            behind[index] = Some(0);
        }
    }
    Ok(behind)
}

/// The wall's clock.
pub(super) fn wall() -> EventTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    EventTime::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
