//! Keys and certificates, as operators make them.

use std::path::Path;
use std::process::Command;

/// Runs the command of that name in a folder; no argument has a space in it.
pub fn openssl(dir: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
