//! The storm's warnings: two signals, raised step by step, lowered and cancelled, for the district and for a neighbour
//! whose warning must not count here.

use crate::Scenario;
use crate::chance::{Chance, Domain};
use crate::city::City;
use crate::record::{Body, Draft, WeatherWarning};
use crate::tempo::Tempo;

/// The district, and the next one to the north-east.
const REGIONS: [&str; 2] = ["310117", "310112"];

/// `(share of the span, severity)`; an empty severity cancels.
const TYPHOON: [(f64, &str); 7] = [
    (0.01, "BLUE"),
    (0.12, "YELLOW"),
    (0.26, "ORANGE"),
    (0.38, "RED"),
    (0.58, "ORANGE"),
    (0.72, "YELLOW"),
    (0.90, ""),
];
const RAINSTORM: [(f64, &str); 6] = [
    (0.08, "BLUE"),
    (0.20, "YELLOW"),
    (0.31, "ORANGE"),
    (0.41, "RED"),
    (0.62, "YELLOW"),
    (0.84, ""),
];

/// All revisions, by arrival. An ordinary day has none.
pub(crate) fn warnings(city: &City, tempo: &Tempo) -> Vec<Draft> {
    let mut drafts = Vec::new();
    if city.scenario == Scenario::Normal {
        return drafts;
    }
    let mut chance = Chance::of(city.seed, Domain::Weather, 0);
    for region in REGIONS {
        for (signal, steps) in [("TYPHOON", &TYPHOON[..]), ("RAINSTORM", &RAINSTORM[..])] {
            let warning_id = format!("QX-{signal}-{region}");
            let mut severity = "BLUE";
            for (step, &(share, next)) in steps.iter().enumerate() {
                // Districts change independently: each a little sooner or later.
                let at = tempo.moment(share + chance.between(0.0, 0.03));
                let cancelled = next.is_empty();
                if !cancelled {
                    severity = next;
                }
                let revision = step as u32 + 1;
                drafts.push(Draft {
                    arrival_ms: at,
                    key: warning_id.clone(),
                    event_id: format!("{warning_id}/{revision}"),
                    truth: None,
                    body: Body::Weather(Box::new(WeatherWarning {
                        warning_id: warning_id.clone(),
                        revision,
                        signal,
                        severity,
                        region_codes: [region],
                        status: if cancelled { "CANCELLED" } else { "ISSUED" },
                        issued_at: at,
                        effective_at: at,
                        expires_at: at + 24 * 3_600_000,
                    })),
                });
            }
        }
    }
    drafts.sort_by_key(|draft| draft.arrival_ms);
    drafts
}
