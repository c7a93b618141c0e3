//! Cameras: an alert, its repetition every minute, and its end; also the mistaken ones.

use city_grid::Crs;

use crate::parameters::*;
use crate::record::{Algorithm, Body, Draft, Truth, VideoAlert};
use crate::scene::{Happening, Stage};

/// A camera keeps alarming every minute while it sees the same thing.
const REALARM_MS: i64 = 60_000;

/// The alerts of a camera about a happening.
pub(crate) fn episode(stage: &mut Stage, happening: &Happening, camera: usize) {
    let delay = stage.chance.minutes(0.2, 4.0);
    let repeats = 2 + stage.chance.below(7);
    alerts(stage, happening, camera, happening.start + delay, repeats);
}

/// A reflection taken for water, goods taken for garbage.
pub(crate) fn mistake(stage: &mut Stage) {
    let Some(camera) = stage.plan.camera else {
        return;
    };
    let (near, far) = VIDEO_POLE_DISTANCE_M;
    let distance = stage.chance.between(near, far);
    let spot = stage.city.registry.cameras[camera]
        .spot
        .plus(stage.chance.at_distance(distance));
    let mut happening = stage.happening(0, spot, stage.plan.start);
    happening.name = format!("false-{}", stage.plan.index);
    let repeats = stage.chance.below(3);
    let start = happening.start;
    alerts(stage, &happening, camera, start, repeats);
}

fn alerts(stage: &mut Stage, happening: &Happening, camera: usize, start: i64, repeats: usize) {
    let Some(&(alert_code, code_system)) = stage.chance.pick(happening.native.video) else {
        return;
    };
    let (source_system, vendor) = match code_system {
        "DAHUA" => ("video-dahua", "dahua"),
        "CLASS84" => ("video-chengguan", "chengguan"),
        _ => ("video-gat1400", "gat1400"),
    };
    let pole = stage.city.registry.cameras[camera].clone();
    let location = stage.city.write(Crs::Gcj02, pole.spot);
    let knows_target = stage.chance.hit(0.4);
    let confidence = stage.chance.between(0.55, 0.97);
    for step in 0..=repeats + 1 {
        let last = step == repeats + 1;
        let captured_at = start + step as i64 * REALARM_MS;
        let reported_at = captured_at + 300 + stage.chance.below(2_500) as i64;
        let target_location = knows_target.then(|| {
            let spot = happening.centre.plus(stage.chance.error(VIDEO_TARGET_ERROR_M));
            stage
                .city
                .locate(&mut stage.chance, Crs::Gcj02, spot, VIDEO_TARGET_ERROR_M)
        });
        let wobble = stage.chance.between(-0.03, 0.03);
        let event_id = stage.id('V');
        // The end says that the scene is clear: it reports nothing any more.
        let truth: Option<Truth> = if last { None } else { happening.truth() };
        let draft = Draft {
            arrival_ms: reported_at,
            key: pole.id.clone(),
            event_id: event_id.clone(),
            truth,
            body: Body::Video(Box::new(VideoAlert {
                snapshot_url: format!("https://video.example/{event_id}.jpg"),
                event_id,
                source_system,
                camera_id: pole.id.clone(),
                alert_code,
                code_system,
                confidence: libm::round((confidence + wobble) * 1e3) / 1e3,
                phase: match step {
                    0 => "START",
                    _ if last => "END",
                    _ => "ONGOING",
                },
                captured_at,
                reported_at,
                location: location.clone(),
                target_location,
                algorithm: Algorithm {
                    vendor,
                    name: "street-order",
                    version: "3.2",
                },
            })),
        };
        stage.add(draft);
    }
}
