//! One line of the table, read from the JSON of an incident that is shown.

use city_model::{Band, EventTime, Name};
use serde::Deserialize;

use crate::board::Entry;

/// An incident as the table shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: Name,
    /// Its band.
    pub band: Band,
    /// When it was opened.
    pub opened_at: EventTime,
    /// Its kind in Chinese.
    pub kind_zh: String,
    /// Its kind in English.
    pub kind_en: String,
    /// The responsible cell, by name.
    pub cell: String,
    /// The kinds of witnesses.
    pub sources: Vec<String>,
    /// How many events count as members.
    pub members: u64,
    /// The most decisive reason, in Chinese.
    pub reason: String,
}

impl Row {
    /// The row of an incident on the board.
    pub fn of(entry: &Entry) -> Row {
        // The board takes only records that hold what it asks for; the rest may be missing, and then shows as empty.
        let shown: Shown = serde_json::from_str(&entry.json()).unwrap_or_default();
        let widest_first = shown.cells.into_iter().next_back();
        let cell = shown
            .responsible
            .or(widest_first)
            .map_or_else(|| "位置待核实".to_owned(), |cell| cell.name);
        Row {
            id: entry.id.clone(),
            band: entry.band,
            opened_at: entry.opened_at,
            kind_zh: shown.name_zh,
            kind_en: entry.kind.replace('_', " "),
            cell,
            sources: shown.source_types,
            members: entry.member_count,
            reason: shown.priority.reasons_zh.into_iter().next().unwrap_or_default(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Shown {
    name_zh: String,
    responsible: Option<Cell>,
    cells: Vec<Cell>,
    source_types: Vec<String>,
    priority: Reasons,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cell {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reasons {
    reasons_zh: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Board;
    use crate::board::tests::{put, record};

    #[test]
    fn reads_what_is_shown() {
        let board = Board::default();
        let entry = put(&board, &record("a", 1, "P2", "OPEN", "2026-07-25T08:00:00Z"))
            .unwrap()
            .after
            .unwrap();
        let row = Row::of(&entry);
        assert_eq!(
            (row.kind_zh.as_str(), row.kind_en.as_str(), row.cell.as_str()),
            ("道路积水", "road ponding", "岳阳12")
        );
        assert_eq!((row.members, row.reason.as_str()), (3, "下穿通道积水27厘米"));
        assert_eq!(row.sources, ["sensor", "hotline"]);
    }
}
