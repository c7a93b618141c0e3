//! The grid as it is drawn: whole, tagged, compressed.

use super::*;

fn with_grid() -> Serving {
    Serving {
        grids: Arc::new(Grids::new(|| vec![city_grid::builtin().into()])),
        ..serving()
    }
}

#[test]
fn a_level_comes_as_geojson_with_a_tag() {
    with_server(&with_grid(), |address| {
        let answer = ask(address, "GET", "/api/grid");
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(
            answer.head.contains("content-type: application/geo+json"),
            "{}",
            answer.head
        );
        let grid: Value = serde_json::from_str(&answer.body).unwrap();
        let layer = city_grid::builtin();
        let cells = grid["features"].as_array().unwrap();
        let finest = layer.levels().len() - 1;
        assert_eq!(cells.len(), layer.cells(finest).count());
        assert_eq!(grid["type"], "FeatureCollection");
        assert_eq!(grid["layers"], json!([layer.name()]));
        assert_eq!(grid["version"], json!(layer.version()));
        for cell in cells {
            let code = cell["properties"]["code"].as_str().unwrap();
            assert!(layer.find(code).is_some());
            let outer = cell["geometry"]["coordinates"][0][0].as_array().unwrap();
            assert!(outer.len() >= 4, "{cell}");
            assert_eq!(outer.first(), outer.last(), "{code} is closed");
        }
        let tag = answer
            .head
            .lines()
            .find_map(|line| line.strip_prefix("etag: "))
            .unwrap()
            .replace("w/", "W/");
        let again = ask_with(address, "GET", "/api/grid", &format!("if-none-match: {tag}\r\n"));
        assert_eq!((again.status, again.body.as_str()), (304, ""));
        let other = ask_with(
            address,
            "GET",
            "/api/grid?level=town",
            &format!("if-none-match: {tag}\r\n"),
        );
        assert_eq!(other.status, 200);
        let packed = ask_with(address, "GET", "/api/grid", "accept-encoding: br, gzip\r\n");
        assert!(packed.head.contains("content-encoding: gzip"), "{}", packed.head);
        assert!(packed.body.len() < answer.body.len() / 2, "{}", packed.body.len());
    });
}

#[test]
fn says_which_layers_levels_and_parameters_there_are() {
    with_server(&with_grid(), |address| {
        let check = |target: &str, status: u16, field: &str, wanted: Value| {
            let answer = ask(address, "GET", target);
            assert_eq!(
                (answer.status, answer.json()[field].clone()),
                (status, wanted),
                "{target}"
            );
        };
        check("/api/grid?layer=none", 404, "there_are", json!(["duty"]));
        check(
            "/api/grid?level=none",
            404,
            "there_are",
            json!(["district", "town", "village", "duty_cell"]),
        );
        check("/api/grid?step_m=-1", 400, "parameter", json!("step_m"));
        check("/api/grid?step_m=1.5", 400, "parameter", json!("step_m"));
        check("/api/grid?band=P1", 400, "parameter", json!("band"));
    });
    with_server(&serving(), |address| {
        assert_eq!(ask(address, "GET", "/api/grid").status, 404, "no grid, no answer");
    });
}

#[test]
fn the_map_is_our_own_files_and_nothing_else() {
    with_server(&serving(), |address| {
        let page = ask(address, "GET", "/");
        assert_eq!(page.status, 200);
        assert!(page.head.contains("content-type: text/html"), "{}", page.head);
        assert!(
            page.head.contains("content-security-policy: default-src 'none'"),
            "{}",
            page.head
        );
        assert!(!page.head.contains("unsafe-inline"));
        assert!(page.head.contains("x-content-type-options: nosniff"));
        assert!(!page.body.contains("http:") && !page.body.contains("https:"));
        for part in page
            .body
            .split(['"', '\''])
            .filter(|part| part.starts_with("map/"))
        {
            assert_eq!(ask(address, "GET", &format!("/{part}")).status, 200, "{part}");
        }
        assert!(page.body.matches("\"map/").count() >= 2);
        assert_eq!(ask(address, "GET", "/map/other.js").status, 404);
        assert_eq!(ask(address, "GET", "/map/..%2Fhttp.rs").status, 404);
    });
}
