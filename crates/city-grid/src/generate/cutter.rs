//! Straight cuts through a ring, judged by the share of the ground on either side and by their length.

/// A cut ends at least this far from an existing point, in metres, if it can.
const CORNER_M: f64 = 1.0;

/// A straight cut from the edge after corner `from` to the edge after corner `to`, `from` first in the ring.
pub(super) struct Chord {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) start: (f64, f64),
    pub(super) end: (f64, f64),
    /// Whether the corners between `from` and `to` are on the low side.
    pub(super) inner_is_low: bool,
    /// Lower is better.
    pub(super) score: f64,
}

/// Finds chords of a ring, with the areas on both sides at the cost of looking at each corner once.
pub(super) struct Cutter<'a> {
    corners: &'a [(f64, f64)],
    /// Twice the signed area swept from the first corner to each.
    swept: Vec<f64>,
    twice_area: f64,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(corners: &'a [(f64, f64)]) -> Cutter<'a> {
        let mut swept = Vec::with_capacity(corners.len() + 1);
        let mut sum = 0.0;
        for (at, &corner) in corners.iter().enumerate() {
            swept.push(sum);
            sum += wedge(corner, corners[(at + 1) % corners.len()]);
        }
        Cutter {
            corners,
            swept,
            twice_area: sum,
        }
    }

    /// The best chord at right angles to a direction.
    pub(super) fn best_chord(&self, angle: f64, share: f64) -> Option<Chord> {
        const HALVINGS: usize = 9;
        let (cos, sin) = (libm::cos(angle), libm::sin(angle));
        let along: Vec<f64> = self.corners.iter().map(|p| p.0 * cos + p.1 * sin).collect();
        let mut low = along.iter().copied().fold(f64::INFINITY, f64::min);
        let mut high = along.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut best: Option<Chord> = None;
        for _ in 0..HALVINGS {
            let at = (low + high) / 2.0;
            let (chord, got) = self.chord_at(&along, at, (cos, sin), share)?;
            if got < share {
                low = at;
            } else {
                high = at;
            }
            if best.as_ref().is_none_or(|best| chord.score < best.score) {
                best = Some(chord);
            }
        }
        best
    }

    /// The best of the chords on one line, and the share of the ground on its low side.
    fn chord_at(&self, along: &[f64], at: f64, (cos, sin): (f64, f64), share: f64) -> Option<(Chord, f64)> {
        let count = self.corners.len();
        let mut crossings: Vec<(f64, usize, (f64, f64), f64)> = Vec::new();
        for corner in 0..count {
            let next = (corner + 1) % count;
            if (along[corner] < at) == (along[next] < at) {
                continue;
            }
            let part = (at - along[corner]) / (along[next] - along[corner]);
            let (a, b) = (self.corners[corner], self.corners[next]);
            let (dx, dy) = (b.0 - a.0, b.1 - a.1);
            let point = (a.0 + part * dx, a.1 + part * dy);
            let to_corner = part.min(1.0 - part) * libm::sqrt(dx * dx + dy * dy);
            crossings.push((point.1 * cos - point.0 * sin, corner, point, to_corner));
        }
        crossings.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let chords = crossings.chunks_exact(2).map(|pair| {
            let (first, second) = if pair[0].1 < pair[1].1 {
                (pair[0], pair[1])
            } else {
                (pair[1], pair[0])
            };
            let (from, start, to, end) = (first.1, first.2, second.1, second.2);
            let twice = self.swept[to] - self.swept[from + 1]
                + wedge(start, self.corners[from + 1])
                + wedge(self.corners[to], end)
                + wedge(end, start);
            let inner = twice / self.twice_area;
            let inner_is_low = along[from] >= at;
            let got = if inner_is_low { inner } else { 1.0 - inner };
            let length = (pair[1].0 - pair[0].0).abs();
            let crowded = if first.3.min(second.3) < CORNER_M {
                0.5
            } else {
                0.0
            };
            let lopsided = got < share / 3.0 || 1.0 - got < (1.0 - share) / 3.0;
            let score = 2.0 * (got - share).abs()
                + 0.3 * length / libm::sqrt(self.twice_area / 2.0)
                + crowded
                + if lopsided { 10.0 } else { 0.0 };
            let chord = Chord {
                from,
                to,
                start,
                end,
                inner_is_low,
                score,
            };
            (chord, got)
        });
        chords.min_by(|a, b| a.0.score.total_cmp(&b.0.score))
    }
}

pub(super) fn area(corners: &[(f64, f64)]) -> f64 {
    let next = corners.iter().cycle().skip(1);
    let twice: f64 = corners.iter().zip(next).map(|(a, b)| wedge(*a, *b)).sum();
    twice / 2.0
}

fn wedge(a: (f64, f64), b: (f64, f64)) -> f64 {
    a.0 * b.1 - a.1 * b.0
}
