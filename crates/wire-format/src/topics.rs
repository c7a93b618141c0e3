//! The topics of the city: names, keys, cleanup, and the source that each input carries.

use std::fmt;

use city_model::{Band, Source};

/// How a topic forgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// By age.
    Delete,
    /// All but the newest record of a key.
    Compact,
    /// Both.
    CompactDelete,
}

impl Cleanup {
    /// The value of `cleanup.policy`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Cleanup::Delete => "delete",
            Cleanup::Compact => "compact",
            Cleanup::CompactDelete => "compact,delete",
        }
    }
}

macro_rules! topics {
    ($($(#[$meta:meta])* $variant:ident = $name:literal, $key:literal, $cleanup:ident, $schema:expr;)+) => {
        /// A topic.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Topic {
            $($(#[$meta])* $variant,)+
        }

        impl Topic {
            /// Every topic, inputs first.
            pub const ALL: &'static [Topic] = &[$(Topic::$variant,)+];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Topic::$variant => $name,)+ }
            }

            /// What its key is.
            pub const fn key(self) -> &'static str {
                match self { $(Topic::$variant => $key,)+ }
            }

            /// How it forgets.
            pub const fn cleanup(self) -> Cleanup {
                match self { $(Topic::$variant => Cleanup::$cleanup,)+ }
            }

            /// The Avro schema of its values; `None` where values are bytes as they came, or internal rows.
            pub const fn schema(self) -> Option<&'static str> {
                match self { $(Topic::$variant => $schema,)+ }
            }
        }
    };
}

macro_rules! avsc {
    ($name:literal) => {
        Some(include_str!(concat!("../../../schemas/", $name, ".avsc")))
    };
}

topics! {
    /// Readings.
    Sensor = "city.sensor.readings.v1", "device_id", Delete, avsc!("city.sensor.readings.v1");
    /// Hotline tickets.
    Hotline = "city.hotline.tickets.v1", "root ticket", Delete, avsc!("city.hotline.tickets.v1");
    /// Video alerts.
    Video = "city.video.alerts.v1", "camera_id", Delete, avsc!("city.video.alerts.v1");
    /// Reports of every other channel.
    Report = "city.reports.v1", "report_id", Delete, avsc!("city.reports.v1");
    /// Weather warnings.
    Weather = "city.weather.warnings.v1", "warning_id", Compact, avsc!("city.weather.warnings.v1");
    /// Silences.
    Silence = "city.silences.v1", "silence_id", Compact, avsc!("city.silences.v1");
    /// The centre's commands.
    Command = "city.incidents.commands.v1", "incident_id", Delete, avsc!("city.incidents.commands.v1");
    /// The correlator's one input log.
    Enriched = "city.events.enriched.v1", "none, by partition", Delete, avsc!("city.events.enriched.v1");
    /// The one source of truth.
    Incidents = "city.incidents.v1", "incident_id", Compact, avsc!("city.incidents.v1");
    /// Open incidents in P1.
    IncidentsP1 = "city.incidents.p1.v1", "incident_id", Compact, avsc!("city.incidents.v1");
    /// Open incidents in P2.
    IncidentsP2 = "city.incidents.p2.v1", "incident_id", Compact, avsc!("city.incidents.v1");
    /// Open incidents in P3.
    IncidentsP3 = "city.incidents.p3.v1", "incident_id", Compact, avsc!("city.incidents.v1");
    /// Open incidents in P4.
    IncidentsP4 = "city.incidents.p4.v1", "incident_id", Compact, avsc!("city.incidents.v1");
    /// What became of each record.
    Outcomes = "city.events.outcomes.v1", "source_system/event_id", CompactDelete, avsc!("city.events.outcomes.v1");
    /// Events that came too late.
    Late = "city.events.late.v1", "none, by partition", Delete, avsc!("city.events.late.v1");
    /// Refused records, untouched.
    DeadLetters = "city.deadletter.v1", "original key", Delete, None;
    /// Device and clock trouble.
    DeviceFaults = "city.device.faults.v1", "device_id", Compact, avsc!("city.device.faults.v1");
    /// Vital signs.
    Vitals = "city.vitals.v1", "layer + code", Compact, avsc!("city.vitals.v1");
    /// What counts towards the vital signs, on its way to its cells.
    VitalsFacts = "city.vitals.facts.v1", "layer + widest cell", Delete, None;
    /// State of the enrich worker.
    EnrichChangelog = "city.enrich.changelog.v1", "internal", Compact, None;
    /// State of the correlate worker.
    CorrelateChangelog = "city.correlate.changelog.v1", "internal", Compact, None;
    /// State of the vitals worker.
    VitalsChangelog = "city.vitals.changelog.v1", "internal", Compact, None;
}

impl Topic {
    /// The source that an input topic carries.
    pub const fn source(self) -> Option<Source> {
        match self {
            Topic::Sensor => Some(Source::Sensor),
            Topic::Hotline => Some(Source::Hotline),
            Topic::Video => Some(Source::Video),
            Topic::Report => Some(Source::Report),
            Topic::Weather => Some(Source::Weather),
            Topic::Silence => Some(Source::Silence),
            Topic::Command => Some(Source::Command),
            _ => None,
        }
    }

    /// The input topic of a source.
    pub const fn of(source: Source) -> Topic {
        match source {
            Source::Sensor => Topic::Sensor,
            Source::Hotline => Topic::Hotline,
            Source::Video => Topic::Video,
            Source::Report => Topic::Report,
            Source::Weather => Topic::Weather,
            Source::Silence => Topic::Silence,
            Source::Command => Topic::Command,
        }
    }

    /// The topic of the open incidents of a band.
    pub const fn of_band(band: Band) -> Topic {
        match band {
            Band::P1 => Topic::IncidentsP1,
            Band::P2 => Topic::IncidentsP2,
            Band::P3 => Topic::IncidentsP3,
            Band::P4 => Topic::IncidentsP4,
        }
    }

    /// The topic with this name.
    pub fn by_name(name: &str) -> Option<Topic> {
        Topic::ALL.iter().copied().find(|topic| topic.name() == name)
    }

    /// The topics with a schema that are for the outside: what `[output] format` is about.
    pub const OUTPUTS: [Topic; 9] = [
        Topic::Incidents,
        Topic::IncidentsP1,
        Topic::IncidentsP2,
        Topic::IncidentsP3,
        Topic::IncidentsP4,
        Topic::Outcomes,
        Topic::Late,
        Topic::DeviceFaults,
        Topic::Vitals,
    ];

    /// The registry's subject of its values' schema.
    pub fn subject(self) -> Option<String> {
        self.schema().map(|_| format!("{}-value", self.name()))
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_has_its_topic_and_back() {
        for source in Source::ALL.iter().copied() {
            assert_eq!(Topic::of(source).source(), Some(source));
        }
        for topic in Topic::ALL.iter().copied() {
            assert_eq!(Topic::by_name(topic.name()), Some(topic));
        }
        assert_eq!(Topic::ALL.len(), 22);
    }
}
