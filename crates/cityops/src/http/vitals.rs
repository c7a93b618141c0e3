//! `/api/vitals`: the newest vital signs of cells by layer, level and code, those with notices alone, page by page.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::{Guarded, answer};
use crate::vitals::{LIMIT_DEFAULT, LIMIT_MAX, Wanted};

pub(super) async fn list(
    State(guarded): State<Guarded>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Response {
    let wanted = match query {
        Ok(Query(pairs)) => read(&pairs, guarded.door.limits.page),
        Err(error) => return answer(StatusCode::BAD_REQUEST, json!({"error": error.body_text()})),
    };
    match wanted {
        Ok(wanted) => {
            let (cells, next) = guarded.vitals.page(&wanted);
            let cells: Vec<_> = cells.iter().map(|cell| &**cell).collect();
            answer(StatusCode::OK, json!({"vitals": cells, "next": next}))
        }
        Err((parameter, error)) => answer(
            StatusCode::BAD_REQUEST,
            json!({"error": error, "parameter": parameter}),
        ),
    }
}

/// Lists are separated by commas. An empty value is as if it were not there.
fn read(pairs: &[(String, String)], page: usize) -> Result<Wanted, (String, String)> {
    let most = LIMIT_MAX.min(page);
    let mut wanted = Wanted {
        limit: LIMIT_DEFAULT.min(most),
        ..Wanted::default()
    };
    let list = |value: &str| {
        value
            .split(',')
            .map(|one| one.trim().to_owned())
            .collect::<Vec<_>>()
    };
    for (name, value) in pairs {
        let bad = |message: String| (name.clone(), message);
        let known = ["layer", "level", "code", "notices", "limit", "cursor"];
        if !known.contains(&name.as_str()) {
            return Err(bad(format!("no such parameter; there are {}", known.join(", "))));
        }
        if value.is_empty() {
            continue;
        }
        match name.as_str() {
            "layer" => wanted.layer = Some(value.clone()),
            "level" => wanted.levels.extend(list(value)),
            "code" => wanted.codes.extend(list(value)),
            "cursor" => wanted.after = Some(value.clone()),
            "notices" => {
                let yes = value
                    .parse()
                    .map_err(|_| bad("true or false is wanted".to_owned()))?;
                wanted.notices = Some(yes);
            }
            _ => {
                let limit = value.parse().ok().filter(|limit| (1..=most).contains(limit));
                wanted.limit = limit.ok_or_else(|| bad(format!("a number from 1 to {most} is wanted")))?;
            }
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pairs: &[(&str, &str)]) -> Result<Wanted, String> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        read(&pairs, LIMIT_MAX).map_err(|(parameter, _)| parameter)
    }

    #[test]
    fn reads_lists_and_names_the_parameter_that_makes_no_sense() {
        let wanted = told(&[("level", "town,village"), ("notices", "true"), ("code", "")]).unwrap();
        assert_eq!(wanted.levels, ["town", "village"]);
        assert_eq!((wanted.notices, wanted.limit), (Some(true), LIMIT_DEFAULT));
        for (name, value) in [
            ("notices", "yes"),
            ("limit", "0"),
            ("limit", "10001"),
            ("town", "x"),
        ] {
            assert_eq!(told(&[(name, value)]), Err(name.to_owned()));
        }
    }
}
