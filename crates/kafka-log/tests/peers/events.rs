//! Events for the job: some thousand reports of some hundred troubles over hours, out of order as the job allows.

/// The first kinds of the job: their places are their numbers.
pub const KINDS: [&str; 5] = [
    "road_ponding",
    "manhole_missing",
    "fire_smoke",
    "gas_leak",
    "garbage_exposed",
];

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: String,
    /// In [`KINDS`].
    pub kind: usize,
    /// East and north in micro-degrees.
    pub place: (i64, i64),
    pub time: i64,
    reported: i64,
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound.unsigned_abs()) as i64
    }
}

/// So many events on two square kilometres within three hours, in the order in which they were reported.
pub fn events(count: usize) -> Vec<Event> {
    let mut random = Random(5);
    let mut events = Vec::new();
    while events.len() < count {
        let begins = 1_790_000_000_000 + random.below(3 * 3_600_000);
        let kind = usize::try_from(random.below(KINDS.len() as i64)).unwrap();
        let centre = (
            121_010_000 + random.below(15_000),
            31_010_000 + random.below(13_000),
        );
        for _ in 0..=random.below(11) {
            let time = begins + random.below(1_800_000);
            let mut off = |centre: i64| centre + random.below(600) - 300;
            events.push(Event {
                id: String::new(),
                kind,
                place: (off(centre.0), off(centre.1)),
                time,
                reported: time + random.below(60_000),
            });
        }
    }
    events.truncate(count);
    events.sort_by_key(|event| event.reported);
    for (number, event) in events.iter_mut().enumerate() {
        event.id = format!("e{number:07}");
    }
    events
}

impl Event {
    /// As a record; some are written in another way than most.
    pub fn json(&self) -> String {
        let (lon, lat) = self.place;
        let text = if self.time % 7 == 0 {
            r"water \u2014 rising"
        } else {
            "water rising"
        };
        let blank = if self.time % 11 == 0 { " " } else { "" };
        format!(
            r#"{{{blank}"event_id":"{}","source":"hotline","kind":"{}","lon":{}.{:06},"lat":{}.{:06},"event_time":{},"reported_at":{},"accuracy_m":9,"text":"{text}"}}"#,
            self.id,
            KINDS[self.kind],
            lon / 1_000_000,
            lon % 1_000_000,
            lat / 1_000_000,
            lat % 1_000_000,
            self.time,
            self.reported
        )
    }
}
