//! A list of mostly one thing: it takes no memory of its own then.

/// The things, in the order in which they were put.
#[derive(Debug, Default, Clone)]
pub(crate) enum Few<T> {
    #[default]
    None,
    One(T),
    /// Boxed, for a list is three times as long as most things.
    #[allow(
        clippy::box_collection,
        reason = "most lists are of one thing, and are as short as it"
    )]
    Many(Box<Vec<T>>),
}

impl<T> Few<T> {
    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Few::None => &[],
            Few::One(thing) => std::slice::from_ref(thing),
            Few::Many(things) => things,
        }
    }

    /// Puts a thing at the end.
    pub(crate) fn push(&mut self, thing: T) {
        self.insert(self.as_slice().len(), thing);
    }

    /// Puts a thing at a place, which is at most the end.
    pub(crate) fn insert(&mut self, at: usize, thing: T) {
        *self = match std::mem::take(self) {
            Few::None => Few::One(thing),
            Few::One(own) => {
                let mut things = Vec::with_capacity(2);
                things.push(own);
                things.insert(at, thing);
                Few::Many(Box::new(things))
            }
            Few::Many(mut things) => {
                things.insert(at, thing);
                Few::Many(things)
            }
        };
    }

    /// Takes a thing out; the others stay in their order.
    pub(crate) fn remove(&mut self, at: usize) {
        match self {
            Few::Many(things) if things.len() > 1 => {
                things.remove(at);
            }
            _ => *self = Few::None,
        }
    }

    /// Takes a thing out; the last one takes its place.
    pub(crate) fn swap_remove(&mut self, at: usize) {
        match self {
            Few::Many(things) if things.len() > 1 => {
                things.swap_remove(at);
            }
            _ => *self = Few::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_few_are_a_list(steps in prop::collection::vec((0..4_u8, any::<prop::sample::Index>(), any::<u8>()), 0..40)) {
            let (mut few, mut plain) = (Few::default(), Vec::new());
            for (what, at, thing) in steps {
                match what {
                    0 if !plain.is_empty() => {
                        few.remove(at.index(plain.len()));
                        plain.remove(at.index(plain.len()));
                    }
                    1 if !plain.is_empty() => {
                        few.swap_remove(at.index(plain.len()));
                        plain.swap_remove(at.index(plain.len()));
                    }
                    2 => {
                        few.insert(at.index(plain.len() + 1), thing);
                        plain.insert(at.index(plain.len() + 1), thing);
                    }
                    _ => {
                        few.push(thing);
                        plain.push(thing);
                    }
                }
                prop_assert_eq!(few.as_slice(), &plain[..]);
            }
        }
    }
}
