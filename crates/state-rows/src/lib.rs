//! The bytes of a state row: what serde tells of a value, in a form that is small, quickly read, and may grow.
//!
//! A row says its names, as JSON does, so fields may come and go and `default` and `skip_serializing_if` mean what they mean there;
//! but a name is a number of one list ([`WORDS`]) that is only ever appended to, and a name that is not in it is written as text.
//! A text that came before in the row is a number, too, and so is a great whole number near the one before. A field that says
//! nothing (`None`) is left out. The first byte, [`FORM`], tells such a row from JSON.
//!
//! [`Pieces`] packs for memory: there texts and paths that many rows share are kept once.

mod error;
pub mod ints;
mod pieces;
mod reading;
mod sample;
mod shapes;
mod tags;
mod texts;
mod words;
mod writing;

pub use error::RowError;
pub use pieces::Pieces;
pub use words::WORDS;

use serde::{Deserialize, Serialize};

use reading::Reader;
use writing::Writer;

/// The first byte of a row. JSON never begins so.
pub const FORM: u8 = 0x01;

/// Whether a row is in this form.
pub fn is_packed(row: &[u8]) -> bool {
    row.first() == Some(&FORM)
}

/// The row of a value.
///
/// # Errors
/// When the value cannot be said in serde's terms: its own refusal, or a whole number beyond 64 bits.
pub fn to_row<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, RowError> {
    let mut writer = Writer::new(None);
    writer.byte(FORM);
    value.serialize(&mut writer)?;
    Ok(writer.into_bytes())
}

/// The value of a row.
///
/// # Errors
/// When the bytes are no whole row, or say something else than such a value.
pub fn from_row<'a, T: Deserialize<'a>>(row: &'a [u8]) -> Result<T, RowError> {
    let Some((&FORM, value)) = row.split_first() else {
        return Err(RowError::new("not in this form"));
    };
    read(value, None)
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8], pieces: Option<&'a Pieces>) -> Result<T, RowError> {
    let mut reader = Reader::new(bytes, pieces);
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}
