//! `cityops schemas check / register`: the built-in schemas against the registry that the configuration names.

use std::path::Path;

use schema_registry::{Client, Judged, NoAnswer, Standing};
use serde_json::{Value, json};
use wire_format::Topic;

use crate::CommandResult;
use crate::assemble;
use crate::cli::SchemasCommand;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::{Exit, unreachable};

/// A subject's standing.
struct Row {
    topic: Topic,
    subject: String,
    schema: &'static str,
    judged: Judged,
}

pub(super) fn run(command: &SchemasCommand, json: bool) -> CommandResult {
    match command {
        SchemasCommand::Check(args) => work(&args.config, false, json),
        SchemasCommand::Register(args) => work(&args.config, !args.dry_run, json),
    }
}

fn work(config: &Path, register: bool, json: bool) -> CommandResult {
    let loaded = Loaded::read(config)?;
    let Some(told) = assemble::registry_config(&loaded)? else {
        return Err(loaded
            .wrong(
                "schemas",
                "registry",
                "\"schemas.registry\" is not set; write the registry's address, such as http://host:port",
            )
            .into());
    };
    let client = Client::new(&told);
    let mut rows = Vec::new();
    for topic in Topic::ALL.iter().copied() {
        let Some((schema, subject)) = topic.schema().zip(topic.subject()) else {
            continue;
        };
        // A subject begins with its topic's name on the broker, so the prefix stands before it, too.
        let subject = format!("{}{subject}", loaded.config.kafka.topic_prefix);
        let judged = client.judge(&subject, schema).map_err(|why| {
            let message = format!("{subject}: the registry {}: {why}", told.address);
            match why {
                NoAnswer::Away(_) => unreachable(message),
                NoAnswer::Refused(_) => anyhow::anyhow!(message),
            }
        })?;
        rows.push(Row {
            topic,
            subject,
            schema,
            judged,
        });
    }
    let refused = rows
        .iter()
        .filter(|row| matches!(row.judged.standing, Standing::Incompatible { .. }))
        .count();
    let mut subjects = Vec::new();
    for row in &rows {
        let wanted = matches!(row.judged.standing, Standing::New | Standing::Compatible);
        let id = match register && refused == 0 && wanted {
            true => Some(
                client
                    .register(&row.subject, row.schema)
                    .map_err(|why| anyhow::anyhow!("the registry {}: {why}", told.address))?,
            ),
            false => None,
        };
        match json {
            true => subjects.push(in_json(row, id)),
            false => say(row, id),
        }
    }
    if json {
        print(json!({ "registry": told.address.to_string(), "incompatible": refused, "subjects": subjects }));
    } else if refused > 0 {
        let nothing = if register {
            "; nothing was registered  未登记任何模式"
        } else {
            ""
        };
        print(format!(
            "{refused} would be refused  {refused} 个模式不兼容{nothing}"
        ));
    }
    Ok(match refused {
        0 => Exit::Clean,
        _ => Exit::Differences,
    })
}

fn in_json(row: &Row, registered: Option<u32>) -> Value {
    let mut told = json!({ "subject": row.subject, "topic": row.topic.name(), "mode": row.judged.mode,
        "standing": word(&row.judged.standing) });
    match &row.judged.standing {
        Standing::Same { id, version } => {
            told["id"] = json!(id);
            told["version"] = json!(version);
        }
        Standing::Incompatible { reasons } => told["reasons"] = json!(reasons),
        Standing::New | Standing::Compatible => {}
    }
    if let Some(id) = registered {
        told["registered"] = json!(id);
    }
    told
}

fn say(row: &Row, registered: Option<u32>) {
    let more = match (&row.judged.standing, registered) {
        (_, Some(id)) => format!("registered as {id}"),
        (Standing::Same { id, version }, None) => {
            let version = version.map_or_else(String::new, |version| format!(", version {version}"));
            format!("id {id}{version}")
        }
        (Standing::Compatible, None) if row.judged.mode == "NONE" => {
            "the mode NONE compares nothing".to_owned()
        }
        _ => String::new(),
    };
    let line = format!(
        "{:<12}  {:<44} {:<20} {more}",
        word(&row.judged.standing),
        row.subject,
        row.judged.mode
    );
    print(line.trim_end());
    if let Standing::Incompatible { reasons } = &row.judged.standing {
        for reason in reasons {
            print(format!("              {reason}"));
        }
    }
}

const fn word(standing: &Standing) -> &'static str {
    match standing {
        Standing::New => "new",
        Standing::Same { .. } => "same",
        Standing::Compatible => "compatible",
        Standing::Incompatible { .. } => "incompatible",
    }
}
