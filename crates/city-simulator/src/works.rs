//! Announced works: a silence over a small square, and the complaints that come all the same and belong to no incident.

use city_grid::Crs;

use crate::calls;
use crate::ground::Spot;
use crate::record::{Body, Draft, Polygon, Silence};
use crate::scene::Stage;

/// Half the side of the square: wide enough that a call with the worst address of an estate still falls in it.
const HALF_M: f64 = 600.0;

/// The announcement, then two to five calls about the noise.
pub(crate) fn announced(stage: &mut Stage) {
    let centre = stage.city.ground.anywhere(&mut stage.chance);
    let start = stage.plan.start;
    let silence_id = stage.id('W');
    let corner = |x: f64, y: f64| {
        let place = Spot {
            x: centre.x + x * HALF_M,
            y: centre.y + y * HALF_M,
        };
        let location = stage.city.write(Crs::Wgs84, place);
        [location.x, location.y]
    };
    let ring = [
        corner(-1.0, -1.0),
        corner(1.0, -1.0),
        corner(1.0, 1.0),
        corner(-1.0, 1.0),
        corner(-1.0, -1.0),
    ];
    let mut happening = stage.happening(0, centre, start + 10 * 60_000);
    happening.end = happening.start + 120 * 60_000;
    stage.add(Draft {
        arrival_ms: start,
        key: silence_id.clone(),
        event_id: silence_id.clone(),
        truth: None,
        body: Body::Silence(Box::new(Silence {
            silence_id,
            kinds: &["noise", "dust"],
            area: Polygon {
                kind: "Polygon",
                coordinates: [ring],
            },
            starts_at: start,
            ends_at: start + 6 * 3_600_000,
            reason: "计划内道路施工",
            created_by: "duty-desk",
            created_at: start,
        })),
    });
    let first = stage.drafts.len();
    for _ in 0..2 + stage.chance.below(4) {
        calls::caller(stage, &happening);
    }
    for draft in &mut stage.drafts[first..] {
        draft.truth = None;
    }
}
