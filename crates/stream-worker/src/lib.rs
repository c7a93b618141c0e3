//! How one partition lives: restore, read, decide, commit; the processors, and what they hand to a log.
//!
//! A log (Kafka, files) owns reading, committing and threads. It gives each [`Processor`] the records of its partition in
//! order and takes what [`Outbox`] has gathered: records for other topics, inputs for the enriched log, and state rows.
//! All of it commits together or not at all; after a failed commit the processor is dropped and restored, never undone.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod balance;
mod causes;
mod correlate;
mod deadletter;
mod enrich;
mod heard;
mod in_force;
mod outbox;
mod outputs;
mod partners;
mod publish;
mod setup;
mod steps;
mod unmapped;
mod vitals;

pub use correlate::{Correlate, DecisionObserver};
pub use deadletter::dead_letter;
pub use enrich::{Enrich, IntakeObserver, OTHER_SYSTEM, Settled, UNREADABLE_SYSTEM};
pub use heard::Heard;
pub use in_force::{InForce, Standing};
pub use outbox::{InputRecord, OutRecord, Outbox, Processor};
pub use outputs::Outputs;
pub use partners::PlaceObserver;
pub use setup::{Setup, SetupParts, input_partition_name};
pub use steps::{Step, TraceObserver};
pub use unmapped::{Frequency, Unmapped};
pub use vitals::{VitalsOfCells, VitalsOfEvents, VitalsOfIncidents};
