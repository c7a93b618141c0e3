//! Questions to the board: filters, the order of answers, and cursors that stand between two of them.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use city_model::{Band, EventTime, Status, hex};

use super::Entry;

/// How many incidents an answer holds unless it is told otherwise.
pub const LIMIT_DEFAULT: usize = 100;
/// How many an answer may hold.
pub const LIMIT_MAX: usize = 1_000;

/// Which incidents are wanted. An empty list and a `None` want all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// In one of these bands.
    pub bands: Vec<Band>,
    /// Of one of these kinds.
    pub kinds: Vec<String>,
    /// In one of these states.
    pub statuses: Vec<Status>,
    /// With a cell of this layer …
    pub layer: Option<String>,
    /// … that has this code, on whichever level. Without a layer the code may be in any.
    pub code: Option<String>,
    /// With a place in this box.
    pub bbox: Option<BoundingBox>,
}

impl Filter {
    /// Whether an incident is wanted.
    pub fn lets_through(&self, entry: &Entry) -> bool {
        (self.bands.is_empty() || self.bands.contains(&entry.band))
            && (self.statuses.is_empty() || self.statuses.contains(&entry.status))
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| **kind == *entry.kind))
            && ((self.layer.is_none() && self.code.is_none()) || self.has_cell(entry))
            && self
                .bbox
                .is_none_or(|bbox| entry.place.is_some_and(|(lon, lat)| bbox.contains(lon, lat)))
    }

    fn has_cell(&self, entry: &Entry) -> bool {
        entry.cells.iter().any(|(layer, code)| {
            self.layer.as_deref().is_none_or(|wanted| *wanted == **layer)
                && self.code.as_deref().is_none_or(|wanted| *wanted == **code)
        })
    }
}

/// West, south, east, north in degrees, borders included. Where west is greater than east it crosses the
/// antimeridian (RFC 7946, 5.2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundingBox([f64; 4]);

impl BoundingBox {
    /// Whether a point lies in it.
    pub fn contains(&self, lon: f64, lat: f64) -> bool {
        let [west, south, east, north] = self.0;
        let across = if west <= east {
            (west..=east).contains(&lon)
        } else {
            lon >= west || lon <= east
        };
        across && (south..=north).contains(&lat)
    }
}

impl FromStr for BoundingBox {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<BoundingBox, &'static str> {
        let numbers: Result<Vec<f64>, _> = text
            .split(',')
            .map(|number| number.trim().parse::<f64>())
            .collect();
        let Ok([west, south, east, north]) = <[f64; 4]>::try_from(numbers.unwrap_or_default()) else {
            return Err("four numbers are wanted: west,south,east,north");
        };
        // NaN is in no range.
        if ![west, east].iter().all(|lon| (-180.0..=180.0).contains(lon)) {
            return Err("longitudes lie between -180 and 180; the order is west,south,east,north");
        }
        if ![south, north].iter().all(|lat| (-90.0..=90.0).contains(lat)) {
            return Err("latitudes lie between -90 and 90; the order is west,south,east,north");
        }
        if south > north {
            return Err("south is greater than north; the order is west,south,east,north");
        }
        Ok(BoundingBox([west, south, east, north]))
    }
}

/// The order of answers: most urgent first, then newest, then by id.
pub(super) type Key<'a> = (Band, Reverse<EventTime>, &'a str);

pub(super) fn key(entry: &Entry) -> Key<'_> {
    (entry.band, Reverse(entry.opened_at), &entry.id)
}

/// A place in the order of answers: after one incident. Its text means nothing to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    band: Band,
    opened_at: EventTime,
    id: String,
}

impl Cursor {
    fn after(entry: &Entry) -> Cursor {
        Cursor {
            band: entry.band,
            opened_at: entry.opened_at,
            id: entry.id.to_string(),
        }
    }

    fn key(&self) -> Key<'_> {
        (self.band, Reverse(self.opened_at), &self.id)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(format!(
            "{}.{}.{}",
            self.band,
            self.opened_at.millis(),
            self.id
        )
        .as_bytes()))
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Cursor, &'static str> {
        let read = || -> Option<Cursor> {
            let digits: Option<Vec<u8>> = text
                .chars()
                .map(|digit| Some(digit.to_digit(16)? as u8))
                .collect();
            let bytes = digits?
                .chunks(2)
                .map(|pair| Some(pair.first()? << 4 | pair.get(1)?))
                .collect::<Option<_>>()?;
            let plain = String::from_utf8(bytes).ok()?;
            let mut parts = plain.splitn(3, '.');
            Some(Cursor {
                band: parts.next()?.parse().ok()?,
                opened_at: EventTime::from_millis(parts.next()?.parse().ok()?),
                id: parts.next()?.to_owned(),
            })
        };
        read().ok_or("not a cursor that an earlier answer gave")
    }
}

/// A part of an answer.
#[derive(Debug)]
pub struct Page {
    /// The incidents, in order.
    pub incidents: Vec<Arc<Entry>>,
    /// Where the next part begins, if there is one.
    pub next: Option<Cursor>,
}

/// Keeps the first of many that come in any order, after a cursor.
pub(super) struct First<'a> {
    limit: usize,
    after: Option<Key<'a>>,
    /// The last of those kept is on top. One more than the limit shows that there is a next page.
    kept: BinaryHeap<InOrder>,
}

impl<'a> First<'a> {
    pub(super) fn new(limit: usize, after: Option<&'a Cursor>) -> First<'a> {
        First {
            limit,
            after: after.map(Cursor::key),
            kept: BinaryHeap::new(),
        }
    }

    pub(super) fn offer(&mut self, entry: &Arc<Entry>) {
        let key = key(entry);
        if self.after.is_some_and(|after| key <= after) {
            return;
        }
        if self.kept.len() > self.limit {
            if self.kept.peek().is_some_and(|last| key >= self::key(&last.0)) {
                return;
            }
            self.kept.pop();
        }
        self.kept.push(InOrder(entry.clone()));
    }

    pub(super) fn into_page(self) -> Page {
        let mut incidents: Vec<Arc<Entry>> = self
            .kept
            .into_sorted_vec()
            .into_iter()
            .map(|kept| kept.0)
            .collect();
        let more = incidents.len() > self.limit;
        incidents.truncate(self.limit);
        let next = incidents.last().filter(|_| more).map(|last| Cursor::after(last));
        Page { incidents, next }
    }
}

struct InOrder(Arc<Entry>);

impl Ord for InOrder {
    fn cmp(&self, other: &InOrder) -> Ordering {
        key(&self.0).cmp(&key(&other.0))
    }
}

impl PartialOrd for InOrder {
    fn partial_cmp(&self, other: &InOrder) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for InOrder {
    fn eq(&self, other: &InOrder) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for InOrder {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Board;
    use super::super::tests::{put, record};
    use super::*;

    proptest! {
        #[test]
        fn pages_concatenate_to_the_whole(
            incidents in proptest::collection::btree_map("[a-c]{1,4}", (0..4_usize, 0..3_u32, any::<bool>()), 0..40),
            limit in 1..7_usize,
            open_only in any::<bool>(),
        ) {
            let board = Board::default();
            let mut wanted = Vec::new();
            for (id, (band, hour, open)) in &incidents {
                let status = if *open { "OPEN" } else { "CLOSED" };
                put(&board, &record(id, 1, Band::ALL[*band].as_str(), status, &format!("2026-07-25T0{hour}:00:00Z")));
                if *open || !open_only {
                    wanted.push((*band, Reverse(*hour), id.clone()));
                }
            }
            wanted.sort();
            let filter = Filter { statuses: open_only.then_some(Status::Open).into_iter().collect(), ..Filter::default() };
            let mut found = Vec::new();
            let mut cursor: Option<Cursor> = None;
            loop {
                let page = board.page(&filter, limit, cursor.as_ref());
                prop_assert!(page.incidents.len() <= limit);
                found.extend(page.incidents.iter().map(|entry| entry.id.to_string()));
                prop_assert!(found.len() <= incidents.len(), "a cursor does not advance");
                // A cursor survives its way over the wire.
                let Some(next) = page.next else { break };
                prop_assert_eq!(page.incidents.len(), limit);
                cursor = Some(next.to_string().parse().unwrap());
            }
            prop_assert_eq!(found, wanted.into_iter().map(|(_, _, id)| id).collect::<Vec<_>>());
        }

        #[test]
        fn no_text_is_a_cursor_by_accident(text in "\\PC{0,40}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
            }
        }
    }

    #[test]
    fn filters_by_kind_cell_and_place() {
        let board = Board::default();
        put(&board, &record("a", 1, "P2", "OPEN", "2026-07-25T08:00:00Z"));
        let check = |filter: Filter, found: bool| {
            assert_eq!(
                board.page(&filter, 10, None).incidents.len(),
                usize::from(found),
                "{filter:?}"
            );
        };
        let cell = |layer: Option<&str>, code: Option<&str>| Filter {
            layer: layer.map(str::to_owned),
            code: code.map(str::to_owned),
            ..Filter::default()
        };
        check(
            Filter {
                bands: vec![Band::P1, Band::P2],
                ..Filter::default()
            },
            true,
        );
        check(
            Filter {
                bands: vec![Band::P1],
                ..Filter::default()
            },
            false,
        );
        check(
            Filter {
                kinds: vec!["road_ponding".to_owned()],
                ..Filter::default()
            },
            true,
        );
        check(
            Filter {
                kinds: vec!["road".to_owned()],
                ..Filter::default()
            },
            false,
        );
        check(
            Filter {
                statuses: vec![Status::Closed],
                ..Filter::default()
            },
            false,
        );
        // The town and the cell within it both find the incident; another layer does not.
        check(cell(Some("duty"), Some("310117001")), true);
        check(cell(Some("duty"), Some("31011700100112")), true);
        check(cell(None, Some("310117001")), true);
        check(cell(Some("duty"), None), true);
        check(cell(Some("police"), Some("310117001")), false);
        check(cell(Some("duty"), Some("310117002")), false);
        let bbox = |text: &str| Filter {
            bbox: Some(text.parse().unwrap()),
            ..Filter::default()
        };
        check(bbox("121.2,31.0,121.3,31.1"), true);
        check(bbox("121.2236,31.0322,121.2236,31.0322"), true);
        check(bbox("121.3,31.0,121.4,31.1"), false);
        check(bbox("170,31.0,122,31.1"), true);
        check(bbox("170,31.0,-170,31.1"), false);
    }

    #[test]
    fn a_box_that_makes_no_sense_is_refused() {
        for text in [
            "",
            "1,2,3",
            "1,2,3,4,5",
            "a,b,c,d",
            "31,121,32,122",
            "1,2,3,NaN",
            "1,5,3,4",
            "181,0,0,0",
            "1,2,inf,3",
        ] {
            assert!(text.parse::<BoundingBox>().is_err(), "{text}");
        }
    }
}
