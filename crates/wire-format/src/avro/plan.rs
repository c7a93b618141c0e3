//! A schema as a flat list of steps, with names resolved once.

use apache_avro::Schema;
use apache_avro::schema::{InnerDecimalSchema, Name, UuidSchema};
use rustc_hash::FxHashMap;

use super::SchemaError;

/// What comes next in a datum. Numbers point into the plan.
#[derive(Debug, Clone)]
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
    Enum(Symbols),
    Array(usize),
    Map(usize),
    Union(Vec<usize>),
    Record(Fields),
    /// Resolved: a whole number that the reader wants as a floating one.
    Promoted,
    /// Resolved: the writer's symbols as the reader calls them; `None` is one that it does not know.
    Symbols(Vec<Option<String>>),
    /// Resolved: the writer's fields in their order, then what the reader adds.
    Parts(Vec<Part>),
}

/// An enum.
#[derive(Debug, Clone)]
pub(crate) struct Symbols {
    pub(crate) symbols: Vec<String>,
    pub(crate) default: Option<String>,
}

/// A record.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    /// Its name without a namespace.
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
}

/// A field of a record.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) step: usize,
    pub(crate) default: Option<serde_json::Value>,
    /// The default as it is written; for writers.
    pub(crate) written_default: Option<Vec<u8>>,
}

/// A field of a resolved record.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// Read under this name.
    Field(String, usize),
    /// Passed over: the reader does not know it.
    Skip(usize),
    /// The writer has none: the reader's default.
    Default(String, serde_json::Value),
}

/// How to read what a writer wrote; step 0 is the whole datum.
#[derive(Debug, Clone, Default)]
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
    fn name(&mut self, name: &Name, space: Option<&str>, index: usize) {
        self.named.insert(name.fullname(space), index);
    }

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
                    self.name(&fixed.name, space, index);
                    Step::Fixed(fixed.size)
                }
            },
            Schema::Fixed(fixed) | Schema::Duration(fixed) | Schema::Uuid(UuidSchema::Fixed(fixed)) => {
                self.name(&fixed.name, space, index);
                Step::Fixed(fixed.size)
            }
            Schema::Enum(symbols) => {
                self.name(&symbols.name, space, index);
                Step::Enum(Symbols {
                    symbols: symbols.symbols.clone(),
                    default: symbols.default.clone(),
                })
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
                self.name(&record.name, space, index);
                let space = record.name.namespace().or(space);
                let mut fields = Vec::new();
                for field in &record.fields {
                    fields.push(Field {
                        name: field.name.clone(),
                        aliases: field.aliases.clone(),
                        step: self.add(&field.schema, space)?,
                        default: field.default.clone(),
                        written_default: None,
                    });
                }
                Step::Record(Fields {
                    name: record.name.name().to_owned(),
                    fields,
                })
            }
        };
        Ok(index)
    }
}
