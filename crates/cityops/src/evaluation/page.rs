//! The evaluation as a page to print: A4, self-contained, Chinese with English beside it.

use super::wording::{ended, length};
use super::{Evaluation, Group, Rate, Urgent};

const STYLE: &str = "@page{size:A4;margin:15mm}body{font:10pt/1.4 'Noto Sans CJK SC','Microsoft YaHei',sans-serif;color:#111;margin:0 auto;max-width:180mm}\
h1{font-size:16pt;margin:0}h2{font-size:12pt;margin:6mm 0 2mm;break-after:avoid}p{margin:1mm 0}\
table{border-collapse:collapse;width:100%}thead{display:table-header-group}tr{break-inside:avoid}\
th,td{border-bottom:.3pt solid #999;padding:1mm;text-align:right;vertical-align:top}\
th:first-child,td:first-child{text-align:left}small{color:#555;display:block;font-size:7.5pt}";

/// The page.
pub fn page(told: &Evaluation) -> String {
    let span = format!(
        "{} – {}",
        escaped(told.from.as_deref().unwrap_or("—")),
        escaped(told.to.as_deref().unwrap_or("—"))
    );
    let all = Group {
        code: String::new(),
        name: "全部 All".to_owned(),
        tally: told.all.clone(),
    };
    let mut body = format!(
        "<h1>城市运行考评报告</h1><p>City operations evaluation</p><p>{span} (UTC)</p>{}",
        groups("总体 Overall", std::slice::from_ref(&all))
    );
    body.push_str(&groups("按类别 By kind", &told.kinds));
    body.push_str(&groups("按街镇 By town", &told.towns));
    body.push_str(&groups("按责任单位 By unit", &told.units));
    let witnesses = told.witnesses.iter();
    let witnesses = witnesses.map(|one| {
        (
            one.source_system.as_str(),
            one.channel.clone(),
            one.incidents,
            one.precision,
        )
    });
    body.push_str(&precision("按来源 By witness", "来源 Witness", witnesses));
    let algorithms = told.algorithms.iter().map(|one| {
        let name = if one.name.is_empty() {
            "未注明 Not named"
        } else {
            &one.name
        };
        (
            name,
            format!("{} {}", one.vendor, one.version),
            one.incidents,
            one.precision,
        )
    });
    body.push_str(&precision("按算法 By algorithm", "算法 Algorithm", algorithms));
    let types = told.device_types.iter();
    let types = types.map(|one| {
        (
            one.device_type.as_str(),
            String::new(),
            one.incidents,
            one.precision,
        )
    });
    body.push_str(&precision(
        "按设备类型 By device type",
        "设备类型 Device type",
        types,
    ));
    if let Some(p1) = &told.p1 {
        body.push_str(&urgent(p1));
    }
    body.push_str(
        "<h2>说明 Notes</h2>\
         <p>派遣及时：已派遣或逾期未派遣者中按时派遣的比例。处置及时：已办结或已受理逾期未办结者中按时办结的比例。返工：已派遣者中办结后又退回或重新派遣的比例。\
         退单：已派遣者中办结前被责任单位退回的比例。\
         复发：全部事件中重复发生的比例。误报：中心已判定者中为误报的比例；准确率为其反面。</p>\
         <p>Dispatch and control on time: of those done, or overdue and not done. Rework: sent back or out again after it was said to be mended; rejected: returned before that; of those dispatched. \
         Repeat: of all. False: of those that the centre judged; precision is its converse.</p>\
         <p>区间为95%威尔逊区间；* 不足20件，仅供参考；— 无数据。Intervals are Wilson's, 95 %; * of fewer than 20; — not known.</p>",
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"/><title>城市运行考评报告</title>\
         <style>{STYLE}</style></head><body>{body}</body></html>\n"
    )
}

/// How right those are who told of incidents; nothing where nobody is known.
fn precision<'a>(
    title: &str,
    head: &str,
    told: impl Iterator<Item = (&'a str, String, u64, Rate)>,
) -> String {
    let mut rows = String::new();
    for (name, more, incidents, precision) in told {
        rows.push_str(&format!(
            "<tr><td>{}<small>{}</small></td><td>{incidents}</td>{}</tr>",
            escaped(name),
            escaped(more.trim()),
            cell(&precision)
        ));
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<h2>{title}</h2><table><thead><tr><th>{head}</th><th>件数 Incidents</th><th>准确率 Precision</th></tr></thead>\
         <tbody>{rows}</tbody></table>"
    )
}

/// The P1 incidents by the hour, and one by one.
fn urgent(told: &Urgent) -> String {
    let mut text = format!(
        "<h2>特急事件 P1 incidents</h2><p>共{}件，最多同时{}件 {} incidents, at most {} at once</p>\
         <table><thead><tr><th>时 Hour</th><th>新增 New</th><th>在办 Shown</th></tr></thead><tbody>",
        told.incidents, told.at_once, told.incidents, told.at_once
    );
    for hour in &told.hours {
        text.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&hour.hour),
            hour.became,
            hour.shown
        ));
    }
    text.push_str(
        "</tbody></table><table><thead><tr><th>事件 Incident</th><th>原因 Why</th><th>首报后 Delay</th>\
         <th>持续 Lasted</th><th>结果 Ended</th></tr></thead><tbody>",
    );
    for spell in &told.spells {
        let from = spell
            .from
            .map_or("新 new".to_owned(), |band| format!("{band}→P1"));
        text.push_str(&format!(
            "<tr><td>{} {}<small>{} {from}</small><small>{}</small></td><td>{}<small>{}</small><small>{} = {}</small></td>\
             <td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&spell.name_zh),
            escaped(&spell.place),
            spell.since.0,
            escaped(spell.incident_id.as_str()),
            escaped(&spell.reasons_zh.join("；")),
            escaped(&spell.reasons_en.join("; ")),
            escaped(&spell.overrides.join(" ")),
            spell.score,
            length(spell.delay_s),
            length(spell.lasted_s),
            escaped(&ended(&spell.ended))
        ));
    }
    text.push_str("</tbody></table>");
    text
}

fn groups(title: &str, groups: &[Group]) -> String {
    let heads = [
        ("件数", "Incidents"),
        ("派遣及时", "Dispatch on time"),
        ("处置及时", "Control on time"),
        ("返工", "Rework"),
        ("退单", "Rejected"),
        ("复发", "Repeat"),
        ("误报", "False"),
    ];
    let mut text = format!("<h2>{title}</h2><table><thead><tr><th></th>");
    for (zh, en) in heads {
        text.push_str(&format!("<th>{zh}<small>{en}</small></th>"));
    }
    text.push_str("</tr></thead><tbody>");
    for group in groups {
        let tally = &group.tally;
        text.push_str(&format!(
            "<tr><td>{}<small>{}</small></td><td>{}</td>",
            escaped(&group.name),
            escaped(&group.code),
            tally.incidents
        ));
        for rate in [
            &tally.dispatch_on_time,
            &tally.control_on_time,
            &tally.rework,
            &tally.rejection,
            &tally.repeat,
            &tally.false_alarm,
        ] {
            text.push_str(&cell(rate));
        }
        text.push_str("</tr>");
    }
    text.push_str("</tbody></table>");
    text
}

fn cell(rate: &Rate) -> String {
    match rate.interval() {
        None => "<td>—</td>".to_owned(),
        Some((low, high)) => format!(
            "<td>{}<small>{}/{} [{:.0}–{:.0}]</small></td>",
            rate.shown(),
            rate.hits,
            rate.of,
            low * 100.0,
            high * 100.0
        ),
    }
}

/// Names come from files of the city's: none of them may be markup.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // What no XML may hold.
            sign if sign.is_control() && !sign.is_whitespace() => safe.push('\u{FFFD}'),
            sign => safe.push(sign),
        }
    }
    safe
}
