//! Rings of whole nano-degrees: orientation, area and self-crossing, all exact.

use city_model::Position;

/// A closed line of at least three points; the last is joined to the first, which is not repeated.
pub(crate) type Ring = Vec<Position>;

/// An edge by its ends.
pub(crate) type Edge = (Position, Position);

/// The edges of a ring, in its direction.
pub(crate) fn edges(ring: &[Position]) -> impl Iterator<Item = Edge> + '_ {
    let closing = ring.last().copied().into_iter().zip(ring.first().copied());
    let inner = ring.windows(2).map(|pair| (pair[0], pair[1]));
    inner.chain(closing)
}

/// Positive when `p` is left of the line from `a` to `b`, zero on it.
pub(crate) fn cross(a: Position, b: Position, p: Position) -> i128 {
    let wide = i128::from;
    wide(b.lon_e9 - a.lon_e9) * wide(p.lat_e9 - a.lat_e9)
        - wide(b.lat_e9 - a.lat_e9) * wide(p.lon_e9 - a.lon_e9)
}

/// Twice the enclosed area in square nano-degrees; positive when the ring runs counter-clockwise.
pub(crate) fn twice_area(ring: &[Position]) -> i128 {
    let Some(&origin) = ring.first() else {
        return 0;
    };
    edges(ring).map(|(a, b)| cross(origin, a, b)).sum()
}

/// Whether `p`, which is on the line through `a` and `b`, lies between them.
fn between(a: Position, b: Position, p: Position) -> bool {
    let within = |a: i64, b: i64, p: i64| a.min(b) <= p && p <= a.max(b);
    within(a.lon_e9, b.lon_e9, p.lon_e9) && within(a.lat_e9, b.lat_e9, p.lat_e9)
}

/// Whether two edges cross in a point inside both, or run along each other. Merely touching is no crossing.
pub(crate) fn edges_cross((a, b): Edge, (c, d): Edge) -> bool {
    let (to_c, to_d) = (cross(a, b, c).signum(), cross(a, b, d).signum());
    let (to_a, to_b) = (cross(c, d, a).signum(), cross(c, d, b).signum());
    if to_c == 0 && to_d == 0 {
        let along = [(a, b, c), (a, b, d), (c, d, a), (c, d, b)]
            .into_iter()
            .filter(|&(from, to, p)| between(from, to, p) && p != from && p != to)
            .count();
        return along > 0 || (a == c && b == d) || (a == d && b == c);
    }
    to_c * to_d < 0 && to_a * to_b < 0
}

/// A place where a ring crosses or retraces itself, if there is one.
pub(crate) fn self_crossing(ring: &[Position]) -> Option<Position> {
    let mut found = None;
    meetings(edges(ring).map(|edge| (edge, ())), |(one, ()), (other, ())| {
        if edges_cross(one, other) {
            found = Some(crossing(one, other));
        }
        found.is_none()
    });
    found
}

/// The places where a ring crosses or retraces itself other than by a spike, at most `most` of them.
pub(crate) fn self_crossings(ring: &[Position], most: usize) -> Vec<Position> {
    let mut found = Vec::new();
    let count = ring.len();
    let numbered = edges(ring).enumerate().map(|(at, edge)| (edge, at));
    meetings(numbered, |(one, at), (other, number)| {
        let next_to = (at + 1) % count == number || (number + 1) % count == at;
        if !next_to && edges_cross(one, other) {
            found.push(crossing(one, other));
        }
        found.len() < most
    });
    found.sort_unstable();
    found.dedup();
    found
}

/// An edge from its lesser to its greater end, with whatever it is told with.
pub(crate) type Tagged<T> = (Edge, T);

/// Shows every two edges whose boxes meet, until told to stop.
pub(crate) fn meetings<T: Copy + Ord>(
    edges: impl Iterator<Item = Tagged<T>>,
    mut go_on: impl FnMut(Tagged<T>, Tagged<T>) -> bool,
) {
    let mut by_west: Vec<Tagged<T>> = edges
        .map(|((a, b), tag)| (if a <= b { (a, b) } else { (b, a) }, tag))
        .collect();
    by_west.sort_unstable();
    for (at, &one) in by_west.iter().enumerate() {
        let (a, b) = one.0;
        let (south, north) = (a.lat_e9.min(b.lat_e9), a.lat_e9.max(b.lat_e9));
        for &other in &by_west[at + 1..] {
            let (c, d) = other.0;
            if c.lon_e9 > b.lon_e9 {
                break; // and so are all further ones
            }
            let apart = c.lat_e9.max(d.lat_e9) < south || c.lat_e9.min(d.lat_e9) > north;
            if !apart && !go_on(one, other) {
                return;
            }
        }
    }
}

/// The place where two edges cross; for edges that run along each other, one of their ends that lies on the other.
fn crossing((a, b): Edge, (c, d): Edge) -> Position {
    let (to_c, to_d) = (cross(a, b, c) as f64, cross(a, b, d) as f64);
    if to_c == 0.0 && to_d == 0.0 {
        return c.max(a); // the later of the two western ends
    }
    let along = to_c / (to_c - to_d);
    let between = |from: i64, to: i64| from + libm::round(along * (to - from) as f64) as i64;
    Position {
        lon_e9: between(c.lon_e9, d.lon_e9),
        lat_e9: between(c.lat_e9, d.lat_e9),
    }
}

/// The points to which a ring goes straight and from which it comes straight back.
pub(crate) fn spikes(ring: &[Position]) -> Vec<Position> {
    let mut found = Vec::new();
    for (at, &tip) in ring.iter().enumerate() {
        let before = ring[(at + ring.len() - 1) % ring.len()];
        let after = ring[(at + 1) % ring.len()];
        let wide = |a: i64, b: i64| i128::from(a) * i128::from(b);
        let same_way = wide(before.lon_e9 - tip.lon_e9, after.lon_e9 - tip.lon_e9)
            + wide(before.lat_e9 - tip.lat_e9, after.lat_e9 - tip.lat_e9);
        if cross(before, tip, after) == 0 && same_way > 0 {
            found.push(tip);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(points: &[(i64, i64)]) -> Ring {
        points
            .iter()
            .map(|&(lon_e9, lat_e9)| Position { lon_e9, lat_e9 })
            .collect()
    }

    #[test]
    fn area_is_signed_and_exact() {
        let square = ring(&[(0, 0), (10, 0), (10, 10), (0, 10)]);
        assert_eq!(twice_area(&square), 200);
        let mut clockwise = square;
        clockwise.reverse();
        assert_eq!(twice_area(&clockwise), -200);
        assert_eq!(twice_area(&[]), 0);
    }

    #[test]
    fn crossings_are_found_and_touches_are_not() {
        let cases = [
            (ring(&[(0, 0), (10, 0), (10, 10), (0, 10)]), false),
            (ring(&[(0, 0), (10, 10), (10, 0), (0, 10)]), true), // figure of eight
            (ring(&[(0, 0), (10, 0), (10, 10), (5, 0), (0, 10)]), false), // touches its own base
            (ring(&[(0, 0), (10, 0), (20, 0), (10, 0), (10, 10)]), true), // a spike there and back
            (ring(&[(0, 0), (10, 0), (10, 10), (7, -1), (0, 10)]), true),
        ];
        for (points, want) in cases {
            assert_eq!(self_crossing(&points).is_some(), want, "{points:?}");
        }
    }

    #[test]
    fn a_crossing_is_told_with_its_place_and_a_spike_with_its_tip() {
        let eight = ring(&[(0, 0), (10, 10), (10, 0), (0, 10)]);
        assert_eq!(self_crossings(&eight, 9), ring(&[(5, 5)]));
        assert_eq!(spikes(&eight), []);
        let spike = ring(&[(0, 0), (10, 0), (20, 0), (10, 0), (10, 10)]);
        assert_eq!(spikes(&spike), ring(&[(20, 0)]));
        assert_eq!(
            spikes(&ring(&[(0, 0), (10, 0), (20, 0), (10, 10)])),
            [],
            "straight on"
        );
        let twice = ring(&[(0, 0), (10, 0), (0, 4), (0, 6), (10, 10), (-5, 5)]);
        assert_eq!(self_crossings(&twice, 9).len(), 0, "{twice:?}");
        let comb = ring(&[(0, 0), (4, 8), (8, 0), (12, 8), (16, 0), (16, 4), (0, 4)]);
        assert_eq!(
            self_crossings(&comb, 9),
            ring(&[(2, 4), (6, 4), (10, 4), (14, 4)])
        );
        assert_eq!(self_crossings(&comb, 2).len(), 2);
    }
}
