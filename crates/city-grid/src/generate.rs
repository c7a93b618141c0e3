//! A synthetic grid like Songjiang's: real codes and names of district and towns, everything below made up.
//!
//! Seamless by construction: a piece of ground is cut in two along one line of points, which both sides keep, and a point
//! that is put on a border belongs to everybody along it, at every level.

mod cutter;
mod dice;
mod lattice;
mod mesh;
mod names;
mod places;
mod write;

use city_model::{Name, Position};

use crate::Crs;
use crate::ground::{Ground, Part};
use crate::layer::{Draft, Layer, LayerConfig, LevelConfig};
use crate::ring::Ring;
use dice::Dice;
pub use lattice::{GeneratedCells, lattice};
use mesh::{Item, Mesh};
use places::{TOWNS, Town as Place};

/// The levels of a generated grid, widest first.
pub const LEVELS: [&str; 4] = ["district", "town", "village", "duty_cell"];

/// The district's code (GB/T 2260).
const DISTRICT: (&str, &str) = ("310117", "松江区");

/// How large a grid to make. The ground is the same: more cells are smaller ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridSpec {
    /// Villages and residents' committees, from 18 (one a town) to 7,182 (399 a town, as many as there are codes).
    pub villages: usize,
    /// Duty cells, from one to 999 a village.
    pub duty_cells: usize,
}

impl Default for GridSpec {
    /// Songjiang's own numbers: 304 villages, 1,322 duty cells.
    fn default() -> GridSpec {
        GridSpec {
            villages: 304,
            duty_cells: 1_322,
        }
    }
}

/// A town, for those who simulate what happens in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Town {
    /// Its code (GB/T 10114).
    pub code: Name,
    /// Its name.
    pub name: Name,
    /// Its border, not closed. One ring.
    pub rings: Vec<Vec<Position>>,
    /// A point well inside.
    pub centre: Position,
    /// Villages and residents' committees in it.
    pub villages: usize,
    /// Duty cells in it.
    pub duty_cells: usize,
}

/// A generated grid, before it is a layer or files.
#[derive(Debug, Clone)]
pub struct GeneratedGrid {
    drafts: [Vec<Draft>; 4],
    towns: Vec<Town>,
}

/// The built-in grid: layer `duty` with four levels, generated from seed 1. Takes about 20 ms; keep it.
pub fn builtin() -> Layer {
    generate(&GridSpec::default(), 1).into_layer("duty")
}

/// Makes a grid. The same seed gives the same grid on every machine. Numbers out of range are brought into it.
pub fn generate(spec: &GridSpec, seed: u64) -> GeneratedGrid {
    let mut dice = Dice::new(seed);
    let villages_max = TOWNS.len() * places::VILLAGES_MAX;
    let villages = spec.villages.clamp(TOWNS.len(), villages_max);
    let duty_cells = spec.duty_cells.clamp(villages, villages * places::CELLS_MAX);

    let plans = places::plan(villages, duty_cells, &mut dice);
    let mut mesh = Mesh::new();
    let outline = mesh.outline(&mut dice);
    let items = TOWNS.iter().enumerate().map(Place::item).collect();
    let mut towns = mesh.divide(outline.clone(), items, &mut dice);
    towns.sort_by_key(|(town, _)| *town);

    let mut grounds: [Vec<(Draft, Vec<u32>)>; 4] = Default::default();
    grounds[0].push((draft(DISTRICT.0, DISTRICT.1, None), outline));
    let mut head = 0;
    for ((town, ring), plan) in towns.into_iter().zip(&plans) {
        let place = &TOWNS[town];
        let items = items_of(plan.iter().map(|village| village.area));
        let mut villages = mesh.divide(ring.clone(), items, &mut dice);
        villages.sort_by_key(|(village, _)| *village);
        grounds[1].push((draft(place.code, place.name, Some(DISTRICT.0)), ring));
        for ((_, ring), village) in villages.into_iter().zip(plan) {
            let items = items_of((0..village.cells).map(|_| dice.log_normal(0.5)));
            let mut cells = mesh.divide(ring.clone(), items, &mut dice);
            cells.sort_by_key(|(cell, _)| *cell);
            grounds[2].push((draft(&village.code, &village.name, Some(place.code)), ring));
            for (cell, ring) in cells {
                head += 1;
                let number = cell + 1;
                let code = format!("{}{number:03}", village.code);
                let name = format!("{}第{number}网格", village.name);
                let mut cell = draft(&code, &name, Some(&village.code));
                cell.unit = Some(format!("网格长{head:04}"));
                grounds[3].push((cell, ring));
            }
        }
    }
    // only now are all points of all borders known
    let drafts = grounds.map(|level| {
        let finish = |(mut draft, ring): (Draft, Vec<u32>)| {
            draft.polygons = vec![vec![mesh.positions(&ring)]];
            draft
        };
        level.into_iter().map(finish).collect::<Vec<Draft>>()
    });
    let towns = describe(&drafts, &plans);
    GeneratedGrid { drafts, towns }
}

fn items_of(weights: impl Iterator<Item = f64>) -> Vec<Item> {
    let item = |(id, weight)| Item {
        id,
        weight,
        place: None,
    };
    weights.enumerate().map(item).collect()
}

fn draft(code: &str, name: &str, parent: Option<&str>) -> Draft {
    Draft {
        code: code.to_owned(),
        name: name.to_owned(),
        parent: parent.map(str::to_owned),
        unit: None,
        polygons: Vec::new(),
    }
}

fn describe(drafts: &[Vec<Draft>; 4], plans: &[Vec<places::Village>]) -> Vec<Town> {
    let town = |(draft, plan): (&Draft, &Vec<places::Village>)| {
        let rings: Vec<Ring> = draft.polygons.iter().flatten().cloned().collect();
        let mut ground = Ground::default();
        ground.push(draft.polygons.clone());
        let inner = ground.parts(0).find_map(Part::inner_point);
        let first = rings.iter().flatten().next().copied();
        Some(Town {
            code: draft.code.as_str().into(),
            name: draft.name.as_str().into(),
            centre: inner.map(|(point, _)| point).or(first)?,
            rings,
            villages: plan.len(),
            duty_cells: plan.iter().map(|village| village.cells).sum(),
        })
    };
    drafts[1].iter().zip(plans).filter_map(town).collect()
}

impl GeneratedGrid {
    /// The towns, by code.
    pub fn towns(&self) -> &[Town] {
        &self.towns
    }

    /// The grid as a layer. The same as loading [`GeneratedGrid::geojson`] with [`GeneratedGrid::config`], only faster.
    pub fn into_layer(self, name: &str) -> Layer {
        let levels = LEVELS.into_iter().map(Name::from).zip(self.drafts);
        Layer::assemble(name, levels.collect())
    }

    /// How to read the texts.
    pub fn config(name: &str) -> LayerConfig {
        let level = |(at, level): (usize, &str)| LevelConfig {
            level: level.to_owned(),
            crs: Crs::Wgs84,
            code: "code".to_owned(),
            label: "name".to_owned(),
            parent: (at > 0).then(|| "parent".to_owned()),
            unit: (at == LEVELS.len() - 1).then(|| "unit".to_owned()),
        };
        LayerConfig {
            name: name.to_owned(),
            levels: LEVELS.into_iter().enumerate().map(level).collect(),
        }
    }

    /// Each level's name and its GeoJSON text, widest first.
    pub fn geojson(&self) -> Vec<(&'static str, String)> {
        let levels = LEVELS.into_iter().zip(&self.drafts);
        levels
            .map(|(level, drafts)| (level, write::collection(drafts)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
