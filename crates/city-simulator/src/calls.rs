//! The hotline: who calls about a happening, what is typed, how well it is located, how late, and what is wrong with it.

use city_grid::Crs;

use crate::chance::Chance;
use crate::ground::{Manner, Spot};
use crate::native::{CONTACTS, GB_2013, GB_2026, NATIVES, Native};
use crate::parameters::*;
use crate::record::{Body, Draft, HotlineTicket, Location};
use crate::scene::{Happening, Stage};

const SURNAMES: [&str; 16] = [
    "张", "王", "李", "赵", "陈", "杨", "周", "吴", "徐", "孙", "朱", "沈", "顾", "陆", "姚", "金",
];

/// Somebody with a telephone.
struct Person {
    phone: String,
    surname: &'static str,
    title: &'static str,
}

/// A mobile number: 1, 3 to 9, nine digits. Drawn, so it belongs to nobody in particular.
pub(crate) fn phone(chance: &mut Chance) -> String {
    format!("1{}{:09}", 3 + chance.below(7), chance.below(1_000_000_000))
}

fn person(chance: &mut Chance) -> Person {
    Person {
        phone: phone(chance),
        surname: chance.pick(&SURNAMES).copied().unwrap_or("张"),
        title: if chance.hit(0.5) { "先生" } else { "女士" },
    }
}

/// A caller: one ticket, sometimes another, sometimes one that cites the first.
pub(crate) fn caller(stage: &mut Stage, happening: &Happening) {
    let person = person(&mut stage.chance);
    let system = system(&mut stage.chance);
    let called = whole_second(happening.noticed(&mut stage.chance));
    let place = happening.seen_at(&mut stage.chance);
    let (first, typed_at) = ticket(stage, happening, &person, system, called, place, None);
    if stage.chance.hit(CALLS_AGAIN_SHARE) {
        let later = called + whole_second(stage.chance.minutes(10.0, 30.0));
        if later < happening.end {
            self::ticket(stage, happening, &person, system, later, place, None);
        }
    }
    if stage.chance.hit(CITING_SHARE) {
        // A number can be cited when it has been given.
        let later = typed_at + whole_second(stage.chance.minutes(20.0, 140.0));
        self::ticket(stage, happening, &person, system, later, place, Some(&first));
    }
}

fn system(chance: &mut Chance) -> (&'static str, Crs) {
    if chance.hit(0.7) {
        ("12345", Crs::Gcj02)
    } else {
        ("12345-bd09", Crs::Bd09)
    }
}

fn whole_second(ms: i64) -> i64 {
    ms / 1_000 * 1_000
}

/// Types one ticket; returns its number and when it was in the system.
fn ticket(
    stage: &mut Stage,
    happening: &Happening,
    person: &Person,
    (source_system, crs): (&'static str, Crs),
    called_at: i64,
    place: Spot,
    parent: Option<&str>,
) -> (String, i64) {
    let event_id = stage.id('H');
    let ticket_id = format!("GD-{}", &event_id[1..]);
    let city = stage.city;
    let chance = &mut stage.chance;
    let reported_at = typed(chance, called_at, city.weather());
    let (location, manner) = located(stage, happening, crs, place);
    let chance = &mut stage.chance;
    let address = spelled(chance, &city.ground.address(happening.centre, manner));
    let lost = location
        .as_ref()
        .is_none_or(|location| matches!(location.quality, Some("NONE" | "ROAD" | "TOWN")));
    let phrase = chance.pick(happening.native.phrases).copied().unwrap_or("");
    let filed = if chance.hit(WRONG_CATEGORY_SHARE) {
        wrong(chance, happening.native)
    } else {
        happening.native
    };
    let (category, category_code, standard_ref) = codes(chance, filed, source_system == "12345-bd09");
    let mut content = content(chance, person, &address, phrase, parent);
    let about_cars = matches!(happening.native.kind, "parking_motor" | "fire_lane_blocked");
    if about_cars && chance.hit(PLATE_IN_TEXT_SHARE) {
        content.push_str(&format!("车牌沪A{:05}。", chance.below(100_000)));
    }
    let town = city.town_code(happening.centre).unwrap_or_default();
    let draft = Draft {
        arrival_ms: reported_at,
        key: parent.unwrap_or(&ticket_id).to_owned(),
        event_id: event_id.clone(),
        truth: happening.truth(),
        body: Body::Hotline(Box::new(HotlineTicket {
            event_id,
            source_system,
            ticket_id: ticket_id.clone(),
            parent_ticket_id: parent.map(str::to_owned),
            appeal_type: chance.pick(&["求助", "投诉", "举报"]).copied(),
            urgency: chance.pick(&["一般", "一般", "紧急"]).copied(),
            category,
            category_code,
            standard_ref,
            title: phrase.to_owned(),
            content,
            called_at,
            reported_at,
            town_code: (lost || chance.hit(0.7)).then_some(town),
            location,
            address: Some(address),
            reporter_phone: Some(person.phone.clone()),
            reporter_name: Some(format!("{}{}", person.surname, person.title)),
        })),
    };
    stage.add(draft);
    (ticket_id, reported_at)
}

/// When the ticket is in the system: later than the call, in a storm by hours.
fn typed(chance: &mut Chance, called_at: i64, weather: usize) -> i64 {
    let minutes = chance
        .log_normal(TYPING_MEDIAN_MIN[weather], TYPING_SIGMA[weather])
        .min(TYPING_MAX_MIN[weather]);
    called_at + 1_000 * (30 + (minutes * 60.0) as i64)
}

/// The coordinates of a ticket, and the manner of its address.
fn located(stage: &mut Stage, happening: &Happening, crs: Crs, place: Spot) -> (Option<Location>, Manner) {
    let chance = &mut stage.chance;
    let (error_m, quality, manner) = match chance.weighted(HOTLINE_QUALITY_SHARES.into_iter()) {
        0 => (DOOR_ERROR_M, "DOOR", Manner::Door),
        1 => (INTERSECTION_ERROR_M, "INTERSECTION", Manner::Crossing),
        2 => (POI_ERROR_M, "POI", Manner::Estate),
        _ => return (unlocated(stage, crs, place), happening.manner),
    };
    let spot = place.plus(chance.error(error_m));
    let mut location = stage.city.locate(chance, crs, spot, error_m);
    location.quality = Some(quality);
    (Some(location), manner)
}

/// What systems send when they do not know: nothing, zeros, or some point of the road or the town.
fn unlocated(stage: &mut Stage, crs: Crs, place: Spot) -> Option<Location> {
    let chance = &mut stage.chance;
    match chance.below(4) {
        0 | 1 => None,
        2 => Some(Location {
            crs: None,
            x: 0.0,
            y: 0.0,
            accuracy_m: None,
            quality: Some("NONE"),
        }),
        _ => {
            let (spot, quality) = if chance.hit(0.5) {
                (place.plus(chance.error(500.0)), "ROAD")
            } else {
                (stage.city.town_centre(place), "TOWN")
            };
            let mut location = stage.city.write(crs, spot);
            location.quality = Some(quality);
            Some(location)
        }
    }
}

/// An address as somebody types it: with or without the district, full-width digits, a flat at the end.
pub(crate) fn spelled(chance: &mut Chance, address: &str) -> String {
    let mut text = match chance.weighted([0.55, 0.4, 0.05].into_iter()) {
        0 => address.to_owned(),
        1 => format!("松江区{address}"),
        _ => format!("上海市松江区{address}"),
    };
    if chance.hit(FLAT_IN_ADDRESS_SHARE) {
        text.push_str(&format!(
            "{}号{}室",
            1 + chance.below(60),
            101 + 100 * chance.below(6) + chance.below(4)
        ));
    }
    if chance.hit(FULL_WIDTH_SHARE) {
        text = text
            .chars()
            .map(|c| match c {
                '0'..='9' => char::from_u32(u32::from(c) - 0x30 + 0xFF10).unwrap_or(c),
                other => other,
            })
            .collect();
    }
    text
}

/// Some other kind that has a category.
fn wrong(chance: &mut Chance, right: &'static Native) -> &'static Native {
    let start = chance.below(NATIVES.len());
    NATIVES
        .iter()
        .cycle()
        .skip(start)
        .take(NATIVES.len())
        .find(|native| !native.category.is_empty() && native.category != right.category)
        .unwrap_or(right)
}

type Codes = (
    &'static [&'static str],
    Option<&'static str>,
    Option<&'static str>,
);

/// Names, or a code of one of the standards; a system whose configuration names the standard of 2013 may leave it out.
pub(crate) fn codes(chance: &mut Chance, native: &Native, standard_known: bool) -> Codes {
    let drawn = chance.unit();
    match (native.code_2013, native.code_2026) {
        (Some(code), _) if drawn < 0.22 => {
            let omitted = standard_known && chance.hit(0.5);
            (&[], Some(code), (!omitted).then_some(GB_2013))
        }
        (_, Some(code)) if drawn < 0.4 => (&[], Some(code), Some(GB_2026)),
        _ => (native.category, None, None),
    }
}

fn content(
    chance: &mut Chance,
    person: &Person,
    address: &str,
    phrase: &str,
    parent: Option<&str>,
) -> String {
    let who = if chance.hit(NAME_IN_TEXT_SHARE) {
        format!("{}{}", person.surname, person.title)
    } else {
        "市民".to_owned()
    };
    let mut text = match parent {
        Some(parent) => format!("{who}催办:此前工单{parent}反映{address}{phrase},至今未处理。"),
        None => format!("{who}来电反映:{address}附近{phrase},请尽快处理。"),
    };
    if chance.hit(PHONE_IN_TEXT_SHARE) {
        text.push_str(&format!("联系电话{}。", person.phone));
    }
    text
}

/// A contact that reports nothing at a place.
pub(crate) fn contact(stage: &mut Stage) {
    let person = person(&mut stage.chance);
    let (source_system, _) = system(&mut stage.chance);
    let event_id = stage.id('H');
    let called_at = whole_second(stage.plan.start) + 1_000;
    let reported_at = typed(&mut stage.chance, called_at, stage.city.weather());
    let Some(&(appeal_type, title, content)) = stage.chance.pick(CONTACTS) else {
        return;
    };
    let ticket_id = format!("GD-{}", &event_id[1..]);
    stage.add(Draft {
        arrival_ms: reported_at,
        key: ticket_id.clone(),
        event_id: event_id.clone(),
        truth: None,
        body: Body::Hotline(Box::new(HotlineTicket {
            event_id,
            source_system,
            ticket_id,
            parent_ticket_id: None,
            appeal_type: Some(appeal_type),
            urgency: Some("一般"),
            category: &[],
            category_code: None,
            standard_ref: None,
            title: title.to_owned(),
            content: content.to_owned(),
            called_at,
            reported_at,
            location: None,
            address: None,
            town_code: None,
            reporter_phone: Some(person.phone),
            reporter_name: Some(format!("{}{}", person.surname, person.title)),
        })),
    });
}
