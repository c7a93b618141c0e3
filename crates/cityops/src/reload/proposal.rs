//! Builds what changed files propose: read whole, judged against what runs, or refused with the reason.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use stream_worker::Setup;

use crate::assemble;
use crate::config::{Loaded, Reads};

/// What came of looking at changed files.
pub(super) enum Proposal {
    /// They say what is in force already.
    Unchanged,
    /// They moved while they were read: nothing of it counts.
    Moving,
    /// Good, and built.
    Good(Box<Loaded>, Arc<Setup>),
}

/// Reads the configuration at `path` again, with every file that it names, and builds it. The files are told in any
/// case, so that a later change of them is noticed.
pub(super) fn propose(path: &Path, running: &Loaded, setup: &Setup) -> (Reads, anyhow::Result<Proposal>) {
    let (still, reads) = is_still(running);
    if still {
        return (reads, Ok(Proposal::Unchanged));
    }
    let reads = Reads::default();
    let built = build(path, running, setup, &reads);
    let proposal = if has_moved(&reads) {
        Ok(Proposal::Moving)
    } else {
        built.map(|(loaded, setup)| Proposal::Good(Box::new(loaded), Arc::new(setup)))
    };
    (reads, proposal)
}

/// Whether every file is what it was when the running configuration was read. The configuration is one of them, so no
/// other file is named either.
fn is_still(running: &Loaded) -> (bool, Reads) {
    let reads = Reads::default();
    let mut still = true;
    for (path, file) in running.reads.files() {
        if file.may_change() {
            reads.look(&file.key, &path);
            let content = reads.files().get(&path).and_then(|now| now.content);
            still &= content.is_some() && content == file.content;
        }
    }
    (still, reads)
}

fn has_moved(reads: &Reads) -> bool {
    let again = Reads::default();
    let before = reads.files();
    for (path, file) in &before {
        // A file that is missing stays so, or comes.
        again.look(&file.key, path);
    }
    again.files() != before
}

fn build(path: &Path, running: &Loaded, setup: &Setup, reads: &Reads) -> anyhow::Result<(Loaded, Setup)> {
    let loaded = Loaded::read_into(path, reads.clone())?;
    running.may_become(&loaded)?;
    let partitions = setup.partitions().unsigned_abs();
    // A defect must not end reloading for good, let alone the process.
    // Where schemas come from takes a restart, so the registry is the same, and what it has told holds.
    let schemas = setup.decoder.source().cloned();
    let built = catch_unwind(AssertUnwindSafe(|| {
        assemble::setup_with(&loaded, partitions, schemas)
    }))
    .ok()
    .context("building it failed; this is a defect of the program")??;
    let before = running.reads.files();
    for (path, file) in loaded.reads.files() {
        let known = before.get(&path).and_then(|file| file.content);
        if !file.may_change() && known != file.content {
            let what = format!("the content of {} has changed", path.display());
            return Err(loaded.takes_a_restart(&file.key, &what).into());
        }
    }
    if let Some(what) = moved_group(setup, &built) {
        return Err(loaded.takes_a_restart("rules.files", &what).into());
    }
    Ok((loaded, built))
}

/// What differs in how kinds form groups and how groups lie on partitions. Incidents lie where their group is decided,
/// and the loops of all processes must agree on it; so must all on which kinds there are.
fn moved_group(old: &Setup, new: &Setup) -> Option<String> {
    for (id, kind) in old.rules.kinds() {
        let (name, group) = (&kind.name, old.rules.group(id));
        let Some(found) = new.rules.kind_id(name.as_str()) else {
            return Some(format!("the kind {name} of the group {group} would be gone"));
        };
        let other = new.rules.group(found);
        if other != group {
            return Some(format!(
                "the kind {name} would move from the group {group} to the group {other}"
            ));
        }
    }
    for (id, kind) in new.rules.kinds() {
        if old.rules.kind_id(kind.name.as_str()).is_none() {
            let (name, group) = (&kind.name, new.rules.group(id));
            return Some(format!("the kind {name} of the group {group} would be new"));
        }
    }
    let moved = old
        .layout()
        .iter()
        .find(|(group, partition)| new.layout().get(group) != Some(partition));
    moved.map(|(group, partition)| {
        let to = new.partition_of(group);
        format!("the group {group} would move from partition {partition} to {to}")
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const KIND: &str = "[kinds.road_ponding]\n";

    /// A folder with a configuration that names one rules file and one registry.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Folder {
            let folder = Folder(tempfile::tempdir().unwrap());
            folder.write(
                "cityops.toml",
                "[rules]\nfiles = [\"rules.toml\"]\n[registry]\ndevices = \"devices.csv\"\n\
                 [privacy]\nreporter_key_file = \"key\"\n",
            );
            folder.write("rules.toml", "");
            folder.write("devices.csv", "device_id,lon,lat\nd1,121.2,31.0\n");
            folder.write("key", "sixteen bytes or more");
            folder
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.0.path().join(name), text).unwrap();
        }

        fn running(&self) -> (Loaded, Setup) {
            let path = self.0.path().join("cityops.toml");
            let loaded = Loaded::read_with(&path, std::iter::empty()).unwrap();
            let setup = assemble::setup(&loaded, 4).unwrap();
            (loaded, setup)
        }

        /// Writes a file over, and proposes; what was refused, and whether it was good.
        fn propose(&self, name: &str, text: &str) -> Result<bool, String> {
            let (loaded, setup) = self.running();
            let before = fs::read_to_string(self.0.path().join(name)).unwrap();
            self.write(name, text);
            let (_, proposal) = propose(&self.0.path().join("cityops.toml"), &loaded, &setup);
            self.write(name, &before);
            match proposal {
                Ok(Proposal::Good(..)) => Ok(true),
                Ok(Proposal::Unchanged) => Ok(false),
                Ok(Proposal::Moving) => panic!("nobody writes here"),
                Err(error) => Err(format!("{error:#}")),
            }
        }
    }

    #[test]
    fn what_is_good_is_built_and_what_is_not_is_told_with_its_place() {
        let folder = Folder::new();
        let same = "device_id,lon,lat\nd1,121.2,31.0\n";
        assert_eq!(folder.propose("devices.csv", same), Ok(false));
        assert_eq!(
            folder.propose("devices.csv", &format!("{same}d2,121.3,31.0\n")),
            Ok(true)
        );
        assert_eq!(
            folder.propose("rules.toml", &format!("{KIND}radius = 77\n")),
            Ok(true)
        );
        let mut wrong = Vec::new();
        for (name, text, words) in [
            ("devices.csv", "device_id,lon,lat\nd1,121.2,x\n", "devices.csv:2:"),
            ("devices.csv", "device_id,lon\n", "no column \"lat\""),
            (
                "rules.toml",
                "[kinds.road_ponding]\nradios = 1\n",
                "rules.toml:2:",
            ),
            (
                "cityops.toml",
                "[registry]\ndevices = \"none.csv\"\n[privacy]\nreporter_key_file = \"key\"\n",
                "none.csv",
            ),
            ("cityops.toml", "[registry]\ndevicess = \"devices.csv\"\n", ":2:"),
            ("cityops.toml", "[kafka]\nloops = 3\n", ":2: \"kafka.loops\""),
            ("cityops.toml", "", "\"privacy.reporter_key_file\""),
        ] {
            match folder.propose(name, text) {
                Err(error) if error.contains(words) => {}
                other => wrong.push(format!("{name}: {text}: {words} is not in {other:?}")),
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn groups_and_kinds_do_not_move_while_running() {
        let folder = Folder::new();
        let mut wrong = Vec::new();
        for (rules, words) in [
            (
                "[kinds.sinkhole]\n",
                "the kind sinkhole of the group sinkhole would be new",
            ),
            (
                "[kinds.garbage_exposed]\nrelated = [\"road_ponding\"]\n",
                "would move from the group",
            ),
            (
                "[kinds.garbage_exposed]\nweight = 900\n",
                "would move from partition",
            ),
        ] {
            match folder.propose("rules.toml", rules) {
                Err(error) if error.contains(words) && error.contains("\"rules.files\"") => {}
                other => wrong.push(format!("{rules}: {words} is not in {other:?}")),
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        // One that came by a rules file cannot go either.
        folder.write(
            "rules.toml",
            "[kinds.sinkhole]\nname_zh = \"塌陷\"\nname_en = \"sinkhole\"\n",
        );
        let gone = folder.propose("rules.toml", "").unwrap_err();
        assert!(
            gone.contains("the kind sinkhole of the group sinkhole would be gone"),
            "{gone}"
        );
    }

    #[test]
    fn the_content_of_a_key_takes_a_restart() {
        let folder = Folder::new();
        let (loaded, setup) = folder.running();
        folder.write("key", "another key of sixteen bytes");
        folder.write("rules.toml", "# changed\n");
        let (_, proposal) = propose(&folder.0.path().join("cityops.toml"), &loaded, &setup);
        let error = proposal.err().unwrap().to_string();
        assert!(
            error.contains("cityops.toml:6: \"privacy.reporter_key_file\"") && error.contains("restart"),
            "{error}"
        );
    }

    #[test]
    fn a_file_that_moves_while_it_is_read_is_not_loaded() {
        let folder = Folder::new();
        let reads = Reads::default();
        let path = folder.0.path().join("devices.csv");
        reads.read("registry.devices", &path).unwrap();
        assert!(!has_moved(&reads));
        folder.write("devices.csv", "device_id,lon,lat\n");
        assert!(has_moved(&reads));
        let reads = Reads::default();
        let missing = folder.0.path().join("missing.csv");
        reads.read("registry.components", &missing).unwrap_err();
        assert!(!has_moved(&reads));
        folder.write("missing.csv", "");
        assert!(has_moved(&reads));
    }
}
