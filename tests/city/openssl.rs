//! Keys and certificates, as operators make them.

use std::path::Path;
use std::process::Command;

/// Runs the command of that name in a folder; no argument has a space in it.
pub fn openssl(dir: &Path, arguments: &str) {
    super::succeed(
        Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(dir),
    );
}
