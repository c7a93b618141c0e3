//! Which right it is, where the broker refuses a loop without saying so.
//!
//! What the client library tells of a refusal while it reads names no topic, and of a transaction that was refused it may say
//! no more than that it must be given up. So the loop tries its rights, as a start does, and says it in the same words.

use std::collections::BTreeSet;
use std::time::Duration;

use wire_format::topics::Topic;

use super::bounded::bounded;
use super::failure::Failure;
use super::{Streak, WorkerConfig};
use crate::Observer;
use crate::rights::{self, Missing, Wanted};

/// How long trying them may take while a loop waits for it.
const TRY_MAX: Duration = Duration::from_secs(15);

/// What is said of a failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// For the log.
    pub(super) log: String,
    /// For whoever asks whether the loop is ready.
    pub(super) public: String,
}

impl Streak {
    /// What is said of a failure, which may get the right's name here. A right that was missing is said until the row of failures
    /// ends: what fails after it is often a consequence that says nothing.
    pub(super) fn said(
        &mut self,
        config: &WorkerConfig,
        observer: &dyn Observer,
        failure: &mut Failure,
    ) -> Said {
        if let Failure::NoRight(refusal) = failure
            && refusal.rights.is_empty()
        {
            refusal.rights = match () {
                () if refusal.is_of_group() => vec![Missing::new("READ", "group", &config.group_id)],
                () if refusal.is_of_transactional_id() => {
                    let name = format!("{}*", config.transactional_id_prefix);
                    vec![Missing::new("WRITE", "transactional-id", &name)]
                }
                () => tried(config, observer),
            };
        }
        self.keeping(failure)
    }

    fn keeping(&mut self, failure: &Failure) -> Said {
        let log = failure.to_string();
        if let Failure::NoRight(refusal) = failure
            && (!refusal.rights.is_empty() || self.refused.is_none())
        {
            self.refused = Some(log.clone());
            return Said {
                public: log.clone(),
                log,
            };
        }
        match &self.refused {
            Some(refused) => Said {
                log: format!("{refused}; after that: {log}"),
                public: refused.clone(),
            },
            None => Said {
                log,
                public: failure.in_public(),
            },
        }
    }
}

/// The rights of a loop that the broker does not grant now; none where they cannot be tried.
fn tried(config: &WorkerConfig, observer: &dyn Observer) -> Vec<Missing> {
    let (properties, wanted) = (config.properties.clone(), wanted(config));
    let alive = || observer.heartbeat(config.name);
    match bounded(TRY_MAX, &alive, move || rights::missing(&properties, &wanted)) {
        Ok(Ok(missing)) => missing,
        Ok(Err(error)) => {
            tracing::debug!(
                worker = config.name,
                error = format!("{error:#}"),
                "rights could not be tried"
            );
            Vec::new()
        }
        Err(hangs) => {
            tracing::debug!(worker = config.name, ?hangs, "rights could not be tried");
            Vec::new()
        }
    }
}

/// What a loop does with the broker.
fn wanted(config: &WorkerConfig) -> Wanted {
    let enriched = config.ticks.as_ref().map(|ticks| ticks.enriched);
    let reads = config
        .inputs
        .iter()
        .chain(&config.ahead)
        .chain([&config.changelog]);
    let writes = config.writes.iter().chain([&config.changelog]).chain(&enriched);
    Wanted {
        reads: names(config, reads),
        writes: names(config, writes),
        group: Some(config.group_id.clone()),
        transactional_id_prefix: Some(config.transactional_id_prefix.clone()),
    }
}

/// Each topic's name on the broker, once.
fn names<'a>(config: &WorkerConfig, topics: impl Iterator<Item = &'a Topic>) -> Vec<String> {
    let topics: BTreeSet<Topic> = topics.copied().collect();
    topics.into_iter().map(|topic| config.name_of(topic)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_that_is_missing_is_said_until_the_row_of_failures_ends() {
        let vague = || Failure::Retry("send the offsets: Erroneous state".to_owned());
        let mut streak = Streak::default();
        streak.attempts += 1;
        assert_eq!(streak.keeping(&vague()).public, "the log says why");
        let unnamed = || Failure::no_topic_right("read: refused".to_owned());
        assert!(streak.keeping(&unnamed()).public.ends_with("): read: refused"));
        let named = unnamed().wanting("READ", "town.city.reports.v1");
        let said = streak.keeping(&named);
        assert!(
            said.public.contains("READ on topic town.city.reports.v1"),
            "{said:?}"
        );
        for later in [vague(), unnamed(), Failure::Fatal("gone".to_owned())] {
            let after = streak.keeping(&later);
            assert_eq!(after.public, said.public);
            let last = later.to_string();
            assert!(
                after.log.starts_with(&said.log) && after.log.ends_with(&last),
                "{after:?}"
            );
        }
        // Another right that is named is news.
        let other = unnamed().wanting("WRITE", "town.city.incidents.v1");
        let said = streak.keeping(&other);
        assert!(
            said.public.contains("WRITE on topic town.city.incidents.v1") && !said.public.contains("READ")
        );
        assert!(streak.committed(|_, _| None));
        assert_eq!(streak.keeping(&vague()).public, "the log says why");
    }

    #[test]
    fn giving_up_that_fails_does_not_hide_the_right() {
        let refused = || Failure::no_topic_right("x".to_owned()).wanting("WRITE", "t");
        assert!(refused().keeps_clients());
        let then = refused().followed_by(Failure::Fatal("abort: no".to_owned()));
        assert!(
            !then.keeps_clients() && then.to_string().contains("WRITE on topic t"),
            "{then}"
        );
        let hangs = refused().followed_by(Failure::Hangs("abort".to_owned()));
        assert!(matches!(hangs, Failure::Hangs(_)), "it counts as one");
    }
}
