//! The alerts: each has tests that it fires and that it does not, and a page that says what to do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use yaml_rust2::{Yaml, YamlLoader};

use crate::city::expect;
use crate::deploy;

/// Runs promtool, which must be content.
pub(crate) fn promtool(args: &[&str], input: Option<&str>) -> String {
    let mut command = Command::new("promtool");
    command.args(args);
    if let Some(input) = input {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), input).unwrap();
        command.stdin(std::fs::File::open(file.path()).unwrap());
    }
    let output = command
        .output()
        .expect("promtool does not start; it is in Debian's package prometheus, which tests/run asks for");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "promtool {}\n{said}", args.join(" "));
    said
}

pub(crate) fn yaml(path: &Path) -> Vec<Yaml> {
    let text = std::fs::read_to_string(path).unwrap();
    YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Alerts look at what is recorded.
const GROUPS: [&str; 2] = ["cityops_records", "cityops_alerts"];

fn rules() -> Vec<Yaml> {
    let groups = yaml(&deploy("prometheus/cityops.rules.yml")).remove(0);
    let groups = groups["groups"].as_vec().unwrap();
    assert!(
        groups
            .iter()
            .filter_map(|group| group["name"].as_str())
            .eq(GROUPS)
    );
    groups
        .iter()
        .flat_map(|group| group["rules"].as_vec().unwrap().clone())
        .collect()
}

fn names(folder: &str, end: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(deploy(folder)).unwrap();
    files
        .filter_map(|file| Some(file.unwrap().file_name().to_str()?.strip_suffix(end)?.to_owned()))
        .collect()
}

#[test]
fn every_alert_has_its_tests_and_its_page_and_they_have_their_alert() {
    let rules = rules();
    let alerts: Vec<&Yaml> = rules.iter().filter(|rule| !rule["alert"].is_badvalue()).collect();
    let named: BTreeSet<String> = alerts
        .iter()
        .map(|alert| alert["alert"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(named.len(), alerts.len(), "two alerts have one name");
    assert_eq!(names("prometheus/tests", ".yml"), named);
    assert_eq!(names("runbook", ".md"), named);
    for alert in alerts {
        let name = alert["alert"].as_str().unwrap();
        let (labels, notes) = (&alert["labels"], &alert["annotations"]);
        assert!(
            matches!(labels["severity"].as_str(), Some("page" | "ticket")),
            "{name}"
        );
        let page = format!("deploy/runbook/{name}.md");
        assert_eq!(notes["runbook_url"].as_str(), Some(&*page));
        let summary = notes["summary"].as_str().unwrap();
        assert!(
            has_chinese(summary) && summary.chars().any(|c| c.is_ascii_lowercase()),
            "{name}: {summary}"
        );
        check_page(name);
    }
}

fn has_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// In both languages: what it means, what to look at, what to do.
fn check_page(name: &str) {
    let text = std::fs::read_to_string(deploy(&format!("runbook/{name}.md"))).unwrap();
    assert!(text.starts_with(&format!("# {name} ")), "{name}: its title");
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(
        headings,
        [
            "What it means",
            "What to look at",
            "What to do",
            "含义",
            "查看",
            "处置"
        ],
        "{name}"
    );
    for (heading, body) in text.split("## ").skip(1).filter_map(|part| part.split_once('\n')) {
        assert!(body.trim().chars().count() > 20, "{name}: {heading} says nothing");
        assert_eq!(has_chinese(body), has_chinese(heading), "{name}: {heading}");
    }
}

/// What is read at three in the morning.
fn pages() -> Vec<PathBuf> {
    let files = std::fs::read_dir(deploy("runbook")).unwrap();
    let mut pages: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    pages.extend(["RUNBOOK.md", "UPGRADE.md", "README.md"].map(deploy));
    pages
}

/// What a page quotes: between back-ticks, and the lines of its code blocks.
fn quoted(text: &str) -> Vec<&str> {
    let mut quoted = Vec::new();
    for (number, block) in text.split("```").enumerate() {
        match number % 2 {
            1 => quoted.extend(block.lines()),
            _ => quoted.extend(block.split('`').skip(1).step_by(2)),
        }
    }
    quoted
}

#[test]
fn every_command_that_a_page_quotes_exists_with_its_flags() {
    let mut checked = BTreeSet::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for line in quoted(&text) {
            let Some(command) = line.trim_start().strip_prefix("cityops ") else {
                continue;
            };
            let command = command.split(['#', ';', '|']).next().unwrap().trim();
            if !checked.insert(command.to_owned()) {
                continue;
            }
            let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
            let words = command.split_whitespace().filter(|word| !word.starts_with("--"));
            let words: Vec<&str> = words.take_while(is_name).collect();
            assert!(!words.is_empty(), "{}: cityops {command}", page.display());
            let help = expect(0, &[&words[..], &["--help"]].concat());
            for flag in command.split_whitespace().filter(|word| word.starts_with("--")) {
                let flag = flag.split('=').next().unwrap();
                assert!(
                    help.split([' ', ',', '\n']).any(|word| word == flag),
                    "{}: cityops {command}: there is no {flag}",
                    page.display()
                );
            }
        }
    }
    assert!(checked.len() > 8, "{checked:?}");
}

#[test]
fn every_series_that_a_page_names_is_one_of_ours() {
    let mut known = std::fs::read_to_string(deploy("prometheus/cityops.rules.yml")).unwrap();
    let metrics = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/cityops/src");
    let folder = std::fs::read_dir(metrics.join("metrics")).unwrap();
    for file in folder
        .map(|file| file.unwrap().path())
        .chain([metrics.join("metrics.rs")])
    {
        known += &std::fs::read_to_string(file).unwrap();
    }
    let mut named = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for series in quoted(&text)
            .iter()
            .filter(|it| it.starts_with("cityops_") || it.starts_with("cityops:"))
            // The target of a line of the log.
            .filter(|it| !it.starts_with("cityops::"))
        {
            let name = series.split(['{', ' ', '[']).next().unwrap();
            let own = name.strip_prefix("cityops_").map(|own| format!("\"{own}\""));
            assert!(
                known.contains(&own.unwrap_or_else(|| name.to_owned())),
                "{}: there is no {name}",
                page.display()
            );
            named += 1;
        }
    }
    assert!(named > 5, "{named}");
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    let mut files = Vec::new();
    for name in names("prometheus/tests", ".yml") {
        let path = deploy(&format!("prometheus/tests/{name}.yml"));
        let tests = yaml(&path).remove(0);
        // Without it promtool takes the groups in any order, and an alert sees what was recorded a step before.
        let order = tests["group_eval_order"].as_vec().unwrap();
        assert!(order.iter().filter_map(Yaml::as_str).eq(GROUPS), "{name}");
        let expected: Vec<usize> = tests["tests"]
            .as_vec()
            .unwrap()
            .iter()
            .flat_map(|test| test["alert_rule_test"].as_vec().unwrap())
            .inspect(|case| assert_eq!(case["alertname"].as_str(), Some(&*name)))
            .map(|case| case["exp_alerts"].as_vec().unwrap().len())
            .collect();
        assert!(expected.contains(&0), "{name}: nothing shows that it keeps quiet");
        assert!(
            expected.iter().any(|alerts| *alerts > 0),
            "{name}: nothing shows that it fires"
        );
        files.push(path.display().to_string());
    }
    let args: Vec<&str> = ["test", "rules"]
        .into_iter()
        .chain(files.iter().map(|file| &**file))
        .collect();
    promtool(&args, None);
}

#[test]
fn rules_and_configuration_are_valid() {
    let config = deploy("prometheus/prometheus.yml");
    let said = promtool(&["check", "config", &config.display().to_string()], None);
    // A rule file that is not found would be no error.
    assert!(
        said.contains("1 rule files found") && said.contains("rules found"),
        "{said}"
    );
}
