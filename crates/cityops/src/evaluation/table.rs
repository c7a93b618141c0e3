//! The evaluation as tables for a terminal.

use unicode_width::UnicodeWidthStr;

use super::wording::{ended, length};
use super::{Evaluation, Group, Rate, Urgent};

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
    let witnesses = told.witnesses.iter();
    let witnesses = witnesses.map(|one| {
        (
            format!("{} {}", one.channel, one.source_system),
            one.incidents,
            one.precision,
        )
    });
    precision(&mut text, "按来源 / by witness", witnesses);
    let shown = |text: &str| {
        if text.is_empty() {
            "未注明 / not named".to_owned()
        } else {
            text.to_owned()
        }
    };
    let algorithms = told.algorithms.iter().map(|one| {
        let parts = [&one.vendor, &one.name, &one.version].map(String::as_str);
        (shown(parts.join(" ").trim()), one.incidents, one.precision)
    });
    precision(&mut text, "按算法 / by algorithm", algorithms);
    let types = told.device_types.iter();
    let types = types.map(|one| (one.device_type.clone(), one.incidents, one.precision));
    precision(&mut text, "按设备类型 / by device type", types);
    if let Some(urgent) = &told.p1 {
        urgent_section(&mut text, urgent);
    }
    text.push_str("\n* 不足20件，仅供参考 / of fewer than 20; — 无数据 / not known\n");
    text
}

/// How right those are who told of incidents.
fn precision(text: &mut String, title: &str, told: impl Iterator<Item = (String, u64, Rate)>) {
    let mut lines = String::new();
    for (name, incidents, precision) in told {
        let low = precision
            .interval()
            .map_or("—".to_owned(), |(low, _)| format!("{:.0}%", low * 100.0));
        let right = precision.shown();
        lines.push_str(&format!(
            "{} {incidents:>9} {right:>12} {low:>11}\n",
            pad(&name, 34)
        ));
    }
    if lines.is_empty() {
        return;
    }
    text.push_str(&format!(
        "\n{title}\n{} {:>9} {:>12} {:>11}\n{lines}",
        pad("", 34),
        "incidents",
        "准确率 right",
        "下限 low"
    ));
}

/// The P1 incidents, all of them: whoever asks wants to see each.
fn urgent_section(text: &mut String, urgent: &Urgent) {
    text.push_str(&format!(
        "\n特急P1 / P1: {} 件 incidents, 最多同时 at once {}\n",
        urgent.incidents, urgent.at_once
    ));
    let (mut before, mut left_out) = (None, false);
    for hour in &urgent.hours {
        // A night in which nothing changes is one line.
        if hour.became == 0 && before.replace(hour.shown) == Some(hour.shown) {
            if !std::mem::replace(&mut left_out, true) {
                text.push_str("  …\n");
            }
            continue;
        }
        (before, left_out) = (Some(hour.shown), false);
        text.push_str(&format!(
            "  {}  新增 new {:>4}  在办 shown {:>4}  {}\n",
            hour.hour,
            hour.became,
            hour.shown,
            "#".repeat(hour.became.min(60) as usize)
        ));
    }
    for spell in &urgent.spells {
        let from = spell
            .from
            .map_or("新 new".to_owned(), |band| format!("{band}→P1"));
        text.push_str(&format!(
            "\n  {} {from} {} {} {}  {}\n    首报后 after {}，持续 for {}，{}；{} 条上报 reports，{} 分 points {}\n    {}\n    {}\n",
            spell.since.0,
            spell.name_zh,
            spell.kind,
            spell.place,
            spell.incident_id,
            length(spell.delay_s),
            length(spell.lasted_s),
            ended(&spell.ended),
            spell.member_count,
            spell.score,
            spell.overrides.join(" "),
            spell.reasons_zh.join("；"),
            spell.reasons_en.join("; "),
        ));
    }
}

fn section(text: &mut String, title: &str, groups: &[Group]) {
    if !title.is_empty() {
        text.push_str(&format!("\n{title}\n"));
    }
    let heads = ["件数 n", "派遣及时", "处置及时", "返工", "退单", "复发", "误报"];
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
        let rates: [&Rate; 6] = [
            &tally.dispatch_on_time,
            &tally.control_on_time,
            &tally.rework,
            &tally.rejection,
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
