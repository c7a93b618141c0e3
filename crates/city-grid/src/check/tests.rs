//! Broken copies of a generated grid.

mod drawn;

use super::*;
use crate::finding::Severity;
use crate::generate::{GeneratedGrid, GridSpec, generate};

/// Breaks the text of a level of a generated grid, line by line, and gives what is found in it.
fn check_broken(level: usize, breaks: impl Fn(usize, &str) -> Option<String>) -> Vec<Finding> {
    let grid = generate(&GridSpec::default(), 8);
    let texts: Vec<String> = grid
        .geojson()
        .into_iter()
        .enumerate()
        .map(|(at, (_, text))| {
            if at != level {
                return text;
            }
            let lines: Vec<&str> = text.lines().collect();
            let features = lines[1..lines.len() - 1]
                .iter()
                .enumerate()
                .filter_map(|(number, line)| breaks(number, line.trim_end_matches(',')));
            let features: Vec<String> = features.collect();
            format!("{}\n{}\n]}}", lines[0], features.join(",\n"))
        })
        .collect();
    let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    let (layer, _) = Layer::load(&GeneratedGrid::config("duty"), &bytes, false).unwrap();
    check(&layer)
}

fn found(findings: &[Finding], what: What) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.what == what).collect()
}

/// The cell of the middle of the district, by its line in the file.
fn inner_cell() -> (usize, Name, f64) {
    let layer = generate(&GridSpec::default(), 8).into_layer("duty");
    let middle = city_model::Position::from_degrees(121.222, 31.035).unwrap();
    let index = layer.locate(middle).cell().unwrap();
    let code = layer.cell(index).code.clone();
    let line = layer.cells(3).position(|(at, _)| at == index).unwrap();
    (line, code, layer.area_m2(index))
}

#[test]
fn a_missing_cell_is_a_gap_of_its_size() {
    let (gone, _, area) = inner_cell();
    let findings = check_broken(3, |at, line| (at != gone).then(|| line.to_owned()));
    let gaps = found(&findings, What::Gap);
    assert_eq!(gaps.len(), 1, "{findings:?}");
    assert_eq!(gaps[0].severity, Severity::Error);
    let said: f64 = gaps[0].detail.split(' ').next().unwrap().parse().unwrap();
    assert!((said - area).abs() < area / 1e4, "{} {area}", gaps[0]);
    assert_eq!(
        found(&findings, What::ParentNotCovered).len(),
        1,
        "the village lacks it too"
    );
    assert_eq!(findings.len(), 2, "{findings:?}");
}

#[test]
fn a_moved_border_point_is_a_gap_and_an_overlap() {
    let (moved, code, _) = inner_cell();
    // one point of the cell alone goes about 11 m to the east
    let findings = check_broken(3, |at, line| {
        if at != moved {
            return Some(line.to_owned());
        }
        let start = line.find("[[[[").unwrap();
        let (head, tail) = line.split_at(start + 4);
        let mut points: Vec<String> = tail.split("],[").map(str::to_owned).collect();
        let (lon, lat) = points[1].split_once(',').unwrap();
        points[1] = format!("{:.8},{lat}", lon.parse::<f64>().unwrap() + 0.0001);
        Some(format!("{head}{}", points.join("],[")))
    });
    // a metre wide at most: a strip along the border
    let strips: Vec<&Finding> = findings
        .iter()
        .filter(|finding| matches!(finding.what, What::SeamGap | What::SeamOverlap))
        .collect();
    assert!(!strips.is_empty(), "{findings:?}");
    assert!(
        strips.iter().all(|strip| strip.codes.contains(&code)),
        "{strips:?}"
    );
}

#[test]
fn a_doubled_cell_is_an_overlap_and_a_duplicate_code() {
    let (double, code, _) = inner_cell();
    let twice = |at: usize, line: &str| {
        Some(if at == double {
            format!("{line},\n{line}")
        } else {
            line.to_owned()
        })
    };
    let findings = check_broken(3, twice);
    assert_eq!(
        found(&findings, What::DuplicateCode)[0].code.as_ref(),
        Some(&code)
    );
    assert_eq!(found(&findings, What::Overlap)[0].code.as_ref(), Some(&code));
    assert_eq!(found(&findings, What::Gap), Vec::<&Finding>::new());
}

#[test]
fn an_unclosed_ring_and_a_wrong_code_are_found() {
    let (broken, code, _) = inner_cell();
    let findings = check_broken(3, |at, line| {
        if at != broken {
            return Some(line.to_owned());
        }
        let (points, _) = line.rsplit_once(",[").unwrap();
        let open = format!("{points}]]]}}}}");
        Some(open.replacen(&*code, "31011700100", 1))
    });
    let whats: Vec<What> = findings.iter().map(|finding| finding.what).collect();
    assert_eq!(whats, [What::UnclosedRing, What::BadCode], "{findings:?}");
}

#[test]
fn a_cell_under_the_wrong_parent_is_outside_it() {
    let (strayed, code, area) = inner_cell();
    let findings = check_broken(3, |at, line| {
        let own = format!("\"parent\":\"{}\"", &code[..12]);
        let wrong = "\"parent\":\"310117120200\"";
        Some(if at == strayed {
            line.replacen(&own, wrong, 1)
        } else {
            line.to_owned()
        })
    });
    let outside = found(&findings, What::OutsideParent);
    assert_eq!(outside.len(), 1, "{findings:?}");
    assert_eq!(outside[0].code.as_ref(), Some(&code));
    assert!(outside[0].detail.contains("310117120200"), "{}", outside[0]);
    assert!(
        outside[0].detail.starts_with(&format!("{area:.0}")[..3]),
        "{}",
        outside[0]
    );
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    assert_eq!(errors.count(), 1);
}

#[test]
fn slivers_and_childless_parents_are_found() {
    let (thin, code, _) = inner_cell();
    let strip = "[[[[121.2,31],[121.21,31],[121.21,31.00001],[121.2,31.00001],[121.2,31]]]]}}";
    let findings = check_broken(3, |at, line| {
        let (head, _) = line.split_once("[[[[").unwrap();
        Some(if at == thin {
            format!("{head}{strip}")
        } else {
            line.to_owned()
        })
    });
    assert_eq!(found(&findings, What::Sliver)[0].code.as_ref(), Some(&code));
    let village = &code[..12];
    let findings = check_broken(3, |_, line| (!line.contains(village)).then(|| line.to_owned()));
    let bare = found(&findings, What::ParentNotCovered);
    assert!(
        bare.iter().any(|finding| finding.detail == "has no duty_cell"),
        "{findings:?}"
    );
}

#[test]
fn codes_follow_their_standards() {
    for (level, code, good) in [
        ("district", "310117", true),
        ("town", "310117107", true),
        ("town", "3101171070", false),
        ("village", "310117107001", true),
        ("village", "31011710700A", false),
        ("duty_cell", "310117107001A0Z", true),
        ("duty_cell", "310117107001a01", false),
        ("unit_cell", "31011707001001", true), // CJ/T 213-2005
        ("unit_cell", "3101170700100A", false),
        ("beat", "7", true),
    ] {
        assert_eq!(codes::bad_code(level, code).is_none(), good, "{level} {code}");
    }
}

#[test]
fn codes_begin_with_those_of_the_enclosing_cells() {
    for (level, code, parent_level, parent, good) in [
        ("town", "310117107", "district", "310117", true),
        ("town", "310118107", "district", "310117", false),
        ("unit_cell", "310117107001001", "town", "310117107", true),
        ("unit_cell", "310117108001001", "town", "310117107", false),
        // two digits for the street: only the district is the same
        ("unit_cell", "31011708001001", "town", "310117107", true),
        ("unit_cell", "31011808001001", "town", "310117107", false),
        ("beat", "1", "town", "310117107", true),
        ("town", "310118107", "precinct", "7", true),
        ("town", "310118107", "district", "SJ", true), // the district's own code is the flaw
    ] {
        let told = codes::not_nested(level, code, parent_level, parent);
        assert_eq!(
            told.is_none(),
            good,
            "{level} {code} in {parent_level} {parent}: {told:?}"
        );
    }
}

#[test]
fn cells_in_the_wrong_place_of_the_hierarchy_are_told() {
    let (broken, code, _) = inner_cell();
    let other = format!("310118{}", &code[6..]);
    let findings = check_broken(3, |at, line| {
        Some(if at == broken {
            line.replacen(&*code, &other, 1)
        } else {
            line.to_owned()
        })
    });
    let [finding] = &findings[..] else {
        panic!("{findings:?}");
    };
    assert_eq!(
        (finding.what, finding.code.as_deref()),
        (What::CodeNotNested, Some(&*other))
    );
    assert!(finding.position.is_some());
}
