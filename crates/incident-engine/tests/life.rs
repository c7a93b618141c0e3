//! The life of an incident as it is drawn for readers is the one that the code has.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use incident_engine::{Stage, Step};

/// The edges of the drawing, as `from --> to: step`; one line may name several steps.
fn drawn() -> BTreeSet<String> {
    let readme = include_str!("../../README.md");
    let drawing = readme
        .split("```mermaid")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let edges = drawing.unwrap().lines().filter_map(|line| {
        let (edge, steps) = line.trim().split_once(": ")?;
        Some(steps.split(", ").map(move |step| format!("{edge}: {step}")))
    });
    edges.flatten().collect()
}

#[test]
fn the_drawing_is_the_transition_function() {
    let mut stepped = BTreeSet::new();
    for stage in Stage::all() {
        for step in Step::ALL {
            if let Ok(next) = stage.after(step) {
                stepped.insert(format!("{stage} --> {next}: {}", step.as_str()));
            }
        }
    }
    let drawn = drawn();
    let missing: Vec<_> = stepped.difference(&drawn).collect();
    let invented: Vec<_> = drawn.difference(&stepped).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "not drawn: {missing:#?}\nno such step: {invented:#?}"
    );
}
