//! Reads datums of one schema as they were written: for envelopes, whose schema is a standard's.

use apache_avro::Schema;
use serde::de::DeserializeOwned;

use super::SchemaError;
use super::datum;
use super::plan::Plan;
use super::resolve::resolve;

/// A schema that nobody evolves.
#[derive(Debug)]
pub(crate) struct Plain {
    plan: Plan,
}

impl Plain {
    pub(crate) fn parse(text: &str) -> Result<Plain, SchemaError> {
        let schema = Schema::parse_str(text).map_err(|error| SchemaError(error.to_string()))?;
        Ok(Plain {
            plan: resolve(&Plan::new(&schema)?, &Plan::default()),
        })
    }

    /// The value of a datum without a frame, or what is wrong with it.
    pub(crate) fn read<T: DeserializeOwned>(&self, datum: &[u8]) -> Result<T, String> {
        datum::read_plain(&self.plan, datum)
    }
}
