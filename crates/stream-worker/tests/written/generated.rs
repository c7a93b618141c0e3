//! Records made from a schema alone: whatever it allows, within what the closed sets name.

use city_model::{Channel, Crs, EventTime, Facility, Flag, Hint, Outcome, Quality, Signal, Source};
use serde_json::{Map, Number, Value, json};

/// SplitMix64: a seed that proptest shrinks, and no more.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    fn text(&mut self) -> String {
        (0..self.below(9))
            .map(|_| match self.below(4) {
                0 => char::from_u32(0x4E00 + self.below(0x5000) as u32).unwrap(),
                1 => char::from_u32(self.below(0x80) as u32).unwrap(),
                2 => '\u{1F600}',
                _ => char::from(b'a' + self.below(26) as u8),
            })
            .collect()
    }
}

macro_rules! names {
    ($set:ty) => {
        <$set>::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>()
    };
}

/// As the schema documents them.
const FAULTS: &str = "not_a_number sentinel out_of_range unit_suspected flat_line flapping duplicate_frame offline \
    back_online low_battery maintenance clock_future clock_unset zone_suspected reported";

/// The closed set that a field's texts come from, if they do.
fn closed(field: &str, record: &str) -> Option<Vec<&'static str>> {
    Some(match (field, record) {
        ("outcome", _) => names!(Outcome),
        ("fault", _) => FAULTS.split(' ').collect(),
        ("source", "LateEvent") => names!(Source),
        ("channel", "LateEvent") => names!(Channel),
        ("signal", _) => names!(Signal),
        ("quality", _) => names!(Quality),
        ("declared_crs", _) => Crs::ALL.iter().map(|crs| crs.name()).collect(),
        ("facilities", _) => names!(Facility),
        ("hints", _) => names!(Hint),
        ("flags", _) => names!(Flag),
        _ => return None,
    })
}

/// A record of the schema as its JSON would be; fields that are nothing are left out.
pub(crate) struct Maker<'a> {
    pub(crate) dice: Dice,
    /// Times are texts in incidents, milliseconds elsewhere.
    pub(crate) text_times: bool,
    /// Named types seen so far.
    pub(crate) named: Vec<(&'a str, &'a Value)>,
}

impl<'a> Maker<'a> {
    pub(crate) fn record(&mut self, schema: &'a Value) -> Value {
        let name = schema["name"].as_str().unwrap();
        let mut made = Map::new();
        for field in schema["fields"].as_array().unwrap() {
            let field_name = field["name"].as_str().unwrap();
            let value = self.value(&field["type"], field_name, name);
            // What JSON leaves out: nothing, a false mark, and an event's empty lists.
            let empty = value.is_null()
                || (["superseded", "derived"].contains(&field_name) && value == json!(false))
                || (name == "LateEvent" && value == json!([]));
            if !empty {
                made.insert(field_name.to_owned(), value);
            }
        }
        Value::Object(made)
    }

    /// Keeps the named types of what is left out: others further down may be of them.
    fn know(&mut self, schema: &'a Value) {
        match schema {
            Value::Array(branches) => branches.iter().for_each(|branch| self.know(branch)),
            Value::Object(object) => {
                if let (Some(name), Some("record" | "enum")) = (
                    object.get("name").and_then(Value::as_str),
                    object["type"].as_str(),
                ) {
                    self.named.push((name, schema));
                }
                let fields = object.get("fields").and_then(Value::as_array);
                fields
                    .into_iter()
                    .flatten()
                    .for_each(|field| self.know(&field["type"]));
            }
            _ => {}
        }
    }

    fn value(&mut self, schema: &'a Value, field: &str, record: &str) -> Value {
        match schema {
            Value::Array(branches) => match self.dice.below(2) {
                0 => {
                    self.know(&branches[1]);
                    Value::Null
                }
                _ => self.value(&branches[1], field, record),
            },
            Value::Object(object) if object.contains_key("logicalType") => {
                let ms = self.dice.below(4_000_000_000_000) as i64;
                match self.text_times {
                    true => json!(EventTime::from_millis(ms).to_string()),
                    false => json!(ms),
                }
            }
            Value::Object(object) => match object["type"].as_str().unwrap() {
                "record" => {
                    self.named.push((object["name"].as_str().unwrap(), schema));
                    self.record(schema)
                }
                "array" => {
                    let count = self.dice.below(4);
                    (0..count)
                        .map(|_| self.value(&object["items"], field, record))
                        .collect()
                }
                "map" => {
                    let count = self.dice.below(4);
                    let items =
                        (0..count).map(|_| (self.dice.text(), self.value(&object["values"], field, record)));
                    Value::Object(items.collect())
                }
                "enum" => {
                    self.named.push((object["name"].as_str().unwrap(), schema));
                    let symbols = object["symbols"].as_array().unwrap();
                    symbols[self.dice.below(symbols.len() as u64) as usize].clone()
                }
                other => panic!("no {other} is written"),
            },
            Value::String(primitive) => self.primitive(primitive, field, record),
            other => panic!("no schema: {other}"),
        }
    }

    fn primitive(&mut self, primitive: &str, field: &str, record: &str) -> Value {
        match (primitive, field) {
            ("string", _) => match closed(field, record) {
                Some(names) => json!(self.dice.one(&names)),
                None => json!(self.dice.text()),
            },
            ("boolean", _) => json!(self.dice.below(2) == 1),
            ("double", _) => {
                // Not more digits than a JSON reader keeps exactly.
                let number = f64::from(self.dice.roll() as u32 as i32) / 1e5;
                Number::from_f64(number).map_or(Value::Null, Value::Number)
            }
            ("long", "reporter" | "reporter_before") => json!(self.dice.roll()),
            ("long", "lon_e9" | "lat_e9" | "skew_ms" | "milli") => json!(self.dice.roll().cast_signed()),
            ("long", _) => json!(self.dice.roll() >> 1),
            ("int", "credibility") => json!(self.dice.below(1 << 8)),
            ("int", "confidence" | "weight") => json!(self.dice.below(1 << 16)),
            ("int", _) => json!(self.dice.below(1 << 31)),
            (name, _) => {
                let named = self.named.iter().find(|(known, _)| *known == name);
                let schema = named.unwrap_or_else(|| panic!("no type {name}")).1;
                self.value(schema, field, record)
            }
        }
    }
}
