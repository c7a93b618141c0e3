//! Words of the evaluation that its table and its page share.

/// A length of time as people read it: "35 s", "12 min", "3 h 05 min".
pub(super) fn length(seconds: i64) -> String {
    match seconds {
        ..0 => format!("-{}", length(seconds.saturating_neg().max(0))),
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// How a P1 ended, in both languages.
pub(super) fn ended(how: &str) -> String {
    let zh = match how {
        "open" => "仍在办",
        "lowered" => "降级",
        "merged" => "并案",
        "resolved" => "办结",
        "closed" => "关闭",
        "false_alarm" => "误报",
        "cleared" => "传感器解除",
        "quiet" => "静默结束",
        "stale" => "超期结束",
        _ => "结束",
    };
    format!("{zh} {how}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_at_a_glance() {
        let told = [-90, 0, 59, 60, 3_599, 3_600, 11_100].map(length);
        assert_eq!(
            told,
            [
                "-1 min",
                "0 s",
                "59 s",
                "1 min",
                "59 min",
                "1 h 00 min",
                "3 h 05 min"
            ]
        );
        assert_eq!(ended("quiet"), "静默结束 quiet");
    }
}
