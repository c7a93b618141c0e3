//! The table of incidents in the terminal: the most urgent on top, columns that stay straight under Chinese text.
//!
//! Drawing is a pure function of what is shown, the size and the time; `screen` puts it on the terminal.

mod row;
mod screen;

use city_model::{Band, EventTime};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub use row::Row;
pub use screen::{Screen, show};

/// What the table shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    /// Open incidents by band, P1 first.
    pub open: [u64; 4],
    /// Records consumed so far.
    pub events: u64,
    /// Records consumed per second, of late.
    pub events_per_second: f64,
    /// The most urgent incidents, most urgent first.
    pub rows: Vec<Row>,
}

/// The space that the table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns.
    pub width: usize,
    /// Lines; the table takes at most so many.
    pub height: usize,
    /// Whether to colour the bands.
    pub colours: bool,
}

const BOLD: &str = "\x1b[1m";
const RESET: &str = "\x1b[0m";

/// Draws the table, one line break after every line. No line is wider than the terminal.
pub fn render(view: &View, look: &Look, now: EventTime) -> String {
    let columns = Columns::of(look.width);
    let mut lines = vec![
        coloured(look, BOLD, fit(&headline(view), look.width).trim_end().to_owned()),
        coloured(
            look,
            BOLD,
            columns.line(["BAND", "AGE", "KIND", "CELL", "SOURCES", "N", "REASON"]),
        ),
    ];
    // The last line says how many more there are.
    let room = look.height.saturating_sub(lines.len() + 1);
    let shown = &view.rows[..view.rows.len().min(room)];
    for row in shown {
        let kind = format!("{} {}", row.kind_zh, row.kind_en);
        let (age, members, sources) = (
            age(row.opened_at, now),
            row.members.to_string(),
            row.sources.join(","),
        );
        let line = columns.line([
            row.band.as_str(),
            &age,
            &kind,
            &row.cell,
            &sources,
            &members,
            &row.reason,
        ]);
        lines.push(coloured(look, colour_of(row.band), line));
    }
    let more = view.open.iter().sum::<u64>().saturating_sub(shown.len() as u64);
    if more > 0 {
        lines.push(
            fit(&format!("… and {more} more"), look.width)
                .trim_end()
                .to_owned(),
        );
    }
    lines.truncate(look.height);
    lines.into_iter().map(|line| line + "\n").collect()
}

fn headline(view: &View) -> String {
    let bands: Vec<String> = Band::ALL
        .iter()
        .zip(view.open)
        .map(|(band, open)| format!("{band} {open}"))
        .collect();
    format!(
        "cityops  {}  {:.0} events/s  {} events",
        bands.join("  "),
        view.events_per_second,
        view.events
    )
}

/// How long ago it was opened, in one unit.
fn age(opened_at: EventTime, now: EventTime) -> String {
    let seconds = ((now - opened_at) / 1_000).max(0);
    match seconds {
        0..100 => format!("{seconds}s"),
        100..6_000 => format!("{}m", seconds / 60),
        6_000..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn colour_of(band: Band) -> &'static str {
    match band {
        Band::P1 => "\x1b[1;31m",
        Band::P2 => "\x1b[33m",
        Band::P3 => "",
        Band::P4 => "\x1b[2m",
    }
}

fn coloured(look: &Look, colour: &str, line: String) -> String {
    if look.colours && !colour.is_empty() {
        format!("{colour}{line}{RESET}")
    } else {
        line
    }
}

/// The widths of the columns: band, age, kind, cell, sources, members, reason.
struct Columns {
    widths: [usize; 7],
    total: usize,
}

impl Columns {
    fn of(total: usize) -> Columns {
        let (band, age, members) = (4, 4, 4);
        let gaps = 6;
        let free = total.saturating_sub(band + age + members + gaps);
        // Shares by what each column usually holds; what a wide terminal has left goes to the reason.
        let kind = (free * 36 / 100).clamp(12, 32);
        let cell = (free * 17 / 100).clamp(8, 20);
        let sources = (free * 20 / 100).clamp(7, 24);
        let reason = free.saturating_sub(kind + cell + sources);
        Columns {
            widths: [band, age, kind, cell, sources, members, reason],
            total,
        }
    }

    fn line(&self, cells: [&str; 7]) -> String {
        let padded: Vec<String> = cells
            .iter()
            .zip(self.widths)
            .map(|(cell, width)| fit(cell, width))
            .collect();
        fit(&padded.join(" "), self.total).trim_end().to_owned()
    }
}

/// The text in exactly `width` columns: cut with an ellipsis or filled with spaces. What steers a terminal or takes no
/// column of its own is left out: names and reasons come from records.
fn fit(text: &str, width: usize) -> String {
    let text: String = text
        .chars()
        .filter(|char| char.width().is_some_and(|width| width > 0))
        .collect();
    let whole = text.width();
    if whole <= width {
        return text + &" ".repeat(width - whole);
    }
    let mut kept = String::new();
    let mut used = 0;
    for char in text.chars() {
        let wide = char.width().unwrap_or(0);
        // One column is kept for the ellipsis.
        if used + wide + 1 > width {
            break;
        }
        kept.push(char);
        used += wide;
    }
    if width > used {
        kept.push('…');
        kept.push_str(&" ".repeat(width - used - 1));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        let now = EventTime::from_millis(1_000_000_000);
        let row = |band, seconds: i64, kind: (&str, &str), sources: &[&str], members, reason: &str| Row {
            id: "310117-x-1".into(),
            band,
            opened_at: now - seconds * 1_000,
            kind_zh: kind.0.to_owned(),
            kind_en: kind.1.to_owned(),
            cell: "岳阳街道12号网格".to_owned(),
            sources: sources.iter().map(|source| source.to_string()).collect(),
            members,
            reason: reason.to_owned(),
        };
        View {
            open: [1, 1, 1, 5],
            events: 102_334,
            events_per_second: 1_234.4,
            rows: vec![
                row(
                    Band::P1,
                    42,
                    ("道路积水", "Road ponding"),
                    &["sensor", "hotline", "video"],
                    17,
                    "下穿通道积水27厘米，危及行车",
                ),
                row(
                    Band::P2,
                    900,
                    ("井盖缺失", "Manhole cover missing"),
                    &["inspector"],
                    2,
                    "夜间道路上的井盖缺失\u{1b}[2J\nboo",
                ),
                row(
                    Band::P3,
                    90_000,
                    ("垃圾满溢", "Bin overflow"),
                    &["app"],
                    1,
                    "垃圾桶满溢，影响市容环境",
                ),
                row(
                    Band::P4,
                    400_000,
                    ("违规广告", "Illegal advertising"),
                    &[],
                    1,
                    "乱张贴",
                ),
            ],
        }
    }

    fn drawn(width: usize, height: usize) -> String {
        let text = render(
            &view(),
            &Look {
                width,
                height,
                colours: false,
            },
            EventTime::from_millis(1_000_000_000),
        );
        assert!(
            text.lines().count() <= height && text.lines().all(|line| line.width() <= width),
            "{text}"
        );
        text
    }

    #[test]
    fn stays_straight_under_chinese_text() {
        insta::assert_snapshot!(drawn(120, 20), @r"
        cityops  P1 1  P2 1  P3 1  P4 5  1234 events/s  102334 events
        BAND AGE  KIND                             CELL              SOURCES              N    REASON
        P1   42s  道路积水 Road ponding            岳阳街道12号网格  sensor,hotline,video 17   下穿通道积水27厘米，危及行车
        P2   15m  井盖缺失 Manhole cover missing   岳阳街道12号网格  inspector            2    夜间道路上的井盖缺失[2Jboo
        P3   25h  垃圾满溢 Bin overflow            岳阳街道12号网格  app                  1    垃圾桶满溢，影响市容环境
        P4   4d   违规广告 Illegal advertising     岳阳街道12号网格                       1    乱张贴
        … and 4 more
        ");
    }

    #[test]
    fn fits_into_eighty_columns_and_few_lines() {
        insta::assert_snapshot!(drawn(80, 6), @r"
        cityops  P1 1  P2 1  P3 1  P4 5  1234 events/s  102334 events
        BAND AGE  KIND                   CELL       SOURCES      N    REASON
        P1   42s  道路积水 Road ponding  岳阳街道1… sensor,hotl… 17   下穿通道积水27厘…
        P2   15m  井盖缺失 Manhole cove… 岳阳街道1… inspector    2    夜间道路上的井盖…
        P3   25h  垃圾满溢 Bin overflow  岳阳街道1… app          1    垃圾桶满溢，影响…
        … and 5 more
        ");
    }

    #[test]
    fn never_grows_out_of_its_space() {
        for width in 0..130 {
            for height in 0..9 {
                drawn(width, height);
            }
        }
    }

    #[test]
    fn colours_nothing_unless_it_may() {
        let look = Look {
            width: 100,
            height: 20,
            colours: true,
        };
        let text = render(&view(), &look, EventTime::from_millis(1_000_000_000));
        assert!(text.contains("\x1b[1;31mP1") && text.contains("\x1b[2mP4"));
        assert!(!drawn(100, 20).contains('\x1b'));
    }

    #[test]
    fn cuts_wide_characters_whole() {
        let check = |text: &str, width: usize, fitted: &str| assert_eq!(fit(text, width), fitted);
        check("积水", 4, "积水");
        check("积水", 5, "积水 ");
        check("积水", 3, "积…");
        check("积水", 2, "… ");
        check("积水", 1, "…");
        check("积水", 0, "");
        check("a\u{7}b\u{200b}\u{202e}c\n", 4, "abc ");
    }

    #[test]
    fn tells_ages_in_one_unit() {
        let check = |seconds: i64, text: &str| {
            assert_eq!(
                age(EventTime::default(), EventTime::from_millis(seconds * 1_000)),
                text
            );
        };
        check(-5, "0s");
        check(99, "99s");
        check(100, "1m");
        check(5_999, "99m");
        check(6_000, "1h");
        check(172_799, "47h");
        check(172_800, "2d");
    }
}
