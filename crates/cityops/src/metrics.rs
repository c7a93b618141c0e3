//! The metrics of a process: one struct, registered once and handed down; there are no globals.
//!
//! A gauge that nobody has fed yet is not shown: a zero would claim that something was measured. Counters begin at zero once
//! a service starts ([`Metrics::begin`]). Labels come from closed sets: sources, outcomes, reasons, bands, workers, and the
//! kinds, overrides, layers and source systems of the configuration.

mod clocks;
mod incidents;
mod intake;
mod ledger;
mod observing;
mod reloads;
mod schemas;
mod senders;
mod zeroes;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use city_grid::suspicion::Evidence;
use city_model::{Activation, DeadLetterReason, EventTime, Ledger, Quality, Source};
use event_intake::Placed;
use prometheus::core::Collector;
use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};
use wire_format::SchemaSource;

pub use incidents::{Appended, RevisionReason};
pub use intake::IntakeMetrics;
pub use observing::LoopObserver;
pub use reloads::{ReloadMetrics, ReloadResult};

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Bounds of the end-to-end latency in seconds. The objectives of the alerts lie on bounds: a second on a normal day, three in
/// a storm; from ten minutes on it does not matter any more how late it was.
const LATENCY_S: [f64; 15] = [
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0,
];

/// What a process measures. Every method is cheap enough to be called once a batch or once a published revision.
pub struct Metrics {
    registry: Registry,
    ledger: ledger::LedgerMetrics,
    dead_letters: IntCounterVec,
    clocks: clocks::ClockMetrics,
    location_quality: IntCounterVec,
    grid_located: IntCounterVec,
    codes_unmapped: IntCounterVec,
    senders: senders::SenderMetrics,
    lag: IntGaugeVec,
    watermark_lag: GaugeVec,
    stage_duration: HistogramVec,
    committed: observing::Committed,
    transaction_duration: HistogramVec,
    transactions_aborted: IntCounterVec,
    rebalances: IntCounterVec,
    restore_duration: HistogramVec,
    open_incidents: IntGaugeVec,
    open_members: IntGaugeVec,
    revisions: IntCounterVec,
    overrides: IntCounterVec,
    withheld: IntCounterVec,
    end_to_end: HistogramVec,
    newest_output_age: GaugeVec,
    unreadable: IntCounterVec,
    source_suspect: GaugeVec,
    config_info: IntGaugeVec,
    grid_info: IntGaugeVec,
    reloads: ReloadMetrics,
    registry_entries: IntGaugeVec,
    /// When the newest committed incident was appended, in milliseconds since 1970; `i64::MIN` before the first.
    newest_output_ms: AtomicI64,
    records_read: AtomicU64,
}

impl Metrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// When the registry holds one of the names already.
    pub fn register(registry: &Registry) -> anyhow::Result<Metrics> {
        let make = Maker(registry);
        // Commits take milliseconds, a broker in trouble seconds; the session timeout ends what takes longer than 10 s.
        let batch = || doubling(0.001, 15);
        let metrics = Metrics {
            registry: registry.clone(),
            ledger: ledger::LedgerMetrics::register(registry)?,
            dead_letters: make.counters("deadletters_total", "Records refused, by the reason in the dead letters.", &["source", "reason"])?,
            clocks: clocks::ClockMetrics::register(&make)?,
            location_quality: make.counters("location_quality_total", "Events by how well their place is known.", &["source", "quality"])?,
            grid_located: make.counters("grid_located_total", "Events by where each layer of the grid has them.", &["layer", "status"])?,
            codes_unmapped: make.counters("codes_unmapped_total", "Records with a code or category name, or words alone, that no rule maps to a kind.", &["source"])?,
            senders: senders::SenderMetrics::register(&make)?,
            lag: make.gauges("consumer_lag_records", "Offsets between a loop's position and the end of its partition.", &["topic", "partition"])?,
            watermark_lag: make.seconds("watermark_lag_seconds", "How far the clock that a loop sends for an input partition is behind the wall clock, in seconds.", &["worker", "partition"])?,
            stage_duration: make.durations("stage_duration_seconds", "Time that one batch spent in a worker's processor, in seconds.", &["stage"], batch())?,
            committed: observing::Committed::register(&make)?,
            transaction_duration: make.durations("transaction_duration_seconds", "Time from the first record sent to the commit of a transaction, in seconds.", &["worker"], batch())?,
            transactions_aborted: make.counters("transactions_aborted_total", "Transactions that were given up; the state is restored after each.", &["worker"])?,
            rebalances: make.counters("rebalances_total", "Times that the group gave a loop its partitions.", &["worker"])?,
            restore_duration: make.durations("restore_duration_seconds", "Time that restoring one partition from its changelog took, in seconds.", &["worker"], doubling(0.01, 15))?,
            open_incidents: make.gauges("open_incidents", "Open incidents of the whole city, as committed.", &["kind", "band"])?,
            open_members: make.gauges("open_incident_members", "Events that are members of open incidents of the whole city, as committed.", &["kind"])?,
            revisions: make.counters("incident_revisions_total", "Committed revisions of incidents since this process caught up, by what they changed.", &["reason"])?,
            overrides: make.counters("priority_override_total", "Times that an override began to hold for an incident.", &["override"])?,
            withheld: make.counters("decisions_withheld_total", "Times that something was not decided again although the order of reading shows: the centre had given a command, or too many events would have moved.", &["reason"])?,
            end_to_end: make.durations("end_to_end_latency_seconds", "Time from the append of the opening event to the append of the incident's first revision, in seconds.", &["band"], LATENCY_S.to_vec())?,
            newest_output_age: make.seconds("newest_output_age_seconds", "Age of the newest committed revision of any incident, in seconds.", &[])?,
            unreadable: make.counters("incidents_unreadable_total", "Committed records of incidents that the board could not read.", &[])?,
            source_suspect: make.shares("source_crs_suspect", "Share of the compared places at which a source looks like another coordinate system than it declares; absent while none is suspect.", &["source_system", "declared", "looks_like"])?,
            config_info: make.gauges("config_info", "The active configuration; always 1.", &["version"])?,
            grid_info: make.gauges("grid_version_info", "The version of each layer of the grid; always 1.", &["layer", "version"])?,
            reloads: ReloadMetrics::register(registry)?,
            registry_entries: make.gauges("registry_entries", "What the configured registries list.", &["registry"])?,
            newest_output_ms: AtomicI64::new(i64::MIN),
            records_read: AtomicU64::new(0),
        };
        make.gauges("build_info", "The program; always 1.", &["version"])?
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1);
        #[cfg(target_os = "linux")]
        registry
            .register(Box::new(
                prometheus::process_collector::ProcessCollector::for_self(),
            ))
            .context("register the process metrics")?;
        Ok(metrics)
    }

    /// Sets what the ledger counts to its absolute counts. A scrape never sees one half of a ledger.
    pub fn set_ledger(&self, ledger: &Ledger) {
        self.ledger.set(ledger);
    }

    /// Counts records that went to the dead letters.
    pub fn dead_letters(&self, source: Source, reason: DeadLetterReason, records: u64) {
        self.dead_letters
            .with_label_values(&[source.as_str(), reason.as_str()])
            .inc_by(records);
    }

    /// What records of sources said about their clocks.
    pub fn clocks(&self) -> &clocks::ClockMetrics {
        &self.clocks
    }

    /// Who sends.
    pub fn senders(&self) -> &senders::SenderMetrics {
        &self.senders
    }

    /// Counts events by how well their place is known.
    pub fn located(&self, source: Source, quality: Quality, events: u64) {
        self.location_quality
            .with_label_values(&[source.as_str(), quality.as_str()])
            .inc_by(events);
    }

    /// Counts events by where a layer of the grid has them.
    pub fn placed(&self, layer: &str, status: Placed, events: u64) {
        self.grid_located
            .with_label_values(&[layer, status.as_str()])
            .inc_by(events);
    }

    /// Counts records whose code no rule maps.
    pub fn unmapped(&self, source: Source, records: u64) {
        self.codes_unmapped
            .with_label_values(&[source.as_str()])
            .inc_by(records);
    }

    /// A committed record of an incident could not be read.
    pub fn incident_unreadable(&self) {
        self.unreadable.with_label_values::<&str>(&[]).inc();
    }

    /// A source looks like another coordinate system than it declares.
    pub fn source_suspect(&self, evidence: &Evidence) {
        self.source_suspect
            .with_label_values(&suspect_labels(evidence))
            .set(evidence.share);
    }

    /// It does no longer.
    pub fn source_cleared(&self, evidence: &Evidence) {
        // A series that is not there needs no removing.
        let _ = self.source_suspect.remove_label_values(&suspect_labels(evidence));
    }

    /// Shows how a schema registry answers, read from it at each scrape.
    ///
    /// # Errors
    /// When one is shown already.
    pub fn show_schemas(&self, source: Arc<dyn SchemaSource>) -> anyhow::Result<()> {
        self.registry
            .register(Box::new(schemas::SchemaCollector::new(source)?))
            .context("register the schema registry's metrics")
    }

    /// What reloads come to.
    pub fn reloads(&self) -> &ReloadMetrics {
        &self.reloads
    }

    /// Names configuration and grid of what is in force, in place of what was before.
    pub fn describe(&self, activation: &Activation) {
        self.set_config(&activation.version);
        let layers = activation.grid.iter();
        self.set_grid(layers.map(|(layer, version)| (&**layer, &**version)));
    }

    /// Names the active configuration, in place of the one before.
    pub fn set_config(&self, version: &str) {
        self.config_info.reset();
        self.config_info.with_label_values(&[version]).set(1);
    }

    /// Names the layers of the grid with their versions, in place of those before.
    pub fn set_grid<'a>(&self, layers: impl IntoIterator<Item = (&'a str, &'a str)>) {
        self.grid_info.reset();
        for (layer, version) in layers {
            self.grid_info.with_label_values(&[layer, version]).set(1);
        }
    }

    /// Says how much each registry lists: devices, components, facilities.
    pub fn set_registry(&self, entries: &city_registry::Registry) {
        for (name, count) in [
            ("devices", entries.devices.len()),
            ("components", entries.components.len()),
            ("facilities", entries.facilities.len()),
        ] {
            self.registry_entries.with_label_values(&[name]).set(count as i64);
        }
    }

    /// Records of source topics that the loops of this process have committed.
    pub fn records_read(&self) -> u64 {
        self.records_read.load(Ordering::Relaxed)
    }

    /// Everything in the text format, at a moment on the wall clock.
    ///
    /// # Errors
    /// When a metric cannot be written, which a closed set of names rules out.
    pub fn text(&self, now: EventTime) -> anyhow::Result<String> {
        let newest = self.newest_output_ms.load(Ordering::Relaxed);
        if newest > i64::MIN {
            let age_ms = now.millis().saturating_sub(newest).max(0);
            self.newest_output_age
                .with_label_values::<&str>(&[])
                .set(age_ms as f64 / 1_000.0);
        }
        let text = TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .context("write the metrics")?;
        Ok(ledger::untyped(text))
    }
}

/// Configured sources and `other`, and two closed sets.
fn suspect_labels(evidence: &Evidence) -> [&str; 3] {
    [
        &evidence.source_system,
        evidence.declared.name(),
        evidence.looks_like,
    ]
}

/// `count` buckets from `start` seconds on, each twice the one before.
fn doubling(start: f64, count: u32) -> Vec<f64> {
    (0..count)
        .map(|power| start * f64::from(1_u32 << power))
        .collect()
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

/// Makes metrics with the prefix of the program and registers them.
struct Maker<'a>(&'a Registry);

impl Maker<'_> {
    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> anyhow::Result<IntCounterVec> {
        self.keep(name, IntCounterVec::new(opts(name, help), labels))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> anyhow::Result<IntGaugeVec> {
        self.keep(name, IntGaugeVec::new(opts(name, help), labels))
    }

    fn seconds(&self, name: &str, help: &str, labels: &[&str]) -> anyhow::Result<GaugeVec> {
        self.keep(name, GaugeVec::new(opts(name, help), labels))
    }

    fn shares(&self, name: &str, help: &str, labels: &[&str]) -> anyhow::Result<GaugeVec> {
        self.seconds(name, help, labels)
    }

    fn durations(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: Vec<f64>,
    ) -> anyhow::Result<HistogramVec> {
        let opts = HistogramOpts {
            common_opts: opts(name, help),
            buckets,
        };
        self.keep(name, HistogramVec::new(opts, labels))
    }

    fn keep<M: Collector + Clone + 'static>(
        &self,
        name: &str,
        metric: prometheus::Result<M>,
    ) -> anyhow::Result<M> {
        let metric = metric.with_context(|| format!("make the metric {name}"))?;
        self.0
            .register(Box::new(metric.clone()))
            .with_context(|| format!("register the metric {name}"))?;
        Ok(metric)
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("cityops")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use city_model::{LedgerCell, Outcome};

    use super::*;

    /// Every sample belongs to a family with HELP and TYPE, told once and before it; the families' names.
    fn families(text: &str) -> BTreeSet<String> {
        let (mut helped, mut typed, mut samples) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(helped.insert(name.to_owned()) && help.ends_with('.'), "{line}");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let name = rest.split_once(' ').unwrap().0;
                assert!(helped.contains(name) && typed.insert(name.to_owned()), "{line}");
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                value.parse::<f64>().unwrap();
                assert!(samples.insert(series.to_owned()), "{line}");
                let name = series.split('{').next().unwrap();
                let base = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|end| name.strip_suffix(end));
                assert!(
                    typed.contains(name) || base.is_some_and(|base| typed.contains(base)),
                    "{line}"
                );
            }
        }
        typed
    }

    #[test]
    fn shows_only_what_was_fed_and_each_family_once() {
        let registry = Registry::new();
        let metrics = Metrics::register(&registry).unwrap();
        let now = EventTime::from_millis(1_000);
        let names = families(&metrics.text(now).unwrap());
        assert!(
            names.contains("cityops_build_info") && names.contains("process_resident_memory_bytes"),
            "{names:?}"
        );
        assert_eq!(
            names.iter().filter(|name| name.starts_with("cityops_")).count(),
            1,
            "{names:?}"
        );
        assert!(Metrics::register(&registry).is_err());

        metrics.dead_letters(Source::Hotline, DeadLetterReason::BadJson, 1);
        metrics.located(Source::Report, Quality::Door, 3);
        metrics.incident_unreadable();
        metrics.set_config("old");
        metrics.set_config("c1");
        metrics.set_grid([("duty", "7"), ("police", "2")]);
        metrics.placed("duty", Placed::Snapped, 2);
        let components = "component_id,class,lon,lat\n1,bin,1,1\n2,bin,1,1\n".as_bytes();
        metrics.set_registry(&city_registry::Registry {
            components: city_registry::read_components(
                components,
                city_grid::Frame::anywhere(&Default::default()),
            )
            .unwrap()
            .entries,
            ..Default::default()
        });
        let text = metrics.text(now).unwrap();
        families(&text);
        for line in [
            "cityops_deadletters_total{reason=\"bad_json\",source=\"hotline\"} 1",
            "cityops_location_quality_total{quality=\"DOOR\",source=\"report\"} 3",
            "cityops_incidents_unreadable_total 1",
            "cityops_config_info{version=\"c1\"} 1",
            "cityops_grid_located_total{layer=\"duty\",status=\"snapped\"} 2",
            "cityops_grid_version_info{layer=\"police\",version=\"2\"} 1",
            "cityops_registry_entries{registry=\"components\"} 2",
            "cityops_registry_entries{registry=\"devices\"} 0",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
        assert!(!text.contains("version=\"old\""));
    }

    #[test]
    fn shows_the_ledger_as_it_stands() {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let mut ledger = Ledger::default();
        ledger.set(LedgerCell::Consumed(Source::Video), 5);
        ledger.set(LedgerCell::Outcome(Source::Video, Outcome::Pending), 4);
        metrics.set_ledger(&ledger);
        ledger.set(LedgerCell::Outcome(Source::Video, Outcome::Pending), 1);
        ledger.set(LedgerCell::Outcome(Source::Video, Outcome::Opened), 3);
        metrics.set_ledger(&ledger);
        let text = metrics.text(EventTime::default()).unwrap();
        families(&text);
        for line in [
            "# TYPE cityops_events_consumed_total counter",
            "# TYPE cityops_events_outcome_total untyped",
            "cityops_events_consumed_total{source=\"video\"} 5",
            "cityops_events_outcome_total{outcome=\"opened\",source=\"video\"} 3",
            "cityops_events_outcome_total{outcome=\"pending\",source=\"video\"} 1",
            "cityops_unaccounted_events 1",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
    }
}
