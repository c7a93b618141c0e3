//! The program: commands, configuration, HTTP, metrics, supervision.
