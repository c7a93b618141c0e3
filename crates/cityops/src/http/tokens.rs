//! Tokens: who may read. Each has a name, so that one can be changed after the other; the file holds hashes alone.

use std::collections::BTreeSet;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::access::Reader;
use super::{Guarded, answer};
use crate::metrics::Refused;

/// A token in a header is no longer than this.
const TOKEN_MAX: usize = 512;

/// Names, and the SHA-256 of their tokens. A token is random, so nobody finds it from its hash.
#[derive(Debug)]
pub(super) struct Tokens(Vec<(String, [u8; 32])>);

impl Tokens {
    /// Reads lines of `name sha256:HASH`; blank ones and those that begin with `#` do not count. Errors name lines and tell
    /// nothing of what they hold.
    pub(super) fn read(text: &str) -> Result<Tokens, String> {
        let mut tokens = Vec::new();
        let mut names = BTreeSet::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |what: &str| Err(format!("line {number}: {what}"));
            let mut words = line.split_whitespace();
            let (Some(name), Some(hash), None) = (words.next(), words.next(), words.next()) else {
                return wrong("a line is \"name sha256:HASH\"");
            };
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            if name.len() > 64 || !name.bytes().all(is_name) {
                return wrong("a name is at most 64 letters, digits, dots, dashes and underscores");
            }
            let Some(hash) = hash.strip_prefix("sha256:").and_then(digest_of) else {
                return wrong(
                    "behind the name stands sha256: and the token's hash, 64 hexadecimal digits, as \
                     `printf %s TOKEN | sha256sum` prints it; never the token itself",
                );
            };
            if !names.insert(name.to_owned()) {
                return wrong("a second token of this name");
            }
            tokens.push((name.to_owned(), hash));
        }
        if tokens.is_empty() {
            return Err("there is no token in it: nobody could read anything".to_owned());
        }
        Ok(Tokens(tokens))
    }

    /// The name of the token that a request bears: `Bearer TOKEN`, or `Basic` with its name and the token as the password,
    /// which browsers ask for by themselves.
    pub(super) fn name_of(&self, headers: &HeaderMap) -> Option<&str> {
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (given.next(), given.next()) else {
            return None;
        };
        let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
        let rest = rest.trim();
        if rest.len() > TOKEN_MAX {
            return None;
        }
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.find(rest.as_bytes(), None);
        }
        if scheme.eq_ignore_ascii_case("basic") {
            let pair = STANDARD.decode(rest).ok()?;
            let colon = pair.iter().position(|byte| *byte == b':')?;
            let name = std::str::from_utf8(&pair[..colon]).ok()?;
            return self.find(&pair[colon + 1..], Some(name));
        }
        None
    }

    /// Every hash is compared whole, whichever fits: how long it takes tells nothing.
    fn find(&self, token: &[u8], named: Option<&str>) -> Option<&str> {
        let hash = Sha256::digest(token);
        let mut found = None;
        for (name, known) in &self.0 {
            let fits = bool::from(hash.as_slice().ct_eq(known));
            if fits && named.is_none_or(|named| named == name) {
                found = Some(name.as_str());
            }
        }
        found
    }
}

fn digest_of(hex: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks(2)) {
        // `from_str_radix` would take a sign.
        let nibble = |digit: u8| char::from(digit).to_digit(16);
        *byte = (nibble(pair[0])? << 4 | nibble(pair[1])?) as u8;
    }
    Some(digest)
}

/// Lets through who bears a token, and everybody where there are none. Health is for all: a platform's probes have no token.
pub(super) async fn guard(State(guarded): State<Guarded>, request: Request, next: Next) -> Response {
    let open = matches!(request.uri().path(), "/livez" | "/readyz");
    let Some(tokens) = guarded.door.tokens.as_ref().filter(|_| !open) else {
        return next.run(request).await;
    };
    let name = tokens.get().name_of(request.headers()).map(str::to_owned);
    if let Some(name) = name {
        let mut response = next.run(request).await;
        response.extensions_mut().insert(Reader(name));
        return response;
    }
    guarded.metrics.http().refused(Refused::Token);
    let mut refused = answer(
        StatusCode::UNAUTHORIZED,
        json!({"error": "a token is wanted: Authorization: Bearer TOKEN"}),
    );
    for challenge in [
        "Bearer realm=\"cityops\"",
        "Basic realm=\"cityops\", charset=\"UTF-8\"",
    ] {
        refused
            .headers_mut()
            .append(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    refused
}

#[cfg(test)]
mod tests {
    use city_model::sha256_hex;

    use super::*;

    fn tokens() -> Tokens {
        let line = |name: &str, token: &str| format!("{name} sha256:{}\n", sha256_hex(token.as_bytes()));
        let text = format!(
            "# who\n\n{}  {}",
            line("desk", "river-42"),
            line("desk.next", "hill:7")
        );
        Tokens::read(&text).unwrap()
    }

    fn named(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        tokens().name_of(&headers).map(str::to_owned)
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn a_token_is_known_by_its_hash() {
        for (value, name) in [
            ("Bearer river-42", Some("desk")),
            ("bearer hill:7", Some("desk.next")),
            (&*basic("desk:river-42"), Some("desk")),
            (&*basic("desk.next:hill:7"), Some("desk.next")),
            (&*basic("desk:hill:7"), None),
            (&*basic("river-42"), None),
            ("Basic %%%", None),
            ("Bearer river-4", None),
            ("Bearer river-422", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("river-42", None),
            ("Digest river-42", None),
        ] {
            assert_eq!(named(value).as_deref(), name, "{value}");
        }
        let hash = sha256_hex(b"river-42");
        assert_eq!(
            named(&format!("Bearer {hash}")),
            None,
            "who has read the file has no token"
        );
        let mut twice = HeaderMap::new();
        for _ in 0..2 {
            twice.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer river-42"));
        }
        assert_eq!(tokens().name_of(&twice), None);
        assert_eq!(tokens().name_of(&HeaderMap::new()), None);
    }

    #[test]
    fn a_bad_file_is_told_by_its_line_and_without_what_it_holds() {
        let hash = sha256_hex(b"x");
        for (text, part) in [
            ("", "no token in it"),
            ("# nothing\n", "no token in it"),
            ("desk\n", "line 1"),
            ("\ndesk letmein-please\n", "line 2"),
            (&*format!("desk sha256:{}\n", &hash[1..]), "line 1"),
            (
                &*format!("desk sha256:+{} # letmein-please\n", &hash[1..]),
                "line 1",
            ),
            (&*format!("desk sha256:+{}\n", &hash[1..]), "line 1"),
            (&*format!("de/sk sha256:{hash}\n"), "a name is"),
            (
                &*format!("desk sha256:{hash}\ndesk sha256:{hash}\n"),
                "line 2: a second",
            ),
        ] {
            let why = Tokens::read(text).unwrap_err();
            assert!(why.contains(part) && !why.contains("letmein-please"), "{why}");
        }
    }
}
