//! A version, or rules, that lay kinds on other partitions than those where their incidents are: it does not start by itself.

use crate::city::town::{SOUTH_WEST, Town};
use crate::city::{Running, cityops, web};

/// Rules under which the group of garbage is laid first, which is on partition 0, or second, which is on 1.
const FIRST: &str = "[kinds.garbage_exposed]\nweight = 1000000\n";
const SECOND: &str = "[kinds.garbage_exposed]\nweight = 900000\n[kinds.noise]\nweight = 1000000\n";
const ACCEPT: &str = "CITYOPS__TOPICS__ACCEPT_MOVED_GROUPS";

#[test]
fn groups_that_would_move_are_told_before_anything_is_written() {
    let mut town = Town::prepare("moved", "[rules]\nfiles = [\"rules.toml\"]\n");
    town.folder.write("rules.toml", FIRST);
    town.process = Some(Town::run(&town.folder));
    town.tell("here", "暴露垃圾", SOUTH_WEST);
    town.incident("here", 1);
    town.stop();

    // The same again is well.
    town.process = Some(Town::run(&town.folder));
    town.stop();

    town.folder.write("rules.toml", SECOND);
    let config = town.config();
    let run = ["run", "--config", &config];
    let refused = cityops(&run).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(78), "{said}");
    let told = "the kind garbage_exposed lies in partition 0 of the enriched log, and would go to 1";
    assert!(said.contains(told), "{said}");

    let log = town.folder.dir.path().join("accepted.log");
    let mut accepting = cityops(&run);
    let err = std::fs::File::create(&log).unwrap();
    let process = Running(accepting.env(ACCEPT, "true").stderr(err).spawn().unwrap());
    web::wait("it is ready", &log, || {
        web::address(&log)
            .and_then(|address| web::get(&address, "/readyz"))
            .is_some_and(|body| body.contains("\"ready\":true"))
    });
    assert_eq!(process.terminate(), Some(0));
    assert!(std::fs::read_to_string(&log).unwrap().contains(told));
}
