//! Hashes: of events for ids, of files for the replay's digest, and of the grouping alone.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::EventKey;

/// The first 16 bytes of a SHA-256.
pub type Fingerprint = [u8; 16];

/// The fingerprint of some bytes.
pub fn fingerprint(bytes: &[u8]) -> Fingerprint {
    let mut whole = Fingerprinting::default();
    whole.update(bytes);
    whole.finish()
}

/// The fingerprint of bytes that come piece by piece.
#[derive(Debug, Default)]
pub struct Fingerprinting(Sha256);

impl Fingerprinting {
    /// The next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The fingerprint of all pieces.
    pub fn finish(self) -> Fingerprint {
        let mut out = [0; 16];
        out.copy_from_slice(&self.0.finalize()[..16]);
        out
    }
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

/// The SHA-256 of some bytes, in hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Names a grouping of events, whatever the incidents are called: the SHA-256 of the sorted lines `root<TAB>event`,
/// where root is the least event of the incident.
#[derive(Debug, Default)]
pub struct GroupingDigest {
    groups: BTreeMap<String, Vec<String>>,
}

impl GroupingDigest {
    /// Adds an event to the incident called `incident`.
    pub fn add(&mut self, incident: &str, event: &EventKey) {
        self.add_text(incident, &event.to_string());
    }

    /// Adds an event by its text `source_system/event_id`.
    pub fn add_text(&mut self, incident: &str, event: &str) {
        self.groups
            .entry(incident.to_owned())
            .or_default()
            .push(event.to_owned());
    }

    /// The digest in hexadecimal. Lines are joined by a line feed, without one at the end.
    pub fn finish(self) -> String {
        let mut lines = Vec::new();
        for events in self.groups.into_values() {
            if let Some(root) = events.iter().min().cloned() {
                lines.extend(events.into_iter().map(|event| format!("{root}\t{event}")));
            }
        }
        lines.sort_unstable();
        sha256_hex(lines.join("\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grouping_alone_decides_the_digest() {
        let digest = |pairs: &[(&str, &str)]| {
            let mut digest = GroupingDigest::default();
            for (incident, event) in pairs {
                digest.add(incident, &EventKey::new("s", event));
            }
            digest.finish()
        };
        let one = digest(&[("a", "1"), ("a", "2"), ("b", "3")]);
        assert_eq!(one, digest(&[("x", "3"), ("y", "2"), ("y", "1")]));
        assert_ne!(one, digest(&[("a", "1"), ("b", "2"), ("b", "3")]));
        assert_eq!(
            digest(&[("a", "1")]),
            sha256_hex(b"s/1\ts/1"),
            "one line, no line feed at the end"
        );
    }
}
