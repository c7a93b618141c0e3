//! Who may do what on the broker: the least rights with which each party's part of the work is done.
//!
//! The list is what `topics plan --acls` prints, and what a start of the workers tries.

use kafka_log::rights::Wanted;
use kafka_log::topic_name;
use wire_format::Topic;

use crate::config::Loaded;
use crate::deadletter;
use crate::follower::FOLLOWED;
use crate::topics::{EVENTS, INPUTS};
use crate::workers::Role;

/// Who works with the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// `cityops run`.
    Worker,
    /// The operations centre: sees incidents, gives commands and silences.
    Centre,
    /// A source system: writes records, sees what became of them.
    Integrator,
    /// Who runs it: topics, dead letters, audit, explain, ledger, lag.
    Sre,
}

impl Party {
    /// Everyone.
    pub const ALL: [Party; 4] = [Party::Worker, Party::Centre, Party::Integrator, Party::Sre];

    /// The name, as it stands behind the city's in the principal's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Party::Worker => "worker",
            Party::Centre => "centre",
            Party::Integrator => "integrator",
            Party::Sre => "sre",
        }
    }
}

/// What a right is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// A topic.
    Topic,
    /// A consumer group.
    Group,
    /// A transactional id.
    TransactionalId,
}

impl Resource {
    /// Its name as an option of Kafka's `kafka-acls`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Resource::Topic => "topic",
            Resource::Group => "group",
            Resource::TransactionalId => "transactional-id",
        }
    }
}

/// Rights of one party on one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acl {
    /// Who.
    pub party: Party,
    /// On what.
    pub resource: Resource,
    /// Its name, or what its name begins with.
    pub name: String,
    /// The name is the beginning of one.
    pub prefixed: bool,
    /// The operations; READ, WRITE and ALTER bring DESCRIBE with them, ALTER_CONFIGS brings DESCRIBE_CONFIGS.
    pub operations: Vec<&'static str>,
    /// What for.
    pub purpose: &'static str,
}

/// What a worker writes in its transactions, besides its changelog.
const fn writes(role: Role) -> &'static [Topic] {
    match role {
        Role::Enrich => &[
            Topic::Enriched,
            Topic::Outcomes,
            Topic::Late,
            Topic::DeadLetters,
            Topic::DeviceFaults,
        ],
        Role::Correlate => &[
            Topic::Incidents,
            Topic::IncidentsP1,
            Topic::IncidentsP2,
            Topic::IncidentsP3,
            Topic::IncidentsP4,
            Topic::Outcomes,
            Topic::Late,
            Topic::DeadLetters,
        ],
        Role::Vitals => &[Topic::VitalsFacts, Topic::Vitals, Topic::DeadLetters],
    }
}

/// The rights that a worker tries at its start.
pub fn wanted(loaded: &Loaded, role: Role) -> Wanted {
    let kafka = &loaded.config.kafka;
    let named = |topic: &Topic| topic_name(&kafka.topic_prefix, *topic);
    let mut reads: Vec<Topic> = role.inputs().to_vec();
    // Every process follows what it shows over HTTP.
    for topic in FOLLOWED.into_iter().chain([role.changelog()]) {
        if !reads.contains(&topic) {
            reads.push(topic);
        }
    }
    Wanted {
        reads: reads.iter().map(named).collect(),
        writes: writes(role)
            .iter()
            .chain([&role.changelog()])
            .map(named)
            .collect(),
        group: Some(role.group(kafka)),
        transactional_id_prefix: Some(role.transactional_id_prefix(kafka)),
    }
}

/// The rights of everyone.
pub fn acls(loaded: &Loaded) -> Vec<Acl> {
    let kafka = &loaded.config.kafka;
    let mut list = List {
        prefix: &kafka.topic_prefix,
        acls: Vec::new(),
    };
    for role in Role::ALL {
        let wanted = wanted(loaded, role);
        for name in wanted.reads {
            list.add(
                Party::Worker,
                Resource::Topic,
                name,
                false,
                "READ",
                "what the workers read",
            );
        }
        for name in wanted.writes {
            list.add(
                Party::Worker,
                Resource::Topic,
                name,
                false,
                "WRITE",
                "what the workers write",
            );
        }
        if let Some(name) = wanted.group {
            list.add(
                Party::Worker,
                Resource::Group,
                name,
                false,
                "READ",
                "shares the partitions",
            );
        }
        if let Some(name) = wanted.transactional_id_prefix {
            let purpose = "exactly-once; every start takes another name";
            list.add(
                Party::Worker,
                Resource::TransactionalId,
                name,
                true,
                "WRITE",
                purpose,
            );
        }
    }
    // Late events concern those who sent them.
    for topic in Topic::OUTPUTS.into_iter().filter(|topic| *topic != Topic::Late) {
        list.topic(Party::Centre, topic, "READ", "sees what happens");
    }
    for topic in [Topic::Command, Topic::Silence] {
        list.topic(Party::Centre, topic, "WRITE", "says what is done");
    }
    for topic in EVENTS.into_iter().chain([Topic::Weather]) {
        list.topic(
            Party::Integrator,
            topic,
            "WRITE",
            "feeds it; give a source only its own topic",
        );
    }
    list.topic(
        Party::Integrator,
        Topic::Outcomes,
        "READ",
        "sees what became of its records",
    );
    for party in [Party::Centre, Party::Integrator] {
        let name = format!("{}-{}", kafka.group_prefix, party.as_str());
        list.add(
            party,
            Resource::Group,
            name,
            true,
            "READ",
            "groups of its own that begin so",
        );
    }
    list.sre(loaded);
    list.acls
}

struct List<'a> {
    prefix: &'a str,
    acls: Vec<Acl>,
}

impl List<'_> {
    fn topic(&mut self, party: Party, topic: Topic, operation: &'static str, purpose: &'static str) {
        let name = topic_name(self.prefix, topic);
        self.add(party, Resource::Topic, name, false, operation, purpose);
    }

    /// Operations on one thing stand together.
    fn add(
        &mut self,
        party: Party,
        resource: Resource,
        name: String,
        prefixed: bool,
        operation: &'static str,
        purpose: &'static str,
    ) {
        let same = self.acls.iter_mut().find(|acl| {
            (acl.party, acl.resource, acl.prefixed) == (party, resource, prefixed) && acl.name == name
        });
        match same {
            Some(acl) if acl.operations.contains(&operation) => {}
            Some(acl) => acl.operations.push(operation),
            None => self.acls.push(Acl {
                party,
                resource,
                name,
                prefixed,
                operations: vec![operation],
                purpose,
            }),
        }
    }

    fn sre(&mut self, loaded: &Loaded) {
        let all = format!("{}city.", self.prefix);
        for operation in ["CREATE", "ALTER", "ALTER_CONFIGS"] {
            let purpose = "topics plan and apply; no DELETE";
            self.add(Party::Sre, Resource::Topic, all.clone(), true, operation, purpose);
        }
        for topic in [
            Topic::Enriched,
            Topic::Incidents,
            Topic::Outcomes,
            Topic::EnrichChangelog,
            Topic::CorrelateChangelog,
        ] {
            self.topic(Party::Sre, topic, "READ", "audit, ledger, explain");
        }
        for operation in ["READ", "WRITE"] {
            let purpose = "deadletter list, show and replay: personal data";
            self.topic(Party::Sre, Topic::DeadLetters, operation, purpose);
        }
        for topic in INPUTS {
            self.topic(Party::Sre, topic, "WRITE", "deadletter replay");
        }
        let id = deadletter::transactional_id(loaded);
        self.add(
            Party::Sre,
            Resource::TransactionalId,
            id,
            false,
            "WRITE",
            "deadletter replay",
        );
        for role in Role::ALL {
            let group = role.group(&loaded.config.kafka);
            self.add(
                Party::Sre,
                Resource::Group,
                group,
                false,
                "DESCRIBE",
                "lag, by Kafka's own tools; where audit stops",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_the_workers_writes_what_they_write_and_only_sre_reads_dead_letters() {
        let acls = acls(&Loaded::builtin());
        for acl in acls
            .iter()
            .filter(|acl| acl.resource == Resource::Topic && !acl.prefixed)
        {
            let topic = Topic::by_name(&acl.name).unwrap();
            let writes = acl.operations.contains(&"WRITE");
            if writes && topic.source().is_none() && topic != Topic::DeadLetters {
                assert_eq!(acl.party, Party::Worker, "{acl:?}");
            }
            if topic == Topic::DeadLetters && acl.operations.contains(&"READ") {
                assert_eq!(acl.party, Party::Sre, "{acl:?}");
            }
            if matches!(
                topic,
                Topic::EnrichChangelog | Topic::CorrelateChangelog | Topic::VitalsChangelog
            ) {
                assert!([Party::Worker, Party::Sre].contains(&acl.party), "{acl:?}");
            }
        }
        assert!(acls.iter().all(|acl| !acl.operations.contains(&"DELETE")));
    }

    #[test]
    fn a_worker_may_see_every_topic_that_it_looks_for() {
        let acls = acls(&Loaded::builtin());
        for topic in Topic::ALL {
            let named = |acl: &&Acl| acl.party == Party::Worker && acl.name == topic.name();
            assert_eq!(acls.iter().filter(named).count(), 1, "{topic}");
        }
    }
}
