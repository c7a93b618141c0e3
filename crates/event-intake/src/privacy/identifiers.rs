//! Which identifiers name a person, and which fields of a record are identifiers that leave intake.

use std::borrow::Cow;

use city_model::{EventKey, Name, Source};
use wire_format::{Record, Text, WireArea};

use super::{PrivacyKeys, Reporter, contacts, half_width, local, numbers, scrub};

/// Least digits of a number that is looked for.
const LEAST_DIGITS: usize = 11;

/// Whether an identifier holds something personal. Nearly all are short and plain, so one look at the bytes comes first.
pub(super) fn holds_person(id: &str) -> bool {
    if id.is_ascii() {
        let digits = id.bytes().filter(u8::is_ascii_digit).count();
        return id.contains('@')
            || digits >= LEAST_DIGITS && numbers::is_in_identifier(id)
            || contacts::is_in_identifier(id)
            // What somebody typed by hand rather than a system counted.
            || id.contains([' ', '(']) && is_scrubbed(id);
    }
    let id = half_width(id);
    numbers::is_in_identifier(&id) || is_scrubbed(&id)
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
        kept.push_str(if run.len() < 10 { &run } else { "#" });
        run.clear();
        kept.extend((c != '\0').then_some(c));
    }
    kept
}

/// Whether an identifier that a caller's system gave is a landline without its area, or ends with one. Devices and
/// components count in eight digits as well, and their names have to be read by those who repair them.
pub(super) fn holds_local_number(id: &str) -> bool {
    let id = half_width(id.trim());
    let digits = id.trim_start_matches(|c: char| !c.is_ascii_digit());
    let prefix = id.get(..id.len() - digits.len()).unwrap_or_default();
    let is_apart = !prefix.ends_with(char::is_alphanumeric);
    is_apart && local::is_local(digits)
}

/// Shows every identifier of a record that leaves intake to `$see`: one list of fields, to read and to write.
macro_rules! each_identifier {
    ([$($mut:tt)?], $iter:ident, $record:expr, $see:ident) => {
        match $record {
            Record::Sensor(r) => {
                $see(& $($mut)? r.event_id, What::Id);
                $see(& $($mut)? r.source_system, What::Id);
                $see(& $($mut)? r.device_id, What::Id);
                r.component_id.$iter().for_each(|id| $see(id, What::Id));
            }
            Record::Hotline(r) => {
                $see(& $($mut)? r.event_id, What::Call);
                $see(& $($mut)? r.source_system, What::Id);
                $see(& $($mut)? r.ticket_id, What::Call);
                r.parent_ticket_id.$iter().for_each(|id| $see(id, What::Call));
                r.town_code.$iter().for_each(|id| $see(id, What::Id));
            }
            Record::Video(r) => {
                $see(& $($mut)? r.event_id, What::Id);
                $see(& $($mut)? r.source_system, What::Id);
                $see(& $($mut)? r.camera_id, What::Id);
                r.component_id.$iter().for_each(|id| $see(id, What::Id));
            }
            Record::Report(r) => {
                $see(& $($mut)? r.event_id, What::Call);
                $see(& $($mut)? r.source_system, What::Id);
                r.component_id.$iter().for_each(|id| $see(id, What::Id));
                r.town_code.$iter().for_each(|id| $see(id, What::Id));
            }
            Record::Weather(r) => {
                $see(& $($mut)? r.warning_id, What::Id);
                $see(& $($mut)? r.signal, What::Id);
                r.region_codes.$iter().for_each(|id| $see(id, What::Id));
            }
            Record::Silence(r) => {
                $see(& $($mut)? r.silence_id, What::Id);
                if let WireArea::Cells(codes) = & $($mut)? r.area {
                    codes.$iter().for_each(|id| $see(id, What::Id));
                }
            }
            Record::Command(r) => {
                $see(& $($mut)? r.command_id, What::Id);
                $see(& $($mut)? r.operator, What::Operator);
                $see(& $($mut)? r.incident_id, What::Incident);
                r.other_incident_id.$iter().for_each(|id| $see(id, What::Incident));
                r.event_ids.$iter().flatten().for_each(|id| $see(id, What::Event));
            }
        }
    };
}

impl PrivacyKeys {
    /// A record's identity as it may be published: a command's is its operator, who may go by a name.
    pub(crate) fn cover_key(&self, source: Source, key: EventKey) -> EventKey {
        let system = match source {
            Source::Command => self.cover_operator(&key.source_system),
            _ => self.cover(&key.source_system),
        };
        let id = match source {
            Source::Hotline | Source::Report => self.cover_call(&key.event_id, None),
            _ => self.cover(&key.event_id),
        };
        EventKey {
            source_system: system.unwrap_or(key.source_system),
            event_id: id.unwrap_or(key.event_id),
        }
    }

    /// The record with every identifier covered that leaves intake and names a person. `is_own` tells names of
    /// incidents, which are hashes of our own making.
    pub(crate) fn cover_record<'a>(
        &self,
        record: &'a Record<'a>,
        is_own: impl Fn(&str) -> bool,
    ) -> Cow<'a, Record<'a>> {
        let reporter = Reporter::of(record);
        let hidden = |id: &str, what: What| match what {
            What::Id => self.cover(id),
            What::Call => self.cover_call(id, reporter.as_ref()),
            What::Operator => self.cover_operator(id),
            What::Incident if is_own(id) => None,
            What::Incident => self.cover(id),
            What::Event => self.cover_reference(id),
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
            return self.cover(reference);
        };
        let (hidden_system, hidden_id) = (self.cover(system), self.cover(id));
        (hidden_system.is_some() || hidden_id.is_some()).then(|| {
            let system = hidden_system.as_deref().unwrap_or(system);
            format!("{system}/{}", hidden_id.as_deref().unwrap_or(id)).into()
        })
    }
}

#[derive(Debug, Clone, Copy)]
enum What {
    Id,
    /// Given by the system that took a caller's word.
    Call,
    Operator,
    Incident,
    Event,
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
