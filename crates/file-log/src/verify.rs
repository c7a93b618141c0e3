//! Compares two replay outputs file by file.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The file's name.
    pub file: String,
    /// The first line that differs, from 1; `None` when the file is missing on one side.
    pub line: Option<usize>,
    /// What differs.
    pub detail: String,
}

/// The differences between the files of `old` and those of `new`, over every file that either has of the replay's own.
///
/// # Errors
/// When a file cannot be read.
pub fn verify(old: &Path, new: &Path) -> anyhow::Result<Vec<Difference>> {
    let mut differences = Vec::new();
    for file in crate::outputs::FILES {
        let (a, b) = (read(&old.join(file))?, read(&new.join(file))?);
        match (a, b) {
            (None, None) => {}
            // Evidence is written on request only, and older versions did not say what told of an incident.
            (Some(_), None) | (None, Some(_))
                if file == crate::outputs::EVIDENCE || file == crate::outputs::TOLD_BY => {}
            (Some(_), None) => differences.push(missing(file, "missing in the new output")),
            (None, Some(_)) => differences.push(missing(file, "missing in the old output")),
            (Some(a), Some(b)) if a != b => {
                // Up to the first byte that differs the two have the same lines.
                let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
                let line = a[..same].iter().filter(|byte| **byte == b'\n').count() + 1;
                differences.push(Difference {
                    file: file.to_owned(),
                    line: Some(line),
                    detail: "the contents differ".to_owned(),
                });
            }
            _ => {}
        }
    }
    Ok(differences)
}

fn missing(file: &str, detail: &str) -> Difference {
    Difference {
        file: file.to_owned(),
        line: None,
        detail: detail.to_owned(),
    }
}

fn read(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}
