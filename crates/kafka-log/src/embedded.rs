//! A broker inside the process, for the demonstration: the client library's mock, over TCP.
//!
//! It proves plumbing and nothing else. Its transactions keep no offsets and show aborted records, it forgets all but
//! the newest 5 MiB of a partition and everything when the process ends, and it answers no administrative request.
//! Nothing about exactly-once can be learned from it; a worker on it sets `embedded`, and commits its offsets plainly.

use anyhow::Context;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::Properties;

/// A running broker; it ends when this is dropped.
pub struct Embedded {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl Embedded {
    /// Starts a broker with these topics: name on the broker, partitions.
    ///
    /// # Errors
    /// When no port is free or a topic is refused.
    pub fn start(topics: &[(String, i32)]) -> anyhow::Result<Embedded> {
        let cluster = MockCluster::new(1).context("start the embedded broker")?;
        for (name, partitions) in topics {
            cluster
                .create_topic(name, *partitions, 1)
                .with_context(|| format!("create topic {name}"))?;
        }
        Ok(Embedded { cluster })
    }

    /// Its host and port.
    pub fn bootstrap(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Properties that lead to it.
    pub fn properties(&self) -> Properties {
        Properties::from([("bootstrap.servers".to_owned(), self.bootstrap())])
    }
}
