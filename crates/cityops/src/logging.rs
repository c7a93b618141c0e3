//! Lines for people or for machines, on standard error, with the same fields.

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::cli::{Cli, Command};
use crate::config::{Loaded, LogFormat};

/// Starts logging, before anything is read but the format that the configuration asks for, and gives that.
pub(crate) fn start(cli: &Cli) -> LogFormat {
    // Lines of a log would tear the live table.
    let live_table = matches!(cli.command, Command::Demo(_)) && std::io::stdout().is_terminal();
    let default = if live_table && std::io::stderr().is_terminal() {
        "warn"
    } else {
        "info"
    };
    let wanted = cli.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_from_env("CITYOPS_LOG").unwrap_or_else(|_| EnvFilter::new(wanted));
    // A second start in one process (tests) keeps the first subscriber.
    let (format, colours) = (format(cli), std::io::stderr().is_terminal());
    let _ = tracing::subscriber::set_global_default(lines(format, filter, colours, std::io::stderr));
    format
}

/// What a command says when it fails, whatever is logged otherwise: a sentence, or a line that reads as all others.
pub(crate) fn last_word(format: LogFormat, why: &str) -> String {
    match format {
        LogFormat::Text => format!("cityops: {why}"),
        LogFormat::Json => {
            let now = jiff::Timestamp::now().to_string();
            serde_json::json!({ "timestamp": now, "level": "ERROR", "fields": { "message": why } })
                .to_string()
        }
    }
}

/// What the command line asks for, or else the configuration. A configuration that cannot be read is told by the command.
fn format(cli: &Cli) -> LogFormat {
    let configured = || {
        Loaded::read(cli.config()?)
            .ok()
            .map(|loaded| loaded.config.log.format)
    };
    match cli.log_json {
        true => LogFormat::Json,
        false => configured().unwrap_or_default(),
    }
}

/// Writes lines: time, level, what happened, its fields, and those of the record that it is about.
fn lines<W>(
    format: LogFormat,
    filter: EnvFilter,
    colours: bool,
    writer: W,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_target(false)
        .with_ansi(colours);
    match format {
        LogFormat::Text => Box::new(builder.finish()),
        LogFormat::Json => Box::new(builder.json().with_span_list(false).finish()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was written.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat) -> String {
        let paper = Paper::default();
        let writer = paper.clone();
        let lines = lines(format, EnvFilter::new("warn"), false, move || writer.clone());
        tracing::subscriber::with_default(lines, || {
            tracing::info!("not this one");
            let span = tracing::error_span!("record", trace_id = %"4bf92f3577b34da6a3ce929d0e0e4736");
            span.in_scope(|| {
                tracing::warn!(worker = "enrich", lag_ms = 7, reason = ?Some("x"), "falling behind");
            });
            tracing::warn!(partition = 3, "without a record");
        });
        let bytes = paper.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// The fields of a line in JSON, with those of its record, and the message.
    fn told_in_json(line: &str) -> (BTreeSet<(String, String)>, String) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(value["level"], "WARN");
        assert!(value["timestamp"].is_string());
        let mut fields = BTreeSet::new();
        let mut message = String::new();
        for (name, value) in value["fields"].as_object().unwrap() {
            match name.as_str() {
                "message" => message = text(value),
                name => drop(fields.insert((name.to_owned(), text(value)))),
            }
        }
        if let Some(span) = value["span"].as_object() {
            let named = span.iter().filter(|(name, _)| *name != "name");
            fields.extend(named.map(|(name, value)| (name.clone(), text(value))));
        }
        (fields, message)
    }

    #[test]
    fn both_formats_say_the_same_fields() {
        let (text, json) = (written(LogFormat::Text), written(LogFormat::Json));
        assert_eq!(
            (text.lines().count(), json.lines().count()),
            (2, 2),
            "{text}{json}"
        );
        for (text, json) in text.lines().zip(json.lines()) {
            let (fields, message) = told_in_json(json);
            // The message, and each field as name=value, quoted or not; nothing else looks like a field.
            assert!(text.contains(" WARN ") && text.contains(&message), "{text}");
            let words = text.split([' ', '{', '}']).filter(|word| word.contains('='));
            let of_text: BTreeSet<(String, String)> = words
                .map(|word| word.trim_end_matches(':').split_once('=').unwrap())
                .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
                .map(|(name, value)| (name, value.replace("Some(\\\"", "Some(\"")))
                .collect();
            assert_eq!(of_text, fields, "{text}\n{json}");
        }
        assert!(json.contains("\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\""));
    }

    #[test]
    fn the_last_word_reads_as_all_others() {
        let json = last_word(LogFormat::Json, "a \"b\"\nc");
        let told: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (&told["level"], &told["fields"]["message"]),
            (&"ERROR".into(), &"a \"b\"\nc".into())
        );
        assert!(told["timestamp"].is_string() && json.lines().count() == 1);
        assert_eq!(last_word(LogFormat::Text, "why"), "cityops: why");
    }

    #[test]
    fn the_configuration_asks_for_json_as_the_command_line_does() {
        use clap::Parser;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cityops.toml");
        let asked = |text: &str, more: &[&str]| {
            std::fs::write(&path, text).unwrap();
            let path = path.display().to_string();
            let command = ["cityops", "run", "--config", &path];
            format(&Cli::try_parse_from(command.iter().chain(more)).unwrap())
        };
        assert_eq!(asked("", &[]), LogFormat::Text);
        assert_eq!(asked("", &["--log-json"]), LogFormat::Json);
        assert_eq!(asked("[log]\nformat = \"json\"", &[]), LogFormat::Json);
        // The command says what is wrong, in text.
        assert_eq!(asked("[log]\nformat = \"jsn\"", &[]), LogFormat::Text);
    }
}
