//! The cells of a place in every layer, how sure each is, who is responsible, and who else may be affected.

use city_grid::{CellIndex, Layer, Share, Status, Timeline};
use city_model::{CellRef, EventTime, Flag, Name, OtherCell, Position, Responsible};

/// A border so many sigmas away counts for none (a proposal: 2.3 % of a normal distribution lie beyond it).
const SURE_SIGMAS: i64 = 2;
/// Most finest cells in `also_affects`.
const ALSO_MOST: usize = 8;
/// Most other cells of a layer.
const OTHERS_MOST: usize = 4;

/// What the grid says about a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct GridPlace {
    pub(crate) cells: Vec<CellRef>,
    pub(crate) responsible: Option<Responsible>,
    pub(crate) other_cells: Vec<OtherCell>,
    pub(crate) also_affects: Vec<Name>,
    pub(crate) town: Option<Name>,
    pub(crate) flags: Vec<Flag>,
    /// How it relates to each layer, in their order; nothing where there is no position.
    pub(crate) statuses: Vec<Status>,
}

/// The cells that a position, sure to `u_mm`, had at a moment. One that is no place to compare is only told apart down to
/// its town.
pub(crate) fn at(
    layers: &[Timeline],
    moment: EventTime,
    position: Position,
    u_mm: i64,
    is_place: bool,
) -> GridPlace {
    let mut place = GridPlace::default();
    for (rank, layer) in layers.iter().enumerate() {
        let layer = layer.at(moment);
        let located = layer.locate(position);
        place.statuses.push(located.status);
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
        place.town = place.town.or_else(|| town_of(layer, &whole));
        let Some(finest) = path.last() else {
            continue;
        };
        let border_mm = i64::try_from(layer.border_distance_mm(*finest, position)).unwrap_or(i64::MAX);
        if owns {
            place.responsible = Some(responsible(layer, *finest, border_mm));
        }
        // A wider cell's border is at least as far away as that of the cell in it.
        let is_sure = located.status == Status::Inside && border_mm >= SURE_SIGMAS * u_mm;
        let shares = if is_sure {
            Vec::new()
        } else {
            layer.shares(position, u_mm)
        };
        let paths: Vec<Vec<CellIndex>> = shares.iter().map(|share| layer.path(share.cell)).collect();
        let confidence = |index: &CellIndex| match is_sure {
            true => 1_000,
            false => share_of(&shares, &paths, *index),
        };
        place.cells.extend(
            path.iter()
                .map(|index| cell_ref(layer, *index, confidence(index))),
        );
        if is_place {
            let others: Vec<&Share> = shares
                .iter()
                .filter(|share| Some(share.cell) != located.cell())
                .collect();
            if owns {
                place.also_affects = affected(layer, &others, place.town.as_ref());
            }
            let other = |share: &&Share| OtherCell {
                layer: Name::clone(layer.name()),
                code: Name::clone(&layer.cell(share.cell).code),
                weight: share.thousandths,
            };
            place
                .other_cells
                .extend(others.iter().take(OTHERS_MOST).map(other));
        }
    }
    place
}

/// How much of the shares, each with its path, lies in a cell, of whatever level.
fn share_of(shares: &[Share], paths: &[Vec<CellIndex>], index: CellIndex) -> u16 {
    let within = shares.iter().zip(paths).filter(|(_, path)| path.contains(&index));
    within.map(|(share, _)| share.thousandths).sum::<u16>().min(1_000)
}

/// The likeliest of the other cells, and the towns that they are in, if that is another one: its centre watches its own code.
fn affected(layer: &Layer, others: &[&Share], town: Option<&Name>) -> Vec<Name> {
    let others = &others[..others.len().min(ALSO_MOST)];
    let mut codes: Vec<Name> = others
        .iter()
        .map(|share| Name::clone(&layer.cell(share.cell).code))
        .collect();
    for share in others {
        let other = town_of(layer, &layer.path(share.cell));
        codes.extend(other.filter(|code| Some(code) != town && !codes.contains(code)));
    }
    codes
}

/// The cells that a town had at a moment, which is known by its code alone.
pub(crate) fn of_town(layers: &[Timeline], moment: EventTime, code: &str) -> GridPlace {
    let mut place = GridPlace {
        town: Some(code.into()),
        ..GridPlace::default()
    };
    let first = layers.first().map(|layer| layer.at(moment));
    let Some((layer, index)) = first.and_then(|layer| Some((layer, layer.find(code)?))) else {
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

/// Whether the first layer has a cell of this code at a moment.
pub(crate) fn is_known(layers: &[Timeline], moment: EventTime, code: &str) -> bool {
    let first = layers.first().map(|layer| layer.at(moment));
    first.is_some_and(|layer| layer.find(code).is_some())
}

/// Whether a position, sure to `u_mm`, may lie in a cell of the first layer as it was at a moment.
pub(crate) fn may_be_in(
    layers: &[Timeline],
    moment: EventTime,
    position: Position,
    u_mm: i64,
    code: &str,
) -> bool {
    let Some(layer) = layers.first().map(|layer| layer.at(moment)) else {
        return false;
    };
    let is_of = |path: &[CellIndex]| path.iter().any(|index| &*layer.cell(*index).code == code);
    let located = layer.locate(position);
    is_of(&located.path(layer))
        || layer
            .shares(position, u_mm)
            .iter()
            .any(|share| is_of(&layer.path(share.cell)))
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: EventTime = EventTime::from_millis(1_782_835_200_000);

    #[test]
    fn a_place_has_its_path_and_neighbours_near_the_border() {
        let layers = [Timeline::from(city_grid::builtin())];
        let layer = layers[0].newest();
        let (finest, _) = layer.cells(layer.levels().len() - 1).next().unwrap();
        let inner = layer.inner_point(finest).unwrap();
        let sure = at(&layers, NOW, inner, 1_000, true);
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

        let vague = at(&layers, NOW, inner, 5_000_000, true);
        assert!(vague.cells.last().unwrap().confidence < 1_000);

        let town = at(&layers, NOW, inner, 500_000, false);
        assert_eq!(town.responsible.map(|r| r.code), town.town);
        let named = of_town(&layers, NOW, town.town.as_deref().unwrap());
        assert_eq!(named.responsible.map(|r| r.code), town.town);

        let away = at(
            &layers,
            NOW,
            Position::from_degrees(10.0, 10.0).unwrap(),
            5_000,
            true,
        );
        assert_eq!((away.cells.len(), away.flags), (0, vec![Flag::OutsideGrid]));
    }

    #[test]
    fn a_place_on_a_border_weighs_both_sides() {
        let layers = [Timeline::from(city_grid::builtin())];
        let layer = layers[0].newest();
        // vertices inside the district, each with all cells around it
        let finest = layer.levels().len() - 1;
        let corners = layer
            .cells(finest)
            .flat_map(|(cell, _)| layer.polygons(cell).flatten().flatten());
        let corners: Vec<Position> = corners.copied().step_by(97).take(60).collect();
        let mut towns = 0;
        for corner in corners
            .into_iter()
            .filter(|corner| layer.near(*corner, 100).len() > 1)
        {
            let place = at(&layers, NOW, corner, 5_000, true);
            let own = place.cells.last().unwrap();
            assert!(own.confidence < 1_000, "{own:?}");
            let weights: u32 = place
                .other_cells
                .iter()
                .map(|other| u32::from(other.weight))
                .sum();
            assert!(u32::from(own.confidence) + weights <= 1_010, "{place:?}");
            assert!(
                place
                    .other_cells
                    .iter()
                    .all(|other| other.weight > 0 && other.code != own.code)
            );
            for other in &place.other_cells {
                assert!(place.also_affects.contains(&other.code), "{place:?}");
            }
            // the wider, the surer
            let sures: Vec<u16> = place.cells.iter().map(|cell| cell.confidence).collect();
            assert!(sures.is_sorted_by(|wide, fine| wide >= fine), "{sures:?}");
            let other_towns = place.also_affects.iter().filter(|code| code.len() == 9);
            towns += other_towns
                .inspect(|code| assert_ne!(Some(*code), place.town.as_ref()))
                .count();
        }
        assert!(towns > 0, "some of the corners lie between towns");
    }

    #[test]
    fn eight_metres_from_the_border_the_other_town_is_affected() {
        // 九亭 and 九里亭: DOMAIN 9, scenario 3
        let layers = [Timeline::from(city_grid::builtin())];
        let layer = layers[0].newest();
        let town = |code: &str| layer.find(code).unwrap();
        let (own, other) = (town("310117107"), town("310117006"));
        let shared = |p: &&Position| {
            layer.border_distance_mm(other, **p) == 0 && layer.border_distance_mm(own, **p) == 0
        };
        let border: Vec<Position> = layer
            .polygons(own)
            .flatten()
            .flatten()
            .filter(shared)
            .copied()
            .collect();
        let beside = |from: &Position| {
            let plane = city_model::Plane::at(*from);
            (0..16).map(move |turn| {
                let angle = f64::from(turn) * core::f64::consts::PI / 8.0;
                let (x, y) = (
                    (libm::cos(angle) * 8_500.0) as i64,
                    (libm::sin(angle) * 8_500.0) as i64,
                );
                plane.unproject(city_model::Point { x, y })
            })
        };
        let is_in_own = |p: &Position| layer.locate(*p).path(layer).contains(&own);
        let place = border
            .iter()
            .flat_map(beside)
            .find(|p| is_in_own(p) && (7_500..=8_500).contains(&layer.border_distance_mm(other, *p)));
        let told = at(&layers, NOW, place.unwrap(), 5_000, true);
        assert_eq!(told.town.as_deref(), Some("310117107"));
        assert!(
            told.also_affects.iter().any(|code| &**code == "310117006"),
            "{told:?}"
        );
        assert!(told.responsible.unwrap().border_mm <= 8_500);
    }
}
