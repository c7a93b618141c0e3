//! By which names it may be asked. A page from elsewhere whose name was made to lead to this machine (DNS rebinding) asks with that
//! name, and the browser lets it read the answer; so where no token is wanted, another name than this machine's gets none.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::json;

use super::{Guarded, answer};
use crate::config::{Http, is_loopback};
use crate::metrics::Refused;

/// The names by which it may be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Hosts {
    /// Any.
    #[default]
    Any,
    /// This machine's own, and these.
    Only(Vec<String>),
}

impl Hosts {
    pub(super) fn of(http: &Http) -> Hosts {
        let only_here = is_loopback(&http.listen) && http.tokens_file.is_none();
        if http.hosts.is_empty() && !only_here {
            return Hosts::Any;
        }
        Hosts::Only(http.hosts.iter().map(|host| host.to_lowercase()).collect())
    }

    /// Whether a request may be answered by the name that it asks for. One without a name is no browser's.
    fn allow(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let Hosts::Only(hosts) = self else {
            return true;
        };
        let allowed = |host: &str| {
            let bare = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
            bare == "localhost"
                || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
                || hosts.contains(&bare)
        };
        let mut given = headers.get_all(header::HOST).iter();
        let in_header = match (given.next(), given.next()) {
            (None, _) => true,
            (Some(host), None) => host.to_str().is_ok_and(|host| allowed(without_port(host))),
            (Some(_), Some(_)) => false,
        };
        in_header && uri.host().is_none_or(allowed)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Lets through who asks by a name that is allowed.
pub(super) async fn guard(State(guarded): State<Guarded>, request: Request, next: Next) -> Response {
    if guarded.door.hosts.allow(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    guarded.metrics.http().refused(Refused::Host);
    let error = "this machine is asked by a name that is not its own; set http.hosts if it is one of yours  \
                 请求的主机名不在允许之列，如属本系统请配置 http.hosts";
    answer(StatusCode::MISDIRECTED_REQUEST, json!({ "error": error }))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allow(http: &Http, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        Hosts::of(http).allow(&Uri::from_static("/"), &headers)
    }

    #[test]
    fn on_this_machine_only_its_own_names_are_answered() {
        let here = Http::default();
        for (host, good) in [
            ("127.0.0.1:8080", true),
            ("127.0.0.1", true),
            ("LocalHost:1", true),
            ("[::1]:8080", true),
            ("evil.example", false),
            ("evil.example:8080", false),
            ("127.0.0.1.evil.example:8080", false),
            ("localhost.evil.example", false),
            ("10.0.0.1:8080", false),
            ("", false),
        ] {
            assert_eq!(allow(&here, host), good, "{host}");
        }
        assert!(Hosts::of(&here).allow(&Uri::from_static("/"), &HeaderMap::new()));
        let elsewhere = Uri::from_static("http://evil.example/");
        assert!(!Hosts::of(&here).allow(&elsewhere, &HeaderMap::new()));
    }

    #[test]
    fn others_are_the_configurations() {
        let named = Http {
            hosts: vec!["City.example".to_owned()],
            ..Http::default()
        };
        assert!(allow(&named, "city.example:443") && allow(&named, "localhost") && !allow(&named, "example"));
        let with_tokens = Http {
            tokens_file: Some("tokens".into()),
            ..Http::default()
        };
        assert!(allow(&with_tokens, "anything"));
        let open = Http {
            listen: "0.0.0.0:8080".to_owned(),
            ..Http::default()
        };
        assert!(allow(&open, "anything"));
    }
}
