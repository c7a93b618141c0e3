//! A sorted list of numbers of incidents, mostly of one: it takes no memory of its own then.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// The numbers.
#[derive(Debug, Default, Clone)]
pub(crate) enum Numbers {
    #[default]
    None,
    One(u32),
    /// Boxed, for a list is three times as long as a number.
    #[allow(
        clippy::box_collection,
        reason = "most lists are of one number, and are as short as it"
    )]
    Many(Box<Vec<u32>>),
}

impl Numbers {
    pub(crate) fn as_slice(&self) -> &[u32] {
        match self {
            Numbers::None => &[],
            Numbers::One(number) => std::slice::from_ref(number),
            Numbers::Many(numbers) => numbers,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    /// Puts a number in, once.
    pub(crate) fn insert(&mut self, number: u32) {
        match self {
            Numbers::None => *self = Numbers::One(number),
            Numbers::One(own) if *own == number => {}
            Numbers::One(own) => *self = Numbers::Many(Box::new(vec![number.min(*own), number.max(*own)])),
            Numbers::Many(numbers) => {
                if let Err(at) = numbers.binary_search(&number) {
                    numbers.insert(at, number);
                }
            }
        }
    }

    /// Takes a number out.
    pub(crate) fn remove(&mut self, number: u32) {
        match self {
            Numbers::One(own) if *own == number => *self = Numbers::None,
            Numbers::None | Numbers::One(_) => {}
            Numbers::Many(numbers) => {
                if let Ok(at) = numbers.binary_search(&number) {
                    numbers.remove(at);
                }
                if let [last] = numbers[..] {
                    *self = Numbers::One(last);
                }
            }
        }
    }
}

/// Takes a number out of an index; a key without any goes.
pub(crate) fn take_out<K: Hash + Eq>(index: &mut FxHashMap<K, Numbers>, key: &K, number: u32) {
    if let Some(numbers) = index.get_mut(key) {
        numbers.remove(number);
        if numbers.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_a_set(steps in prop::collection::vec((any::<bool>(), 0u32..6), 0..40)) {
            let (mut numbers, mut plain) = (Numbers::default(), BTreeSet::new());
            for (put, number) in steps {
                if put {
                    numbers.insert(number);
                    plain.insert(number);
                } else {
                    numbers.remove(number);
                    plain.remove(&number);
                }
                prop_assert!(numbers.as_slice().iter().eq(&plain));
                prop_assert_eq!(numbers.is_empty(), plain.is_empty());
            }
        }
    }
}
