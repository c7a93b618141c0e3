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

/// What stands in a field of a record.
pub(super) trait Field<'de>: Sized {
    /// What is there before it is read.
    const BLANK: Self;
    /// Nobody needs to write it.
    const IS_OPTIONAL: bool;

    /// How it is read from a step; `None` where only the long way knows.
    fn form(plan: &Plan, step: usize) -> Option<Form>;

    /// Reads it in one of its forms; `None` where the bytes are not as they should be.
    fn read(form: &Form, input: &mut Input<'_, 'de>) -> Option<Self>;
}

impl<'de, T: Field<'de>> Field<'de> for Option<T> {
    const BLANK: Option<T> = None;
    const IS_OPTIONAL: bool = true;

    fn form(plan: &Plan, step: usize) -> Option<Form> {
        T::form(plan, step)
    }

    #[inline]
    fn read(form: &Form, input: &mut Input<'_, 'de>) -> Option<Option<T>> {
        T::read(form, input).map(Some)
    }
}

impl<'de> Field<'de> for Text<'de> {
    const BLANK: Text<'de> = Text::lent("");
    const IS_OPTIONAL: bool = false;

    fn form(plan: &Plan, step: usize) -> Option<Form> {
        matches!(plan.steps.get(step)?, Step::Text).then_some(Form::Text)
    }

    #[inline]
    fn read(_: &Form, input: &mut Input<'_, 'de>) -> Option<Text<'de>> {
        input.text().ok().map(Text::lent)
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

    fn read(_: &Form, input: &mut Input<'_, 'de>) -> Option<Vec<Text<'de>>> {
        // A count is no promise: room for more is made when they come.
        const ROOM: usize = 8;
        let mut texts = Vec::new();
        loop {
            let count = input.block().ok()?;
            if count == 0 {
                return Some(texts);
            }
            texts.reserve(count.min(ROOM));
            for _ in 0..count {
                texts.push(Text::lent(input.text().ok()?));
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
    fn read(_: &Form, input: &mut Input<'_, 'de>) -> Option<bool> {
        match input.take(1).ok()?[0] {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl<'de> Field<'de> for i64 {
    const BLANK: i64 = 0;
    const IS_OPTIONAL: bool = false;

    fn form(plan: &Plan, step: usize) -> Option<Form> {
        matches!(plan.steps.get(step)?, Step::Long).then_some(Form::Long)
    }

    #[inline]
    fn read(_: &Form, input: &mut Input<'_, 'de>) -> Option<i64> {
        input.long().ok()
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
    fn read(form: &Form, input: &mut Input<'_, 'de>) -> Option<f64> {
        match form {
            Form::Double => input.double().ok(),
            Form::Float => input.float().ok(),
            _ => input.long().ok().map(|number| number as f64),
        }
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
    fn read(form: &Form, input: &mut Input<'_, 'de>) -> Option<Measured> {
        let number = f64::read(form, input)?;
        Some(Measured {
            number,
            is_flag: false,
        })
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
    fn read(form: &Form, input: &mut Input<'_, 'de>) -> Option<WireTime<'de>> {
        match *form {
            Form::Millis => input.long().ok().map(WireTime::Millis),
            Form::Time(times, parts) => input.time(times, parts).ok().map(WireTime::Millis),
            _ => Text::read(form, input).map(WireTime::Text),
        }
    }
}

/// Silences are few, and their area has many forms.
impl<'de> Field<'de> for WireArea<'de> {
    const BLANK: WireArea<'de> = WireArea::Cells(Vec::new());
    const IS_OPTIONAL: bool = false;

    fn form(_: &Plan, _: usize) -> Option<Form> {
        None
    }

    fn read(_: &Form, _: &mut Input<'_, 'de>) -> Option<WireArea<'de>> {
        None
    }
}
