//! The job as its definition reads: all incidents of all time in a list, and no index, loop, changelog or cell of ours.

use std::collections::BTreeMap;

use crate::events::{Event, KINDS};

struct Incident {
    id: String,
    kind: usize,
    count: u32,
    first: i64,
    last: i64,
    place: (i64, i64),
}

/// The update that each event causes, by the event's id.
pub fn updates(events: &[Event], cell: impl Fn((i64, i64)) -> String) -> BTreeMap<String, String> {
    let mut incidents: Vec<Incident> = Vec::new();
    let mut updates = BTreeMap::new();
    for event in events {
        let (x, y) = metres(event.place);
        let nearest = incidents
            .iter()
            .enumerate()
            .filter(|(_, incident)| incident.kind == event.kind)
            .map(|(at, incident)| {
                let (ix, iy) = metres(incident.place);
                ((x - ix) * (x - ix) + (y - iy) * (y - iy), &incident.id, at)
            })
            .filter(|(distance, _, at)| {
                let (half_hour, incident) = (1_800_000, &incidents[*at]);
                *distance <= 2_500.0
                    && event.time - incident.last <= half_hour
                    && incident.first - event.time <= half_hour
            })
            .min_by(|a, b| a.partial_cmp(b).unwrap())
            .map(|(.., at)| at);
        let at = nearest.unwrap_or_else(|| {
            incidents.push(Incident {
                id: event.id.replace('e', "i"),
                kind: event.kind,
                count: 0,
                first: event.time,
                last: event.time,
                place: event.place,
            });
            incidents.len() - 1
        });
        let incident = &mut incidents[at];
        incident.count += 1;
        incident.first = incident.first.min(event.time);
        incident.last = incident.last.max(event.time);
        let steps = ((incident.last - incident.first) / 600_000).min(6);
        let priority = 10 * (incident.kind as i64 % 5) + 5 * i64::from(incident.count.min(10)) + steps;
        let (lon, lat) = incident.place;
        let update = format!(
            r#"{{"id":"{}","kind":"{}","count":{},"first_time":{},"last_time":{},"lon":{}.{:06},"lat":{}.{:06},"cell":"{}","priority":{priority},"cause":"{}"}}"#,
            incident.id,
            KINDS[incident.kind],
            incident.count,
            incident.first,
            incident.last,
            lon / 1_000_000,
            lon % 1_000_000,
            lat / 1_000_000,
            lat % 1_000_000,
            cell(event.place),
            event.id
        );
        updates.insert(event.id.clone(), update);
    }
    updates
}

fn metres((lon, lat): (i64, i64)) -> (f64, f64) {
    (
        (lon - 121_000_000) as f64 * 0.095415,
        (lat - 31_000_000) as f64 * 0.11086,
    )
}

/// The cell of the lattice.
pub fn lattice(place: (i64, i64)) -> String {
    let (x, y) = metres(place);
    format!("c{:03}-{:03}", (x / 100.0).floor(), (y / 100.0).floor())
}

/// A polygon's name and corners, in micro-degrees.
pub type Polygon = (&'static str, Vec<(i64, i64)>);

/// The first polygon that holds the place, borders included.
pub fn polygon(polygons: &[Polygon], place: (i64, i64)) -> String {
    let found = polygons.iter().find(|(_, ring)| holds(ring, place));
    found.map_or("none", |(name, _)| name).to_owned()
}

/// By winding, in whole numbers.
fn holds(ring: &[(i64, i64)], (x, y): (i64, i64)) -> bool {
    let mut winding = 0;
    for (at, &(ax, ay)) in ring.iter().enumerate() {
        let (bx, by) = ring[(at + 1) % ring.len()];
        let cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
        let is_beside = (ax.min(bx)..=ax.max(bx)).contains(&x) && (ay.min(by)..=ay.max(by)).contains(&y);
        if cross == 0 && is_beside {
            return true;
        }
        match (ay <= y, by <= y) {
            (true, false) if cross > 0 => winding += 1,
            (false, true) if cross < 0 => winding -= 1,
            _ => {}
        }
    }
    winding != 0
}
