//! Passes over what a reader does not want, without building it; the bounds are those of reading.

use super::input::{AvroError, Input, deeper};
use super::plan::{Part, Step};

impl Input<'_, '_> {
    /// Passes over the value of a step. Texts are not looked at, and enums and booleans not judged.
    pub(super) fn skip(&mut self, step: usize) -> Result<(), AvroError> {
        match &self.plan.steps[step] {
            Step::Null => {}
            Step::Boolean => {
                self.take(1)?;
            }
            Step::Long
            | Step::Time(..)
            | Step::LocalTime(_)
            | Step::Promoted
            | Step::Enum(_)
            | Step::Symbols(_) => {
                self.long()?;
            }
            Step::Float => {
                self.take(4)?;
            }
            Step::Double => {
                self.take(8)?;
            }
            Step::Bytes | Step::Text => {
                self.bytes()?;
            }
            Step::Fixed(len) => {
                self.take(*len)?;
            }
            Step::Array(items) => deeper(self, |input| input.skip_blocks(*items, false))?,
            Step::Map(values) => deeper(self, |input| input.skip_blocks(*values, true))?,
            Step::Union(branches) => {
                let index = self.len()?;
                let branch = *branches
                    .get(index)
                    .ok_or(AvroError::Broken("a union branch that does not exist"))?;
                deeper(self, |input| input.skip(branch))?;
            }
            Step::Record(record) => deeper(self, |input| {
                record.fields.iter().try_for_each(|field| input.skip(field.step))
            })?,
            Step::Parts(parts) => deeper(self, |input| {
                parts.iter().try_for_each(|part| match part {
                    Part::Field(_, step) | Part::Skip(step) => input.skip(*step),
                    Part::Default(..) => Ok(()),
                })
            })?,
        }
        Ok(())
    }

    fn skip_blocks(&mut self, step: usize, keyed: bool) -> Result<(), AvroError> {
        loop {
            let count = self.block()?;
            if count == 0 {
                return Ok(());
            }
            for _ in 0..count {
                if keyed {
                    self.bytes()?;
                }
                self.skip(step)?;
            }
        }
    }
}
