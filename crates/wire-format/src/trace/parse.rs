//! The two headers as the specification spells them; what is not so is no trace.

use super::{KNOWN_FLAGS, TraceContext};

/// Longest `tracestate` that is passed on, in bytes: the specification asks for at least this much.
pub(super) const STATE_MAX: usize = 512;
/// Most of its members, by the specification.
pub(super) const MEMBERS_MAX: usize = 32;

/// A `traceparent`. Of a later version only what the first one has is read, as the specification says.
pub(super) fn parse(value: &[u8]) -> Option<TraceContext> {
    let version = value.get(..2)?;
    let fits = match version {
        b"ff" => false,
        b"00" => value.len() == 55,
        _ => value.len() == 55 || value.get(55) == Some(&b'-'),
    };
    let dashes = [2, 35, 52].iter().all(|at| value.get(*at) == Some(&b'-'));
    if !fits || !dashes {
        return None;
    }
    let [_] = bytes::<1>(version)?;
    let (trace, span) = (bytes(value.get(3..35)?)?, bytes(value.get(36..52)?)?);
    let [flags] = bytes::<1>(value.get(53..55)?)?;
    (trace != [0; 16] && span != [0; 8]).then_some(TraceContext {
        trace,
        span,
        flags: flags & KNOWN_FLAGS,
        state: None,
    })
}

/// Lower-case hexadecimal of exactly so many bytes.
fn bytes<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut out = [0; N];
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(out)
}

/// A `tracestate` that may be passed on: `key=value` members of printable signs, as many as the specification allows.
pub(super) fn good_state(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let is_member = |member: &str| {
        let key = member.trim().split_once('=').map(|(key, _)| key);
        key.is_some_and(|key| !key.is_empty() && !key.contains(' '))
    };
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let members = text.split(',').filter(|member| !member.trim().is_empty());
    let (mut count, mut good) = (0, true);
    for member in members {
        count += 1;
        good &= is_member(member);
    }
    (text.len() <= STATE_MAX && printable && good && (1..=MEMBERS_MAX).contains(&count)).then_some(text)
}
