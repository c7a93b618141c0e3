//! Outcomes, and the reasons that stand beside them, in Chinese.

use city_model::Outcome;

/// The name of an outcome.
pub(super) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Opened => "新开事件",
        Outcome::Joined => "归入事件",
        Outcome::Continued => "持续上报",
        Outcome::Cleared => "解除信号",
        Outcome::Pending => "待核实",
        Outcome::BelowThreshold => "未达阈值",
        Outcome::DuplicateId => "编号重复",
        Outcome::NotActionable => "无需处置",
        Outcome::Silenced => "已申报施工，暂不显示",
        Outcome::Late => "迟到",
        Outcome::DeviceFault => "设备故障",
        Outcome::DeadLetter => "死信",
        Outcome::Applied => "已执行",
        Outcome::Refused => "已拒绝",
    }
}

/// Reasons as they are told in English, with the Chinese of each.
const REASONS: &[(&str, &str)] = &[
    ("older than its source may be", "早于该来源允许的时间"),
    ("decided again", "重新判定"),
    ("moved by the centre", "由中心人工移动"),
    ("no longer held back", "不再暂缓显示"),
    (
        "no such incident, or it is over for so long that it is forgotten",
        "没有该事件，或早已结束而不再保留",
    ),
    (
        "no such other incident, or it is over for so long that it is forgotten",
        "没有所指的另一事件，或早已结束而不再保留",
    ),
    (
        "the other incident is over for so long that it is forgotten",
        "另一事件早已结束而不再保留",
    ),
    (
        "it stays open: somebody told of it since it was opened again",
        "重新打开后又有人上报，事件保持未结束",
    ),
    ("the merge was taken back", "并入已撤销，随原事件移回"),
    ("the incident was merged into another", "该事件已并入其他事件"),
    (
        "the incident was merged into another: take the merge back there",
        "该事件已并入其他事件，请在那里撤销并入",
    ),
    ("the incident is closed", "该事件已结束"),
    ("the incident is open", "该事件仍在处理中"),
    ("the incident is no part of another", "该事件没有并入其他事件"),
    ("the incident was not dispatched", "该事件尚未派遣"),
    ("the incident was not resolved", "该事件尚未处置完成"),
    ("the centre handles the incident", "中心正在处置该事件"),
    ("the centre closed the incident", "该事件已由中心结束"),
    ("a split needs events", "拆分须指明上报"),
    ("the other incident is closed", "另一事件已结束"),
    ("the other incident is the same one", "两个是同一事件"),
    (
        "the other incident was merged into another",
        "另一事件已并入其他事件",
    ),
    (
        "the other incident had a command since: take that one back first",
        "另一事件此后又有指令，请先撤销那一条",
    ),
    ("the two are of kinds that never meet", "两者类别不能合并"),
    ("there is no command to take back", "没有可撤销的指令"),
    ("nothing would be left of the incident", "原事件将不剩任何上报"),
    ("an extension needs a deadline", "延期须给出时限"),
    (
        "an extension needs a deadline that is to come",
        "延期的时限须在将来",
    ),
    ("a pin needs a band", "固定优先级须给出级别"),
    ("the priority is not pinned", "优先级没有固定"),
    (
        "the handling is open again: what came into it is not resolved",
        "处置重新开始：并入的内容尚未处置完成",
    ),
    ("no reason was told", "未注明原因"),
];

/// A reason in Chinese. One that is not in the table names things: it is told as it is, as a quotation.
pub(super) fn reason(told: &str) -> String {
    if let Some((_, zh)) = REASONS.iter().find(|(en, _)| *en == told) {
        return (*zh).to_owned();
    }
    match told.strip_prefix("silence ") {
        Some(id) => format!("施工申报 {id}"),
        None => format!("原文：{told}"),
    }
}
