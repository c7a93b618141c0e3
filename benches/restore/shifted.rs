//! A storm again, elsewhere: copies side by side, so that many incidents are open at the same density.

use city_model::{Event, Position};

/// The same event in another copy of its storm.
pub(crate) fn shifted(event: &Event, copy: i64) -> Event {
    let mut event = event.clone();
    for name in [
        &mut event.device,
        &mut event.component,
        &mut event.ticket,
        &mut event.cites,
        &mut event.town,
    ] {
        *name = name.as_deref().map(|text| format!("{copy}-{text}").into());
    }
    event.key.event_id = format!("{copy}-{}", event.key.event_id).into();
    if let Some(located) = &mut event.located {
        let Position { lon_e9, lat_e9 } = located.position;
        located.position = Position {
            lon_e9: lon_e9 + copy % 16 * 1_000_000_000,
            lat_e9: lat_e9 + copy / 16 * 1_000_000_000,
        };
    }
    event
}
