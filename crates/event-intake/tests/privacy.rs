//! Scrubbing by a corpus of hard cases, both ways: what is a person's must go, and what the city works with should stay.
#![allow(clippy::unwrap_used)]

use event_intake::privacy::scrub;
use proptest::prelude::*;

/// Of all that should stay, this share may be taken as well, in percent. A leak is never allowed.
const MOST_TAKEN_PERCENT: usize = 2;

struct Case {
    text: &'static str,
    go: Vec<&'static str>,
    stay: Vec<&'static str>,
}

fn corpus() -> Vec<Case> {
    let list = |column: Option<&'static str>| -> Vec<&'static str> {
        let items = column.unwrap_or("").split(';').map(str::trim);
        items.filter(|item| !item.is_empty()).collect()
    };
    let lines = include_str!("privacy/corpus.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .map(|line| {
            let mut columns = line.split('|');
            Case {
                text: columns.next().unwrap().trim(),
                go: list(columns.next()),
                stay: list(columns.next()),
            }
        })
        .collect()
}

/// Signs as `scrub` leaves them.
fn plain(text: &str) -> String {
    let shown = text.chars().filter(|c| *c != '\u{200B}');
    let half = shown.map(|c| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap(),
        c => c,
    });
    half.collect()
}

/// What is left of a secret: itself, or four signs of it in a row that are not elsewhere in the text anyhow.
fn leak(case: &Case, scrubbed: &str) -> Option<String> {
    let rest = case.go.iter().fold(plain(case.text), |text, secret| {
        text.replace(&plain(secret), "\u{1}")
    });
    for secret in &case.go {
        let signs: Vec<char> = plain(secret).chars().collect();
        let length = signs.len().min(4);
        for part in signs.windows(length) {
            let part: String = part.iter().collect();
            if scrubbed.contains(&part) && !rest.contains(&part) {
                return Some(part);
            }
        }
    }
    None
}

#[test]
fn nothing_leaks_and_little_else_is_taken() {
    let cases = corpus();
    assert!(cases.len() >= 450, "{} cases", cases.len());
    let (mut leaks, mut taken, mut wanted) = (Vec::new(), Vec::new(), 0);
    for case in &cases {
        let scrubbed = scrub(case.text);
        if let Some(part) = leak(case, &scrubbed) {
            leaks.push(format!("{} → {scrubbed}: {part}", case.text));
        }
        for item in &case.stay {
            wanted += 1;
            if !scrubbed.contains(&plain(item)) {
                taken.push(format!("{} → {scrubbed}: {item}", case.text));
            }
        }
    }
    println!(
        "{} cases, {} leaks, {} of {wanted} taken too much:\n{}",
        cases.len(),
        leaks.len(),
        taken.len(),
        taken.join("\n")
    );
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    assert!(
        taken.len() * 100 <= wanted * MOST_TAKEN_PERCENT,
        "{} of {wanted} taken:\n{}",
        taken.len(),
        taken.join("\n")
    );
}

#[test]
fn scrubbing_twice_is_scrubbing_once() {
    for case in corpus() {
        let once = scrub(case.text);
        assert_eq!(scrub(&once), once, "{}", case.text);
    }
}

/// A secret, as it is written in many places.
fn secret() -> impl Strategy<Value = String> {
    let phone = (3..=9u8, 0..1_000_000_000u32).prop_map(|(second, rest)| format!("1{second}{rest:09}"));
    let id = (
        prop::sample::select(vec![11u32, 31, 32, 44, 51, 65]),
        0..10_000u32,
        1930..2015u32,
        1..=12u32,
        1..=28u32,
        0..1_000u32,
        prop::sample::select(vec!['0', '5', '9', 'X']),
    )
        .prop_map(|(province, place, year, month, day, serial, check)| {
            format!("{province}{place:04}{year}{month:02}{day:02}{serial:03}{check}")
        });
    let plate = (
        "[沪苏浙皖京粤川新]",
        "[A-HJ-NP-Z]",
        "[A-HJ-NP-Z0-9][0-9]{4}[0-9D]?",
    )
        .prop_map(|(province, office, rest)| format!("{province}{office}{rest}"));
    let parted = phone.clone().prop_map(|phone| {
        let (a, b, c) = (&phone[..3], &phone[3..7], &phone[7..]);
        format!("{a}-{b}-{c}")
    });
    let wide = phone.clone().prop_map(|phone| {
        let wide = phone.chars().map(|c| char::from_u32(c as u32 + 0xFEE0).unwrap());
        wide.collect()
    });
    prop_oneof![phone, id, plate, parted, wide]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_secret_survives_in_any_text(secret in secret(), at in any::<prop::sample::Index>(), place in any::<prop::sample::Index>()) {
        let cases = corpus();
        let text: Vec<char> = at.get(&cases).text.chars().collect();
        let place = place.index(text.len() + 1);
        let (before, after) = text.split_at(place);
        let whole: String = before.iter().collect::<String>() + &secret + &after.iter().collect::<String>();
        let scrubbed = scrub(&whole);
        prop_assert!(!scrubbed.contains(&plain(&secret)), "{whole} → {scrubbed}");
    }

    #[test]
    fn any_text_is_scrubbed_once_for_all(text in "[0-9一三八室楼号弄张王先生女士老小姓A-C沪@. -]{0,40}|\\PC{0,40}") {
        let once = scrub(&text);
        prop_assert_eq!(scrub(&once), once);
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test may look at the clock")]
fn no_text_takes_long() {
    // Each a megabyte of what a backtracking or quadratic search would choke on.
    let million = 1_000_000;
    for unit in [
        "1",
        "13",
        "1 3 8 ",
        "沪A1",
        "张",
        "1-",
        "3号楼50",
        "a.",
        "a@",
        "联系人",
        "室",
        "老王",
    ] {
        let text = unit.repeat(million / unit.len());
        let started = std::time::Instant::now();
        scrub(&text);
        let seconds = started.elapsed().as_secs_f64();
        assert!(seconds < 60.0, "{unit}: {seconds} s");
    }
}
