//! Rings of whole nano-degrees: orientation, area and self-crossing, all exact.

use city_model::Position;

/// A closed line of at least three points; the last is joined to the first, which is not repeated.
pub(crate) type Ring = Vec<Position>;

/// The edges of a ring, in its direction.
pub(crate) fn edges(ring: &[Position]) -> impl Iterator<Item = (Position, Position)> + '_ {
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
pub(crate) fn edges_cross(a: Position, b: Position, c: Position, d: Position) -> bool {
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

/// A place where the ring crosses or retraces itself, if there is one.
pub(crate) fn self_crossing(ring: &[Position]) -> Option<Position> {
    let mut by_west: Vec<(Position, Position)> = edges(ring)
        .map(|(a, b)| if a <= b { (a, b) } else { (b, a) })
        .collect();
    by_west.sort_unstable();
    for (at, &(a, b)) in by_west.iter().enumerate() {
        let (south, north) = (a.lat_e9.min(b.lat_e9), a.lat_e9.max(b.lat_e9));
        for &(c, d) in &by_west[at + 1..] {
            if c.lon_e9 > b.lon_e9 {
                break; // and so are all further ones
            }
            let apart = c.lat_e9.max(d.lat_e9) < south || c.lat_e9.min(d.lat_e9) > north;
            if !apart && edges_cross(a, b, c, d) {
                return Some(c);
            }
        }
    }
    None
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
}
