//! The table on standard output: redrawn in place on a terminal, one line per change elsewhere.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use city_model::{Band, EventTime, Name, Status};

use super::{Look, Row, View, render};
use crate::board::{Board, Entry};

/// How often the table looks at the board.
const EVERY: Duration = Duration::from_millis(500);
/// How many lines a terminal is believed to have at most.
const LINES_MAX: usize = 200;

/// Shows the board on standard output until `stop` or until nobody reads it. `events` counts the records consumed so
/// far; `now` is the time that the incidents live in.
///
/// # Errors
/// When standard output cannot be written, except that its reader has left.
pub fn show(
    board: &Board,
    events: impl Fn() -> u64,
    now: impl Fn() -> EventTime,
    stop: &AtomicBool,
) -> io::Result<()> {
    let stdout = io::stdout();
    let mut screen = if stdout.is_terminal() {
        // Any value but the empty one (no-color.org).
        Screen::on_terminal(
            stdout,
            std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        )
    } else {
        Screen::in_lines(stdout)
    };
    let mut pace = Pace {
        at: Instant::now(),
        events: events(),
        per_second: 0.0,
    };
    loop {
        // Read first: what is there when it is asked to end is still shown.
        let last = stop.load(Ordering::Relaxed);
        let events = events();
        pace.go_on(Instant::now(), events);
        match screen.draw(board, events, pace.per_second, terminal_size(), now()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            result => result?,
        }
        if last {
            return Ok(());
        }
        std::thread::park_timeout(EVERY);
    }
}

/// Width and height of the terminal; the classic 80 by 24 where it does not say.
fn terminal_size() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or((80, 24), |size| (size.ws_col.into(), size.ws_row.into()))
}

/// Events per second, smoothed over a few seconds.
struct Pace {
    at: Instant,
    events: u64,
    per_second: f64,
}

impl Pace {
    fn go_on(&mut self, at: Instant, events: u64) {
        let elapsed = at.saturating_duration_since(self.at).as_secs_f64();
        if elapsed < 0.1 {
            return;
        }
        let newest = events.saturating_sub(self.events) as f64 / elapsed;
        // A quarter of the newest half second: a change shows within two or three seconds, batches do not flicker.
        self.per_second += (newest - self.per_second) * 0.25;
        (self.at, self.events) = (at, events);
    }
}

/// Where the table is shown.
pub struct Screen<W> {
    out: W,
    mode: Mode,
}

enum Mode {
    /// How many lines stand there from the last time.
    Terminal { colours: bool, drawn: usize },
    /// What was last told of each open incident, and up to which change of the board.
    Lines { told: HashMap<Name, Band>, seen: u64 },
}

impl<W: Write> Screen<W> {
    /// On a terminal, in place.
    pub fn on_terminal(out: W, colours: bool) -> Screen<W> {
        Screen {
            out,
            mode: Mode::Terminal { colours, drawn: 0 },
        }
    }

    /// In a file or pipe: one line per incident that is new, changed its band, or is over.
    pub fn in_lines(out: W) -> Screen<W> {
        Screen {
            out,
            mode: Mode::Lines {
                told: HashMap::new(),
                seen: 0,
            },
        }
    }

    /// Shows what the board holds now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn draw(
        &mut self,
        board: &Board,
        events: u64,
        events_per_second: f64,
        (width, height): (usize, usize),
        now: EventTime,
    ) -> io::Result<()> {
        match &mut self.mode {
            Mode::Terminal { colours, drawn } => {
                // The last line stays free for the cursor; otherwise the terminal would scroll.
                let look = Look {
                    width,
                    height: height.saturating_sub(1).min(LINES_MAX),
                    colours: *colours,
                };
                let snapshot = board.snapshot_for_table(look.height);
                let rows = snapshot.top.iter().map(|entry| Row::of(entry)).collect();
                let view = View {
                    open: snapshot.open,
                    events,
                    events_per_second,
                    rows,
                };
                let frame = in_place(&render(&view, &look, now), (*drawn).min(look.height));
                *drawn = frame.matches('\n').count();
                self.out.write_all(frame.as_bytes())?;
            }
            Mode::Lines { told, seen } => {
                let (changed, upto) = board.changed_since(*seen);
                *seen = upto;
                for entry in changed {
                    if let Some(line) = line(told, &entry, now) {
                        writeln!(self.out, "{line}")?;
                    }
                }
            }
        }
        self.out.flush()
    }
}

/// Writes the lines over those of the last time, without clearing first: nothing flickers.
fn in_place(lines: &str, drawn: usize) -> String {
    let up = if drawn > 0 {
        format!("\x1b[{drawn}A\r")
    } else {
        String::new()
    };
    format!("{up}{}\x1b[J", lines.replace('\n', "\x1b[K\n"))
}

/// What there is to tell about a change; `None` when the band and the state are as they were told.
fn line(told: &mut HashMap<Name, Band>, entry: &Entry, now: EventTime) -> Option<String> {
    let before = told.get(&entry.id).copied();
    let what = match (entry.status, before) {
        (Status::Open, None) => format!("open {}", entry.band),
        (Status::Open, Some(before)) if before != entry.band => format!("{before} to {}", entry.band),
        (Status::Open, Some(_)) => return None,
        // It opened and ended between two looks, or before the first: told in one line.
        (Status::Closed, _) => format!("closed {}", entry.band),
        (Status::Merged, _) => format!("merged {}", entry.band),
    };
    if entry.status == Status::Open {
        told.insert(entry.id.clone(), entry.band);
    } else {
        told.remove(&entry.id);
    }
    let row = Row::of(entry);
    let line = format!(
        "{} {what}  {}  {} {}  {}  {} n={}  {}",
        now.floor_second(),
        row.id,
        row.kind_zh,
        row.kind_en,
        row.cell,
        row.sources.join(","),
        row.members,
        row.reason
    );
    // Names and reasons come from records: a line stays one line.
    Some(line.chars().filter(|char| !char.is_control()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::tests::{put, record};

    const AT: &str = "2026-07-25T08:00:00Z";

    fn drawn(screen: &mut Screen<Vec<u8>>, board: &Board) -> String {
        let now = EventTime::from_millis(1_784_966_460_000);
        screen.draw(board, 10, 5.0, (100, 10), now).unwrap();
        String::from_utf8(std::mem::take(&mut screen.out)).unwrap()
    }

    #[test]
    fn tells_a_line_when_band_or_state_change() {
        let board = Board::default();
        let mut screen = Screen::in_lines(Vec::new());
        put(&board, &record("a", 1, "P3", "OPEN", AT));
        assert_eq!(
            drawn(&mut screen, &board),
            "2026-07-25T08:01:00.000Z open P3  a  道路积水 road ponding  岳阳12  sensor,hotline n=3  下穿通道积水27厘米\n"
        );
        put(&board, &record("a", 2, "P3", "OPEN", AT));
        assert_eq!(drawn(&mut screen, &board), "");
        put(&board, &record("a", 3, "P1", "OPEN", AT));
        assert!(drawn(&mut screen, &board).contains(" P3 to P1  a  "));
        put(&board, &record("a", 4, "P1", "CLOSED", AT));
        assert!(drawn(&mut screen, &board).contains(" closed P1  a  "));
        put(&board, &record("a", 5, "P1", "OPEN", AT));
        assert!(drawn(&mut screen, &board).contains(" open P1  a  "));
    }

    #[test]
    fn draws_over_the_lines_of_the_last_time() {
        let board = Board::default();
        let mut screen = Screen::on_terminal(Vec::new(), false);
        put(&board, &record("a", 1, "P3", "OPEN", AT));
        let first = drawn(&mut screen, &board);
        assert!(
            first.starts_with("cityops  P1 0  P2 0  P3 1  P4 0  5 events/s  10 events\x1b[K\n"),
            "{first:?}"
        );
        assert_eq!(first.matches('\n').count(), 3);
        put(&board, &record("a", 2, "P3", "CLOSED", AT));
        let second = drawn(&mut screen, &board);
        assert!(
            second.starts_with("\x1b[3A\r") && second.ends_with("\x1b[K\n\x1b[J"),
            "{second:?}"
        );
        assert_eq!(second.matches('\n').count(), 2);
    }

    #[test]
    fn the_pace_follows_without_jumping() {
        let begun = Instant::now();
        let mut pace = Pace {
            at: begun,
            events: 0,
            per_second: 0.0,
        };
        for second in 1..=30 {
            pace.go_on(begun + Duration::from_secs(second), second * 1_000);
        }
        assert!(
            (990.0..=1_000.0).contains(&pace.per_second),
            "{}",
            pace.per_second
        );
        pace.go_on(begun + Duration::from_secs(30), 31_000);
        assert!(pace.per_second <= 1_000.0);
    }
}
