//! From the configuration to what the workers share: rules, grid, registry, intake.

mod grid;
mod plane;
pub(crate) mod quality;
mod registry;
mod schemas;
mod table;
mod telemetry;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use city_grid::{Bounds, Frame, Timeline};
use city_model::{DAY_MS, EventTime, Position};
use city_rules::{Calendar, ConfigError, Rules};
use event_intake::{Intake, IntakeConfig, SourceConfig};
use stream_worker::{Setup, SetupParts};
use wire_format::SchemaSource;

use crate::config::{Loaded, Source};

pub use grid::{layers, timezone};
pub use plane::{Control, by_parameters, control, systems};
pub(crate) use schemas::registry_config;
pub use telemetry::export;

/// The key under which reporters are hashed when none is configured: good for trying out, no protection.
const OPEN_REPORTER_KEY: &[u8] = b"cityops: no reporter key is configured";

/// The rules of a configuration.
///
/// # Errors
/// A [`ConfigError`] with line and nearest valid key.
pub fn rules(loaded: &Loaded) -> anyhow::Result<Rules> {
    rules_and(loaded, Vec::new())
}

/// The same with other files on top, each a name and its text.
///
/// # Errors
/// As for [`rules`].
pub fn rules_and(loaded: &Loaded, more: Vec<(String, String)>) -> anyhow::Result<Rules> {
    let mut files = rules_files(loaded)?;
    files.extend(more);
    Ok(if files.is_empty() {
        Rules::builtin()
    } else {
        Rules::load(&files)?
    })
}

/// What is odd about the rules of a configuration, though they can be used.
///
/// # Errors
/// As for [`rules`].
pub fn rules_findings(loaded: &Loaded) -> anyhow::Result<Vec<city_rules::Finding>> {
    Ok(Rules::findings(&rules_files(loaded)?)?)
}

/// So long ahead of their last day holidays are to be known: deadlines reach weeks ahead, and the State Council publishes the next
/// year's in November.
const CALENDAR_AHEAD_MS: i64 = 60 * DAY_MS;

/// What is to be said of the calendar at `now`: that the years whose holidays are known end soon, or are over.
///
/// # Errors
/// A time zone that nobody knows.
pub fn calendar_finding(
    rules: &Rules,
    timezone: &str,
    now: EventTime,
) -> anyhow::Result<Option<city_rules::Finding>> {
    let calendar = Calendar::new(rules, timezone)?;
    let soon = now + CALENDAR_AHEAD_MS;
    if calendar.knows_year(soon) {
        return Ok(None);
    }
    let last = rules.calendar_years().last();
    let known = last.map_or("none is known".to_owned(), |year| format!("the last is {year}"));
    let ends = if calendar.knows_year(now) {
        "end within 60 days"
    } else {
        "are over"
    };
    let next = last.map_or("YYYY".to_owned(), |year| year.saturating_add(1).to_string());
    Ok(Some(city_rules::Finding {
        file: "calendar".to_owned(),
        line: None,
        key: format!("calendar.years.{next}"),
        message: format!(
            "已知节假日的年份即将用完或已过，此后仅周末休息 / the years whose holidays are known {ends} ({known}): from then on only weekends \
             are off, and deadlines are wrong over holidays and 调休; add the table when the notice is published"
        ),
    }))
}

/// The city's own files, each with its name.
fn rules_files(loaded: &Loaded) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in &loaded.config.rules.files {
        let text = String::from_utf8(loaded.bytes_of("rules.files", path)?)
            .map_err(|_| loaded.error("rules.files", path, format!("{} is not UTF-8", path.display())))?;
        files.push((loaded.path(path).display().to_string(), text));
    }
    Ok(files)
}

/// Everything that the workers of a process share, with the enriched log laid on so many partitions.
///
/// # Errors
/// A [`ConfigError`] for what the configuration gets wrong.
pub fn setup(loaded: &Loaded, enriched_partitions: u32) -> anyhow::Result<Setup> {
    let source = schemas::registry(loaded)?;
    setup_with(loaded, enriched_partitions, source)
}

/// Who is asked for schemas, if the configuration names a registry.
///
/// # Errors
/// A [`ConfigError`] for what it gets wrong about it.
pub(crate) fn schema_source(loaded: &Loaded) -> anyhow::Result<Option<Arc<dyn SchemaSource>>> {
    schemas::registry(loaded)
}

/// The decoder of a configuration, for commands that need nothing else of it.
///
/// # Errors
/// A [`ConfigError`] for what it gets wrong about its schemas.
pub(crate) fn decoder(loaded: &Loaded) -> anyhow::Result<wire_format::Decoder> {
    schemas::decoder(loaded, schemas::registry(loaded)?)
}

/// The same with a schema registry that is asked already: what it has told stays known over a reload.
pub(crate) fn setup_with(
    loaded: &Loaded,
    enriched_partitions: u32,
    schemas: Option<Arc<dyn SchemaSource>>,
) -> anyhow::Result<Setup> {
    let config = &loaded.config;
    let rules = Arc::new(rules(loaded)?);
    let mut kept = Vec::new();
    for (layer, _) in layers(loaded)? {
        quality::admit(loaded, &layer)?;
        kept.push(layer);
    }
    let timezone = timezone(loaded)?;
    let mut intake = IntakeConfig::new(rules.clone(), kept, timezone);
    let source = |source: &Source| SourceConfig {
        crs: source.crs,
        code_system: source.code_system.clone(),
        fix_zone: source.fix_zone,
    };
    intake.default_source = config.sources.get("default").map(source);
    if config.sources.is_empty() {
        // A configuration that says nothing about sources takes all of them, in WGS-84.
        intake.default_source = Some(SourceConfig {
            crs: city_grid::Crs::Wgs84,
            code_system: None,
            fix_zone: false,
        });
    }
    intake.sources = config
        .sources
        .iter()
        .filter(|(name, _)| *name != "default")
        .map(|(n, s)| (n.clone(), source(s)))
        .collect();
    intake.systems = plane::systems_told(loaded)?;
    let bounds = intake
        .layers
        .first()
        .map(|layer| Bounds::around(layer.bbox(), intake.bbox_margin_m));
    let frame = Frame {
        systems: &intake.systems,
        bounds: bounds.as_ref(),
    };
    intake.registry = Arc::new(registry::read(loaded, frame)?);
    intake.max_late_ms = config.time.max_late.0;
    intake.sensors_max_late_ms = config.time.sensors_max_late.0;
    (intake.reporter_key, intake.previous_reporter_key) = reporter_keys(loaded)?;
    let origin = intake
        .layers
        .first()
        .map(centre)
        .context("a grid has at least one layer")?;
    Ok(Setup::new(
        SetupParts {
            city: config.city.code.as_str().into(),
            timezone: config.city.timezone.as_str().into(),
            rules,
            intake: Intake::new(intake),
            decoder: schemas::decoder(loaded, schemas)?,
            origin,
            reorder_ms: config.time.reorder.0,
            max_late_ms: config.time.max_late.0,
            sensors_max_late_ms: config.time.sensors_max_late.0,
            hold_idle: config.time.holds_idle(),
        },
        enriched_partitions,
    ))
}

/// The middle of the box of all that a layer ever has, to a hundredth of a degree: a redrawn border must not move the plane.
fn centre(layer: &Timeline) -> Position {
    let [west, south, east, north] = layer.bbox();
    let middle = |a: f64, b: f64| ((a + b) * 50.0).round() / 100.0;
    Position::from_degrees(middle(west, east), middle(south, north))
        .unwrap_or(Position { lon_e9: 0, lat_e9: 0 })
}

/// The key under which reporters are hashed, and the one before it while that is configured.
fn reporter_keys(loaded: &Loaded) -> Result<(Vec<u8>, Option<Vec<u8>>), ConfigError> {
    const PREVIOUS: &str = "privacy.previous_reporter_key_file";
    let privacy = &loaded.config.privacy;
    let previous = match &privacy.previous_reporter_key_file {
        Some(path) => Some((path, reporter_key(loaded, PREVIOUS, path)?)),
        None => None,
    };
    let Some(path) = &privacy.reporter_key_file else {
        if let Some((path, _)) = previous {
            let message = "a key before the present one, but there is no privacy.reporter_key_file";
            return Err(loaded.error(PREVIOUS, path, message.to_owned()));
        }
        tracing::warn!("no privacy.reporter_key_file: reporters are hashed with a key that everybody knows");
        return Ok((OPEN_REPORTER_KEY.to_vec(), None));
    };
    let present = reporter_key(loaded, "privacy.reporter_key_file", path)?;
    match previous {
        Some((path, previous)) if previous == present => {
            let message = "the same key as privacy.reporter_key_file: nothing was changed";
            Err(loaded.error(PREVIOUS, path, message.to_owned()))
        }
        previous => Ok((present, previous.map(|(_, key)| key))),
    }
}

/// Whether a key is the one that the example has in its place, or one byte over and over.
fn is_known(key: &[u8]) -> bool {
    key.windows(7).any(|part| part.eq_ignore_ascii_case(b"replace")) || key.iter().all(|byte| *byte == key[0])
}

fn reporter_key(loaded: &Loaded, name: &str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    let mut key = loaded.bytes_of(name, path)?;
    while key.last().is_some_and(u8::is_ascii_whitespace) {
        key.pop();
    }
    if key.len() < 16 {
        return Err(loaded.error(name, path, "a key needs at least 16 bytes".to_owned()));
    }
    if is_known(&key) {
        let message =
            "this is no secret: make a key with `openssl rand -base64 32`  这不是密钥，请用该命令生成";
        return Err(loaded.error(name, path, message.to_owned()));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_example_is_none() {
        let example = include_str!("../../../deploy/kubernetes/secrets.example.yaml");
        let line = example
            .lines()
            .find(|line| line.contains("reporter.key:"))
            .unwrap();
        let (_, key) = line.split_once(": ").unwrap();
        assert!(is_known(key.trim_matches('"').as_bytes()), "{key}");
        assert!(is_known(&[b'0'; 16]));
        assert!(!is_known(b"WuBKYcAxHhVLEYDOgdUrbSiBGjYVSd0u"));
    }

    #[test]
    fn a_calendar_that_ends_is_told_before_it_does() {
        let at = |text: &str| {
            let instant: jiff::Timestamp = text.parse().unwrap();
            EventTime::from_millis(instant.as_millisecond())
        };
        let rules = Rules::builtin();
        assert_eq!(rules.calendar_years().last(), Some(2026));
        let told = |now: &str| calendar_finding(&rules, "Asia/Shanghai", at(now)).unwrap();
        assert_eq!(told("2026-11-01T12:00:00+08:00"), None);
        let soon = told("2026-11-02T12:00:00+08:00").unwrap();
        assert_eq!(soon.key, "calendar.years.2027");
        assert!(
            soon.message.contains("end within 60 days (the last is 2026)"),
            "{soon}"
        );
        let over = told("2027-01-01T00:00:00+08:00").unwrap();
        assert!(over.message.contains("are over"), "{over}");
        let next = Rules::load(&[(
            "next".into(),
            "[calendar.years.2027]\nholidays = [\"2027-01-01\"]\n".into(),
        )]);
        assert_eq!(
            calendar_finding(&next.unwrap(), "Asia/Shanghai", at("2027-01-01T00:00:00+08:00")).unwrap(),
            None
        );
    }
}
