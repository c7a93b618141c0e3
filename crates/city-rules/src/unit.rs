//! Units as the field spells them, and whole-number conversion between those that measure the same.

use std::borrow::Cow;
use std::fmt;

use crate::normal::half_width;

/// Why a value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitError {
    /// The value is no number.
    NotANumber,
    /// Nobody knows the unit.
    Unknown(String),
    /// The unit measures something else than the metric.
    Mismatch {
        /// The unit that came.
        unit: String,
        /// The metric's own.
        expected: String,
    },
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnitError::NotANumber => f.write_str("the value is no number"),
            UnitError::Unknown(unit) => write!(f, "unknown unit {unit:?}"),
            UnitError::Mismatch { unit, expected } => {
                write!(f, "the unit {unit:?} does not measure {expected}")
            }
        }
    }
}

impl std::error::Error for UnitError {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Length,
    Angle,
    Pressure,
    Explosive,
    Current,
    Temperature,
    TemperatureRate,
    Share,
    Sound,
    Obscuration,
    MassPerVolume,
    Volume,
    Time,
    Density,
    Contact,
}

use Quantity::{
    Angle, Contact, Current, Density, Explosive, Length, MassPerVolume, Obscuration, Pressure, Share, Sound,
    Temperature, TemperatureRate, Time, Volume,
};

/// Spelling, what it measures, and its size as a fraction of the quantity's base.
const UNITS: &[(&str, Quantity, i32, i32)] = &[
    ("mm", Length, 1, 1_000),
    ("cm", Length, 1, 100),
    ("dm", Length, 1, 10),
    ("m", Length, 1, 1),
    ("毫米", Length, 1, 1_000),
    ("厘米", Length, 1, 100),
    ("公分", Length, 1, 100),
    ("分米", Length, 1, 10),
    ("米", Length, 1, 1),
    ("公尺", Length, 1, 1),
    ("deg", Angle, 1, 1),
    ("degree", Angle, 1, 1),
    ("degrees", Angle, 1, 1),
    ("度", Angle, 1, 1),
    ("pa", Pressure, 1, 1_000_000),
    ("hpa", Pressure, 1, 10_000),
    ("kpa", Pressure, 1, 1_000),
    ("mpa", Pressure, 1, 1), // megapascal: nobody measures water in millipascal
    ("bar", Pressure, 1, 10),
    ("mbar", Pressure, 1, 10_000),
    ("帕", Pressure, 1, 1_000_000),
    ("百帕", Pressure, 1, 10_000),
    ("千帕", Pressure, 1, 1_000),
    ("兆帕", Pressure, 1, 1),
    ("巴", Pressure, 1, 10),
    // Methane: the lower explosive limit is 5 % by volume, as in the pairs 10/20/50 %LEL = 0.5/1/2.5 %VOL.
    ("%lel", Explosive, 1, 1),
    ("lel", Explosive, 1, 1),
    ("lel%", Explosive, 1, 1),
    ("vol%", Explosive, 20, 1),
    ("%vol", Explosive, 20, 1),
    ("vol", Explosive, 20, 1),
    ("ppm", Explosive, 1, 500),
    ("ma", Current, 1, 1),
    ("a", Current, 1_000, 1),
    ("毫安", Current, 1, 1),
    ("安", Current, 1_000, 1),
    ("安培", Current, 1_000, 1),
    ("c", Temperature, 1, 1),
    ("摄氏度", Temperature, 1, 1),
    ("c/min", TemperatureRate, 1, 1),
    ("%", Share, 1, 1),
    ("percent", Share, 1, 1),
    ("百分比", Share, 1, 1),
    ("‰", Share, 1, 10),
    ("db", Sound, 1, 1),
    ("dba", Sound, 1, 1),
    ("db(a)", Sound, 1, 1),
    ("分贝", Sound, 1, 1),
    ("db/m", Obscuration, 1, 1),
    ("ug/m3", MassPerVolume, 1, 1),
    ("mg/m3", MassPerVolume, 1_000, 1),
    ("ug/l", MassPerVolume, 1_000, 1),
    ("mg/l", MassPerVolume, 1_000_000, 1),
    ("g/l", MassPerVolume, 1_000_000_000, 1),
    ("m3", Volume, 1, 1),
    ("l", Volume, 1, 1_000),
    ("升", Volume, 1, 1_000),
    ("立方米", Volume, 1, 1),
    ("s", Time, 1, 3_600),
    ("min", Time, 1, 60),
    ("h", Time, 1, 1),
    ("hour", Time, 1, 1),
    ("hours", Time, 1, 1),
    ("小时", Time, 1, 1),
    ("分钟", Time, 1, 60),
    ("秒", Time, 1, 3_600),
    ("persons/m2", Density, 1, 1),
    ("人/m2", Density, 1, 1),
    ("bool", Contact, 1, 1),
];

/// `value` of `from` in thousandths of `to`; an empty `from` means `to`. Infinite values saturate.
pub(crate) fn convert(value: f64, from: &str, to: &str) -> Result<i64, UnitError> {
    if value.is_nan() {
        return Err(UnitError::NotANumber);
    }
    let same = (value * 1_000.0).round() as i64; // `as` saturates
    // Most readings say nothing of their unit, or spell it as the rules do.
    if from.is_empty() || from == to {
        return Ok(same);
    }
    if is_one_spelling(from, to) {
        return Ok(same);
    }
    let unknown = || UnitError::Unknown(from.to_owned());
    let mismatch = || UnitError::Mismatch {
        unit: from.to_owned(),
        expected: to.to_owned(),
    };
    let (quantity, num, den) = look_up(from).ok_or_else(unknown)?;
    let (expected, to_num, to_den) = look_up(to).ok_or_else(mismatch)?;
    if quantity != expected {
        return Err(mismatch());
    }
    // Numerators first: 18 cm must not become 17.999… on its way through metres.
    let scaled = value * f64::from(num) * f64::from(to_den) * 1_000.0 / (f64::from(den) * f64::from(to_num));
    Ok(scaled.round() as i64)
}

/// Whether the table knows a unit; the rules may use no other.
pub(crate) fn is_known(unit: &str) -> bool {
    look_up(unit).is_some()
}

/// A unit as anybody spells it.
fn look_up(unit: &str) -> Option<(Quantity, i32, i32)> {
    let spelled = if is_plain(unit) {
        Cow::Borrowed(unit)
    } else {
        spelling(unit)
    };
    let same = |known: &&(&str, Quantity, i32, i32)| known.0.eq_ignore_ascii_case(&spelled);
    let (_, quantity, num, den) = UNITS.iter().find(same)?;
    Some((*quantity, *num, *den))
}

/// Whether two spellings are of one name. An empty one is any.
fn is_one_spelling(one: &str, other: &str) -> bool {
    if is_plain(one) && is_plain(other) {
        return one.eq_ignore_ascii_case(other);
    }
    let spelled = spelling(one);
    spelled.is_empty() || spelled == spelling(other)
}

/// Whether a spelling and the table's differ in nothing but capitals.
fn is_plain(unit: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_graphic() && byte != b'^';
    let is_degree = |four: &[u8]| four.eq_ignore_ascii_case(b"degc");
    unit.bytes().all(is_sign) && !unit.as_bytes().windows(4).any(is_degree)
}

/// The spelling that the table uses: half-width, lower case, no spaces, one way to write µ, °, ³.
fn spelling(unit: &str) -> Cow<'_, str> {
    // As the field has it most often.
    if unit == "℃" {
        return Cow::Borrowed("c");
    }
    let mut name = half_width(unit).to_lowercase();
    name.retain(|c| !c.is_whitespace());
    if !name.is_ascii() {
        name = name.replace(['µ', 'μ'], "u").replace('³', "3").replace('²', "2");
        name = name.replace('℃', "c").replace("°c", "c");
    }
    let name = name.replace("degc", "c");
    Cow::Owned(name.replace('°', "deg").replace('^', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_met_in_the_field() {
        let check = |value: f64, from: &str, to: &str, milli: i64| {
            assert_eq!(convert(value, from, to), Ok(milli), "{value} {from} in {to}");
        };
        check(18.0, "cm", "cm", 18_000);
        check(0.18, "m", "cm", 18_000);
        check(180.0, "mm", "cm", 18_000);
        check(18.0, "ＣＭ", "cm", 18_000);
        check(18.0, "", "cm", 18_000);
        check(140.0, "kPa", "MPa", 140);
        check(1.4, "bar", "MPa", 140);
        check(140_000.0, "Pa", "MPa", 140);
        check(15.0, "°", "deg", 15_000);
        check(20.0, "% LEL", "%LEL", 20_000);
        check(1.0, "%VOL", "%LEL", 20_000);
        check(10_000.0, "ppm", "%LEL", 20_000);
        check(0.3, "A", "mA", 300_000);
        check(57.0, "℃", "C", 57_000);
        check(57.0, "°C", "C", 57_000);
        check(65.0, "dB(A)", "dB", 65_000);
        check(65.0, "dBA", "dB", 65_000);
        check(0.15, "mg/m³", "µg/m3", 150_000);
        check(10.0, "L", "m3", 10);
        for (value, chinese, to, milli) in [
            (18.0, "公分", "cm", 18_000),
            (140.0, "千帕", "MPa", 140),
            (0.3, "兆帕", "MPa", 300),
            (300.0, "毫安", "mA", 300_000),
            (57.0, "摄氏度", "C", 57_000),
            (1.0, "VOL%", "%LEL", 20_000),
            (20.0, "LEL%", "%LEL", 20_000),
            (90.0, "分钟", "h", 1_500),
        ] {
            check(value, chinese, to, milli);
        }
        check(f64::INFINITY, "m", "cm", i64::MAX);
        check(f64::MIN, "m", "cm", i64::MIN);
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        assert_eq!(convert(f64::NAN, "cm", "cm"), Err(UnitError::NotANumber));
        assert_eq!(
            convert(1.0, "furlong", "cm"),
            Err(UnitError::Unknown("furlong".into()))
        );
        let mismatch = UnitError::Mismatch {
            unit: "kPa".into(),
            expected: "cm".into(),
        };
        assert_eq!(convert(1.0, "kPa", "cm"), Err(mismatch));
    }
}
