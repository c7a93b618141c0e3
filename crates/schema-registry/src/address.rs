//! Where a registry is and who asks it: judged before the first request, so that a wrong address stops the start.

use std::fmt;

/// The address of a registry's interface, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFlaw {
    /// It is neither of `http` nor of `https`.
    Scheme,
    /// It holds a name or a password.
    Secret,
    /// It names no host, or more than a host and a path.
    Form,
}

impl Address {
    /// Reads an address: `http://host:port` or `https://host:port`, with the path under which the registry speaks the
    /// interface, if any.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Address, String> {
        Address::read(text).map_err(|flaw| {
            match flaw {
                AddressFlaw::Scheme => "an address begins with http:// or https://",
                AddressFlaw::Secret => "name and password go into registry_auth_file",
                AddressFlaw::Form => "an address is http://host:port and a path",
            }
            .to_owned()
        })
    }

    /// The same for whoever has words of its own for what is wrong.
    ///
    /// # Errors
    /// What is wrong.
    pub fn read(text: &str) -> Result<Address, AddressFlaw> {
        let Some((scheme, rest)) = ["http://", "https://"]
            .iter()
            .find_map(|scheme| Some((scheme, text.strip_prefix(scheme)?)))
        else {
            return Err(AddressFlaw::Scheme);
        };
        let rest = rest.trim_end_matches('/');
        let host = rest.split('/').next().unwrap_or_default();
        if host.contains('@') {
            return Err(AddressFlaw::Secret);
        }
        if host.is_empty() || rest.contains(['?', '#', ' ']) || rest.chars().any(char::is_control) {
            return Err(AddressFlaw::Form);
        }
        Ok(Address(format!("{scheme}{rest}")))
    }

    /// Whether it is asked by TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    pub(crate) fn of(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who asks: a name with its password, or a token. Neither is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The header's value.
    authorization: String,
}

impl Credentials {
    /// Reads `name:password`, as it stands in a file of its own, for basic authentication (RFC 7617).
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Credentials, String> {
        use base64::Engine;
        let text = text.trim_end_matches(['\r', '\n']);
        if !text.contains(':') || text.chars().any(char::is_control) {
            return Err("it holds one line, name:password".to_owned());
        }
        let coded = base64::engine::general_purpose::STANDARD.encode(text);
        Ok(Credentials {
            authorization: format!("Basic {coded}"),
        })
    }

    /// Reads a token, as it stands in a file of its own (RFC 6750).
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn bearer(text: &str) -> Result<Credentials, String> {
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it holds one line, the token alone".to_owned());
        }
        Ok(Credentials {
            authorization: format!("Bearer {text}"),
        })
    }

    /// The value of the header that tells who asks: a secret.
    pub fn header(&self) -> String {
        self.authorization.clone()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_http_or_https() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let found = Address::parse(text).map(|address| address.to_string());
            match expected {
                Ok(address) => assert_eq!(found.as_deref(), Ok(address), "{text}"),
                Err(part) => assert!(found.is_err_and(|why| why.contains(part)), "{text}"),
            }
        };
        check("http://r:8081", Ok("http://r:8081"));
        check(
            "http://r:8081/apis/ccompat/v7/",
            Ok("http://r:8081/apis/ccompat/v7"),
        );
        check("https://r/apis/", Ok("https://r/apis"));
        check("ftp://r", Err("begins with http:// or https://"));
        check("r:8081", Err("begins with http://"));
        check("http://", Err("http://host:port"));
        check("http://a:b@r", Err("registry_auth_file"));
        check("http://r/?x", Err("http://host:port"));
    }

    #[test]
    fn credentials_are_not_shown() {
        let credentials = Credentials::parse("Aladdin:open sesame\n").unwrap();
        assert_eq!(credentials.header(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(format!("{credentials:?}"), "Credentials(…)");
        assert!(Credentials::parse("nobody").is_err());
        assert_eq!(Credentials::bearer("t0k.en\n").unwrap().header(), "Bearer t0k.en");
        for wrong in ["", "\n", "two words", "a\nb"] {
            assert!(Credentials::bearer(wrong).is_err(), "{wrong:?}");
        }
    }
}
