//! What a field is read from on the short way, form by form, as the long way would read it.

use super::direct::Op;
use super::input::Input;
use super::plan::{Plan, Step};
use crate::{Measured, Text, WireArea, WireTime};

/// How a value is written.
#[derive(Debug)]
pub(super) enum Form {
    /// It is passed over, by a step of the plan.
    Pass(usize),
    Boolean,
    Long,
    /// Milliseconds.
    Millis,
    /// A time that is multiplied by the first and divided by the second to give milliseconds.
    Time(i64, i64),
    Float,
    Double,
    /// A whole number for a floating one.
    Promoted,
    Text,
    Texts,
    Record(Box<[Op]>),
}

/// What stands in a field of a record. It is read into its place: a text that is moved costs more than one that is read.
pub(super) trait Field<'de>: Sized {
    /// What is there before it is read.
    const BLANK: Self;
    /// Nobody needs to write it.
    const IS_OPTIONAL: bool;

    /// How it is read from a step; `None` where only the long way knows.
    fn form(plan: &Plan, step: usize) -> Option<Form>;

    /// Reads it in one of its forms; `None` where the bytes are not as they should be.
    fn read(&mut self, form: &Form, input: &mut Input<'_, 'de>) -> Option<()>;
}

impl<'de, T: Field<'de>> Field<'de> for Option<T> {
    const BLANK: Option<T> = None;
    const IS_OPTIONAL: bool = true;

    fn form(plan: &Plan, step: usize) -> Option<Form> {
        T::form(plan, step)
    }

    #[inline]
    fn read(&mut self, form: &Form, input: &mut Input<'_, 'de>) -> Option<()> {
        self.insert(T::BLANK).read(form, input)
    }
}

impl<'de> Field<'de> for Text<'de> {
    const BLANK: Text<'de> = Text::lent("");
    const IS_OPTIONAL: bool = false;

    fn form(plan: &Plan, step: usize) -> Option<Form> {
        matches!(plan.steps.get(step)?, Step::Text).then_some(Form::Text)
    }

    #[inline]
    fn read(&mut self, _: &Form, input: &mut Input<'_, 'de>) -> Option<()> {
        *self = Text::lent(input.lent()?);
        Some(())
    }
}

impl<'de> Field<'de> for Vec<Text<'de>> {
    const BLANK: Vec<Text<'de>> = Vec::new();
    const IS_OPTIONAL: bool = false;

    fn form(plan: &Plan, step: usize) -> Option<Form> {
        let Step::Array(items) = plan.steps.get(step)? else {
            return None;
        };
        matches!(plan.steps.get(*items)?, Step::Text).then_some(Form::Texts)
    }

    fn read(&mut self, _: &Form, input: &mut Input<'_, 'de>) -> Option<()> {
        // A count is no promise: room for more is made when they come.
        const ROOM: usize = 8;
        loop {
            let count = input.block().ok()?;
            if count == 0 {
                return Some(());
            }
            self.reserve(count.min(ROOM));
            for _ in 0..count {
                self.push(Text::lent(input.lent()?));
            }
        }
    }
}

impl<'de> Field<'de> for bool {
    const BLANK: bool = false;
    const IS_OPTIONAL: bool = false;

    fn form(plan: &Plan, step: usize) -> Option<Form> {
        matches!(plan.steps.get(step)?, Step::Boolean).then_some(Form::Boolean)
    }

    #[inline]
    fn read(&mut self, _: &Form, input: &mut Input<'_, 'de>) -> Option<()> {
        *self = match input.take(1).ok()?[0] {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(())
    }
}

impl<'de> Field<'de> for i64 {
    const BLANK: i64 = 0;
    const IS_OPTIONAL: bool = false;

    fn form(plan: &Plan, step: usize) -> Option<Form> {
        matches!(plan.steps.get(step)?, Step::Long).then_some(Form::Long)
    }

    #[inline]
    fn read(&mut self, _: &Form, input: &mut Input<'_, 'de>) -> Option<()> {
        *self = input.long().ok()?;
        Some(())
    }
}

impl<'de> Field<'de> for f64 {
    const BLANK: f64 = 0.0;
    const IS_OPTIONAL: bool = false;

    fn form(plan: &Plan, step: usize) -> Option<Form> {
        match plan.steps.get(step)? {
            Step::Float => Some(Form::Float),
            Step::Double => Some(Form::Double),
            Step::Promoted => Some(Form::Promoted),
            _ => None,
        }
    }

    #[inline]
    fn read(&mut self, form: &Form, input: &mut Input<'_, 'de>) -> Option<()> {
        *self = match form {
            Form::Double => input.double().ok()?,
            Form::Float => input.float().ok()?,
            _ => input.long().ok()? as f64,
        };
        Some(())
    }
}

impl<'de> Field<'de> for Measured {
    const BLANK: Measured = Measured {
        number: 0.0,
        is_flag: false,
    };
    const IS_OPTIONAL: bool = false;

    fn form(plan: &Plan, step: usize) -> Option<Form> {
        f64::form(plan, step)
    }

    #[inline]
    fn read(&mut self, form: &Form, input: &mut Input<'_, 'de>) -> Option<()> {
        self.number.read(form, input)
    }
}

impl<'de> Field<'de> for WireTime<'de> {
    const BLANK: WireTime<'de> = WireTime::Millis(0);
    const IS_OPTIONAL: bool = false;

    fn form(plan: &Plan, step: usize) -> Option<Form> {
        match *plan.steps.get(step)? {
            Step::Time(1, 1) | Step::Long => Some(Form::Millis),
            Step::Time(times, parts) => Some(Form::Time(times, parts)),
            Step::Text => Some(Form::Text),
            _ => None,
        }
    }

    #[inline]
    fn read(&mut self, form: &Form, input: &mut Input<'_, 'de>) -> Option<()> {
        *self = match *form {
            Form::Millis => WireTime::Millis(input.long().ok()?),
            Form::Time(times, parts) => WireTime::Millis(input.time(times, parts).ok()?),
            _ => WireTime::Text(Text::lent(input.lent()?)),
        };
        Some(())
    }
}

/// Silences are few, and their area has many forms.
impl<'de> Field<'de> for WireArea<'de> {
    const BLANK: WireArea<'de> = WireArea::Cells(Vec::new());
    const IS_OPTIONAL: bool = false;

    fn form(_: &Plan, _: usize) -> Option<Form> {
        None
    }

    fn read(&mut self, _: &Form, _: &mut Input<'_, 'de>) -> Option<()> {
        None
    }
}
