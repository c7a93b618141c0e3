//! `cityops explain`: why an event joined an incident or did not, what would have changed it, and what became of it.

use wire_format::Topic;

use crate::CommandResult;
use crate::cli::ExplainArgs;
use crate::commands::again::decide_again;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::Exit;
use crate::explain::Story;
use crate::topics;

pub(super) fn run(args: &ExplainArgs, json: bool) -> CommandResult {
    let story = match (&args.output, &args.config) {
        (Some(dir), _) => Story::read(dir)?,
        (None, Some(config)) => live(&Loaded::read(config)?)?,
        (None, None) => anyhow::bail!("say where to look: --output DIR of a replay, or --config FILE"),
    };
    if let Some(answer) = story.explain_incident(&args.id) {
        if json {
            print(serde_json::to_string(&answer)?);
        } else {
            for sentence in answer.sentences_zh.iter().chain(&answer.sentences_en) {
                print(sentence);
            }
            print(format!("\n{} 条上报 / reports:", answer.members.len()));
            for member in &answer.members {
                print(format!(
                    "  {} [{}] {} / {}",
                    member.event, member.outcome, member.why_zh, member.why_en
                ));
            }
        }
        return Ok(Exit::Clean);
    }
    let Some(answer) = story.explain_event(&args.id) else {
        anyhow::bail!(
            "no event and no incident is called {}; an event is named as source_system/event_id",
            args.id
        );
    };
    if json {
        print(serde_json::to_string(&answer)?);
    } else {
        for sentence in answer.sentences_zh.iter().chain(&answer.sentences_en) {
            print(sentence);
        }
    }
    Ok(Exit::Clean)
}

/// Decides the committed enriched log again, for the log alone holds what the engine was told.
fn live(loaded: &Loaded) -> anyhow::Result<Story> {
    let properties = topics::properties(loaded)?;
    let partitions = topics::partitions(loaded, &properties)?;
    let partitions = partitions.get(&Topic::Enriched).copied().unwrap_or(0);
    let topic = kafka_log::topic_name(&loaded.config.kafka.topic_prefix, Topic::Enriched);
    let mut story = Story::default();
    for partition in 0..partitions {
        decide_again(&properties, &topic, partition, None, |_, outputs| {
            outputs.into_iter().for_each(|output| story.take(output));
        })?;
    }
    Ok(story)
}
