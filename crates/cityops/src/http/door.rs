//! Who is let in and how: the limits, the tokens and the certificate of the configuration, read at the start and again when
//! their files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use city_rules::ConfigError;
use city_rules::strict::DurationMs;
use tokio_rustls::rustls::ServerConfig;

use super::hosts::Hosts;
use super::tls;
use super::tokens::Tokens;
use crate::config::{AccessLog, HttpLimits, Loaded, Stamp, is_loopback};
use crate::metrics::ReloadMetrics;

/// How often files of tokens and certificates are looked at: a certificate is renewed every few weeks.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Limits, names, tokens and certificate.
#[derive(Clone, Default)]
pub struct Door {
    /// How much of everything.
    pub limits: HttpLimits,
    pub(super) hosts: Hosts,
    pub(super) access_log: AccessLog,
    pub(super) tokens: Option<Arc<Renewed<Tokens>>>,
    pub(super) tls: Option<Arc<Renewed<ServerConfig>>>,
}

impl Door {
    /// The door of a configuration; says what is odd about it.
    ///
    /// # Errors
    /// A [`ConfigError`] for a file that cannot be read or holds something else.
    pub fn of(loaded: &Loaded) -> Result<Door, ConfigError> {
        let http = &loaded.config.http;
        let wrong = |key: &str, why: String| loaded.wrong("http", key, &format!("\"http.{key}\": {why}"));
        let tokens = http.tokens_file.as_deref().map(|path| {
            let full = loaded.path(path);
            let read = move |files: &[PathBuf]| Tokens::read(&text_of(&files[0])?);
            Renewed::new("tokens", vec![full], Box::new(read)).map_err(|why| wrong("tokens_file", why))
        });
        let tls = match (&http.tls_certificate, &http.tls_key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            // The configuration is refused where there is one of the two.
            _ => None,
        };
        let tls = tls.map(|(certificate, key)| {
            let files = vec![loaded.path(certificate), loaded.path(key)];
            let read = |files: &[PathBuf]| tls::config(&text_of(&files[0])?, &text_of(&files[1])?);
            Renewed::new("certificate", files, Box::new(read)).map_err(|why| wrong("tls_certificate", why))
        });
        Ok(Door {
            limits: http.limits,
            hosts: Hosts::of(http),
            access_log: http.access_log,
            tokens: tokens.transpose()?.map(Arc::new),
            tls: tls.transpose()?.map(Arc::new),
        })
    }

    /// Tells what whoever starts it should know about where it listens.
    pub fn warn(&self, listen: &str) {
        if is_loopback(listen) {
            return;
        }
        if self.tokens.is_none() {
            tracing::warn!(
                listen,
                "whoever reaches this address reads all incidents, without a token"
            );
        } else if self.tls.is_none() {
            tracing::warn!(
                listen,
                "tokens come in clear text unless a gateway speaks TLS before this address"
            );
        }
    }

    /// Reads again what has changed on disk, and says of each whether what lies there is in force.
    pub(super) fn look(&self, reloads: &ReloadMetrics) {
        if let Some(tokens) = &self.tokens {
            reloads.stands(tokens.what, tokens.look());
        }
        if let Some(tls) = &self.tls {
            reloads.stands(tls.what, tls.look());
        }
    }
}

/// A limit in time. The configuration allows no negative ones.
pub(super) fn time(limit: DurationMs) -> Duration {
    Duration::from_millis(limit.0.unsigned_abs())
}

/// Errors hold the path and nothing of the content: it is secret.
fn text_of(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", path.display()))
}

type Read<T> = Box<dyn Fn(&[PathBuf]) -> Result<T, String> + Send + Sync>;

/// Something that is made from files, and made again when they change.
pub(super) struct Renewed<T> {
    what: &'static str,
    files: Vec<PathBuf>,
    read: Read<T>,
    held: Mutex<Held<T>>,
}

struct Held<T> {
    stamps: Vec<Option<Stamp>>,
    /// As it was last read and found good.
    good: Arc<T>,
    /// What lies there is that.
    is_good: bool,
}

impl<T> Renewed<T> {
    pub(super) fn new(what: &'static str, files: Vec<PathBuf>, read: Read<T>) -> Result<Renewed<T>, String> {
        // Taken before reading: whatever happens to a file later shows.
        let stamps = stamps(&files);
        let first = read(&files)?;
        Ok(Renewed {
            what,
            files,
            read,
            held: Mutex::new(Held {
                stamps,
                good: Arc::new(first),
                is_good: true,
            }),
        })
    }

    /// As it was last read and found good.
    pub(super) fn get(&self) -> Arc<T> {
        self.held().good.clone()
    }

    fn held(&self) -> MutexGuard<'_, Held<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads again if a file has changed. What is not good changes nothing, and is told once; whether what lies there is in
    /// force.
    pub(super) fn look(&self) -> bool {
        let now = stamps(&self.files);
        {
            let held = self.held();
            if held.stamps == now {
                return held.is_good;
            }
        }
        let read = (self.read)(&self.files).map(Arc::new);
        match &read {
            Ok(_) => tracing::info!(what = self.what, "read again for HTTP"),
            Err(error) => {
                tracing::error!(
                    what = self.what,
                    error,
                    "a changed file is not good; HTTP goes on with what was read before"
                );
            }
        }
        let mut held = self.held();
        held.stamps = now;
        held.is_good = read.is_ok();
        if let Ok(read) = read {
            held.good = read;
        }
        held.is_good
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    files.iter().map(|file| Stamp::of(file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_read_again_and_a_bad_one_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("number");
        std::fs::write(&file, "1").unwrap();
        let read = |files: &[PathBuf]| text_of(&files[0])?.parse::<u32>().map_err(|e| e.to_string());
        let renewed = Renewed::new("number", vec![file.clone()], Box::new(read)).unwrap();
        assert!(renewed.look());
        assert_eq!(*renewed.get(), 1);
        for (text, wanted) in [("twelve", 1), ("12", 12)] {
            std::fs::write(&file, text).unwrap();
            for _ in 0..2 {
                assert_eq!(renewed.look(), text == "12", "as long as it lies there");
            }
            assert_eq!(*renewed.get(), wanted);
        }
        std::fs::remove_file(&file).unwrap();
        assert!(!renewed.look());
        assert_eq!(*renewed.get(), 12);
        assert!(Renewed::new("number", vec![file], Box::new(read)).is_err());
    }
}
