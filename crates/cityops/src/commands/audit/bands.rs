//! The topic of each band beside `city.incidents.v1`.

use std::collections::BTreeSet;

use city_model::Band;
use serde::Deserialize;

use super::published::Published;

/// What the topic of a band says otherwise than `city.incidents.v1`. Each may have moved while the other was read, so one of the
/// words of the one must agree with one of the other's.
pub(super) fn unlike(band: Band, shown: &Published, published: &Published) -> Vec<String> {
    let keys: BTreeSet<_> = shown.incidents.keys().chain(published.incidents.keys()).collect();
    let words = |of: &Published, key: &Vec<u8>| -> Vec<Option<Told>> {
        let said = of.incidents.get(key).map_or(&[None][..], Vec::as_slice);
        said.iter()
            .map(|word| Told::in_band(band, word.as_deref()))
            .collect()
    };
    let mut differences = Vec::new();
    for key in keys {
        let (told, truth) = (words(shown, key), words(published, key));
        if told.iter().any(|told| truth.contains(told)) {
            continue;
        }
        let name = String::from_utf8_lossy(key);
        let topic = &shown.topic;
        differences.push(
            match (
                told.last().and_then(Option::as_ref),
                truth.last().and_then(Option::as_ref),
            ) {
                (None, _) => format!("{name}: open in {band}, and not in {topic}"),
                (_, None) => format!("{name}: in {topic}, and not open in {band}"),
                (Some(told), Some(truth)) => {
                    format!(
                        "{name}: revision {} in {topic} was {}",
                        told.revision, truth.revision
                    )
                }
            },
        );
    }
    differences
}

/// An open incident, as far as a band's topic must agree.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Told {
    revision: u64,
    status: String,
    priority: Ranked,
    #[serde(default)]
    superseded: bool,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Ranked {
    band: Band,
}

impl Told {
    /// What a record tells of an open incident in a band; `None` where it is not open, not in the band, or taken back.
    fn in_band(band: Band, json: Option<&[u8]>) -> Option<Told> {
        let told: Told = serde_json::from_slice(json?).ok()?;
        (told.status == "OPEN" && told.priority.band == band && !told.superseded).then_some(told)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_band_s_topic_is_held_to_the_truth_of_the_same_time() {
        let word = |revision: u64, status: &str, band: &str, superseded: bool| {
            let told = serde_json::json!({"revision": revision, "status": status, "priority": {"band": band}, "superseded": superseded});
            Some(told.to_string().into_bytes())
        };
        let topic = |words: &[Option<Vec<u8>>]| Published {
            topic: "p1".to_owned(),
            ends: Vec::new(),
            incidents: BTreeMap::from([(b"a".to_vec(), words.to_vec())]),
        };
        let nothing = || Published {
            incidents: BTreeMap::new(),
            ..topic(&[])
        };
        let found = |shown: &Published, truth: &Published| unlike(Band::P1, shown, truth).join(", ");
        let open = topic(&[word(2, "OPEN", "P1", false)]);
        assert_eq!(found(&open, &open), "");
        assert_eq!(found(&nothing(), &open), "a: open in P1, and not in p1");
        assert_eq!(found(&topic(&[None]), &open), "a: open in P1, and not in p1");
        assert_eq!(
            found(&topic(&[word(2, "OPEN", "P1", true)]), &open),
            "a: open in P1, and not in p1"
        );
        let closed = topic(&[word(3, "CLOSED", "P1", false)]);
        assert_eq!(found(&open, &closed), "a: in p1, and not open in P1");
        assert_eq!(found(&nothing(), &closed), "");
        let lower = topic(&[word(3, "OPEN", "P2", false)]);
        assert_eq!(found(&open, &lower), "a: in p1, and not open in P1");
        let newer = topic(&[word(3, "OPEN", "P1", false)]);
        assert_eq!(found(&open, &newer), "a: revision 2 in p1 was 3");
        // It moved while both were read.
        let moved = topic(&[word(2, "OPEN", "P1", false), word(3, "OPEN", "P1", false)]);
        assert_eq!(found(&open, &moved), "");
        assert_eq!(found(&newer, &moved), "");
    }
}
