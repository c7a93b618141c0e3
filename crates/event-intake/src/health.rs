//! How a metric's values moved: a rise that is an alarm before the threshold, a line that should not be flat, and alarms
//! that begin too often. It sees the readings in their coming and remembers as little as it can.

use city_model::{EventTime, HOUR_MS};
use city_rules::{Flap, Flat, MetricRule, Rise};

use crate::device::{Level, Low, Watch};

/// Halves of a rise's time that are remembered besides the present one: together they cover all of it. Of each only the
/// value farthest from the alarm is known, so a rise from another one is seen for half of the time at least.
const HALVES: usize = 2;

/// What a value is in view of those before it.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// It moved towards the alarm as fast as an alarm does.
    pub(crate) has_risen: bool,
    /// It has stood still for too long.
    pub(crate) is_flat: bool,
    /// What is to be remembered instead, if anything changed.
    pub(crate) watch: Option<Watch>,
}

/// Holds a value against those before it. Most metrics ask for nothing, and most values change nothing.
pub(crate) fn look(rule: &MetricRule, known: Option<&Watch>, milli: i64, at: EventTime) -> Look {
    let mut look = Look::default();
    if let Some(asked) = rule.rise {
        let (low, has_risen) = rise(rule, asked, known.and_then(|watch| watch.low.as_ref()), milli, at);
        look.has_risen = has_risen;
        if let Some(low) = low {
            changed(&mut look.watch, known).low = Some(low);
        }
    }
    if let Some(asked) = rule.flat {
        let (level, is_flat) = flat(asked, known.and_then(|watch| watch.level.as_ref()), milli, at);
        look.is_flat = is_flat;
        if let Some(level) = level {
            changed(&mut look.watch, known).level = level;
        }
    }
    look
}

/// The watch as it will be, a copy of the known one until something changes it.
pub(crate) fn changed<'a>(watch: &'a mut Option<Watch>, known: Option<&Watch>) -> &'a mut Watch {
    watch.get_or_insert_with(|| known.cloned().unwrap_or_default())
}

fn rise(rule: &MetricRule, asked: Rise, low: Option<&Low>, milli: i64, at: EventTime) -> (Option<Low>, bool) {
    let first = |before: Vec<(i64, EventTime)>| Low {
        since: at,
        milli,
        at,
        before,
    };
    let Some(low) = low else {
        return (Some(first(Vec::new())), false);
    };
    if at < low.since {
        return (None, false); // it came out of order, and what it was compared with is over
    }
    let is_within = |(_, then): &&(i64, EventTime)| at - *then <= asked.within_ms;
    let own = (low.milli, low.at);
    let mut lows = std::iter::once(&own).chain(&low.before).filter(is_within);
    let has_risen = lows.any(|(from, _)| rule.moved(*from, milli) >= asked.by_milli);
    let next = if at - low.since >= asked.within_ms / 2 {
        let lows = std::iter::once(&own).chain(&low.before).filter(is_within);
        Some(first(lows.take(HALVES).copied().collect()))
    } else if rule.moved(low.milli, milli) < 0 {
        Some(Low {
            milli,
            at,
            ..low.clone()
        })
    } else {
        None
    };
    (next, has_risen)
}

/// A moving value costs two rows a period: one that begins it, and one that notes the first movement.
fn flat(asked: Flat, level: Option<&Level>, milli: i64, at: EventTime) -> (Option<Option<Level>>, bool) {
    let first = Some(Some(Level {
        milli,
        since: at,
        readings: 1,
        moved: false,
    }));
    let is_rest = asked.above_milli.is_some_and(|above| milli <= above);
    let Some(level) = level else {
        return (if is_rest { None } else { first }, false);
    };
    if at < level.since {
        return (None, false);
    }
    if is_rest {
        return (Some(None), false);
    }
    if level.moved {
        let is_over = at - level.since >= asked.over_ms;
        return (if is_over { first } else { None }, false);
    }
    if level.milli != milli {
        let moved = Level {
            moved: true,
            ..level.clone()
        };
        return (Some(Some(moved)), false);
    }
    let readings = level.readings.saturating_add(1).min(asked.readings);
    let is_flat = readings >= asked.readings && at - level.since >= asked.over_ms;
    let next = (readings != level.readings).then(|| {
        Some(Level {
            readings,
            ..level.clone()
        })
    });
    (next, is_flat)
}

/// A row for every quiet reading would cost too much, so that a device is quiet is noted once an hour of its time.
const QUIET_GRAIN_MS: i64 = HOUR_MS;

/// Whether it is worth a row that a device was quiet at a moment.
pub(crate) fn is_quiet_news(known: Option<&Watch>, at: EventTime) -> bool {
    let noted = known.and_then(|watch| watch.quiet);
    noted.is_none_or(|noted| at - noted >= QUIET_GRAIN_MS)
}

/// Whether alarms began too often up to now.
pub(crate) fn is_flapping(asked: Option<Flap>, began: &[EventTime], at: EventTime) -> bool {
    asked.is_some_and(|flap| {
        let lately = began.iter().filter(|then| at - **then <= flap.within_ms);
        lately.count() >= flap.times
    })
}

/// Notes that an alarm began.
pub(crate) fn begin(asked: Flap, began: &mut Vec<EventTime>, at: EventTime) {
    began.retain(|then| at - *then <= asked.within_ms);
    began.push(at);
    let over = began.len().saturating_sub(asked.times);
    began.drain(..over);
}
