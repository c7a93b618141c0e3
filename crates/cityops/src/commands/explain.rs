//! `cityops explain`: why an event joined an incident or did not, what would have changed it, and what became of it.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use city_model::Input;
use city_rules::Rules;
use kafka_log::Properties;
use wire_format::Topic;

use crate::CommandResult;
use crate::cli::ExplainArgs;
use crate::commands::again::decide_again;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::{Exit, usage};
use crate::explain::{Story, WhatIf};
use crate::topics;

pub(super) fn run(args: &ExplainArgs, json: bool) -> CommandResult {
    match (&args.output, &args.config, &args.input) {
        (Some(output), Some(config), Some(input)) => {
            let story = Story::read(output)?;
            let what_if = of_replay(&Loaded::read(config)?, input)?;
            tell(&args.id, json, &story, Some(what_if))
        }
        (Some(_), Some(_), None) => Err(usage(
            "--output with --config needs --input, too: what the replay read".to_owned(),
        )),
        (Some(output), ..) => tell(&args.id, json, &Story::read(output)?, None),
        (None, Some(config), _) => {
            let committed = Committed::of(&Loaded::read(config)?)?;
            let (story, found) = committed.read(&args.id)?;
            let what_if = found.map(|(partition, rules)| {
                WhatIf::new(rules, move |rules| {
                    committed.decide(partition, Some(rules)).map(|(story, _)| story)
                })
            });
            tell(&args.id, json, &story, what_if)
        }
        (None, None, _) => anyhow::bail!("say where to look: --output DIR of a replay, or --config FILE"),
    }
}

fn tell(id: &str, json: bool, story: &Story, what_if: Option<WhatIf<'_>>) -> CommandResult {
    if let Some(answer) = story.explain_incident(id) {
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
    let Some(answer) = story.explain_event(id, what_if)? else {
        anyhow::bail!("no event and no incident is called {id}; an event is named as source_system/event_id");
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

/// Other rules in the place of those that an activation brings: it carries them whole.
fn change(input: &mut Input, rules: Option<&Rules>) {
    if let (Input::Activation(activation), Some(rules)) = (input, rules) {
        activation.rules = rules.to_text().into();
    }
}

/// The same input as a replay's, decided again with other rules.
fn of_replay(loaded: &Loaded, input: &Path) -> anyhow::Result<WhatIf<'static>> {
    let setup = Arc::new(crate::assemble::setup(loaded, 1)?);
    let rules = (*setup.rules).clone();
    let inputs = file_log::enriched_inputs(setup.clone(), input).context("read the replay's input")?;
    Ok(WhatIf::new(rules, move |rules| {
        let setting = file_log::setting_with(&setup, Arc::new(rules.clone()))?;
        let mut story = Story::default();
        let correlate = file_log::decide_inputs(setting, &inputs, |output| story.take(output));
        story.settle(correlate.engine());
        Ok(story)
    }))
}

/// The committed enriched log, which holds what the engine was told.
struct Committed {
    properties: Properties,
    topic: String,
    partitions: i32,
}

impl Committed {
    fn of(loaded: &Loaded) -> anyhow::Result<Committed> {
        let properties = topics::properties(loaded)?;
        let partitions = topics::partitions(loaded, &properties)?;
        Ok(Committed {
            properties,
            topic: kafka_log::topic_name(&loaded.config.kafka.topic_prefix, Topic::Enriched),
            partitions: partitions.get(&Topic::Enriched).copied().unwrap_or(0),
        })
    }

    /// All partitions decided again; and of an event that is asked for, in which it is and the rules that came into force last there.
    fn read(&self, id: &str) -> anyhow::Result<(Story, Option<(i32, Rules)>)> {
        let mut story = Story::default();
        let mut found = None;
        for partition in 0..self.partitions {
            let (own, rules) = self.decide(partition, None)?;
            if own.event(id).is_some() {
                found = rules.map(|rules| (partition, rules));
            }
            story.add(own);
        }
        Ok((story, found))
    }

    /// A partition decided again, with other rules if any are given; and the rules that it told last.
    fn decide(&self, partition: i32, rules: Option<&Rules>) -> anyhow::Result<(Story, Option<Rules>)> {
        let mut story = Story::default();
        let told = RefCell::new(None);
        let edit = |input: &mut Input| {
            if let Input::Activation(activation) = &*input {
                told.replace(Some(activation.rules.clone()));
            }
            change(input, rules);
        };
        let correlate = decide_again(
            &self.properties,
            &self.topic,
            partition,
            None,
            edit,
            |_, outputs| {
                outputs.into_iter().for_each(|output| story.take(output));
            },
        )?;
        story.settle(correlate.engine());
        let told = told
            .into_inner()
            .map(|text| Rules::from_text(&text))
            .transpose()?;
        Ok((story, told))
    }
}
