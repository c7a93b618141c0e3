//! The short way from a datum into its record: each field of the writer's has its place and form worked out beforehand, and is
//! read there without asking anybody.
//!
//! It reads what is plain: texts, numbers and times as our own schemas have them, in any order and with whatever else the
//! writer has. It has no errors. Where anything is not as it expects, it gives up, and the long way
//! ([`Value`](super::datum::Value)) reads the datum from its beginning and says what is wrong.

use city_model::Source;

use super::direct_field::{Field, Form};
use super::input::Input;
use super::plan::{Part, Plan, Step};
use crate::fields::each_record;
use crate::{
    Algorithm, HotlineTicket, IncidentCommand, Record, Report, SensorReading, Silence, VideoAlert,
    WeatherWarning, WireLocation,
};

/// What comes next in a datum, and where it goes.
#[derive(Debug)]
pub(super) struct Op {
    /// The number of the field; [`PASS`] is none.
    field: u8,
    /// The byte of the union's branch that is nothing; [`NEVER`] where it is no union. A branch of two is written 0 or 2.
    null: u8,
    /// With how many texts a stretch of nothing else begins here; they are looked at together.
    texts: u8,
    form: Form,
}

/// Passed over: the record has no such field.
const PASS: u8 = u8::MAX;
/// No byte stands for nothing.
const NEVER: u8 = u8::MAX;
/// Most texts that are looked at together.
const MOST_TEXTS: usize = 32;

/// The ops that read a datum of `plan` into a record of `source`; `None` where the long way is the only one.
pub(super) fn compile(source: Source, plan: &Plan) -> Option<Box<[Op]>> {
    match source {
        Source::Sensor => ops::<SensorReading<'_>>(plan, 0),
        Source::Hotline => ops::<HotlineTicket<'_>>(plan, 0),
        Source::Video => ops::<VideoAlert<'_>>(plan, 0),
        Source::Report => ops::<Report<'_>>(plan, 0),
        Source::Weather => ops::<WeatherWarning<'_>>(plan, 0),
        Source::Silence => ops::<Silence<'_>>(plan, 0),
        Source::Command => ops::<IncidentCommand<'_>>(plan, 0),
    }
}

/// The record, if there is nothing to be said of the datum.
pub(super) fn read<'de>(source: Source, ops: &[Op], mut input: Input<'_, 'de>) -> Option<Record<'de>> {
    let input = &mut input;
    let record = match source {
        Source::Sensor => Record::Sensor(boxed(ops, input)?),
        Source::Hotline => Record::Hotline(boxed(ops, input)?),
        Source::Video => Record::Video(boxed(ops, input)?),
        Source::Report => Record::Report(boxed(ops, input)?),
        Source::Weather => Record::Weather(boxed(ops, input)?),
        Source::Silence => Record::Silence(boxed(ops, input)?),
        Source::Command => Record::Command(boxed(ops, input)?),
    };
    input.rest.is_empty().then_some(record)
}

fn boxed<'de, R: Fields<'de>>(ops: &[Op], input: &mut Input<'_, 'de>) -> Option<Box<R>> {
    let mut record = Box::new(R::BLANK);
    fill(&mut *record, ops, input)?;
    Some(record)
}

fn fill<'de, R: Fields<'de>>(record: &mut R, ops: &[Op], input: &mut Input<'_, 'de>) -> Option<()> {
    for (at, op) in ops.iter().enumerate() {
        if op.texts > 1 {
            input.look_ahead(stretch(&ops[at..at + usize::from(op.texts)], input.rest));
        }
        record.put(op, input)?;
    }
    Some(())
}

/// How many bytes a stretch of texts takes, up to the first that is long or odd.
#[inline]
fn stretch(ops: &[Op], bytes: &[u8]) -> usize {
    let mut end = 0;
    for op in ops {
        if op.null != NEVER {
            match bytes.get(end) {
                Some(byte) if *byte == op.null => {
                    end += 1;
                    continue;
                }
                Some(byte) if *byte == 2 - op.null => end += 1,
                _ => break,
            }
        }
        let Some(len @ 0..0x80) = bytes.get(end) else {
            break;
        };
        let next = end + 1 + usize::from(len >> 1);
        if len & 1 == 1 || next > bytes.len() {
            break;
        }
        end = next;
    }
    end
}

/// A record whose fields are read one by one.
trait Fields<'de>: Sized {
    /// A record before anything was read; what optional fields are when nobody wrote them.
    const BLANK: Self;

    /// How to read the field of this name from a step: `None` where the record has no such field, `Some(None)` where it is to
    /// be read the long way.
    fn op(name: &str, plan: &Plan, step: usize) -> Option<Option<Op>>;

    /// Whether no mandatory field is missing.
    fn is_complete(ops: &[Op]) -> bool;

    /// Reads one field.
    fn put(&mut self, op: &Op, input: &mut Input<'_, 'de>) -> Option<()>;
}

/// How to read a record from a step.
fn ops<'de, R: Fields<'de>>(plan: &Plan, step: usize) -> Option<Box<[Op]>> {
    let Step::Parts(parts) = plan.steps.get(step)? else {
        return None;
    };
    let mut ops: Vec<Op> = Vec::new();
    for part in parts {
        let pass = |step: usize| Op {
            field: PASS,
            null: NEVER,
            texts: 0,
            form: Form::Pass(step),
        };
        let op = match part {
            Part::Skip(step) => pass(*step),
            Part::Field(name, step) => R::op(name, plan, *step).unwrap_or_else(|| Some(pass(*step)))?,
            Part::Default(..) => return None,
        };
        // A field that comes twice is refused, in words.
        if op.field != PASS && ops.iter().any(|known| known.field == op.field) {
            return None;
        }
        ops.push(op);
    }
    let mut at = 0;
    while at < ops.len() {
        let is_text = |op: &&Op| matches!(op.form, Form::Text);
        let texts = ops[at..].iter().take(MOST_TEXTS).take_while(is_text).count();
        ops[at].texts = texts as u8;
        at += texts.max(1);
    }
    R::is_complete(&ops).then(|| ops.into())
}

/// How to read a field that has the type of what `_field` looks at.
fn op_of<'de, R, F: Field<'de>>(_field: fn(&R) -> &F, field: u8, plan: &Plan, step: usize) -> Option<Op> {
    let branches = match plan.steps.get(step)? {
        Step::Union(branches) if F::IS_OPTIONAL => &**branches,
        _ => {
            let form = F::form(plan, step)?;
            return Some(Op {
                field,
                null: NEVER,
                texts: 0,
                form,
            });
        }
    };
    let is_null = |branch: usize| matches!(plan.steps.get(branch), Some(Step::Null));
    let (null, value) = match *branches {
        [null, value] if is_null(null) => (0, value),
        [value, null] if is_null(null) => (2, value),
        _ => return None,
    };
    let form = F::form(plan, value)?;
    Some(Op {
        field,
        null,
        texts: 0,
        form,
    })
}

const fn is_optional<'de, R, F: Field<'de>>(_field: fn(&R) -> &F) -> bool {
    F::IS_OPTIONAL
}

impl Op {
    /// Whether there is nothing; `None` for a branch that is neither nothing nor the value.
    #[inline]
    fn is_null(&self, input: &mut Input<'_, '_>) -> Option<bool> {
        if self.null == NEVER {
            return Some(false);
        }
        let (byte, rest) = input.rest.split_first()?;
        input.rest = rest;
        if *byte == self.null {
            return Some(true);
        }
        (*byte == 2 - self.null).then_some(false)
    }
}

macro_rules! direct {
    ($($record:ident { $($field:ident),* })*) => {
        $(
            const _: () = {
                #[expect(non_camel_case_types, reason = "the fields' names")]
                enum Number { $($field),* }

                impl<'de> Fields<'de> for $record<'de> {
                    const BLANK: Self = $record { $($field: Field::BLANK),* };

                    fn op(name: &str, plan: &Plan, step: usize) -> Option<Option<Op>> {
                        $(if name == stringify!($field) {
                            return Some(op_of(|record: &Self| &record.$field, Number::$field as u8, plan, step));
                        })*
                        None
                    }

                    fn is_complete(ops: &[Op]) -> bool {
                        let has = |field: Number| {
                            let number = field as u8;
                            ops.iter().any(|op| op.field == number)
                        };
                        $((is_optional(|record: &Self| &record.$field) || has(Number::$field)))&&*
                    }

                    #[expect(non_upper_case_globals, reason = "the fields' names")]
                    #[inline]
                    fn put(&mut self, op: &Op, input: &mut Input<'_, 'de>) -> Option<()> {
                        $(const $field: u8 = Number::$field as u8;)*
                        match op.field {
                            $($field => {
                                if !op.is_null(input)? {
                                    self.$field.read(&op.form, input)?;
                                }
                            })*
                            _ => match op.form {
                                Form::Pass(step) => input.skip(step).ok()?,
                                _ => return None,
                            },
                        }
                        Some(())
                    }
                }

                impl<'de> Field<'de> for $record<'de> {
                    const BLANK: Self = <Self as Fields<'de>>::BLANK;
                    const IS_OPTIONAL: bool = false;

                    fn form(plan: &Plan, step: usize) -> Option<Form> {
                        ops::<Self>(plan, step).map(Form::Record)
                    }

                    #[inline]
                    fn read(&mut self, form: &Form, input: &mut Input<'_, 'de>) -> Option<()> {
                        let Form::Record(ops) = form else { return None };
                        fill(self, ops, input)
                    }
                }
            };
        )*
    };
}

each_record!(direct);
