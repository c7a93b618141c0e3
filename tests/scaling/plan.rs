//! What a load needs, by the constants: pure reckoning.

use serde::Deserialize;

/// Seconds of three days: so long events are remembered.
const REMEMBERED_S: f64 = 72.0 * 3_600.0;
/// Partitions of a source topic come in multiples of this, so that 1, 2, 3, 4, 6 and 12 processes share them evenly.
const PARTITIONS_STEP: f64 = 12.0;

/// `deploy/scaling.toml`, which says what each is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Constants {
    pub(crate) cpu: Cpu,
    pub(crate) memory: Memory,
    pub(crate) restore: Restore,
    pub(crate) disk: Disk,
    pub(crate) share: Share,
    pub(crate) want: Want,
    pub(crate) price: Price,
    pub(crate) scenario: Vec<Load>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cpu {
    pub(crate) reading: f64,
    pub(crate) event: f64,
    pub(crate) correlate: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    pub(crate) process: f64,
    pub(crate) remembered: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restore {
    pub(crate) seconds: f64,
    pub(crate) changelog: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Disk {
    pub(crate) reading: f64,
    pub(crate) event: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Share {
    pub(crate) storm: f64,
    pub(crate) calm: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Want {
    pub(crate) busy: f64,
    pub(crate) restore_s: f64,
    pub(crate) memory: f64,
    pub(crate) storm_h: f64,
    pub(crate) changelog_times: f64,
    pub(crate) replicas: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Price {
    pub(crate) core: f64,
    pub(crate) memory_gb: f64,
    pub(crate) disk_gb: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Load {
    pub(crate) name: String,
    pub(crate) storm: bool,
    pub(crate) readings: f64,
    pub(crate) events: f64,
    pub(crate) mean: f64,
}

/// What a load needs.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Cores that our processes use.
    pub(crate) cores: f64,
    pub(crate) processes: f64,
    pub(crate) partitions: f64,
    /// Events of three days, in millions.
    pub(crate) remembered_millions: f64,
    /// Memory of the process with the heaviest group, and of all.
    pub(crate) largest_gb: f64,
    pub(crate) memory_gb: f64,
    /// Until the heaviest group's partition is restored.
    pub(crate) restore_s: f64,
    pub(crate) changelog_gb: f64,
    pub(crate) disk_gb_a_day: f64,
    pub(crate) price: f64,
    /// Each limit by name: what is needed of it, 1 being all there is.
    pub(crate) limits: [(&'static str, f64); 3],
}

/// Reckons.
pub(crate) fn plan(constants: &Constants, load: &Load) -> Plan {
    let Constants {
        cpu,
        memory,
        restore,
        disk,
        share,
        want,
        price,
        ..
    } = constants;
    let share = if load.storm { share.storm } else { share.calm };
    let enrich = (load.readings * cpu.reading + load.events * cpu.event) / 1e6;
    let correlate = load.events * cpu.correlate / 1e6;
    // One loop of each worker a process; two processes, so that one can fail.
    let loops = |cores: f64| (cores / want.busy).ceil();
    let processes = loops(enrich).max(loops(correlate)).max(2.0);
    // Twice as many, so that there is room to grow without moving keys.
    let partitions = (processes * 2.0 / PARTITIONS_STEP).ceil() * PARTITIONS_STEP;
    let storm_s = if load.storm { want.storm_h * 3_600.0 } else { 0.0 };
    let remembered = load.mean * REMEMBERED_S + load.events * storm_s;
    let state = remembered * memory.remembered;
    let largest = memory.process + state * share.max(1.0 / processes);
    let restored = remembered * share / 1e6 * restore.seconds;
    let changelog = remembered * restore.changelog * want.changelog_times * want.replicas;
    let daily = (load.readings * disk.reading + load.events * disk.event) * 86_400.0 * want.replicas;
    let all = memory.process * processes + state;
    let priced = (enrich + correlate) / want.busy * price.core
        + all / 1e9 * price.memory_gb
        + (changelog + daily) / 1e9 * price.disk_gb;
    Plan {
        cores: enrich + correlate,
        processes,
        partitions,
        remembered_millions: remembered / 1e6,
        largest_gb: largest / 1e9,
        memory_gb: all / 1e9,
        restore_s: restored,
        changelog_gb: changelog / 1e9,
        disk_gb_a_day: daily / 1e9,
        price: priced,
        limits: [
            ("one group's core", correlate * share / want.busy),
            ("one group's restore", restored / want.restore_s),
            ("one process's memory", largest / want.memory),
        ],
    }
}

/// The table of the page.
pub(crate) fn table(constants: &Constants) -> String {
    let mut text = String::from(
        "| load | readings / events a second | our cores | processes | source partitions | events remembered, M | \
         largest process, GB | all memory, GB | heaviest partition restored in, s | changelogs, GB | logs a day, GB | price a month | first limit |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for load in &constants.scenario {
        let it = plan(constants, load);
        let (limit, used) = it
            .limits
            .iter()
            .copied()
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap();
        let limit = match used > 1.0 {
            true => format!("**{limit}: {used:.1} times what there is**"),
            false => format!("{limit}, {:.0} % used", used * 100.0),
        };
        text.push_str(&format!(
            "| {} | {} / {} | {:.2} | {} | {} | {} | {:.2} | {:.2} | {} | {} | {} | {:.0} | {limit} |\n",
            load.name,
            load.readings,
            load.events,
            it.cores,
            it.processes,
            it.partitions,
            few(it.remembered_millions),
            it.largest_gb,
            it.memory_gb,
            few(it.restore_s),
            few(it.changelog_gb),
            few(it.disk_gb_a_day),
            it.price,
        ));
    }
    text
}

/// Three digits that mean something.
fn few(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 1.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}
