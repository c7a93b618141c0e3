//! Which field of a struct, or variant of an enum, a word names.
//!
//! Serde's derived readers take a field by its place as well as by its name, and by its place they need compare nothing. What a
//! struct says by other names than its own (`alias`) would be put in the wrong place: rows have no such names.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::words;

/// No field has this place.
const NONE: u8 = u8::MAX;

/// The place of each word among the names of one type.
pub(crate) struct Shape {
    places: Box<[u8]>,
}

impl Shape {
    /// The place of a word; `None` where the type has no such name.
    pub(crate) fn place(&self, word: usize) -> Option<u8> {
        self.places.get(word).copied().filter(|place| *place != NONE)
    }

    fn of(names: &[&str]) -> Shape {
        let mut places = vec![NONE; words::WORDS.len()].into_boxed_slice();
        for (place, name) in (0..NONE).zip(names) {
            if let Some(own) = words::number(name).and_then(|word| places.get_mut(word)) {
                *own = place;
            }
        }
        Shape { places }
    }
}

thread_local! {
    /// By where a type's names lie in the program, and how many there are.
    static SHAPES: RefCell<FxHashMap<(usize, usize), Rc<Shape>>> = RefCell::default();
}

/// The shape of a type with these names.
pub(crate) fn of(names: &'static [&'static str]) -> Rc<Shape> {
    let key = (names.as_ptr().addr(), names.len());
    SHAPES.with_borrow_mut(|shapes| {
        let shape = shapes.entry(key);
        shape.or_insert_with(|| Rc::new(Shape::of(names))).clone()
    })
}
