//! Identifiers in which nobody can stand, by their form alone: letters, letters with one number behind them, and a UUID.
//!
//! Every record has several, and nearly all are built like this: searching them was a third of
//! what a replay of quiet readings took.

use super::identifiers::is_cue;

/// Fewer digits may be a room's: Room302.
const LEAST_DIGITS: usize = 5;
/// A document is a letter with eight digits, or two with seven (`documents`).
const OF_A_DOCUMENT: [(usize, usize); 2] = [(1, 8), (2, 7)];
const UUID_LENGTH: usize = 36;

/// Whether an identifier is built so that none of what an event's name is searched for can stand in it. `false` says nothing.
pub(super) fn is_plain(id: &str) -> bool {
    let id = id.as_bytes();
    is_counted(id) || is_uuid(id)
}

/// Letters, hyphens and underscores, and nothing or one number behind them: iot-fire, T000012345, SJ-20250616000123. Not what a chat's number, a
/// document or a plate of the armed police (WJ) looks like.
fn is_counted(id: &[u8]) -> bool {
    let prefix = id.iter().position(u8::is_ascii_digit).unwrap_or(id.len());
    let (prefix, number) = id.split_at(prefix);
    let is_of_prefix = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_');
    let letters = prefix.iter().rev().take_while(|byte| byte.is_ascii_alphabetic());
    let is_nobodys = || {
        number.len() >= LEAST_DIGITS
            && number.iter().all(u8::is_ascii_digit)
            && !prefix.windows(2).any(|two| is_cue(two[0], two[1]))
            && !OF_A_DOCUMENT.contains(&(letters.count(), number.len()))
    };
    prefix.iter().all(is_of_prefix) && (number.is_empty() || is_nobodys())
}

/// As RFC 9562 writes one, in letters of either case.
fn is_uuid(id: &[u8]) -> bool {
    id.len() == UUID_LENGTH
        && id.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::super::identifiers::is_found_in;
    use super::*;

    #[test]
    fn forms() {
        for plain in [
            "T000012345",
            "N000000123",
            "SJ-20250616000123",
            "LJT-01777",
            "iot_water-123456",
            "123456",
            "iot-fire",
            "we_report",
            "",
            "550e8400-e29b-41d4-a716-446655440000",
            "550E8400-E29B-41D4-A716-446655440000",
        ] {
            assert!(is_plain(plain), "{plain}");
        }
        for other in [
            "Room302",
            "G12345678",
            "T-G12345678",
            "EA1234567",
            "qq1234567890",
            "wx-1234567",
            "WJ12345",
            "5781-2345",
            "12-2-30100",
            "20F03",
            "张12345",
            "a b12345",
            "550e8400-e29b-41d4-a716-44665544000g",
            "550e8400-e29b-41d4-a716-4466554400001",
        ] {
            assert!(!is_plain(other), "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nobody_stands_in_a_counted_one(
            id in "([A-Za-z]{1,3}|[-_]|[GEDSPHMCWKLT]|E[A-Z]|qq|WX|vx|wechat|weixin|WJ|Mr|Dr|Room|flat|Unit|apt|suite|at|com|F){0,5}([0-9]{4,20})?"
        ) {
            proptest::prop_assert!(!is_plain(&id) || !is_found_in(&id), "{}", id);
        }

        #[test]
        fn nobody_stands_in_a_uuid(
            id in "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
            few in "[0-9ef]{8}(-[0-9f]{4}){3}-[0-9e]{12}",
        ) {
            for id in [id, few] {
                proptest::prop_assert!(is_plain(&id) && !is_found_in(&id), "{}", id);
            }
        }
    }
}
