//! What the centre's word about incidents teaches of those that told of them: how far a device or an algorithm is believed.

/// How a share of false alarms moves the points of a witness.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustRules {
    /// So many of its incidents must have been judged before anything is concluded.
    pub judged: u32,
    /// Beyond so many, both counts are halved: what was mended is believed again.
    pub window: u32,
    /// From this percentage of false alarms on, so many points more or fewer; smallest first.
    pub steps: Vec<(u32, i32)>,
}

impl TrustRules {
    /// The points that a witness gains or loses, given how many of its incidents were judged and were false alarms.
    pub fn adjustment(&self, judged: u32, false_alarms: u32) -> i32 {
        if judged == 0 || judged < self.judged {
            return 0;
        }
        let percent = u64::from(false_alarms) * 100 / u64::from(judged);
        let reached = self
            .steps
            .iter()
            .filter(|(least, _)| percent >= u64::from(*least));
        reached
            .max_by_key(|(least, _)| *least)
            .map_or(0, |(_, points)| *points)
    }

    /// The counts after one more word about an incident.
    pub fn counted(&self, judged: u32, false_alarms: u32, is_false: bool) -> (u32, u32) {
        let (judged, false_alarms) = if self.window > 0 && judged >= self.window {
            (judged / 2, false_alarms / 2)
        } else {
            (judged, false_alarms)
        };
        (
            judged.saturating_add(1),
            false_alarms.saturating_add(u32::from(is_false)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_concluded_from_little_and_the_past_fades() {
        let rules = TrustRules {
            judged: 4,
            window: 8,
            steps: vec![(0, 1), (10, 0), (50, -5)],
        };
        assert_eq!(rules.adjustment(3, 3), 0);
        assert_eq!(rules.adjustment(4, 0), 1);
        assert_eq!(rules.adjustment(4, 1), 0);
        assert_eq!(rules.adjustment(4, 2), -5);
        assert_eq!(rules.counted(7, 7, true), (8, 8));
        assert_eq!(rules.counted(8, 8, false), (5, 4));
        assert_eq!(TrustRules::default().adjustment(100, 100), 0);
    }
}
