//! How an answer is worded: what was compared, in metres and minutes, and which change would have turned it.

use city_model::{EventKey, Outcome, PlacedBy, Why};
use incident_engine::{Evidence, IncidentRecord, Miss};

use super::{Story, Told, chinese};

/// Chinese and English of the same sentence.
pub(super) struct Both(pub(super) String, pub(super) String);

/// Where nothing stands beside an outcome.
const UNTOLD: &str = "no reason was told";

pub(super) fn outcome(key: &EventKey, told: &Told, now_in: Option<&IncidentRecord>) -> Both {
    let incident = told.incident.as_ref().map_or("—", |id| id.as_str());
    let name = now_in.map_or("", |record| &record.name_zh);
    let kind = now_in.map_or("", |record| &record.kind);
    let because = told.reason.as_deref();
    match told.outcome {
        Outcome::Opened => Both(
            format!("{key} 新开了事件 {incident}（{name}）。"),
            format!("{key} opened incident {incident} ({kind})."),
        ),
        Outcome::Joined => Both(
            format!("{key} 归入事件 {incident}（{name}）。"),
            format!("{key} joined incident {incident} ({kind})."),
        ),
        Outcome::Continued => Both(
            format!("{key} 是同一设备的持续上报，归入事件 {incident}（{name}），不另计一条。"),
            format!(
                "{key} goes on with what its device reported: it belongs to incident {incident} ({kind}) and counts for nothing more."
            ),
        ),
        Outcome::Cleared => Both(
            format!("{key} 是解除信号，对应事件 {incident}。"),
            format!("{key} is a clear signal, for incident {incident}."),
        ),
        Outcome::Silenced => Both(
            format!(
                "{key} 属于已申报的计划施工（{}），暂不显示；施工结束后仍持续或达到P1时即显示。",
                because.map_or_else(|| "—".to_owned(), chinese::reason)
            ),
            format!(
                "{key} was announced by planned works and is held back ({}): it shows if the trouble outlasts them, or becomes a P1.",
                because.unwrap_or("—")
            ),
        ),
        // Of a command, a warning or a silence.
        done @ (Outcome::Applied | Outcome::Refused) => Both(
            format!(
                "{key} {}{}。",
                chinese::outcome(done),
                because.map_or_else(String::new, |told| format!("：{}", chinese::reason(told)))
            ),
            format!(
                "{key} was {done}{}.",
                because.map_or_else(String::new, |told| format!(": {told}"))
            ),
        ),
        other => Both(
            format!(
                "{key} 没有归入任何事件：{}（{}）。",
                chinese::outcome(other),
                chinese::reason(because.unwrap_or(UNTOLD))
            ),
            format!(
                "{key} belongs to no incident: {other} ({}).",
                because.unwrap_or(UNTOLD)
            ),
        ),
    }
}

pub(super) fn compared(evidence: &Evidence) -> Both {
    let gap = Span(evidence.gap_ms);
    match evidence.why {
        Why::Near => {
            let (distance, radius) = (
                metres(evidence.distance_mm.unwrap_or(0)),
                metres(evidence.radius_mm.unwrap_or(0)),
            );
            Both(
                format!(
                    "同类问题，距事件位置 {distance} 米（允许 {radius} 米），时间间隔 {}。",
                    gap.zh()
                ),
                format!(
                    "Same kind, {distance} m from the incident's position (allowed: {radius} m), {} apart in time.",
                    gap.en()
                ),
            )
        }
        Why::CitedTicket => Both(
            "工单引用了该事件的前一工单（催办或补充）。".to_owned(),
            "Its ticket cites an earlier one of the incident.".to_owned(),
        ),
        Why::SameComponent => Both(
            format!("指向同一部件，时间间隔 {}。", gap.zh()),
            format!("It names the same component, {} apart in time.", gap.en()),
        ),
        Why::SameDevice => Both(
            format!("来自同一设备，时间间隔 {}。", gap.zh()),
            format!("It comes from the same device, {} apart in time.", gap.en()),
        ),
        Why::SameAddress => Both(
            format!("没有坐标，但在同一街镇，地址相同，时间间隔 {}。", gap.zh()),
            format!(
                "Without a position, but in the same town and at the same address, {} apart in time.",
                gap.en()
            ),
        ),
        Why::SameLane => Both(
            format!(
                "没有坐标，但在同一街镇的同一弄或同一小区，楼号不同或有一方未报，时间间隔 {}。",
                gap.zh()
            ),
            format!(
                "Without a position, but in the same town, in one lane or estate (another house, or one of the two names none), \
                 {} apart in time.",
                gap.en()
            ),
        ),
        Why::SameRoad => Both(
            format!("没有坐标，但在同一街镇的同一条路上，时间间隔 {}。", gap.zh()),
            format!(
                "Without a position, but in the same town and on the same road, {} apart in time.",
                gap.en()
            ),
        ),
        Why::Operator => Both(
            "由中心人工归入。".to_owned(),
            "The centre put it there.".to_owned(),
        ),
        Why::Founded => Both(
            "当时没有可归入的事件。".to_owned(),
            "There was no incident that it could join.".to_owned(),
        ),
    }
}

/// Which address took part in where the event is.
pub(super) fn placed(by: &PlacedBy) -> Both {
    let (address, u) = (&by.address, whole_metres(by.u_mm));
    match &by.reported {
        None => Both(
            format!("上报没有坐标，位置由地址“{address}”推定，±{u} 米。"),
            format!("It gave no coordinates: placed by {address}, ±{u} m."),
        ),
        Some(reported) => {
            let own = whole_metres(reported.u_mm);
            Both(
                format!("位置由上报坐标（±{own} 米）与地址“{address}”（±{u} 米）合并得出。"),
                format!("Placed by its coordinates (±{own} m) and by {address} (±{u} m) together."),
            )
        }
    }
}

fn whole_metres(mm: i64) -> i64 {
    mm.saturating_add(500) / 1_000
}

pub(super) fn second(miss: &Miss, story: &Story) -> Both {
    let (distance, radius) = (metres(miss.distance_mm), metres(miss.radius_mm));
    let (zh, en) = called(miss, story);
    Both(
        format!("次近的是 {zh}：{distance} 米（允许 {radius} 米），两者记为相关。"),
        format!("Second best was {en}: {distance} m (allowed: {radius} m); the two are related."),
    )
}

/// What fits nearly as well as the nearest that it did not join.
pub(super) fn rival(miss: &Miss, story: &Story) -> Both {
    let distance = metres(miss.distance_mm);
    let (zh, en) = called(miss, story);
    Both(
        format!("几乎同样吻合的另一个是 {zh}：相距 {distance} 米。"),
        format!("The other that fits nearly as well is {en}: {distance} m apart."),
    )
}

pub(super) fn missed(miss: &Miss, story: &Story) -> Both {
    let (distance, radius) = (metres(miss.distance_mm), metres(miss.radius_mm));
    let gap = Span(miss.gap_ms);
    let (zh, en) = called(miss, story);
    let (because_zh, because_en) = match &*miss.because {
        "gap" => (
            format!("相距 {distance} 米，但间隔 {} 超过该类的时间窗", gap.zh()),
            format!(
                "{distance} m apart, but after {}, which is longer than its kind waits",
                gap.en()
            ),
        ),
        "life" => (
            format!("相距 {distance} 米，但该事件已超过这一类的最长持续时间"),
            format!("{distance} m apart, but the incident would have lasted longer than its kind may"),
        ),
        "extent" => (
            format!("相距 {distance} 米，但归入后事件范围会超过这一类的上限"),
            format!("{distance} m apart, but its members would lie farther apart than its kind may reach"),
        ),
        "points" => (
            format!("相距 {distance} 米，但按历史学到的评分不够归入"),
            format!("{distance} m apart, but by the table learned from history it has too few points"),
        ),
        "never" => (
            format!("相距 {distance} 米，但历史表明这类问题从不合并"),
            format!("{distance} m apart, but history says that this kind is never merged"),
        ),
        "doubt" => (
            format!(
                "相距 {distance} 米，但已间隔 {}，或位置太粗、地址不同，合起来不足以认定为同一件",
                gap.zh()
            ),
            format!(
                "{distance} m apart, but {} have passed, or a position is vague or the address another: together too much speaks against it",
                gap.en()
            ),
        ),
        "rivals" => (
            format!("相距 {distance} 米，但另有事件几乎同样吻合，无法分辨属于哪一个"),
            format!(
                "{distance} m apart, but another incident fits nearly as well, and nothing tells which it is"
            ),
        ),
        "house" => (
            format!("相距 {distance} 米，但只报了地址，且是另一处门牌；涉及人身安全，不合并"),
            format!(
                "{distance} m apart, but its address is all that says where it is, and names another house: where lives are at stake that keeps them apart"
            ),
        ),
        "closed" => (
            format!("相距 {distance} 米，但中心已将其结束"),
            format!("{distance} m apart, but the centre had closed it"),
        ),
        "false_alarm" => (
            format!("相距 {distance} 米，但中心已认定其为误报"),
            format!("{distance} m apart, but the centre had called it a false alarm"),
        ),
        "component" => (
            format!("相距 {distance} 米，但指的是另一个部件"),
            format!("{distance} m apart, but it names another component"),
        ),
        _ if miss.radius_mm == 0 => (
            format!("相距 {distance} 米，但地址不同、间隔较久或位置太粗，再近也不会归入"),
            format!(
                "{distance} m apart, but another address, a long silence or a vague position speak against it at any distance"
            ),
        ),
        _ => (
            format!("相距 {distance} 米，允许 {radius} 米"),
            format!("{distance} m apart, allowed: {radius} m"),
        ),
    };
    Both(
        format!("最近而未归入的是 {zh}：{because_zh}。"),
        format!("The nearest that it did not join was {en}: {because_en}."),
    )
}

fn called(miss: &Miss, story: &Story) -> (String, String) {
    let id = &miss.incident;
    match story.incident(id.as_str()) {
        Some(record) => (
            format!("{id}（{}）", record.name_zh),
            format!("{id} ({})", record.kind),
        ),
        None => (id.to_string(), id.to_string()),
    }
}

pub(super) fn became(record: &IncidentRecord) -> Both {
    let (status_zh, status_en) = match (record.status.as_str(), record.close_reason.as_deref()) {
        ("OPEN", _) => ("处理中", "open".to_owned()),
        ("MERGED", _) => ("已并入其他事件", "merged into another".to_owned()),
        (_, Some("quiet")) => ("已结束（无新上报）", "closed: nothing more was heard".to_owned()),
        (_, Some("cleared")) => ("已结束（设备恢复）", "closed: its devices cleared".to_owned()),
        (_, Some("false_alarm")) => ("已结束（误报）", "closed as a false alarm".to_owned()),
        (_, Some("resolved")) => ("已结束（处置完成）", "closed: resolved".to_owned()),
        (_, Some("stale")) => ("已结束（长期无上报）", "closed: stale".to_owned()),
        (_, reason) => ("已结束", format!("closed ({})", reason.unwrap_or("-"))),
    };
    Both(
        format!(
            "事件 {}：{}，{}，{}，共 {} 条上报、{} 类来源，第 {} 版。",
            record.incident_id,
            record.name_zh,
            record.priority.band,
            status_zh,
            record.member_count,
            record.source_types.len(),
            record.revision
        ),
        format!(
            "Incident {}: {}, {}, {}; {} reports of {} kinds of source, revision {}.",
            record.incident_id,
            record.kind,
            record.priority.band,
            status_en,
            record.member_count,
            record.source_types.len(),
            record.revision
        ),
    )
}

/// Metres with at most one decimal.
pub(super) fn metres(mm: i64) -> String {
    let tenths = mm.saturating_add(50) / 100;
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}.{rest}", tenths / 10),
    }
}

/// A span of time in the largest unit that says it well.
struct Span(i64);

impl Span {
    fn parts(&self) -> (i64, usize) {
        let seconds = self.0 / 1_000;
        match seconds {
            0..120 => (seconds, 0),
            120..7_200 => (seconds / 60, 1),
            7_200..172_800 => (seconds / 3_600, 2),
            _ => (seconds / 86_400, 3),
        }
    }

    fn zh(&self) -> String {
        let (number, unit) = self.parts();
        format!("{number} {}", ["秒", "分钟", "小时", "天"][unit])
    }

    fn en(&self) -> String {
        let (number, unit) = self.parts();
        format!("{number} {}", ["s", "min", "h", "days"][unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_placed_an_event_is_said_with_how_sure_that_is() {
        let mut by = PlacedBy {
            address: "文平路1367弄".into(),
            u_mm: 115_200,
            reported: None,
        };
        let Both(zh, en) = placed(&by);
        assert_eq!(zh, "上报没有坐标，位置由地址“文平路1367弄”推定，±115 米。");
        assert_eq!(en, "It gave no coordinates: placed by 文平路1367弄, ±115 m.");
        by.reported = Some(city_model::Located {
            position: city_model::Position { lon_e9: 0, lat_e9: 0 },
            u_mm: 30_000,
            quality: city_model::Quality::Door,
        });
        let Both(zh, en) = placed(&by);
        assert_eq!(
            zh,
            "位置由上报坐标（±30 米）与地址“文平路1367弄”（±115 米）合并得出。"
        );
        assert_eq!(
            en,
            "Placed by its coordinates (±30 m) and by 文平路1367弄 (±115 m) together."
        );
    }

    #[test]
    fn metres_and_spans_read_as_people_say_them() {
        assert_eq!(
            (metres(60_000), metres(48_340), metres(49)),
            ("60".into(), "48.3".into(), "0".into())
        );
        assert_eq!(
            (Span(90_000).en(), Span(200 * 60_000).en()),
            ("90 s".into(), "3 h".into())
        );
        assert_eq!(Span(5 * 60_000).zh(), "5 分钟");
    }
}
