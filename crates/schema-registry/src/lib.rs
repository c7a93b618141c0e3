//! Schemas from a registry that speaks the Confluent interface, fetched once and kept for ever.
//!
//! Whoever asks is answered at once: what is not known is fetched by a thread of the registry's own, and asked for again.
//! So a loop that meets an unknown id holds one partition back and goes on with the others, however long the registry naps.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod authorities;
mod client;
mod registry;
mod standing;
mod waiting;

pub use address::{Address, AddressFlaw, Credentials};
pub use authorities::Authorities;
pub use client::Client;
pub use registry::{Registry, RegistryConfig};
pub use standing::{Judged, NoAnswer, Standing};
