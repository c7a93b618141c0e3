//! The newest vital signs of each cell, as they were committed: what `/api/vitals` answers from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use city_vitals::VitalsRecord;

/// How many cells an answer holds unless it is told otherwise.
pub const LIMIT_DEFAULT: usize = 1_000;
/// How many an answer may hold.
pub const LIMIT_MAX: usize = 10_000;

/// The newest record of each cell, by layer and code.
#[derive(Debug, Default)]
pub struct VitalsBoard {
    cells: Mutex<BTreeMap<String, Arc<VitalsRecord>>>,
}

/// Which cells are wanted. An empty list and a `None` want all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Of this layer.
    pub layer: Option<String>,
    /// On one of these levels.
    pub levels: Vec<String>,
    /// With one of these codes.
    pub codes: Vec<String>,
    /// Only with notices, or only without.
    pub notices: Option<bool>,
    /// After this key in order of layer and code.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl Wanted {
    fn lets_through(&self, cell: &VitalsRecord) -> bool {
        let one_of = |wanted: &[String], name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
        self.layer.as_deref().is_none_or(|layer| layer == &*cell.layer)
            && one_of(&self.levels, &cell.level)
            && one_of(&self.codes, &cell.code)
            && self.notices.is_none_or(|wanted| wanted != cell.notices.is_empty())
    }
}

impl VitalsBoard {
    /// Enters the newest word on a cell.
    pub fn put(&self, record: VitalsRecord) {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells.insert(record.key(), Arc::new(record));
    }

    /// A cell is gone.
    pub fn remove(&self, key: &[u8]) {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells.remove(&*String::from_utf8_lossy(key));
    }

    /// The wanted cells in order of layer and code, and the key to go on after if there are more.
    pub fn page(&self, wanted: &Wanted) -> (Vec<Arc<VitalsRecord>>, Option<String>) {
        use std::ops::Bound::{Excluded, Unbounded};
        let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let from = wanted.after.as_ref().map_or(Unbounded, Excluded);
        let mut found = cells
            .range::<String, _>((from, Unbounded))
            .map(|(_, cell)| cell)
            .filter(|cell| wanted.lets_through(cell));
        let page: Vec<_> = found.by_ref().take(wanted.limit).cloned().collect();
        let next = page.last().filter(|_| found.next().is_some()).map(|last| last.key());
        (page, next)
    }

    /// How many cells have notices, and the first sentence of the most urgent one: the widest cell's.
    pub fn notices(&self) -> Vec<Arc<VitalsRecord>> {
        let wanted = Wanted {
            notices: Some(true),
            limit: usize::MAX,
            ..Wanted::default()
        };
        self.page(&wanted).0
    }
}
