//! A configuration in a folder of its own, and what the program says of it.

use std::fs;
use std::path::PathBuf;

use super::cityops;
use super::output::Replayed;

/// A folder with a configuration and what belongs to it.
pub struct Folder {
    pub dir: tempfile::TempDir,
}

/// The exit code, standard output and standard error.
pub type Told = (Option<i32>, String, String);

impl Folder {
    pub fn new(config: &str) -> Folder {
        let folder = Folder {
            dir: tempfile::tempdir().unwrap(),
        };
        folder.write("cityops.toml", config);
        folder
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn run(&self, command: &[&str], environment: &[(&str, &str)]) -> Told {
        let config = self.dir.path().join("cityops.toml").display().to_string();
        let mut command = cityops(&[command, &["--config", &config]].concat());
        let output = command.envs(environment.iter().copied()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// Replays what lies in `in` into `out`, and reads it as the contract means it.
    pub fn replayed(&self) -> Replayed {
        let path = |name: &str| self.dir.path().join(name);
        let (input, output) = (path("in"), path("out"));
        let args = [
            "replay",
            "--input",
            input.to_str().unwrap(),
            "--output",
            output.to_str().unwrap(),
        ];
        let (code, out, err) = self.run(&args, &[]);
        assert_eq!(code, Some(0), "{out}{err}");
        let replayed = Replayed { dir: output };
        replayed.check(&input);
        replayed
    }

    pub fn check(&self) -> Told {
        self.run(&["check"], &[])
    }
}

/// Gathers what is wrong, and fails with all of it at the end of its test.
#[derive(Default)]
pub struct Expect {
    wrong: Vec<String>,
}

impl Expect {
    /// A refusal as bad configuration that says all these words.
    pub fn bad(&mut self, what: &str, (code, out, err): Told, words: &[&str]) {
        let missing: Vec<&&str> = words.iter().filter(|word| !err.contains(**word)).collect();
        if code != Some(78) || !missing.is_empty() || err.contains("panicked") {
            self.wrong.push(format!(
                "{what}\n  exit {code:?}, no {missing:?} in: {err}{out:.200}"
            ));
        }
    }

    /// A configuration that is wrong in one place, and what is said of it.
    pub fn bad_config(&mut self, config: &str, words: &[&str]) {
        self.bad(config, Folder::new(config).check(), words);
    }
}

impl Drop for Expect {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(
                self.wrong.is_empty(),
                "{} wrong:\n{}",
                self.wrong.len(),
                self.wrong.join("\n")
            );
        }
    }
}
