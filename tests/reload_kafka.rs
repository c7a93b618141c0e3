//! A new grid comes into force on a real Kafka while the program runs: whole or not at all, and nobody stops for it.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use city::town::{EAST, SOUTH_WEST, Town, cell, three_cells, two_cells};
use city::web;

#[test]
fn a_new_grid_comes_into_force_without_a_pause_and_a_broken_one_never() {
    let mut town = Town::start("reload");
    town.tell("old-1", "暴露垃圾", SOUTH_WEST);
    let opened = town.incident("old-1", 1);
    let first = town.grid_versions();
    assert_eq!(cell(&opened), ("W", first[0].as_str()));
    let rebalances = town.metric("cityops_rebalances_total");

    // A cell split in two, another code: what follows has the new ones, what is open keeps its own.
    town.folder.write("grid.geojson", three_cells());
    town.hang_up("applied");
    let second = town.grid_versions();
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first, second);
    let (fresh, place) = town.switched(&second[0]);
    assert_eq!(cell(&fresh), ("WN", second[0].as_str()));
    town.tell("east-1", "暴露垃圾", EAST);
    assert_eq!(cell(&town.incident("east-1", 1)), ("E9", second[0].as_str()));
    town.tell("old-2", "暴露垃圾", SOUTH_WEST);
    let kept = town.incident("old-2", 2);
    assert_eq!(kept["incident_id"], opened["incident_id"]);
    assert_eq!(
        (&kept["cells"], &kept["responsible"]),
        (&opened["cells"], &opened["responsible"])
    );
    assert_eq!(kept["also_affects"], opened["also_affects"]);
    assert_ne!(kept["config_version"], opened["config_version"]);
    let config = format!("cityops_config_info{{version={}}}", kept["config_version"]);
    assert_eq!(
        (town.metric(&config), town.metric("cityops_config_info")),
        (1.0, 1.0)
    );

    // Cut off half-way, a key that takes a restart, and the same bytes again.
    let whole = three_cells();
    town.folder.write("grid.geojson", &whole[..whole.len() / 2]);
    let since = town.metric("cityops_reload_last_success_timestamp_seconds");
    town.hang_up("refused");
    town.folder.write("grid.geojson", &whole);
    let config = std::fs::read_to_string(town.folder.dir.path().join("cityops.toml")).unwrap();
    town.folder
        .write("cityops.toml", config.replace("loops = 2", "loops = 3"));
    town.hang_up("refused");
    assert_eq!(
        since,
        town.metric("cityops_reload_last_success_timestamp_seconds")
    );
    town.folder.write("cityops.toml", &config);
    town.hang_up("unchanged");
    assert!(since < town.metric("cityops_reload_last_success_timestamp_seconds"));
    assert_eq!(town.grid_versions(), second);
    let log = std::fs::read_to_string(town.log()).unwrap();
    let line = config.lines().position(|line| line.starts_with("loops")).unwrap() + 1;
    for words in ["grid.geojson", &format!("cityops.toml:{line}: \"kafka.loops\"")] {
        let told = |line: &str| line.contains("the reload is refused") && line.contains(words);
        assert!(log.lines().any(told), "{words}\n{log}");
    }

    // The watch is switched on by a reload, and sees a file that is put in another's place.
    let watching = config.replace("watch = \"off\"", "watch = \"100ms\"");
    town.folder.write("cityops.toml", watching);
    town.hang_up("applied");
    let next = town.folder.write("grid.next", two_cells());
    std::fs::rename(next, town.folder.dir.path().join("grid.geojson")).unwrap();
    town.wait("the watch has seen it", |town| town.grid_versions() == first);

    // Nobody stopped for all that, and nothing was lost.
    web::wait("all is accounted for", &town.log(), || town.all_accounted());
    assert_eq!(town.metric("cityops_rebalances_total"), rebalances);
    assert_eq!(town.metric("cityops_transactions_aborted_total"), 0.0);
    town.stop();
    let placed = town.check_log(2);
    assert_eq!(
        placed.iter().map(|(version, _)| version).collect::<Vec<_>>(),
        [&first[0], &second[0]]
    );
    assert!(placed.iter().all(|(_, events)| *events > 0), "{placed:?}");

    // Started again on the first grid: what was opened under the second one keeps it.
    town.process = Some(Town::run(&town.folder));
    town.tell("new-again", "暴露垃圾", place);
    let kept = town.incident("new-again", 2);
    assert_eq!(kept["incident_id"], fresh["incident_id"]);
    assert_eq!(cell(&kept), ("WN", second[0].as_str()));
    town.settle();
}

#[test]
fn processes_switch_each_by_itself_and_one_that_dies_meanwhile_loses_nothing() {
    let mut town = Town::start("reload-two");
    let other = Town::run_beside(&town.folder, "other.log");
    let log = town.folder.dir.path().join("other.log");
    let applied = "cityops_reloads_total{result=\"applied\"}";
    town.tell("old-1", "暴露垃圾", SOUTH_WEST);
    let opened = town.incident("old-1", 1);
    let first = town.grid_versions();

    town.folder.write("grid.geojson", three_cells());
    town.hang_up("applied");
    let second = town.grid_versions();
    let (fed, address) = (town.fed, web::address(&log).unwrap());
    town.wait("the feed went on", |town| town.fed > fed + 20);
    assert_eq!(web::metric(&address, applied), 0.0, "it was not asked");
    other.signal("-HUP");
    town.wait("the other one follows", |_| web::metric(&address, applied) > 0.0);
    town.switched(&second[0]);
    let rebalances = "cityops_rebalances_total{worker=\"enrich\"}";
    let before = town.metric(rebalances);

    // Back again; the other one dies over it, and what it had goes to the first.
    town.folder.write("grid.geojson", two_cells());
    other.signal("-HUP");
    other.kill();
    town.hang_up("applied");
    town.wait("the first one has all partitions", |town| {
        town.metric(rebalances) > before
    });
    town.tell("old-2", "暴露垃圾", SOUTH_WEST);
    let kept = town.incident("old-2", 2);
    assert_eq!(cell(&kept), ("W", first[0].as_str()));
    assert_eq!(kept["incident_id"], opened["incident_id"]);
    web::wait("all is accounted for", &town.log(), || town.all_accounted());
    assert_eq!(town.grid_versions(), first);
    town.stop();
    let placed = town.check_log(2);
    assert!(
        placed
            .iter()
            .any(|(version, events)| *version == second[0] && *events > 0)
    );
    town.check_books();
}
