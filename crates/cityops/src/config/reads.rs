//! Which files a configuration was read from, and what was in them: how a later look knows whether anything changed.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use city_model::{Fingerprint, fingerprint};

/// What the file system says of a file without reading it. A file put in another's place, as by a rename or by the
/// symbolic links of a mounted config map, has another inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    size: u64,
    device: u64,
    inode: u64,
    modified_ns: (i64, i64),
    /// Also moves when a tool sets the modification time back.
    changed_ns: (i64, i64),
}

impl Stamp {
    /// The stamp of what a path leads to; `None` when it leads nowhere.
    pub fn of(path: &Path) -> Option<Stamp> {
        let found = std::fs::metadata(path).ok()?;
        Some(Stamp {
            size: found.size(),
            device: found.dev(),
            inode: found.ino(),
            modified_ns: (found.mtime(), found.mtime_nsec()),
            changed_ns: (found.ctime(), found.ctime_nsec()),
        })
    }
}

/// One file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRead {
    /// The key that names it; empty for the configuration itself.
    pub key: String,
    /// Its stamp, taken before it was read: whatever happens to it later shows.
    pub stamp: Option<Stamp>,
    /// What was in it; `None` when it could not be read.
    pub content: Option<Fingerprint>,
}

impl FileRead {
    /// Whether a running process may take new content of it.
    pub fn may_change(&self) -> bool {
        let section = self.key.split('.').next().unwrap_or_default();
        matches!(section, "" | "grid" | "registry" | "rules")
    }
}

/// Every file read for one configuration, by its path.
#[derive(Debug, Clone, Default)]
pub struct Reads(Arc<Mutex<BTreeMap<PathBuf, FileRead>>>);

impl Reads {
    /// Reads a file that `key` names, and remembers it.
    ///
    /// # Errors
    /// When it cannot be read; that is remembered, too.
    pub fn read(&self, key: &str, path: &Path) -> std::io::Result<Vec<u8>> {
        let stamp = Stamp::of(path);
        let bytes = std::fs::read(path);
        let content = bytes.as_ref().ok().map(|bytes| fingerprint(bytes));
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = files.entry(path.to_owned()).or_insert_with(|| FileRead {
            key: key.to_owned(),
            stamp,
            content,
        });
        if read.content != content {
            // Two levels read the same file, and it changed between them: what was loaded is not what is there.
            read.content = None;
        }
        bytes
    }

    /// The files so far.
    pub fn files(&self) -> BTreeMap<PathBuf, FileRead> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_remembers_key_stamp_and_content() {
        let dir = tempfile::tempdir().unwrap();
        let (file, none) = (dir.path().join("a"), dir.path().join("none"));
        std::fs::write(&file, "one").unwrap();
        let reads = Reads::default();
        assert_eq!(reads.read("grid.layers.levels.file", &file).unwrap(), b"one");
        assert!(reads.read("schemas.files", &none).is_err());
        let files = reads.files();
        assert_eq!(files[&file].stamp, Stamp::of(&file));
        assert_eq!(files[&file].content, Some(fingerprint(b"one")));
        assert_eq!((files[&none].stamp, files[&none].content), (None, None));
        assert!(files[&file].may_change() && !files[&none].may_change());

        // Same size and time, put in its place by a rename: another inode.
        let time = std::fs::metadata(&file).unwrap().modified().unwrap();
        let other = dir.path().join("b");
        std::fs::write(&other, "two").unwrap();
        std::fs::File::open(&other).unwrap().set_modified(time).unwrap();
        std::fs::rename(&other, &file).unwrap();
        assert_ne!(Stamp::of(&file), files[&file].stamp);

        // Read again with another content: what was loaded is neither.
        reads.read("grid.layers.levels.file", &file).unwrap();
        assert_eq!(reads.files()[&file].content, None);
    }
}
