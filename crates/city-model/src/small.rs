//! Sets and maps of a few things, sorted in one piece of memory that copies share until one of them is changed.
//!
//! An incident is copied for every decision about it and changed in two or three of its sets. A tree of 11 places for two
//! names, copied each time, was most of what an open incident took in memory and time. As JSON they are what a `BTreeSet` and a
//! `BTreeMap` are.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A sorted set of a few things.
#[derive(Clone, PartialEq, Eq)]
pub struct SmallSet<T>(Option<Arc<[T]>>);

/// A sorted map of a few things.
#[derive(Clone, PartialEq, Eq)]
pub struct SmallMap<K, V>(Option<Arc<[(K, V)]>>);

impl<T> SmallSet<T> {
    /// The things in their order.
    pub fn as_slice(&self) -> &[T] {
        self.0.as_deref().unwrap_or_default()
    }

    /// The things in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.as_slice().iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The least.
    pub fn first(&self) -> Option<&T> {
        self.as_slice().first()
    }

    /// The greatest.
    pub fn last(&self) -> Option<&T> {
        self.as_slice().last()
    }
}

impl<T: Ord + Clone> SmallSet<T> {
    /// Whether it is in.
    pub fn contains<Q: Ord + ?Sized>(&self, thing: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.as_slice()
            .binary_search_by(|other| other.borrow().cmp(thing))
            .is_ok()
    }

    /// Puts it in; answers whether it was not in before.
    pub fn insert(&mut self, thing: T) -> bool {
        let own = self.as_slice();
        let Err(at) = own.binary_search(&thing) else {
            return false;
        };
        let (before, after) = own.split_at(at);
        let all = before.iter().cloned().chain([thing]).chain(after.iter().cloned());
        self.0 = Some(all.collect());
        true
    }

    /// Takes it out; answers whether it was in.
    pub fn remove<Q: Ord + ?Sized>(&mut self, thing: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        let own = self.as_slice();
        let Ok(at) = own.binary_search_by(|other| other.borrow().cmp(thing)) else {
            return false;
        };
        let rest = own[..at]
            .iter()
            .chain(&own[at + 1..])
            .cloned()
            .collect::<Vec<T>>();
        self.0 = (!rest.is_empty()).then(|| rest.into());
        true
    }

    /// Keeps what fits.
    pub fn retain(&mut self, mut fits: impl FnMut(&T) -> bool) {
        if !self.iter().all(&mut fits) {
            *self = self.iter().filter(|thing| fits(thing)).cloned().collect();
        }
    }

    /// Takes the greatest out.
    pub fn pop_last(&mut self) -> Option<T> {
        let (last, rest) = self.as_slice().split_last()?;
        let last = last.clone();
        self.0 = (!rest.is_empty()).then(|| rest.into());
        Some(last)
    }
}

impl<T: Ord + Clone> Extend<T> for SmallSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, things: I) {
        for thing in things {
            self.insert(thing);
        }
    }
}

impl<T: Ord> FromIterator<T> for SmallSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(things: I) -> Self {
        let mut all: Vec<T> = things.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        SmallSet((!all.is_empty()).then(|| all.into()))
    }
}

impl<'a, T> IntoIterator for &'a SmallSet<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> Default for SmallSet<T> {
    fn default() -> Self {
        SmallSet(None)
    }
}

impl<T: fmt::Debug> fmt::Debug for SmallSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

impl<T: Serialize> Serialize for SmallSet<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de> + Ord> Deserialize<'de> for SmallSet<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<T>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl<K, V> SmallMap<K, V> {
    /// The entries in the order of their keys.
    pub fn as_slice(&self) -> &[(K, V)] {
        self.0.as_deref().unwrap_or_default()
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.as_slice().iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.as_slice().iter().map(|(_, value)| value)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl<K: Ord + Clone, V: Clone> SmallMap<K, V> {
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.as_slice()
            .binary_search_by(|(other, _)| other.borrow().cmp(key))
    }

    /// Whether it has an entry.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|at| &self.as_slice()[at].1)
    }

    /// Enters a value in the place of what was there.
    pub fn insert(&mut self, key: K, value: V) {
        let own = self.as_slice();
        let (at, after) = match self.find(&key) {
            Ok(at) => (at, at + 1),
            Err(at) => (at, at),
        };
        let all = own[..at].iter().cloned().chain([(key, value)]);
        self.0 = Some(all.chain(own[after..].iter().cloned()).collect());
    }

    /// Gives every key the value that `of` makes of it and the one that it has.
    pub fn rewrite(&mut self, mut of: impl FnMut(&K, &V) -> V) {
        if let Some(own) = &self.0 {
            let all = own.iter().map(|(key, value)| (key.clone(), of(key, value)));
            self.0 = Some(all.collect());
        }
    }

    /// Enters a value where there is none or a lesser one.
    pub fn raise(&mut self, key: &K, value: V)
    where
        V: Ord,
    {
        if self.get(key).is_none_or(|known| *known < value) {
            self.insert(key.clone(), value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SmallMap<K, V> {
    /// Of equal keys the last one counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let all: Vec<(K, V)> = std::collections::BTreeMap::from_iter(entries)
            .into_iter()
            .collect();
        SmallMap((!all.is_empty()).then(|| all.into()))
    }
}

impl<'a, K, V> IntoIterator for &'a SmallMap<K, V> {
    type Item = &'a (K, V);
    type IntoIter = std::slice::Iter<'a, (K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter()
    }
}

impl<K, V> Default for SmallMap<K, V> {
    fn default() -> Self {
        SmallMap(None)
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SmallMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.into_iter().map(|(key, value)| (key, value)))
            .finish()
    }
}

impl<K: Serialize, V: Serialize> Serialize for SmallMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.into_iter().map(|(key, value)| (key, value)))
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for SmallMap<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = std::collections::BTreeMap::<K, V>::deserialize(deserializer)?;
        Ok(entries.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_small_set_is_a_set(steps in prop::collection::vec((any::<bool>(), 0u8..12), 0..40)) {
            let (mut small, mut plain) = (SmallSet::default(), BTreeSet::new());
            for (put, thing) in steps {
                if put {
                    prop_assert_eq!(small.insert(thing), plain.insert(thing));
                } else {
                    prop_assert_eq!(small.remove(&thing), plain.remove(&thing));
                }
                prop_assert_eq!(small.contains(&thing), plain.contains(&thing));
                prop_assert_eq!((small.len(), small.is_empty()), (plain.len(), plain.is_empty()));
                prop_assert_eq!((small.first(), small.last()), (plain.first(), plain.last()));
            }
            prop_assert!(small.iter().eq(&plain));
            let json = serde_json::to_string(&small).unwrap();
            prop_assert_eq!(&json, &serde_json::to_string(&plain).unwrap());
            prop_assert_eq!(&serde_json::from_str::<SmallSet<u8>>(&json).unwrap(), &small);
            prop_assert_eq!(plain.iter().copied().collect::<SmallSet<u8>>(), small.clone());
            prop_assert_eq!(small.pop_last(), plain.pop_last());
            prop_assert!(small.iter().eq(&plain));
        }

        #[test]
        fn a_small_map_is_a_map(steps in prop::collection::vec((any::<bool>(), "[a-f]", 0u8..9), 0..40)) {
            let (mut small, mut plain) = (SmallMap::default(), BTreeMap::new());
            for (raise, key, value) in steps {
                if raise {
                    small.raise(&key, value);
                    let known = plain.entry(key.clone()).or_insert(value);
                    *known = (*known).max(value);
                } else {
                    small.insert(key.clone(), value);
                    plain.insert(key.clone(), value);
                }
                prop_assert_eq!(small.get(&key), plain.get(&key));
                prop_assert_eq!((small.len(), small.is_empty()), (plain.len(), plain.is_empty()));
            }
            prop_assert!(small.keys().eq(plain.keys()) && small.values().eq(plain.values()));
            prop_assert!(!small.contains_key("z"));
            let json = serde_json::to_string(&small).unwrap();
            prop_assert_eq!(&json, &serde_json::to_string(&plain).unwrap());
            prop_assert_eq!(serde_json::from_str::<SmallMap<String, u8>>(&json).unwrap(), small);
        }
    }
}
