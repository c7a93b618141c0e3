//! Which dead letters are meant.

use city_grid::layer;
use city_model::{DeadLetterReason, EventTime, Source};
use jiff::tz::TimeZone;
use wire_format::{Topic, headers};

use super::Letter;
use crate::cli::LetterFilter;
use crate::exit::usage;

/// All conditions hold at once; of several values of one, any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    reasons: Vec<DeadLetterReason>,
    topics: Vec<Topic>,
    systems: Vec<String>,
    from: Option<EventTime>,
    to: Option<EventTime>,
    places: Vec<(i32, i64)>,
}

impl Filter {
    /// Reads what stands on the command line.
    ///
    /// # Errors
    /// A usage error that says what may stand there.
    pub fn of(args: &LetterFilter, zone: &TimeZone) -> anyhow::Result<Filter> {
        let mut filter = Filter {
            systems: args.source.clone(),
            from: moment("--from", args.from.as_deref(), zone)?,
            to: moment("--to", args.to.as_deref(), zone)?,
            ..Filter::default()
        };
        for name in &args.reason {
            filter.reasons.push(name.parse().map_err(|_| {
                let known: Vec<&str> = DeadLetterReason::ALL.iter().map(|it| it.as_str()).collect();
                usage(format!(
                    "--reason {name}: no such reason; there are {}",
                    known.join(" ")
                ))
            })?);
        }
        for name in &args.topic {
            let short = Source::ALL.iter().find(|source| source.as_str() == name);
            let topic = short
                .map(|source| Topic::of(*source))
                .or_else(|| Topic::by_name(name));
            filter.topics.push(topic.ok_or_else(|| {
                let known: Vec<&str> = Source::ALL.iter().map(|it| it.as_str()).collect();
                usage(format!(
                    "--topic {name}: no such topic; write its name, or one of {}",
                    known.join(" ")
                ))
            })?);
        }
        for text in &args.at {
            filter.places.push(place(text)?);
        }
        Ok(filter)
    }

    /// The one at this place.
    pub fn at(place: (i32, i64)) -> Filter {
        Filter {
            places: vec![place],
            ..Filter::default()
        }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Whether a letter is meant.
    pub fn holds(&self, letter: &Letter) -> bool {
        let any = |empty: bool, holds: bool| empty || holds;
        any(
            self.reasons.is_empty(),
            letter.known_reason().is_some_and(|it| self.reasons.contains(&it)),
        ) && any(
            self.topics.is_empty(),
            letter.topic().is_some_and(|it| self.topics.contains(&it)),
        ) && any(
            self.systems.is_empty(),
            letter.system.as_ref().is_some_and(|it| self.systems.contains(it)),
        ) && any(self.places.is_empty(), self.places.contains(&letter.place()))
            && self.from.is_none_or(|from| letter.refused_at >= from)
            && self.to.is_none_or(|to| letter.refused_at < to)
    }
}

/// A place as it stands on the command line.
///
/// # Errors
/// A usage error.
pub fn place(text: &str) -> anyhow::Result<(i32, i64)> {
    headers::place(text).ok_or_else(|| {
        usage(format!(
            "{text}: write PARTITION/OFFSET, as `deadletter list` does"
        ))
    })
}

fn moment(option: &str, text: Option<&str>, zone: &TimeZone) -> anyhow::Result<Option<EventTime>> {
    let read = |text| {
        layer::moment_of(text, zone)
            .ok_or_else(|| usage(format!("{option} {text}: write a date or an RFC 3339 time")))
    };
    text.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            partition: 1,
            offset: 7,
            refused_at: EventTime::from_millis(1_000),
            reason: "unknown_source".into(),
            detail: String::new(),
            topic: "city.reports.v1".into(),
            origin: Some((0, 3)),
            ingested_at: None,
            system: Some("app".into()),
            bytes: Some(3),
            kept: 3,
            attempts: 0,
            replayed: false,
        }
    }

    fn args() -> LetterFilter {
        LetterFilter {
            reason: Vec::new(),
            topic: Vec::new(),
            source: Vec::new(),
            from: None,
            to: None,
            at: Vec::new(),
        }
    }

    #[test]
    fn conditions_hold_at_once_and_values_by_any() {
        let check = |change: fn(&mut LetterFilter), expected: bool| {
            let mut args = args();
            change(&mut args);
            let filter = Filter::of(&args, &TimeZone::UTC).unwrap();
            assert_eq!(filter.holds(&letter()), expected, "{args:?}");
        };
        check(|_| {}, true);
        check(
            |args| args.reason = vec!["bad_json".into(), "unknown_source".into()],
            true,
        );
        check(|args| args.reason = vec!["bad_json".into()], false);
        check(|args| args.topic = vec!["report".into()], true);
        check(|args| args.topic = vec!["city.hotline.tickets.v1".into()], false);
        check(|args| args.source = vec!["app".into()], true);
        check(|args| args.source = vec!["other".into()], false);
        check(|args| args.at = vec!["1/7".into()], true);
        check(|args| args.at = vec!["1/8".into(), "0/7".into()], false);
        check(|args| args.from = Some("1970-01-01T00:00:01Z".into()), true);
        check(|args| args.to = Some("1970-01-01T00:00:01Z".into()), false);
        check(
            |args| {
                args.reason = vec!["unknown_source".into()];
                args.topic = vec!["video".into()];
            },
            false,
        );
    }

    #[test]
    fn what_is_no_filter_is_refused_in_words() {
        let check = |change: fn(&mut LetterFilter), part: &str| {
            let mut args = args();
            change(&mut args);
            let error = Filter::of(&args, &TimeZone::UTC).unwrap_err();
            assert_eq!(crate::exit::of_error(&error), crate::exit::Exit::Usage);
            assert!(error.to_string().contains(part), "{error}");
        };
        check(|args| args.reason = vec!["bad".into()], "code_unknown");
        check(|args| args.topic = vec!["reports".into()], "sensor hotline");
        check(|args| args.from = Some("soon".into()), "RFC 3339");
        check(|args| args.at = vec!["7".into()], "PARTITION/OFFSET");
    }

    #[test]
    fn only_whole_records_of_sources_are_fed_again() {
        let check = |letter: Letter, expected: Option<super::super::Obstacle>| {
            assert_eq!(letter.obstacle(false), expected, "{letter:?}");
        };
        use super::super::Obstacle;
        check(letter(), None);
        let truncated = Letter {
            bytes: Some(100),
            ..letter()
        };
        check(truncated, Some(Obstacle::Truncated));
        let of = |topic: &str| Letter {
            topic: topic.into(),
            ..letter()
        };
        check(of("city.events.enriched.v1"), Some(Obstacle::NotOfASource));
        check(of("somebody.elses"), Some(Obstacle::NoOrigin));
        let without = Letter {
            bytes: None,
            kept: 0,
            ..letter()
        };
        check(without, None);
        let again = Letter {
            attempts: 1,
            ..letter()
        };
        assert_eq!(again.obstacle(true), None);
        check(again, Some(Obstacle::RefusedAgain));
    }
}
