//! What a city is operated with: metrics under a real Prometheus, alerts with their tests and pages, dashboards, and the files
//! that it is deployed by.
#![allow(clippy::unwrap_used)]

#[path = "../city/mod.rs"]
mod city;

mod alerts;
mod cluster;
mod dashboards;
mod manifests;
mod sbom;
mod scrape;

use std::path::PathBuf;

/// A file of the folder `deploy`.
fn deploy(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(name)
}
