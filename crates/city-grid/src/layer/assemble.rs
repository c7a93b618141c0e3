//! From read or generated cells to a layer: order, parents, tree and version.

use city_model::{Name, Position};
use rstar::{AABB, RTree};
use sha2::{Digest, Sha256};

use super::{Cell, CellIndex, Entry, Layer, Level, SNAP_MM, corner};
use crate::coverage::outlines;
use crate::finding::{Finding, What};
use crate::ground::{Ground, Part};
use crate::raster::Raster;
use crate::ring::Ring;

/// A cell before it has its place in a layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Draft {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) parent: Option<String>,
    pub(crate) unit: Option<String>,
    /// Polygons of rings, the outer one first.
    pub(crate) polygons: Vec<Vec<Ring>>,
}

impl Layer {
    /// Puts levels of drafts, widest first, in order, and finds each one's parent.
    pub(crate) fn assemble(name: &str, drafts: Vec<(Name, Vec<Draft>)>) -> Layer {
        let mut layer = Layer {
            name: name.into(),
            version: "".into(),
            levels: Vec::with_capacity(drafts.len()),
            cells: Vec::new(),
            ground: Ground::default(),
            snap_mm: SNAP_MM,
            findings: Vec::new(),
        };
        for (level, mut cells) in drafts {
            cells.iter_mut().for_each(Draft::normalise);
            cells.sort_unstable();
            for pair in cells.windows(2) {
                if pair[0].code == pair[1].code {
                    let code: Name = pair[0].code.as_str().into();
                    let detail = format!("`{}` and `{}` have it", pair[0].name, pair[1].name);
                    let finding = Finding::new(What::DuplicateCode, &level, Some(&code), detail);
                    layer.findings.push(finding);
                }
            }
            layer.add_level(level, cells);
        }
        layer.ground.shrink();
        layer.version = layer.hash();
        layer
    }

    fn add_level(&mut self, level: Name, drafts: Vec<Draft>) {
        let first = self.cells.len() as u32;
        let mut entries = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let index = self.cells.len() as u32;
            self.ground.push(draft.polygons);
            for number in self.ground.part_numbers(index as usize) {
                let part = self.ground.part(number);
                entries.push(Entry {
                    bounds: AABB::from_corners(corner(part.south_west), corner(part.north_east)),
                    cell: index,
                    part: number,
                });
            }
            self.cells.push(Cell {
                code: draft.code.into(),
                name: draft.name.into(),
                level: level.clone(),
                unit: draft.unit.map(Name::from),
                parent: None,
            });
            self.tell_without_ground(CellIndex(index));
            let parent = self.parent_of(CellIndex(index), draft.parent.as_deref());
            self.cells[index as usize].parent = parent;
        }
        let end = self.cells.len() as u32;
        let name = level;
        self.levels.push(Level {
            name,
            first,
            end,
            tree: RTree::bulk_load(entries),
            raster: Raster::draw(&self.ground, first as usize..end as usize),
        });
    }

    /// Rings that are there twice leave nothing by the even-odd rule, and no place would ever lie in their cell.
    fn tell_without_ground(&mut self, cell: CellIndex) {
        let has_ground = |part: Part<'_>| part.has_inside() || !outlines(part).is_empty();
        let corner = self.parts(cell).find_map(|part| part.rings().flatten().next());
        let Some(&corner) = corner.filter(|_| !self.parts(cell).any(has_ground)) else {
            return; // without any ring it has been told
        };
        let detail = "by the even-odd rule its rings enclose nothing".to_owned();
        let own = &self.cells[cell.get()];
        let finding = Finding::new(What::NoArea, &own.level, Some(&own.code), detail);
        self.findings.push(finding.at_points(&[corner]));
    }

    /// The enclosing cell: the named one, else the one that has the cell's inner point.
    fn parent_of(&mut self, cell: CellIndex, named: Option<&str>) -> Option<CellIndex> {
        let wider = self.levels.last()?;
        let range = &self.cells[wider.first as usize..wider.end as usize];
        let at = named.map(|code| (code, range.partition_point(|cell| &*cell.code < code)));
        if let Some((code, at)) = at
            && range.get(at).is_some_and(|cell| &*cell.code == code)
        {
            return Some(CellIndex(wider.first + at as u32));
        }
        let by_position = self.inner_point(cell).and_then(|inside| self.hit(wider, inside));
        if named.is_some() || by_position.is_none() {
            let wanted = match named {
                Some(code) => format!("there is no {} `{code}`", wider.name),
                None => format!("no {} has ground there", wider.name),
            };
            let instead = by_position.map_or(String::new(), |found| {
                format!("; by position it is in {}", self.cells[found.get()].code)
            });
            let detail = format!("{wanted}{instead}");
            let own = &self.cells[cell.get()];
            let finding = Finding::new(What::MissingParent, &own.level, Some(&own.code), detail);
            self.findings.push(finding);
        }
        by_position
    }

    fn hash(&self) -> Name {
        let mut hash = Sha256::new();
        let mut bytes = Vec::new();
        for level in &self.levels {
            put(&mut bytes, &level.name);
            bytes.extend_from_slice(&(level.end - level.first).to_le_bytes());
        }
        for (at, cell) in self.cells.iter().enumerate() {
            let parts = self.ground.parts(at);
            put(&mut bytes, &cell.code);
            put(&mut bytes, &cell.name);
            put(&mut bytes, cell.unit.as_deref().unwrap_or_default());
            let parent = cell.parent.map(|parent| &*self.cells[parent.get()].code);
            put(&mut bytes, parent.unwrap_or_default());
            bytes.extend_from_slice(&(parts.len() as u32).to_le_bytes());
            for part in parts {
                bytes.extend_from_slice(&(part.rings().count() as u32).to_le_bytes());
                for ring in part.rings() {
                    bytes.extend_from_slice(&(ring.len() as u32).to_le_bytes());
                    for Position { lon_e9, lat_e9 } in ring {
                        bytes.extend_from_slice(&lon_e9.to_le_bytes());
                        bytes.extend_from_slice(&lat_e9.to_le_bytes());
                    }
                }
            }
            hash.update(&bytes);
            bytes.clear();
        }
        city_model::hex(&hash.finalize()[..6]).into()
    }
}

/// A text with its length before it, so that two neighbours cannot trade letters.
fn put(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}
