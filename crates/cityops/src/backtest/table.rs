//! A report as text for a terminal: the scores, then the kinds with most events.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::{Report, Score};

/// The table shows so many kinds.
const KINDS_SHOWN: usize = 20;

impl Report {
    /// The report as text for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |title: &str, value: String| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{title:<34}{value}");
        };
        line(
            "events",
            format!("{} ({} with a position)", self.events, self.located),
        );
        line("incidents", self.incidents.to_string());
        line(
            "merged",
            format!(
                "{} ({} of those with a position)",
                self.merged,
                percent(self.merge_share)
            ),
        );
        line(
            "link recall",
            format!("{} of {} links", percent(self.link_recall), self.links),
        );
        line("duplicate recall", percent(self.duplicate_recall));
        line(
            "duplicate precision, at least",
            percent(self.duplicate_precision_lower_bound),
        );
        for (title, score) in [("pairwise", self.pairwise), ("B-cubed", self.b_cubed)] {
            if let Some(Score {
                precision,
                recall,
                f1,
            }) = score
            {
                line(
                    title,
                    format!("precision {precision:.3}, recall {recall:.3}, F1 {f1:.3}"),
                );
            }
        }
        line("seconds", format!("{:.2}", self.seconds));
        if let Some(skipped) = &self.skipped {
            line("rows that could not be read", skipped.rows.to_string());
            for reason in &skipped.first {
                line("", reason.clone());
            }
        }
        self.kind_table(&mut text);
        text
    }

    fn kind_table(&self, text: &mut String) {
        let shown = &self.per_kind[..self.per_kind.len().min(KINDS_SHOWN)];
        let width = shown
            .iter()
            .map(|kind| kind.kind.width())
            .max()
            .unwrap_or(0)
            .max("kind".len());
        let mut line = |kind: &str, cells: [String; 5]| {
            // Names may be of wide characters, which formatting counts as one column.
            let pad = " ".repeat(width.saturating_sub(kind.width()));
            let [events, merged, links, recall, f1] = cells;
            let row = format!("{kind}{pad} {events:>8} {merged:>8} {links:>7} {recall:>12} {f1:>10}");
            let _ = writeln!(text, "{}", row.trim_end());
        };
        let with_truth = self.b_cubed.is_some();
        let f1 = if with_truth { "B-cubed F1" } else { "" };
        line("", Default::default());
        line(
            "kind",
            ["events", "merged", "links", "link recall", f1].map(str::to_owned),
        );
        for kind in shown {
            let f1 = kind
                .b_cubed
                .map_or(String::new(), |score| format!("{:.3}", score.f1));
            let counts = [kind.events, kind.merged, kind.links].map(|count| count.to_string());
            let [events, merged, links] = counts;
            line(&kind.kind, [events, merged, links, percent(kind.link_recall), f1]);
        }
        let more = self.per_kind.len() - shown.len();
        if more > 0 {
            let _ = writeln!(text, "and {more} more kinds");
        }
    }
}

/// A share as text; a share of nothing is a dash.
pub(crate) fn percent(share: impl Into<Option<f64>>) -> String {
    share
        .into()
        .map_or("-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}
