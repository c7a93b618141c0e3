//! The metrics of a process: one struct, registered once and handed down; there are no globals.
//!
//! A gauge that nobody has fed yet is not shown: a zero would claim that something was measured. Counters begin at zero once
//! a service starts ([`Metrics::begin`]). Labels come from closed sets: sources, outcomes, reasons, bands, workers, and the
//! kinds, overrides, layers and source systems of the configuration.

mod asked;
mod behind;
mod clocks;
mod http;
mod incidents;
mod intake;
mod ledger;
mod observing;
mod readiness;
mod reloads;
mod schemas;
mod senders;
mod suspects;
mod traces;
mod zeroes;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use city_model::{Activation, DeadLetterReason, EventTime, Ledger, Quality, Source};
use event_intake::Placed;
use prometheus::core::Collector;
use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};
use wire_format::SchemaSource;

use crate::workers::Role;

pub use behind::AppendTimes;
pub use http::{HttpMetrics, Open, Refused};
pub use incidents::{Appended, RevisionReason};
pub use intake::IntakeMetrics;
pub use observing::LoopObserver;
pub use readiness::ReadinessMetrics;
pub use reloads::{ReloadMetrics, ReloadResult};
pub use traces::Traces;

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
    orders_nowhere: IntCounterVec,
    senders: senders::SenderMetrics,
    lag: behind::LagMetrics,
    readiness: ReadinessMetrics,
    watermark_lag: GaugeVec,
    stage_duration: HistogramVec,
    committed: observing::Committed,
    transaction_duration: HistogramVec,
    transactions_aborted: IntCounterVec,
    thrown_away: IntCounterVec,
    rebalances: IntCounterVec,
    restore_duration: HistogramVec,
    unbalanced: IntCounterVec,
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
    http: HttpMetrics,
    registry_entries: IntGaugeVec,
    trace_contexts: IntCounterVec,
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
            orders_nowhere: make.counters("orders_nowhere_total", "Warnings and silences that were applied and name cells that no grid has.", &["source"])?,
            codes_unmapped: make.counters("codes_unmapped_total", "Records with a code or category name, or words alone, that no rule maps to a kind.", &["source"])?,
            senders: senders::SenderMetrics::register(&make)?,
            lag: behind::LagMetrics::register(&make)?,
            readiness: ReadinessMetrics::register(&make)?,
            watermark_lag: make.seconds("watermark_lag_seconds", "How far the clock that a loop sends for an input partition is behind the wall clock, in seconds.", &["worker", "partition"])?,
            stage_duration: make.durations("stage_duration_seconds", "Time that one batch spent in a worker's processor, in seconds.", &["stage"], batch())?,
            committed: observing::Committed::register(&make)?,
            transaction_duration: make.durations("transaction_duration_seconds", "Time from the first record sent to the commit of a transaction, in seconds.", &["worker"], batch())?,
            thrown_away: make.counters("thrown_away_offsets_total", "Offsets that the broker deleted before they were read; each is a record at most.", &["worker"])?,
            transactions_aborted: make.counters("transactions_aborted_total", "Transactions that were given up; the state is restored after each.", &["worker"])?,
            rebalances: make.counters("rebalances_total", "Times that the group gave a loop its partitions.", &["worker"])?,
            restore_duration: make.durations("restore_duration_seconds", "Time that restoring one partition from its changelog took, in seconds.", &["worker"], doubling(0.01, 15))?,
            unbalanced: make.counters("unbalanced_records_total", "Records by which what a worker counted in a batch differs from what it read; any is a defect.", &["worker"])?,
            open_incidents: make.gauges("open_incidents", "Open incidents of the whole city, as committed.", &["kind", "band"])?,
            open_members: make.gauges("open_incident_members", "Events that are members of open incidents of the whole city, as committed.", &["kind"])?,
            revisions: make.counters("incident_revisions_total", "Committed revisions of incidents since this process caught up, by what they changed.", &["reason"])?,
            overrides: make.counters("priority_override_total", "Times that an override began to hold for an incident.", &["override"])?,
            withheld: make.counters("decisions_withheld_total", "Times that something was not decided again although the order of reading shows: the centre had given a command, or too many events would have moved.", &["reason"])?,
            end_to_end: make.durations("end_to_end_latency_seconds", "Time from the append of the event that opened an incident, or raised it to this band, to the append of that revision, in seconds.", &["band"], LATENCY_S.to_vec())?,
            newest_output_age: make.seconds("newest_output_age_seconds", "Age of the newest committed revision of any incident, in seconds.", &[])?,
            unreadable: make.counters("incidents_unreadable_total", "Committed records of incidents that the board could not read.", &[])?,
            source_suspect: make.shares("source_crs_suspect", "Share of the compared places at which a source looks like another coordinate system than it declares; absent while none is suspect.", &["source_system", "declared", "looks_like"])?,
            config_info: make.gauges("config_info", "The active configuration; always 1.", &["version"])?,
            grid_info: make.gauges("grid_version_info", "The version of each layer of the grid; always 1.", &["layer", "version"])?,
            reloads: ReloadMetrics::register(registry)?,
            http: HttpMetrics::register(registry)?,
            registry_entries: make.gauges("registry_entries", "What the configured registries list.", &["registry"])?,
            trace_contexts: traces::contexts(&make)?,
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

    /// A worker counted other outcomes than it read records, by so many.
    pub fn unbalanced(&self, role: Role, records: u64) {
        self.unbalanced
            .with_label_values(&[role.as_str()])
            .inc_by(records);
    }

    /// Counts warnings and silences that name cells which no grid has.
    pub fn nowhere(&self, source: Source, records: u64) {
        self.orders_nowhere
            .with_label_values(&[source.as_str()])
            .inc_by(records);
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

    /// Shows how a schema registry answers, read from it at each scrape.
    ///
    /// # Errors
    /// When one is shown already.
    pub fn show_schemas(&self, source: Arc<dyn SchemaSource>) -> anyhow::Result<()> {
        self.registry
            .register(Box::new(schemas::collector(source)?))
            .context("register the schema registry's metrics")
    }

    /// Shows what becomes of spans, read from their exporter at each scrape.
    ///
    /// # Errors
    /// When one is shown already.
    pub fn show_spans(&self, exporter: Arc<span_export::Exporter>) -> anyhow::Result<()> {
        self.registry
            .register(Box::new(traces::collector(exporter)?))
            .context("register the metrics of spans")
    }

    /// What reloads come to.
    pub fn reloads(&self) -> &ReloadMetrics {
        &self.reloads
    }

    /// Whether somebody does the work.
    pub fn readiness(&self) -> &ReadinessMetrics {
        &self.readiness
    }

    /// What HTTP serves and refuses.
    pub fn http(&self) -> &HttpMetrics {
        &self.http
    }

    /// A configuration holds from here on: its series begin at zero where they are not counted yet, and it is told which it is.
    pub fn comes_into_force(&self, standing: &stream_worker::Standing) {
        let layers = standing.setup.intake.layers().iter();
        self.begin(&standing.setup.rules, layers.map(|layer| &**layer.name()));
        self.describe(&standing.activation);
        self.set_registry(standing.setup.intake.registry());
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

    /// Says how much each registry lists: devices, components, facilities, addresses.
    pub fn set_registry(&self, entries: &city_registry::Registry) {
        for (name, count) in [
            ("devices", entries.devices.len()),
            ("components", entries.components.len()),
            ("facilities", entries.facilities.len()),
            ("addresses", entries.addresses.len()),
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
        self.lag.reckon(now);
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
mod tests;
