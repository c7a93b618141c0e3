//! By which of the city's rules a record came to its kind.

use event_intake::privacy::scrub;
use wire_format::{Record, Text};

use super::{Desk, category_of};

/// What a ticket or report says of its subject.
pub(super) struct Filed<'a> {
    pub(super) standard: Option<&'a str>,
    pub(super) code: Option<&'a str>,
    pub(super) names: &'a [Text<'a>],
    pub(super) texts: [Option<&'a str>; 2],
    pub(super) cites: bool,
}

/// The rule, in words; what it quotes is scrubbed.
pub(super) fn of(desk: &Desk<'_>, record: &Record<'_>, kind: &str) -> String {
    let rules = &desk.setup.rules;
    let is_kind = |id: city_rules::KindId| rules.kind(id).name.as_str() == kind;
    let system = |record_system: &str| {
        let configured = desk.configured(Some(record_system));
        configured.and_then(|source| source.code_system.as_deref())
    };
    match record {
        Record::Sensor(reading) => return format!("metric {}", scrub(&reading.metric)),
        Record::Video(alert) => {
            let own = alert.code_system.as_deref();
            let of = own.or_else(|| system(&alert.source_system));
            return format!(
                "alert_code {} of {}",
                scrub(&alert.alert_code),
                scrub(of.unwrap_or_default())
            );
        }
        _ => {}
    }
    let Some(filed) = category_of(record) else {
        return String::new();
    };
    let record_system = match record {
        Record::Hotline(r) => r.source_system.as_str(),
        Record::Report(r) => r.source_system.as_str(),
        _ => "",
    };
    let standard = filed.standard.or_else(|| system(record_system));
    if let (Some(standard), Some(code)) = (standard, filed.code)
        && rules
            .map_code(standard, code)
            .is_some_and(|mapped| is_kind(mapped.kind))
    {
        return format!("category_code {} of {}", scrub(code), scrub(standard));
    }
    let by_name = |name: &&Text<'_>| rules.map_name(name).is_some_and(is_kind);
    if let Some(name) = filed.names.iter().rev().find(by_name) {
        return format!("category \"{}\"", scrub(name));
    }
    let text = filed.texts.map(Option::unwrap_or_default).join("。");
    if rules.map_words(&text).into_iter().any(is_kind) {
        return "words of title and content".to_owned();
    }
    if filed.cites {
        "the ticket that it cites".to_owned()
    } else {
        "category or words, and what stands near its place".to_owned()
    }
}
