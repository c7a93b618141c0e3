//! Which identifiers name a person, and which fields of a record are identifiers that leave intake.

use std::borrow::Cow;

use city_model::{EventKey, Name, Source};
use wire_format::{Record, Text, WireArea};

use super::{PrivacyKeys, Reporter, contacts, documents, half_width, local, numbers, plain, scrub};

/// Least digits of a number that is looked for.
const LEAST_DIGITS: usize = 11;

/// Whether any identifier holds something personal. Nearly all are short and plain, so one look at the bytes comes first.
pub(super) fn holds_person(id: &str) -> bool {
    if id.is_ascii() {
        let digits = id.bytes().filter(u8::is_ascii_digit).count();
        return digits >= LEAST_DIGITS && numbers::is_in_identifier(id)
            || contacts::is_in_identifier(id)
            // What somebody typed by hand rather than a system counted.
            || id.contains([' ', '(', '#']) && is_scrubbed(id);
    }
    let id = half_width(id);
    numbers::is_in_identifier(&id) || contacts::is_in_identifier(&id) || is_scrubbed(&id)
}

/// Whether the name of something that was told holds something personal, by all that texts are searched for. Names of
/// devices and components are built alike and have to be read by those who repair them, so they are asked for less.
pub(super) fn event_holds_person(id: &str) -> bool {
    if plain::is_plain(id) {
        return false;
    }
    let id = half_width(id.trim());
    may_hold_person(&id) && is_found_in(&id)
}

/// Whether an identifier has the signs of what is looked for; nearly all have none.
fn may_hold_person(id: &str) -> bool {
    let (mut letter, mut digits, mut hyphens, mut before) = (false, 0, 0, 0);
    for byte in id.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            _ => (letter, digits) = (byte.is_ascii_alphabetic(), 0),
        }
        hyphens += u8::from(byte == b'-' && hyphens < 2);
        let is_sign = matches!(byte, b' ' | b'.' | b'#' | b'f' | b'F' | 0x80..);
        // A document's digits, a half of a landline.
        if is_sign
            || is_cue(before, byte)
            || letter && digits >= 6
            || hyphens > 0 && digits == 4
            || hyphens > 1
        {
            return true;
        }
        before = byte;
    }
    false
}

/// Whether two letters are what a chat's number stands behind, or a plate of the armed police.
pub(super) fn is_cue(one: u8, other: u8) -> bool {
    matches!(
        (one | 0x20, other | 0x20),
        (b'q', b'q') | (b'w' | b'v', b'x') | (b'w', b'e' | b'j')
    )
}

pub(super) fn is_found_in(id: &str) -> bool {
    let without = without_long_numbers(id);
    // What a sign parts from a prefix is looked at by itself.
    let parts = without.replace(['-', '_'], " ");
    let is_document = documents::find(&parts).iter().any(|found| {
        parts
            .get(found.from..found.to)
            .is_some_and(|what| !is_count(what))
    });
    is_document
        || local::is_parted(after_prefix(id))
        || contacts::is_in_event(id)
        || super::passed(&without, &super::WITHOUT_DOCUMENTS).is_some()
}

/// Whether a letter and digits are a day's or a counter's rather than a document's: S20250616, T00001234.
fn is_count(what: &str) -> bool {
    let digits = what.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.starts_with("000") || local::is_day(digits)
}

fn is_scrubbed(id: &str) -> bool {
    let id = without_long_numbers(id);
    scrub(&id) != id
}

/// Digits mean many things in an identifier, and were looked at already; what else is personal shows without them.
fn without_long_numbers(id: &str) -> String {
    let mut kept = String::with_capacity(id.len());
    let mut run = String::new();
    for c in id.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            run.push(c);
            continue;
        }
        kept.push_str(if run.len() < 10 { &run } else { "_" });
        run.clear();
        kept.extend((c != '\0').then_some(c));
    }
    kept
}

/// Whether an identifier that a caller's system gave is a landline without its area, or ends with one. Devices and
/// components count in eight digits as well, and their names have to be read by those who repair them.
pub(super) fn holds_local_number(id: &str) -> bool {
    local::is_local(after_prefix(&half_width(id.trim())))
}

/// What stands behind an identifier's prefix, from the first digit on; nothing where no sign parts the two.
fn after_prefix(id: &str) -> &str {
    let digits = id.trim_start_matches(|c: char| !c.is_ascii_digit());
    let prefix = id.get(..id.len() - digits.len()).unwrap_or_default();
    if prefix.ends_with(char::is_alphanumeric) {
        ""
    } else {
        digits
    }
}

/// Shows every identifier of a record that leaves intake to `$see`: one list of fields, to read and to write.
macro_rules! each_identifier {
    ([$($mut:tt)?], $iter:ident, $record:expr, $see:ident) => {
        match $record {
            Record::Sensor(r) => {
                $see(& $($mut)? r.event_id, What::Event);
                $see(& $($mut)? r.source_system, What::Event);
                $see(& $($mut)? r.device_id, What::Id);
                r.component_id.$iter().for_each(|id| $see(id, What::Id));
            }
            Record::Hotline(r) => {
                $see(& $($mut)? r.event_id, What::Call);
                $see(& $($mut)? r.source_system, What::Event);
                $see(& $($mut)? r.ticket_id, What::Call);
                r.parent_ticket_id.$iter().for_each(|id| $see(id, What::Call));
                r.town_code.$iter().for_each(|id| $see(id, What::Place));
            }
            Record::Video(r) => {
                $see(& $($mut)? r.event_id, What::Event);
                $see(& $($mut)? r.source_system, What::Event);
                $see(& $($mut)? r.camera_id, What::Id);
                r.component_id.$iter().for_each(|id| $see(id, What::Id));
            }
            Record::Report(r) => {
                $see(& $($mut)? r.event_id, What::Call);
                $see(& $($mut)? r.source_system, What::Event);
                r.component_id.$iter().for_each(|id| $see(id, What::Id));
                r.town_code.$iter().for_each(|id| $see(id, What::Place));
            }
            Record::Weather(r) => {
                $see(& $($mut)? r.warning_id, What::Event);
                $see(& $($mut)? r.signal, What::Id);
                r.region_codes.$iter().for_each(|id| $see(id, What::Place));
            }
            Record::Silence(r) => {
                $see(& $($mut)? r.silence_id, What::Event);
                if let WireArea::Cells(codes) = & $($mut)? r.area {
                    codes.$iter().for_each(|id| $see(id, What::Place));
                }
            }
            Record::Command(r) => {
                $see(& $($mut)? r.command_id, What::Event);
                $see(& $($mut)? r.operator, What::Operator);
                $see(& $($mut)? r.incident_id, What::Incident);
                r.other_incident_id.$iter().for_each(|id| $see(id, What::Incident));
                r.event_ids.$iter().flatten().for_each(|id| $see(id, What::Reference));
            }
        }
    };
}

impl PrivacyKeys {
    /// A record's identity as it may be published: a command's is its operator, who may go by a name.
    pub(crate) fn cover_key(&self, source: Source, key: EventKey) -> EventKey {
        let system = match source {
            Source::Command => self.cover_operator(&key.source_system),
            _ => self.cover_event(&key.source_system),
        };
        let id = match source {
            Source::Hotline | Source::Report => self.cover_call(&key.event_id, None),
            _ => self.cover_event(&key.event_id),
        };
        EventKey {
            source_system: system.unwrap_or(key.source_system),
            event_id: id.unwrap_or(key.event_id),
        }
    }

    /// The record with every identifier covered that leaves intake and names a person. `is_own` tells names of
    /// incidents, which are hashes of our own making; `is_place` the grid's own codes, some of which are built like an
    /// identity number of the first generation.
    pub(crate) fn cover_record<'a>(
        &self,
        record: &'a Record<'a>,
        is_own: impl Fn(&str) -> bool,
        is_place: impl Fn(&str) -> bool,
    ) -> Cow<'a, Record<'a>> {
        let reporter = Reporter::of(record);
        let hidden = |id: &str, what: What| match what {
            What::Place if is_place(id.trim()) => None,
            What::Id | What::Place => self.cover(id),
            What::Call => self.cover_call(id, reporter.as_ref()),
            What::Operator => self.cover_operator(id),
            What::Incident if is_own(id) => None,
            What::Incident => self.cover(id),
            What::Event => self.cover_event(id),
            What::Reference => self.cover_reference(id),
        };
        let mut any = false;
        let mut look = |id: &str, what| any |= hidden(id, what).is_some();
        each_identifier!([], iter, record, look);
        if !any {
            return Cow::Borrowed(record);
        }
        let mut covered = record.clone();
        let cover = |id: &mut Text<'_>, what| {
            if let Some(hidden) = hidden(id, what) {
                *id = hidden.to_string().into();
            }
        };
        each_identifier!([mut], iter_mut, &mut covered, cover);
        Cow::Owned(covered)
    }

    /// A name of an event as a command gives it: its system and its id are covered as any identifier is. A call's may have
    /// been published covered where this finds nothing, by [`PrivacyKeys::cover_call`]: a command cites what was published.
    fn cover_reference(&self, reference: &str) -> Option<Name> {
        let Some((system, id)) = reference.split_once('/') else {
            return self.cover_event(reference);
        };
        let (hidden_system, hidden_id) = (self.cover_event(system), self.cover_event(id));
        (hidden_system.is_some() || hidden_id.is_some()).then(|| {
            let system = hidden_system.as_deref().unwrap_or(system);
            format!("{system}/{}", hidden_id.as_deref().unwrap_or(id)).into()
        })
    }
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// A device's, a component's.
    Id,
    /// A cell's, a town's, a region's.
    Place,
    /// Of something that was told, or of the system that told it.
    Event,
    /// Given by the system that took a caller's word.
    Call,
    Operator,
    Incident,
    /// Of an event, with its system.
    Reference,
}

/// Whether a name of an incident has the form that we give it; the hash at its end may look like anything.
pub(crate) fn is_incident_of_ours(id: &str, is_group: impl Fn(&str) -> bool) -> bool {
    let Some((rest, hash)) = id.rsplit_once('-') else {
        return false;
    };
    let is_hash = hash.len() == 16 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_hash
        && rest
            .split_once('-')
            .is_some_and(|(city, group)| city.len() <= 6 && is_group(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_people_and_of_things() {
        let all = [
            "13812345678",
            "W-13812345678",
            "31011719800101123X",
            "6222021234567890128",
            "6222021234567890123",
            "T-6222021234567890123",
            "zhangsan@qq.com",
            "zhangsan AT qq.com",
            "zhangsan_at_qq.com",
            "沪A12345",
            "沪A一二三四五",
            "T沪A一二三四五",
            "wx: zhangsan88",
            "3#502",
            "T G12345678 2",
            "A123456(7)",
            "zhangsan(at)qq.com",
            "工单(张先生)",
        ];
        let events = [
            "5781-2345",
            "T-5781-2345",
            "G12345678",
            "T-G12345678",
            "E12345678",
            "EA1234567",
            "qq1234567890",
            "12-2-301",
            "Mr.Zhang",
            "５７８１－２３４５",
        ];
        let calls = [
            "57812345",
            "T-57812345",
            "张三",
            "张建国-2",
            "T-王小明",
            "欧阳明日",
        ];
        let none = [
            "SJ20250616000123",
            "CASE-5781-2345-01",
            "550e8400-e29b-41d4-a716-446655440000",
            "20250616123456789012",
            "GD-2025-1234",
            "2025-1234",
            "S20250616",
            "T00001234",
            "SG12345678",
            "3101170101013812",
            "",
            "W-17",
            "工单-001",
            "松江-001",
            "金山-17",
            "闵行-3",
            "1750000000123",
            "202506160001",
            "H5",
            "12345",
            "方松街道-3",
            "h-abcdefghijklmnop",
            "WXDEVICE01",
            "wx-device-17",
            "wx-20250616",
            "01J8XZ5E6W7N8K9M0P1Q2R3S4T",
            "sha-at-12",
            "G60-12",
        ];
        let keys = PrivacyKeys::new(b"key", None);
        let covered = |id: &str| {
            [
                keys.cover(id).is_some(),
                keys.cover_event(id).is_some(),
                keys.cover_call(id, None).is_some(),
            ]
        };
        let mut wrong = Vec::new();
        for (list, expected) in [
            (&all[..], [true, true, true]),
            (&events, [false, true, true]),
            (&calls, [false, false, true]),
            (&none, [false, false, false]),
        ] {
            let differ = list.iter().filter(|id| covered(id) != expected);
            wrong.extend(differ.map(|id| format!("{id} {:?}", covered(id))));
        }
        assert_eq!(wrong, Vec::<String>::new());
        // Each goes on naming one thing.
        let every = all.iter().chain(&events).chain(&calls);
        let shown: std::collections::BTreeSet<_> =
            every.clone().map(|id| keys.cover_call(id, None)).collect();
        assert_eq!(shown.len(), every.count());
    }

    proptest::proptest! {
        #[test]
        fn nobody_stands_in_an_identifier_that_is_passed_over(id in "([A-Za-z]|[0-9]{1,4}|[0-9]{6,9}|5781|[-_ .#()@]|qq|WX|vx|we|WJ|Mr|20F03|室|张三|先生){0,8}") {
            proptest::prop_assert!(may_hold_person(&id) || !is_found_in(&id), "{}", id);
        }
    }
}
