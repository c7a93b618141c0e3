//! What to do about a refusal, in a sentence.

use city_model::DeadLetterReason;
use wire_format::Refusal;

/// The advice for a refusal.
pub(super) fn of(refusal: &Refusal) -> &'static str {
    use DeadLetterReason::*;
    match refusal.reason {
        BadJson => "Send one JSON object a record, in UTF-8, nothing before or behind it.",
        BadAvro => "Write the datum by the schema that its frame names.",
        UnknownSchema => {
            "Add the writer's schema under [schemas.files] by its registry id, or use the built-in ids."
        }
        BadUtf8 => "Send UTF-8; text in GBK or GB18030 has to be converted.",
        MissingField => "The field is mandatory and may not be null; schemas/*.avsc say what it means.",
        BadValue if refusal.detail.starts_with("unit:") => {
            "The unit does not measure this metric; leave it out to use the metric's own."
        }
        BadValue => "The field has another type or range; schemas/*.avsc say which.",
        UnknownSource => {
            "Add [sources.NAME] for this source_system, or [sources.default] for all that are not listed."
        }
        NoTime => "Send epoch milliseconds or RFC 3339; a time without a zone is the city's.",
        TimeTooOld => {
            "It lies more than 366 days before it came: seconds for milliseconds, perhaps, or an old backlog."
        }
        CoordOutOfBbox if refusal.detail.contains("not on the earth") => {
            "These numbers are no place in that system: degrees and metres, or the axes, may be mixed up."
        }
        CoordOutOfBbox => {
            "It lies more than 50 km outside the grid: axes, coordinate system or city may be others."
        }
        CrsMissing => {
            "Name WGS84, CGCS2000, GCJ02, BD09 or SH2000, or leave it out and set it under [sources.NAME]."
        }
        CodeUnknown if refusal.detail.starts_with("metric") => {
            "No rule reads this metric: map it to a known one, or add it in a rules file."
        }
        CodeUnknown => {
            "No rule maps it: name the code's standard, or add the code, name or words in a rules file."
        }
        TooLarge => "Send pictures by their address, not in the record.",
        ProcessingFailed => "A mistake of this program: please report it.",
    }
}
