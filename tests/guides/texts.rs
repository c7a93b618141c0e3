//! The guides' words: every code that a reader may meet is in both languages, and every file that is named is there.

use city_model::{Action, DeadLetterReason, Outcome};

use crate::programs::guide;

fn text(name: &str) -> String {
    std::fs::read_to_string(guide(name)).unwrap()
}

#[test]
fn every_code_is_explained_in_both_languages() {
    for language in ["en", "zh"] {
        let (centre, integrators) = (
            text(&format!("centre.{language}.md")),
            text(&format!("integrators.{language}.md")),
        );
        let rows = |text: &str, code: &str| {
            let code = format!("`{code}`");
            text.lines()
                .filter(|line| line.starts_with('|') && line.contains(&code))
                .count()
        };
        for action in Action::ALL {
            assert_eq!(rows(&centre, action.as_str()), 1, "{language}: {action}");
        }
        let reasons = DeadLetterReason::ALL.iter().map(|reason| reason.as_str());
        for code in reasons.chain(Outcome::ALL.iter().map(|outcome| outcome.as_str())) {
            assert_eq!(rows(&integrators, code), 1, "{language}: {code}");
        }
    }
}

#[test]
fn every_link_leads_to_a_file() {
    let mut links = 0;
    for name in [
        "README.md",
        "centre.en.md",
        "centre.zh.md",
        "integrators.en.md",
        "integrators.zh.md",
    ] {
        for part in text(name).split("](").skip(1) {
            let link = part.split(')').next().unwrap();
            assert!(guide(link).is_file(), "{name}: {link}");
            links += 1;
        }
    }
    assert!(links > 15, "{links} links");
}
