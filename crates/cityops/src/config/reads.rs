//! Which files a configuration was read from, and what was in them: how a later look knows whether anything changed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use city_model::{Fingerprint, Fingerprinting, fingerprint};

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
        self.remember(
            key,
            path,
            stamp,
            bytes.as_ref().ok().map(|bytes| fingerprint(bytes)),
        );
        bytes
    }

    /// The same for a file that is too large to be held whole: it goes through `read`, and to its end in any case.
    ///
    /// # Errors
    /// When it cannot be read to its end; that is remembered, too.
    pub fn stream<T>(
        &self,
        key: &str,
        path: &Path,
        read: impl FnOnce(&mut dyn BufRead) -> std::io::Result<T>,
    ) -> std::io::Result<T> {
        let stamp = Stamp::of(path);
        let mut through = Through {
            file: None,
            seen: Fingerprinting::default(),
        };
        let result = File::open(path).and_then(|file| {
            through.file = Some(file);
            let mut reader = BufReader::with_capacity(BUFFER, &mut through);
            let read = read(&mut reader);
            std::io::copy(&mut reader, &mut std::io::sink())?;
            read
        });
        let content = result.is_ok().then(|| through.seen.finish());
        self.remember(key, path, stamp, content);
        result
    }

    /// Looks at a file's content only.
    pub fn look(&self, key: &str, path: &Path) {
        // what could not be read is remembered as that
        let _ = self.stream(key, path, |_| Ok(()));
    }

    fn remember(&self, key: &str, path: &Path, stamp: Option<Stamp>, content: Option<Fingerprint>) {
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
    }

    /// The files so far.
    pub fn files(&self) -> BTreeMap<PathBuf, FileRead> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Fewer calls of the system for a file of a gigabyte.
const BUFFER: usize = 1 << 18;

/// A file, and the fingerprint of what was read of it.
struct Through {
    file: Option<File>,
    seen: Fingerprinting,
}

impl Read for &mut Through {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some(file) = &mut self.file else { return Ok(0) };
        let count = file.read(buffer)?;
        self.seen.update(&buffer[..count]);
        Ok(count)
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

        // In a stream it is the same, also when nobody reads to its end.
        let streamed = Reads::default();
        let first = streamed.stream("registry.components", &file, |reader| {
            let mut first = [0];
            reader.read_exact(&mut first).map(|()| first[0])
        });
        assert_eq!(first.unwrap(), b't');
        assert_eq!(streamed.files()[&file].content, Some(fingerprint(b"two")));
        streamed.look("registry.components", &none);
        assert_eq!(streamed.files()[&none].content, None);

        // Read again with another content: what was loaded is neither.
        reads.read("grid.layers.levels.file", &file).unwrap();
        assert_eq!(reads.files()[&file].content, None);
    }
}
