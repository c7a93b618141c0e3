//! The cells of a place in every layer, how sure each is, who is responsible, and who else may be affected.

use std::sync::Arc;

use city_grid::{CellIndex, Layer, Status};
use city_model::{CellRef, Flag, Name, Position, Responsible};

/// How far `also_affects` looks at most, in millimetres.
const ALSO_MOST_MM: i64 = 100_000;
/// Most cells in `also_affects`.
const ALSO_MOST: usize = 8;

/// What the grid says about a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct GridPlace {
    pub(crate) cells: Vec<CellRef>,
    pub(crate) responsible: Option<Responsible>,
    pub(crate) also_affects: Vec<Name>,
    pub(crate) town: Option<Name>,
    pub(crate) flags: Vec<Flag>,
}

/// The cells of a position that is sure to `u_mm`. One that is no place to compare is only told apart down to its town.
pub(crate) fn at(layers: &[Arc<Layer>], position: Position, u_mm: i64, is_place: bool) -> GridPlace {
    let mut place = GridPlace::default();
    for (rank, layer) in layers.iter().enumerate() {
        let located = layer.locate(position);
        let owns = rank == 0;
        match located.status {
            Status::Inside => {}
            Status::Snapped if owns => place.flags.push(Flag::Snapped),
            Status::Outside if owns => place.flags.push(Flag::OutsideGrid),
            Status::Snapped | Status::Outside => {}
        }
        let whole = located.path(layer);
        let path = if is_place {
            &whole[..]
        } else {
            down_to_town(layer, &whole)
        };
        let mut sure = None;
        let mut found = Vec::with_capacity(path.len());
        // A wider cell's border is at least as far away as that of the cell in it.
        for index in path.iter().rev() {
            let border_mm = match sure {
                Some(border_mm) => border_mm,
                None => i64::try_from(layer.border_distance_mm(*index, position)).unwrap_or(i64::MAX),
            };
            if found.is_empty() && owns {
                place.responsible = Some(responsible(layer, *index, border_mm));
            }
            if border_mm >= 2 * u_mm {
                sure = Some(border_mm);
            }
            let signed = if located.status == Status::Snapped {
                -border_mm
            } else {
                border_mm
            };
            found.push(cell_ref(layer, *index, confidence(signed, u_mm)));
        }
        place.cells.extend(found.into_iter().rev());
        place.town = place.town.or_else(|| town_of(layer, &whole));
        if owns && is_place {
            let radius_mm = u_mm.clamp(0, ALSO_MOST_MM) as u64;
            let own = located.cell();
            let others = layer
                .near(position, radius_mm)
                .into_iter()
                .filter(|cell| Some(*cell) != own);
            place.also_affects = others
                .take(ALSO_MOST)
                .map(|cell| Name::clone(&layer.cell(cell).code))
                .collect();
        }
    }
    place
}

/// The cells of a town that is known by its code alone.
pub(crate) fn of_town(layers: &[Arc<Layer>], code: &str) -> GridPlace {
    let mut place = GridPlace {
        town: Some(code.into()),
        ..GridPlace::default()
    };
    let Some((layer, index)) = layers.first().and_then(|layer| Some((layer, layer.find(code)?))) else {
        return place;
    };
    let mut path = Vec::new();
    let mut at = Some(index);
    while let Some(index) = at {
        path.push(index);
        at = layer.cell(index).parent; // one level wider, so this ends
    }
    place.cells = path
        .iter()
        .rev()
        .map(|index| cell_ref(layer, *index, 1_000))
        .collect();
    place.responsible = Some(responsible(layer, index, 0));
    place
}

/// The part of a path that is no finer than a town; the widest cell where no level is called so.
fn down_to_town<'a>(layer: &Layer, path: &'a [CellIndex]) -> &'a [CellIndex] {
    let is_wide = |index: &CellIndex| matches!(&*layer.cell(*index).level, "district" | "town");
    let wide = path.iter().take_while(|index| is_wide(index)).count();
    &path[..wide.max(1).min(path.len())]
}

fn town_of(layer: &Layer, path: &[CellIndex]) -> Option<Name> {
    let town = path
        .iter()
        .map(|index| layer.cell(*index))
        .find(|cell| &*cell.level == "town")?;
    Some(Name::clone(&town.code))
}

fn cell_ref(layer: &Layer, index: CellIndex, confidence: u16) -> CellRef {
    let cell = layer.cell(index);
    CellRef {
        layer: Name::clone(layer.name()),
        level: Name::clone(&cell.level),
        code: Name::clone(&cell.code),
        name: Name::clone(&cell.name),
        version: Name::clone(layer.version()),
        confidence,
    }
}

fn responsible(layer: &Layer, index: CellIndex, border_mm: i64) -> Responsible {
    let cell = layer.cell(index);
    let mut unit = cell.unit.clone();
    let mut above = cell.parent;
    while let (None, Some(index)) = (&unit, above) {
        unit = layer.cell(index).unit.clone();
        above = layer.cell(index).parent;
    }
    Responsible {
        layer: Name::clone(layer.name()),
        code: Name::clone(&cell.code),
        name: Name::clone(&cell.name),
        unit,
        border_mm,
    }
}

/// How likely the true place is on this side of a straight border, in thousandths: Φ(d/u), and beyond two sigma sure.
/// A negative distance is beyond the border.
fn confidence(border_mm: i64, u_mm: i64) -> u16 {
    let u_mm = u_mm.max(1);
    if border_mm >= u_mm.saturating_mul(2) {
        return 1_000;
    }
    let z = border_mm as f64 / u_mm as f64;
    let share = 0.5 * (1.0 + libm::erf(z / core::f64::consts::SQRT_2));
    libm::rint(share * 1_000.0) as u16 // `as` saturates; the share is within 0 and 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_follows_the_normal_distribution() {
        // Φ(0), Φ(0.5), Φ(1), Φ(-1) from the table of the normal distribution.
        for (border_mm, expected) in [
            (0, 500),
            (2_500, 691),
            (5_000, 841),
            (10_000, 1_000),
            (-5_000, 159),
        ] {
            assert_eq!(confidence(border_mm, 5_000), expected);
        }
        assert_eq!(confidence(i64::MIN, 0), 0);
        assert_eq!(confidence(0, i64::MAX), 500);
    }

    #[test]
    fn a_place_has_its_path_and_neighbours_near_the_border() {
        let layers = [Arc::new(city_grid::builtin())];
        let layer = &layers[0];
        let (finest, _) = layer.cells(layer.levels().len() - 1).next().unwrap();
        let inner = layer.inner_point(finest).unwrap();
        let sure = at(&layers, inner, 1_000, true);
        assert_eq!(sure.cells.len(), layer.levels().len());
        assert_eq!(
            sure.cells.last().map(|cell| &cell.code),
            Some(&layer.cell(finest).code)
        );
        assert!(
            sure.cells.iter().all(|cell| cell.confidence == 1_000),
            "{:?}",
            sure.cells
        );
        assert_eq!(
            sure.responsible.as_ref().map(|r| &r.code),
            Some(&layer.cell(finest).code)
        );
        assert_eq!((sure.also_affects.len(), sure.flags.len()), (0, 0));

        let vague = at(&layers, inner, 5_000_000, true);
        assert!(vague.cells.last().unwrap().confidence < 1_000);

        let town = at(&layers, inner, 500_000, false);
        assert_eq!(town.responsible.map(|r| r.code), town.town);
        let named = of_town(&layers, town.town.as_deref().unwrap());
        assert_eq!(named.responsible.map(|r| r.code), town.town);

        let away = at(&layers, Position::from_degrees(10.0, 10.0).unwrap(), 5_000, true);
        assert_eq!((away.cells.len(), away.flags), (0, vec![Flag::OutsideGrid]));
    }

    #[test]
    fn a_place_on_a_border_affects_the_other_side() {
        let layers = [Arc::new(city_grid::builtin())];
        let layer = &layers[0];
        let corner = layer
            .cells(layer.levels().len() - 1)
            .flat_map(|(cell, _)| {
                layer
                    .polygons(cell)
                    .flat_map(|p| p.flatten())
                    .copied()
                    .collect::<Vec<_>>()
            })
            .find(|position| layer.near(*position, 100).len() > 1)
            .unwrap();
        let place = at(&layers, corner, 5_000, true);
        assert!(!place.also_affects.is_empty() && place.also_affects.len() <= ALSO_MOST);
        assert_eq!(place.cells.last().unwrap().confidence, 500);
        assert!(!place.also_affects.contains(&place.cells.last().unwrap().code));
    }
}
