//! When changed files are worth reading: at the second look that finds them as the first one did.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::config::{FileRead, Stamp};

/// The files that are looked at, each as it was seen last.
#[derive(Debug, Default)]
pub(super) struct Watched {
    seen: BTreeMap<PathBuf, Option<Stamp>>,
    changed: bool,
}

impl Watched {
    /// Looks at every file; whether something changed before the last look and has stood still since. A file that is
    /// being written shows another stamp at each look.
    pub(super) fn look(&mut self, stamp: impl Fn(&PathBuf) -> Option<Stamp>) -> bool {
        let mut moved = false;
        for (path, seen) in &mut self.seen {
            let now = stamp(path);
            moved |= now != *seen;
            *seen = now;
        }
        let stands = self.changed && !moved;
        self.changed = moved;
        stands
    }

    /// The files have been read as these say, whatever came of it: only a later change is one.
    pub(super) fn have_read(&mut self, files: &BTreeMap<PathBuf, FileRead>) {
        let files = files.iter().filter(|(_, file)| file.may_change());
        self.seen
            .extend(files.map(|(path, file)| (path.clone(), file.stamp)));
        self.changed = false;
    }

    /// Files that no configuration in use names need no looks.
    pub(super) fn forget_all(&mut self) {
        self.seen.clear();
    }

    /// They moved while they were read: another look decides.
    pub(super) fn look_again(&mut self) {
        self.changed = true;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Reads;

    #[test]
    fn only_what_stands_still_for_two_looks_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let write = |name: &str, text: &str| std::fs::write(path(name), text).unwrap();
        let (reads, mut watched) = (Reads::default(), Watched::default());
        let read = |key: &str, name: &str| reads.read(key, Path::new(&path(name))).is_ok();
        write("grid", "a");
        write("key", "a");
        assert!(read("grid.layers.levels.file", "grid") && read("privacy.reporter_key_file", "key"));
        assert!(!read("registry.devices", "devices"));
        watched.have_read(&reads.files());
        let mut look = |expected: bool, what: &str| {
            assert_eq!(watched.look(|path| Stamp::of(path)), expected, "{what}");
        };
        look(false, "nothing happened");
        write("grid", "ab");
        look(false, "it may still be written");
        write("grid", "abc");
        look(false, "it is");
        look(true, "it stands still");
        look(false, "that was told");
        write("key", "ab");
        look(false, "what takes a restart is not watched");
        look(false, "nor later");
        write("devices", "now it is there");
        look(false, "it may still be written");
        look(true, "a file that was missing is there");
        std::fs::remove_file(path("grid")).unwrap();
        look(false, "about to be replaced");
        write("grid", "x");
        look(false, "it may still be written");
        look(true, "replaced");
        watched.look_again();
        assert!(watched.look(|path| Stamp::of(path)), "read while it moved");
        watched.forget_all();
        write("grid", "y");
        assert!(!watched.look(|path| Stamp::of(path)) && !watched.look(|path| Stamp::of(path)));
    }
}
