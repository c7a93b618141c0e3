//! How the program ends: exit codes with a meaning.

use std::fmt;

use city_rules::ConfigError;

/// The exit codes of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All went well.
    Clean = 0,
    /// Something failed while running.
    Failure = 1,
    /// The command line made no sense.
    Usage = 2,
    /// A check or verification found differences, or a row of a table is no place.
    Differences = 3,
    /// Kafka cannot be reached.
    Unreachable = 69,
    /// The configuration is wrong.
    BadConfiguration = 78,
}

/// An error that ends the program with an exit code of its own.
#[derive(Debug)]
pub struct ExitWith {
    /// The code.
    pub exit: Exit,
    /// What to say.
    pub message: String,
}

impl fmt::Display for ExitWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExitWith {}

/// A wrong configuration.
pub fn bad_configuration(message: impl Into<String>) -> anyhow::Error {
    ExitWith {
        exit: Exit::BadConfiguration,
        message: message.into(),
    }
    .into()
}

/// A broker that does not answer.
pub fn unreachable(message: impl Into<String>) -> anyhow::Error {
    ExitWith {
        exit: Exit::Unreachable,
        message: message.into(),
    }
    .into()
}

/// A command line that makes no sense.
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    ExitWith {
        exit: Exit::Usage,
        message: message.into(),
    }
    .into()
}

/// The exit code of an error.
pub fn of_error(error: &anyhow::Error) -> Exit {
    if let Some(with) = error.downcast_ref::<ExitWith>() {
        with.exit
    } else if error.downcast_ref::<ConfigError>().is_some() {
        Exit::BadConfiguration
    } else {
        Exit::Failure
    }
}
