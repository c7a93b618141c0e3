//! Every value comes back, whatever serde tells of it; what is no row is refused, and no row panics.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use state_rows::{FORM, Pieces, WORDS, from_row, is_packed, to_row};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Key {
    source_system: String,
    event_id: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shape {
    Nothing,
    One(Option<i64>),
    Two(String, u64),
    Named { kind: String, level: Option<u8> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Thing {
    #[serde(flatten)]
    key: Key,
    kind: Option<String>,
    town: Option<String>,
    unheard_of: i64,
    opened_at: i64,
    closed_at: Option<i64>,
    reporter: u64,
    dirty: bool,
    shape: Shape,
    members: Vec<Key>,
    peaks: BTreeMap<String, i64>,
    best: Option<(String, i64)>,
    letter: char,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tail: Vec<Shape>,
    base: Option<Box<Thing>>,
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{0,4}",
        "[a-z]{30,40}",
        "[市镇区]{1,12}",
        prop::sample::select(WORDS).prop_map(str::to_owned),
    ]
}

fn whole() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -80..80_i64,
        (0..4_000_i64).prop_map(|ms| 1_787_609_612_926 + ms),
        prop::sample::select(&[i64::MIN, i64::MAX, 1 << 20, -(1 << 20), 1 << 55, -(1 << 55)][..]),
    ]
}

fn key() -> impl Strategy<Value = Key> {
    (text(), text()).prop_map(|(source_system, event_id)| Key {
        source_system,
        event_id,
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Nothing),
        prop::option::of(whole()).prop_map(Shape::One),
        (text(), any::<u64>()).prop_map(|(text, number)| Shape::Two(text, number)),
        (text(), any::<Option<u8>>()).prop_map(|(kind, level)| Shape::Named { kind, level }),
    ]
}

fn thing() -> impl Strategy<Value = Thing> {
    let numbers = (
        whole(),
        whole(),
        prop::option::of(whole()),
        any::<u64>(),
        any::<bool>(),
    );
    let options = (prop::option::of(text()), prop::option::of(text()), any::<char>());
    let many = (
        prop::collection::vec(key(), 0..30),
        prop::collection::btree_map(text(), whole(), 0..4),
        prop::option::of((text(), whole())),
        prop::collection::vec(shape(), 0..3),
    );
    let leaf =
        (key(), numbers, options, shape(), many).prop_map(|(key, numbers, options, shape, many)| Thing {
            key,
            kind: options.0,
            town: options.1,
            unheard_of: numbers.0,
            opened_at: numbers.1,
            closed_at: numbers.2,
            reporter: numbers.3,
            dirty: numbers.4,
            shape,
            members: many.0,
            peaks: many.1,
            best: many.2,
            letter: options.2,
            tail: many.3,
            base: None,
        });
    let leaf = leaf.boxed();
    (leaf.clone(), prop::option::of(leaf)).prop_map(|(thing, base)| Thing {
        base: base.map(Box::new),
        ..thing
    })
}

fn pieces() -> Pieces {
    Pieces::of_fields(&["town", "source_system", "members"], 1)
}

proptest! {
    #[test]
    fn a_value_comes_back(thing in thing(), others in prop::collection::vec(thing(), 0..3)) {
        let row = to_row(&thing).unwrap();
        prop_assert!(is_packed(&row));
        prop_assert_eq!(&from_row::<Thing>(&row).unwrap(), &thing);
        // Any reader of JSON's terms finds in it what JSON says.
        let json: serde_json::Value = serde_json::from_slice(&serde_json::to_vec(&thing).unwrap()).unwrap();
        let told: serde_json::Value = from_row(&row).unwrap();
        prop_assert_eq!(without_nulls(told), without_nulls(json));
        let mut pieces = pieces();
        let all: Vec<Thing> = others.into_iter().chain([thing]).collect();
        let packed: Vec<Box<[u8]>> = all.iter().map(|thing| pieces.pack(0, thing).unwrap()).collect();
        for (packed, thing) in packed.iter().zip(&all) {
            prop_assert_eq!(&pieces.unpack::<Thing>(0, packed).unwrap(), thing);
        }
    }

    #[test]
    fn no_bytes_panic(thing in thing(), at in any::<prop::sample::Index>(), to in any::<u8>(), rest in any::<Vec<u8>>()) {
        let row = to_row(&thing).unwrap();
        let at = at.index(row.len());
        prop_assert!(from_row::<Thing>(&row[..at]).is_err());
        let mut other = row.clone();
        other[at] = to;
        let _ = from_row::<Thing>(&other);
        let _ = from_row::<serde_json::Value>(&other);
        other.truncate(at);
        other.extend_from_slice(&rest);
        let _ = from_row::<Thing>(&other);
        let mut longer = row;
        longer.push(to);
        prop_assert!(from_row::<Thing>(&longer).is_err());
        let mut noise = vec![FORM];
        noise.extend_from_slice(&rest);
        let _ = from_row::<serde_json::Value>(&noise);
        let _ = pieces().unpack::<Thing>(0, &noise[1..]);
    }
}

fn without_nulls(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(fields) => {
            let said = fields.into_iter().filter(|(_, value)| !value.is_null());
            said.map(|(name, value)| (name, without_nulls(value))).collect()
        }
        serde_json::Value::Array(values) => values.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Before {
    kind: String,
    town: Option<String>,
    later_dropped: Vec<String>,
    order: i64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct After {
    order: i64,
    town: Option<String>,
    kind: String,
    #[serde(default)]
    dirty: bool,
    best: Option<u8>,
}

#[test]
fn fields_come_and_go() {
    let before = Before {
        kind: "noise".to_owned(),
        town: Some("310117004".to_owned()),
        later_dropped: vec!["310117004".to_owned(), "a text".to_owned()],
        order: 7,
    };
    let after: After = from_row(&to_row(&before).unwrap()).unwrap();
    let expected = After {
        order: 7,
        town: before.town,
        kind: before.kind,
        dirty: false,
        best: None,
    };
    assert_eq!(after, expected);
    assert!(
        from_row::<Before>(&to_row(&expected).unwrap()).is_err(),
        "a field is missing"
    );
}

#[test]
fn deep_rows_are_refused_and_do_not_exhaust_the_stack() {
    for byte in [0x04, 0x06] {
        let mut row = vec![FORM];
        row.resize(1_000_000, byte);
        assert!(from_row::<serde_json::Value>(&row).is_err());
    }
}

/// Rows of every earlier version are read: the bytes are for ever.
#[test]
fn the_bytes_are_these() {
    let thing = Thing {
        key: Key {
            source_system: "iot-water".to_owned(),
            event_id: "S0000004-003".to_owned(),
        },
        kind: Some("road_ponding".to_owned()),
        town: None,
        unheard_of: -3,
        opened_at: 1_787_609_612_926,
        closed_at: Some(1_787_609_614_938),
        reporter: u64::MAX,
        dirty: true,
        shape: Shape::Two("iot-water".to_owned(), 64),
        members: vec![],
        peaks: BTreeMap::from([("ch4".to_owned(), 1 << 60)]),
        best: None,
        letter: '区',
        tail: vec![
            Shape::Nothing,
            Shape::One(None),
            Shape::Named {
                kind: "duty".to_owned(),
                level: None,
            },
        ],
        base: None,
    };
    let row = to_row(&thing).unwrap();
    let hex: String = row.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, GOLDEN);
    assert_eq!(from_row::<Thing>(&row).unwrap(), thing);
}

const GOLDEN: &str = concat!(
    "01058029696f742d7761746572812c53303030303030342d303033930bb7019e002a756e68656172645f6f660e02bf0dfe84",
    "d8ae83340b2010b81fae0fffffffffffffffffbb02257368617065062354776f040a000d4003cd0403d7050bef010f000000",
    "000000001003cc00266c657474657223e58cbaea04274e6f7468696e6706234f6e650006254e616d656405930b0a0303eb00",
    "03",
);

/// A word's number is for ever.
#[test]
fn words_are_only_appended() {
    let mut all = WORDS.to_vec();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), WORDS.len(), "a word lies in the list twice");
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in WORDS[..FROZEN].join("\n").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    assert_eq!(
        hash, 0x1ecd_497e_5551_a736,
        "the first {FROZEN} words are not what they were"
    );
}

/// How many there were when this was written down; what was appended since may be added to both.
const FROZEN: usize = 371;
