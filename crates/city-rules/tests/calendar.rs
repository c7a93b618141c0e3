//! Deadlines on the four clocks, and the hours of the day.
#![allow(clippy::unwrap_used)]

use city_model::EventTime;
use city_rules::{Calendar, Clock, Rules};
use proptest::prelude::*;

fn shanghai() -> Calendar {
    Calendar::new(&Rules::builtin(), "Asia/Shanghai").unwrap()
}

fn at(text: &str, zone: &str) -> EventTime {
    let civil: jiff::civil::DateTime = text.parse().unwrap();
    let instant = jiff::tz::TimeZone::get(zone)
        .unwrap()
        .to_timestamp(civil)
        .unwrap();
    EventTime::from_millis(instant.as_millisecond())
}

fn cst(text: &str) -> EventTime {
    at(text, "Asia/Shanghai")
}

#[test]
fn deadlines() {
    let calendar = shanghai();
    let check = |start: &str, amount: i64, clock: Clock, end: &str| {
        assert_eq!(
            calendar.add(cst(start), amount, clock),
            cst(end),
            "{start} + {amount} {clock}"
        );
    };
    check("2026-10-01T23:50", 30, Clock::UrgentHour, "2026-10-02T00:20");
    check("2026-02-27T10:00", 3, Clock::NaturalDay, "2026-03-02T10:00");
    // Wednesday, inside office hours.
    check("2026-09-09T10:00", 240, Clock::WorkHour, "2026-09-09T14:00");
    check("2026-09-09T16:00", 240, Clock::WorkHour, "2026-09-10T11:30");
    check("2026-09-09T07:00", 60, Clock::WorkHour, "2026-09-09T10:00");
    // Friday night over the weekend.
    check("2026-09-11T23:00", 1, Clock::WorkDay, "2026-09-14T17:30");
    check("2026-09-11T15:00", 1, Clock::WorkDay, "2026-09-14T15:00");
    // 2026-09-20 is a Sunday that is worked; 25 to 27 are off.
    check("2026-09-18T10:00", 1, Clock::WorkDay, "2026-09-20T10:00");
    check("2026-09-24T10:00", 1, Clock::WorkDay, "2026-09-28T10:00");
    // National Day: off until the 7th, the 10th is worked.
    check("2026-09-30T10:00", 3, Clock::WorkDay, "2026-10-10T10:00");
    check("2026-09-30T17:30", 30, Clock::WorkHour, "2026-10-08T09:30");
    check("2026-09-09T10:00", 0, Clock::WorkDay, "2026-09-09T10:00");
    check("2026-09-09T10:00", -5, Clock::UrgentHour, "2026-09-09T10:00");
    assert!(calendar.is_work_day(cst("2026-02-14T10:00")) && !calendar.is_work_day(cst("2026-02-23T10:00")));
    assert!(calendar.knows_year(cst("2026-02-14T10:00")) && !calendar.knows_year(cst("2028-02-14T10:00")));
}

#[test]
fn hours_of_the_day() {
    let calendar = shanghai();
    let rush = |time: &str| calendar.is_rush(cst(&format!("2026-09-09T{time}")));
    assert_eq!(
        ["06:59", "07:00", "09:29", "09:30", "16:30", "19:30"].map(rush),
        [false, true, true, false, true, false]
    );
    // A Saturday, National Day, a Sunday that is worked.
    let days = ["2026-09-19", "2026-10-01", "2026-09-20"];
    assert_eq!(
        days.map(|day| calendar.is_rush(cst(&format!("{day}T08:00")))),
        [false, false, true]
    );
    let night = |time: &str| calendar.is_night(cst(&format!("2026-09-09T{time}")));
    assert_eq!(
        ["21:59", "22:00", "00:00", "05:59", "06:00"].map(night),
        [false, true, true, true, false]
    );
    assert_eq!(calendar.minute_of_day(cst("2026-09-09T23:59")), 1_439);
    assert_eq!(
        calendar.minute_of_day(EventTime::from_millis(0)),
        480,
        "before the fixed offset as well"
    );
}

#[test]
fn a_zone_with_summer_time() {
    let calendar = Calendar::new(&Rules::builtin(), "America/New_York").unwrap();
    let ny = |text: &str| at(text, "America/New_York");
    assert_eq!(calendar.minute_of_day(ny("2026-07-01T07:30")), 450);
    assert_eq!(calendar.minute_of_day(ny("2026-12-01T07:30")), 450);
    // Clocks went back on 2026-11-01: three calendar days later it is ten again.
    assert_eq!(
        calendar.add(ny("2026-10-30T10:00"), 3, Clock::NaturalDay),
        ny("2026-11-02T10:00")
    );
}

#[test]
fn an_unknown_zone_is_told() {
    let error = Calendar::new(&Rules::builtin(), "Asia/Shangai").unwrap_err();
    assert_eq!(error.nearest.as_deref(), Some("Asia/Shanghai"));
    assert_eq!(error.key.as_deref(), Some("city.timezone"));
}

proptest! {
    #[test]
    fn no_time_makes_it_panic_and_none_goes_back(ms in any::<i64>(), amount in any::<i64>(), clock in 0usize..4) {
        thread_local!(static CALENDAR: Calendar = shanghai());
        CALENDAR.with(|calendar| {
            let start = EventTime::from_millis(ms);
            prop_assert!(calendar.minute_of_day(start) < 1_440);
            let plain = EventTime::from_millis(ms / 4_000_000); // within some 70,000 years
            prop_assert!(calendar.add(plain, amount.rem_euclid(10_000), Clock::ALL[clock]) >= plain);
            let _ = calendar.add(start, amount, Clock::ALL[clock]);
            let _ = calendar.is_rush(start) || calendar.is_night(start) || calendar.knows_year(start);
            Ok(())
        })?;
    }
}
