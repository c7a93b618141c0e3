//! Texts that come again and again are kept once: the names of cells, layers, kinds, systems and towns in what is read back.
//!
//! A cell of four levels is twenty texts, the same for every event in it. What is kept for this belongs to a thread, decides
//! nothing, and begins anew when it has grown.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::{CellRef, Name};

/// So many texts of either sort are kept at most: a city has some thousands of cells, a few levels each.
const MOST: usize = 1 << 16;

thread_local! {
    static NAMES: RefCell<FxHashSet<Name>> = RefCell::default();
    static PATHS: RefCell<FxHashSet<Arc<[CellRef]>>> = RefCell::default();
}

fn shared(text: &str) -> Name {
    NAMES.with_borrow_mut(|names| {
        if let Some(name) = names.get(text) {
            return name.clone();
        }
        if names.len() >= MOST {
            names.clear();
        }
        let name = Name::from(text);
        names.insert(name.clone());
        name
    })
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Name, E> {
        Ok(shared(text))
    }
}

/// Reads a text that others share.
pub(crate) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
    deserializer.deserialize_str(Text)
}

/// A text that others share, where there may be none.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Name>, D::Error> {
    struct Shared(Name);
    impl<'de> Deserialize<'de> for Shared {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            name(deserializer).map(Shared)
        }
    }
    Ok(Option::<Shared>::deserialize(deserializer)?.map(|Shared(name)| name))
}

/// The cells of a place, one piece of memory for all who lie in the same.
pub(crate) fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[CellRef]>, D::Error> {
    let cells = Vec::<CellRef>::deserialize(deserializer)?;
    Ok(PATHS.with_borrow_mut(|paths| {
        if let Some(path) = paths.get(&cells[..]) {
            return path.clone();
        }
        if paths.len() >= MOST {
            paths.clear();
        }
        let path = Arc::<[CellRef]>::from(cells);
        paths.insert(path.clone());
        path
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn what_is_read_twice_is_kept_once() {
        let kind = || serde_json::from_str::<Kind>("\"tree_fallen\"").unwrap();
        assert!(std::ptr::eq(kind().as_str(), kind().as_str()));
        let text =
            r#"[{"layer":"duty","level":"town","code":"1","name":"镇","version":"v","confidence":1000}]"#;
        let read = || path(&mut serde_json::Deserializer::from_str(text)).unwrap();
        let (one, other) = (read(), read());
        assert!(Arc::ptr_eq(&one, &other));
        assert_eq!(serde_json::to_string(&one).unwrap(), text);
    }

    #[test]
    fn escapes_and_absence_are_read() {
        assert_eq!(
            serde_json::from_str::<Kind>(r#""a\u00e9""#).unwrap().as_str(),
            "aé"
        );
        let absent = optional(&mut serde_json::Deserializer::from_str("null")).unwrap();
        assert_eq!(absent, None);
    }
}
