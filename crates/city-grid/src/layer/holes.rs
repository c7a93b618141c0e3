//! Which ring is a hole in which, by containment alone: shapefiles say it by the rings' direction, and that is often wrong.

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::corner;
use crate::coverage::twice_ground;
use crate::ground::{Ground, Part, Side};
use crate::ring::Ring;

/// Polygons of rings, the outer one first: what lies in an even number of other rings is ground, what lies in an odd one a
/// hole in the smallest of them.
pub(super) fn polygons_of(rings: Vec<Ring>) -> Vec<Vec<Ring>> {
    if rings.len() < 2 {
        return rings.into_iter().map(|ring| vec![ring]).collect();
    }
    let mut ground = Ground::default();
    ground.push(rings.iter().map(|ring| vec![ring.clone()]).collect());
    let parts: Vec<Part<'_>> = ground.parts(0).collect(); // one a ring, as the reader's rings have points
    let areas: Vec<i128> = parts.iter().map(|&part| twice_ground(part)).collect();
    let boxes = parts.iter().enumerate().map(|(at, part)| {
        GeomWithData::new(
            Rectangle::from_corners(corner(part.south_west), corner(part.north_east)),
            at,
        )
    });
    let tree = RTree::bulk_load(boxes.collect());
    // Rings do not cross, so one that has another's inner point and is larger has all of it. Of two equal ones the first
    // counts as the larger: the second is its hole, and nothing is left, which is what even-odd says.
    let is_larger = |a: usize, b: usize| (areas[a], b) > (areas[b], a);
    let around = |at: usize| -> Vec<usize> {
        let Some((inside, _)) = parts[at].inner_point() else {
            return Vec::new();
        };
        let mut around: Vec<usize> = tree
            .locate_in_envelope_intersecting(AABB::from_point(corner(inside)))
            .map(|entry| entry.data)
            .filter(|&other| other != at && is_larger(other, at) && parts[other].side(inside) == Side::Inside)
            .collect();
        around.sort_unstable_by_key(|&other| (areas[other], std::cmp::Reverse(other)));
        around
    };
    let around: Vec<Vec<usize>> = (0..parts.len()).map(around).collect();
    let mut polygons: Vec<Vec<Ring>> = vec![Vec::new(); rings.len()];
    let mut holes: Vec<(usize, Ring)> = Vec::new();
    for (at, ring) in rings.into_iter().enumerate() {
        match around[at].first() {
            Some(&outer) if around[at].len() % 2 == 1 => holes.push((outer, ring)),
            _ => polygons[at].push(ring),
        }
    }
    for (outer, ring) in holes {
        polygons[outer].push(ring);
    }
    polygons.retain(|polygon| !polygon.is_empty());
    polygons
}

#[cfg(test)]
mod tests {
    use city_model::Position;

    use super::*;
    use crate::ground::tests::ground;

    fn square(from: i64, to: i64) -> Ring {
        let at = |lon_e9, lat_e9| Position { lon_e9, lat_e9 };
        vec![at(from, from), at(to, from), at(to, to), at(from, to)]
    }

    #[test]
    fn rings_nest_whatever_their_order_and_direction() {
        let mut rings = vec![
            square(0, 1000),
            square(100, 900), // a hole
            square(200, 400), // an island in it
            square(400, 600), // another one, which touches it
            square(250, 300), // a hole in the island
            square(2000, 3000),
        ];
        let want = [vec![0, 1], vec![2, 4], vec![3], vec![5]];
        let want: Vec<Vec<Ring>> = want
            .iter()
            .map(|polygon| polygon.iter().map(|&ring| rings[ring].clone()).collect())
            .collect();
        for turn in 0..rings.len() {
            let mut found = polygons_of(rings.clone());
            found.sort_unstable();
            assert_eq!(found, want, "{turn}");
            rings.rotate_left(1);
        }
        rings.iter_mut().for_each(|ring| ring.reverse());
        let sizes: Vec<usize> = polygons_of(rings).iter().map(Vec::len).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 6);
        assert_eq!(sizes.len(), 4);
    }

    #[test]
    fn a_ring_that_is_there_twice_leaves_nothing() {
        let polygons = polygons_of(vec![square(0, 1000), square(0, 1000)]);
        assert_eq!(polygons, [[square(0, 1000), square(0, 1000)]]);
        let ground = ground(polygons[0].clone());
        assert_eq!(ground.part(0).side(square(500, 600)[0]), Side::Outside);
    }
}
