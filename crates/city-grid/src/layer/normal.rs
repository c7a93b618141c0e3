//! One way to write down a cell's ground, so that formats and exports which order rings otherwise give the same version.

use super::Draft;
use crate::ring::{Ring, twice_area};

impl Draft {
    /// Outer rings run counter-clockwise and holes clockwise, each from its least point on; holes and polygons are sorted.
    pub(crate) fn normalise(&mut self) {
        for polygon in &mut self.polygons {
            for (number, ring) in polygon.iter_mut().enumerate() {
                normalise(ring, number == 0);
            }
            if let Some(holes) = polygon.get_mut(1..) {
                holes.sort_unstable();
            }
        }
        self.polygons.sort_unstable();
    }
}

fn normalise(ring: &mut Ring, counter_clockwise: bool) {
    let area = twice_area(ring);
    if area == 0 {
        // a figure of eight has no direction: the lesser of both
        let mut other = ring.clone();
        other.reverse();
        begin_at_least(&mut other);
        begin_at_least(ring);
        if other < *ring {
            *ring = other;
        }
        return;
    }
    if (area > 0) != counter_clockwise {
        ring.reverse();
    }
    begin_at_least(ring);
}

/// Turns a ring so that its least point comes first; where that is passed twice, so that the ring is least.
fn begin_at_least(ring: &mut Ring) {
    let Some(least) = ring.iter().min().copied() else {
        return;
    };
    let turned = |from: usize| ring[from..].iter().chain(&ring[..from]);
    let begins = (0..ring.len()).filter(|&at| ring[at] == least);
    let best = begins.min_by(|&a, &b| turned(a).cmp(turned(b))).unwrap_or(0);
    ring.rotate_left(best);
}

#[cfg(test)]
mod tests {
    use city_model::Position;

    use super::*;

    fn ring(points: &[(i64, i64)]) -> Ring {
        let position = |&(lon_e9, lat_e9): &(i64, i64)| Position { lon_e9, lat_e9 };
        points.iter().map(position).collect()
    }

    #[test]
    fn a_ring_has_one_form_whatever_its_beginning_and_direction() {
        let shapes = [
            vec![(0, 0), (9, 0), (9, 9), (0, 9)],
            vec![(0, 0), (9, 9), (9, 0), (0, 9)], // a figure of eight
            vec![(5, 5), (9, 1), (9, 9), (5, 5), (1, 9), (1, 1)], // passes its middle twice
            vec![(1, 1), (9, 1), (1, 1), (1, 9), (5, 5)], // passes its least point twice
        ];
        for shape in shapes {
            for counter_clockwise in [true, false] {
                let mut forms = Vec::new();
                for from in 0..shape.len() {
                    let mut turned = shape.clone();
                    turned.rotate_left(from);
                    forms.push(ring(&turned));
                    turned.reverse();
                    forms.push(ring(&turned));
                }
                for form in &mut forms {
                    normalise(form, counter_clockwise);
                }
                forms.dedup();
                assert_eq!(forms.len(), 1, "{forms:?}");
            }
        }
    }
}
