//! The evaluation as tables for a terminal.

use unicode_width::UnicodeWidthStr;

use super::{Evaluation, Group, Rate};

/// Groups that are shown of each sort; `--json` and `--html` have all.
const SHOWN: usize = 15;

/// The tables.
pub fn table(told: &Evaluation) -> String {
    let mut text = format!(
        "考评 / evaluation  {} – {}\n",
        told.from.as_deref().unwrap_or("—"),
        told.to.as_deref().unwrap_or("—")
    );
    let all = Group {
        code: String::new(),
        name: "全部 / all".to_owned(),
        tally: told.all.clone(),
    };
    section(&mut text, "", std::slice::from_ref(&all));
    section(&mut text, "按类别 / by kind", &told.kinds);
    section(&mut text, "按街镇 / by town", &told.towns);
    section(&mut text, "按单位 / by unit", &told.units);
    text.push_str("\n按来源 / by witness\n");
    text.push_str(&format!(
        "{} {:>9} {:>12} {:>11}\n",
        pad("", 34),
        "incidents",
        "准确率 right",
        "下限 low"
    ));
    for witness in &told.witnesses {
        let name = pad(&format!("{} {}", witness.channel, witness.source_system), 34);
        let low = witness
            .precision
            .interval()
            .map_or("—".to_owned(), |(low, _)| format!("{:.0}%", low * 100.0));
        text.push_str(&format!(
            "{name} {:>9} {:>12} {low:>11}\n",
            witness.incidents,
            witness.precision.shown()
        ));
    }
    text.push_str("\n* 不足20件，仅供参考 / of fewer than 20; — 无数据 / not known\n");
    text
}

fn section(text: &mut String, title: &str, groups: &[Group]) {
    if !title.is_empty() {
        text.push_str(&format!("\n{title}\n"));
    }
    let heads = ["件数 n", "派遣及时", "处置及时", "返工", "复发", "误报"];
    text.push_str(&pad("", 34));
    for head in heads {
        text.push(' ');
        text.push_str(&" ".repeat(9_usize.saturating_sub(head.width())));
        text.push_str(head);
    }
    text.push('\n');
    for group in groups.iter().take(SHOWN) {
        let tally = &group.tally;
        text.push_str(&pad(&group.name, 34));
        let rates: [&Rate; 5] = [
            &tally.dispatch_on_time,
            &tally.control_on_time,
            &tally.rework,
            &tally.repeat,
            &tally.false_alarm,
        ];
        text.push_str(&format!(" {:>9}", tally.incidents));
        for rate in rates {
            text.push_str(&format!(" {:>9}", rate.shown()));
        }
        text.push('\n');
    }
    if groups.len() > SHOWN {
        text.push_str(&format!("  … {} more\n", groups.len() - SHOWN));
    }
}

fn pad(name: &str, width: usize) -> String {
    format!("{name}{}", " ".repeat(width.saturating_sub(name.width())))
}
