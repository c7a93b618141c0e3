//! What is odd in a registry's file and does not stop a start: counted, and the first row of each sort named.

use std::fmt;

use city_model::{Name, Position};

use crate::table::{Row, Spot};

/// Rows that are odd in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OddRows {
    /// How many.
    pub rows: u64,
    /// The first of them: its line, from 1, and its id.
    pub first: Option<(u64, Name)>,
}

/// What was odd in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Oddities {
    /// Rows at (0, 0), which means no place.
    pub placeless: OddRows,
    /// Whether those are kept, as devices are: a device without a place may still name its component.
    pub keeps_placeless: bool,
    /// Rows outside the box that places should lie in. They are kept: a reservoir may lie outside the city that it serves.
    pub outside: OddRows,
    /// Rows with an id that was listed before; in a city's list seldom none. The last row of an id counts.
    pub repeated: OddRows,
    /// Rows whose address names no door, crossing or estate: a road alone, a town. They are left out.
    pub nameless: OddRows,
}

impl OddRows {
    pub(crate) fn count(&mut self, row: &Row<'_>, id: &str) {
        self.rows += 1;
        self.first.get_or_insert_with(|| (row.line(), Name::from(id)));
    }
}

impl Oddities {
    /// The place of a row, which is counted where it has none or an odd one.
    pub(crate) fn place(&mut self, row: &Row<'_>, id: &str, spot: Spot) -> Option<Position> {
        match spot {
            Spot::Inside(position) => Some(position),
            Spot::Outside(position) => {
                self.outside.count(row, id);
                Some(position)
            }
            Spot::Nowhere => {
                self.placeless.count(row, id);
                None
            }
        }
    }

    /// Each sort of oddity by its name, with its rows.
    pub fn sorts(&self) -> [(&'static str, &OddRows); 4] {
        [
            ("placeless", &self.placeless),
            ("outside", &self.outside),
            ("repeated", &self.repeated),
            ("nameless", &self.nameless),
        ]
    }

    /// Whether nothing was odd.
    pub fn is_empty(&self) -> bool {
        self.sorts().iter().all(|(_, odd)| odd.rows == 0)
    }
}

impl fmt::Display for Oddities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = [
            if self.keeps_placeless {
                "at (0, 0), kept without a place"
            } else {
                "at (0, 0), left out"
            },
            "far outside the first layer, kept",
            "with an id that is listed twice, of which the last row counts",
            "with an address that names no door, crossing or estate, left out",
        ];
        let mut separator = "";
        for ((_, odd), what) in self.sorts().into_iter().zip(what) {
            let Some((line, id)) = &odd.first else {
                continue;
            };
            let rows = if odd.rows == 1 { "row" } else { "rows" };
            write!(
                f,
                "{separator}{} {rows} {what} (first line {line}, id {id})",
                odd.rows
            )?;
            separator = "; ";
        }
        Ok(())
    }
}
