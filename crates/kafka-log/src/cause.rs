//! What the client library's words for a failed connection mean, and which property to look at. No secret is in them, nor here.

use crate::Properties;

/// A sentence in English and Chinese.
type Sentence = (&'static str, &'static str);

const UNVERIFIED: Sentence = (
    "the broker's certificate does not hold: its authority is not in ssl.ca.location, it does not bear the name in bootstrap_servers, or it has expired",
    "Broker 证书校验失败：请核对 ssl.ca.location、证书中的主机名与有效期",
);
const CREDENTIALS: Sentence = (
    "the broker knows no such user with this password: look at sasl.username, sasl.password and sasl.mechanism",
    "用户名或密码错误，请核对 sasl.username 与 sasl.password",
);
const MECHANISM: Sentence = (
    "the broker does not offer this sasl.mechanism",
    "Broker 不支持所配置的 sasl.mechanism",
);
const NO_CERTIFICATE: Sentence = (
    "the broker wants a certificate: set ssl.certificate.location and ssl.key.location",
    "Broker 要求客户端证书，请配置 ssl.certificate.location 与 ssl.key.location",
);
const STRANGER: Sentence = (
    "the certificate in ssl.certificate.location is signed by no authority that the broker knows",
    "ssl.certificate.location 中的证书不是由 Broker 信任的机构签发",
);
const EXPIRED: Sentence = (
    "the broker refuses the certificate in ssl.certificate.location: it has expired, or is not valid yet",
    "Broker 拒绝 ssl.certificate.location 中的证书：已过期或尚未生效",
);
const NO_TLS_THERE: Sentence = (
    "the broker speaks no TLS at this address: look at security.protocol and the port",
    "该地址不支持 TLS，请核对 security.protocol 与端口",
);
const TLS_THERE: Sentence = (
    "the broker closes the connection without a word, as one does that wants TLS: look at security.protocol and the port",
    "连接被 Broker 直接关闭，可能该端口要求 TLS，请核对 security.protocol 与端口",
);

/// What the words mean, or that there were none.
fn sentence(properties: &Properties, said: Option<&str>) -> Option<Sentence> {
    let Some(said) = said else {
        let protocol = properties.get("security.protocol").map(|it| it.to_lowercase());
        let is_plain = matches!(protocol.as_deref(), None | Some("plaintext" | "sasl_plaintext"));
        return is_plain.then_some(TLS_THERE);
    };
    let has = |words: &str| said.contains(words);
    let shows = [
        "ssl.certificate.location",
        "ssl.certificate.pem",
        "ssl.keystore.location",
    ];
    let shows = shows.iter().any(|name| properties.contains_key(*name));
    if has("certificate verify failed") {
        return Some(UNVERIFIED);
    }
    if has("invalid credentials") || has("Authentication failed") {
        return Some(CREDENTIALS);
    }
    if has("Unsupported SASL mechanism") || has("SASL mechanism handshake failed") {
        return Some(MECHANISM);
    }
    let hung_up = has("connection closed by peer") && has("SSL_HANDSHAKE");
    if has("connecting to a PLAINTEXT broker listener") || has("wrong version number") || hung_up {
        return Some(NO_TLS_THERE);
    }
    if has("connecting to a SSL listener") {
        return Some(TLS_THERE);
    }
    // Brokers in Java tell an expired certificate by "unknown".
    if has("alert certificate expired") || has("alert certificate unknown") {
        return Some(EXPIRED);
    }
    let refused = [
        "alert bad certificate",
        "alert certificate required",
        "alert unknown ca",
        "alert handshake failure",
    ];
    match refused.iter().any(|words| has(words)) {
        true if shows => Some(STRANGER),
        true => Some(NO_CERTIFICATE),
        false => None,
    }
}

/// The reason to tell where nobody answered: what the library said last, if it said anything, or `otherwise`.
pub(crate) fn reason(properties: &Properties, said: Option<&str>, otherwise: &str) -> String {
    let words = said.unwrap_or(otherwise);
    match sentence(properties, said) {
        Some((english, chinese)) => format!("{english}  {chinese} ({words})"),
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words are librdkafka 2.12's and OpenSSL 3.0's.
    #[test]
    fn the_librarys_words_are_understood() {
        let none = Properties::new();
        let shows = Properties::from([("ssl.certificate.location".to_owned(), "x".to_owned())]);
        let tls = Properties::from([("security.protocol".to_owned(), "SSL".to_owned())]);
        for (properties, said, part) in [
            (
                &none,
                Some("SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker"),
                "ssl.ca.location",
            ),
            (
                &none,
                Some(
                    "SASL authentication error: Authentication failed during authentication due to invalid credentials",
                ),
                "sasl.password",
            ),
            (
                &none,
                Some("SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?"),
                "speaks no TLS",
            ),
            (
                &none,
                Some("Disconnected: SSL connection closed by peer (after 0ms in state SSL_HANDSHAKE)"),
                "speaks no TLS",
            ),
            (
                &none,
                Some("Receive failed: SSL routines::sslv3 alert bad certificate: SSL alert number 42"),
                "wants a certificate",
            ),
            (
                &shows,
                Some("Receive failed: SSL routines::sslv3 alert bad certificate: SSL alert number 42"),
                "no authority",
            ),
            (
                &shows,
                Some("Receive failed: SSL routines::sslv3 alert certificate unknown: SSL alert number 46"),
                "expired",
            ),
            (&none, None, "wants TLS"),
        ] {
            let reason = reason(properties, said, "nothing");
            assert!(
                reason.contains(part) && reason.ends_with(&format!("({})", said.unwrap_or("nothing"))),
                "{reason}"
            );
        }
        assert_eq!(reason(&tls, None, "nothing"), "nothing");
        let refused = "Connect to ipv4#127.0.0.1:1 failed: Connection refused";
        assert_eq!(reason(&none, Some(refused), "nothing"), refused);
    }
}
