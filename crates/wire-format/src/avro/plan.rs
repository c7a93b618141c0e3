//! A writer's schema as a flat list of steps, with names resolved once.

use apache_avro::Schema;
use apache_avro::schema::{InnerDecimalSchema, UuidSchema};
use rustc_hash::FxHashMap;

use super::SchemaError;

/// What comes next in a datum. Numbers point into the plan.
#[derive(Debug)]
pub(crate) enum Step {
    Null,
    Boolean,
    /// `int` and `long` are written alike.
    Long,
    /// A time that is multiplied by the first and divided by the second to give milliseconds.
    Time(i64, i64),
    /// A local time of so many parts a millisecond: without a zone, so it is read as text is.
    LocalTime(i64),
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    Enum(Vec<String>),
    Array(usize),
    Map(usize),
    Union(Vec<usize>),
    Record(Vec<(String, usize)>),
}

/// How to read what a writer wrote; step 0 is the whole datum.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
}

impl Plan {
    pub(crate) fn new(schema: &Schema) -> Result<Plan, SchemaError> {
        let mut builder = Builder {
            steps: Vec::new(),
            named: FxHashMap::default(),
        };
        builder.add(schema, None)?;
        Ok(Plan { steps: builder.steps })
    }
}

struct Builder {
    steps: Vec<Step>,
    named: FxHashMap<String, usize>,
}

impl Builder {
    fn add(&mut self, schema: &Schema, space: Option<&str>) -> Result<usize, SchemaError> {
        if let Schema::Ref { name } = schema {
            let name = name.fullname(space);
            return self
                .named
                .get(&name)
                .copied()
                .ok_or_else(|| SchemaError(format!("unknown type {name}")));
        }
        let index = self.steps.len();
        self.steps.push(Step::Null); // its place; filled below
        self.steps[index] = match schema {
            Schema::Ref { .. } | Schema::Null => Step::Null,
            Schema::Boolean => Step::Boolean,
            Schema::Int | Schema::Long | Schema::TimeMillis | Schema::TimeMicros => Step::Long,
            Schema::Date => Step::Time(86_400_000, 1),
            Schema::TimestampMillis => Step::Time(1, 1),
            Schema::TimestampMicros => Step::Time(1, 1_000),
            Schema::TimestampNanos => Step::Time(1, 1_000_000),
            Schema::LocalTimestampMillis => Step::LocalTime(1),
            Schema::LocalTimestampMicros => Step::LocalTime(1_000),
            Schema::LocalTimestampNanos => Step::LocalTime(1_000_000),
            Schema::Float => Step::Float,
            Schema::Double => Step::Double,
            Schema::Bytes | Schema::BigDecimal | Schema::Uuid(UuidSchema::Bytes) => Step::Bytes,
            Schema::String | Schema::Uuid(UuidSchema::String) => Step::Text,
            Schema::Decimal(decimal) => match &decimal.inner {
                InnerDecimalSchema::Bytes => Step::Bytes,
                InnerDecimalSchema::Fixed(fixed) => {
                    self.named.insert(fixed.name.fullname(space), index);
                    Step::Fixed(fixed.size)
                }
            },
            Schema::Fixed(fixed) | Schema::Duration(fixed) | Schema::Uuid(UuidSchema::Fixed(fixed)) => {
                self.named.insert(fixed.name.fullname(space), index);
                Step::Fixed(fixed.size)
            }
            Schema::Enum(symbols) => {
                self.named.insert(symbols.name.fullname(space), index);
                Step::Enum(symbols.symbols.clone())
            }
            Schema::Array(array) => Step::Array(self.add(&array.items, space)?),
            Schema::Map(map) => Step::Map(self.add(&map.types, space)?),
            Schema::Union(union) => {
                let mut branches = Vec::new();
                for branch in union.variants() {
                    branches.push(self.add(branch, space)?);
                }
                Step::Union(branches)
            }
            Schema::Record(record) => {
                self.named.insert(record.name.fullname(space), index);
                let space = record.name.namespace().or(space);
                let mut fields = Vec::new();
                for field in &record.fields {
                    fields.push((field.name.clone(), self.add(&field.schema, space)?));
                }
                Step::Record(fields)
            }
        };
        Ok(index)
    }
}
