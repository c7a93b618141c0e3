//! The workers broken on purpose: what they have read is committed after the transaction, not in it.
//!
//! There is no such program: this test is started once more as a process of its own. The position goes beside the
//! transaction as it does on the embedded broker of the demonstration, whose transactions keep none.

use std::process::Command;
use std::sync::Arc;

use cityops::config::Loaded;
use cityops::service::{Service, ServiceStart};
use cityops::workers::Role;
use cityops::{assemble, outputs, topics};
use wire_format::Topic;

/// Names the configuration to the process.
const CONFIG: &str = "CITYOPS_FAULTS_BESIDE";

/// Starts this test program as such a process.
pub fn command(config: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["beside::process", "--exact", "--nocapture"])
        .env(CONFIG, config);
    command
}

/// Runs workers until it is killed, if it was started to.
#[test]
fn process() {
    let Some(config) = std::env::var_os(CONFIG) else {
        return;
    };
    let loaded = Loaded::read(config.as_ref()).unwrap();
    let properties = topics::properties(&loaded).unwrap();
    let partitions = topics::partitions(&loaded, &properties).unwrap();
    let enriched = partitions[&Topic::Enriched] as u32;
    let listen = loaded.config.http.listen.clone();
    let service = Service::start(ServiceStart {
        loaded: &loaded,
        setup: Arc::new(assemble::setup(&loaded, enriched).unwrap()),
        properties,
        partitions,
        roles: vec![Role::Enrich, Role::Correlate],
        listen: &listen,
        embedded: true,
        keep_grouping: false,
        written: outputs::prepare(&loaded).unwrap(),
    })
    .unwrap();
    service.wait(|| false);
}
