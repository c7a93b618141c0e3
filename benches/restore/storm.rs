//! The enriched inputs of a simulated storm.

use std::sync::Arc;

use city_model::{Activation, Input};
use file_log::{INPUT_FILES, enriched_inputs};
use incident_engine::{Engine, Setting};

use crate::shifted::shifted;

/// The inputs, and the activation that they are decided under.
pub(crate) fn storm(events: usize) -> (Setting, Vec<Input>) {
    let dir = tempfile::tempdir().unwrap();
    cityops::commands::simulate_into(dir.path(), city_simulator::Scenario::Typhoon, 3, events).unwrap();
    assert!(INPUT_FILES.iter().all(|(_, name)| dir.path().join(name).exists()));
    let loaded = cityops::config::Loaded::read(&dir.path().join("cityops.toml")).unwrap();
    let setup = Arc::new(cityops::assemble::setup(&loaded, 1).unwrap());
    let activation: Arc<Activation> = Arc::new(setup.activation(&["replay".into()]));
    let setting = Setting::with_rules(activation, setup.rules.clone()).unwrap();
    (setting, enriched_inputs(setup, dir.path()).unwrap())
}

/// An engine that was told of so many copies of a storm, side by side.
pub(crate) fn engine_of(setting: &Setting, inputs: &[Input], copies: i64) -> Engine {
    let mut engine = Engine::with_setting(setting.clone());
    for input in inputs {
        match input {
            Input::Event(event) => {
                (0..copies).for_each(|copy| step(&mut engine, &Input::Event(Arc::new(shifted(event, copy)))));
            }
            other => step(&mut engine, other),
        }
    }
    engine
}

pub(crate) fn step(engine: &mut Engine, input: &Input) {
    for change in engine.decide(input).changes {
        engine.apply(&change).unwrap();
    }
}
