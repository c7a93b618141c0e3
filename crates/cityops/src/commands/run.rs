//! `cityops run`: the workers against a real Kafka, until SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use city_model::EventTime;

use crate::CommandResult;
use crate::cli::RunArgs;
use crate::config::Loaded;
use crate::exit::{Exit, usage};
use crate::reload::{ReloadStart, Reloader, ask_at_hangup};
use crate::service::{Service, ServiceStart, ended};
use crate::workers::Role;
use crate::{acls, assemble, moved_groups, outputs, topics};
use kafka_log::Properties;
use wire_format::Topic;

pub(super) fn run(args: &RunArgs) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    let roles = roles(&args.workers)?;
    loaded.needs_reporter_key()?;
    let asked = asked_to_stop()?;
    let (ask, asks) = std::sync::mpsc::channel();
    ask_at_hangup(ask.clone())?;
    let properties = topics::properties(&loaded)?;
    let partitions = topics::partitions(&loaded, &properties)?;
    check_rights(&loaded, &properties, &roles)?;
    let enriched = partitions.get(&Topic::Enriched).copied().unwrap_or(1);
    if let Some(finding) = loaded.other_size(enriched) {
        tracing::warn!(key = finding.key, "{finding}");
    }
    let setup = Arc::new(assemble::setup(&loaded, enriched as u32)?);
    moved_groups::check(&loaded, &setup, &properties)?;
    let now = EventTime::from_millis(jiff::Timestamp::now().as_millisecond());
    if let Some(finding) = assemble::calendar_finding(&setup.rules, &setup.timezone, now)? {
        tracing::warn!(key = finding.key, "{}", finding.message);
    }
    let written = outputs::prepare(&loaded)?;
    let listen = loaded.config.http.listen.clone();
    let service = Service::start(ServiceStart {
        loaded: &loaded,
        setup,
        properties,
        partitions,
        roles,
        listen: &listen,
        embedded: false,
        keep_grouping: false,
        written,
    })?;
    let start = ReloadStart {
        path: args.config.clone(),
        loaded,
        in_force: service.in_force.clone(),
        metrics: service.metrics.clone(),
    };
    let _reloader = Reloader::start(start, ask, asks)?;
    let ending = service.wait(|| asked.load(Ordering::Relaxed));
    service.stop();
    ended(ending)?;
    Ok(Exit::Clean)
}

/// Tries every right that the workers need: a missing one would show when the first record wants it.
fn check_rights(loaded: &Loaded, properties: &Properties, roles: &[Role]) -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for role in roles {
        let wanted = acls::wanted(loaded, *role);
        match kafka_log::rights::missing(properties, &wanted) {
            Ok(found) => missing.extend(found),
            // A broker that is just failing over refuses nothing. The loops wait for it; a start must not fail for it.
            Err(error) => {
                let (role, error) = (role.as_str(), format!("{error:#}"));
                tracing::warn!(
                    worker = role,
                    error,
                    "its rights on the broker could not be tried"
                );
            }
        }
    }
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = missing.iter().map(ToString::to_string).collect();
    anyhow::bail!(
        "the broker does not grant: {}; `cityops topics plan --acls` prints what a worker needs  Kafka 未授予以上权限",
        named.join("; ")
    )
}

fn roles(names: &[String]) -> anyhow::Result<Vec<Role>> {
    let mut roles = Vec::new();
    for name in names {
        let known = Role::ALL.into_iter().find(|role| role.as_str() == name);
        let role = known.ok_or_else(|| {
            usage(format!(
                "--workers {name}: the workers are enrich, correlate and vitals"
            ))
        })?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    Ok(roles)
}

/// A flag that SIGTERM or SIGINT sets; a second signal ends the process at once.
pub(crate) fn asked_to_stop() -> anyhow::Result<Arc<AtomicBool>> {
    let asked = Arc::new(AtomicBool::new(false));
    let flag = asked.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start signal handling")?;
    let signals = runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        Ok::<_, std::io::Error>((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    });
    let (mut terminate, mut interrupt) = signals.context("listen for signals")?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = terminate.recv() => {}
                        _ = interrupt.recv() => {}
                    }
                    if flag.swap(true, Ordering::Relaxed) {
                        tracing::warn!("asked a second time: ending at once");
                        std::process::exit(Exit::Failure as i32);
                    }
                    tracing::info!("asked to stop: draining");
                }
            });
        })
        .context("start signal handling")?;
    Ok(asked)
}
