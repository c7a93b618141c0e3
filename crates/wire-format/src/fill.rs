//! A record with what stands in for the fields that it lacks, put after those that it has.

use std::fmt;
use std::marker::PhantomData;

use city_model::Source;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::cloudevents::{self, Attributes};

/// Fields with the texts that stand in for them, in order.
pub(crate) struct Fill<'a> {
    fields: [Option<(&'static str, &'a str)>; 4],
}

/// Where the event's own time is among the fields; what follows it is when the event was sent.
const OWN_TIME: usize = 2;
const SENT: usize = 3;

impl<'a> Fill<'a> {
    /// Nothing stands in.
    pub(crate) const NOTHING: Fill<'static> = Fill { fields: [None; 4] };

    /// What an event's attributes give a record of `source`.
    pub(crate) fn new(source: Source, attributes: &'a Attributes) -> Fill<'a> {
        let [id, system, time, sent] = cloudevents::fields(source);
        let with = |field: Option<&'static str>, text: &'a Option<String>| Some((field?, text.as_deref()?));
        Fill {
            fields: [
                with(id, &attributes.id),
                with(system, &attributes.source),
                with(time, &attributes.time),
                with(sent, &attributes.time),
            ],
        }
    }
}

/// A deserializer of a record, with what stands in.
pub(crate) struct Filled<'a, D> {
    inner: D,
    fill: &'a Fill<'a>,
}

impl<'a, D> Filled<'a, D> {
    pub(crate) fn new(inner: D, fill: &'a Fill<'a>) -> Filled<'a, D> {
        Filled { inner, fill }
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Filled<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_map(FilledVisitor {
            inner: visitor,
            fill: self.fill,
        })
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct FilledVisitor<'a, V> {
    inner: V,
    fill: &'a Fill<'a>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for FilledVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(FilledMap {
            inner: map,
            left: self.fill.fields,
            ended: false,
            value: None,
        })
    }
}

struct FilledMap<'a, A> {
    inner: A,
    /// What may still stand in.
    left: [Option<(&'static str, &'a str)>; 4],
    ended: bool,
    /// The value of the key that was given last, when it stands in.
    value: Option<&'a str>,
}

/// Hands a key on, and notes that the record has it.
struct Noting<'a, 'f, K> {
    seed: K,
    left: &'a mut [Option<(&'static str, &'f str)>; 4],
}

impl<'de, K: DeserializeSeed<'de>> Noting<'_, '_, K> {
    fn has(&mut self, key: &str) {
        let mut left = self.left.iter_mut();
        if let Some(has) = left.find(|left| left.is_some_and(|(name, _)| name == key)) {
            *has = None;
        }
    }
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Noting<'_, '_, K> {
    type Value = K::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<K::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for Noting<'_, '_, K> {
    type Value = K::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_borrowed_str<E: serde::de::Error>(mut self, key: &'de str) -> Result<K::Value, E> {
        self.has(key);
        self.seed.deserialize(BorrowedStrDeserializer::new(key))
    }

    fn visit_str<E: serde::de::Error>(mut self, key: &str) -> Result<K::Value, E> {
        self.has(key);
        self.seed.deserialize(StrDeserializer::new(key))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for FilledMap<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        // A seed is used up by the key that it reads, or by what stands in.
        let mut seed = Some(seed);
        if !self.ended {
            let noting = Noting {
                seed: Once(&mut seed),
                left: &mut self.left,
            };
            if let Some(key) = self.inner.next_key_seed(noting)? {
                return Ok(Some(key));
            }
            self.ended = true;
            if self.left[OWN_TIME].is_some() {
                // The attribute stands for the event's own time; the sender has told no other.
                self.left[SENT] = None;
            }
        }
        match self.left.iter_mut().find_map(Option::take) {
            Some((name, text)) => {
                self.value = Some(text);
                Once(&mut seed).deserialize(StrDeserializer::new(name)).map(Some)
            }
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        match self.value.take() {
            Some(text) => seed.deserialize(StandIn(text, PhantomData)),
            None => self.inner.next_value_seed(seed),
        }
    }
}

/// A seed that is lent: what does not use it leaves it there.
struct Once<'a, K>(&'a mut Option<K>);

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Once<'_, K> {
    type Value = K::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<K::Value, D::Error> {
        match self.0.take() {
            Some(seed) => seed.deserialize(deserializer),
            None => Err(serde::de::Error::custom("a key that was read already")),
        }
    }
}

/// A text that optional fields take for a value that is there.
struct StandIn<'a, E>(&'a str, PhantomData<E>);

impl<'de, E: serde::de::Error> Deserializer<'de> for StandIn<'_, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
