//! The evaluation as a page to print: A4, self-contained, Chinese with English beside it.

use super::{Evaluation, Group, Rate};

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
    body.push_str(
        "<h2>按来源 By witness</h2><table><thead><tr><th>来源 Witness</th><th>件数 Incidents</th>\
         <th>准确率 Precision</th></tr></thead><tbody>",
    );
    for witness in &told.witnesses {
        body.push_str(&format!(
            "<tr><td>{}<small>{}</small></td><td>{}</td>{}</tr>",
            escaped(&witness.source_system),
            escaped(&witness.channel),
            witness.incidents,
            cell(&witness.precision)
        ));
    }
    body.push_str("</tbody></table>");
    body.push_str(
        "<h2>说明 Notes</h2>\
         <p>派遣及时：已派遣或逾期未派遣者中按时派遣的比例。处置及时：已办结或逾期未办结者中按时办结的比例。返工：已派遣者中被退回的比例。\
         复发：全部事件中重复发生的比例。误报：中心已判定者中为误报的比例；准确率为其反面。</p>\
         <p>Dispatch and control on time: of those done, or overdue and not done. Rework: returned, of those dispatched. \
         Repeat: of all. False: of those that the centre judged; precision is its converse.</p>\
         <p>区间为95%威尔逊区间；* 不足20件，仅供参考；— 无数据。Intervals are Wilson's, 95 %; * of fewer than 20; — not known.</p>",
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"/><title>城市运行考评报告</title>\
         <style>{STYLE}</style></head><body>{body}</body></html>\n"
    )
}

fn groups(title: &str, groups: &[Group]) -> String {
    let heads = [
        ("件数", "Incidents"),
        ("派遣及时", "Dispatch on time"),
        ("处置及时", "Control on time"),
        ("返工", "Rework"),
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
