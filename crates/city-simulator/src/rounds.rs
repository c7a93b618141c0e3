//! Reports by every other channel: inspectors on their rounds, citizens by app and web, the police, the work-order system.

use city_grid::Crs;

use crate::calls::{codes, phone, spelled};
use crate::parameters::*;
use crate::record::{Body, Draft, Report};
use crate::scene::{Happening, Stage};

/// A channel's manners.
struct Desk {
    channel: &'static str,
    source_system: &'static str,
    crs: Crs,
    error_m: f64,
    /// Share of its reports that have coordinates.
    located: f64,
    /// Minutes from seeing to reporting, at least and at most.
    delay_min: (f64, f64),
}

/// A grid inspector, or the work-order system that passes one's case on.
pub(crate) fn inspector(stage: &mut Stage, happening: &Happening) {
    let desk = if stage.chance.hit(0.15) {
        Desk {
            channel: "upstream",
            source_system: "grid-sh2000",
            crs: Crs::Sh2000,
            error_m: INSPECTOR_ERROR_M,
            located: 1.0,
            delay_min: (2.0, 20.0),
        }
    } else {
        Desk {
            channel: "inspector",
            source_system: "inspector-app",
            crs: Crs::Cgcs2000,
            error_m: INSPECTOR_ERROR_M,
            located: 1.0,
            delay_min: (0.2, 4.0),
        }
    };
    report(stage, happening, &desk);
}

/// A citizen by the app, who stands there, or by the web, who remembers it.
pub(crate) fn citizen(stage: &mut Stage, happening: &Happening) {
    let desk = if stage.chance.hit(0.7) {
        Desk {
            channel: "app",
            source_system: "suishenban",
            crs: Crs::Gcj02,
            error_m: APP_ERROR_M,
            located: 0.95,
            delay_min: (0.2, 8.0),
        }
    } else {
        Desk {
            channel: "web",
            source_system: "web-portal",
            crs: Crs::Gcj02,
            error_m: POI_ERROR_M,
            located: 0.6,
            delay_min: (2.0, 40.0),
        }
    };
    report(stage, happening, &desk);
}

/// What the police pass on.
pub(crate) fn police(stage: &mut Stage, happening: &Happening) {
    let desk = Desk {
        channel: "police",
        source_system: "police-110",
        crs: Crs::Wgs84,
        error_m: INTERSECTION_ERROR_M,
        located: 0.95,
        delay_min: (1.0, 6.0),
    };
    report(stage, happening, &desk);
}

fn report(stage: &mut Stage, happening: &Happening, desk: &Desk) {
    let event_id = stage.id('R');
    let city = stage.city;
    let chance = &mut stage.chance;
    let observed_at = happening.noticed(chance);
    let reported_at = observed_at + chance.minutes(desk.delay_min.0, desk.delay_min.1);
    let spot = happening.seen_at(chance).plus(chance.error(desk.error_m));
    let location = chance.hit(desk.located).then(|| {
        let mut location = city.locate(chance, desk.crs, spot, desk.error_m);
        location.quality = match desk.channel {
            "web" => Some("POI"),
            "police" => Some("INTERSECTION"),
            _ => Some("GNSS"),
        };
        location
    });
    let by_citizen = matches!(desk.channel, "app" | "web");
    let phrase = chance.pick(happening.native.phrases).copied().unwrap_or("");
    let (category, category_code, standard_ref) = if by_citizen && chance.hit(0.5) {
        (&[][..], None, None)
    } else {
        codes(chance, happening.native, false)
    };
    let address = spelled(chance, &city.ground.address(happening.centre, happening.manner));
    let component_id = happening
        .device
        .filter(|_| desk.channel == "inspector" && chance.hit(0.5))
        .and_then(|device| city.registry.devices[device].component.clone());
    let draft = Draft {
        arrival_ms: reported_at,
        key: event_id.clone(),
        event_id: event_id.clone(),
        truth: happening.truth(),
        body: Body::Report(Box::new(Report {
            report_id: event_id.clone(),
            event_id,
            source_system: desk.source_system,
            channel: desk.channel,
            category_code,
            standard_ref,
            category,
            title: phrase.to_owned(),
            content: format!("{address}:{phrase}"),
            observed_at,
            reported_at,
            town_code: match location {
                None => city.town_code(happening.centre),
                Some(_) => None,
            },
            location,
            address: Some(address),
            component_id,
            reporter_phone: by_citizen.then(|| phone(chance)),
        })),
    };
    stage.add(draft);
}
