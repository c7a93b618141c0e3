//! Metrics as written become metrics as used; what cannot be meant is refused.

use city_model::{HOUR_MS, MINUTE_MS};
use rustc_hash::FxHashMap;

use super::Compiler;
use crate::device::{Confirm, Flap, Flat, HELD_MAX, Rise};
use crate::file::RawMetric;
use crate::metric::MetricRule;
use crate::normal::name_key;
use crate::strict::ConfigError;

/// An alarm that waits longer is no alarm, unless the rules say otherwise.
const CONFIRM_WITHIN_MS: i64 = 10 * MINUTE_MS;
/// Heartbeats that may be missed (DOMAIN 2.7).
const MISSED: u32 = 3;
/// A working day: nobody forgets maintenance for longer without being told.
const LONGEST_MS: i64 = 8 * HOUR_MS;
/// Beginnings of alarms that are remembered of a device.
const FLAP_MAX: u32 = 32;

impl Compiler<'_> {
    pub(super) fn metrics(&self) -> Result<FxHashMap<String, MetricRule>, ConfigError> {
        let mut metrics = FxHashMap::default();
        for (name, raw) in &self.file.metrics {
            let rule = self.metric(name, raw)?;
            for alias in &raw.aliases {
                // A metric's own name is stronger than another one's alias.
                if !self.file.metrics.contains_key(alias) {
                    metrics.insert(name_key(alias), rule.clone());
                }
            }
            metrics.insert(name.clone(), rule);
        }
        Ok(metrics)
    }

    fn metric(&self, name: &str, raw: &RawMetric) -> Result<MetricRule, ConfigError> {
        let wrong = |message: &str| Err(self.sources.wrong(name, format!("metric \"{name}\": {message}")));
        if !raw.boolean && !crate::unit::is_known(&raw.unit) {
            return wrong("its unit is unknown");
        }
        let order = if raw.falls {
            raw.alarm <= raw.clear
        } else {
            raw.clear <= raw.alarm
        };
        if !raw.boolean && raw.max <= raw.min {
            return wrong("min and max are mandatory, and min must be below max");
        }
        if !raw.boolean && !order {
            return wrong(
                "it must clear on the safe side of its alarm: clear below alarm, or above it where it falls",
            );
        }
        for unit in &raw.other_units {
            if raw.boolean || crate::unit::convert(1.0, unit, &raw.unit).is_err() {
                return wrong(&format!("the other unit \"{unit}\" does not measure it"));
            }
        }
        let watch = match watch(raw) {
            Ok(watch) => watch,
            Err(message) => return wrong(message),
        };
        let kind = self.id(&raw.kind)?;
        let correlates = self.file.kinds.get(&raw.kind).and_then(|kind| kind.correlates);
        if raw.fault.is_some() && correlates != Some(false) {
            return wrong("what it says of the device itself needs a kind that does not correlate");
        }
        // A contact is an alarm from one half on, whatever the file leaves out.
        let contact = |value: i64, otherwise: i64| if raw.boolean { otherwise } else { value };
        Ok(MetricRule {
            name: name.to_owned(),
            kind,
            unit: if raw.boolean {
                "bool".to_owned()
            } else {
                raw.unit.clone()
            },
            boolean: raw.boolean,
            rises: !raw.falls,
            alarm_milli: contact(raw.alarm.0, 1_000),
            clear_milli: contact(raw.clear.0, 1_000),
            min_milli: contact(raw.min.0, 0),
            max_milli: contact(raw.max.0, 1_000),
            sentinels: raw.sentinels.iter().map(|value| value.0).collect(),
            magnitude: raw.magnitude,
            device_class: raw.device_class.clone(),
            other_units: raw.other_units.clone(),
            mend_units: raw.mend_units,
            unique_frames: raw.unique_frames,
            confirm: watch.confirm,
            rise: watch.rise,
            flap: watch.flap,
            flat: watch.flat,
            offline_ms: watch.offline_ms,
            own_word: raw.fault,
            longest_ms: raw.longest.map_or(LONGEST_MS, |longest| longest.0),
        })
    }
}

/// How a metric's devices are watched.
struct Watch {
    confirm: Option<Confirm>,
    rise: Option<Rise>,
    flap: Option<Flap>,
    flat: Option<Flat>,
    offline_ms: Option<i64>,
}

fn watch(raw: &RawMetric) -> Result<Watch, &'static str> {
    let readings = raw.confirm.unwrap_or(1) as usize;
    let for_ms = raw.confirm_for.map_or(0, |long| long.0);
    let within_ms = raw
        .confirm_within
        .map_or(CONFIRM_WITHIN_MS.max(2 * for_ms), |long| long.0);
    if !(1..=HELD_MAX).contains(&readings) {
        return Err("confirm takes 1 to 8 readings");
    }
    if within_ms < 1 || within_ms < for_ms || within_ms > 24 * HOUR_MS {
        return Err("confirm_within must be at least confirm_for, and a day at most");
    }
    let rise = raw.rise.map(|rise| Rise {
        by_milli: rise.by.0,
        within_ms: rise.within.0,
    });
    if rise.is_some_and(|rise| raw.boolean || rise.by_milli < 1 || rise.within_ms < 2) {
        return Err("a rise needs a number above 0, and some time");
    }
    if raw
        .flap
        .is_some_and(|flap| !(2..=FLAP_MAX).contains(&flap.times) || flap.within.0 < 1)
    {
        return Err("flap takes 2 to 32 times, and some time");
    }
    if raw
        .flat
        .is_some_and(|flat| raw.boolean || flat.readings < 2 || flat.over.0 < 1)
    {
        return Err("flat takes at least 2 readings of a number, and some time");
    }
    let missed = i64::from(raw.missed.unwrap_or(MISSED));
    if missed < 1 || raw.interval.is_some_and(|interval| interval.0 < 1) {
        return Err("interval and missed must be above 0");
    }
    Ok(Watch {
        confirm: (readings > 1 || for_ms > 0).then_some(Confirm {
            readings,
            for_ms,
            within_ms,
        }),
        rise,
        flap: raw.flap.map(|flap| Flap {
            times: flap.times as usize,
            within_ms: flap.within.0,
        }),
        flat: raw.flat.map(|flat| Flat {
            readings: flat.readings,
            over_ms: flat.over.0,
            above_milli: flat.above.map(|above| above.0),
        }),
        offline_ms: raw.interval.map(|interval| interval.0.saturating_mul(missed)),
    })
}
