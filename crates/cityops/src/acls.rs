//! Who may do what on the broker: the least rights with which each party's part of the work is done.
//!
//! The list is what `topics plan --acls` prints, and what a start of the workers tries.

use kafka_log::rights::Wanted;
use kafka_log::topic_name;
use wire_format::Topic;

use crate::config::Loaded;
use crate::deadletter;
use crate::follower::FOLLOWED;
use crate::topics::INPUTS;
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

    /// The parts of its work that have rights of their own, so that nobody needs the rights of another part; `""` is what it does besides.
    pub const fn duties(self) -> &'static [&'static str] {
        match self {
            Party::Worker | Party::Centre => &[""],
            Party::Integrator => &["sensor", "hotline", "video", "report", "weather"],
            Party::Sre => &["", "topics", "deadletters", "rebuild"],
        }
    }

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

/// Of a source system: what it may write alone.
const SENDS: [(&str, Topic); 5] = [
    ("sensor", Topic::Sensor),
    ("hotline", Topic::Hotline),
    ("video", Topic::Video),
    ("report", Topic::Report),
    ("weather", Topic::Weather),
];

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
    /// In which of its duties.
    pub duty: &'static str,
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
pub(crate) const fn writes(role: Role) -> &'static [Topic] {
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
    let mut list = List {
        loaded,
        party: Party::Worker,
        duty: "",
        acls: Vec::new(),
    };
    list.worker();
    list.centre();
    list.integrators();
    list.sre();
    list.acls
}

struct List<'a> {
    loaded: &'a Loaded,
    /// Whose rights are added.
    party: Party,
    duty: &'static str,
    acls: Vec<Acl>,
}

impl List<'_> {
    fn of(&mut self, party: Party, duty: &'static str) -> &mut Self {
        (self.party, self.duty) = (party, duty);
        self
    }

    fn topic(&mut self, topic: Topic, operation: &'static str, purpose: &'static str) {
        let name = topic_name(&self.loaded.config.kafka.topic_prefix, topic);
        self.add(Resource::Topic, name, false, operation, purpose);
    }

    /// Operations on one thing stand together.
    fn add(
        &mut self,
        resource: Resource,
        name: String,
        prefixed: bool,
        operation: &'static str,
        purpose: &'static str,
    ) {
        let (party, duty) = (self.party, self.duty);
        let same = self.acls.iter_mut().find(|acl| {
            (acl.party, acl.duty, acl.resource, acl.prefixed) == (party, duty, resource, prefixed)
                && acl.name == name
        });
        match same {
            Some(acl) if acl.operations.contains(&operation) => {}
            // It brings it along.
            Some(acl) if operation == "DESCRIBE" && acl.operations.contains(&"READ") => {}
            Some(acl) => acl.operations.push(operation),
            None => self.acls.push(Acl {
                party,
                duty,
                resource,
                name,
                prefixed,
                operations: vec![operation],
                purpose,
            }),
        }
    }

    fn worker(&mut self) {
        self.of(Party::Worker, "");
        for role in Role::ALL {
            let wanted = wanted(self.loaded, role);
            for name in wanted.reads {
                self.add(Resource::Topic, name, false, "READ", "what the workers read");
            }
            for name in wanted.writes {
                self.add(Resource::Topic, name, false, "WRITE", "what the workers write");
            }
            if let Some(name) = wanted.group {
                self.add(Resource::Group, name, false, "READ", "shares the partitions");
            }
            if let Some(name) = wanted.transactional_id_prefix {
                let purpose = "exactly-once; every start takes another name";
                self.add(Resource::TransactionalId, name, true, "WRITE", purpose);
            }
        }
    }

    fn centre(&mut self) {
        self.of(Party::Centre, "");
        // Late events concern those who sent them.
        for topic in Topic::OUTPUTS.into_iter().filter(|topic| *topic != Topic::Late) {
            self.topic(topic, "READ", "sees what happens");
        }
        for topic in [Topic::Command, Topic::Silence] {
            self.topic(topic, "WRITE", "says what is done");
        }
        self.own_groups("centre");
    }

    fn integrators(&mut self) {
        for (duty, topic) in SENDS {
            self.of(Party::Integrator, duty);
            self.topic(topic, "WRITE", "feeds its own topic");
            self.topic(Topic::Outcomes, "READ", "sees what became of its records");
            self.own_groups(&format!("integrator-{duty}"));
        }
    }

    /// Groups whose names begin with the city's and this one.
    fn own_groups(&mut self, name: &str) {
        let begin = format!("{}-{name}", self.loaded.config.kafka.group_prefix);
        self.add(
            Resource::Group,
            begin,
            true,
            "READ",
            "groups of its own that begin so",
        );
    }

    fn sre(&mut self) {
        let groups = Role::ALL.map(|role| role.group(&self.loaded.config.kafka));
        self.of(Party::Sre, "");
        for topic in [
            Topic::Enriched,
            Topic::Incidents,
            Topic::IncidentsP1,
            Topic::IncidentsP2,
            Topic::IncidentsP3,
            Topic::IncidentsP4,
            Topic::Outcomes,
            Topic::EnrichChangelog,
            Topic::CorrelateChangelog,
        ] {
            self.topic(topic, "READ", "audit, ledger, explain");
        }
        for topic in Topic::ALL {
            let purpose = "whether they are there, and how far readers are behind";
            self.topic(*topic, "DESCRIBE", purpose);
        }
        for group in groups.clone() {
            let purpose = "lag, by Kafka's own tools; where audit stops";
            self.add(Resource::Group, group, false, "DESCRIBE", purpose);
        }
        self.of(Party::Sre, "topics");
        for topic in Topic::ALL {
            for operation in ["CREATE", "ALTER", "ALTER_CONFIGS"] {
                self.topic(*topic, operation, "topics apply");
            }
        }
        self.of(Party::Sre, "deadletters");
        for operation in ["READ", "WRITE"] {
            let purpose = "deadletter list, show and replay: personal data";
            self.topic(Topic::DeadLetters, operation, purpose);
        }
        for topic in INPUTS {
            self.topic(topic, "WRITE", "deadletter replay");
        }
        let id = deadletter::transactional_id(self.loaded);
        self.add(Resource::TransactionalId, id, false, "WRITE", "deadletter replay");
        self.of(Party::Sre, "rebuild");
        for topic in Topic::ALL.iter().filter(|topic| topic.source().is_none()) {
            self.topic(*topic, "DELETE", "deletes what is decided again");
        }
        for group in groups {
            self.add(
                Resource::Group,
                group,
                false,
                "DELETE",
                "reading begins at the beginning",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topics::EVENTS;

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
    }

    #[test]
    fn nobody_deletes_but_who_rebuilds_and_never_what_the_sources_sent() {
        let acls = acls(&Loaded::builtin());
        let deletes: Vec<&Acl> = acls
            .iter()
            .filter(|acl| acl.operations.contains(&"DELETE"))
            .collect();
        assert!(
            deletes
                .iter()
                .all(|acl| (acl.party, acl.duty) == (Party::Sre, "rebuild")),
            "{deletes:?}"
        );
        let topics = deletes.iter().filter(|acl| acl.resource == Resource::Topic);
        let topics: Vec<Topic> = topics.map(|acl| Topic::by_name(&acl.name).unwrap()).collect();
        assert_eq!(topics.len() + INPUTS.len(), Topic::ALL.len());
        assert!(topics.iter().all(|topic| topic.source().is_none()), "{topics:?}");
    }

    #[test]
    fn a_source_writes_its_own_topic_and_no_name_stands_for_others() {
        let acls = acls(&Loaded::builtin());
        for (duty, topic) in SENDS {
            let of = |acl: &&Acl| (acl.party, acl.duty) == (Party::Integrator, duty);
            let writes: Vec<&str> = acls
                .iter()
                .filter(of)
                .filter(|acl| acl.operations.contains(&"WRITE"))
                .map(|acl| acl.name.as_str())
                .collect();
            assert_eq!(writes, [topic.name()]);
        }
        assert!(
            Party::Integrator
                .duties()
                .iter()
                .eq(SENDS.map(|(duty, _)| duty).iter())
        );
        for topic in EVENTS {
            assert!(SENDS.iter().any(|(_, sends)| *sends == topic), "{topic}");
        }
        // Topics by their whole names; of the rest, only what has a new name at each start or is the party's own.
        for acl in &acls {
            assert!(acl.resource != Resource::Topic || !acl.prefixed, "{acl:?}");
        }
    }

    #[test]
    fn the_dead_letters_and_the_topics_are_for_duties_of_their_own() {
        let acls = acls(&Loaded::builtin());
        let of = |duty: &'static str| {
            acls.iter()
                .filter(move |acl| (acl.party, acl.duty) == (Party::Sre, duty))
        };
        assert!(of("").all(|acl| acl.operations.iter().all(|it| ["READ", "DESCRIBE"].contains(it))));
        let dead = of("").find(|acl| Topic::by_name(&acl.name) == Some(Topic::DeadLetters));
        assert_eq!(dead.unwrap().operations, ["DESCRIBE"]);
        assert_eq!(of("topics").count(), Topic::ALL.len());
        assert!(of("topics").all(|acl| acl.operations == ["CREATE", "ALTER", "ALTER_CONFIGS"]));
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
