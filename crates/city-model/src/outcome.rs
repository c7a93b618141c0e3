//! The closed sets of what can become of a record, with their names on the wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name that is not in the closed set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName(pub String);

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown name {:?}", self.0)
    }
}

impl std::error::Error for UnknownName {}

/// Declares an enum whose members have one name each, the same in text, JSON and metrics.
macro_rules! closed_set {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vmeta])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every member, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<$name, UnknownName> {
                match text {
                    $($text => Ok($name::$variant),)+
                    other => Err(UnknownName(other.to_owned())),
                }
            }
        }
    };
}
pub(crate) use closed_set;

closed_set! {
    /// What became of an input record. Exactly one at any time.
    Outcome {
        /// Opened an incident.
        Opened = "opened",
        /// Joined an incident and counts as a member.
        Joined = "joined",
        /// The same device or camera goes on reporting what is already a member.
        Continued = "continued",
        /// A clear signal: the trouble is over as far as this device can tell.
        Cleared = "cleared",
        /// Waits for confirmation.
        Pending = "pending",
        /// A reading that is no alarm.
        BelowThreshold = "below_threshold",
        /// This event id was seen before.
        DuplicateId = "duplicate_id",
        /// No physical incident at a place: an inquiry, a compliment.
        NotActionable = "not_actionable",
        /// Held back by a silence.
        Silenced = "silenced",
        /// Too late to take part in a decision.
        Late = "late",
        /// Trouble of the device, not of the city.
        DeviceFault = "device_fault",
        /// Refused; in the dead letters with its reason.
        DeadLetter = "deadletter",
        /// A command, warning or silence that took effect.
        Applied = "applied",
        /// A command, warning or silence that was refused.
        Refused = "refused",
    }
}

impl Outcome {
    /// Whether an event with this outcome belongs to an incident.
    pub const fn belongs(self) -> bool {
        matches!(self, Outcome::Opened | Outcome::Joined | Outcome::Continued)
    }
}

closed_set! {
    /// Why a record was refused.
    DeadLetterReason {
        /// Not JSON, or not an object.
        BadJson = "bad_json",
        /// Avro bytes that do not fit their schema.
        BadAvro = "bad_avro",
        /// A schema id or fingerprint that is not known.
        UnknownSchema = "unknown_schema",
        /// Text that is not UTF-8.
        BadUtf8 = "bad_utf8",
        /// A mandatory field is absent or null.
        MissingField = "missing_field",
        /// A field with a value of the wrong type or outside its range.
        BadValue = "bad_value",
        /// A source system that the configuration does not list.
        UnknownSource = "unknown_source",
        /// No usable time.
        NoTime = "no_time",
        /// Older than anything that can be judged.
        TimeTooOld = "time_too_old",
        /// Coordinates outside the city.
        CoordOutOfBbox = "coord_out_of_bbox",
        /// Coordinates in an unknown system.
        CrsMissing = "crs_missing",
        /// A category that no rule maps.
        CodeUnknown = "code_unknown",
        /// Over the size limit.
        TooLarge = "too_large",
        /// Deciding it failed.
        ProcessingFailed = "processing_failed",
    }
}
