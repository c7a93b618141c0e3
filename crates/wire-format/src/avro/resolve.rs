//! What a reader makes of a writer's schema, decided once for the two: whose field is whose, what is passed over, what is
//! promoted, which default stands in. Nothing of it is looked up again for a datum.
//!
//! Where the specification would refuse a pair of schemas, the writer's form is kept, and the record judges each value: a
//! reading whose metric is an enum in its source's schema is a reading all the same.

use rustc_hash::FxHashMap;

use super::plan::{Fields, Part, Plan, Step, Symbols};

/// The plan by which what `writer` wrote is read as `reader` has it. An empty reader takes everything as it was written.
pub(crate) fn resolve(writer: &Plan, reader: &Plan) -> Plan {
    let mut resolver = Resolver {
        writer,
        reader,
        steps: Vec::new(),
        done: FxHashMap::default(),
    };
    resolver.pair(0, (!reader.steps.is_empty()).then_some(0));
    Plan {
        steps: resolver.steps,
    }
}

struct Resolver<'a> {
    writer: &'a Plan,
    reader: &'a Plan,
    steps: Vec<Step>,
    /// Recursive types come back to a pair that is under way.
    done: FxHashMap<(usize, Option<usize>), usize>,
}

impl Resolver<'_> {
    fn pair(&mut self, written: usize, read: Option<usize>) -> usize {
        let read = self.branch_for(written, read);
        if let Some(done) = self.done.get(&(written, read)) {
            return *done;
        }
        let index = self.steps.len();
        self.steps.push(Step::Null); // its place; filled below
        self.done.insert((written, read), index);
        let wanted = read.and_then(|read| self.reader.steps.get(read));
        let step = match (&self.writer.steps[written], wanted) {
            (Step::Union(branches), _) => {
                let branches = branches.iter().map(|branch| self.pair(*branch, read)).collect();
                Step::Union(branches)
            }
            (Step::Record(fields), wanted) => {
                let wanted = match wanted {
                    Some(Step::Record(wanted)) => Some(wanted),
                    _ => None,
                };
                Step::Parts(self.parts(fields, wanted))
            }
            (Step::Array(items), Some(Step::Array(wanted))) => Step::Array(self.pair(*items, Some(*wanted))),
            (Step::Array(items), _) => Step::Array(self.pair(*items, None)),
            (Step::Map(values), Some(Step::Map(wanted))) => Step::Map(self.pair(*values, Some(*wanted))),
            (Step::Map(values), _) => Step::Map(self.pair(*values, None)),
            (Step::Enum(symbols), wanted) => Step::Symbols(named(symbols, wanted)),
            (Step::Long, Some(Step::Float | Step::Double)) => Step::Promoted,
            (Step::Bytes, Some(Step::Text)) => Step::Text,
            (Step::Text, Some(Step::Bytes)) => Step::Bytes,
            (step, _) => step.clone(),
        };
        self.steps[index] = step;
        index
    }

    /// Of a reader's union, the branch that a writer's type goes to: one of the same name or type, else one that it can be
    /// promoted to. A writer's union meets the reader's branch by branch.
    fn branch_for(&self, written: usize, read: Option<usize>) -> Option<usize> {
        let step = &self.writer.steps[written];
        let Some(Step::Union(branches)) = read.and_then(|read| self.reader.steps.get(read)) else {
            return read;
        };
        if matches!(step, Step::Union(_)) {
            return read;
        }
        let fits = |least: u8| {
            let mut branches = branches.iter().copied();
            branches.find(|branch| closeness(step, &self.reader.steps[*branch]) >= least)
        };
        fits(3).or_else(|| fits(2)).or_else(|| fits(1))
    }

    fn parts(&mut self, fields: &Fields, wanted: Option<&Fields>) -> Vec<Part> {
        let Some(wanted) = wanted else {
            let keep = |field: &super::plan::Field| (field.name.clone(), field.step);
            let kept: Vec<_> = fields.fields.iter().map(keep).collect();
            return kept
                .into_iter()
                .map(|(name, step)| Part::Field(name, self.pair(step, None)))
                .collect();
        };
        let mut met = vec![false; wanted.fields.len()];
        let mut parts = Vec::new();
        for field in &fields.fields {
            // A field of the same name goes before one that only was called so.
            let by_name = wanted.fields.iter().position(|own| own.name == field.name);
            let found = by_name.or_else(|| {
                wanted.fields.iter().position(|own| {
                    own.aliases.contains(&field.name)
                        && !fields.fields.iter().any(|written| written.name == own.name)
                })
            });
            parts.push(match found {
                Some(found) if !met[found] => {
                    met[found] = true;
                    let own = &wanted.fields[found];
                    Part::Field(own.name.clone(), self.pair(field.step, Some(own.step)))
                }
                _ => Part::Skip(self.pair(field.step, None)),
            });
        }
        for (own, met) in wanted.fields.iter().zip(met) {
            match &own.default {
                // An absent optional field is absent in the record, too.
                Some(default) if !met && !default.is_null() => {
                    parts.push(Part::Default(own.name.clone(), default.clone()));
                }
                _ => {}
            }
        }
        parts
    }
}

fn named(symbols: &Symbols, wanted: Option<&Step>) -> Vec<Option<String>> {
    let known = |symbol: &String| match wanted {
        Some(Step::Enum(wanted)) if !wanted.symbols.contains(symbol) => wanted.default.clone(),
        _ => Some(symbol.clone()),
    };
    symbols.symbols.iter().map(known).collect()
}

/// How well a writer's type goes into a reader's: 3 as itself, 2 as itself under another name, 1 promoted, 0 not at all.
fn closeness(written: &Step, read: &Step) -> u8 {
    use Step::{
        Array, Boolean, Bytes, Double, Enum, Fixed, Float, LocalTime, Long, Map, Null, Record, Text, Time,
    };
    match (written, read) {
        (Record(written), Record(read)) if written.name == read.name => 3,
        (Record(_), Record(_)) => 2,
        (Null, Null)
        | (Boolean, Boolean)
        | (Long | Time(..) | LocalTime(_), Long | Time(..) | LocalTime(_))
        | (Float, Float)
        | (Double, Double)
        | (Bytes, Bytes)
        | (Text, Text)
        | (Enum(_), Enum(_))
        | (Array(_), Array(_))
        | (Map(_), Map(_)) => 3,
        (Fixed(written), Fixed(read)) if written == read => 3,
        (Long, Float | Double) | (Float, Double) | (Bytes, Text) | (Text, Bytes) => 1,
        _ => 0,
    }
}
