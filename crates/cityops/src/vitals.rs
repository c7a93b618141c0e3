//! The newest vital signs of each cell, as they were committed: what `/api/vitals` answers from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use city_vitals::VitalsRecord;

/// How many cells an answer holds unless it is told otherwise.
pub const LIMIT_DEFAULT: usize = 1_000;
/// How many an answer may hold.
pub const LIMIT_MAX: usize = 10_000;

/// How many cells and notices a summary shows.
const SUMMARY_CELLS: usize = 8;
const SUMMARY_NOTICES: usize = 10;

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
        let one_of =
            |wanted: &[String], name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
        self.layer.as_deref().is_none_or(|layer| layer == &*cell.layer)
            && one_of(&self.levels, &cell.level)
            && one_of(&self.codes, &cell.code)
            && self
                .notices
                .is_none_or(|wanted| wanted != cell.notices.is_empty())
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
        let next = page
            .last()
            .filter(|_| found.next().is_some())
            .map(|last| last.key());
        (page, next)
    }

    /// The city and its towns, those with most open incidents first, and what is not usual anywhere; to be read in a terminal.
    pub fn summary(&self) -> String {
        let wanted = Wanted {
            limit: usize::MAX,
            ..Wanted::default()
        };
        let cells = self.page(&wanted).0;
        let mut shown: Vec<_> = cells
            .iter()
            .filter(|cell| matches!(&*cell.level, "city" | "town"))
            .collect();
        shown.sort_by_key(|cell| std::cmp::Reverse(cell.open.all()));
        let mut text = "体征 / vital signs: opened in an hour (usual), open by band, overdue\n".to_owned();
        for cell in shown.into_iter().take(SUMMARY_CELLS) {
            let usual = cell
                .usual_60m
                .map_or("—".to_owned(), |usual| format!("{usual:.1}"));
            let open = &cell.open;
            let name = if cell.name.is_empty() {
                "全市 / city"
            } else {
                &*cell.name
            };
            text.push_str(&format!(
                "  {:>5} ({usual})  P1 {} P2 {} P3 {} P4 {}  {:>4}  {name}\n",
                cell.opened_60m, open.P1, open.P2, open.P3, open.P4, cell.overdue
            ));
        }
        let notices = cells
            .iter()
            .flat_map(|cell| cell.notices.iter().map(move |notice| (cell, notice)));
        for (cell, notice) in notices.take(SUMMARY_NOTICES) {
            text.push_str(&format!("  ! {} {}\n", cell.name, notice.text_zh));
        }
        text
    }
}
