//! `/api/incidents`: questions by band, kind, state, cell and place, answered page by page.

use std::str::FromStr;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use city_model::{Band, Status};
use serde_json::json;

use super::{Guarded, answer, json_text};
use crate::board::{Cursor, Filter, LIMIT_DEFAULT, LIMIT_MAX, Page};

/// What may be asked for.
const PARAMETERS: [&str; 8] = [
    "band", "kind", "status", "layer", "code", "bbox", "limit", "cursor",
];

/// What a query asks for.
#[derive(Debug, PartialEq)]
pub(super) struct Question {
    pub(super) filter: Filter,
    limit: usize,
    cursor: Option<Cursor>,
}

/// A parameter that makes no sense.
#[derive(Debug, PartialEq)]
struct BadParameter {
    parameter: String,
    message: String,
}

pub(super) async fn list(
    State(guarded): State<Guarded>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Response {
    let question = match asked(query, &PARAMETERS, guarded.door.limits.page) {
        Ok(question) => question,
        Err(refused) => return *refused,
    };
    let board = guarded.board.clone();
    let answered = tokio::task::spawn_blocking(move || {
        body(&board.page(&question.filter, question.limit, question.cursor.as_ref()))
    });
    match answered.await {
        Ok(body) => json_text(StatusCode::OK, body),
        // The runtime ends while the question waits.
        Err(error) => answer(
            StatusCode::SERVICE_UNAVAILABLE,
            json!({"error": error.to_string()}),
        ),
    }
}

/// The question that a query asks with these parameters, or the answer that refuses it.
pub(super) fn asked(
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
    known: &[&str],
    page: usize,
) -> Result<Question, Box<Response>> {
    let pairs = match query {
        Ok(Query(pairs)) => pairs,
        Err(error) => {
            let error = json!({"error": error.body_text()});
            return Err(Box::new(answer(StatusCode::BAD_REQUEST, error)));
        }
    };
    Question::read(&pairs, known, page).map_err(|bad| {
        let error = json!({"error": bad.message, "parameter": bad.parameter});
        Box::new(answer(StatusCode::BAD_REQUEST, error))
    })
}

pub(super) async fn one(
    State(guarded): State<Guarded>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    let id = match path {
        Ok(Path(id)) => id,
        Err(error) => return answer(StatusCode::BAD_REQUEST, json!({"error": error.body_text()})),
    };
    match guarded.board.get(&id) {
        Some(entry) => json_text(StatusCode::OK, entry.json().into_owned()),
        None => answer(
            StatusCode::NOT_FOUND,
            json!({"error": "there is no such incident", "incident_id": id}),
        ),
    }
}

/// The records go out as they were committed; they are JSON already.
fn body(page: &Page) -> String {
    let mut body = String::new();
    body.push_str("{\"incidents\":[");
    for (index, entry) in page.incidents.iter().enumerate() {
        if index > 0 {
            body.push(',');
        }
        body.push_str(&entry.json());
    }
    body.push_str("],\"next\":");
    match &page.next {
        // A cursor's text is hexadecimal.
        Some(cursor) => body.push_str(&format!("\"{cursor}\"")),
        None => body.push_str("null"),
    }
    body.push('}');
    body
}

impl Question {
    /// Lists are separated by commas, or the parameter is repeated. An empty value is as if it were not there.
    /// An answer holds at most `page` incidents, and never more than the board gives at once.
    fn read(pairs: &[(String, String)], known: &[&str], page: usize) -> Result<Question, BadParameter> {
        let most = LIMIT_MAX.min(page);
        let mut question = Question {
            filter: Filter::default(),
            limit: LIMIT_DEFAULT.min(most),
            cursor: None,
        };
        let filter = &mut question.filter;
        for (at, (name, value)) in pairs.iter().enumerate() {
            let bad = |message: &str| BadParameter {
                parameter: name.clone(),
                message: message.to_owned(),
            };
            if !known.contains(&name.as_str()) {
                return Err(bad(&format!("no such parameter; there are {}", known.join(", "))));
            }
            if value.is_empty() {
                continue;
            }
            let is_list = matches!(name.as_str(), "band" | "kind" | "status");
            if !is_list && pairs[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(bad("given more than once"));
            }
            match name.as_str() {
                "band" => filter
                    .bands
                    .extend(listed::<Band>(value).map_err(|()| bad("bands are P1, P2, P3, P4"))?),
                "status" => {
                    filter.statuses.extend(
                        listed::<Status>(value).map_err(|()| bad("states are OPEN, CLOSED, MERGED"))?,
                    );
                }
                "kind" => filter.kinds.extend(value.split(',').map(str::to_owned)),
                "layer" => filter.layer = Some(value.clone()),
                "code" => filter.code = Some(value.clone()),
                "bbox" => filter.bbox = Some(value.parse().map_err(bad)?),
                "cursor" => question.cursor = Some(value.parse().map_err(bad)?),
                _ => {
                    let limit = value.parse().ok().filter(|limit| (1..=most).contains(limit));
                    question.limit =
                        limit.ok_or_else(|| bad(&format!("a number from 1 to {most} is wanted")))?;
                }
            }
        }
        Ok(question)
    }
}

fn listed<T: FromStr>(value: &str) -> Result<Vec<T>, ()> {
    value
        .split(',')
        .map(|item| item.trim().to_ascii_uppercase().parse().map_err(|_| ()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Question, BadParameter> {
        Question::read(
            &pairs
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect::<Vec<_>>(),
            &PARAMETERS,
            LIMIT_MAX,
        )
    }

    #[test]
    fn reads_lists_and_defaults() {
        let question = read(&[
            ("band", "P1,p2"),
            ("band", "P3"),
            ("status", "open"),
            ("kind", "a,b"),
            ("code", ""),
        ])
        .unwrap();
        assert_eq!(question.filter.bands, [Band::P1, Band::P2, Band::P3]);
        assert_eq!(question.filter.statuses, [Status::Open]);
        assert_eq!(question.filter.kinds, ["a", "b"]);
        assert_eq!(
            (question.limit, question.cursor, question.filter.code),
            (LIMIT_DEFAULT, None, None)
        );
        assert_eq!(read(&[("limit", "1000")]).unwrap().limit, LIMIT_MAX);
    }

    #[test]
    fn names_the_parameter_that_makes_no_sense() {
        let check = |pairs: &[(&str, &str)], parameter: &str| {
            assert_eq!(read(pairs).unwrap_err().parameter, parameter);
        };
        check(&[("band", "P1,P5")], "band");
        check(&[("status", "gone")], "status");
        check(&[("bbox", "1,2,3")], "bbox");
        check(&[("limit", "0")], "limit");
        check(&[("limit", "1001")], "limit");
        check(&[("limit", "-1")], "limit");
        check(&[("cursor", "zz")], "cursor");
        check(&[("cursor", "50")], "cursor");
        check(&[("code", "1"), ("code", "2")], "code");
        check(&[("limt", "5")], "limt");
    }
}
