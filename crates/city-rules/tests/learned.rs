//! The learned table in a rules file: what it means, and the sentence for each mistake.
#![allow(clippy::unwrap_used)]

use city_model::Channel;
use city_rules::{Rules, Verdict};

const TABLE: &str = r#"[learned]
threshold = -60
distance = [1, 50.5]
gap = ["1h", "3d"]

[learned.kinds]
"Lamp" = { distance = [-30, -50], gap = [0, -9] }
"Crew work" = { never = true }

[learned.pairs."Lamp"]
"Lamp out" = { distance = [-40, -70], gap = [0, -9] }

[learned.channels.hotline]
inspector = -5

[kinds]
"Lamp" = { merges_with = ["Lamp out"] }
"Lamp out" = {}
"Crew work" = {}
"#;

fn load(text: &str) -> Result<Rules, String> {
    Rules::load(&[("learned.toml".to_owned(), text.to_owned())]).map_err(|error| error.to_string())
}

#[test]
fn a_table_is_read_as_it_stands() {
    let rules = load(TABLE).unwrap();
    let id = |name: &str| rules.kind_id(name).unwrap();
    let weigh = |kinds: (&str, &str), metres: i64, hours: i64, witness| {
        let table = rules.learned().unwrap();
        let kinds = (id(kinds.0), id(kinds.1));
        table.weigh(
            kinds,
            metres * 1_000,
            hours * 3_600_000,
            Channel::Hotline,
            [witness].into_iter(),
        )
    };
    let hotline = Channel::Hotline;
    assert_eq!(
        weigh(("Lamp", "Lamp"), 50, 72, hotline),
        Some(Verdict::Joins(-59))
    );
    assert_eq!(
        weigh(("Lamp", "Lamp"), 50, 72, Channel::Inspector),
        Some(Verdict::TooFew)
    );
    assert_eq!(
        weigh(("Lamp out", "Lamp"), 1, 1, hotline),
        Some(Verdict::Joins(-40))
    );
    assert_eq!(weigh(("Lamp out", "Lamp"), 2, 1, hotline), Some(Verdict::TooFew));
    assert_eq!(
        weigh(("Crew work", "Crew work"), 0, 0, hotline),
        Some(Verdict::Never)
    );
    assert_eq!(
        weigh(("Lamp out", "Lamp out"), 0, 0, hotline),
        None,
        "has no row: the plain rule"
    );
    assert_eq!(
        Rules::from_text(&rules.to_text()).unwrap().learned(),
        rules.learned()
    );
}

#[test]
fn a_later_file_overrules_one_row() {
    let over = "[learned.kinds.\"Lamp\"]\nnever = true\ndistance = []\ngap = []\n";
    let files = [("a.toml", TABLE), ("b.toml", over)];
    let rules = Rules::load(&files.map(|(name, text)| (name.to_owned(), text.to_owned()))).unwrap();
    let lamp = rules.kind_id("Lamp").unwrap();
    let verdict = rules
        .learned()
        .unwrap()
        .weigh((lamp, lamp), 0, 0, Channel::Web, [].into_iter());
    assert_eq!(verdict, Some(Verdict::Never));
}

#[test]
fn a_table_with_its_own_bands_stands_alone() {
    let again = r#"[learned]
threshold = -40
distance = [5, 20, 80]
gap = ["2h", "1d"]

[learned.kinds]
"Crew work" = { distance = [-10, -20, -30], gap = [0, -9] }

[learned.pairs."Lamp out"]
"Lamp" = { distance = [-10, -20, -30], gap = [0, -9] }
"#;
    let later = "[learned]\nthreshold = -35\n";
    let files = [("a.toml", TABLE), ("b.toml", again), ("c.toml", later)];
    let rules = Rules::load(&files.map(|(name, text)| (name.to_owned(), text.to_owned()))).unwrap();
    let [lamp, out, crew] = ["Lamp", "Lamp out", "Crew work"].map(|name| rules.kind_id(name).unwrap());
    let table = rules.learned().unwrap();
    assert_eq!(table.distances_mm(), [5_000, 20_000, 80_000]);
    assert_eq!(table.row(lamp, lamp), None, "its points were for other bands");
    assert_eq!(
        table.channel_points(Channel::Hotline, Channel::Inspector),
        0,
        "so were these"
    );
    assert_eq!(table.reach(crew, crew), Some((80_000, 86_400_000)));
    assert_eq!(table.reach(out, lamp), Some((80_000, 86_400_000)));
    assert_eq!(
        table.threshold(),
        -35,
        "without bands of its own a table lies on top"
    );
}

#[test]
fn mistakes_are_told_with_their_line_and_the_nearest_name() {
    for (old, new, told) in [
        (
            "threshold = -60",
            "treshold = -60",
            "learned.toml:2: unknown key \"treshold\" in [learned]; the nearest valid key is \"threshold\"",
        ),
        (
            "\"Lamp\" = { distance",
            "\"Lampe\" = { distance",
            "learned.toml:7: unknown kind \"Lampe\"; the nearest valid kind is \"Lamp\"",
        ),
        (
            "[0, -9] }\n\"Crew",
            "[0] }\n\"Crew",
            "learned.kinds.\"Lamp\": 2 numbers of points by distance and 2 by gap are needed, not 2 and 1",
        ),
        (
            "[1, 50.5]",
            "[50, 1]",
            "learned.distance needs 1 to 64 bands above 0, each wider than the one before",
        ),
        (
            "merges_with = [\"Lamp out\"]",
            "radius = 9",
            "Lamp and Lamp out have points but do not merge",
        ),
        (
            "never = true",
            "never = true, gap = [1, 2]",
            "what never merges has no points",
        ),
        ("inspector = -5", "inspektor = -5", "inspector"),
        (
            "inspector = -5",
            "inspector = -10001",
            "learned.toml:14: learned.channels.hotline.inspector: points lie between -10000 and 10000",
        ),
        (
            "inspector = -5",
            "inspector = 10_001",
            "learned.toml:13: learned.channels.hotline.inspector: points lie between -10000 and 10000",
        ),
    ] {
        let text = TABLE.replacen(old, new, 1);
        assert_ne!(text, TABLE, "{old}");
        let error = load(&text).unwrap_err();
        assert!(error.contains(told), "{error}\nis not\n{told}");
    }
}
