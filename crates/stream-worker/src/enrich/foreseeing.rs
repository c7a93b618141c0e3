//! Weather is known before what happens in it: each partition hears every warning, and the correlators do before its events.

use city_model::{EventTime, Input, Source, Warning};
use event_intake::Decision;

use super::Enrich;
use super::panics::unless_it_panics;
use crate::{InputRecord, Outbox};

impl Enrich {
    /// Hears of a weather warning that was appended then.
    pub fn hear_warning(&mut self, warning: &Warning, appended_at: EventTime) {
        self.state.hear_warning(warning, appended_at);
    }

    /// Reads a record of the weather topic, which is another partition's to decide and to count. One that is refused there is
    /// no warning here.
    pub(super) fn foresee_weather(&mut self, record: &InputRecord<'_>, out: &mut Outbox) -> bool {
        let setup = self.setup.clone();
        let Some(value) = record.value else { return true };
        if !setup.decoder.is_ready(value) {
            return false;
        }
        let decoded = setup.decoder.decode_with(Source::Weather, value, record.headers);
        let Ok(decoded) = decoded else { return true };
        let verdict = unless_it_panics(|| setup.intake.judge(&self.state, &decoded, record.timestamp));
        let Decision::Warning(warning) = verdict.result else {
            return true;
        };
        self.hear_warning(&warning, record.timestamp);
        for partition in 0..setup.partitions() {
            let warning = warning.clone();
            out.send(
                partition,
                Input::Warning {
                    warning,
                    counts: false,
                    note: None,
                },
            );
        }
        true
    }
}
