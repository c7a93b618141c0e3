//! A new grid, registry or rules file comes into force while the loops run: proposed by SIGHUP or by the watch, read whole
//! on a thread of its own, and taken by each loop between two batches. What is not good changes nothing.

mod proposal;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::Duration;

use anyhow::Context;
use stream_worker::{InForce, Setup, Standing};

use crate::config::{Loaded, Stamp, Watch};
use crate::http::wall_clock;
use crate::metrics::{Metrics, ReloadResult};
use proposal::{Proposal, propose};
use watch::Watched;

/// How often a replaced grid is looked at until the last loop has let go of it: freeing it takes time that no loop has.
const RETIRED_EVERY: Duration = Duration::from_secs(1);

/// What the reloading thread is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Look now.
    Reload,
    /// The process ends.
    End,
}

/// What reloading works on.
pub struct ReloadStart {
    /// The configuration's file.
    pub path: PathBuf,
    /// What was read from it at the start.
    pub loaded: Loaded,
    /// Where a new one is put.
    pub in_force: Arc<InForce>,
    /// Told what came of it.
    pub metrics: Arc<Metrics>,
}

/// The reloading thread; it ends when this is dropped, not waited for: a grid that is being read then is nobody's.
pub struct Reloader(Sender<Ask>);

impl Reloader {
    /// Starts the thread. `asks` is the other end of `sender`, which may hold what was asked before.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(start: ReloadStart, sender: Sender<Ask>, asks: Receiver<Ask>) -> anyhow::Result<Reloader> {
        start.metrics.reloads().begin(wall_clock());
        let mut reloading = Reloading::new(start);
        std::thread::Builder::new()
            .name("reload".to_owned())
            .spawn(move || reloading.run(&asks))
            .context("start the reloading thread")?;
        Ok(Reloader(sender))
    }
}

impl Drop for Reloader {
    fn drop(&mut self) {
        // A thread that has ended listens no more.
        let _ = self.0.send(Ask::End);
    }
}

/// Asks for a reload at every SIGHUP from now on.
///
/// # Errors
/// When the signal cannot be listened for.
pub fn ask_at_hangup(sender: Sender<Ask>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("listen for SIGHUP")?;
    let mut hangup = runtime
        .block_on(async { tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) })
        .context("listen for SIGHUP")?;
    std::thread::Builder::new()
        .name("hangup".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                while hangup.recv().await.is_some() && sender.send(Ask::Reload).is_ok() {}
            });
        })
        .context("listen for SIGHUP")?;
    Ok(())
}

struct Reloading {
    path: PathBuf,
    /// What is in force.
    running: Loaded,
    in_force: Arc<InForce>,
    metrics: Arc<Metrics>,
    watched: Watched,
    /// Replaced, but still held by some loop.
    retired: Vec<Arc<Setup>>,
}

impl Reloading {
    fn new(start: ReloadStart) -> Reloading {
        let mut watched = Watched::default();
        watched.have_read(&start.loaded.reads.files());
        Reloading {
            path: start.path,
            running: start.loaded,
            in_force: start.in_force,
            metrics: start.metrics,
            watched,
            retired: Vec::new(),
        }
    }

    fn run(&mut self, asks: &Receiver<Ask>) {
        loop {
            let watch = match self.running.config.reload.watch {
                Watch::Off => None,
                Watch::Every(time) => Some(Duration::from_millis(time.0.unsigned_abs())),
            };
            let patience = match (watch, self.retired.is_empty()) {
                (watch, true) => watch,
                (watch, false) => Some(watch.map_or(RETIRED_EVERY, |watch| watch.min(RETIRED_EVERY))),
            };
            let told = match patience {
                Some(patience) => asks.recv_timeout(patience),
                None => asks.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match told {
                Ok(Ask::Reload) => {
                    if ends(asks) {
                        return;
                    }
                    tracing::info!("asked to reload");
                    self.reload(watch.is_none());
                }
                Ok(Ask::End) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    if watch.is_some() && self.watched.look(|path| Stamp::of(path)) {
                        tracing::info!("files have changed");
                        self.reload(false);
                    }
                }
            }
            self.retired.retain(|setup| Arc::strong_count(setup) > 1);
        }
    }

    /// Reads everything again and puts it in force if it is good. `is_last` says that nobody will look again by himself.
    fn reload(&mut self, is_last: bool) -> Option<ReloadResult> {
        let (_, standing) = self.in_force.standing();
        let begun = std::time::Instant::now();
        let (reads, proposal) = propose(&self.path, &self.running, &standing.setup);
        self.watched.have_read(&reads.files());
        let result = match proposal {
            Ok(Proposal::Unchanged) => {
                tracing::info!("the files say what is in force already");
                ReloadResult::Unchanged
            }
            Ok(Proposal::Good(loaded, setup)) => {
                self.put_in_force(*loaded, setup, &standing.activation.partitions);
                tracing::info!(seconds = begun.elapsed().as_secs_f64(), "reloaded");
                ReloadResult::Applied
            }
            Ok(Proposal::Moving) if !is_last => {
                tracing::info!("files are being written: waiting until they stand still");
                self.watched.look_again();
                return None;
            }
            Ok(Proposal::Moving) => {
                tracing::error!("the reload is refused: files were being written meanwhile; ask again");
                ReloadResult::Refused
            }
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "the reload is refused; everything stays as it was");
                ReloadResult::Refused
            }
        };
        self.metrics.reloads().count(result, wall_clock());
        Some(result)
    }

    fn put_in_force(&mut self, loaded: Loaded, setup: Arc<Setup>, inputs: &[city_model::Name]) {
        let standing = Standing::of(setup, inputs);
        for (layer, version) in &standing.activation.grid {
            tracing::info!(%layer, %version, "this grid comes into force");
        }
        self.metrics.comes_into_force(&standing);
        self.retired.push(self.in_force.replace(standing).setup);
        self.running = loaded;
        self.watched.forget_all();
        self.watched.have_read(&self.running.reads.files());
    }
}

/// Takes what was asked together; whether the end was among it.
fn ends(asks: &Receiver<Ask>) -> bool {
    loop {
        match asks.try_recv() {
            Ok(Ask::Reload) => {}
            Ok(Ask::End) | Err(TryRecvError::Disconnected) => return true,
            Err(TryRecvError::Empty) => return false,
        }
    }
}

#[cfg(test)]
mod tests;
